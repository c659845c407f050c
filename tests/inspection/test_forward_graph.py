"""The graph that is shown is the forward pass that the network runs."""

import itertools
from typing import Any

import numpy as np
import pytest

from theano_rnn.engines.engine import engine_name, precision
from theano_rnn.inspection.forward_graph import ForwardGraph
from theano_rnn.networks import network_graphs
from theano_rnn.networks.rnn import RNN

SCAN = {"pytensor": "Scan", "theano": "scan_fn}"}[engine_name()]  # as `debugprint` calls it
HAS_SHAPES = engine_name() == "pytensor"  # only the sizes that do not depend on the text


@pytest.fixture(scope="module", params=["tanh", "relu"])
def forward(request: pytest.FixtureRequest) -> ForwardGraph:
    return ForwardGraph(RNN(11, 5, activation=request.param, seed=1))


@pytest.fixture(scope="module")
def tanh() -> ForwardGraph:
    return ForwardGraph(RNN(11, 5, seed=1))


def test_the_compiled_graph_is_that_of_forward_propagation(tanh: ForwardGraph) -> None:
    rnn: Any = tanh.rnn
    x = np.array([[3], [0], [7], [7], [10]], np.int32)
    np.testing.assert_array_equal(np.asarray(tanh.function(x)), rnn.forward_propagation(x[:, 0]))
    operations = [
        [type(node.op) for node in function.function.maker.fgraph.toposort()]
        for function in (tanh.function, rnn._function(network_graphs.forward_propagation))
    ]
    assert operations[0] == operations[1]


def test_text_and_boxes_use_the_names_of_the_formulas(forward: ForwardGraph) -> None:
    for text, boxes in (forward.symbolic(), forward.compiled()):
        for name in ("x [id", "U [id", "V [id", "W [id", "'o_t'", "'s_t'", SCAN):
            assert name in text
        assert [box.label for box in boxes if box.kind == "parameter"] != []
        assert {box.label for box in boxes if box.kind == "parameter"} == {"U", "V", "W"}
        assert [box.label for box in boxes if box.kind == "input"] == ["x"]
        assert [(box.label, box.shape) for box in boxes if box.kind == "output"] == [("o_t", "? × 11" * HAS_SHAPES)]
        assert [box.shape for box in boxes if box.kind == "loop"] == ["? × ? × 5" * HAS_SHAPES]


def test_boxes_come_after_their_inputs_and_leave_out_arithmetic_on_sizes(forward: ForwardGraph) -> None:
    for boxes in (forward.symbolic()[1], forward.compiled()[1], forward.step(), forward.compiled_step()):
        for index, box in enumerate(boxes):
            assert all(source < index for source in box.inputs)
            assert not any(word in box.label for word in ("Shape", "MakeVector", "ScalarFromTensor"))
        used = {source for box in boxes for source in box.inputs}
        assert used == set(range(len(boxes))) - {len(boxes) - 1}


def test_a_step_computes_the_next_state_from_the_previous_one(forward: ForwardGraph) -> None:
    for boxes in (forward.step(), forward.compiled_step()):
        by_label = {box.label: box for box in boxes}
        assert {label for label, box in by_label.items() if box.kind == "input"} == {"U x_t", "s_{t-1}"}
        assert [box.label for box in boxes if box.kind == "parameter"] in (["W"], ["W.T"])
        assert by_label["s_t"].kind == "output"
        assert any(label.lower().startswith(("dot", "gemm")) for label in by_label)
    labels = " ".join(box.label for box in forward.step()).lower()
    assert ("tanh" if forward.rnn.activation == "tanh" else "switch") in labels


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_every_layer_and_state_has_its_name(cell: str) -> None:
    forward = ForwardGraph(RNN(11, 5, cell=cell, layers=2, embedding_dim=3, bias=True, seed=1))
    states = forward.rnn.recurrent_cell.state_names
    text, symbolic = forward.symbolic()
    for name in ("x_t", "a_t of layer 1", "s_t of layer 1", "a_t of layer 2", "s_t of layer 2", "V s_t + c", "o_t"):
        assert f"'{name}'" in text and name in {box.name for box in symbolic}
    for boxes in (symbolic, forward.compiled()[1]):
        assert {box.label for box in boxes if box.kind == "parameter"} == set(forward.rnn.parameter_names)
        assert len([box for box in boxes if box.kind == "loop"]) == 2
    for layer, step in itertools.product((1, 2), (forward.step, forward.compiled_step)):
        boxes = step(layer)
        suffix = "" if layer == 1 else "2"
        assert {box.label for box in boxes if box.kind == "input"} == {"a_t", *(f"{one}_{{t-1}}" for one in states)}
        assert [box.label for box in boxes if box.kind == "output"] == [f"{one}_t" for one in states]
        parameters = {box.label.removesuffix(".T") for box in boxes if box.kind == "parameter"}
        assert parameters == ({f"W{suffix}", f"r{suffix}"} if cell == "gru" else {f"W{suffix}"})
        used = {source for box in boxes for source in box.inputs}
        assert used == {i for i, box in enumerate(boxes) if box.kind != "output"}


def test_the_symbolic_graph_has_the_dtype_of_the_network(float64: None) -> None:
    forward = ForwardGraph(RNN(4, 3, seed=1))
    with precision("float32"):
        assert ForwardGraph(forward.rnn).o.dtype == "float64"


@pytest.mark.xla
def test_xlas_program_shows_its_operations_without_references_to_source_code(tanh: ForwardGraph) -> None:
    program = tanh.program(steps=3)
    for part in ("HloModule", "ENTRY", "while", "tanh", "s32[3,1]", "f32[3,11]"):
        assert part in program
    for part in ("metadata", "FileNames", "StackFrames", ".py"):
        assert part not in program
