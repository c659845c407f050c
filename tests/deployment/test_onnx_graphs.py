"""ONNX graphs in onnxruntime: the probabilities and states of a NumPy loop, for every kind of network."""

import itertools

import numpy as np
import pytest
from support import numpy_networks

from theano_rnn.deployment.onnx_files import onnx_bytes
from theano_rnn.deployment.onnx_graphs import sequence_graph, step_graph
from theano_rnn.networks import cells
from theano_rnn.networks.architecture import Architecture
from theano_rnn.networks.simple_cell import SimpleCell

pytest.importorskip("onnx", reason="the package onnx is not installed; only exports need it")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed; only these tests need it")

WORD_DIM, HIDDEN_DIM = 11, 5
EMBEDDINGS = {"words": {}, "embedding": {"embedding_dim": 3}, "tied": {"tied": True}}
CELLS = {"simple": {}, "relu": {"activation": "relu"}, "gru": {"cell": "gru"}, "lstm": {"cell": "lstm"}}
NEW_CELL = {"leaky": {"cell": "leaky"}}
IDS = np.array([[1, 4, 10, 0, 7, 2], [3, 3, 9, 5, 5, 5], [8, 6, 6, 6, 6, 6]])
LENGTHS = np.array([6, 3, 1])

every_network = pytest.mark.parametrize(
    ("cell", "layers", "embedding", "bias"), list(itertools.product(CELLS, (1, 3), EMBEDDINGS, (False, True)))
)


def make(cell, layers, embedding, bias, dtype="float64"):
    architecture = Architecture(
        WORD_DIM, HIDDEN_DIM, layers=layers, bias=bias, **(CELLS | NEW_CELL)[cell], **EMBEDDINGS[embedding]
    )
    generator = np.random.default_rng(0)
    values = {name: generator.normal(0, 0.7, shape) for name, shape in architecture.parameter_shapes.items()}
    states = generator.normal(size=(len(IDS), architecture.state_dim)).astype(dtype)
    return architecture, {name: value.astype(dtype) for name, value in values.items()}, states


def session(graph):
    return onnxruntime.InferenceSession(onnx_bytes(graph, {}))


@every_network
def test_a_step_has_the_probabilities_and_states_of_a_numpy_loop(cell, layers, embedding, bias):
    architecture, values, states = make(cell, layers, embedding, bias)
    inputs = {"ids": IDS[:, 0], "states": states}
    log_probabilities, next_states = session(step_graph(values, architecture)).run(None, inputs)
    for row in range(len(IDS)):
        o, after = numpy_networks.forward(values, cell, layers, IDS[row, :1], states[row])
        np.testing.assert_allclose(log_probabilities[row], np.log(o[0]), atol=1e-8)
        np.testing.assert_allclose(next_states[row], after[0], atol=1e-8)


@every_network
def test_padded_sequences_have_the_probabilities_and_states_of_a_numpy_loop(cell, layers, embedding, bias):
    architecture, values, states = make(cell, layers, embedding, bias)
    inputs = {"ids": IDS, "lengths": LENGTHS, "states": states}
    of_tokens, of_all, next_states = session(sequence_graph(values, architecture)).run(None, inputs)
    assert of_tokens.shape == (3, 5) and of_all.shape == (3, 6, WORD_DIM)
    for row, length in enumerate(LENGTHS):
        ids = IDS[row, :length]
        o, after = numpy_networks.forward(values, cell, layers, ids, states[row])
        np.testing.assert_allclose(of_all[row, :length], np.log(o), atol=1e-8)
        np.testing.assert_allclose(of_tokens[row, : length - 1], np.log(o[np.arange(length - 1), ids[1:]]), atol=1e-8)
        assert (of_tokens[row, length - 1 :] == 0).all()
        np.testing.assert_allclose(next_states[row], after[-1], atol=1e-8)


@pytest.mark.parametrize("cell", CELLS)
def test_single_precision_agrees_to_1e_5(cell):
    architecture, values, states = make(cell, 2, "embedding", True, "float32")
    inputs = {"ids": IDS, "lengths": LENGTHS, "states": states}
    _, found, _ = session(sequence_graph(values, architecture)).run(None, inputs)
    assert found.dtype == np.float32
    o, _ = numpy_networks.forward(values, cell, 2, IDS[0], states[0])
    np.testing.assert_allclose(found[0], np.log(o), atol=1e-5)


def test_a_sequence_can_be_read_in_parts_and_step_by_step():
    architecture, values, states = make("lstm", 2, "words", True)
    whole, step = session(sequence_graph(values, architecture)), session(step_graph(values, architecture))
    full = np.full(len(IDS), 6)
    _, expected, last = whole.run(None, {"ids": IDS, "lengths": full, "states": states})
    _, first, between = whole.run(None, {"ids": IDS[:, :4], "lengths": full - 2, "states": states})
    _, second, after = whole.run(None, {"ids": IDS[:, 4:], "lengths": full - 4, "states": between})
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), expected, atol=1e-12)
    np.testing.assert_allclose(after, last, atol=1e-12)
    for time in range(IDS.shape[1]):
        found, states = step.run(None, {"ids": IDS[:, time], "states": states})
        np.testing.assert_allclose(found, expected[:, time], atol=1e-12)


def test_an_id_that_is_not_in_the_vocabulary_is_an_error():
    architecture, values, states = make("gru", 1, "words", False)
    with pytest.raises(Exception, match="(?i)out of.*bounds"):
        session(step_graph(values, architecture)).run(None, {"ids": np.array([0, 1, WORD_DIM]), "states": states})


def test_each_parameter_is_stored_once():
    for embedding, matrices in (
        ("words", {"U_transposed", "V", "W"}),
        ("tied", {"U", "V", "W"}),
        ("embedding", {"E", "U", "V", "W"}),
    ):
        architecture, values, _ = make("simple", 1, embedding, False)
        for graph in (step_graph(values, architecture), sequence_graph(values, architecture)):
            assert {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2} == matrices


class LeakyCell(SimpleCell):
    """s_t = (s_{t-1} + tanh(a_t + q_t)) / 2."""

    def next_state(self, a, q, *previous):
        return (0.5 * previous[0] + 0.5 * self.f(a + q),)


def test_a_new_cell_needs_no_formula_for_onnx(monkeypatch):
    monkeypatch.setitem(cells.CELLS, "leaky", LeakyCell)
    architecture, values, states = make("leaky", 1, "words", False)
    found, next_states = session(step_graph(values, architecture)).run(None, {"ids": IDS[:, 0], "states": states})
    s = (states + np.tanh(values["U"].T[IDS[:, 0]] + states @ values["W"].T)) / 2
    np.testing.assert_allclose(next_states, s, atol=1e-8)
    z = s @ values["V"].T
    np.testing.assert_allclose(found, z - np.log(np.exp(z).sum(axis=1, keepdims=True)), atol=1e-8)
