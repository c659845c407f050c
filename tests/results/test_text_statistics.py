"""The figures of texts against plain sums."""

import math

import numpy as np
import pytest

from theano_rnn.results.text_statistics import TextStatistics, Tokens

SENTENCES = [
    (np.array([-1.0, -2.5, -0.25]), np.array([True, False, True])),
    (np.array([-0.5]), np.array([True])),
    (np.array([-3.0, -4.0, -math.inf, -1.0]), np.array([False, True, False, True])),
]


def figures(sentences):
    total = TextStatistics()
    for values, known in sentences:
        total.add(TextStatistics.of(values, known))
    return total


def test_sentences_words_tokens_and_unknown_words_are_counted():
    total = figures(SENTENCES)
    assert (total.sentences, total.words, total.tokens, total.unknown) == (3, 5, 8, 3)


def test_both_perplexities_are_those_of_a_plain_loop():
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


def test_an_impossible_token_makes_the_perplexity_infinite_where_it_counts():
    total = figures(SENTENCES)
    assert total.including.impossible == 1 and total.including.finite_log_probability == pytest.approx(-12.25)
    assert total.including.log_probability == -math.inf and total.including.perplexity == math.inf
    assert total.excluding.impossible == 0 and total.excluding.perplexity == pytest.approx(math.exp(6.75 / 5))


def test_figures_of_one_sentence_do_not_change_with_the_totals_they_are_added_to():
    sentence = TextStatistics.of(*SENTENCES[1])
    total = TextStatistics()
    for _ in range(3):
        total.add(sentence)
    assert total.including == total.excluding == Tokens(3, 0, -1.5)
    assert sentence.including == Tokens(1, 0, -0.5)
