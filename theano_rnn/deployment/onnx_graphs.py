"""The ONNX graphs of a network: one step, and whole sequences. Knows word ids, not words.

One step. The distribution over the word that follows, and the states to go on from:

    ids     (batch,)            int64    the words x_t
    states  (batch, state_dim)           the packed states at t-1; zeros at the beginning of a text
    ->
    log_probabilities  (batch, word_dim)    ln o_t in nats
    next_states        (batch, state_dim)   the packed states at t

Whole sequences, padded at their ends with any valid id:

    ids      (batch, time)       int64   from the start marker to the end marker of each text
    lengths  (batch,)            int64   number of ids of each text without the padding
    states   (batch, state_dim)
    ->
    token_log_probabilities  (batch, time - 1)         ln P(ids[:, 1:]) in nats, 0 in the padding
    log_probabilities        (batch, time, word_dim)   ln o_t for all t
    next_states              (batch, state_dim)        the packed states after the last id of each text
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.deployment.onnx_values import OnnxGraph, OnnxParameter, OnnxValue
from theano_rnn.networks.architecture import Architecture, SymbolicNetwork
from theano_rnn.networks.forward import next_state

OPSET, IR_VERSION = 17, 8  # supported since onnxruntime 1.12 of 2022
BATCH, TIME = "batch", "time"
TYPES = {"ids": "int64", "id": "int64", "lengths": "int64", "id_is_token": "bool"}
"""Types of inputs by name. All other inputs and outputs have the type of the parameters."""

Lengths = tuple[int | str, ...]
"""Lengths of the axes of an input or output; names stand for lengths that are free."""


def step_graph(values: Mapping[str, npt.NDArray[Any]], architecture: Architecture) -> Any:
    """Return the graph of one step.

    Parameters
    ----------
    values : dict of str to array
        The parameters by name.
    architecture : Architecture

    Returns
    -------
    onnx.GraphProto
    """
    graph = OnnxGraph(str(values["V"].dtype))
    network = onnx_network(graph, values, architecture)
    ids, states = graph.value("ids", None), graph.value("states", None, architecture.state_dim)
    s, new_states = next_state(ids, states, network)
    graph.apply("LogSoftmax", outputs(s, network), axis=1, output="log_probabilities")
    graph.apply("Identity", new_states, output="next_states")
    word_dim, state_dim = architecture.word_dim, architecture.state_dim
    return graph_proto(
        graph,
        "step",
        {"ids": (BATCH,), "states": (BATCH, state_dim)},
        {"log_probabilities": (BATCH, word_dim), "next_states": (BATCH, state_dim)},
    )


def sequence_graph(values: Mapping[str, npt.NDArray[Any]], architecture: Architecture) -> Any:
    """Return the graph of whole sequences.

    Parameters
    ----------
    values, architecture
        As for `step_graph`.

    Returns
    -------
    onnx.GraphProto
    """
    from onnx import helper

    graph = OnnxGraph(str(values["V"].dtype))
    word_dim, hidden_dim, state_dim = architecture.word_dim, architecture.hidden_dim, architecture.state_dim
    network = onnx_network(graph, values, architecture)
    is_token = token_mask(graph)
    body = loop_body(graph, network)
    loop = helper.make_node(
        "Scan", ["states", "ids", is_token], ["next_states", "s"], name="loop", body=body, num_scan_inputs=2,
        scan_input_axes=[1, 1], scan_output_axes=[1],
    )  # fmt: skip
    graph.nodes.append(loop)
    s = graph.apply("Reshape", "s", np.array([-1, hidden_dim]))
    all_ids = graph.apply("LogSoftmax", outputs(graph.value(s, None, hidden_dim), network), axis=1)
    shape = graph.apply("Concat", graph.apply("Shape", "ids"), np.array([word_dim]), axis=0)
    graph.apply("Reshape", all_ids, shape, output="log_probabilities")
    add_token_log_probabilities(graph, is_token)
    return graph_proto(
        graph,
        "sequence",
        {"ids": (BATCH, TIME), "lengths": (BATCH,), "states": (BATCH, state_dim)},
        {
            "token_log_probabilities": (BATCH, "time_minus_1"),
            "log_probabilities": (BATCH, TIME, word_dim),
            "next_states": (BATCH, state_dim),
        },
    )


def onnx_network(
    graph: OnnxGraph, values: Mapping[str, npt.NDArray[Any]], architecture: Architecture
) -> SymbolicNetwork:
    """Return the network with parameters that build an ONNX graph. Vectors stay NumPy arrays: they are constants."""
    for name, value in values.items():
        if value.ndim == 1 and not name.startswith("r"):  # r is part of a longer vector
            graph.constant(value, name)
    return SymbolicNetwork(
        architecture,
        {name: OnnxParameter(name, value) if value.ndim == 2 else value for name, value in values.items()},
    )


def outputs(s: OnnxValue, network: SymbolicNetwork) -> str:
    """Add V s_t + c for rows s (n, hidden_dim), and return its name: (n, word_dim)."""
    V: Any = network.V
    inputs = [s, s.graph.constant(V.array, V.name), *([] if network.c is None else [network.c])]
    return s.graph.apply("Gemm", *inputs, transB=1)


def loop_body(graph: OnnxGraph, network: SymbolicNetwork) -> Any:
    """Return the body of the loop over the words: one step, which keeps the states of texts that have ended."""
    architecture = network.architecture
    body = OnnxGraph(graph.dtype, outer=graph)
    s_prev = body.value("s_prev", None, architecture.state_dim)
    s, states = next_state(body.value("id", None), s_prev, network)
    is_token = body.apply("Unsqueeze", "id_is_token", np.array([1]))
    body.apply("Where", is_token, states, s_prev, output="s_next")
    body.apply("Identity", s, output="s_top")
    return graph_proto(
        body,
        "one_step",
        {"s_prev": (BATCH, architecture.state_dim), "id": (BATCH,), "id_is_token": (BATCH,)},
        {"s_next": (BATCH, architecture.state_dim), "s_top": (BATCH, architecture.hidden_dim)},
    )


def token_mask(graph: OnnxGraph) -> str:
    """Add the mask that is true for ids and false for padding, and return its name: (batch, time)."""
    time = graph.apply("Gather", graph.apply("Shape", "ids"), np.array(1), axis=0)
    places = graph.apply("Range", np.array(0), time, np.array(1))
    return graph.apply("Less", places, graph.apply("Unsqueeze", "lengths", np.array([1])))


def add_token_log_probabilities(graph: OnnxGraph, is_token: str) -> None:
    """Add ln P of each id after the first, given the ids before it; 0 in the padding."""
    zero, one, end, axis = (np.array([n]) for n in (0, 1, np.iinfo(np.int64).max, 1))
    before_last = graph.apply("Slice", "log_probabilities", zero, np.array([-1]), axis)
    targets = graph.apply("Unsqueeze", graph.apply("Slice", "ids", one, end, axis), np.array([2]))
    found = graph.apply("Squeeze", graph.apply("GatherElements", before_last, targets, axis=2), np.array([2]))
    predicted = graph.apply("Slice", is_token, one, end, axis)
    graph.apply("Where", predicted, found, np.array(0, graph.dtype), output="token_log_probabilities")


def graph_proto(graph: OnnxGraph, name: str, inputs: Mapping[str, Lengths], results: Mapping[str, Lengths]) -> Any:
    """Return a graph with its constants, and with inputs and outputs of these names and lengths."""
    from onnx import helper, numpy_helper

    def described(values: Mapping[str, Lengths]) -> list[Any]:
        types = {value: np.dtype(TYPES.get(value, graph.dtype)) for value in values}
        return [
            helper.make_tensor_value_info(value, helper.np_dtype_to_tensor_dtype(types[value]), lengths)
            for value, lengths in values.items()
        ]

    constants = {} if graph.is_loop_body else graph.constants
    initializers = [numpy_helper.from_array(array, constant) for constant, array in constants.items()]
    return helper.make_graph(graph.nodes, name, described(inputs), described(results), initializers)
