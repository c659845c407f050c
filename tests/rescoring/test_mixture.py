"""Interpolation with another model, compared with probabilities mixed one by one."""

import contextlib
import math
import re

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.rescoring.mixture import Mixture, interpolate

OURS = [np.array([-1.0, -2.0, -0.5]), np.array([-3.0]), np.array([-0.25, -4.0])]
OTHER = [[-0.5, -1.0, -0.125], [-1.0], [-2.0, -math.inf]]
ROWS = "-0.5 -1 -0.125\n-1\n-2 -inf\n"
SRILM = (
    "a b\n\tp( a | <s> ) \t= [2gram] 0.3 [ -0.5 ]\n\tp( b | a ...) \t= [3gram] 0.1 [ -1 ]\n"
    "\tp( </s> | b ...) \t= [3gram] 0.7 [ -0.125 ]\n1 sentences, 2 words, 0 OOVs\n"
)


@pytest.fixture
def mixture(tmp_path):
    """Opens a mixture with a file of this content."""
    with contextlib.ExitStack() as stack:

        def mix(content, weight=0.3):
            (tmp_path / "other.txt").write_text(content)
            return stack.enter_context(Mixture(tmp_path / "other.txt", weight))

        yield mix


@pytest.mark.parametrize("weight", [0, 0.3, 0.5, 1])
def test_probabilities_are_mixed_token_by_token(mixture, weight):
    mix = mixture(ROWS, weight)
    for number, (values, other) in enumerate(zip(OURS, OTHER, strict=True), 1):
        expected = [
            weight * math.exp(value) + (1 - weight) * 10**log10_value
            for value, log10_value in zip(values, other, strict=True)
        ]
        np.testing.assert_allclose(np.exp(mix.mixed(values, "text.txt", number)), expected, rtol=1e-12)
    mix.finish()


def test_weights_0_and_1_are_exact():
    np.testing.assert_array_equal(interpolate(OURS[0], OTHER[0], 1), OURS[0])
    np.testing.assert_allclose(interpolate(OURS[0], OTHER[0], 0), math.log(10) * np.array(OTHER[0]), rtol=1e-15)
    np.testing.assert_array_equal(interpolate(np.array([-1.0, -math.inf]), [-math.inf, -math.inf], 0), [-math.inf] * 2)


def test_tiny_probabilities_do_not_underflow():
    (value,) = interpolate(np.array([-2000.0]), [-1000.0], 0.5)
    assert value == pytest.approx(math.log(0.5) - 2000, abs=1e-6)


def test_a_different_number_of_tokens_is_reported_with_both_places(mixture):
    mix = mixture(ROWS)
    mix.mixed(OURS[0], "text.txt", 1)
    message = "other.txt, line 2: sentence 2 has 1 token, text.txt, line 5 has 2 tokens (sentence ends counted); both "
    with pytest.raises(CorpusError, match=re.escape(message) + ".*trained on tokenized text"):
        mix.mixed(OURS[2], "text.txt", 5)


def test_a_sentence_without_an_end_is_reported(mixture):
    mix = mixture("a=1 1 -1\tb=2 1 -1\tTotal: -2 OOV: 0\n")
    message = (
        "other.txt, line 1: sentence 1 has 2 tokens and no sentence end, text.txt, line 1 has 3 tokens; score with"
    )
    with pytest.raises(CorpusError, match=message):
        mix.mixed(OURS[0], "text.txt", 1)


def test_too_few_sentences_are_reported(mixture):
    mix = mixture("-1 -2 -3\n")
    mix.mixed(OURS[0], "text.txt", 1)
    with pytest.raises(CorpusError, match=r"other.txt: ends before sentence 2 \(text.txt, line 2\)"):
        mix.mixed(OURS[1], "text.txt", 2)


@pytest.mark.parametrize("content", [ROWS, ROWS.replace(" ", "\n")])
def test_too_many_sentences_are_reported(mixture, content):
    mix = mixture(content)
    mix.mixed(OURS[0], "text.txt", 1)
    with pytest.raises(CorpusError, match=r"other.txt, line \d: continues, but the text has no sentence 2;"):
        mix.finish()


def test_a_blank_line_that_srilm_leaves_out_is_rejected_or_skipped(mixture):
    mix = mixture(SRILM)
    with pytest.raises(CorpusError, match="text.txt, line 1: is blank, but SRILM leaves out blank lines"):
        mix.mixed(OURS[1], "text.txt", 1)
    mix.skip("text.txt", 1)
    mix.mixed(OURS[0], "text.txt", 2)
    mix.finish()


def test_skipping_a_blank_line_skips_it_in_the_other_file_too(mixture):
    mix = mixture(ROWS)
    mix.mixed(OURS[0], "text.txt", 1)
    mix.skip("text.txt", 2)
    mix.mixed(OURS[2], "text.txt", 3)
    with pytest.raises(CorpusError, match="ends before sentence 4"):
        mix.skip("text.txt", 4)
