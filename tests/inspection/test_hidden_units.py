"""Figures of hidden units against plain loops over the states."""

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.inspection.hidden_units import most_telling_first, observe, token_means, unit_figures
from theano_rnn.inspection.token_sequences import Reading
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

LINES = ["ab ba", "b", "aab"]


@pytest.fixture(scope="module")
def lm():
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "a", "b"], newline_ends_sentence=True)
    return LanguageModel(RNN(5, 4, seed=3), vocabulary, Tokenizer(level="char"))


def reading(tokens):
    return Reading(None, list(tokens), np.zeros(len(tokens) + 1, np.int32))


def test_values_are_the_states_after_each_token(lm):
    observed = observe(lm, LINES)
    ids = [1, 3, 4, 2, 4, 3, 1, 4, 1, 3, 3, 4, 1]
    np.testing.assert_array_equal(observed.values[0], lm.rnn.hidden_states(ids)[1:])
    assert observed.is_whole and not observed.are_chosen
    assert {one.unit for one in observed.figures} == {0, 1, 2, 3}


def test_figures_are_those_of_a_loop():
    generator = np.random.default_rng(1)
    texts = ["abcab", "c", "ba"]
    values = [generator.normal(size=(len(text), 3)) for text in texts]
    for unit, one in enumerate(unit_figures(range(3), [reading(text) for text in texts], values)):
        column = [array[:, unit] for array in values]
        together = np.concatenate(column)
        pairs = np.array([(before, after) for one in column for before, after in zip(one, one[1:], strict=False)])
        assert one.unit == unit
        assert (one.lowest, one.highest) == (together.min(), together.max())
        assert one.deviation == pytest.approx(together.std(), abs=1e-12)
        assert one.persistence == pytest.approx(np.corrcoef(pairs.T)[0, 1], abs=1e-12)
        means = {
            token: np.mean([v for t, v in zip("".join(texts), together, strict=True) if t == token]) for token in "abc"
        }
        assert one.high_after == sorted(means, key=lambda token: -means[token])
        assert one.low_after == one.high_after[::-1]


def test_a_unit_that_never_changes_has_no_persistence_and_one_token_is_enough():
    (one,) = unit_figures([0], [reading("ab")], [np.ones((2, 1))])
    assert (one.deviation, one.persistence) == (0, 0)
    (one,) = unit_figures([0], [reading("a")], [np.ones((1, 1))])
    assert (one.persistence, one.high_after) == (0, ["a"])


def test_rare_tokens_are_left_out_where_there_are_enough_others():
    frequent = [token for token in "abcdefghij" for _ in range(3)]
    tokens, means = token_means([*frequent, "z"], np.arange(31.0)[:, None])
    assert tokens == list("abcdefghij")
    np.testing.assert_allclose(means[:, 0], 1 + 3 * np.arange(10))
    assert "z" in token_means([*frequent[3:], "z"], np.zeros((28, 1)))[0]


def test_units_that_vary_and_keep_their_values_come_first():
    steps = np.arange(40)
    slow, fast, small = np.sign(np.sin(steps / 5)), (-1.0) ** steps, np.sin(steps / 5) / 10
    figures = unit_figures(range(3), [reading("a" * 40)], [np.stack([fast, small, slow], axis=1)])
    assert [one.unit for one in most_telling_first(figures)] == [2, 1, 0]


def test_chosen_units_keep_their_order_and_come_once(lm):
    observed = observe(lm, LINES, [2, 0, 2])
    assert [one.unit for one in observed.figures] == [2, 0] and observed.are_chosen


@pytest.mark.parametrize(
    "lines, units, tokens, error, message",
    [
        ([], None, 10, CorpusError, "the text is empty; give at least one line"),
        (LINES, [4], 10, ValueError, "unit: the network has units 0 … 3, got 4"),
        (LINES, [-1], 10, ValueError, "unit: the network has units 0 … 3, got -1"),
        (LINES, None, 0, ValueError, "tokens: expected at least 1, got 0"),
        (LINES, None, 100_001, ValueError, "tokens: expected at most 100000, got 100001"),
    ],
)
def test_what_cannot_be_observed_is_refused(lm, lines, units, tokens, error, message):
    with pytest.raises(error, match=message):
        observe(lm, lines, units, tokens)
