"""Compiling, shared arrays, precision and the choice of the engine; what importing the package does and does not do."""

import os
import sys

import numpy as np
import pytest
from fresh_python import python

import theano_rnn
from theano_rnn import OptionError, engine
from theano_rnn.engine import (
    DEVICES,
    T,
    as_numpy,
    compile_function,
    float_type,
    precision,
    shared_array,
    theano,
)

# Compiled functions


def test_updates_are_applied_after_each_call():
    count = theano.shared(np.float64(0), name="count")

    def build():
        step = T.scalar("step", dtype="float64")
        return [step], count * 2, [(count, count + step)]

    function = compile_function(build, "float64")
    assert [float(function(np.float64(3))) for _ in range(3)] == [0, 6, 12]
    assert as_numpy(count.get_value(borrow=True)) == 9


@pytest.mark.parametrize("transposed", [False, True])
def test_a_shared_array_is_got_set_and_used_as_given_however_it_is_stored(transposed):
    value = np.arange(6.0).reshape(2, 3)
    array = shared_array(value, "array", transposed)

    def build():
        row = T.vector("row", dtype="float64")
        return [row], array.matrix.sum(axis=1), [array.update(array.matrix + row)]

    stored = array.get_value(borrow=True, return_internal_type=True)
    assert np.shape(stored) == (2, 3)
    function = compile_function(build, "float64")
    np.testing.assert_array_equal(function(np.array([10.0, 20.0, 30.0])), value.sum(axis=1))
    np.testing.assert_array_equal(array.get_value(), value + [10, 20, 30])
    np.testing.assert_array_equal(np.asarray(array.get_value(borrow=True)), value + [10, 20, 30])
    array.set_value(value)
    np.testing.assert_array_equal(function(np.zeros(3)), value.sum(axis=1))
    assert array.get_value().flags.c_contiguous


def test_what_is_set_later_is_not_changed_with_the_array_that_it_was_set_from():
    array = shared_array(np.zeros((2, 3)), "array", transposed=True)
    value = np.ones((2, 3))
    array.set_value(value)
    value[:] = 7
    np.testing.assert_array_equal(array.get_value(), np.ones((2, 3)))


def test_as_numpy_is_the_callers_own_array():
    shared = theano.shared(np.zeros(3))
    value = as_numpy(shared.get_value(borrow=True))
    value[:] = 1
    assert not shared.get_value().any()


def test_float_type_is_theanos_setting(float64):
    assert float_type() == "float64"
    with precision("float32"):
        assert float_type() == "float32"


# Devices


@pytest.mark.parametrize("name", ["tpu", "", "CPU", None, 0])
def test_an_unknown_device_is_refused_and_the_known_ones_are_named(name):
    with pytest.raises(OptionError, match=rf"^device: expected one of auto, cpu, gpu, got {name!r}$"):
        engine.select_device(name)
    assert DEVICES == ("auto", "cpu", "gpu")


def test_the_version_is_told():
    assert theano.__version__ in engine.versions()


# Which engine


@pytest.fixture(autouse=True)
def any_python_is_one_for_theano(monkeypatch):
    monkeypatch.setattr(engine, "LAST_PYTHON_OF_THEANO", (99, 0))


def test_a_theano_that_is_installed_for_a_later_python_is_none(monkeypatch):
    monkeypatch.setattr(engine, "LAST_PYTHON_OF_THEANO", (3, 9))
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: True)
    monkeypatch.delenv("THEANO_RNN_ENGINE", raising=False)
    assert engine.engine_name() == "pytensor"
    monkeypatch.setenv("THEANO_RNN_ENGINE", "theano")
    with pytest.raises(OptionError, match="^THEANO_RNN_ENGINE: theano is not installed for this Python; `pip install"):
        engine.engine_name()


def test_the_engine_is_the_one_asked_for_else_one_that_is_installed(monkeypatch):
    monkeypatch.delenv("THEANO_RNN_ENGINE", raising=False)
    both = set(sum(engine.NEEDED.values(), ()))
    for installed, expected in ((both, "pytensor"), ({"theano"}, "theano"), ({"theano", "pytensor"}, "theano")):
        monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name, found=installed: name in found or None)
        assert engine.engine_name() == expected
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: name in both or None)
    for name in engine.NEEDED:
        monkeypatch.setenv("THEANO_RNN_ENGINE", name)
        assert engine.engine_name() == name


@pytest.mark.parametrize(
    ("chosen", "installed", "message"),
    [
        ("jax", {"theano"}, "THEANO_RNN_ENGINE: expected pytensor or theano, got 'jax'"),
        (
            "pytensor",
            {"theano"},
            "THEANO_RNN_ENGINE: pytensor is not installed for this Python; `pip install .` brings PyTensor",
        ),
        ("theano", {"pytensor", "jax"}, "THEANO_RNN_ENGINE: theano is not installed for this Python; "),
        ("", {"pytensor"}, "neither PyTensor with JAX nor Theano is installed for this Python; "),
    ],
)
def test_an_engine_that_cannot_be_had_is_refused(monkeypatch, chosen, installed, message):
    monkeypatch.setenv("THEANO_RNN_ENGINE", chosen)
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: name in installed or None)
    with pytest.raises(OptionError, match=f"^{message}"):
        engine.engine_name()


# Importing the package


def test_importing_the_package_loads_no_theano_and_makes_single_precision_the_default(tmp_path):
    code = (
        "import sys, theano_rnn;"
        "print(*[m for m in ('pytensor', 'theano', 'jax', 'numpy', 'nltk') if m in sys.modules]);"
        "from theano_rnn.engine import theano; print(theano.config.floatX)"
    )
    assert python(code, tmp_path) == ["float32"]


@pytest.mark.parametrize("of", theano_rnn._THEANOS)
@pytest.mark.parametrize(
    ("flags", "settings", "expected"),
    [
        (None, None, "floatX=float32"),
        ("", None, "floatX=float32"),
        ("optimizer=fast_compile", None, "optimizer=fast_compile,floatX=float32"),
        ("floatX=float64", None, "floatX=float64"),
        (None, "[global]\nfloatX = float64\n", None),
        (None, "[global]\noptimizer = fast_compile\n", "floatX=float32"),
    ],
)
def test_single_precision_is_the_default_unless_the_user_says_otherwise(
    monkeypatch, tmp_path, of, flags, settings, expected
):
    variable, files, _ = theano_rnn._THEANOS[of]
    monkeypatch.delitem(sys.modules, of, raising=False)
    monkeypatch.setenv(variable, "")  # so that what is set here is undone
    monkeypatch.delenv(variable)
    monkeypatch.setenv(files, str(tmp_path / "rc"))
    if flags is not None:
        monkeypatch.setenv(variable, flags)
    if settings is not None:
        (tmp_path / "rc").write_text(settings)
    theano_rnn._default_to_single_precision(of)
    assert os.environ.get(variable) == expected


@pytest.mark.parametrize("of", theano_rnn._THEANOS)
def test_a_theano_that_is_imported_already_keeps_its_setting(monkeypatch, of):
    variable, _, _ = theano_rnn._THEANOS[of]
    monkeypatch.setitem(sys.modules, of, theano)
    monkeypatch.setenv(variable, "")
    theano_rnn._default_to_single_precision(of)
    assert os.environ[variable] == ""


def test_the_packages_names_are_listed_and_others_are_refused():
    assert set(theano_rnn.__all__) <= set(dir(theano_rnn))
    for name in theano_rnn.__all__:
        assert getattr(theano_rnn, name) is not None
    with pytest.raises(AttributeError, match=r"^module 'theano_rnn' has no attribute 'GRU'$"):
        theano_rnn.GRU  # noqa: B018
