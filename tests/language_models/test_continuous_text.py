"""The loss of a continuous text equals that of a single stream, regardless of how it is divided."""

import numpy as np
import pytest

from theano_rnn.engines.engine import precision
from theano_rnn.language_models import continuous_text
from theano_rnn.language_models.continuous_text import continuous_cross_entropy
from theano_rnn.networks.rnn import RNN

WORD_DIM = 6


@pytest.fixture(scope="module", params=[0.5, 3.0, 40.0], ids=["forgets", "usual", "never forgets"])
def rnn(request):
    """A network in float64. With large weights, states from different beginnings never become equal."""
    with precision("float64"):
        rnn = RNN(WORD_DIM, 5, seed=3)
    values = rnn.get_values()
    rnn.set_values({**{name: 3 * value for name, value in values.items()}, "W": request.param * values["W"]})
    return rnn


@pytest.fixture(autouse=True)
def short_streams(monkeypatch):
    monkeypatch.setattr(continuous_text, "SHORTEST_STREAM", 20)
    monkeypatch.setattr(continuous_text, "LONGEST_STREAM", 100)


def random_ids(length):
    return np.random.default_rng(length).integers(0, WORD_DIM, length).astype(np.int32)


def by_hand(rnn, ids, state=None):
    """Summed cross-entropy by the tutorial's formulas in NumPy."""
    values = rnn.get_values()
    state, total = np.zeros(rnn.hidden_dim) if state is None else state, 0.0
    for x_t, y_t in zip(ids[:-1], ids[1:], strict=True):
        state = np.tanh(values["U"][:, x_t] + values["W"] @ state)
        z = values["V"] @ state
        total -= z[y_t] - np.log(np.exp(z).sum())
    return total


@pytest.mark.parametrize("streams, sequence_length", [(1, 7), (3, 7), (10, 5), (50, 8)])
@pytest.mark.parametrize("length", [2, 3, 30, 41, 199, 700])
def test_the_loss_equals_that_of_a_single_stream(rnn, length, streams, sequence_length):
    ids = random_ids(length)
    total, tokens = continuous_cross_entropy(rnn, ids, streams, sequence_length)
    assert tokens == length - 1
    assert total == pytest.approx(by_hand(rnn, ids), rel=1e-9)


def test_an_initial_state_can_be_given(rnn):
    ids, state = random_ids(300), np.linspace(-1, 1, rnn.hidden_dim)
    total, _ = continuous_cross_entropy(rnn, ids, 4, 7, state)
    assert total == pytest.approx(by_hand(rnn, ids, state), rel=1e-9)
    assert abs(total - by_hand(rnn, ids)) > 1e-4


def test_the_second_pass_is_short_for_a_network_that_forgets(monkeypatch):
    with precision("float64"):
        rnn = RNN(WORD_DIM, 5, seed=3)
    calls, compute = [], RNN.log_probabilities
    monkeypatch.setattr(RNN, "log_probabilities", lambda *arguments: calls.append(1) or compute(*arguments))
    monkeypatch.setattr(continuous_text, "LONGEST_STREAM", 10_000)
    continuous_cross_entropy(rnn, random_ids(4001), 4, 10)
    assert 100 < len(calls) < 130
