"""Statistics of hidden units, compared with plain loops over the states."""

from collections.abc import Iterable

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.inspection.hidden_units import hidden_activity, mean_states, most_informative_first, unit_statistics
from theano_rnn.inspection.input_sequences import InputSequence
from theano_rnn.inspection.unit_values import unit_values
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

LINES = ["ab ba", "b", "aab"]


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "a", "b"], newline_ends_sentence=True)
    return LanguageModel(RNN(5, 4, seed=3), vocabulary, Tokenizer(level="char"))


def sequence(tokens: Iterable[str]) -> InputSequence:
    characters = list(tokens)
    return InputSequence(None, characters, np.zeros(len(characters) + 1, np.int32))


def test_states_are_those_after_each_token(lm: LanguageModel) -> None:
    activity = hidden_activity(lm, LINES)
    ids = [1, 3, 4, 2, 4, 3, 1, 4, 1, 3, 3, 4, 1]
    np.testing.assert_array_equal(activity.states[0], lm.rnn.hidden_states(ids)[1:])
    assert activity.is_complete and not activity.are_requested
    assert {one.unit for one in activity.statistics} == {0, 1, 2, 3}


def test_statistics_agree_with_a_loop() -> None:
    generator = np.random.default_rng(1)
    texts = ["abcab", "c", "ba"]
    states = [generator.normal(size=(len(text), 3)) for text in texts]
    for unit, one in enumerate(unit_statistics(range(3), [sequence(text) for text in texts], states)):
        columns = [array[:, unit] for array in states]
        together = np.concatenate(columns)
        pairs = np.array([(before, after) for one in columns for before, after in zip(one, one[1:], strict=False)])
        assert one.unit == unit
        assert (one.lowest, one.highest) == (together.min(), together.max())
        assert one.deviation == pytest.approx(together.std(), abs=1e-12)
        assert one.persistence == pytest.approx(np.corrcoef(pairs.T)[0, 1], abs=1e-12)
        means = {
            token: float(np.mean([v for t, v in zip("".join(texts), together, strict=True) if t == token]))
            for token in "abc"
        }
        assert one.high_after == sorted(means, key=lambda token: -means[token])
        assert one.low_after == one.high_after[::-1]


def test_a_constant_unit_has_no_persistence_and_one_token_is_enough() -> None:
    (one,) = unit_statistics([0], [sequence("ab")], [np.ones((2, 1))])
    assert (one.deviation, one.persistence) == (0, 0)
    (one,) = unit_statistics([0], [sequence("a")], [np.ones((1, 1))])
    assert (one.persistence, one.high_after) == (0, ["a"])


def test_rare_tokens_are_left_out_if_there_are_enough_others() -> None:
    frequent = [token for token in "abcdefghij" for _ in range(3)]
    tokens, means = mean_states([*frequent, "z"], np.arange(31.0)[:, None])
    assert tokens == list("abcdefghij")
    np.testing.assert_allclose(means[:, 0], 1 + 3 * np.arange(10))
    assert "z" in mean_states([*frequent[3:], "z"], np.zeros((28, 1)))[0]


def test_units_that_vary_and_keep_their_values_come_first() -> None:
    steps = np.arange(40)
    slow, fast, small = np.sign(np.sin(steps / 5)), (-1.0) ** steps, np.sin(steps / 5) / 10
    statistics = unit_statistics(range(3), [sequence("a" * 40)], [np.stack([fast, small, slow], axis=1)])
    assert [one.unit for one in most_informative_first(statistics)] == [2, 1, 0]


def test_requested_units_keep_their_order_without_duplicates(lm: LanguageModel) -> None:
    activity = hidden_activity(lm, LINES, [2, 0, 2])
    assert [one.unit for one in activity.statistics] == [2, 0] and activity.are_requested


def test_a_quantity_of_a_layer_can_be_recorded() -> None:
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "a", "b"], newline_ends_sentence=True)
    lstm = LanguageModel(RNN(5, 4, cell="lstm", layers=2, seed=3), vocabulary, Tokenizer(level="char"))
    activity = hidden_activity(lstm, LINES, of="cell", layer=1)
    assert (activity.of, activity.layer) == ("cell", 1)
    expected = unit_values(lstm.rnn, [activity.sequences[0].ids], "cell", 1)[0][1:]
    np.testing.assert_array_equal(activity.states[0], expected)
    assert hidden_activity(lstm, LINES).layer == 2


def test_units_can_be_sorted_by_a_property(lm: LanguageModel) -> None:
    lines = ['ab "b a" b'] * 10
    activity = hidden_activity(lm, lines, by="quotes")
    (quotes,) = (one.units for one in activity.properties if one.name == "quotes")
    assert [one.unit for one in activity.statistics] == [unit for unit, _ in quotes]
    with pytest.raises(CorpusError, match="too few examples of brackets to sort units by it; give a longer text"):
        hidden_activity(lm, lines, by="brackets")
    with pytest.raises(ValueError, match="by: expected one of line-position, quotes, brackets, got 'verbs'"):
        hidden_activity(lm, lines, by="verbs")


@pytest.mark.parametrize(
    "lines, unit, tokens, error, message",
    [
        ([], None, 10, CorpusError, "the text is empty; give at least one line"),
        (LINES, [4], 10, ValueError, "unit: the network has units 0 … 3, got 4"),
        (LINES, [-1], 10, ValueError, "unit: the network has units 0 … 3, got -1"),
        (LINES, None, 0, ValueError, "tokens: expected at least 1, got 0"),
        (LINES, None, 100_001, ValueError, "tokens: expected at most 100000, got 100001"),
    ],
)
def test_empty_texts_and_arguments_out_of_range_are_rejected(
    lm: LanguageModel, lines: list[str], unit: list[int] | None, tokens: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        hidden_activity(lm, lines, unit, tokens)
