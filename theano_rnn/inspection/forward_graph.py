"""The graph of the forward pass for display: as built, as compiled, and as XLA's program."""

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theano_rnn.engines.engine import (
    Constant,
    Scan,
    Shape,
    Shape_i,
    SharedArray,
    ancestors,
    compile_function,
    debugprint,
    precision,
    step_of_scan,
    xla_program,
)
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.forward import outputs, rows
from theano_rnn.networks.network_graphs import forward_graph
from theano_rnn.networks.rnn import RNN
from theano_rnn.networks.softmax import softmax

MAX_LABEL_LENGTH = 60  # characters
# Paragraphs of XLA's text that only refer to source code.
_ORIGINS = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")
_METADATA = re.compile(r", metadata=\{[^{}]*\}")


@dataclass(frozen=True)
class Box:
    """A node in the picture of a graph.

    Attributes
    ----------
    kind : {"input", "parameter", "operation", "loop", "output"}
    label : str
        The operation, or the name of an input.
    name : str
        The name of its result in the formulas, or an empty string.
    shape : str
        Shape of its result, with ``?`` for sizes that depend on the text.
    inputs : tuple of int
        Indices of the boxes whose results it takes, in the order of its arguments.
    """

    kind: str
    label: str
    name: str
    shape: str
    inputs: tuple[int, ...] = ()


class ForwardGraph:
    """The forward pass of a network, o = softmax(V s_t + c) from word ids x of shape (steps, batch_size).

    Parameters
    ----------
    rnn : RNN

    Attributes
    ----------
    rnn : RNN
    x, o : symbolic variables
        Input and output of the graph before compilation.
    function : CompiledFunction
        The compiled graph.
    """

    def __init__(self, rnn: RNN) -> None:
        self.rnn = rnn
        self.x, self.o = symbolic_forward(rnn)
        self.function: Any = compile_function(lambda: ([self.x], self.o, None), rnn.dtype)

    def symbolic(self) -> tuple[str, list[Box]]:
        """Return the graph before compilation.

        Returns
        -------
        text : str
            The output of Theano's ``debugprint``.
        boxes : list of Box
        """
        return debugprint(self.o), graph_boxes([self.o], {}, self.rnn.parameters)

    def compiled(self) -> tuple[str, list[Box]]:
        """Return the graph after Theano's rewrites, which the compiler receives.

        Returns
        -------
        text : str
            The output of Theano's ``debugprint``.
        boxes : list of Box
        """
        return debugprint(self.function.function), graph_boxes(self._compiled_outputs(), {}, self.rnn.parameters)

    def step(self, layer: int = 1) -> list[Box]:
        """Return the boxes of one step of a layer's loop over t, before compilation. Layers are counted from 1."""
        return step_boxes([self.o], self.rnn, layer)

    def compiled_step(self, layer: int = 1) -> list[Box]:
        """Return the boxes of one step of a layer's loop over t, after Theano's rewrites."""
        return step_boxes(self._compiled_outputs(), self.rnn, layer)

    def program(self, steps: int = 10) -> str:
        """Return the program that XLA compiles the graph to (optimized HLO).

        Parameters
        ----------
        steps : int
            Number of words in the sentence for which the program is compiled.

        Returns
        -------
        str
            The program without references to source code.
        """
        text = xla_program(self.function, [np.zeros((steps, 1), np.int32)])
        paragraphs = [paragraph.strip("\n") for paragraph in text.split("\n\n")]
        return "\n\n".join(
            _METADATA.sub("", paragraph) for paragraph in paragraphs if paragraph and not paragraph.startswith(_ORIGINS)
        )

    def _compiled_outputs(self) -> list[TensorVariable]:
        return self.function.function.maker.fgraph.outputs


def symbolic_forward(rnn: RNN) -> tuple[TensorVariable, TensorVariable]:
    """Build the forward pass of a network, with its intermediate results named as in the formulas.

    Parameters
    ----------
    rnn : RNN

    Returns
    -------
    x, o : symbolic variables
        Input and output.
    """
    with precision(rnn.dtype):
        x, forward = forward_graph(rnn)
        if forward.layers[0].vectors is not None:
            forward.layers[0].vectors.name = "x_t"
        for number, layer in enumerate(forward.layers, 1):
            suffix = "" if rnn.layers == 1 else f" of layer {number}"
            layer.a.name = input_name(rnn, number) + (suffix if number > 1 or rnn.bias else "")
            layer.state[0].name = f"s_t{suffix}"
        z = outputs(rows(forward.output), rnn.symbolic)
        z.name = "V s_t" + " + c" * rnn.bias
        o = softmax(z)
        o.name = "o_t"
    return x, o


def input_name(rnn: RNN, layer: int) -> str:
    """Return the formulas' name for the part of a layer's input that does not depend on s_{t-1}: U x_t or a_t."""
    return "a_t" if layer > 1 or rnn.bias else "U x_t"


def graph_boxes(
    outputs: Sequence[TensorVariable], names: Mapping[TensorVariable, str], parameters: Collection[TensorVariable]
) -> list[Box]:
    """List the boxes of a graph, each after its inputs.

    Arithmetic on sizes is left out, and constants are shown in labels.

    Parameters
    ----------
    outputs : list of symbolic variables
    names : dict of symbolic variables to str
        Names for inputs that have no name.
    parameters : collection of symbolic variables
        The inputs to show as parameters.

    Returns
    -------
    list of Box
    """
    boxes: list[Box] = []
    indices: dict[Any, int] = {}  # index of the box of each input and operation

    def add(variable: TensorVariable) -> int:
        """Append the box of a variable after those of its inputs; return its index."""
        node = variable.owner
        key = variable if node is None else node
        if key not in indices:
            if node is None:
                is_parameter = variable in parameters or isinstance(variable, SharedArray)  # or a copy of a parameter
                name = names.get(variable) or variable.name or str(variable)
                box = Box("parameter" if is_parameter else "input", name, "", _shape_text(variable))
            else:
                shown = [value for value in node.inputs if not isinstance(value, Constant) and not _is_size(value)]
                inputs = tuple([add(value) for value in shown])
                kind = "loop" if isinstance(node.op, Scan) else "operation"
                box = Box(kind, _operation_label(node), variable.name or "", _shape_text(variable), inputs)
            indices[key] = len(boxes)
            boxes.append(box)
        return indices[key]

    sources = [add(output) for output in outputs]
    for output, source in zip(outputs, sources, strict=True):
        boxes.append(Box("output", output.name or "output", "", _shape_text(output), (source,)))
    return boxes


def step_boxes(outputs: Sequence[TensorVariable], rnn: RNN, layer: int = 1) -> list[Box]:
    """List the boxes of one step of a loop over t, which computes s_t from U x_t, s_{t-1} and W.

    Parameters
    ----------
    outputs : list of symbolic variables
        Outputs of the graph that contains the loop.
    rnn : RNN
    layer : int
        The layer of the loop, counted from 1.

    Returns
    -------
    list of Box
    """
    nodes = [variable.owner for variable in ancestors(outputs) if variable.owner]
    loops = [node for node in nodes if isinstance(node.op, Scan)]
    node = list(dict.fromkeys(loops))[-layer]  # the top layer comes first
    states = rnn.recurrent_cell.state_names
    op, (inner, inner_outputs) = node.op, step_of_scan(node.op)
    names = dict.fromkeys(op.inner_seqs(inner), input_name(rnn, layer))
    names |= dict(zip(op.inner_sitsot(inner), [f"{name}_{{t-1}}" for name in states], strict=True))
    parameters = dict(zip(op.inner_non_seqs(inner), op.outer_non_seqs(node.inputs), strict=True))
    for variable, outer in parameters.items():
        # Theano adds this suffix to the name of a variable that replaces another.
        names[variable] = (_name_of(outer) or variable.name or "").removesuffix("_replace")
    # The other outputs are kept for the backward pass.
    boxes = graph_boxes(inner_outputs[: len(states)], names, parameters)
    labels = iter([f"{name}_t" for name in states])
    return [dataclasses.replace(box, label=next(labels)) if box.kind == "output" else box for box in boxes]


def _name_of(variable: TensorVariable) -> str | None:
    """Return the name of a variable, or of the variable that it is computed from, such as a vector made a row."""
    while not variable.name and variable.owner is not None and variable.owner.inputs:
        variable = variable.owner.inputs[-1]
    return variable.name


def _is_size(variable: TensorVariable) -> bool:
    """Return whether a variable depends only on the shapes of other variables."""
    node = variable.owner
    if node is None:
        return False
    if isinstance(node.op, (Shape, Shape_i)):
        return True
    if not getattr(variable.type, "dtype", "int64").startswith(("int", "uint", "bool")) or _is_constant(variable):
        return False
    return all(_is_size(value) or _is_constant(value) for value in node.inputs)


def _is_constant(variable: TensorVariable) -> bool:
    node = variable.owner
    return isinstance(variable, Constant) or (node is not None and all(map(_is_constant, node.inputs)))


def _operation_label(node: Any) -> str:
    """Return the name of the operation, followed by its constant inputs."""
    if isinstance(node.op, Scan):
        return "Scan: the loop over t"
    name = re.sub(r"\{idx_list=.*?\}$|\{dtype=.*?\}", "", str(node.op))
    constants = [" ".join(str(value.data).split()) for value in node.inputs if isinstance(value, Constant)]
    label = name + (f"  {', '.join(constants)}" if constants else "")
    return label if len(label) <= MAX_LABEL_LENGTH else label[: MAX_LABEL_LENGTH - 1] + "…"


def _shape_text(variable: TensorVariable) -> str:
    shape = getattr(variable.type, "shape", ())
    return " × ".join("?" if length is None else str(length) for length in shape)
