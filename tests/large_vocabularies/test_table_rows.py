"""Rows of a table are read and replaced; padding is neither."""

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function, engine_name
from theano_rnn.large_vocabularies.table_rows import (
    RowsOf,
    WithRows,
    padded,
    padded_numbers,
    rows_of,
    unpadded,
    with_rows,
)

TABLE = np.arange(15.0).reshape(5, 3)
NUMBERS = np.array([0, 3])
NEW = -np.arange(6.0).reshape(2, 3)
REPLACED = np.array([[-0.0, -1, -2], [3, 4, 5], [6, 7, 8], [-3, -4, -5], [12, 13, 14]])


def compiled_results(table, numbers, new):
    def build():
        inputs = [T.TensorType("float64", [False] * table.ndim)("table"), T.ivector("numbers")]
        inputs.append(T.TensorType("float64", [False] * table.ndim)("new"))
        return inputs, [rows_of(*inputs[:2]), with_rows(*inputs)], None

    return [np.asarray(result) for result in compile_function(build, "float64")(table, numbers, new)]


def padded_rows(rows, length):
    return np.concatenate([rows, np.full((length - len(rows), *rows.shape[1:]), 99.0)])


def test_rows_are_read_and_replaced():
    read, replaced = compiled_results(TABLE, NUMBERS.astype(np.int32), NEW)
    np.testing.assert_array_equal(read, TABLE[NUMBERS])
    np.testing.assert_array_equal(replaced, REPLACED)


def test_the_elements_of_a_vector_are_its_rows():
    read, replaced = compiled_results(TABLE[:, 0].copy(), NUMBERS.astype(np.int32), NEW[:, 0].copy())
    np.testing.assert_array_equal(read, [0, 9])
    np.testing.assert_array_equal(replaced, REPLACED[:, 0])


def test_padding_replaces_no_row():
    numbers = padded_numbers(NUMBERS, 4, len(TABLE))
    read, replaced = compiled_results(TABLE, numbers, padded_rows(NEW, len(numbers)))
    np.testing.assert_array_equal(read[:2], TABLE[NUMBERS])
    assert np.isfinite(read).all()
    np.testing.assert_array_equal(replaced, REPLACED)


def test_numpy_computes_the_same():
    numbers, storage = padded(NUMBERS, 4, len(TABLE)), [[None]]
    RowsOf().perform(None, [TABLE, numbers], storage)
    np.testing.assert_array_equal(storage[0][0], TABLE[[0, 3, 4, 4]])
    WithRows().perform(None, [TABLE, numbers, padded_rows(NEW, 4)], storage)
    np.testing.assert_array_equal(storage[0][0], REPLACED)
    np.testing.assert_array_equal(TABLE, np.arange(15.0).reshape(5, 3))


def test_only_an_engine_that_compiles_for_each_shape_needs_padding():
    assert padded(NUMBERS, 4, 5).tolist() == [0, 3, 5, 5]
    assert unpadded(NUMBERS, 4, 5).tolist() == [0, 3]
    assert padded_numbers is {"pytensor": padded, "theano": unpadded}[engine_name()]
    assert padded_numbers(NUMBERS, 2, 5).dtype == np.int32


@pytest.mark.parametrize("function", [padded, unpadded])
def test_numbers_without_padding_stay_as_they_are(function):
    assert function(NUMBERS, 2, 5).tolist() == [0, 3]
