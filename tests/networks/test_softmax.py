"""The formulas of softmax and cross-entropy, against NumPy, `theano.grad` and the fused operations."""

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function, theano
from theano_rnn.networks import softmax

ROWS, WORD_DIM, HIDDEN_DIM = 7, 6, 4


with_and_without_bias = pytest.mark.parametrize("bias", [False, True])


def arguments(bias):
    """s, V, c if there is a bias, y and the mask."""
    generator = np.random.default_rng(0)
    s, V = generator.normal(size=(ROWS, HIDDEN_DIM)), generator.normal(size=(WORD_DIM, HIDDEN_DIM))
    y, mask = generator.integers(0, WORD_DIM, ROWS).astype(np.int32), np.array([1.0, 1, 0, 1, 1, 0, 1])
    return [s, V, *([generator.normal(size=WORD_DIM)] if bias else []), y, mask]


def with_c(formula, bias):
    """Adapt a formula of s, V, c, …: without a bias, it neither takes c nor returns its gradient."""

    def formula_of_arguments(s, V, *others):
        found = formula(s, V, *others) if bias else formula(s, V, None, *others)
        return [one for one in found if one is not None] if isinstance(found, tuple) else found

    return formula_of_arguments


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


@with_and_without_bias
def test_cross_entropy_is_the_sum_over_unmasked_rows(bias):
    s, V, *c, y, mask = arguments(bias)
    loss = evaluate(with_c(softmax.cross_entropy, bias), s, V, *c, y, mask)[0]
    e = np.exp(s @ V.T + (c[0] if bias else 0))
    o = e / e.sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-(np.log(o[np.arange(ROWS), y]) * mask).sum())


@with_and_without_bias
def test_the_gradients_of_cross_entropy_equal_theano_grad(bias):
    def gradients(*variables):
        loss, *by_formula = with_c(softmax.cross_entropy, bias)(*variables)
        return [*by_formula, *theano.grad(loss, list(variables[:-2]))]

    found = evaluate(gradients, *arguments(bias))
    count = 3 if bias else 2
    assert len(found) == 2 * count and np.abs(found[0]).max() > 0.1
    for by_formula, by_theano in zip(found[:count], found[count:], strict=True):
        np.testing.assert_allclose(by_formula, by_theano, atol=1e-12)


@pytest.mark.xla
@with_and_without_bias
def test_the_fused_operations_equal_the_formulas(bias):
    *inputs, mask = arguments(bias)
    fused, formula = (
        evaluate(with_c(f, bias), *inputs, mask) for f in (softmax.softmax_cross_entropy, softmax.cross_entropy)
    )
    assert len(fused) == (4 if bias else 3)
    for found, expected in zip(fused, formula, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)
    fused, formula = (
        evaluate(with_c(f, bias), *inputs) for f in (softmax.softmax_log_probability, softmax.log_probability)
    )
    np.testing.assert_allclose(fused, formula, atol=1e-12)
