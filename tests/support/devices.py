"""The devices that tests run on: the CPU everywhere, and a GPU where there is one."""

import contextlib
import functools

import pytest

EVERY_DEVICE = ("cpu", pytest.param("gpu", marks=pytest.mark.gpu))


@functools.cache
def gpu_count():
    """The number of GPUs that JAX finds; 0 with the original Theano."""
    from theano_rnn.engines.engine import engine_name

    if engine_name() != "pytensor":
        return 0
    import jax

    try:
        return len(jax.devices("gpu"))
    except RuntimeError:
        return 0


@contextlib.contextmanager
def on_device(name):
    """Run functions on a device until the end of the block."""
    import jax

    from theano_rnn.engines.engine import select_device

    before = jax.config.jax_default_device
    select_device(name)
    try:
        assert jax.config.jax_default_device.platform == name
        yield
    finally:
        jax.config.update("jax_default_device", before)
