"""Gates that are open or closed, and the functions that gates are made of."""

import numpy as np
import pytest

from theano_rnn.engines.engine import compile_function, typed_tensor
from theano_rnn.networks.gated_cells import GRUCell, LSTMCell, blocks, sigmoid

HIDDEN_DIM = 3
OPEN, CLOSED = 50.0, -50.0


def evaluate(expression, *arrays):
    def build():
        variables = [typed_tensor(f"x{i}", "float64", array.shape) for i, array in enumerate(arrays)]
        return variables, list(expression(*variables)), None

    return [np.array(value) for value in compile_function(build, "float64")(*arrays)]


def activations(*gates):
    """a_t with the given value in the whole block of each gate."""
    return np.repeat([np.array(gates, float)], HIDDEN_DIM, axis=1)


def state(*values):
    return [np.full((1, HIDDEN_DIM), value) for value in values]


def test_the_sigmoid_does_not_overflow():
    z = np.array([[-1e4, -30.0, -1.0, 0.0, 1.0, 30.0, 1e4]])
    (found,) = evaluate(lambda z: [sigmoid(z)], z)
    np.testing.assert_allclose(found, [[0, *(1 / (1 + np.exp(-z[0, 1:-1]))), 1]], rtol=0, atol=1e-15)


def test_blocks_are_equal_parts_of_the_last_axis():
    z = np.arange(24.0).reshape(2, 12)
    for found, expected in zip(evaluate(lambda z: blocks(z, 4), z), np.split(z, 4, axis=1), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("r", "z", "expected"),
    [
        (OPEN, OPEN, 0.7),  # the state is kept
        (CLOSED, CLOSED, np.tanh(0.2)),  # the state is forgotten, and the candidate does not see it
        (OPEN, CLOSED, np.tanh(0.2 + 0.4)),
    ],
)
def test_the_gates_of_a_gru_keep_or_forget_the_state(r, z, expected):
    q = activations(0, 0, 0.4)
    (s,) = evaluate(GRUCell().next_state, activations(r, z, 0.2), q, *state(0.7))
    np.testing.assert_allclose(s, np.full((1, HIDDEN_DIM), expected), atol=1e-12)


@pytest.mark.parametrize(
    ("i", "f", "o", "expected_s", "expected_c"),
    [
        (CLOSED, OPEN, OPEN, np.tanh(2.0), 2.0),  # the cell state is kept, however large
        (OPEN, CLOSED, OPEN, np.tanh(np.tanh(0.5)), np.tanh(0.5)),
        (OPEN, OPEN, CLOSED, 0.0, 2.0 + np.tanh(0.5)),
    ],
)
def test_the_gates_of_an_lstm_write_keep_and_show_the_cell_state(i, f, o, expected_s, expected_c):
    q = activations(0, 0, 0.3, 0)
    s, c = evaluate(LSTMCell().next_state, activations(i, f, 0.2, o), q, *state(0.7, 2.0))
    np.testing.assert_allclose(s, np.full((1, HIDDEN_DIM), expected_s), atol=1e-12)
    np.testing.assert_allclose(c, np.full((1, HIDDEN_DIM), expected_c), atol=1e-12)
