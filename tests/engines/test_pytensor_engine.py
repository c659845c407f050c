"""PyTensor through XLA: both precisions in one process, and caches."""

from types import SimpleNamespace

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="PyTensor and JAX are not installed")

from support.fresh_python import python  # noqa: E402

from theano_rnn import RNN  # noqa: E402
from theano_rnn.engines import compilation_cache, engine  # noqa: E402
from theano_rnn.engines.engine import (  # noqa: E402
    T,
    as_numpy,
    compile_function,
    compiled_shapes,
    precision,
    shared_array,
    theano,
    xla_program,
)

if engine.engine_name() != "pytensor":
    pytest.skip("the engine is not PyTensor", allow_module_level=True)

from theano_rnn.engines import pytensor_engine  # noqa: E402
from theano_rnn.networks import network_graphs  # noqa: E402


def test_models_of_both_precisions_work_in_one_process_and_do_not_change_jaxs_setting():
    single, x = RNN(12, 5, seed=1), [3, 1, 4, 1]
    with precision("float64"):
        double = RNN(12, 5, seed=1)
    values = double.get_values()
    s, states = np.zeros(5), []
    for word in x:
        s = np.tanh(values["U"][:, word] + values["W"].dot(s))
        states.append(s)
    before = jax.config.jax_enable_x64
    for _ in range(2):
        found = single.hidden_states(x)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, states, atol=1e-6)
        found = double.hidden_states(x)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, states, atol=1e-14)
        assert jax.config.jax_enable_x64 == before
    single.hidden_states([0] * 9)  # a new shape, traced after the other precision was used
    assert (
        compiled_shapes(single._function(network_graphs.states)) == 2
        and compiled_shapes(double._function(network_graphs.states)) == 1
    )


@pytest.mark.parametrize("dtype, shown", [("float32", "f32[3]"), ("float64", "f64[3]")])
def test_the_program_of_a_function_has_its_shapes_and_its_precision(dtype, shown):
    shared = shared_array(np.ones(3, dtype), "shared")

    def build():
        x = T.vector("x")
        return [x], T.exp(x) * shared, None

    program = xla_program(compile_function(build, dtype), [np.zeros(3, dtype)])
    assert "exponential" in program and program.startswith("HloModule")
    assert f"({shown}" in program.splitlines()[0] and "[4]" not in program.splitlines()[0]


def test_a_shared_array_is_moved_to_the_device_once(monkeypatch):
    array = shared_array(np.ones((2, 3)), "array")
    function = compile_function(lambda: ([], array.sum(), None), "float64")
    moved = []
    put = jax.device_put
    monkeypatch.setattr(jax, "device_put", lambda *place, **more: (moved.append(1), put(*place, **more))[1])
    assert [float(function()) for _ in range(3)] == [6.0] * 3
    array.set_value(np.zeros((2, 3)))
    assert [float(function()) for _ in range(2)] == [0.0] * 2
    assert moved == [1, 1]


@pytest.fixture
def unprepared():
    """Makes the process look as if it had compiled nothing yet."""
    pytensor_engine.prepare.cache_clear()
    yield
    pytensor_engine.prepare.cache_clear()


@pytest.fixture
def jax_settings(monkeypatch):
    """Records settings instead of changing JAX's configuration. No cache folder is set at the start."""
    settings = {}
    config = SimpleNamespace(jax_compilation_cache_dir=None, update=settings.__setitem__)
    monkeypatch.setattr(pytensor_engine, "jax", SimpleNamespace(config=config))
    return settings


def test_preparation_runs_once_and_can_be_switched_off(monkeypatch, unprepared):
    done = []
    monkeypatch.setattr(pytensor_engine, "keep_machine_code", lambda: done.append("code"))
    monkeypatch.delenv("THEANO_RNN_CACHE", raising=False)
    pytensor_engine.prepare()
    pytensor_engine.prepare()
    assert done == ["code"]
    monkeypatch.setenv("THEANO_RNN_CACHE", "off")
    pytensor_engine.prepare.cache_clear()
    pytensor_engine.prepare()
    assert done == ["code"]


def test_machine_code_is_kept_in_the_users_cache_by_processor(monkeypatch, jax_settings, tmp_path):
    monkeypatch.delenv("THEANO_RNN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pytensor_engine.keep_machine_code()
    folder = tmp_path / "theano_rnn" / compilation_cache.processor_key()
    assert folder.is_dir()
    assert jax_settings["jax_compilation_cache_dir"] == str(folder)
    assert jax_settings["jax_persistent_cache_min_compile_time_secs"] == 0


def test_machine_code_is_kept_in_the_folder_named_by_the_user(monkeypatch, jax_settings, tmp_path):
    monkeypatch.setenv("THEANO_RNN_CACHE", str(tmp_path / "mine"))
    pytensor_engine.keep_machine_code()
    assert jax_settings["jax_compilation_cache_dir"] == str(tmp_path / "mine")


def test_a_cache_that_the_user_has_set_up_in_jax_is_kept(monkeypatch, jax_settings, tmp_path):
    monkeypatch.setenv("THEANO_RNN_CACHE", str(tmp_path / "mine"))
    pytensor_engine.jax.config.jax_compilation_cache_dir = "theirs"
    pytensor_engine.keep_machine_code()
    assert jax_settings == {} and not (tmp_path / "mine").exists()


def test_a_cache_folder_that_cannot_be_created_is_not_used(monkeypatch, jax_settings, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("THEANO_RNN_CACHE", str(tmp_path / "file" / "cache"))
    with caplog.at_level("INFO", logger="theano_rnn.engines.compilation_cache"):
        pytensor_engine.keep_machine_code()
    assert jax_settings == {}
    assert "compiled functions are not kept between runs" in caplog.text


def test_a_cache_folder_that_is_not_writable_is_not_used(monkeypatch, jax_settings, tmp_path, caplog):
    monkeypatch.setenv("THEANO_RNN_CACHE", str(tmp_path))
    monkeypatch.setattr(compilation_cache.os, "access", lambda path, mode: False)
    with caplog.at_level("INFO", logger="theano_rnn.engines.compilation_cache"):
        pytensor_engine.keep_machine_code()
    assert jax_settings == {}
    assert f"{tmp_path} is not writable" in caplog.text


def test_versions_names_the_versions_of_pytensor_and_jax():
    assert theano.__version__ in engine.versions() and jax.__version__ in engine.versions()


def test_as_numpy_of_a_jax_array_is_writable():
    assert as_numpy(jax.numpy.zeros(2)).flags.writeable


def test_the_cache_can_be_switched_off(tmp_path):
    code = (
        "import theano_rnn, jax; rnn = theano_rnn.RNN(5, 3); rnn.predict([1]);"
        "print(rnn.dtype, jax.config.jax_compilation_cache_dir)"
    )
    environment = {"PYTENSOR_FLAGS": "floatX=float64", "THEANO_RNN_CACHE": "off", "XDG_CACHE_HOME": str(tmp_path)}
    assert python(code, tmp_path, **environment) == ["float64", "None"]
    assert not list(tmp_path.iterdir())


def test_compiling_leaves_no_files_in_the_folder_for_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rnn = RNN(8, 3, cell="gru", layers=2, bptt_truncate=None, seed=1)
    assert len(rnn.bptt([0, 1, 2], [1, 2, 3])) == len(rnn.parameter_names)
    assert list(tmp_path.iterdir()) == []


def test_pytensor_knows_the_rewrites_that_are_left_out():
    from pytensor.compile.mode import optdb

    [canonicalize] = optdb.__db__["canonicalize"]
    assert set(pytensor_engine.FRUITLESS) <= set(canonicalize.__db__)
