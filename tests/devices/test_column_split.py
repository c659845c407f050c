"""Minibatches whose columns the devices cannot share equally get columns of zeros, which results do not have."""

import numpy as np
import pytest

from theano_rnn.devices.column_split import ColumnSplit

ARRAYS = [np.float32(0.5), np.arange(6).reshape(2, 3), np.ones((3, 2)), np.arange(3)]
SPLIT = ColumnSplit(2, [None, 1, 0, None], [None, 0])


def test_zeros_are_added_at_the_end_of_the_columns_and_nowhere_else():
    (number, x, states, words), added = SPLIT.padded(ARRAYS)
    assert added == 1
    assert number is ARRAYS[0] and words is ARRAYS[3]
    np.testing.assert_array_equal(x, [[0, 1, 2, 0], [3, 4, 5, 0]])
    np.testing.assert_array_equal(states, [[1, 1], [1, 1], [1, 1], [0, 0]])
    assert x.dtype == ARRAYS[1].dtype


@pytest.mark.parametrize(("devices", "columns", "added"), [(2, 4, 0), (4, 4, 0), (4, 5, 3), (4, 1, 3), (3, 7, 2)])
def test_every_device_gets_the_same_number_of_columns(devices, columns, added):
    arrays, found = ColumnSplit(devices, [0], []).padded([np.ones(columns)])
    assert found == added and len(arrays[0]) % devices == 0 and arrays[0].sum() == columns


def test_a_minibatch_that_divides_is_not_copied():
    arrays, added = ColumnSplit(3, [None, 1, 0, None], []).padded(ARRAYS)
    assert added == 0 and all(one is other for one, other in zip(arrays, ARRAYS, strict=True))


def test_a_function_without_columns_needs_no_padding():
    assert ColumnSplit(2, [None], []).padded([np.arange(3)])[1] == 0


def test_added_columns_are_removed_from_outputs_with_columns_only():
    loss, states, parameter = np.float32(1), np.arange(8).reshape(4, 2), np.arange(4)
    found = SPLIT.without_added([loss, states, parameter], 1)
    assert found[0] is loss and found[2] is parameter
    np.testing.assert_array_equal(found[1], [[0, 1], [2, 3], [4, 5]])
    assert SPLIT.without_added([loss, states, parameter], 0)[1] is states
