import math

import numpy as np
import pytest

from theano_rnn.results.surprisal import bits_per_token, readable, surprisal
from theano_rnn.results.text_statistics import Tokens


def test_surprisal_is_minus_the_binary_logarithm():
    probabilities = np.array([1.0, 0.5, 0.25, 0.3, 1e-30])
    expected = [0, 1, 2, -math.log2(0.3), 30 * math.log2(10)]
    np.testing.assert_allclose(surprisal(np.log(probabilities)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-9])
def test_what_is_certain_has_no_surprisal_whatever_its_sign(value):
    assert str(surprisal(np.array([value]))[0]) == "0.0"


def test_the_bits_per_token_are_their_mean():
    tokens = Tokens.of(np.log([0.5, 0.25, 0.125, 1.0]))
    assert bits_per_token(tokens) == pytest.approx(6 / 4, abs=1e-12)
    assert 2 ** bits_per_token(tokens) == pytest.approx(tokens.perplexity, abs=1e-12)
    assert str(bits_per_token(Tokens.of(np.log([1.0])))) == "0.0"
    assert bits_per_token(Tokens.of(np.array([-np.inf, -1.0]))) == math.inf


@pytest.mark.parametrize(
    "perplexity, shown", [(1, "1.00"), (1234.567, "1,234.57"), (1.5e300, "1.50e+300"), (math.inf, "inf")]
)
def test_a_perplexity_stays_short(perplexity, shown):
    assert readable(perplexity) == shown
