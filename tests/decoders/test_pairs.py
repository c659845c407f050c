"""Pairs in minibatches: every pair once, padded; parts and checksums."""

import numpy as np
import pytest

from theano_rnn.decoders.pairs import Pairs, padded_sources, padded_targets
from theano_rnn.text.minibatches import bucket_length

START, END = 0, 1


def targets_of(lengths, seed=0):
    generator = np.random.default_rng(seed)
    return [np.array([START, *generator.integers(2, 9, n), END], np.int32) for n in lengths]


def word_pairs(count=50, seed=0):
    generator = np.random.default_rng(seed)
    sources = [generator.integers(2, 9, n).astype(np.int32) for n in generator.integers(1, 25, count)]
    return Pairs(sources, targets_of(generator.integers(0, 25, count), seed))


def feature_pairs(images=7, seed=0):
    generator = np.random.default_rng(seed)
    rows = [image for image in range(images) for _ in range(1 + image % 3)]
    features = generator.normal(size=(images, 4)).astype(np.float32)
    return Pairs(rows, targets_of(generator.integers(0, 12, len(rows)), seed), features)


def contents(pairs):
    """The pairs that are in minibatches, in order, and which they are."""
    members, found = [], []
    for batch in pairs.minibatches(4):
        x, y, lengths = batch.target
        for column, member in enumerate(batch.members):
            source = batch.source.features[column] if batch.source.features is not None else None
            if source is None:
                source = batch.source.x[: batch.source.lengths[column], column]
            found.append((source, x[: lengths[column], column], y[: lengths[column], column]))
            members.append(int(member))
    return members, found


@pytest.mark.parametrize("pairs", [word_pairs(), feature_pairs()], ids=["words", "features"])
def test_every_pair_is_in_one_minibatch_once(pairs):
    members, found = contents(pairs)
    assert sorted(members) == list(range(len(pairs)))
    for member, (source, x, y) in zip(members, found, strict=True):
        expected = pairs.sources[member] if pairs.features is None else pairs.features[pairs.sources[member]]
        np.testing.assert_array_equal(source, expected)
        np.testing.assert_array_equal(x, pairs.targets[member][:-1])
        np.testing.assert_array_equal(y, pairs.targets[member][1:])


@pytest.mark.parametrize("pairs", [word_pairs(), feature_pairs()], ids=["words", "features"])
def test_minibatches_are_padded_with_zeros_to_few_lengths_that_both_sides_share(pairs):
    words = 0
    for batch in pairs.minibatches(4):
        x, y, lengths = batch.target
        assert x.shape == y.shape == (bucket_length(len(x)), 4) and lengths.shape == (4,)
        assert batch.items == len(batch.members) and (lengths[batch.items :] == 0).all()
        assert batch.predictions == batch.tokens == lengths.sum()
        beyond = np.arange(len(x))[:, None] >= lengths
        assert (x[beyond] == 0).all() and (y[beyond] == 0).all()
        if batch.source.features is None:
            assert batch.source.x.shape == x.shape and batch.source.features is None
            assert (batch.source.x[np.arange(len(x))[:, None] >= batch.source.lengths] == 0).all()
            assert batch.source.arrays()[0].dtype == np.int32
        else:
            assert batch.source.x is None and (batch.source.features[batch.items :] == 0).all()
        words += batch.predictions
    assert words == pairs.predictions == pairs.tokens == sum(len(ids) - 1 for ids in pairs.targets)


def test_a_generator_shuffles_pairs_and_minibatches_but_not_which_pairs_there_are():
    pairs = word_pairs()

    def order(seed):
        generator = None if seed is None else np.random.default_rng(seed)
        return [batch.members.tolist() for batch in pairs.minibatches(4, generator)]

    assert order(1) == order(1) and order(None) == order(None)
    assert order(1) != order(2) and order(1) != order(None)
    for seed in (None, 1, 2):
        assert sorted(member for batch in order(seed) for member in batch) == list(range(len(pairs)))
        assert len(order(seed)) == pairs.count_batches(4)


def test_batches_of_long_pairs_have_fewer_columns():
    pairs = Pairs([np.full(9000, 3, np.int32)] * 3, targets_of([2, 2, 2]))
    batches = list(pairs.minibatches(8))
    assert [batch.items for batch in batches] == [1, 1, 1] and pairs.count_batches(8) == 3
    assert batches[0].source.x.shape[1] == 1


def test_no_pairs_have_no_minibatches():
    pairs = Pairs([], [])
    assert list(pairs.minibatches(4)) == [] and pairs.predictions == len(pairs) == 0
    assert pairs.count_batches(4) == 0


# Parts


@pytest.mark.parametrize("of", ["words", "features"])
def test_a_split_keeps_all_pairs_of_a_source_together(of):
    if of == "features":
        pairs = feature_pairs(images=20)
    else:
        some = word_pairs(20)
        pairs = Pairs([source for source in some.sources for _ in range(2)], targets_of(range(40)))
    training, held_out = pairs.split(0.25, seed=1)
    assert len(training) + len(held_out) == len(pairs)

    def keys(part):
        return {np.asarray(source).tobytes() for source in part.sources}

    assert not keys(training) & keys(held_out)
    assert len(keys(held_out)) == round(0.25 * len(keys(pairs)))
    assert training.features is pairs.features

    def identities(part):
        return [(np.asarray(s).tobytes(), t.tobytes()) for s, t in zip(part.sources, part.targets, strict=True)]

    assert sorted(identities(training) + identities(held_out)) == sorted(identities(pairs))
    again, _ = pairs.split(0.25, seed=1)
    other, _ = pairs.split(0.25, seed=2)
    assert identities(again) == identities(training) != identities(other)


def test_a_split_leaves_something_to_learn():
    pairs = Pairs([np.array([3], np.int32)] * 5, targets_of([1] * 5))
    assert pairs.split(0.9, seed=1) == (pairs, None)  # all have the same source
    pairs = word_pairs(10)
    assert pairs.split(0.0, seed=1)[1] is None and pairs.split(0.04, seed=1)[1] is None
    training, held_out = pairs.split(0.99, seed=1)
    assert len(training) == 1 and len(held_out) == 9


def test_selected_pairs_are_in_the_given_order():
    pairs = feature_pairs()
    chosen = pairs.select([3, 0])
    assert chosen.sources == [pairs.sources[3], pairs.sources[0]] and chosen.features is pairs.features
    np.testing.assert_array_equal(chosen.targets[1], pairs.targets[0])


def test_a_fingerprint_changes_with_any_id_feature_order_or_division():
    pairs, with_features = word_pairs(), feature_pairs()
    changed = [array.copy() for array in pairs.targets]
    changed[3][1] += 1
    features = with_features.features.copy()
    features[1, 2] += 1
    first, second, *others = pairs.sources
    variants = [
        pairs,
        Pairs(pairs.sources, changed),
        Pairs(changed, pairs.targets),
        Pairs(pairs.targets, pairs.sources),
        pairs.select(range(len(pairs) - 1)),
        pairs.select([1, 0, *range(2, len(pairs))]),
        Pairs([np.concatenate([first, second[:1]]), second[1:], *others], pairs.targets),
        with_features,
        Pairs(with_features.sources, with_features.targets, features),
        Pairs(with_features.sources[::-1], with_features.targets, with_features.features),
    ]
    assert len({one.fingerprint() for one in variants}) == len(variants)
    assert word_pairs().fingerprint() == pairs.fingerprint()


# One minibatch


def test_sources_and_targets_alone_have_the_lengths_of_buckets_unless_told():
    source = padded_sources([np.array([3, 4, 5], np.int32), np.array([6], np.int32)], columns=3)
    assert source.x.shape == (bucket_length(3), 3) and source.lengths.tolist() == [3, 1, 0]
    assert source.x[:3].T.tolist() == [[3, 4, 5], [6, 0, 0], [0, 0, 0]]
    x, y, lengths = padded_targets([np.array([0, 5, 1], np.int32)], columns=2, length=4)
    assert x.T.tolist() == [[0, 5, 0, 0], [0] * 4] and y.T.tolist() == [[5, 1, 0, 0], [0] * 4]
    assert lengths.tolist() == [2, 0]
    assert padded_targets([np.array([0, 5, 1], np.int32)], columns=2)[0].shape == (bucket_length(2), 2)
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    found = padded_sources([2, 0], columns=3, features=features).features
    assert found.tolist() == [[4, 5], [0, 1], [0, 0]] and found.dtype == np.float32
