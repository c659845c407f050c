"""Each update rule against the formula of its paper, written in NumPy."""

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function
from theano_rnn.networks.updates import UPDATE_RULES, clip_by_norm


def numpy_sgd(theta, gradients, rate):
    for g in gradients:
        theta = theta - rate * g
    return theta, []


def numpy_momentum(theta, gradients, rate):
    v = np.zeros_like(theta)
    for g in gradients:
        v = 0.9 * v - rate * g
        theta = theta + v
    return theta, [v]


def numpy_adagrad(theta, gradients, rate):
    r = np.zeros_like(theta)
    for g in gradients:
        r = r + g * g
        theta = theta - rate * g / (np.sqrt(r) + 1e-8)
    return theta, [r]


def numpy_rmsprop(theta, gradients, rate):
    r = np.zeros_like(theta)
    for g in gradients:
        r = 0.9 * r + 0.1 * g * g
        theta = theta - rate * g / (np.sqrt(r) + 1e-8)
    return theta, [r]


def numpy_adam(theta, gradients, rate):
    m, r = np.zeros_like(theta), np.zeros_like(theta)
    for t, g in enumerate(gradients, start=1):
        m, r = 0.9 * m + 0.1 * g, 0.999 * r + 0.001 * g * g
        theta = theta - rate * (m / (1 - 0.9**t)) / (np.sqrt(r / (1 - 0.999**t)) + 1e-8)
    return theta, [m, r]


NUMPY_RULES = {
    "sgd": numpy_sgd,
    "momentum": numpy_momentum,
    "adagrad": numpy_adagrad,
    "rmsprop": numpy_rmsprop,
    "adam": numpy_adam,
}

every_rule = pytest.mark.parametrize("name", UPDATE_RULES)


def compiled(name):
    rule = UPDATE_RULES[name]

    def build():
        parameter, gradient = T.matrix("theta", dtype="float64"), T.matrix("g", dtype="float64")
        accumulators = [T.matrix(slot, dtype="float64") for slot in rule.accumulators]
        learning_rate, step_number = T.scalar("rate", dtype="float64"), T.scalar("t", dtype="float64")
        value, new = rule.formula(parameter, gradient, accumulators, learning_rate, step_number)
        return [parameter, gradient, *accumulators, learning_rate, step_number], [value, *new], None

    return compile_function(build, "float64")


def run(name, theta, gradients, rate):
    function = compiled(name)
    state = [np.zeros_like(theta) for _ in UPDATE_RULES[name].accumulators]
    for t, g in enumerate(gradients, start=1):
        theta, *state = (np.array(v) for v in function(theta, g, *state, np.float64(rate), np.float64(t)))
    return theta, state


def test_the_table_holds_five_rules():
    assert set(UPDATE_RULES) == {"sgd", "momentum", "adagrad", "rmsprop", "adam"} == set(NUMPY_RULES)


@every_rule
def test_a_rule_follows_its_paper_over_three_steps(name):
    generator = np.random.default_rng(0)
    theta, gradients = generator.normal(size=(4, 3)), generator.normal(size=(3, 4, 3))
    expected_theta, expected_state = NUMPY_RULES[name](theta, gradients, 0.1)
    found_theta, found_state = run(name, theta, gradients, 0.1)
    np.testing.assert_allclose(found_theta, expected_theta, atol=1e-12)
    assert len(found_state) == len(expected_state)
    for found, expected in zip(found_state, expected_state, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


@every_rule
def test_a_zero_gradient_does_not_change_the_parameter(name):
    theta = np.random.default_rng(0).normal(size=(4, 3))
    found, _ = run(name, theta, np.zeros((2, 4, 3)), 0.1)
    np.testing.assert_array_equal(found, theta)


@every_rule
def test_the_default_learning_rate_decreases_a_parabola(name):
    theta = start = np.full((1, 1), 3.0)
    function, rate = compiled(name), UPDATE_RULES[name].learning_rate
    state = [np.zeros_like(theta) for _ in UPDATE_RULES[name].accumulators]
    for t in range(1, 51):
        theta, *state = (np.array(v) for v in function(theta, theta, *state, np.float64(rate), np.float64(t)))
    assert abs(theta) < abs(start)


def clipped(threshold, *gradients):
    def build():
        variables = [T.matrix(dtype="float64") for _ in gradients]
        return variables, clip_by_norm(variables, threshold), None

    return [np.array(value) for value in compile_function(build, "float64")(*gradients)]


def test_gradients_above_the_threshold_are_scaled_by_one_factor():
    generator = np.random.default_rng(0)
    gradients = [generator.normal(size=(4, 3)), generator.normal(size=(2, 5))]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    found = clipped(0.25, *gradients)
    for value, gradient in zip(found, gradients, strict=True):
        np.testing.assert_allclose(value, gradient * 0.25 / norm, atol=1e-12)
    assert np.linalg.norm(np.concatenate([g.ravel() for g in found])) == pytest.approx(0.25)


def test_gradients_below_the_threshold_are_not_changed():
    gradients = [np.full((2, 2), 0.1), np.full((1, 3), -0.1)]
    for value, gradient in zip(clipped(5.0, *gradients), gradients, strict=True):
        np.testing.assert_array_equal(value, gradient)


def test_gradients_of_zero_stay_zero():
    for value in clipped(1.0, np.zeros((2, 2)), np.zeros((1, 3))):
        np.testing.assert_array_equal(value, np.zeros(value.shape))
