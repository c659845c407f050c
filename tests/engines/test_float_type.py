"""floatX that the user has set is told from the default, and is never changed."""

import pytest

from theano_rnn.engines.float_type import FloatXSetting


class Parameter:
    """What holds a setting in Theano's configuration."""

    def __init__(self, val, is_default):
        self.default, self.val, self.is_default = "float64", val, is_default


def test_a_default_is_single_precision_and_stays_what_it_was_for_the_user():
    parameter = Parameter("float64", True)
    assert FloatXSetting(parameter, False).float_type() == "float32"
    assert parameter.val == "float64"


@pytest.mark.parametrize("setting", ["float32", "float64"])
def test_what_is_set_later_is_followed_until_the_old_value_comes_back(setting):
    parameter = Parameter("float64", True)
    floats = FloatXSetting(parameter, False)
    before, parameter.val = parameter.val, setting
    assert floats.float_type() == setting
    parameter.val = before
    assert floats.float_type() == "float32"


@pytest.mark.parametrize("setting", ["float32", "float64"])
def test_what_was_set_before_is_followed(setting):
    assert FloatXSetting(Parameter(setting, False), False).float_type() == setting
    assert FloatXSetting(Parameter(setting, True), True).float_type() == setting
