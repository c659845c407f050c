"""Softmax and cross-entropy: XLA's versions, at once and in chunks, against the NumPy formulas."""

import numpy as np
import pytest

from theano_rnn.engines import chunked_softmax
from theano_rnn.engines.engine import T, compile_function
from theano_rnn.networks.softmax import softmax_cross_entropy, softmax_log_probability

WORD_DIM, HIDDEN_DIM = 13, 5
# Rows per chunk: more than there are; a divisor of their number; not a divisor; one.
CHUNKS = {"one chunk": 640, "chunks that fit": 8, "chunks with a remainder": 5, "single rows": 1}


@pytest.fixture(params=["few words", "many words"], autouse=True)
def few_words(request, monkeypatch):
    """Runs each test for both algorithms: the one for small vocabularies, and the one that gathers and scatters."""
    monkeypatch.setattr(chunked_softmax, "MIN_ROWS", 1)
    monkeypatch.setattr(chunked_softmax, "FEW_WORDS", WORD_DIM if request.param == "few words" else WORD_DIM - 1)


def arguments(count=24, seed=0, scale=1.0):
    generator = np.random.default_rng(seed)
    s, V = generator.normal(size=(count, HIDDEN_DIM)) * scale, generator.normal(size=(WORD_DIM, HIDDEN_DIM))
    return s, V, generator.integers(0, WORD_DIM, count).astype(np.int32), (generator.random(count) < 0.7) * 1.0


def compiled(op, dtype="float64"):
    def build():
        variables = [T.matrix("s", dtype=dtype), T.matrix("V", dtype=dtype), T.ivector("y")]
        if op is softmax_cross_entropy:
            variables.append(T.vector("mask", dtype=dtype))
        return variables, op(*variables), None

    return compile_function(build, dtype)


def performed(op, *inputs):
    storage = [[None] for _ in range(3 if op is softmax_cross_entropy else 1)]
    operation = chunked_softmax.SoftmaxCrossEntropy() if len(storage) == 3 else chunked_softmax.SoftmaxLogProbability()
    operation.perform(None, list(inputs), storage)
    return [value[0] for value in storage]


@pytest.fixture(params=CHUNKS)
def chunked(request, monkeypatch):
    for name in ("OUTPUTS_PER_CHUNK", "SCORED_OUTPUTS_PER_CHUNK"):
        monkeypatch.setattr(chunked_softmax, name, CHUNKS[request.param] * WORD_DIM)


def test_numpys_softmax_is_the_formula():
    z = np.random.default_rng(0).normal(size=(4, 7))
    np.testing.assert_allclose(chunked_softmax.softmax(z), np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), rtol=1e-14)


def test_numpys_cross_entropy_equals_the_tutorials_loop():
    s, V, y, mask = arguments()
    loss, ds, dV = 0.0, np.zeros_like(s), np.zeros_like(V)
    for t in range(len(y)):
        if not mask[t]:
            continue
        o = np.exp(V.dot(s[t])) / np.exp(V.dot(s[t])).sum()
        loss -= np.log(o[y[t]])
        o[y[t]] -= 1
        dV += np.outer(o, s[t])
        ds[t] = V.T.dot(o)
    for found, expected in zip(performed(softmax_cross_entropy, s, V, y, mask), (loss, ds, dV), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_numpys_gradients_equal_central_differences_of_its_loss():
    s, V, y, mask = arguments(count=3)
    _, ds, dV = performed(softmax_cross_entropy, s, V, y, mask)
    for array, gradient in ((s, ds), (V, dV)):
        for index in np.ndindex(array.shape):
            losses = []
            for step in (1e-6, -1e-6):
                original = array[index]
                array[index] += step
                losses.append(performed(softmax_cross_entropy, s, V, y, mask)[0])
                array[index] = original
            assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(gradient[index], abs=1e-7)


def test_xlas_cross_entropy_equals_numpys(chunked):
    inputs = arguments()
    found = compiled(softmax_cross_entropy)(*inputs)
    for value, expected in zip(found, performed(softmax_cross_entropy, *inputs), strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-12)


def test_xlas_log_probability_equals_numpys(chunked):
    s, V, y, _ = arguments()
    found = compiled(softmax_log_probability)(s, V, y)
    np.testing.assert_allclose(found, performed(softmax_log_probability, s, V, y)[0], atol=1e-12)


@pytest.mark.parametrize("rows", [5, 640])
def test_masked_rows_have_no_effect(monkeypatch, rows):
    for name in ("OUTPUTS_PER_CHUNK", "SCORED_OUTPUTS_PER_CHUNK"):
        monkeypatch.setattr(chunked_softmax, name, rows * WORD_DIM)
    s, V, y, _ = arguments()
    function = compiled(softmax_cross_entropy)
    loss, ds, dV = (np.array(value) for value in function(s, V, y, np.zeros(len(y))))
    assert loss == 0 and not ds.any() and not dV.any()
    mask = np.ones(len(y))
    mask[10:] = 0
    values = function(s, V, y, mask)
    s[10:], y[10:] = 7.0, 0
    for value, changed in zip(values, function(s, V, y, mask), strict=True):
        np.testing.assert_array_equal(value, changed)


@pytest.mark.parametrize(("dtype", "rows"), [("float32", 5), ("float32", 640)])
def test_extreme_outputs_are_finite_and_exact(monkeypatch, dtype, rows):
    for name in ("OUTPUTS_PER_CHUNK", "SCORED_OUTPUTS_PER_CHUNK"):
        monkeypatch.setattr(chunked_softmax, name, rows * WORD_DIM)
    s, V = np.zeros((24, HIDDEN_DIM), dtype), np.zeros((WORD_DIM, HIDDEN_DIM), dtype)
    s[:, 0] = np.where(np.arange(24) % 2, 1e3, -1e3)
    V[2, 0], V[5, 0] = 1, -1
    y, mask = np.full(24, 2, np.int32), np.ones(24, dtype)
    loss, ds, dV = (np.array(value) for value in compiled(softmax_cross_entropy, dtype)(s, V, y, mask))
    assert loss == pytest.approx(12 * 2000.0)
    assert np.isfinite(ds).all() and np.isfinite(dV).all()
    assert ds.dtype == dV.dtype == loss.dtype == dtype
    log_probability = np.array(compiled(softmax_log_probability, dtype)(s, V, y))
    np.testing.assert_allclose(log_probability, np.where(np.arange(24) % 2, 0.0, -2000.0), atol=1e-6)


def test_scores_in_single_precision_have_only_unbiased_rounding_errors():
    generator = np.random.default_rng(1)
    s, V = np.tanh(generator.normal(size=(2000, 100))), generator.normal(size=(3000, 100)) * 0.7
    s, V = s.astype(np.float32), V.astype(np.float32)
    o = chunked_softmax.softmax(s.astype(np.float64).dot(V.T.astype(np.float64)))
    # One word is probable. A careless sum over the many small weights of the others would lose their low-order digits.
    y = o.argmax(axis=1).astype(np.int32)
    errors = compiled(softmax_log_probability, "float32")(s, V, y) - np.log(o.max(axis=1))
    assert abs(errors.mean()) < 1e-7 and np.abs(errors).max() < 1e-5


def test_a_chunk_has_a_bounded_number_of_outputs_but_a_minimum_of_rows(monkeypatch):
    monkeypatch.setattr(chunked_softmax, "MIN_ROWS", 128)
    assert chunked_softmax.rows_per_chunk(np.empty((2, 8000)), 640 * 8000) == 640
    assert chunked_softmax.rows_per_chunk(np.empty((2, 100_000)), 640 * 8000) == 128
