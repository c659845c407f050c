"""Surprisal, minimal pairs and conditional scores, compared with sums over `word_scores` and `advance`."""

import math
import re

import numpy as np
import pytest
from support.language_models import WORDS, make

LINES = ["The dog sees the zebra. The dog!", "", "the  dog,\tthe", "Dog"]


@pytest.fixture(scope="module")
def lm():
    return make(WORDS)


@pytest.fixture(scope="module")
def characters():
    return make(list("the dogsa."), "char")


@pytest.fixture
def exact(float64):
    """A model in float64."""
    return make(WORDS)


def prefix_score(lm, tokens):
    """ln P of the first tokens of a sentence, one token at a time."""
    state, total = lm.state(), 0.0
    for token in tokens:
        state, value = lm.advance(state, token)
        total += value
    return total


# Surprisal


@pytest.mark.parametrize("base", ["e", 2, 10])
def test_surprisal_is_the_negative_log_probability_of_each_token(lm, base):
    for line in LINES:
        rows = lm.surprisal(line, base=base)
        scores = lm.word_scores(line, base=base)
        assert [(row.text, row.known) for row in rows] == [(token, known) for token, _, known in scores]
        np.testing.assert_allclose([row.surprisal for row in rows], [-value for _, value, _ in scores], rtol=1e-12)


def test_surprisal_is_in_bits_of_tokens_by_default(lm):
    assert sum(row.surprisal for row in lm.surprisal(LINES[0])) == pytest.approx(-lm.score(LINES[0]) / math.log(2))
    text, start, end, known, _ = lm.surprisal(LINES[0])[4]
    assert (text, start, end, known) == ("zebra", 17, 22, False)


def test_words_are_as_written_and_sum_up_to_the_score(lm, characters):
    rows = lm.surprisal(LINES[0], "word")
    assert [row.text for row in rows] == [
        "The", "dog", "sees", "the", "zebra.", "SENTENCE_END", "The", "dog!", "SENTENCE_END",
    ]  # fmt: skip
    for model in (lm, characters):
        for line in LINES:
            for unit in ("token", "word"):
                total = sum(row.surprisal for row in model.surprisal(line, unit, "e"))
                assert total == pytest.approx(-model.score(line), rel=1e-6)


def test_surprisal_of_several_texts_is_a_list_for_each(lm):
    assert lm.surprisal(iter(LINES), "word", 10) == [lm.surprisal(line, "word", 10) for line in LINES]
    assert lm.surprisal([]) == []


def test_surprisal_without_splitting_is_that_of_one_sentence(lm):
    assert [row.text for row in lm.surprisal(LINES[0], split=False)].count("SENTENCE_END") == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"unit": "letter"}, "unit: expected one of token, word, got 'letter'"),
        ({"base": 1}, "base: logarithms to base 1 do not exist"),
        ({"text": 3}, "sentences: expected a str or an iterable of str, got int"),
        ({"text": [3]}, "sentence: expected a str, got int"),
    ],
)
def test_wrong_arguments_of_surprisal_are_named(lm, arguments, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        lm.surprisal(**{"text": "the dog", **arguments})


# Minimal pairs


def test_differences_are_those_of_the_scores(lm):
    good, bad = ["The dog sees.", "the dog", ""], ["The sees dog.", "dog dog", "the"]
    np.testing.assert_allclose(lm.compare(good, bad), lm.score(good) - lm.score(bad), atol=1e-6)
    assert lm.compare(good[0], bad[0]) == pytest.approx(lm.score(good[0]) - lm.score(bad[0]), abs=1e-6)
    np.testing.assert_allclose(lm.compare(good, bad, base=2), lm.compare(good, bad) / math.log(2))
    assert lm.compare([], []).shape == (0,)


def test_pairs_that_differ_in_unknown_words_are_exact_ties_and_a_warning_says_so(lm, caplog):
    good = [f"the {word} sees the dog." for word in ("cat", "cow", "hen")]
    bad = [f"the {word} sees the dog." for word in ("cats", "cows", "dog")]
    differences = lm.compare(good, bad)
    assert differences[0] == differences[1] == 0 and differences[2] != 0
    assert "in 3 of 3 pairs, words that differ are unknown to the model ('cat', 'cats', 'cow'), so" in caplog.text
    caplog.clear()
    lm.compare("the zebra sees the dog", "the dog sees the zebra")  # in another order, but the same words
    assert not caplog.text


def test_pairs_are_one_sentence_each_unless_they_are_split(lm):
    text = "The dog. The dog."
    assert lm.compare(text, "dog") == pytest.approx(lm.score(text, split=False) - lm.score("dog"), abs=1e-6)
    assert lm.compare(text, "dog", split=None) == pytest.approx(lm.score(text) - lm.score("dog"), abs=1e-6)


@pytest.mark.parametrize(
    "good, bad, message",
    [
        (["a"], ["b", "c"], "bad: expected as many texts as `good` (1), got 2"),
        ("a", ["b"], "good and bad: expected two str or two iterables of str, got one of each"),
        (1, "b", "good: expected a str or an iterable of str, got int"),
    ],
)
def test_texts_that_are_no_pairs_are_refused(lm, good, bad, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        lm.compare(good, bad)


# Conditional scores


@pytest.mark.parametrize(
    "given, text", [("The dog", "sees the zebra."), ("the", ""), ("", "The dog."), ("the,", '"dog"')]
)
def test_a_conditional_score_is_the_difference_of_two_scores(exact, given, text):
    expected = exact.score(f"{given} {text}") - prefix_score(exact, exact.tokenize(given))
    assert exact.conditional_score(text, given=given) == pytest.approx(expected, abs=1e-10)


def test_in_float32_it_is_so_except_for_rounding(lm):
    given, text = "The dog sees", "the dog, the dog sees the zebra."
    expected = lm.score(f"{given} {text}") - prefix_score(lm, lm.tokenize(given))
    assert lm.conditional_score(text, given=given) == pytest.approx(expected, abs=1e-5)
    assert lm.conditional_score(text, given=given, base=2) == pytest.approx(expected / math.log(2), abs=1e-5)


@pytest.mark.xla
def test_in_float32_the_difference_of_lists_or_of_single_texts_is_equal_to_1e_6():
    words = [f"w{i}" for i in range(2000)]
    lm = make(words, hidden_dim=100)
    generator = np.random.default_rng(1)
    texts = [" ".join(generator.choice(words, int(length))) for length in generator.integers(1, 40, 70)]
    given = [" ".join(generator.choice(words, int(length))) for length in generator.integers(1, 30, 70)]
    both = [f"{one} {text}" for one, text in zip(given, texts, strict=True)]

    def differences(wholes, parts):
        parts = [sum(value for _, value, _ in rows[:-1]) for rows in parts]
        return np.subtract(wholes, parts)

    expected = differences(lm.score(both), lm.word_scores(given))
    assert expected.mean() < -100
    np.testing.assert_allclose(lm.conditional_score(texts, given=given), expected, rtol=0, atol=1e-6)
    expected = differences([lm.score(text) for text in both[:30]], [lm.word_scores(text) for text in given[:30]])
    found = [lm.conditional_score(text, given=one) for text, one in zip(texts[:30], given[:30], strict=True)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_it_is_computed_in_one_pass(lm, monkeypatch):
    calls = []
    values_of = type(lm).token_values
    monkeypatch.setattr(
        type(lm), "token_values", lambda self, encoded: calls.append(encoded) or values_of(self, encoded)
    )
    lm.conditional_score(["sees the dog.", "dog"], given=["The dog", "The dog. The"])
    ((first, second),) = calls  # the first sentence of the second text is not scored
    assert (len(first), len(second)) == (len(lm.encode("The dog sees the dog.")), len(lm.encode("The dog")))


def test_a_whole_given_sentence_has_no_effect_and_a_warning_says_so(exact, caplog):
    given, text = "The dog sees.", "The dog! The dog sees."
    assert exact.conditional_score(text, given=given) == pytest.approx(
        exact.score(f"{given} {text}") - exact.score(given), abs=1e-10
    )
    assert exact.conditional_score(text, given=given) == pytest.approx(exact.score(text), abs=1e-10)
    assert "the given text has no effect on 1 of 1 texts" in caplog.text and "split=False" in caplog.text
    caplog.clear()
    both = exact.score(f"{given} {text}", split=False) - prefix_score(exact, exact.tokenize(given))
    assert exact.conditional_score(text, given=given, split=False) == pytest.approx(both, abs=1e-10)
    exact.conditional_score(["the dog"], given=[" "])
    assert not caplog.text


def test_only_the_begun_sentence_of_a_given_text_matters(exact):
    expected = exact.conditional_score("sees the dog.", given="The dog")
    assert exact.conditional_score("sees the dog.", given="Dog! The dog") == pytest.approx(expected, abs=1e-10)


def test_characters_are_joined_as_they_are(characters):
    expected = characters.score("the dog") - prefix_score(characters, "the d")
    assert characters.conditional_score("og", given="the d") == pytest.approx(expected, abs=1e-5)
    lines = characters.score("the\ndog") - prefix_score(characters, "the\n")
    assert characters.conditional_score("dog", given="the\n") == pytest.approx(lines, abs=1e-5)


def test_one_given_text_serves_several_texts(lm):
    texts = ["sees the dog.", "dog", ""]
    expected = [lm.conditional_score(text, given="The dog") for text in texts]
    np.testing.assert_allclose(lm.conditional_score(iter(texts), given="The dog"), expected, atol=1e-6)
    np.testing.assert_allclose(lm.conditional_score(texts, given=["The dog"] * 3), expected, atol=1e-6)
    assert lm.conditional_score([], given="The").shape == (0,)


def test_conditional_sentences_have_the_tokens_of_the_text_only(lm):
    ((first, second),) = lm.conditional_sentences(["sees the zebra. The dog."], ["Dog. The dog"])
    assert (first.context, first.tokens) == (2, ["sees", "the", "zebra", ".", "SENTENCE_END"])
    assert first.text == "sees the zebra."
    assert first.known.tolist() == [True, True, False, True, True] and len(first.values) == 5
    assert (second.context, second.tokens, second.text) == (0, ["the", "dog", ".", "SENTENCE_END"], "The dog.")


def test_a_text_whose_tokens_are_not_found_is_refused(lm, monkeypatch):
    monkeypatch.setattr("theano_rnn.language_models.reading_scores.token_spans", lambda line, tokens: None)
    with pytest.raises(ValueError, match="given: cannot be separated from the text after it, 'dog'; change one"):
        lm.conditional_score("dog", given="the")


@pytest.mark.parametrize(
    "text, given, message",
    [
        (["a"], ["b", "c"], "given: expected as many texts as `text` (1), got 2"),
        ("a", ["b"], "text and given: expected two str or two iterables of str, got one of each"),
        ("a", None, "given: expected a str or an iterable of str, got NoneType"),
        ([1], ["a"], "text: expected a str, got int"),
        (["a"], [1], "given: expected a str, got int"),
    ],
)
def test_wrong_given_texts_are_refused(lm, text, given, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        lm.conditional_score(text, given=given)
