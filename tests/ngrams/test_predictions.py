"""Histories are those that a network has read when it predicts a token."""

import numpy as np
import pytest

from theano_rnn.ngrams import predictions
from theano_rnn.ngrams.predictions import as_stream, blocks_with_histories, with_histories
from theano_rnn.text import encoded_sentences
from theano_rnn.text.encoded_sentences import EncodedSentences

START, END = 0, 1


def sentences(seed=0, number=30):
    generator = np.random.default_rng(seed)
    return EncodedSentences([[START, *generator.integers(2, 6, generator.integers(0, 9)), END] for _ in range(number)])


def pairs(text, length, continuous=False):
    """[(history, latest token first; token)], computed token by token."""
    if isinstance(text, EncodedSentences) and not continuous:
        rows = [list(sentence) for sentence in text]
    elif isinstance(text, EncodedSentences):
        rows = [[START, *(one for one in text.ids if one != START)]]
    else:
        rows = [list(text)]
    return [
        (tuple(([START] * length + row[:place])[::-1][:length]), row[place])
        for row in rows
        for place in range(1, len(row))
    ]


TEXTS = {
    "sentences": (sentences(), False),
    "a slice of sentences": (sentences()[7:19], False),
    "continuous sentences": (sentences(), True),
    "characters": (np.random.default_rng(1).integers(1, 5, 200).astype(np.uint8), False),
    "one character": (np.array([1, 3], np.uint8), False),
}


@pytest.mark.parametrize("length", [0, 1, 2, 4])
@pytest.mark.parametrize("text", TEXTS)
def test_each_predicted_token_has_the_tokens_before_it(text, length):
    histories, tokens = with_histories(TEXTS[text][0], length, START, TEXTS[text][1])
    found = [(tuple(history), token) for history, token in zip(histories.T.tolist(), tokens.tolist(), strict=True)]
    assert found == pairs(TEXTS[text][0], length, TEXTS[text][1])


@pytest.mark.parametrize("length", [0, 1, 2, 4])
@pytest.mark.parametrize("text", TEXTS)
def test_blocks_have_the_histories_of_the_whole_text(text, length, monkeypatch):
    monkeypatch.setattr(encoded_sentences, "BLOCK_SIZE", 7)
    blocks = list(blocks_with_histories(TEXTS[text][0], length, START, TEXTS[text][1]))
    assert len(blocks) > 1 or text == "one character"
    histories, tokens = with_histories(TEXTS[text][0], length, START, TEXTS[text][1])
    np.testing.assert_array_equal(np.concatenate([one for one, _ in blocks], axis=1), histories)
    np.testing.assert_array_equal(np.concatenate([one for _, one in blocks]), tokens)


def test_a_stream_has_one_start():
    assert as_stream(EncodedSentences([[0, 4, 1], [0, 5, 1]]), START).tolist() == [0, 4, 1, 5, 1]
    assert predictions.as_stream(np.array([1, 4, 1]), START).tolist() == [1, 4, 1]
