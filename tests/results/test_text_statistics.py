"""Totals of texts, compared with plain sums."""

import math

import numpy as np
import pytest

from theano_rnn.results.text_statistics import TextStatistics, TokenTotals, surprisal

SENTENCES = [
    (np.array([-1.0, -2.5, -0.25]), np.array([True, False, True])),
    (np.array([-0.5]), np.array([True])),
    (np.array([-3.0, -4.0, -math.inf, -1.0]), np.array([False, True, False, True])),
]


def figures(sentences):
    total = TextStatistics()
    for values, known in sentences:
        total.add(TextStatistics.of_sentence(values, known))
    return total


def test_sentences_words_tokens_and_unknown_words_are_counted():
    total = figures(SENTENCES)
    assert (total.sentences, total.words, total.tokens, total.unknown) == (3, 5, 8, 3)


def test_both_perplexities_equal_those_of_a_plain_loop():
    total = figures(SENTENCES[:2])
    pairs = [(value, known) for sentence in SENTENCES[:2] for value, known in zip(*sentence, strict=True)]
    for kind, values in (
        ("include", [value for value, _ in pairs]),
        ("exclude", [value for value, known in pairs if known]),
    ):
        counted = total.counted(kind)
        assert counted.number == len(values) and counted.impossible == 0
        assert counted.log_probability == pytest.approx(sum(values), abs=1e-12)
        assert counted.perplexity == pytest.approx(math.exp(-sum(values) / len(values)), rel=1e-12)


def test_an_impossible_token_that_counts_makes_the_perplexity_infinite():
    total = figures(SENTENCES)
    assert total.with_unknown.impossible == 1 and total.with_unknown.finite_log_probability == pytest.approx(-12.25)
    assert total.with_unknown.log_probability == -math.inf and total.with_unknown.perplexity == math.inf
    assert total.without_unknown.impossible == 0
    assert total.without_unknown.perplexity == pytest.approx(math.exp(6.75 / 5))


def test_adding_a_sentence_does_not_change_its_own_totals():
    sentence = TextStatistics.of_sentence(*SENTENCES[1])
    total = TextStatistics()
    for _ in range(3):
        total.add(sentence)
    assert total.with_unknown == total.without_unknown == TokenTotals(3, 0, -1.5)
    assert sentence.with_unknown == TokenTotals(1, 0, -0.5)


def test_surprisal_is_the_negative_binary_logarithm():
    probabilities = np.array([1.0, 0.5, 0.25, 0.3, 1e-30])
    expected = [0, 1, 2, -math.log2(0.3), 30 * math.log2(10)]
    np.testing.assert_allclose(surprisal(np.log(probabilities)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-9])
def test_a_certain_token_has_surprisal_zero_without_a_sign(value):
    assert str(surprisal(np.array([value]))[0]) == "0.0"


def test_bits_per_token_is_the_mean_surprisal():
    tokens = TokenTotals.of(np.log([0.5, 0.25, 0.125, 1.0]))
    assert tokens.bits_per_token == pytest.approx(6 / 4, abs=1e-12)
    assert 2**tokens.bits_per_token == pytest.approx(tokens.perplexity, abs=1e-12)
    assert str(TokenTotals.of(np.log([1.0])).bits_per_token) == "0.0"
    assert TokenTotals.of(np.array([-np.inf, -1.0])).bits_per_token == math.inf
