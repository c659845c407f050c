"""Encoded sentences: a sequence of arrays in one array, and in files while it is written."""

import numpy as np
import pytest

from theano_rnn.text import encoded_sentences
from theano_rnn.text.encoded_sentences import EncodedSentences, EncodedSentencesWriter, concatenate, id_blocks


def random_sentences(count, longest, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(0, 50, generator.integers(2, longest + 2)) for _ in range(count)]


def test_encoded_sentences_return_each_sentence_and_its_steps():
    sentences = random_sentences(20, 9)
    encoded = EncodedSentences(sentences)
    assert len(encoded) == 20
    for one, original in zip(encoded, sentences, strict=True):
        np.testing.assert_array_equal(one, original)
    np.testing.assert_array_equal(encoded.steps, [len(one) - 1 for one in sentences])
    assert encoded.tokens == sum(len(one) - 1 for one in sentences)
    assert encoded.ids.dtype == np.int32


def test_an_index_after_the_last_sentence_is_an_index_error():
    encoded = EncodedSentences([[1, 2], [3, 4, 5]])
    with pytest.raises(IndexError):
        encoded[2]


def test_negative_indices_count_from_the_end():
    encoded = EncodedSentences([[1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(encoded[-1], [3, 4, 5])
    np.testing.assert_array_equal(encoded[-2], [1, 2])


def test_encoded_sentences_may_be_empty_or_come_from_a_generator():
    assert len(EncodedSentences([])) == 0
    assert EncodedSentences([]).tokens == 0
    assert len(EncodedSentences(one for one in [[1, 2], [3, 4]])) == 2


def test_selected_sentences_are_copies():
    encoded = EncodedSentences([[1, 2], [3, 4, 5], [6, 7]])
    some = encoded.select(np.array([True, False, True]))
    assert [one.tolist() for one in some] == [[1, 2], [6, 7]]
    assert some.ids.dtype == np.int32 and some.offsets.dtype == np.int64
    some.ids[:] = 0
    assert encoded.ids.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert len(encoded.select(np.zeros(3, bool))) == 0


def test_from_arrays_copies_nothing():
    encoded = EncodedSentences([[1, 2], [3, 4, 5]])
    again = EncodedSentences.from_arrays(encoded.ids, encoded.offsets)
    assert again.ids is encoded.ids
    assert [one.tolist() for one in again] == [[1, 2], [3, 4, 5]]


@pytest.mark.parametrize("length", [1, 20, 10_000])
def test_ranges_follow_each_other_and_have_at_most_the_requested_length(length):
    encoded = EncodedSentences(random_sentences(100, 25))
    found = list(encoded.ranges(length))
    assert [i for start, stop in found for i in range(start, stop)] == list(range(100))
    assert all(stop == start + 1 or len(encoded[start:stop].ids) <= length for start, stop in found)
    back = concatenate([encoded[start:stop] for start, stop in found])
    np.testing.assert_array_equal(back.ids, encoded.ids)
    np.testing.assert_array_equal(back.offsets, encoded.offsets)


def test_a_range_has_a_limited_number_of_sentences(monkeypatch):
    monkeypatch.setattr(encoded_sentences, "_SENTENCES_PER_RANGE", 30)
    encoded = EncodedSentences(random_sentences(100, 25))
    assert list(encoded.ranges(10_000)) == [(0, 30), (30, 60), (60, 90), (90, 100)]


@pytest.mark.parametrize("bounds", [(0, 3), (1, 2), (2, 2), (3, 1), (-2, None), (None, -1)])
def test_a_slice_gives_the_sentences_in_its_range(bounds):
    sentences = [[1, 2], [3, 4, 5], [6, 7]]
    found = EncodedSentences(sentences)[slice(*bounds)]
    assert isinstance(found, EncodedSentences)
    assert [one.tolist() for one in found] == sentences[slice(*bounds)]
    assert found.offsets[0] == 0


def test_a_slice_copies_no_ids_and_has_no_step():
    encoded = EncodedSentences([[1, 2], [3, 4, 5]])
    assert np.shares_memory(encoded[1:].ids, encoded.ids)
    with pytest.raises(ValueError, match="^step: a slice of sentences has step 1, got 2$"):
        encoded[::2]


@pytest.mark.parametrize("size", [1, 4, 100])
def test_blocks_hold_the_chosen_sentences_in_order(monkeypatch, size):
    monkeypatch.setattr(encoded_sentences, "BLOCK_SIZE", size)
    encoded = EncodedSentences(random_sentences(30, 9))
    chosen = np.arange(30) % 3 == 0
    for some, expected in ((None, encoded), (chosen, encoded.select(chosen))):
        found = concatenate(list(encoded.blocks(some)))
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.offsets, expected.offsets)
    np.testing.assert_array_equal(np.concatenate(list(id_blocks(encoded))), encoded.ids)
    assert max(map(len, id_blocks(encoded.ids))) <= size


def test_the_writer_returns_read_only_sentences_and_leaves_no_files(tmp_path):
    writer = EncodedSentencesWriter(tmp_path)
    writer.add(np.array([0, 5, 1, 0, 1], np.int32), np.array([3, 2]))
    writer.add(np.array([0, 7, 8, 1], np.int32), np.array([4]))
    found = writer.finish()
    assert [one.tolist() for one in found] == [[0, 5, 1], [0, 1], [0, 7, 8, 1]]
    assert found.ids.dtype == np.int32 and not found.ids.flags.writeable
    assert list(tmp_path.iterdir()) == []
