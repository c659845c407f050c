"""A floatX that the user has set is distinguished from the default, and never changed."""

import pytest

from theano_rnn.engines.float_type import FloatXSetting


class Parameter:
    """The object that holds a setting in Theano's configuration."""

    def __init__(self, val, is_default):
        self.default, self.val, self.is_default = "float64", val, is_default


def test_the_default_is_single_precision_and_theanos_own_setting_does_not_change():
    parameter = Parameter("float64", True)
    assert FloatXSetting(parameter, False).float_type() == "float32"
    assert parameter.val == "float64"


@pytest.mark.parametrize("setting", ["float32", "float64"])
def test_a_value_set_later_counts_until_the_old_object_is_restored(setting):
    parameter = Parameter("float64", True)
    floats = FloatXSetting(parameter, False)
    before, parameter.val = parameter.val, setting
    assert floats.float_type() == setting
    parameter.val = before
    assert floats.float_type() == "float32"


@pytest.mark.parametrize("setting", ["float32", "float64"])
def test_a_value_set_before_counts(setting):
    assert FloatXSetting(Parameter(setting, False), False).float_type() == setting
    assert FloatXSetting(Parameter(setting, True), True).float_type() == setting
