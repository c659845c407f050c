"""A cell that is added to the table works in everything that is written once for all cells."""

import functools

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function, theano, typed_tensor
from theano_rnn.generation.beam_expansion import BeamExpander
from theano_rnn.generation.sampling import Sampler
from theano_rnn.networks.architecture import Architecture, SymbolicNetwork
from theano_rnn.networks.bptt import loss_and_gradients
from theano_rnn.networks.cells import CELLS
from theano_rnn.networks.forward import forward_pass
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.networks.rnn import RNN
from theano_rnn.networks.simple_cell import SimpleCell
from theano_rnn.text.minibatches import pad

WORD_DIM, HIDDEN_DIM, LEAK = 12, 5, 0.25


class LeakyCell(SimpleCell):
    """s_t = r s_{t-1} + (1 - r) f(U x_t + W s_{t-1}): errors also flow back past W, as in a GRU."""

    def next_state(self, a, q, *previous):
        (s_prev,), (s,) = previous, super().next_state(a, q, *previous)
        return (LEAK * s_prev + (1 - LEAK) * s,)

    def saved(self, *arrays):
        *_, (s_prev,), (s,) = arrays
        return [(1 - LEAK) * self.slope((s - LEAK * s_prev) / (1 - LEAK))]

    def backward(self, errors, saved):
        da, dq, _ = super().backward(errors, saved)
        return da, dq, [LEAK * errors[0]]


@pytest.fixture(scope="module")
def rnn():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CELLS, "leaky", LeakyCell)
        yield RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate=None, seed=3, dtype="float64", cell="leaky")


X, Y = [0, 3, 7, 3, 11, 1], [3, 7, 3, 11, 1, 5]


def test_the_table_holds_the_cells_that_can_be_chosen():
    assert set(CELLS) - {"leaky"} == {"simple", "gru", "lstm"}


def test_the_states_follow_the_formula_of_the_cell(rnn):
    values, s, expected = rnn.get_values(), np.zeros(HIDDEN_DIM), []
    for word in X:
        s = LEAK * s + (1 - LEAK) * np.tanh(values["U"][:, word] + values["W"].dot(s))
        expected.append(s)
    np.testing.assert_allclose(rnn.hidden_states(X), expected, atol=1e-12)
    np.testing.assert_allclose(
        rnn.next_log_probabilities(np.array([X[0]], np.int32), rnn.zero_states(1))[1][0], expected[0]
    )


def test_the_gradients_of_the_cell_pass_the_gradient_check(rnn):
    assert rnn.gradient_check(X, Y).relative_error < 1e-4


@functools.cache
def gradients(bptt_truncate, with_theano_grad=False):
    """[dU, dV, dW] on X and Y, by the cell's formulas or by `theano.grad`."""

    def build():
        shapes = ((HIDDEN_DIM, WORD_DIM), (WORD_DIM, HIDDEN_DIM), (HIDDEN_DIM, HIDDEN_DIM))
        parameters = {name: typed_tensor(name, "float64", shape) for name, shape in zip("UVW", shapes, strict=True)}
        network = SymbolicNetwork(Architecture(WORD_DIM, HIDDEN_DIM, "leaky"), parameters)
        x, y = T.imatrix("x"), T.imatrix("y")
        s_init = T.zeros((x.shape[1], HIDDEN_DIM), dtype="float64")
        variables = list(parameters.values())
        if with_theano_grad:
            e = T.exp(forward_pass(x, s_init, network).output[:, 0].dot(network.V.T))
            loss = -T.log(e / e.sum(axis=1, keepdims=True))
            return [*variables, x, y], theano.grad(loss[T.arange(y.shape[0]), y[:, 0]].sum(), variables), None
        found = loss_and_gradients(x, y, T.ones_like(x), s_init, network, bptt_truncate)
        return [*variables, x, y], list(found.gradients.values()), None

    values = RNN(WORD_DIM, HIDDEN_DIM, seed=3, dtype="float64").get_values().values()
    found = compile_function(build, "float64")(*values, *(np.array(ids, np.int32)[:, None] for ids in (X, Y)))
    return [np.array(gradient) for gradient in found]


def test_the_full_gradients_equal_theano_grad(rnn):
    for found, expected in zip(gradients(None), gradients(None, with_theano_grad=True), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_truncation_as_long_as_the_sentence_gives_the_full_gradients(rnn):
    full, long, short = gradients(None), gradients(len(X)), gradients(1)
    for found, expected in zip(long, full, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.abs(short[2] - full[2]).max() > 1e-3


def test_sgd_and_an_optimizer_train_the_cell(rnn):
    values = rnn.get_values()
    for step in (lambda: rnn.sgd_step(X, Y, 0.1), lambda: Optimizer(rnn, "adam").step(pad([[*X, Y[-1]]], 1), 0.01)):
        before = rnn.calculate_loss([X], [Y])
        step()
        assert rnn.calculate_loss([X], [Y]) < before
    rnn.set_values(values)


def test_sampling_and_beam_search_carry_the_states_of_the_cell(rnn):
    word, s_prev, words = np.array([3], np.int32), rnn.hidden_states([0])[-1:], np.zeros(1, np.int32)
    expected = rnn.hidden_states([0, 3])[-1]
    added = np.ones(WORD_DIM, int)
    _, s_last, _ = Sampler(rnn, 1, [0], added).draw(np.full((1, 1), 0.5), word, s_prev, words)
    np.testing.assert_allclose(np.asarray(s_last)[0], expected, atol=1e-12)
    *_, s_t = BeamExpander(rnn, 1, [0], added)(2, word, s_prev, words, 0, 9)
    np.testing.assert_allclose(s_t[0], expected, atol=1e-12)
