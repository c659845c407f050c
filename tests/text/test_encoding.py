"""From sentences to ids: what is held out, and which words the vocabulary keeps."""

import logging

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.text.encoding import choose_held_out, most_frequent


def test_the_requested_share_is_held_out():
    chosen = choose_held_out(100, 0.13, seed=4)
    assert (chosen.dtype, chosen.shape, chosen.sum()) == (bool, (100,), 13)
    assert (chosen != choose_held_out(100, 0.13, seed=5)).any()


def test_nothing_is_held_out_if_the_share_is_zero_or_the_text_is_too_short(caplog):
    assert not choose_held_out(3, 0.0, seed=1).any()
    assert caplog.text == ""
    with caplog.at_level(logging.INFO):
        assert not choose_held_out(1, 0.05, seed=1).any()
    assert "too little text to hold any out" in caplog.text


def test_at_least_one_sentence_is_held_out():
    assert choose_held_out(2, 0.05, seed=1).sum() == 1


def test_a_text_without_sentences_is_rejected():
    with pytest.raises(CorpusError, match="the text contains no sentences to learn from"):
        choose_held_out(0, 0.05, seed=1)


def test_the_most_frequent_words_include_all_ties_with_the_last():
    frequencies = np.array([5, 0, 2, 9, 2, 1])
    for size, min_count, kept in [(2, 1, [0, 3]), (3, 1, [0, 2, 3, 4]), (9, 1, [0, 2, 3, 4, 5]), (9, 99, [3])]:
        assert most_frequent(frequencies, size, min_count).tolist() == kept
    for nothing in (np.zeros(0, np.int64), np.zeros(2, np.int64)):
        assert most_frequent(nothing, 9, 1).tolist() == []
