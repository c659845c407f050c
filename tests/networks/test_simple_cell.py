"""One step of the tutorial's cell, and the slopes of its activations."""

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function
from theano_rnn.networks.simple_cell import ACTIVATIONS, SimpleCell

NUMPY = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


def evaluate(expression, *arrays):
    def build():
        variables = [T.matrix(dtype="float64") for _ in arrays]
        return variables, expression(*variables), None

    result = compile_function(build, "float64")(*arrays)
    return [np.array(value) for value in result] if isinstance(result, (list, tuple)) else np.array(result)


def test_the_activations_are_tanh_and_relu():
    assert set(ACTIVATIONS) == {"tanh", "relu"}


@every_activation
def test_the_slope_is_the_derivative_of_the_activation(activation):
    f, slope = ACTIVATIONS[activation]
    z = np.array([[-3.0, -1.0, -0.01, 0.01, 0.5, 2.0]])
    s, slopes, plus, minus = evaluate(lambda z: [f(z), slope(f(z)), f(z + 1e-5), f(z - 1e-5)], z)
    np.testing.assert_allclose(s, NUMPY[activation](z), atol=1e-14)
    np.testing.assert_allclose(slopes, (plus - minus) / 2e-5, atol=1e-8)


def test_the_slope_of_relu_at_zero_is_zero():
    f, slope = ACTIVATIONS["relu"]
    np.testing.assert_array_equal(evaluate(lambda z: slope(f(z)), np.zeros((1, 3))), np.zeros((1, 3)))


@every_activation
def test_the_next_state_follows_the_formula_for_each_row(activation):
    generator = np.random.default_rng(0)
    a_t, s_prev, W = generator.normal(size=(3, 4)), generator.normal(size=(3, 4)), generator.normal(size=(4, 4))
    (found,) = evaluate(lambda a, s, W: list(SimpleCell(activation).next_state(a, s.dot(W.T), s)), a_t, s_prev, W)
    for b in range(3):
        np.testing.assert_allclose(found[b], NUMPY[activation](a_t[b] + W.dot(s_prev[b])), atol=1e-12)
