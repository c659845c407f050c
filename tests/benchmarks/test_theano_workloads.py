"""The original Theano's side of the benchmark: the tutorial's own graph computes what theano_rnn does."""

import io
import json

import numpy as np
import pytest

from theano_rnn import RNN
from theano_rnn.benchmarks import contender_process
from theano_rnn.benchmarks.theano_workloads import main, tutorial_parameters, tutorial_sgd_step
from theano_rnn.benchmarks.workloads import Workload
from theano_rnn.engines import engine
from theano_rnn.engines.engine import shared_array

needs_theano = pytest.mark.skipif(engine.engine_name() != "theano", reason="the engine is not the original Theano")
SENTENCE = Workload("W", "sentence", 30, 4, 6, 1, "small")
STEP = Workload("S", "step", 30, 4, 6, 3, "small")


@needs_theano
def test_the_tutorials_graph_takes_the_same_steps_as_theano_rnn() -> None:
    rnn = RNN(30, 4, bptt_truncate=-1, seed=1)
    parameters = [shared_array(value, name) for name, value in rnn.get_values().items()]
    sgd_step = tutorial_sgd_step(parameters)
    x, y = np.array([0, 7, 7, 3, 29], np.int32), np.array([7, 7, 3, 29, 1], np.int32)
    for _ in range(3):
        assert float(sgd_step(x, y, np.float32(0.1))) == pytest.approx(rnn.sgd_step(x, y, 0.1), rel=1e-5)
    for parameter, value in zip(parameters, rnn.get_values().values(), strict=True):
        np.testing.assert_allclose(parameter.get_value(), value, atol=1e-6)


def test_the_tutorials_parameters_lie_within_its_bounds() -> None:
    U, V, W = (parameter.get_value() for parameter in tutorial_parameters(50, 8))
    for value, shape, inputs in ((U, (8, 50), 50), (V, (50, 8), 8), (W, (8, 8), 8)):
        assert value.shape == shape and value.dtype == np.float32
        assert 0.8 * inputs**-0.5 < np.abs(value).max() <= inputs**-0.5


@needs_theano
def test_requests_are_answered_with_times_until_the_input_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = [
        {"workload": SENTENCE.__dict__, "variant": "tutorial", "repeats": 2},
        {"workload": SENTENCE.__dict__, "variant": "ours", "repeats": 1},
        {"workload": STEP.__dict__, "variant": "ours", "repeats": 3},
    ]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    monkeypatch.setattr(contender_process.sys, "stdin", io.StringIO(lines))
    main()
    greeting, *answers = map(json.loads, capsys.readouterr().out.splitlines())
    assert greeting == {"versions": "Theano 1.0.5"}
    assert [len(times) for times in answers] == [2, 1, 3] and all(time > 0 for times in answers for time in times)
