import math

import numpy as np
import pytest

from theano_rnn.surprisal import CorpusFigures, readable, surprisal


def test_surprisal_is_minus_the_binary_logarithm():
    probabilities = np.array([1.0, 0.5, 0.25, 0.3, 1e-30])
    expected = [0, 1, 2, -math.log2(0.3), 30 * math.log2(10)]
    np.testing.assert_allclose(surprisal(np.log(probabilities)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-9])
def test_what_is_certain_has_no_surprisal_whatever_its_sign(value):
    assert str(surprisal(np.array([value]))[0]) == "0.0"


def test_the_figures_of_a_corpus_are_sums_over_its_sentences():
    sentences = [([0.5, 0.25], [True, True]), ([0.125, 0.5, 0.5], [False, True, True]), ([1.0], [True])]
    figures = CorpusFigures()
    for probabilities, known in sentences:
        figures.add(np.log(probabilities), np.array(known))
    assert (figures.sentences, figures.tokens, figures.words, figures.unknown) == (3, 6, 3, 1)
    assert figures.unknown_share == pytest.approx(1 / 3)
    assert figures.log_probability == pytest.approx(-8 * math.log(2), abs=1e-12)
    assert figures.bits_per_token == pytest.approx(8 / 6, abs=1e-12)
    assert figures.perplexity == pytest.approx(2 ** (8 / 6), abs=1e-12)
    alone = CorpusFigures.of(np.log(sentences[1][0]), np.array(sentences[1][1]))
    assert (alone.sentences, alone.tokens, alone.unknown) == (1, 3, 1)
    assert alone.bits_per_token == pytest.approx(5 / 3, abs=1e-12)


def test_blank_lines_alone_have_no_share_of_unknown_words():
    assert CorpusFigures.of(np.log([0.5]), np.array([True])).unknown_share == 0


@pytest.mark.parametrize(
    "perplexity, shown", [(1, "1.00"), (1234.567, "1,234.57"), (1.5e300, "1.50e+300"), (math.inf, "inf")]
)
def test_a_perplexity_stays_short(perplexity, shown):
    assert readable(perplexity) == shown
