"""Loss and gradients of minibatches: padding, truncation and initial states."""

import functools

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function, theano, typed_tensor
from theano_rnn.networks.architecture import Architecture, Layer, SymbolicNetwork
from theano_rnn.networks.bptt import add_to_columns, full_delta, loss_and_gradients
from theano_rnn.networks.forward import layer_states
from theano_rnn.networks.simple_cell import SimpleCell

WORD_DIM, HIDDEN_DIM, LONGEST = 12, 5, 6
LENGTHS = (3, 6, 3)
COLUMNS = len(LENGTHS) + 1  # one column is empty
# Full, shorter than the sentences, and just long enough.
TRUNCATIONS = (None, 1, LONGEST - 1)


@functools.cache
def compiled():
    """(U, V, W, x, y, mask, s_init) -> loss, dV, and dU and dW for each of TRUNCATIONS, in float64."""

    def build():
        U, V, W = (
            typed_tensor(name, "float64", shape)
            for name, shape in (
                ("U", (HIDDEN_DIM, WORD_DIM)),
                ("V", (WORD_DIM, HIDDEN_DIM)),
                ("W", (HIDDEN_DIM, HIDDEN_DIM)),
            )
        )
        x, y, mask, s_init = T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask"), T.matrix("s_init", dtype="float64")
        network = SymbolicNetwork(Architecture(WORD_DIM, HIDDEN_DIM), {"U": U, "V": V, "W": W})
        found = [loss_and_gradients(x, y, mask, s_init, network, K) for K in TRUNCATIONS]
        outputs = [found[0].loss, found[0].gradients["V"]]
        for one in found:
            outputs += [one.gradients["U"], one.gradients["W"]]
        return [U, V, W, x, y, mask, s_init], outputs, None

    return compile_function(build, "float64")


def values(seed=0):
    generator = np.random.default_rng(seed)
    shapes = ((HIDDEN_DIM, WORD_DIM), (WORD_DIM, HIDDEN_DIM), (HIDDEN_DIM, HIDDEN_DIM))
    return [generator.normal(size=shape) * 0.5 for shape in shapes]


def sentences():
    generator = np.random.default_rng(1)
    return [generator.integers(0, WORD_DIM, (2, length)).astype(np.int32) for length in LENGTHS]


def minibatch(padding=0):
    """x, y and mask of all sentences, with the given id on the padding. The last column is empty."""
    x, y = (np.full((LONGEST, COLUMNS), padding, np.int32) for _ in range(2))
    mask = np.zeros((LONGEST, COLUMNS), np.int8)
    for b, (ids, next_ids) in enumerate(sentences()):
        x[: len(ids), b], y[: len(ids), b], mask[: len(ids), b] = ids, next_ids, 1
    return x, y, mask


def call(parameters, x, y, mask, s_init):
    return [np.array(value) for value in compiled()(*parameters, x, y, mask, s_init)]


def by_truncation(outputs):
    """{truncation: (dU, dW)}"""
    return {K: outputs[2 + 2 * i : 4 + 2 * i] for i, K in enumerate(TRUNCATIONS)}


def test_a_padded_minibatch_equals_the_sum_over_its_sentences():
    parameters = values()
    s_init = np.random.default_rng(2).normal(size=(COLUMNS, HIDDEN_DIM))
    expected = None
    for b, (x, y) in enumerate(sentences()):
        one = call(parameters, x[:, None], y[:, None], np.ones((len(x), 1), np.int8), s_init[b : b + 1])
        expected = one if expected is None else [total + value for total, value in zip(expected, one, strict=True)]
    for padding in (0, 7):
        found = call(parameters, *minibatch(padding), s_init)
        for value, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(value, other, atol=1e-10, rtol=0)


def test_only_a_truncation_shorter_than_the_sentence_changes_the_gradients():
    gradients = by_truncation(call(values(), *minibatch(), np.zeros((COLUMNS, HIDDEN_DIM))))
    for value, full in zip(gradients[LONGEST - 1], gradients[None], strict=True):
        np.testing.assert_allclose(value, full, atol=1e-10, rtol=0)
    for value, full in zip(gradients[1], gradients[None], strict=True):
        assert np.abs(value - full).max() > 1e-3


def test_full_gradients_equal_central_differences_with_nonzero_initial_states():
    parameters, batch = values(), minibatch()
    s_init = np.random.default_rng(2).normal(size=(COLUMNS, HIDDEN_DIM))
    outputs = call(parameters, *batch, s_init)
    dU, dW = by_truncation(outputs)[None]
    for parameter, gradient in zip(parameters, (dU, outputs[1], dW), strict=True):
        for index in [(0, 0), (1, 2), (3, 4), (4, 1)]:
            losses = []
            for step in (1e-5, -1e-5):
                original = parameter[index]
                parameter[index] += step
                losses.append(call(parameters, *batch, s_init)[0])
                parameter[index] = original
            assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(gradient[index], abs=1e-7)


def test_initial_states_affect_the_loss_and_the_gradient_of_w():
    zero, one = np.zeros((COLUMNS, HIDDEN_DIM)), np.random.default_rng(2).normal(size=(COLUMNS, HIDDEN_DIM))
    without, with_states = (call(values(), *minibatch(), s_init) for s_init in (zero, one))
    assert abs(without[0] - with_states[0]) > 1e-3
    assert np.abs(by_truncation(without)[None][1] - by_truncation(with_states)[None][1]).max() > 1e-3


def test_add_to_columns_sums_over_repeated_words_and_leaves_other_columns_unchanged():
    def build():
        U, x = typed_tensor("U", "float64", (HIDDEN_DIM, WORD_DIM)), T.imatrix("x")
        change = typed_tensor("change", "float64", (None, None, HIDDEN_DIM))
        return [U, x, change], add_to_columns(U, x, change), None

    U, x = values()[0], np.array([[3, 7], [3, 0], [11, 3]], np.int32)
    change = np.random.default_rng(0).normal(size=(3, 2, HIDDEN_DIM))
    expected = U.copy()
    for t, b in np.ndindex(x.shape):
        expected[:, x[t, b]] += change[t, b]
    found = np.array(compile_function(build, "float64")(U, x, change))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    untouched = sorted(set(range(WORD_DIM)) - {0, 3, 7, 11})
    np.testing.assert_array_equal(found[:, untouched], U[:, untouched])


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_full_delta_equals_theano_grad_of_the_forward_scan(activation):
    def build():
        U = typed_tensor("U", "float64", (HIDDEN_DIM, WORD_DIM))
        W = typed_tensor("W", "float64", (HIDDEN_DIM, HIDDEN_DIM))
        x, ds = T.imatrix("x"), T.tensor3("ds", dtype="float64")
        cell, layer = SimpleCell(activation), Layer(U, W, None, None)
        s_init = T.zeros((x.shape[1], HIDDEN_DIM), dtype="float64")
        states = layer_states(x, None, [s_init], layer, cell)
        delta = full_delta(x, ds, states, layer, cell)
        by_theano = theano.grad(None, wrt=states.a, known_grads={states.state[0]: ds})
        return [U, W, x, ds], [delta.ordered(delta.a), by_theano], None

    generator = np.random.default_rng(4)
    U, _, W = values()
    x = generator.integers(0, WORD_DIM, (7, 3)).astype(np.int32)
    by_formula, by_theano = compile_function(build, "float64")(U, W, x, generator.normal(size=(7, 3, HIDDEN_DIM)))
    assert np.abs(by_theano).max() > 0.1
    np.testing.assert_allclose(by_formula, by_theano, rtol=0, atol=1e-12)
