"""Padding sentences to fixed lengths loses no word and marks the padding."""

import numpy as np
import pytest
from theano_rnn.networks.padding import column, column_mask, padded_minibatches

from theano_rnn.text.minibatches import bucket_length


@pytest.mark.parametrize("length", [1, 2, 5, 6, 300])
def test_a_column_holds_the_sentence_and_zeros_and_the_mask_tells_them_apart(length):
    ids = np.arange(1, length + 1, dtype=np.int32)
    padded, mask = column(ids), column_mask(ids)
    assert padded.shape == mask.shape == (bucket_length(length), 1)
    assert padded.dtype == np.int32 and mask.dtype == np.int8
    np.testing.assert_array_equal(padded[:length, 0], ids)
    assert not padded[length:].any()
    np.testing.assert_array_equal(mask[:, 0], [1] * length + [0] * (len(padded) - length))


def test_minibatches_hold_every_pair_once():
    generator = np.random.default_rng(0)
    pairs = [tuple(generator.integers(1, 9, (2, length)).astype(np.int32)) for length in generator.integers(1, 40, 100)]
    found = []
    for x, y, mask in padded_minibatches(pairs):
        assert x.shape == y.shape == mask.shape
        assert not x[~mask].any() and not y[~mask].any()
        found += [(x[mask[:, b], b].tolist(), y[mask[:, b], b].tolist()) for b in range(x.shape[1]) if mask[:, b].any()]
    assert sorted(found) == sorted((x.tolist(), y.tolist()) for x, y in pairs)
