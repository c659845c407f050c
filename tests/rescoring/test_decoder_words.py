"""Words as decoders pass them, of any number of tokens."""

import numpy as np
import pytest
from support.language_models import make

from theano_rnn.engines.engine import precision
from theano_rnn.rescoring.decoder_words import DecoderWords


@pytest.fixture(scope="module")
def lm():
    with precision("float64"):
        return make(["i", "do", "n't", "know", "'m"])


def test_the_sum_over_words_is_the_score_of_the_sentence(lm):
    words, state, total = DecoderWords(lm), lm.state(), 0.0
    for word, expected in (("I", True), ("don't", True), ("KNOW", True), ("zebras", False), ("", True), ("i'm", True)):
        state, value, known = words.advance(state, word)
        total += value
        assert known is expected
    assert total + words.end(state) == pytest.approx(lm.score("I don't know zebras i'm", split=False), abs=1e-10)


@pytest.mark.parametrize("spaced", [True, False])
def test_characters_are_joined_with_or_without_spaces(spaced):
    with precision("float64"):
        lm = make(["a", "b", " "], level="char")
    words, state, total = DecoderWords(lm, spaced), lm.state(), 0.0
    for word in ("ab", "", "b", "ba"):
        state, value, known = words.advance(state, word)
        total += value
        assert known
    text = "ab b ba" if spaced else "abbba"
    assert total + words.end(state) == pytest.approx(lm.score(text), abs=1e-10)


def test_no_word_is_refused(lm):
    generator = np.random.default_rng(0)
    words = DecoderWords(lm)
    for _ in range(2000):
        word = "".join(generator.choice(list("aimnotdv'.,:-\"`\u2019 \u00e9A"), generator.integers(0, 7)))
        state, value, _ = words.advance(lm.state(), word)
        assert value < 0 or state == lm.state(), word
