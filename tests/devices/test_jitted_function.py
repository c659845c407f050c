"""Calls of compiled functions: interrupts, and functions that are split over devices."""

import contextlib
import signal
import threading

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="PyTensor and JAX are not installed")

from theano_rnn.engines import engine  # noqa: E402
from theano_rnn.engines.engine import compile_function, shared_array  # noqa: E402

if engine.engine_name() != "pytensor":
    pytest.skip("the engine is not PyTensor", allow_module_level=True)

from theano_rnn.devices import jitted_function  # noqa: E402


def test_an_interrupt_during_an_update_is_delayed_until_the_new_values_are_stored(monkeypatch):
    array = shared_array(np.zeros((2, 3)), "array")
    function = compile_function(lambda: ([], array.sum(), [(array, array + 1)]), "float64")
    function()
    held = jitted_function.interrupts_held

    @contextlib.contextmanager
    def interrupted():
        with held():
            signal.raise_signal(signal.SIGINT)
            yield

    monkeypatch.setattr(jitted_function, "interrupts_held", interrupted)
    with pytest.raises(KeyboardInterrupt):
        function()
    np.testing.assert_array_equal(array.get_value(), np.full((2, 3), 2.0))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupts_are_not_delayed_in_other_threads_or_if_they_are_ignored():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def in_thread():
        with jitted_function.interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    assert seen == [before]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with jitted_function.interrupts_held():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
