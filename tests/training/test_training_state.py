"""The state of a run survives saving, and impossible states are refused."""

import json
import math

import pytest

from theano_rnn.training.training_state import TrainingState

RECORD = {"epoch": 1, "perplexity": 2.5, "seconds": 3.0, "train_loss": 0.9, "valid_loss": None}
STATE = TrainingState(epoch=1, step=7, step_number=9, learning_rate=0.1, loss_sum=1.5, seconds=4.0, history=[RECORD])


def test_a_state_is_the_same_after_json():
    for state in (STATE, TrainingState()):
        assert TrainingState.from_configuration(json.loads(json.dumps(state.to_configuration()))) == state


def test_a_run_has_begun_with_its_first_step_or_evaluation():
    assert not TrainingState().has_begun
    assert (
        TrainingState(step=1).has_begun and TrainingState(epoch=1).has_begun and TrainingState(history=[{}]).has_begun
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": -1}, "epoch: expected at least 0, got -1"),
        ({"step": 1.5}, "step: expected an integer, got 1.5"),
        ({"step_number": True}, "step_number: expected an integer, got True"),
        ({"learning_rate": "0.1"}, "learning_rate: expected a number, got '0.1'"),
        ({"loss_sum": math.nan}, "loss_sum: expected a number, got nan"),
        ({"seconds": None}, "seconds: expected a number, got None"),
        ({"history": {}}, "history: expected a list of evaluations"),
        ({"history": [RECORD, 3]}, "history: expected a list of evaluations"),
        ({"history": [{**RECORD, "seconds": "3"}]}, "history: seconds: expected a number, got '3'"),
        ({"epochs": 3}, "the training state is incomplete"),
    ],
)
def test_impossible_states_are_refused(changes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TrainingState.from_configuration({**STATE.to_configuration(), **changes})


def test_an_incomplete_state_is_refused():
    for name in STATE.to_configuration():
        rest = {key: value for key, value in STATE.to_configuration().items() if key != name}
        with pytest.raises(ValueError, match="the training state is incomplete"):
            TrainingState.from_configuration(rest)
    with pytest.raises(ValueError, match="the training state is incomplete"):
        TrainingState.from_configuration([1])


def test_an_evaluation_without_its_figures_is_refused():
    with pytest.raises(KeyError):
        TrainingState.from_configuration({**STATE.to_configuration(), "history": [{}]})
