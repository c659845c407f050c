"""What is shown of the forward pass is what the network runs."""

import numpy as np
import pytest

from theano_rnn.engines.engine import engine_name, precision
from theano_rnn.inspection.forward_graph import ForwardGraph
from theano_rnn.networks import network_graphs
from theano_rnn.networks.rnn import RNN

SCAN = {"pytensor": "Scan", "theano": "scan_fn}"}[engine_name()]  # as `debugprint` calls it
TELLS_SHAPES = engine_name() == "pytensor"  # those that are known before there is data


@pytest.fixture(scope="module", params=["tanh", "relu"])
def forward(request):
    return ForwardGraph(RNN(11, 5, activation=request.param, seed=1))


@pytest.fixture(scope="module")
def tanh():
    return ForwardGraph(RNN(11, 5, seed=1))


def test_the_compiled_graph_is_that_of_forward_propagation(tanh):
    rnn = tanh.rnn
    x = np.array([[3], [0], [7], [7], [10]], np.int32)
    np.testing.assert_array_equal(np.asarray(tanh.function(x)), rnn.forward_propagation(x[:, 0]))
    operations = [
        [type(node.op) for node in function.function.maker.fgraph.toposort()]
        for function in (tanh.function, rnn._function(network_graphs.forward_propagation))
    ]
    assert operations[0] == operations[1]


def test_texts_name_what_the_formulas_name(forward):
    for text, boxes in (forward.symbolic(), forward.compiled()):
        for name in ("x [id", "U [id", "V [id", "W [id", "'o_t'", "'s_t'", SCAN):
            assert name in text
        assert [box.label for box in boxes if box.kind == "parameter"] != []
        assert {box.label for box in boxes if box.kind == "parameter"} == {"U", "V", "W"}
        assert [box.label for box in boxes if box.kind == "input"] == ["x"]
        assert [(box.label, box.shape) for box in boxes if box.kind == "output"] == [("o_t", "? × 11" * TELLS_SHAPES)]
        assert [box.shape for box in boxes if box.kind == "loop"] == ["? × ? × 5" * TELLS_SHAPES]


def test_boxes_come_after_their_inputs_and_leave_out_sizes(forward):
    for boxes in (forward.symbolic()[1], forward.compiled()[1], forward.step(), forward.compiled_step()):
        for place, box in enumerate(boxes):
            assert all(source < place for source in box.inputs)
            assert not any(word in box.label for word in ("Shape", "MakeVector", "ScalarFromTensor"))
        used = {source for box in boxes for source in box.inputs}
        assert used == set(range(len(boxes))) - {len(boxes) - 1}


def test_a_step_takes_the_state_before_to_the_next(forward):
    for boxes in (forward.step(), forward.compiled_step()):
        named = {box.label: box for box in boxes}
        assert {label for label, box in named.items() if box.kind == "input"} == {"U x_t", "s_{t-1}"}
        assert [box.label for box in boxes if box.kind == "parameter"] in (["W"], ["W.T"])
        assert named["s_t"].kind == "output"
        assert any(label.lower().startswith(("dot", "gemm")) for label in named)
    labels = " ".join(box.label for box in forward.step()).lower()
    assert ("tanh" if forward.rnn.activation == "tanh" else "switch") in labels


def test_the_symbolic_graph_is_in_the_type_of_the_network(float64):
    forward = ForwardGraph(RNN(4, 3, seed=1))
    with precision("float32"):
        assert ForwardGraph(forward.rnn).o.dtype == "float64"


@pytest.mark.xla
def test_xlas_program_tells_its_operations_and_not_where_they_came_from(tanh):
    program = tanh.program(steps=3)
    for part in ("HloModule", "ENTRY", "while", "tanh", "s32[3,1]", "f32[3,11]"):
        assert part in program
    for part in ("metadata", "FileNames", "StackFrames", ".py"):
        assert part not in program
