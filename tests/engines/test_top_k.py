"""The k largest values of each row, on both engines and in NumPy."""

import numpy as np
import pytest

from theano_rnn.engines.engine import T, as_numpy, compile_function
from theano_rnn.engines.top_k import BLOCK, TopK


def top_k(z, k):
    def build():
        symbol = T.matrix("z", dtype=str(z.dtype))
        return [symbol], TopK(k)(symbol), None

    return [as_numpy(result) for result in compile_function(build, str(z.dtype))(z)]


def check(z, k):
    """The results of the engine and of NumPy are those of a stable sort."""
    order = np.argsort(-z, axis=1, kind="stable")[:, :k]
    storage = [[None], [None]]
    TopK(k).perform(None, [z], storage)
    for values, ids in (top_k(z, k), [one for (one,) in storage]):
        np.testing.assert_array_equal(ids, order)
        np.testing.assert_array_equal(values, np.take_along_axis(z, order, axis=1))
        assert ids.dtype == np.int32 and values.dtype == z.dtype


def tied_rows(width, values=4):
    return np.random.default_rng(0).integers(0, values, (6, width)).astype(np.float64)


# Below and above the width from which blocks are looked at, and no multiple of a block.
@pytest.mark.parametrize(("width", "k"), [(10, 4), (10, 1), (10, 10), (BLOCK * 9, 4), (BLOCK * 20 + 7, 5), (700, 1)])
def test_it_equals_a_stable_sort(width, k):
    generator = np.random.default_rng(1)
    random, tied = generator.normal(size=(6, width)), tied_rows(width)
    with_infinity, only_infinity = random.copy(), random.copy()
    with_infinity[:, 3] = -np.inf
    only_infinity[0] = -np.inf
    only_infinity[1:, 1:] = -np.inf
    only_infinity[2:, -1] = 2.0
    check(np.concatenate([random, tied, with_infinity, only_infinity, np.zeros((1, width))]), k)


def test_equal_values_of_different_blocks_keep_their_order():
    z = np.zeros((2, BLOCK * 20 + 7))
    z[0, [BLOCK * 20 + 6, BLOCK * 7, BLOCK * 7 + 1, 5]] = 1.0
    z[1, [BLOCK * 20 + 6, BLOCK * 3]] = 2.0
    check(z, 3)


def test_single_precision_stays_single():
    check(np.random.default_rng(2).normal(size=(3, 900)).astype(np.float32), 3)
