"""Compiling, shared arrays, precision, the choice of the engine, and the effects of importing the package."""

import copy
import pickle

import numpy as np
import pytest
from support.fresh_python import python

import theano_rnn
from theano_rnn import EngineError, OptionError
from theano_rnn.engines import engine, installed_versions
from theano_rnn.engines.engine import (
    DEVICES,
    T,
    as_numpy,
    compile_function,
    float_type,
    precision,
    shared_array,
    theano,
    wait_for,
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
def test_the_storage_of_a_shared_array_affects_neither_values_nor_formulas(transposed):
    value = np.arange(6.0).reshape(2, 3)
    array = shared_array(value, "array", transposed)

    def build():
        row = T.vector("row", dtype="float64")
        return [row], array.sum(axis=1), [(array, array + row)]

    assert np.shape(array.get_value(borrow=True, return_internal_type=True)) == (2, 3)
    function = compile_function(build, "float64")
    np.testing.assert_array_equal(function(np.array([10.0, 20.0, 30.0])), value.sum(axis=1))
    np.testing.assert_array_equal(array.get_value(), value + [10, 20, 30])
    np.testing.assert_array_equal(np.asarray(array.get_value(borrow=True)), value + [10, 20, 30])
    array.set_value(value)
    np.testing.assert_array_equal(function(np.zeros(3)), value.sum(axis=1))
    assert array.get_value().flags.c_contiguous
    assert array.matrix is array


# NumPy deprecates what the original Theano uses; Numba, which compiles at the first call, prefers contiguous arrays.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "mode", [None, pytest.param("FAST_COMPILE", marks=pytest.mark.slow), pytest.param("JAX", marks=pytest.mark.xla)]
)
@pytest.mark.parametrize("transposed", [False, True])
def test_functions_of_the_user_and_ours_share_one_value_of_the_documented_shape(transposed, mode):
    expected = np.arange(6.0).reshape(2, 3)
    array = shared_array(expected, "array", transposed)
    x = T.vector("x", dtype="float64")
    read = theano.function([x], array.dot(x), mode=mode)
    double = theano.function([], [], updates=[(array, 2 * array)], mode=mode)
    gradient = T.grad((array * x).sum(), array)
    subtract_gradient = theano.function([x], [], updates=[(array, array - gradient)], mode=mode)
    add = compile_function(lambda: ([], array, [(array, array + 1)]), "float64")
    x = np.array([1.0, 2.0, 3.0])
    for _ in range(2):
        np.testing.assert_array_equal(read(x), expected @ x)
        np.testing.assert_array_equal(add(), expected)
        np.testing.assert_array_equal(read(x), (expected + 1) @ x)
        double()
        np.testing.assert_array_equal(array.get_value(), 2 * (expected + 1))
        np.testing.assert_array_equal(add(), 2 * (expected + 1))
        subtract_gradient(x)
        expected = 2 * (expected + 1) + 1 - x
        np.testing.assert_array_equal(array.get_value(), expected)


def test_a_copy_of_a_shared_array_is_independent():
    array = shared_array(np.arange(6.0).reshape(2, 3), "array", transposed=True)
    add = compile_function(lambda: ([], [], [(array, array + 1)]), "float64")
    add()
    copies = [copy.deepcopy(array), pickle.loads(pickle.dumps(array))]
    add()
    for one in copies:
        np.testing.assert_array_equal(one.get_value(), np.arange(6.0).reshape(2, 3) + 1)
    np.testing.assert_array_equal(array.get_value(), np.arange(6.0).reshape(2, 3) + 2)


def test_set_value_copies_the_array():
    array = shared_array(np.zeros((2, 3)), "array", transposed=True)
    value = np.ones((2, 3))
    array.set_value(value)
    value[:] = 7
    np.testing.assert_array_equal(array.get_value(), np.ones((2, 3)))


def test_as_numpy_returns_a_copy():
    shared = theano.shared(np.zeros(3))
    value = as_numpy(shared.get_value(borrow=True))
    value[:] = 1
    assert not shared.get_value().any()


def test_float_type_is_theanos_setting_if_it_is_set(float64):
    assert float_type() == "float64"
    with precision("float32"):
        assert float_type() == "float32"


# Devices


@pytest.mark.parametrize("name", ["tpu", "", "CPU", None, 0])
def test_an_unknown_device_is_rejected_and_the_known_ones_are_named(name):
    with pytest.raises(OptionError, match=rf"^device: expected one of auto, cpu, gpu, got {name!r}$"):
        engine.select_device(name)
    assert DEVICES == ("auto", "cpu", "gpu")


def test_versions_names_the_version_of_theano():
    assert theano.__version__ in engine.versions()


# Which engine


@pytest.fixture(autouse=True)
def any_python_runs_theano(monkeypatch):
    monkeypatch.setattr(engine, "LAST_PYTHON_OF_THEANO", (99, 0))


def test_theano_on_a_later_python_is_ignored(monkeypatch):
    monkeypatch.setattr(engine, "LAST_PYTHON_OF_THEANO", (3, 9))
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: True)
    monkeypatch.delenv("THEANO_RNN_ENGINE", raising=False)
    assert engine.engine_name() == "pytensor"
    monkeypatch.setenv("THEANO_RNN_ENGINE", "theano")
    with pytest.raises(OptionError, match="^THEANO_RNN_ENGINE: theano is not installed for this Python; `pip install"):
        engine.engine_name()


def test_the_engine_is_the_chosen_one_else_an_installed_one(monkeypatch):
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
            "THEANO_RNN_ENGINE: pytensor is not installed for this Python; `pip install -e .` installs PyTensor",
        ),
        ("theano", {"pytensor", "jax"}, "THEANO_RNN_ENGINE: theano is not installed for this Python; "),
        ("", set(), "neither PyTensor with JAX nor Theano is installed for this Python; `pip install"),
        ("", {"pytensor"}, r"neither PyTensor with JAX \(jax is missing\) nor Theano is installed for this Python; "),
        ("pytensor", {"pytensor"}, "THEANO_RNN_ENGINE: pytensor is not installed for this Python; "),
    ],
)
def test_an_engine_that_is_not_available_is_rejected(monkeypatch, chosen, installed, message):
    monkeypatch.setenv("THEANO_RNN_ENGINE", chosen)
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: name in installed or None)
    with pytest.raises(OptionError, match=f"^{message}"):
        engine.engine_name()


def test_an_engine_that_cannot_be_imported_is_reported_with_the_command_that_fixes_it(monkeypatch):
    def broken(name):
        raise AttributeError("module 'numpy' has no attribute '_core'\nand more")

    monkeypatch.setattr(engine.importlib, "import_module", broken)
    monkeypatch.setattr(
        installed_versions, "unmet_requirement", lambda roots, own: f"{own} and {', '.join(roots)} differ"
    )
    with pytest.raises(
        EngineError, match="^PyTensor with JAX cannot be imported: theano_rnn and pytensor, jax differ$"
    ):
        engine.import_engine("pytensor")
    monkeypatch.setattr(installed_versions, "unmet_requirement", lambda roots, own: None)
    with pytest.raises(ImportError) as raised:
        engine.import_engine("theano")
    assert str(raised.value) == (
        "Theano cannot be imported: AttributeError: module 'numpy' has no attribute '_core' and more; "
        "run pip install --force-reinstall theano"
    )


# Importing the package

ENGINE = engine.engine_name()
NOTHING_CHANGED = """
import os, sys
before = dict(os.environ)
import theano_rnn
assert dict(os.environ) == before
print(*[m for m in ("pytensor", "theano", "jax", "numpy", "nltk") if m in sys.modules])
"""


def test_importing_the_package_loads_no_theano_and_sets_no_environment_variable(tmp_path):
    assert python(NOTHING_CHANGED, tmp_path) == []


def test_using_a_network_changes_neither_environment_nor_allocator_nor_float_type(tmp_path):
    code = """
import ctypes, os
real = ctypes.CDLL
class Library(real):
    def __getattr__(self, name):
        assert name != "mallopt"
        return super().__getattr__(name)
ctypes.CDLL = Library
# JAX sets these itself when it is imported.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="1", TPU_SKIP_MDS_QUERY="1")
before = dict(os.environ)
import theano_rnn
rnn = theano_rnn.RNN(12, 5, seed=1)
rnn.sgd_step([1, 2], [2, 3], 0.1)
assert dict(os.environ) == before
from theano_rnn.engines.engine import theano
print(rnn.dtype, rnn.predict([1]).shape, theano.config.floatX, theano.shared(0.5).get_value().dtype)
"""
    assert python(code, tmp_path) == ["float32", "(1,)", "float64", "float64"]


def test_functions_of_the_user_keep_double_precision_next_to_a_network_of_single_precision(tmp_path):
    code = """
import warnings
warnings.simplefilter("ignore")
import numpy as np
import theano_rnn
rnn = theano_rnn.RNN(12, 5, seed=1)
from theano_rnn.engines.engine import T, theano
x = T.vector("x")
f = theano.function([x], x / 3)
one = np.ones(1)
assert f(one).dtype == np.float64 and f(one)[0] == 1 / 3
rnn.sgd_step([1, 2], [2, 3], 0.1)
assert f(one).dtype == np.float64 and f(one)[0] == 1 / 3
assert theano.function([x], x / 3)(one)[0] == 1 / 3
print(rnn.dtype, theano.config.floatX, T.vector().dtype)
"""
    assert python(code, tmp_path) == ["float32", "float64", "float64"]


@pytest.mark.parametrize(
    ("flags", "settings", "code", "expected"),
    [
        pytest.param(None, None, "", "float32 float64", marks=pytest.mark.slow),
        pytest.param("", None, "", "float32 float64", marks=pytest.mark.slow),
        pytest.param("on_unused_input=ignore", None, "", "float32 float64", marks=pytest.mark.slow),
        ("floatX=float64", None, "", "float64 float64"),
        pytest.param("floatX=float32", None, "", "float32 float32", marks=pytest.mark.slow),
        pytest.param(None, "[global]\nfloatX = float64\n", "", "float64 float64", marks=pytest.mark.slow),
        pytest.param(None, "[global]\nfloatX = float32\n", "", "float32 float32", marks=pytest.mark.slow),
        pytest.param(None, "[global]\non_unused_input = ignore\n", "", "float32 float64", marks=pytest.mark.slow),
        pytest.param(None, None, "engine.theano.config.floatX = 'float64'", "float64 float64", marks=pytest.mark.slow),
        pytest.param(None, None, "engine.theano.config.floatX = 'float32'", "float32 float32", marks=pytest.mark.slow),
    ],
)
def test_networks_have_single_precision_unless_the_user_sets_floatx(tmp_path, flags, settings, code, expected):
    variable, files = {"pytensor": ("PYTENSOR_FLAGS", "PYTENSORRC"), "theano": ("THEANO_FLAGS", "THEANORC")}[ENGINE]
    environment = {}
    if flags is not None:
        environment[variable] = flags
    if settings is not None:
        (tmp_path / "rc").write_text(settings)
        environment[files] = str(tmp_path / "rc")
    code = (
        f"import theano_rnn; from theano_rnn import engine; {code}\n"
        "print(theano_rnn.RNN(5, 3).dtype, engine.theano.config.floatX)"
    )
    assert " ".join(python(code, tmp_path, **environment)) == expected


@pytest.mark.xla
@pytest.mark.parametrize("setting", [pytest.param("float32", marks=pytest.mark.slow), "float64"])
def test_a_floatx_set_before_the_package_is_imported_counts(tmp_path, setting):
    code = (
        f"import pytensor; pytensor.config.floatX = {setting!r}; import theano_rnn\n"
        "print(theano_rnn.RNN(5, 3).dtype, theano_rnn.RNN(5, 3, dtype='float32').dtype, pytensor.config.floatX)"
    )
    assert python(code, tmp_path) == [setting, "float32", setting]


def test_the_public_names_are_listed_and_others_are_rejected():
    assert set(theano_rnn.__all__) <= set(dir(theano_rnn))
    for name in theano_rnn.__all__:
        assert getattr(theano_rnn, name) is not None
    with pytest.raises(AttributeError, match=r"^module 'theano_rnn' has no attribute 'GRU'$"):
        theano_rnn.GRU  # noqa: B018


def test_waiting_for_shared_arrays_ends_when_their_updates_are_computed():
    state = shared_array(np.zeros((300, 300), np.float32), "state")
    wait_for([state])  # nothing has been computed yet

    def build():
        new = state
        for _ in range(30):
            new = T.tanh(new.dot(state) + 1)
        return [], [], [(state, new)]

    update = compile_function(build, "float32")
    update()
    wait_for([state])
    stored = state.container.storage
    raw = getattr(stored, "raw", None)  # with Theano, values are ready
    assert raw is None or raw.array.is_ready()
    assert np.isfinite(state.get_value()).all()
