"""Networks with all cells, depths, biases and embeddings, compared with plain NumPy loops and `theano.grad`.

The loops do not depend on the engine, so the tests also show that PyTensor and Theano agree with each other.
"""

import functools
import itertools

import numpy as np
import pytest
from support import numpy_networks

from theano_rnn.engines.engine import T, compile_function, theano, typed_tensor
from theano_rnn.networks.architecture import Architecture, SymbolicNetwork
from theano_rnn.networks.bptt import loss_and_gradients
from theano_rnn.networks.forward import all_states, forward_pass, log_probabilities, output_probabilities
from theano_rnn.networks.parameters import initial_values

WORD_DIM, HIDDEN_DIM, EMBEDDING_DIM = 7, 3, 4
LENGTHS, STEPS, COLUMNS = (6, 3, 1), 6, 4  # the last column is empty
K = 2
EMBEDDINGS = {"words": {}, "embedding": {"embedding_dim": EMBEDDING_DIM}, "tied": {"tied": True}}
CELLS = ("simple", "gru", "lstm")
# Two cells for each depth and kind of embedding, one of them with biases, so that all pairs of settings occur.
# Compiling takes seconds with XLA and half a minute with Theano, so most are left to the slow tests.
EVERY_NETWORK = [
    (cell, layers, kind == 2, embedding)
    for (i, cell), layers, (j, embedding) in itertools.product(enumerate(CELLS), (1, 2, 3), enumerate(EMBEDDINGS))
    if (kind := (i + layers + j) % 3)
]
QUICK = {("gru", 1, True, "words"), ("lstm", 1, True, "tied")}  # the dropout test has a deep simple network
every_network = pytest.mark.parametrize(
    ("cell", "layers", "bias", "embedding"),
    [
        pytest.param(*one, id=one_id, marks=() if one in QUICK else pytest.mark.slow)
        for one in EVERY_NETWORK
        for one_id in [f"{one[0]} {one[1]} {'bias' if one[2] else 'no bias'} {one[3]}"]
    ],
)


@functools.cache
def network(cell, layers, bias, embedding):
    """An architecture, and values of its parameters without zeros."""
    architecture = Architecture(WORD_DIM, HIDDEN_DIM, cell, layers=layers, bias=bias, **EMBEDDINGS[embedding])
    generator = np.random.default_rng(0)
    values = initial_values(architecture, "float64", generator)
    return architecture, {name: value + generator.normal(size=value.shape) / 2 for name, value in values.items()}


@functools.cache
def minibatch():
    """x, y and mask (steps, batch_size) with arbitrary ids on the padding."""
    x, y = np.random.default_rng(1).integers(0, WORD_DIM, (2, STEPS, COLUMNS)).astype(np.int32)
    mask = (np.arange(STEPS)[:, None] < [*LENGTHS, 0]).astype(np.int8)
    return x, y, mask


def initial_states(architecture):
    return np.random.default_rng(2).normal(size=(COLUMNS, architecture.state_dim)) / 2


def dropout_mask(architecture):
    return np.random.default_rng(3).integers(0, 2, (COLUMNS, architecture.dropout_dim)) / 0.5


@functools.cache
def evaluated(cell, layers, bias, embedding, with_dropout=False):
    """Probabilities, states, loss and gradients of the minibatch: full, truncated, and by `theano.grad`."""
    architecture, values = network(cell, layers, bias, embedding)

    def build():
        parameters = {name: typed_tensor(name, "float64", value.shape) for name, value in values.items()}
        symbolic = SymbolicNetwork(architecture, parameters)
        x, y, mask = T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask")
        s_init = T.matrix("s_init", dtype="float64")
        dropped = T.matrix("dropped", dtype="float64") if with_dropout else None
        full = loss_and_gradients(x, y, mask, s_init, symbolic, None, dropped)
        truncated = loss_and_gradients(x, y, mask, s_init, symbolic, K, dropped)
        forward = forward_pass(x, s_init, symbolic, dropped)
        o = output_probabilities(forward.output, symbolic)
        targets = log_probabilities(forward.output, symbolic, y)
        is_target = T.eq(T.arange(WORD_DIM)[None, :], y.reshape((-1,))[:, None])
        loss = -(T.log(o) * is_target * mask.reshape((-1,))[:, None]).sum()
        by_theano = theano.grad(loss, list(parameters.values()))
        outputs = [o, targets, all_states(forward.layers), full.s_last, full.loss, truncated.loss]
        for gradients in (full.gradients.values(), truncated.gradients.values(), by_theano):
            outputs += gradients
        return [*parameters.values(), x, y, mask, s_init, *([dropped] if with_dropout else [])], outputs, None

    inputs = [*values.values(), *minibatch(), initial_states(architecture)]
    inputs += [dropout_mask(architecture)] if with_dropout else []
    found = [np.array(value) for value in compile_function(build, "float64")(*inputs)]
    names = ["o", "targets", "states", "s_last", "loss", "truncated loss"]
    result = dict(zip(names, found, strict=False))
    result["o"] = result["o"].reshape(STEPS, COLUMNS, WORD_DIM)
    for number, kind in enumerate(("full", "truncated", "theano")):
        start = len(names) + number * len(values)
        result[kind] = dict(zip(values, found[start : start + len(values)], strict=False))
    return result


def texts(architecture, with_dropout=False):
    """Arguments of the loops for each text: its column, x, y, the initial state and the dropout mask."""
    x, y, _ = minibatch()
    masks = dropout_mask(architecture) if with_dropout else [None] * COLUMNS
    for b, length in enumerate(LENGTHS):
        yield b, x[:length, b], y[:length, b], initial_states(architecture)[b], masks[b]


def assert_same_gradients(found, expected, atol=1e-12):
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert np.abs(value).max() > 1e-4, name
        np.testing.assert_allclose(found[name], value, rtol=0, atol=atol, err_msg=name)


def summed(dicts):
    return {name: sum(one[name] for one in dicts) for name in dicts[0]}


@every_network
def test_outputs_states_and_loss_equal_the_loops(cell, layers, bias, embedding):
    architecture, values = network(cell, layers, bias, embedding)
    found = evaluated(cell, layers, bias, embedding)
    total = 0.0
    for b, x, y, state, _ in texts(architecture):
        o, states = numpy_networks.forward(values, cell, layers, x, state)
        np.testing.assert_allclose(found["o"][: len(x), b], o, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found["states"][: len(x), b], states, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found["targets"][: len(x), b], np.log(o[np.arange(len(x)), y]), rtol=0, atol=1e-12)
        total -= np.log(o[np.arange(len(x)), y]).sum()
    np.testing.assert_array_equal(found["s_last"], found["states"][-1])
    assert found["loss"] == pytest.approx(total, abs=1e-12, rel=0)
    assert found["truncated loss"] == found["loss"]


@every_network
def test_full_gradients_equal_theano_grad_and_those_of_the_loops(cell, layers, bias, embedding):
    architecture, values = network(cell, layers, bias, embedding)
    found = evaluated(cell, layers, bias, embedding)
    assert list(found["full"]) == list(architecture.parameter_shapes)
    assert_same_gradients(found["full"], found["theano"])
    expected = [
        numpy_networks.gradients(values, cell, layers, x, y, state) for _, x, y, state, _ in texts(architecture)
    ]
    assert_same_gradients(found["full"], summed(expected))


@every_network
def test_truncated_gradients_equal_the_sums_over_single_outputs(cell, layers, bias, embedding):
    architecture, values = network(cell, layers, bias, embedding)
    found = evaluated(cell, layers, bias, embedding)
    expected = [
        numpy_networks.truncated_gradients(values, cell, layers, x, y, state, K)
        for _, x, y, state, _ in texts(architecture)
    ]
    assert_same_gradients(found["truncated"], summed(expected))
    assert np.abs(found["truncated"]["W"] - found["full"]["W"]).max() > 1e-5


@pytest.mark.parametrize(
    ("cell", "embedding"),
    [
        ("simple", "embedding"),
        pytest.param("gru", "words", marks=pytest.mark.slow),
        pytest.param("lstm", "tied", marks=pytest.mark.slow),
    ],
)
def test_with_a_dropout_mask_outputs_and_gradients_equal_the_loops(cell, embedding):
    layers, bias = 2, True
    architecture, values = network(cell, layers, bias, embedding)
    found = evaluated(cell, layers, bias, embedding, with_dropout=True)
    full, truncated = [], []
    for b, x, y, state, mask in texts(architecture, with_dropout=True):
        o, states = numpy_networks.forward(values, cell, layers, x, state, mask)
        np.testing.assert_allclose(found["o"][: len(x), b], o, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found["states"][: len(x), b], states, rtol=0, atol=1e-12)
        full.append(numpy_networks.gradients(values, cell, layers, x, y, state, mask))
        truncated.append(numpy_networks.truncated_gradients(values, cell, layers, x, y, state, K, mask))
    assert_same_gradients(found["full"], found["theano"])
    assert_same_gradients(found["full"], summed(full))
    assert_same_gradients(found["truncated"], summed(truncated))
