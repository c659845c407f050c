"""The original Theano: messages while it compiles, what it cannot do, and forked processes."""

import os
import time

import numpy as np
import pytest

from theano_rnn import RNN, OptionError
from theano_rnn.engines import engine
from theano_rnn.engines.engine import T, compile_function, shared_array, theano

if engine.engine_name() != "theano":
    pytest.skip("the engine is not the original Theano", allow_module_level=True)

from theano_rnn.engines import theano_engine
from theano_rnn.networks import network_graphs


@pytest.fixture
def unannounced(monkeypatch):
    theano_engine.announce.cache_clear()
    monkeypatch.setattr(theano_engine, "SILENT_SECONDS", 0.05)
    yield
    theano_engine.announce.cache_clear()


def slowly(seconds):
    def build():
        x = T.vector("x", dtype="float64")
        time.sleep(seconds)
        return [x], 2 * x, None

    return build


def test_a_long_compilation_is_announced_once(unannounced, caplog):
    for _ in range(2):
        compile_function(slowly(0.2), "float64")
    messages = [record.getMessage() for record in caplog.records if record.name == "theano_rnn.engines.theano_engine"]
    assert messages == ["compiling with Theano: up to a minute the first time, some seconds from then on"]


def test_a_short_compilation_is_not_announced(monkeypatch, unannounced, caplog):
    monkeypatch.setattr(theano_engine, "SILENT_SECONDS", 60)
    compile_function(slowly(0), "float64")
    assert not caplog.records


def test_the_version_is_1_0_5():
    assert theano.__version__ == "1.0.5" and engine.versions() == "Theano 1.0.5"
    assert engine.device_name() is None


def test_a_gpu_is_rejected():
    for name in ("auto", "cpu"):
        engine.select_device(name)
    with pytest.raises(OptionError, match="^device: the original Theano is used on CPUs only; choose cpu, or"):
        engine.select_device("gpu")


def test_several_devices_are_rejected():
    engine.select_device("cpu", 1)
    with pytest.raises(OptionError, match="^devices: the original Theano computes on one device; choose 1, or use"):
        engine.select_device("auto", 2)
    assert engine.useful_devices("auto") == 1


def test_there_is_no_xla_program():
    with pytest.raises(OptionError, match="^hlo: the original Theano does not use XLA"):
        engine.xla_program(None, [])


def test_the_graph_contains_only_theanos_operations():
    rnn = RNN(20, 4, seed=1)
    names = {
        type(node.op).__module__.partition(".")[0]
        for node in rnn._function(network_graphs.sgd_step).function.maker.fgraph.toposort()
    }
    assert names == {"theano"}


def test_functions_work_in_a_forked_process():
    array = shared_array(np.ones((2, 3)), "array")
    function = compile_function(lambda: ([], array.sum(), None), "float64")
    assert function() == 6
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(sending, str(float(function())).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(receiving, 100) == b"6.0"


def test_columns_stay_contiguous_after_updates_and_set_value():
    rnn = RNN(20, 4, seed=1)

    def columns_are_contiguous():
        return rnn.U.container.storage[0].flags.f_contiguous

    assert columns_are_contiguous()
    rnn.sgd_step([1, 2], [2, 3], 0.1)
    assert columns_are_contiguous()
    rnn.set_values(rnn.get_values())
    assert columns_are_contiguous()
