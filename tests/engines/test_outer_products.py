"""The operation has the value of its formula, whichever of the two products is computed."""

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function
from theano_rnn.engines.outer_products import SumOfOuterProducts, formula, sum_of_outer_products


@pytest.mark.parametrize("width", [2, 4, 9])
def test_the_sum_of_outer_products_is_the_product_of_the_transpose(width):
    delta, s = np.random.default_rng(0).normal(size=(6, width)), np.random.default_rng(1).normal(size=(6, 4))

    def build():
        inputs = [T.dmatrix("delta"), T.dmatrix("s")]
        return inputs, [sum_of_outer_products(*inputs), sum_of_outer_products(*inputs).T, formula(*inputs)], None

    expected = sum(np.outer(a, b) for a, b in zip(delta, s, strict=True))
    found, transposed, by_formula = map(np.asarray, compile_function(build, "float64")(delta, s))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(transposed, expected.T, rtol=0, atol=1e-14)
    np.testing.assert_allclose(by_formula, expected, rtol=0, atol=1e-14)


def test_numpy_computes_the_same():
    delta, s, storage = np.arange(6.0).reshape(3, 2), np.arange(12.0).reshape(3, 4), [[None]]
    SumOfOuterProducts.perform(None, None, [delta, s], storage)
    np.testing.assert_array_equal(storage[0][0], delta.T @ s)
