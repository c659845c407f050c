"""Compiling, precision, devices and caches; and what importing the package does and does not do."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest

import theano_rnn
from theano_rnn import RNN, OptionError, engine, machine_code
from theano_rnn.engine import (
    DEVICES,
    T,
    as_numpy,
    compile_function,
    compiled_shapes,
    float_type,
    shared_array,
    theano,
    xla_program,
)

ROOT = Path(__file__).resolve().parents[1]


# Compiled functions


def test_models_of_both_precisions_live_in_one_process_and_leave_jaxs_setting_alone():
    single, x = RNN(12, 5, seed=1), [3, 1, 4, 1]
    with theano.config.change_flags(floatX="float64"):
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
    assert compiled_shapes(single._hidden_states) == 2 and compiled_shapes(double._hidden_states) == 1


@pytest.mark.parametrize("dtype, shown", [("float32", "f32[3]"), ("float64", "f64[3]")])
def test_the_program_of_a_function_is_told_for_shapes_in_its_own_precision(dtype, shown):
    shared = shared_array(np.ones(3, dtype), "shared")

    def build():
        x = T.vector("x")
        return [x], T.exp(x) * shared, None

    program = xla_program(compile_function(build, dtype), [np.zeros(3, dtype)])
    assert "exponential" in program and program.startswith("HloModule")
    assert f"({shown}" in program.splitlines()[0] and "[4]" not in program.splitlines()[0]


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
    assert array.type.shape == ((3, 2) if transposed else (2, 3))

    def build():
        row = T.vector("row", dtype="float64")
        return [row], array.matrix.sum(axis=1), [array.update(array.matrix + row)]

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


def test_a_shared_array_is_brought_to_the_device_once_not_at_each_call(monkeypatch):
    array = shared_array(np.ones((2, 3)), "array")
    function = compile_function(lambda: ([], array.matrix.sum(), None), "float64")
    brought = []
    bring = engine.bring_to_device
    monkeypatch.setattr(engine, "bring_to_device", lambda storages: (brought.append(len(storages)), bring(storages)))
    assert [float(function()) for _ in range(3)] == [6.0] * 3
    array.set_value(np.zeros((2, 3)))
    assert [float(function()) for _ in range(2)] == [0.0] * 2
    assert brought == [1, 1]


def test_as_numpy_is_the_callers_own_array():
    shared = theano.shared(np.zeros(3))
    value = as_numpy(shared.get_value(borrow=True))
    value[:] = 1
    assert not shared.get_value().any()
    assert as_numpy(jax.numpy.zeros(2)).flags.writeable


def test_float_type_is_theanos_setting(float64):
    assert float_type() == "float64"
    with theano.config.change_flags(floatX="float32"):
        assert float_type() == "float32"


# Devices


@pytest.fixture
def jax_device():
    before = jax.config.jax_default_device
    yield
    jax.config.update("jax_default_device", before)


@pytest.mark.parametrize("name", ["tpu", "", "CPU", None, 0])
def test_an_unknown_device_is_refused_and_the_known_ones_are_named(name):
    with pytest.raises(OptionError, match=rf"^device: expected one of auto, cpu, gpu, got {name!r}$"):
        engine.select_device(name)
    assert DEVICES == ("auto", "cpu", "gpu")


def test_a_gpu_that_jax_does_not_find_is_told_with_the_remedy(monkeypatch, jax_device):
    def devices(name):
        raise RuntimeError(f"Unknown backend {name}")

    before = jax.config.jax_default_device
    monkeypatch.setattr(jax, "devices", devices)
    with pytest.raises(OptionError, match=r"^device: JAX finds no gpu on this machine; install .* or choose cpu$"):
        engine.select_device("gpu")
    assert jax.config.jax_default_device == before


def test_the_cpu_can_be_chosen_and_auto_leaves_the_choice_to_jax(jax_device):
    before = jax.config.jax_default_device
    engine.select_device("auto")
    assert jax.config.jax_default_device == before
    engine.select_device("cpu")
    assert jax.config.jax_default_device.platform == "cpu"


# Caches and preparation


@pytest.fixture
def unprepared():
    """As in a process that has compiled nothing yet."""
    engine.prepare.cache_clear()
    yield
    engine.prepare.cache_clear()


@pytest.fixture
def jax_settings(monkeypatch):
    """What is set in JAX's configuration, in place of the real one; no cache folder is set at the start."""
    settings = {}
    config = SimpleNamespace(jax_compilation_cache_dir=None, update=settings.__setitem__)
    monkeypatch.setattr(engine, "jax", SimpleNamespace(config=config))
    return settings


def test_preparing_twice_does_it_once_and_a_switch_leaves_each_part_out(monkeypatch, unprepared):
    done = []
    monkeypatch.setattr(engine, "keep_freed_memory", lambda: done.append("memory"))
    monkeypatch.setattr(engine, "keep_machine_code", lambda: done.append("code"))
    monkeypatch.delenv("THEANO_RNN_CACHE", raising=False)
    monkeypatch.delenv("THEANO_RNN_MALLOC", raising=False)
    engine.prepare()
    engine.prepare()
    assert done == ["memory", "code"]
    for switch, rest in (("THEANO_RNN_CACHE", ["memory"]), ("THEANO_RNN_MALLOC", [])):
        monkeypatch.setenv(switch, "off")
        done.clear()
        engine.prepare.cache_clear()
        engine.prepare()
        assert done == rest


def test_machine_code_is_kept_in_the_users_cache_by_processor(monkeypatch, jax_settings, tmp_path):
    monkeypatch.delenv("THEANO_RNN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    engine.keep_machine_code()
    folder = tmp_path / "theano_rnn" / machine_code.processor_key()
    assert folder.is_dir()
    assert jax_settings["jax_compilation_cache_dir"] == str(folder)
    assert jax_settings["jax_persistent_cache_min_compile_time_secs"] == 0


def test_machine_code_is_kept_in_the_folder_that_the_user_names(monkeypatch, jax_settings, tmp_path):
    monkeypatch.setenv("THEANO_RNN_CACHE", str(tmp_path / "mine"))
    engine.keep_machine_code()
    assert jax_settings["jax_compilation_cache_dir"] == str(tmp_path / "mine")


def test_a_cache_that_the_user_has_set_up_in_jax_stays(monkeypatch, jax_settings, tmp_path):
    monkeypatch.setenv("THEANO_RNN_CACHE", str(tmp_path / "mine"))
    engine.jax.config.jax_compilation_cache_dir = "theirs"
    engine.keep_machine_code()
    assert jax_settings == {} and not (tmp_path / "mine").exists()


def test_a_cache_folder_that_cannot_be_made_is_done_without(monkeypatch, jax_settings, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("THEANO_RNN_CACHE", str(tmp_path / "file" / "cache"))
    with caplog.at_level("INFO", logger="theano_rnn.machine_code"):
        engine.keep_machine_code()
    assert jax_settings == {}
    assert "compiled functions are not kept between runs" in caplog.text


def test_a_cache_folder_that_cannot_be_written_is_done_without(monkeypatch, jax_settings, tmp_path, caplog):
    monkeypatch.setenv("THEANO_RNN_CACHE", str(tmp_path))
    monkeypatch.setattr(machine_code.os, "access", lambda path, mode: False)
    with caplog.at_level("INFO", logger="theano_rnn.machine_code"):
        engine.keep_machine_code()
    assert jax_settings == {}
    assert f"{tmp_path} is not writable" in caplog.text


def test_a_cpu_has_no_name_and_another_device_its_own(monkeypatch):
    assert engine.device_name() is None
    gpu = SimpleNamespace(platform="gpu", device_kind="Graphics 9000")
    monkeypatch.setattr(engine, "current_device", lambda: gpu)
    assert engine.device_name() == "Graphics 9000"


def test_versions_are_those_of_the_modules():
    assert theano.__version__ in engine.versions() and jax.__version__ in engine.versions()


def test_products_on_another_device_than_a_cpu_are_asked_for_in_full_precision(monkeypatch):
    with engine.exact_products():
        assert jax.config.jax_default_matmul_precision is None
    monkeypatch.setattr(engine, "current_device", lambda: SimpleNamespace(platform="gpu"))
    with engine.exact_products():
        assert jax.config.jax_default_matmul_precision == "highest"


def gpus():
    try:
        return jax.devices("gpu")
    except RuntimeError:
        return []


@pytest.mark.skipif(not gpus(), reason="JAX finds no GPU here")
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_a_step_on_a_gpu_is_that_on_the_cpu(jax_device, dtype, tolerance):
    values = {}
    for device in ("cpu", "gpu"):
        engine.select_device(device)
        with theano.config.change_flags(floatX=dtype):
            rnn = RNN(600, 20, bptt_truncate=None, seed=1)
        losses = [rnn.sgd_step([5, 9, 5, 599], [9, 5, 599, 0], 0.1) for _ in range(3)]
        values[device] = [*rnn.get_values().values(), np.array(losses)]
    for on_cpu, on_gpu in zip(values["cpu"], values["gpu"], strict=True):
        np.testing.assert_allclose(on_gpu, on_cpu, atol=tolerance, rtol=tolerance)


def test_an_interrupt_during_an_update_waits_until_the_new_values_are_stored(monkeypatch):
    array = shared_array(np.zeros((2, 3)), "array")
    function = compile_function(lambda: ([], array.matrix.sum(), [array.update(array.matrix + 1)]), "float64")
    function()
    held = engine.interrupts_held

    @contextlib.contextmanager
    def interrupted():
        with held():
            signal.raise_signal(signal.SIGINT)
            yield

    monkeypatch.setattr(engine, "interrupts_held", interrupted)
    with pytest.raises(KeyboardInterrupt):
        function()
    np.testing.assert_array_equal(array.get_value(), np.full((2, 3), 2.0))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupts_are_left_alone_in_other_threads_and_where_they_are_ignored():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def in_thread():
        with engine.interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    assert seen == [before]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with engine.interrupts_held():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


# Importing the package


def python(code, tmp_path, **environment):
    """Standard output of a Python process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTENSOR", "THEANO_RNN"))}
    environment = {"PYTENSORRC": str(tmp_path / "none"), "PYTHONPATH": str(ROOT), **environment}
    run = subprocess.run(
        [sys.executable, "-c", code], env={**inherited, **environment}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_importing_the_package_loads_no_theano_and_makes_single_precision_the_default(tmp_path):
    code = (
        "import sys, theano_rnn; print(*[m for m in ('pytensor', 'jax', 'numpy', 'nltk') if m in sys.modules]);"
        "import pytensor; print(pytensor.config.floatX)"
    )
    assert python(code, tmp_path) == ["float32"]


def test_the_users_flags_win_and_a_cache_switched_off_stays_off(tmp_path):
    code = (
        "import theano_rnn, jax; rnn = theano_rnn.RNN(5, 3); rnn.predict([1]);"
        "print(rnn.dtype, jax.config.jax_compilation_cache_dir)"
    )
    environment = {"PYTENSOR_FLAGS": "floatX=float64", "THEANO_RNN_CACHE": "off", "XDG_CACHE_HOME": str(tmp_path)}
    assert python(code, tmp_path, **environment) == ["float64", "None"]
    assert not list(tmp_path.iterdir())


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
    monkeypatch, tmp_path, flags, settings, expected
):
    monkeypatch.delitem(sys.modules, "pytensor", raising=False)
    monkeypatch.delenv("PYTENSOR_FLAGS", raising=False)
    monkeypatch.setenv("PYTENSORRC", str(tmp_path / "rc"))
    if flags is not None:
        monkeypatch.setenv("PYTENSOR_FLAGS", flags)
    if settings is not None:
        (tmp_path / "rc").write_text(settings)
    theano_rnn._default_to_single_precision()
    found = os.environ.get("PYTENSOR_FLAGS")
    # Undone by hand: monkeypatch does not know of a variable that it did not set.
    os.environ.pop("PYTENSOR_FLAGS", None)
    assert found == expected


def test_a_pytensor_that_is_imported_already_keeps_its_setting(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytensor", theano)
    monkeypatch.setenv("PYTENSOR_FLAGS", "")
    theano_rnn._default_to_single_precision()
    assert os.environ["PYTENSOR_FLAGS"] == ""


def test_the_packages_names_are_listed_and_others_are_refused():
    assert set(theano_rnn.__all__) <= set(dir(theano_rnn))
    for name in theano_rnn.__all__:
        assert getattr(theano_rnn, name) is not None
    with pytest.raises(AttributeError, match=r"^module 'theano_rnn' has no attribute 'GRU'$"):
        theano_rnn.GRU  # noqa: B018
