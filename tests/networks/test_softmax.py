"""The formulas of softmax and cross-entropy, against NumPy, `theano.grad` and the fused operations."""

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function, theano
from theano_rnn.networks import softmax

ROWS, WORD_DIM, HIDDEN_DIM = 7, 6, 4


def arguments():
    generator = np.random.default_rng(0)
    s, V = generator.normal(size=(ROWS, HIDDEN_DIM)), generator.normal(size=(WORD_DIM, HIDDEN_DIM))
    return s, V, generator.integers(0, WORD_DIM, ROWS).astype(np.int32), np.array([1.0, 1, 0, 1, 1, 0, 1])


def evaluate(expression, *arrays):
    def build():
        variables = [T.TensorType(str(array.dtype), (False,) * array.ndim)() for array in arrays]
        return variables, expression(*variables), None

    result = compile_function(build, "float64")(*arrays)
    return [np.array(value) for value in result] if isinstance(result, (list, tuple)) else np.array(result)


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_softmax_and_its_logarithm_follow_the_formula_without_overflow(scale):
    z = np.random.default_rng(1).normal(size=(3, 5)) * scale
    shifted = z - z.max(axis=1, keepdims=True)
    expected = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    found, logarithm = evaluate(lambda z: [softmax.softmax(z), softmax.log_softmax(z)], z)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    np.testing.assert_allclose(logarithm, shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), atol=1e-12)


def test_cross_entropy_is_the_sum_over_unmasked_rows():
    s, V, y, mask = arguments()
    loss, _, _ = evaluate(softmax.cross_entropy, s, V, y, mask)
    o = np.exp(s @ V.T) / np.exp(s @ V.T).sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-(np.log(o[np.arange(ROWS), y]) * mask).sum())


def test_the_gradients_of_cross_entropy_equal_theano_grad():
    def gradients(s, V, y, mask):
        loss, ds, dV = softmax.cross_entropy(s, V, y, mask)
        return [ds, dV, *theano.grad(loss, [s, V])]

    ds, dV, expected_ds, expected_dV = evaluate(gradients, *arguments())
    assert np.abs(ds).max() > 0.1
    np.testing.assert_allclose(ds, expected_ds, atol=1e-12)
    np.testing.assert_allclose(dV, expected_dV, atol=1e-12)


@pytest.mark.xla
def test_the_fused_operations_equal_the_formulas():
    s, V, y, mask = arguments()
    fused, formula = (evaluate(f, s, V, y, mask) for f in (softmax.softmax_cross_entropy, softmax.cross_entropy))
    for found, expected in zip(fused, formula, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)
    fused, formula = (evaluate(f, s, V, y) for f in (softmax.softmax_log_probability, softmax.log_probability))
    np.testing.assert_allclose(fused, formula, atol=1e-12)
