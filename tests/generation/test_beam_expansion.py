"""Tests of one step of a beam search."""

import functools

import numpy as np
import pytest

from theano_rnn import RNN
from theano_rnn.engines.engine import precision
from theano_rnn.generation.beam_expansion import BeamExpander

WORD_DIM, HIDDEN_DIM, TEXTS = 9, 4, 5
END, NEVER, MARK = 1, (0, 2), 5


@functools.cache
def step():
    with precision("float64"):
        rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=4)
    rnn.V.set_value(rnn.V.get_value() * 4)
    words_added = np.ones(WORD_DIM, int)
    words_added[[END, MARK]] = 0
    return BeamExpander(rnn, END, NEVER, words_added)


def inputs():
    generator = np.random.default_rng(1)
    return generator.integers(3, WORD_DIM, TEXTS), generator.normal(size=(TEXTS, HIDDEN_DIM))


def exact(word, s_prev):
    values = step().rnn.get_values()
    s = np.tanh(values["U"][:, word].T + s_prev @ values["W"].T)
    z = s @ values["V"].T
    return s, z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def test_log_probabilities_are_those_of_the_full_softmax():
    word, s_prev = inputs()
    ends, values, ids, s_t = step()(WORD_DIM, word, s_prev, np.zeros(TEXTS), 0, 10)
    s, log_o = exact(word, s_prev)
    np.testing.assert_allclose(s_t, s, atol=1e-12)
    np.testing.assert_allclose(ends, log_o[:, END], atol=1e-10)
    for row in range(TEXTS):
        found = dict(zip(ids[row].tolist(), values[row], strict=True))
        for index in range(WORD_DIM):
            expected = -np.inf if index in (END, *NEVER) else log_o[row, index]
            assert found[index] == pytest.approx(expected, abs=1e-10)
        assert (np.diff(values[row][np.isfinite(values[row])]) <= 0).all()


def test_only_ids_that_are_too_long_or_masked_are_forbidden():
    word, s_prev = inputs()
    words = np.array([0, 1, 2, 3, 2])
    forbidden = np.zeros((TEXTS, WORD_DIM), bool)
    forbidden[4, [3, 4]] = True
    ends, values, ids, _ = step()(WORD_DIM, word, s_prev, words, 2, 3, forbidden)
    np.testing.assert_array_equal(np.isfinite(ends), words >= 2)
    possible = [set(ids[row, np.isfinite(values[row])].tolist()) for row in range(TEXTS)]
    drawable = set(range(WORD_DIM)) - {END, *NEVER}
    assert possible == [drawable, drawable, drawable, {MARK}, drawable - {3, 4}]
