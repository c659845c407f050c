"""Calls of compiled functions: interrupts, and functions that are split over devices."""

import contextlib
import signal
import threading

import numpy as np
import pytest
from support.fresh_python import python

jax = pytest.importorskip("jax", reason="PyTensor and JAX are not installed")

from theano_rnn.engines import engine  # noqa: E402
from theano_rnn.engines.engine import compile_function, shared_array  # noqa: E402

if engine.engine_name() != "pytensor":
    pytest.skip("the engine is not PyTensor", allow_module_level=True)

from theano_rnn.devices import jitted_function  # noqa: E402
from theano_rnn.devices.jax_devices import DEVICE_AXIS, mesh_of  # noqa: E402
from theano_rnn.devices.jitted_function import bytes_of_sums, split_over  # noqa: E402


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


# Functions that are split over devices

IN_THREADS = """
import threading
import numpy as np
from theano_rnn.engines.engine import select_device
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.minibatches import Batch

select_device("cpu", 2)
x = np.random.default_rng(1).integers(0, 65, (20, 10)).astype(np.int32)
batch = Batch(x, x, x >= 0, np.arange(10))

def train(name, losses):
    optimizer = Optimizer(RNN(65, 32, cell="lstm", bptt_truncate=None, seed=1), "adam", 1.0, devices=2)
    losses[name] = float([optimizer.step(batch, 0.001)[0] for _ in range(300)][-1])

together, alone = {}, {}
threads = [threading.Thread(target=train, args=(name, together)) for name in "abc"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
train("a", alone)
print(*(loss == alone["a"] for loss in together.values()))
"""


@pytest.mark.slow
def test_threads_may_train_networks_on_several_devices_at_the_same_time(tmp_path):
    # Devices that wait for each other forever end the process within a minute.
    flags = "--xla_cpu_collective_call_terminate_timeout_seconds=60"
    environment = {"THEANO_RNN_CACHE": "off", "JAX_NUM_CPU_DEVICES": "2"}
    assert python(IN_THREADS, tmp_path, XLA_FLAGS=flags, **environment) == ["True"] * 3


class SlowOutput:
    """An output that is computed when somebody waits for it, as `jax.block_until_ready` does."""

    def __init__(self, in_progress):
        self.in_progress = in_progress
        in_progress.append(self)

    def block_until_ready(self):
        if self in self.in_progress:
            del self.in_progress[: self.in_progress.index(self) + 1]
        return self


class CountedFunction:
    """A function whose outputs are computed late."""

    def __init__(self, in_progress):
        self.updates = {0: 0}
        self.in_progress = in_progress

    def call_on_devices(self, inputs):
        return [SlowOutput(self.in_progress)]


def test_few_calls_of_a_split_function_are_in_progress_at_once_and_none_of_another_function():
    in_progress, seen = [], []
    calls = jitted_function.SplitCalls()
    one, other = CountedFunction(in_progress), CountedFunction(in_progress)
    for function in [one] * 40 + [other] * 2 + [one]:
        calls.call(function, [])
        seen.append(len(in_progress))
    most = jitted_function.MOST_CALLS_IN_PROGRESS
    assert most < 32
    assert seen == [*range(1, most), *[most] * (41 - most), 1, 2, 1]


def test_bytes_of_sums_are_counted_at_each_turn_of_a_loop_and_nothing_else_is():
    def turn(total, _):
        return jax.lax.psum(total, DEVICE_AXIS), None

    def sums(x):
        once, _ = jax.lax.psum((x, x[:1]), DEVICE_AXIS)
        return (jax.lax.scan(turn, once + x.sum(), None, length=3)[0],)

    split = split_over(mesh_of(1), sums, [None], [None])
    assert bytes_of_sums(jax.make_jaxpr(split)(np.ones(4, np.float32)).jaxpr) == 4 * (4 + 1 + 3 * 4)
    assert bytes_of_sums(jax.make_jaxpr(jax.numpy.sum)(np.ones(4, np.float32)).jaxpr) == 0
