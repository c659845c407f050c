"""The choice of devices: CPU or GPU, and how many."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
from support.fresh_python import python

jax = pytest.importorskip("jax", reason="PyTensor and JAX are not installed")

from theano_rnn import RNN, OptionError  # noqa: E402
from theano_rnn.engines import engine  # noqa: E402
from theano_rnn.engines.engine import precision  # noqa: E402

if engine.engine_name() != "pytensor":
    pytest.skip("the engine is not PyTensor", allow_module_level=True)

from theano_rnn.devices import jax_devices  # noqa: E402


@pytest.fixture
def jax_device():
    before = jax.config.jax_default_device
    yield
    jax.config.update("jax_default_device", before)


def test_a_missing_gpu_is_reported_with_the_remedy(monkeypatch, jax_device):
    def devices(backend):
        raise RuntimeError(f"Unknown backend {backend}")

    before = jax.config.jax_default_device
    monkeypatch.setattr(jax, "local_devices", devices)
    with pytest.raises(OptionError, match=r"^device: JAX finds no gpu on this machine; install .* or choose cpu$"):
        engine.select_device("gpu")
    assert jax.config.jax_default_device == before


def test_why_jax_finds_no_gpu_is_part_of_the_message_and_not_a_traceback(monkeypatch, jax_device, caplog):
    logger = logging.getLogger(jax_devices.JAX_LOGGER)

    def devices(backend):
        try:
            raise RuntimeError("Unable to load CUDA.\nIs it installed?")
        except RuntimeError:
            logger.exception("plugin configuration error")
        raise RuntimeError(f"Unknown backend {backend}")

    monkeypatch.setattr(jax, "local_devices", devices)
    message = (
        r"^device: JAX finds no gpu on this machine \(Unable to load CUDA. Is it installed\?\); install .* or choose"
    )
    with pytest.raises(OptionError, match=message):
        engine.select_device("gpu")
    assert not caplog.records


def test_what_jax_says_about_devices_that_it_finds_is_logged(monkeypatch, jax_device, caplog):
    logger, cpu = logging.getLogger(jax_devices.JAX_LOGGER), jax.devices("cpu")

    def devices(backend):
        logger.warning("an old driver")
        return cpu

    monkeypatch.setattr(jax, "local_devices", devices)
    engine.select_device("cpu")
    assert [record.getMessage() for record in caplog.records] == ["an old driver"]


def test_the_cpu_can_be_chosen_and_auto_leaves_the_choice_to_jax(jax_device):
    before = jax.config.jax_default_device
    engine.select_device("auto")
    assert jax.config.jax_default_device == before
    engine.select_device("cpu")
    assert jax.config.jax_default_device.platform == "cpu"


def test_a_cpu_has_no_name_and_other_devices_have_their_own(monkeypatch):
    monkeypatch.setattr(jax_devices, "current_device", lambda: SimpleNamespace(platform="cpu"))
    assert jax_devices.device_name() is None
    gpu = SimpleNamespace(platform="gpu", device_kind="Graphics 9000")
    monkeypatch.setattr(jax_devices, "current_device", lambda: gpu)
    assert jax_devices.device_name() == "Graphics 9000"


def test_products_on_a_gpu_have_full_precision(monkeypatch):
    monkeypatch.setattr(jax_devices, "current_device", lambda: SimpleNamespace(platform="cpu"))
    with jax_devices.exact_products():
        assert jax.config.jax_default_matmul_precision is None
    monkeypatch.setattr(jax_devices, "current_device", lambda: SimpleNamespace(platform="gpu"))
    with jax_devices.exact_products():
        assert jax.config.jax_default_matmul_precision == "highest"


@pytest.mark.gpu
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_a_step_on_a_gpu_equals_one_on_the_cpu(jax_device, dtype, tolerance):
    values = {}
    for device in ("cpu", "gpu"):
        engine.select_device(device)
        with precision(dtype):
            rnn = RNN(600, 20, bptt_truncate=None, seed=1)
        losses = [rnn.sgd_step([5, 9, 5, 599], [9, 5, 599, 0], 0.1) for _ in range(3)]
        values[device] = [*rnn.get_values().values(), np.array(losses)]
    for on_cpu, on_gpu in zip(values["cpu"], values["gpu"], strict=True):
        np.testing.assert_allclose(on_gpu, on_cpu, atol=tolerance, rtol=tolerance)


# Several devices

SELECT = """
from theano_rnn import OptionError
from theano_rnn.devices import jax_devices
from theano_rnn.engines import engine
jax_devices.available_cores = lambda: {cores}
jax_devices.load_average = lambda: {load}
import jax
{before}
try:
    print({call}, "|", len(jax.devices()))
except OptionError as error:
    print(error)
"""


def selected(tmp_path, call, cores=4, load=0.0, before="", **environment):
    inherited = {"XLA_FLAGS": "", "JAX_NUM_CPU_DEVICES": "-1", **environment}
    return " ".join(python(SELECT.format(cores=cores, load=load, before=before, call=call), tmp_path, **inherited))


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_cores_become_devices_before_jax_starts(name, tmp_path):
    assert selected(tmp_path, f"engine.select_device({name!r}, 3)") == "None | 3"


def test_one_device_leaves_jax_as_it_is(tmp_path):
    assert selected(tmp_path, "engine.select_device('auto', 1)") == "None | 1"


def test_more_devices_than_cores_are_refused_unless_jax_has_been_told_of_more(tmp_path):
    call = "engine.select_device('auto', 5)"
    assert selected(tmp_path, call) == "devices: expected at most 4, the number of CPU cores of this machine, got 5"
    assert selected(tmp_path, call, JAX_NUM_CPU_DEVICES="6") == "None | 6"
    assert selected(tmp_path, call, XLA_FLAGS="--xla_force_host_platform_device_count=5") == "None | 5"


def test_more_devices_than_jax_has_started_with_are_refused_with_the_remedy(tmp_path):
    assert selected(tmp_path, "engine.select_device('auto', 2)", before="jax.devices()") == (
        "devices: JAX has already started in this process, with 1 of the 2 devices; choose them before anything is "
        "computed, or set the environment variable JAX_NUM_CPU_DEVICES=2 before Python starts"
    )


def test_more_gpus_than_there_are_are_refused(monkeypatch):
    gpu = SimpleNamespace(platform="gpu")
    monkeypatch.setattr(jax_devices, "current_device", lambda: gpu)
    monkeypatch.setattr(jax, "local_devices", lambda backend: [gpu, gpu])
    jax_devices.check_count(2)
    with pytest.raises(OptionError, match="^devices: expected at most 2, the number of GPUs of this machine, got 3$"):
        jax_devices.check_count(3)


@pytest.mark.parametrize(("load", "before", "expected"), [(1.8, "", "2 | 2"), (0, "jax.devices()", "1 | 1")])
def test_idle_cores_that_jax_can_use_are_useful(load, before, expected, tmp_path):
    assert selected(tmp_path, "engine.useful_devices('auto')", load=load, before=before) == expected


@pytest.mark.parametrize(("name", "load"), [("auto", 3.1), ("cpu", 9.0), ("gpu", 0.0)])
def test_of_busy_cores_and_of_gpus_one_is_useful(name, load, monkeypatch):
    monkeypatch.setattr(jax_devices, "available_cores", lambda: 4)
    monkeypatch.setattr(jax_devices, "load_average", lambda: load)
    assert jax_devices.useful_devices(name) == 1


def test_a_system_that_does_not_tell_its_load_counts_as_idle(monkeypatch):
    monkeypatch.delattr(jax_devices.os, "getloadavg", raising=False)
    assert jax_devices.load_average() == 0
    monkeypatch.delattr(jax_devices.os, "sched_getaffinity", raising=False)
    assert jax_devices.available_cores() >= 1
