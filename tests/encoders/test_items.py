"""Items in minibatches: every item once, padded at the end, the same each time."""

import numpy as np
import pytest

from theano_rnn.encoders.items import Items

LENGTHS = (3, 7, 1, 12, 5, 5, 2)


def items(per_step=False, frames=False):
    generator = np.random.default_rng(0)
    ids = [generator.integers(0, 9, (2, n)).astype(np.int32) for n in LENGTHS]
    labels = [generator.integers(0, 3, n) if per_step else generator.integers(0, 3) for n in LENGTHS]
    return Items(ids, labels, [generator.normal(size=(n, 4)) for n in LENGTHS] if frames else None, per_step)


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
def test_every_item_is_in_one_column_with_its_labels_and_frames(per_step, shuffled):
    data = items(per_step, frames=True)
    generator = np.random.default_rng(1) if shuffled else None
    batches = list(data.minibatches(3, generator))
    assert len(batches) == data.count_batches(3)
    assert sorted(i for batch in batches for i in batch.members) == list(range(len(data)))
    assert sum(batch.predictions for batch in batches) == data.predictions
    assert sum(batch.tokens for batch in batches) == data.tokens == sum(LENGTHS)
    assert sum(batch.items for batch in batches) == len(LENGTHS)
    for batch in batches:
        for column, i in enumerate(batch.members):
            n = LENGTHS[i]
            assert batch.inputs.lengths[column] == n
            np.testing.assert_array_equal(batch.inputs.ids[:, :n, column], data.ids[i])
            np.testing.assert_array_equal(batch.inputs.frames[:n, column], data.frames[i])
            np.testing.assert_array_equal(batch.y[:n, column] if per_step else batch.y[column], data.labels[i])
            assert not batch.inputs.ids[:, n:, column].any()
        assert not batch.inputs.lengths[len(batch.members) :].any()


def test_held_out_items_are_a_share_that_the_seed_chooses():
    data = items()
    train, valid = data.split(0.3, seed=1)
    assert (len(train), len(valid)) == (5, 2)
    keys = [one.tobytes() for part in (train, valid) for one in part.ids]
    assert sorted(keys) == sorted(one.tobytes() for one in data.ids)
    again = data.split(0.3, seed=1)[1]
    assert again.fingerprint() == valid.fingerprint() != train.fingerprint()
    assert data.split(0.01, seed=1) == (data, None)
    assert len(data.split(0.999, seed=1)[0]) == 1


def test_the_fingerprint_depends_on_labels_and_ids():
    one, other = items(), items()
    assert one.fingerprint() == other.fingerprint()
    other.labels[0] = 2 if one.labels[0] != 2 else 1
    assert one.fingerprint() != other.fingerprint()


def test_noise_is_applied_to_training_alone():
    data = items()
    noise = lambda ids, generator: np.full_like(ids, 8)  # noqa: E731
    batch = next(data.minibatches(10, np.random.default_rng(0), noise))
    assert (batch.inputs.ids[:, 0] == 8).any()
    assert list(Items([]).minibatches(2)) == []
