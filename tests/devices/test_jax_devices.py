"""The choice of devices: CPU or GPU, and how many."""

from types import SimpleNamespace

import numpy as np
import pytest

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


def gpus():
    try:
        return jax.devices("gpu")
    except RuntimeError:
        return []


@pytest.mark.skipif(not gpus(), reason="JAX finds no GPU here")
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
