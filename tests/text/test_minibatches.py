"""Padded minibatches and parallel streams: every token once, and few shapes."""

import numpy as np
import pytest

from theano_rnn.text import minibatches
from theano_rnn.text.encoded_sentences import EncodedSentences
from theano_rnn.text.minibatches import (
    BUCKETS,
    TOKENS_PER_BATCH,
    bucket_length,
    count_batches,
    pad,
    padded_minibatches,
    plan_batches,
    sentence_batches,
    stream_batches,
)


def random_sentences(count, longest, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(0, 50, generator.integers(2, longest + 2)) for _ in range(count)]


def test_bucket_length_is_at_least_the_length_and_never_decreases():
    lengths = [bucket_length(length) for length in range(1, 1000)]
    assert all(bucket >= length for length, bucket in enumerate(lengths, start=1))
    assert lengths == sorted(lengths)


def test_bucket_length_of_a_bucket_is_itself():
    assert [bucket_length(bucket) for bucket in BUCKETS] == list(BUCKETS)


def test_buckets_are_few_and_grow_by_half_at_most():
    buckets = sorted({bucket_length(length) for length in range(BUCKETS[3], 3000)})
    assert len(buckets) <= 25
    assert all(after <= 1.5 * before for before, after in zip(buckets, buckets[1:], strict=False))


def test_no_sentences_give_no_minibatches():
    assert list(sentence_batches(EncodedSentences([]), 4)) == []


def test_pad_puts_sentences_in_columns_with_the_next_word_as_target():
    batch = pad([[7, 8, 9], [3, 4]], 3, 4)
    np.testing.assert_array_equal(batch.x, [[7, 3, 0], [8, 0, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(batch.y, [[8, 4, 0], [9, 0, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(batch.mask, [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert batch.x.dtype == batch.y.dtype == np.int32 and batch.mask.dtype == bool
    assert batch.tokens == 3


def test_the_default_length_of_pad_is_the_bucket_of_the_longest_sentence():
    assert pad([[0] * 3, [0] * 8], 2).x.shape == (10, 2)


@pytest.mark.parametrize("seed", [None, 5])
def test_the_plan_contains_each_sentence_once_with_a_sufficient_length(seed):
    generator = None if seed is None else np.random.default_rng(seed)
    steps = np.random.default_rng(1).integers(1, 70, 300)
    plan = plan_batches(steps, 16, generator)
    assert sorted(i for _, _, members in plan for i in members) == list(range(300))
    for length, columns, members in plan:
        assert columns == 16 and 1 <= len(members) <= 16
        assert {bucket_length(count) for count in steps[members]} == {length}


def test_the_plan_is_fixed_without_a_generator_and_depends_on_its_seed():
    steps = np.random.default_rng(1).integers(1, 30, 100)

    def order(generator):
        return [i for _, _, members in plan_batches(steps, 8, generator) for i in members]

    assert order(None) == order(None)
    assert order(np.random.default_rng(3)) == order(np.random.default_rng(3))
    assert order(np.random.default_rng(3)) != order(np.random.default_rng(4))
    assert order(np.random.default_rng(3)) != order(None)


def test_minibatches_of_very_long_sentences_have_fewer_columns():
    plan = plan_batches([20, 4 * TOKENS_PER_BATCH, 1000], 64)
    by_length = {length: columns for length, columns, _ in plan}
    assert by_length[20] == 64
    assert by_length[bucket_length(4 * TOKENS_PER_BATCH)] == 1
    thousand = bucket_length(1000)
    assert 1 < by_length[thousand] < 64
    assert by_length[thousand] * thousand <= TOKENS_PER_BATCH < (by_length[thousand] + 1) * thousand


@pytest.mark.parametrize("kind", [list, EncodedSentences])
def test_sentence_batches_yield_every_sentence_once(kind):
    sentences = random_sentences(57, 30)
    seen = {}
    for batch in sentence_batches(kind(sentences), 8, np.random.default_rng(2)):
        assert batch.x.shape == batch.y.shape == batch.mask.shape
        assert batch.x.shape[1] == 8
        assert not batch.mask[:, len(batch.sentences) :].any()
        for column, i in enumerate(batch.sentences):
            steps = batch.mask[:, column].sum()
            assert batch.mask[:steps, column].all()
            assert i not in seen
            seen[i] = [*batch.x[:steps, column], batch.y[steps - 1, column]]
            np.testing.assert_array_equal(batch.y[:steps, column], seen[i][1:])
    assert len(seen) == 57
    for i, words in seen.items():
        np.testing.assert_array_equal(words, sentences[i])


# Texts with several pools


@pytest.fixture
def small_pools(monkeypatch):
    monkeypatch.setattr(minibatches, "POOL_LENGTH", 300)
    monkeypatch.setattr(minibatches, "RANGE_LENGTH", 40)


def plain_batches(sentences, batch_size, generator):
    """(sentence numbers, x) of the minibatches of a text that is shuffled as a whole."""
    order = generator.permutation(len(sentences))
    lengths = np.array([bucket_length(len(sentences[i]) - 1) for i in order])
    groups = []
    for length in sorted(set(lengths.tolist())):
        members = order[lengths == length]
        groups += [members[i : i + batch_size] for i in range(0, len(members), batch_size)]
    return [groups[i] for i in generator.permutation(len(groups))]


def test_a_text_of_one_pool_is_shuffled_as_a_whole():
    """The results for a seed depend on this order."""
    sentences = random_sentences(200, 30)
    found = [batch.sentences for batch in sentence_batches(EncodedSentences(sentences), 8, np.random.default_rng(4))]
    for one, expected in zip(found, plain_batches(sentences, 8, np.random.default_rng(4)), strict=True):
        np.testing.assert_array_equal(one, expected)


@pytest.mark.usefixtures("small_pools")
@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("count", [1, 17, 40, 400])
def test_sentences_of_several_pools_are_yielded_once_without_extra_minibatches(count, seed):
    sentences = random_sentences(count, 25, seed=3)
    encoded = EncodedSentences(sentences)
    generator = None if seed is None else np.random.default_rng(seed)
    seen = []
    made = list(sentence_batches(encoded, 4, generator))
    for batch in made:
        seen += batch.sentences.tolist()
        for column, i in enumerate(batch.sentences):
            steps = batch.mask[:, column].sum()
            np.testing.assert_array_equal([*batch.x[:steps, column], batch.y[steps - 1, column]], sentences[i])
    assert sorted(seen) == list(range(count))
    assert len(made) == count_batches(encoded, 4) == len(plan_batches(encoded.steps, 4))


@pytest.mark.usefixtures("small_pools")
def test_pools_are_drawn_from_the_whole_text_and_depend_on_the_seed():
    encoded = EncodedSentences(random_sentences(400, 25, seed=3))

    def order(seed):
        return [i for batch in sentence_batches(encoded, 4, np.random.default_rng(seed)) for i in batch.sentences]

    assert order(0) == order(0) != order(1)
    first = sorted(order(0)[:20])
    assert first[0] < 100 and first[-1] > 300


@pytest.mark.usefixtures("small_pools")
def test_at_most_one_pool_and_the_waiting_sentences_are_in_memory():
    encoded = EncodedSentences(random_sentences(400, 25, seed=3))
    held = []

    def change(pool):
        held.append(len(pool.ids))
        return pool

    list(sentence_batches(encoded, 4, np.random.default_rng(0), change))
    assert len(held) > 5
    assert max(held) < 300 + 40 + 27 and sum(held) == len(encoded.ids)


@pytest.mark.parametrize("pool_length", [300, 2**23])
def test_each_sentence_is_changed_once(monkeypatch, small_pools, pool_length):
    monkeypatch.setattr(minibatches, "POOL_LENGTH", pool_length)
    sentences = random_sentences(300, 25, seed=5)

    def change(pool):
        return EncodedSentences.from_arrays(pool.ids + 100, pool.offsets)

    for batch in sentence_batches(EncodedSentences(sentences), 4, np.random.default_rng(0), change):
        for column, i in enumerate(batch.sentences):
            steps = batch.mask[:, column].sum()
            np.testing.assert_array_equal(batch.x[:steps, column], sentences[i][:-1] + 100)


def test_count_batches_agrees_with_sentence_batches():
    encoded = EncodedSentences([np.zeros(n, np.int32) for n in (3, 9, 2000, 2001, TOKENS_PER_BATCH, 5, 2002) * 9])
    assert count_batches(encoded, 16) == len(list(sentence_batches(encoded, 16)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_streams_of_small_id_types_give_the_same_minibatches(dtype):
    ids = np.arange(101)
    for one, other in zip(*(stream_batches(ids.astype(kind), 4, 5) for kind in (dtype, np.int32)), strict=True):
        assert one.x.dtype == one.y.dtype == np.int32
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.y, other.y)


def test_stream_batches_are_as_drawn_in_the_module_docstring():
    first, second = stream_batches(np.arange(13, dtype=np.int32), 3, 2)
    np.testing.assert_array_equal(first.x, [[0, 4, 8], [1, 5, 9]])
    np.testing.assert_array_equal(second.x, [[2, 6, 10], [3, 7, 11]])
    np.testing.assert_array_equal(second.y, [[3, 7, 11], [4, 8, 12]])
    assert first.mask.all() and second.mask.all()


@pytest.mark.parametrize(
    ("ids", "batch_size", "sequence_length"),
    [(2, 4, 5), (3, 1, 2), (4, 8, 3), (9, 8, 2), (101, 4, 5), (100, 7, 6), (103, 7, 50), (64, 3, 21), (40, 5, 100)],
)
def test_stream_batches_predict_every_character_once_in_order(ids, batch_size, sequence_length):
    chunks = list(stream_batches(np.arange(ids, dtype=np.int32), batch_size, sequence_length))
    assert len({chunk.x.shape for chunk in chunks}) == 1
    steps, columns = chunks[0].x.shape
    assert columns == batch_size and 2 <= steps <= max(2, sequence_length)
    x, y, mask = (np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in ("x", "y", "mask"))
    assert mask.dtype == bool and x.dtype == np.int32
    np.testing.assert_array_equal(x[mask] + 1, y[mask])
    # The predictions of one stream after the other are the text: each stream continues where its last chunk ended.
    np.testing.assert_array_equal(np.concatenate([y[mask[:, b], b] for b in range(batch_size)]), np.arange(1, ids))
    assert sum(chunk.tokens for chunk in chunks) == ids - 1


@pytest.mark.parametrize(("ids", "batch_size", "sequence_length"), [(101, 4, 5), (100, 7, 6), (13, 3, 2)])
def test_only_the_end_of_a_stream_is_padded(ids, batch_size, sequence_length):
    mask = np.concatenate(
        [chunk.mask for chunk in stream_batches(np.arange(ids, dtype=np.int32), batch_size, sequence_length)]
    )
    assert (np.diff(mask.astype(int), axis=0) <= 0).all()


def test_streams_start_at_equal_distances():
    chunks = list(stream_batches(np.arange(101, dtype=np.int32), 4, 5))
    starts = chunks[0].x[0]
    np.testing.assert_array_equal(starts, [0, 25, 50, 75])
    np.testing.assert_array_equal(chunks[0].sentences, np.arange(4))


@pytest.mark.parametrize("length", [1, 2, 5, 6, 300])
def test_a_column_holds_the_sentence_and_zeros_and_the_mask_tells_them_apart(length):
    ids = np.arange(1, length + 1, dtype=np.int32)
    padded, mask = minibatches.column(ids), minibatches.column_mask(ids)
    assert padded.shape == mask.shape == (bucket_length(length), 1)
    assert padded.dtype == np.int32 and mask.dtype == np.int8
    np.testing.assert_array_equal(padded[:length, 0], ids)
    assert not padded[length:].any()
    np.testing.assert_array_equal(mask[:, 0], [1] * length + [0] * (len(padded) - length))


def test_padded_minibatches_hold_every_pair_once():
    generator = np.random.default_rng(0)
    pairs = [tuple(generator.integers(1, 9, (2, length)).astype(np.int32)) for length in generator.integers(1, 40, 100)]
    found = []
    for x, y, mask in padded_minibatches(pairs):
        assert x.shape == y.shape == mask.shape
        assert not x[~mask].any() and not y[~mask].any()
        found += [(x[mask[:, b], b].tolist(), y[mask[:, b], b].tolist()) for b in range(x.shape[1]) if mask[:, b].any()]
    assert sorted(found) == sorted((x.tolist(), y.tolist()) for x, y in pairs)


def test_an_unpredicted_id_is_read_but_not_predicted():
    ids = np.array([0, 3, 4, 1, 0, 5, 1, 0, 3, 1])
    plain = list(minibatches.stream_batches(ids, 2, 3))
    masked = list(minibatches.stream_batches(ids, 2, 3, unpredicted=0))
    for one, other in zip(plain, masked, strict=True):
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.y, other.y)
        np.testing.assert_array_equal(other.mask, one.mask & (one.y != 0))
    assert sum(batch.tokens for batch in masked) == 7
