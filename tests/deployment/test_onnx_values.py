"""Values in an ONNX graph: NumPy's meaning of operators and functions, and an error for what the graph cannot have."""

import numpy as np
import pytest

from theano_rnn.deployment.onnx_files import onnx_bytes
from theano_rnn.deployment.onnx_graphs import graph_proto
from theano_rnn.deployment.onnx_values import OnnxGraph
from theano_rnn.engines.array_functions import concatenate, exp, log, positive_part, repeated, tanh

pytest.importorskip("onnx", reason="the package onnx is not installed; only exports need it")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed; only these tests need it")

X = np.array([[-2.0, 0.5, 3.0, -0.25], [1.0, 0.0, -1.0, 2.0]], np.float32)
VECTOR = np.array([1, -2, 3, -4], np.float32)
FORMULAS = {
    "sums": lambda x: 1 + x + 2 + (VECTOR + x) + (x + VECTOR),
    "differences": lambda x: 1 - (x - 2) - (VECTOR - x),
    "products": lambda x: 2 * x * 3 * (VECTOR * x) * x,
    "functions": lambda x: tanh(x) + log(exp(x) + 1) + positive_part(x),
    "columns": lambda x: x[:, 1:3] + x[..., 2:4],
    "joined": lambda x: concatenate([x[:, :1], tanh(x), x[..., -1:]], axis=-1),
    "repeated": lambda x: x * repeated((0.5, 1), 2, like=x),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_gives_what_it_gives_with_numpy(name):
    graph = OnnxGraph("float32")
    found, expected = FORMULAS[name](graph.value("x", None, 4)), FORMULAS[name](X)
    assert found.shape == (None, expected.shape[1]) and found.dtype == np.float32
    graph.apply("Identity", found, output="y")
    width = expected.shape[1]
    session = onnxruntime.InferenceSession(
        onnx_bytes(graph_proto(graph, "formula", {"x": ("n", 4)}, {"y": ("n", width)}), {})
    )
    np.testing.assert_allclose(session.run(None, {"x": X})[0], expected, rtol=1e-6, atol=1e-7)


def test_equal_vectors_and_numbers_are_stored_once():
    graph = OnnxGraph("float64")
    x = graph.value("x", None, 4)
    x + 1 + 1.0 + VECTOR + VECTOR.astype("float64")
    assert len(graph.constants) == 2 and {array.dtype for array in graph.constants.values()} == {np.dtype("float64")}


def test_what_the_graph_cannot_have_is_an_error():
    x = OnnxGraph("float32").value("x", None, 4)
    with pytest.raises(NotImplementedError, match="only columns can be taken"):
        x[:, ::2]
    with pytest.raises(NotImplementedError, match="only columns can be taken"):
        x[1:, :2]
    with pytest.raises(NotImplementedError, match="joined along their last axis"):
        concatenate([x, x], axis=0)
    with pytest.raises(TypeError):
        np.sin(x)
    with pytest.raises(TypeError):
        np.cumsum(x)
