"""Attention: weights within the lengths, contexts and gradients."""

import functools

import numpy as np
import pytest
from support import numpy_networks

from theano_rnn.decoders.attention import attend, attention_gradients, by_text, memory
from theano_rnn.engines.engine import T, as_numpy, compile_function, typed_tensor

LENGTHS, SOURCE_STEPS, STEPS, N, HIDDEN_DIM = (4, 1, 3, 0), 4, 3, 5, 2


@functools.cache
def function():
    """h, lengths, s, A, errors -> contexts, weights, the derivatives of their products with the errors."""

    def build():
        widths = {"h": N, "s": HIDDEN_DIM, "errors": N}
        h, s, errors = (typed_tensor(name, "float64", (None, None, width)) for name, width in widths.items())
        A, lengths = typed_tensor("A", "float64", (HIDDEN_DIM, N)), T.ivector("lengths")
        source = memory(h, h[:, :, 0], lengths, A)
        found = attend(s, source)
        gradients = attention_gradients(errors, s, source, found, A)
        return [h, lengths, s, A, errors], [*found, gradients.s, gradients.h, gradients.A], None

    return compile_function(build, "float64")


def arrays():
    generator, size = np.random.default_rng(0), len(LENGTHS)
    h, s = generator.normal(size=(SOURCE_STEPS, size, N)), generator.normal(size=(size, STEPS, HIDDEN_DIM))
    A, errors = generator.normal(size=(HIDDEN_DIM, N)), generator.normal(size=(size, STEPS, N))
    return h, np.array(LENGTHS, np.int32), s, A, errors


def results(*changed):
    return [as_numpy(one) for one in function()(*(changed or arrays()))]


def loops(h, s, A):
    """The contexts by loops over texts, steps and positions, without padding and empty columns."""
    contexts = np.zeros((len(LENGTHS) - 1, STEPS, N), h.dtype)
    for text, length in enumerate(LENGTHS[:-1]):
        for t in range(STEPS):
            e = [np.exp(s[text, t] @ A @ h[j, text]) for j in range(length)]
            contexts[text, t] = sum(e[j] / sum(e) * h[j, text] for j in range(length))
    return contexts


def test_weights_sum_to_one_within_the_length_and_are_zero_beyond():
    _, weights, *_ = results()
    for text, length in enumerate(LENGTHS[:-1]):
        np.testing.assert_allclose(weights[text].sum(axis=1), 1, atol=1e-14)
        assert (weights[text, :, :length] > 0).all() and (weights[text, :, length:] == 0).all()
    assert np.isfinite(weights).all()  # of the empty column too


def test_contexts_are_the_weighted_sums_of_the_states():
    h, _, s, A, _ = arrays()
    np.testing.assert_allclose(results()[0][:-1], loops(h, s, A), atol=1e-12)


def test_gradients_are_the_derivatives_of_the_loops():
    h, _, s, A, errors = arrays()
    errors[-1] = 0  # as in a loss: an empty column has no errors
    found = results(h, arrays()[1], s, A, errors)
    expected = numpy_networks.derivatives(
        lambda values: (loops(values["h"], values["s"], values["A"]) * errors[:-1]).sum(), {"h": h, "s": s, "A": A}
    )
    np.testing.assert_allclose(found[2], expected["s"], atol=1e-12)
    np.testing.assert_allclose(found[3], expected["h"].transpose(1, 0, 2), atol=1e-12)
    np.testing.assert_allclose(found[4], expected["A"], atol=1e-12)


@pytest.mark.parametrize("scale", [1e3, -1e3])
def test_large_scores_do_not_overflow(scale):
    h, lengths, s, A, errors = arrays()
    found = results(h, lengths, s * scale, A, errors)
    assert all(np.isfinite(one).all() for one in found)
    best = (s @ A @ h.transpose(1, 2, 0) * scale)[0].argmax(axis=1)
    np.testing.assert_array_equal(found[1][0].argmax(axis=1), best)


def test_axes_of_texts_and_steps_change_places_and_back():
    array = T.tensor3("array", dtype="float64")
    turned = compile_function(lambda: ([array], [by_text(array), by_text(by_text(array))], None), "float64")
    value = np.arange(24.0).reshape(2, 3, 4)
    once, twice = map(as_numpy, turned(value))
    np.testing.assert_array_equal(once, value.transpose(1, 0, 2))
    np.testing.assert_array_equal(twice, value)
