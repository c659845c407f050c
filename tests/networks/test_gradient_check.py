"""The gradient check passes for correct gradients, and names the element of a wrong one."""

import numpy as np
import pytest

from theano_rnn import RNN, GradientCheckError
from theano_rnn.networks import bptt, gradient_check
from theano_rnn.networks.architecture import Architecture
from theano_rnn.networks.gradient_check import GradientCheck, check_gradients

WORD_DIM, HIDDEN_DIM = 12, 5
ELEMENTS = 2 * WORD_DIM * HIDDEN_DIM + HIDDEN_DIM**2
X, Y = [0, 3, 7, 3, 11, 1, 5, 2, 9], [3, 7, 3, 11, 1, 5, 2, 9, 4]


def test_the_check_ignores_truncation_and_runs_in_double_precision():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate=1, activation="tanh", seed=10)
    assert rnn.dtype == "float32"
    before = rnn.get_values()
    found = rnn.gradient_check(X, Y)
    assert isinstance(found, GradientCheck)
    assert found.elements == ELEMENTS
    # Only double precision reaches the accuracy that h = 0.001 allows. In single precision, errors are 0.001 or more.
    assert 0 <= found.relative_error < 1e-5
    assert found.parameter in before
    assert before[found.parameter][found.index].shape == ()
    assert found.gradient == pytest.approx(found.estimate, abs=1e-6)
    for name, value in rnn.get_values().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.slow
def test_relu_passes_on_a_sequence_longer_than_the_truncation(float64):
    rnn = RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate=1, activation="relu", seed=10)
    found = rnn.gradient_check(X, Y)
    assert found.elements == ELEMENTS and found.relative_error <= 0.01


@pytest.mark.slow
def test_a_single_word_can_be_checked(float64):
    found = RNN(WORD_DIM, HIDDEN_DIM, seed=10).gradient_check([4], [7])
    assert found.elements == ELEMENTS and found.relative_error < 1e-5


def test_a_wrong_gradient_of_w_is_found_and_described(float64, monkeypatch):
    def wrong(*arguments):
        gradients = right(*arguments)
        return {**gradients, "W": 1.1 * gradients["W"]}

    right = bptt.layer_gradients
    monkeypatch.setattr(bptt, "layer_gradients", wrong)
    number = r"-?[\d.]+(?:e-?\d+)?"
    with pytest.raises(
        GradientCheckError,
        match=rf"^gradient check failed for W\[0, 0\]: backpropagation gives {number}, central differences {number}, "
        rf"relative error 0\.047\d* > 0\.01$",
    ):
        RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate=1, seed=10).gradient_check(X, Y)


class Parabola:
    """Replaces the network: L = Σ U[:, x]² / 2 + Σ V² / 2 + Σ W² / 2, with gradients that a test can falsify."""

    falsify = staticmethod(lambda gradients: None)

    def __init__(self, values, architecture):
        pass

    def loss(self, U, V, W, x, y, mask):
        return ((U[:, np.unique(x)] ** 2).sum() + (V**2).sum() + (W**2).sum()) / 2

    def bptt(self, U, V, W, x, y, mask):
        dU = np.zeros_like(U)
        dU[:, np.unique(x)] = U[:, np.unique(x)]
        gradients = {"U": dU, "V": V.copy(), "W": W.copy()}
        self.falsify(gradients)
        return list(gradients.values())


@pytest.fixture
def parabola(monkeypatch):
    monkeypatch.setattr(gradient_check, "LossAndGradientFunctions", Parabola)

    def check(falsify, **settings):
        monkeypatch.setattr(Parabola, "falsify", staticmethod(falsify))
        values = {"U": np.ones((2, 4)), "V": np.ones((4, 2)), "W": np.full((2, 2), 2.0)}
        return check_gradients(values, Architecture(4, 2), np.array([0, 2]), np.array([2, 1]), **settings)

    return check


def add(name, index, change):
    def falsify(gradients):
        gradients[name][index] += change

    return falsify


def test_every_single_element_is_compared(parabola):
    for name, shape in (("U", (2, 4)), ("V", (4, 2)), ("W", (2, 2))):
        for index in np.ndindex(shape):
            position = rf"{name}\[{index[0]}, {index[1]}\]"
            with pytest.raises(GradientCheckError, match=rf"^gradient check failed for {position}: "):
                parabola(add(name, index, 0.2))


def test_the_message_has_both_gradients_and_the_relative_error(parabola):
    with pytest.raises(
        GradientCheckError,
        match=r"^gradient check failed for W\[1, 0\]: backpropagation gives 3, central differences 2(\.0*\d*)?, "
        r"relative error 0\.2 > 0\.01$",
    ):
        parabola(add("W", (1, 0), 1.0))


def test_the_gradient_of_an_unused_column_of_u_must_be_zero(parabola):
    with pytest.raises(GradientCheckError, match=r"U\[0, 1\]: backpropagation gives 0\.5, central differences 0,"):
        parabola(add("U", (0, 1), 0.5))


def test_correct_gradients_pass_and_the_worst_element_is_returned(parabola):
    found = parabola(add("V", (3, 1), 0.005))
    assert (found.elements, found.parameter, found.index) == (20, "V", (3, 1))
    assert found.gradient == pytest.approx(1.005)
    assert found.estimate == pytest.approx(1.0)
    assert found.relative_error == pytest.approx(0.005 / 2.005)


def test_only_errors_above_the_threshold_fail(parabola):
    with pytest.raises(GradientCheckError, match=r"relative error 0\.00249 > 0\.001$"):
        parabola(add("V", (3, 1), 0.005), error_threshold=0.001)


def test_a_nan_gradient_fails(parabola):
    with pytest.raises(GradientCheckError, match=r"W\[0, 0\]: backpropagation gives nan"):
        parabola(add("W", (0, 0), np.nan))
