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
    monkeypatch.setattr(chunked_softmax, "MIN_SCORED_ROWS", 1)
    monkeypatch.setattr(chunked_softmax, "FEW_WORDS", WORD_DIM if request.param == "few words" else WORD_DIM - 1)


@pytest.fixture(params=[False, True], ids=["no bias", "bias"])
def bias(request):
    return request.param


def arguments(bias, count=24, seed=0, scale=1.0):
    """s, V, c if there is a bias, y and the mask."""
    generator = np.random.default_rng(seed)
    s, V = generator.normal(size=(count, HIDDEN_DIM)) * scale, generator.normal(size=(WORD_DIM, HIDDEN_DIM))
    y, mask = generator.integers(0, WORD_DIM, count).astype(np.int32), (generator.random(count) < 0.7) * 1.0
    return [s, V, *([generator.normal(size=WORD_DIM)] if bias else []), y, mask]


def compiled(op, bias=False, dtype="float64"):
    """A function of s, V, c if there is a bias, y, and the mask if `op` is the cross-entropy."""

    def build():
        s, V, c, y = T.matrix("s", dtype=dtype), T.matrix("V", dtype=dtype), T.vector("c", dtype=dtype), T.ivector("y")
        mask = [T.vector("mask", dtype=dtype)] if op is softmax_cross_entropy else []
        found = op(s, V, c if bias else None, y, *mask)
        outputs = [one for one in found if one is not None] if mask else found
        return [s, V, *([c] if bias else []), y, *mask], outputs, None

    return compile_function(build, dtype)


def performed(op, bias, *inputs):
    if op is softmax_cross_entropy:
        operation, count = chunked_softmax.SoftmaxCrossEntropy(bias), 4 if bias else 3
    else:
        operation, count = chunked_softmax.SoftmaxLogProbability(bias), 1
    storage = [[None] for _ in range(count)]
    operation.perform(None, list(inputs), storage)
    return [value[0] for value in storage]


@pytest.fixture(params=CHUNKS)
def chunked(request, monkeypatch):
    for name in ("OUTPUTS_PER_CHUNK", "SCORED_OUTPUTS_PER_CHUNK"):
        monkeypatch.setattr(chunked_softmax, name, CHUNKS[request.param] * WORD_DIM)


def test_numpys_softmax_is_the_formula():
    z = np.random.default_rng(0).normal(size=(4, 7))
    np.testing.assert_allclose(chunked_softmax.softmax(z), np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), rtol=1e-14)


def test_numpys_cross_entropy_equals_the_tutorials_loop(bias):
    s, V, *c, y, mask = arguments(bias)
    loss, ds, dV, dc = 0.0, np.zeros_like(s), np.zeros_like(V), np.zeros(WORD_DIM)
    for t in range(len(y)):
        if not mask[t]:
            continue
        e = np.exp(V.dot(s[t]) + (c[0] if bias else 0))
        o = e / e.sum()
        loss -= np.log(o[y[t]])
        o[y[t]] -= 1
        dV += np.outer(o, s[t])
        dc += o
        ds[t] = V.T.dot(o)
    found = performed(softmax_cross_entropy, bias, s, V, *c, y, mask)
    for value, expected in zip(found, [loss, ds, dV, *([dc] if bias else [])], strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-12)


def test_numpys_gradients_equal_central_differences_of_its_loss(bias):
    inputs = arguments(bias, count=3)
    _, *gradients = performed(softmax_cross_entropy, bias, *inputs)
    for array, gradient in zip(inputs[:-2], gradients, strict=True):
        for index in np.ndindex(array.shape):
            losses = []
            for step in (1e-6, -1e-6):
                original = array[index]
                array[index] += step
                losses.append(performed(softmax_cross_entropy, bias, *inputs)[0])
                array[index] = original
            assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(gradient[index], abs=1e-7)


def test_xlas_cross_entropy_equals_numpys(chunked, bias):
    inputs = arguments(bias)
    found = compiled(softmax_cross_entropy, bias)(*inputs)
    for value, expected in zip(found, performed(softmax_cross_entropy, bias, *inputs), strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-12)


def test_xlas_log_probability_equals_numpys(chunked, bias):
    inputs = arguments(bias)[:-1]
    found = compiled(softmax_log_probability, bias)(*inputs)
    np.testing.assert_allclose(found, performed(softmax_log_probability, bias, *inputs)[0], atol=1e-12)


@pytest.mark.parametrize("rows", [5, 640])
def test_masked_rows_have_no_effect(monkeypatch, rows, bias):
    for name in ("OUTPUTS_PER_CHUNK", "SCORED_OUTPUTS_PER_CHUNK"):
        monkeypatch.setattr(chunked_softmax, name, rows * WORD_DIM)
    s, V, *c, y, _ = arguments(bias)
    function = compiled(softmax_cross_entropy, bias)
    loss, *gradients = (np.array(value) for value in function(s, V, *c, y, np.zeros(len(y))))
    assert loss == 0 and not any(gradient.any() for gradient in gradients)
    mask = np.ones(len(y))
    mask[10:] = 0
    values = function(s, V, *c, y, mask)
    s[10:], y[10:] = 7.0, 0
    for value, changed in zip(values, function(s, V, *c, y, mask), strict=True):
        np.testing.assert_array_equal(value, changed)


@pytest.mark.parametrize(("dtype", "rows"), [("float32", 5), ("float32", 640)])
def test_extreme_outputs_are_finite_and_exact(monkeypatch, dtype, rows):
    for name in ("OUTPUTS_PER_CHUNK", "SCORED_OUTPUTS_PER_CHUNK"):
        monkeypatch.setattr(chunked_softmax, name, rows * WORD_DIM)
    s, V = np.zeros((24, HIDDEN_DIM), dtype), np.zeros((WORD_DIM, HIDDEN_DIM), dtype)
    s[:, 0] = np.where(np.arange(24) % 2, 1e3, -1e3)
    V[2, 0], V[5, 0] = 1, -1
    y, mask = np.full(24, 2, np.int32), np.ones(24, dtype)
    loss, ds, dV = (np.array(value) for value in compiled(softmax_cross_entropy, dtype=dtype)(s, V, y, mask))
    assert loss == pytest.approx(12 * 2000.0)
    assert np.isfinite(ds).all() and np.isfinite(dV).all()
    assert ds.dtype == dV.dtype == loss.dtype == dtype
    log_probability = np.array(compiled(softmax_log_probability, dtype=dtype)(s, V, y))
    np.testing.assert_allclose(log_probability, np.where(np.arange(24) % 2, 0.0, -2000.0), atol=1e-6)


def test_scores_in_single_precision_have_only_unbiased_rounding_errors():
    generator = np.random.default_rng(1)
    s, V = np.tanh(generator.normal(size=(2000, 100))), generator.normal(size=(3000, 100)) * 0.7
    s, V = s.astype(np.float32), V.astype(np.float32)
    o = chunked_softmax.softmax(s.astype(np.float64).dot(V.T.astype(np.float64)))
    # One word is probable. A careless sum over the many small weights of the others would lose their low-order digits.
    y = o.argmax(axis=1).astype(np.int32)
    errors = compiled(softmax_log_probability, dtype="float32")(s, V, y) - np.log(o.max(axis=1))
    assert abs(errors.mean()) < 1e-7 and np.abs(errors).max() < 1e-5


def test_a_chunk_has_a_bounded_number_of_outputs_but_a_minimum_of_rows():
    assert chunked_softmax.rows_per_chunk(np.empty((2, 8000)), 640 * 8000, 128) == 640
    assert chunked_softmax.rows_per_chunk(np.empty((2, 100_000)), 640 * 8000, 128) == 128
