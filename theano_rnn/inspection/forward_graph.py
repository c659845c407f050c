"""The forward pass as a graph to look at: as it is built, as it is compiled, and XLA's program."""

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
from theano_rnn.networks.forward import output_probabilities
from theano_rnn.networks.network_graphs import forward_graph
from theano_rnn.networks.rnn import RNN

MAX_LABEL_LENGTH = 60  # characters
# Paragraphs of XLA's text that only say where in the source code an operation came from.
_ORIGINS = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")
_METADATA = re.compile(r", metadata=\{[^{}]*\}")


@dataclass(frozen=True)
class Box:
    """A node of a picture.

    Attributes
    ----------
    kind : {"input", "parameter", "operation", "loop", "output"}
    label : str
        The operation, or the name of an input.
    name : str
        The name of its result in the formulas; may be empty.
    shape : str
        Shape of its result, with ``?`` for sizes that depend on the text.
    inputs : tuple of int
        Indices of the boxes whose results it takes, in their order.
    """

    kind: str
    label: str
    name: str
    shape: str
    inputs: tuple[int, ...] = ()


class ForwardGraph:
    """The forward pass of a network, o = softmax(V s_t) from word ids x of shape (steps, batch_size).

    Parameters
    ----------
    rnn : RNN

    Attributes
    ----------
    rnn : RNN
    x, o : symbolic variables
        Input and output of the graph as it is built.
    function : CompiledFunction
        The compiled graph.
    """

    def __init__(self, rnn: RNN) -> None:
        self.rnn = rnn
        self.x, self.o = symbolic_forward(rnn)
        self.function: Any = compile_function(lambda: ([self.x], self.o, None), rnn.dtype)

    def symbolic(self) -> tuple[str, list[Box]]:
        """Return the graph as theano_rnn builds it.

        Returns
        -------
        text : str
            From Theano's ``debugprint``.
        boxes : list of Box
        """
        return debugprint(self.o), graph_boxes([self.o], {}, self.rnn.parameters)

    def compiled(self) -> tuple[str, list[Box]]:
        """Return the graph after Theano's rewrites, as it is handed to the compiler.

        Returns
        -------
        text : str
            From Theano's ``debugprint``.
        boxes : list of Box
        """
        return debugprint(self.function.function), graph_boxes(self._compiled_outputs(), {}, self.rnn.parameters)

    def step(self) -> list[Box]:
        """Return the boxes of one step of the loop over t, as theano_rnn builds it."""
        return step_boxes([self.o])

    def compiled_step(self) -> list[Box]:
        """Return the boxes of one step of the loop over t, after Theano's rewrites."""
        return step_boxes(self._compiled_outputs())

    def program(self, steps: int = 10) -> str:
        """Return the program that XLA makes of the graph (optimized HLO).

        Parameters
        ----------
        steps : int
            Number of words in the sentence that the program is for.

        Returns
        -------
        str
            Without the references to source code.
        """
        text = xla_program(self.function, [np.zeros((steps, 1), np.int32)])
        paragraphs = [one.strip("\n") for one in text.split("\n\n")]
        return "\n\n".join(_METADATA.sub("", one) for one in paragraphs if one and not one.startswith(_ORIGINS))

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
        for number, layer in enumerate(forward.layers, 1):
            suffix = "" if rnn.layers == 1 else f" of layer {number}"
            layer.a.name, layer.state[0].name = f"a_t{suffix}" if number > 1 or rnn.bias else "U x_t", f"s_t{suffix}"
        o = output_probabilities(forward.output, rnn.symbolic)
        o.name = "o_t"
    return x, o


def graph_boxes(
    outputs: Sequence[TensorVariable], names: Mapping[TensorVariable, str], parameters: Collection[TensorVariable]
) -> list[Box]:
    """List the boxes of a graph, each after its inputs.

    Arithmetic on sizes is left out, and constants are shown in labels.

    Parameters
    ----------
    outputs : list of symbolic variables
    names : dict of symbolic variables to str
        Names of inputs that have none of their own.
    parameters : collection of symbolic variables
        Which of the inputs are parameters.

    Returns
    -------
    list of Box
    """
    boxes: list[Box] = []
    indices: dict[Any, int] = {}  # of the boxes of inputs and operations

    def add(variable: TensorVariable) -> int:
        """Append the box of a variable after those of its inputs; return its index."""
        node = variable.owner
        key = variable if node is None else node
        if key not in indices:
            if node is None:
                is_parameter = variable in parameters or isinstance(variable, SharedArray)  # or a copy of one
                name = names.get(variable) or variable.name or str(variable)
                box = Box("parameter" if is_parameter else "input", name, "", _shape_text(variable))
            else:
                shown = [one for one in node.inputs if not isinstance(one, Constant) and not _is_size(one)]
                inputs = tuple([add(one) for one in shown])
                kind = "loop" if isinstance(node.op, Scan) else "operation"
                box = Box(kind, _operation_label(node), variable.name or "", _shape_text(variable), inputs)
            indices[key] = len(boxes)
            boxes.append(box)
        return indices[key]

    sources = [add(output) for output in outputs]
    for output, source in zip(outputs, sources, strict=True):
        boxes.append(Box("output", output.name or "output", "", _shape_text(output), (source,)))
    return boxes


def step_boxes(outputs: Sequence[TensorVariable]) -> list[Box]:
    """List the boxes of one step of the loop in a graph: s_t from U x_t, s_{t-1} and W.

    Parameters
    ----------
    outputs : list of symbolic variables
        Outputs of the graph that contains the loop.

    Returns
    -------
    list of Box
    """
    node = next(one.owner for one in ancestors(outputs) if one.owner and isinstance(one.owner.op, Scan))
    op, (inner, inner_outputs) = node.op, step_of_scan(node.op)
    names = dict.fromkeys(op.inner_seqs(inner), "U x_t") | dict.fromkeys(op.inner_sitsot(inner), "s_{t-1}")
    parameters = dict(zip(op.inner_non_seqs(inner), op.outer_non_seqs(node.inputs), strict=True))
    for variable, outer in parameters.items():
        # Theano marks the names of variables that its rewrites have put in the place of others.
        names[variable] = (outer.name or variable.name or "").removesuffix("_replace")
    boxes = graph_boxes(inner_outputs, names, parameters)
    return [dataclasses.replace(box, label="s_t") if box.kind == "output" else box for box in boxes]


def _is_size(variable: TensorVariable) -> bool:
    """Whether a variable depends only on the shapes of others."""
    node = variable.owner
    if node is None:
        return False
    if isinstance(node.op, (Shape, Shape_i)):
        return True
    if not getattr(variable.type, "dtype", "int64").startswith(("int", "uint", "bool")) or _is_constant(variable):
        return False
    return all(_is_size(one) or _is_constant(one) for one in node.inputs)


def _is_constant(variable: TensorVariable) -> bool:
    node = variable.owner
    return isinstance(variable, Constant) or (node is not None and all(_is_constant(one) for one in node.inputs))


def _operation_label(node: Any) -> str:
    """The operation, followed by those of its inputs that are constants."""
    if isinstance(node.op, Scan):
        return "Scan: the loop over t"
    name = re.sub(r"\{idx_list=.*?\}$|\{dtype=.*?\}", "", str(node.op))
    constants = [" ".join(str(one.data).split()) for one in node.inputs if isinstance(one, Constant)]
    label = name + (f"  {', '.join(constants)}" if constants else "")
    return label if len(label) <= MAX_LABEL_LENGTH else label[: MAX_LABEL_LENGTH - 1] + "…"


def _shape_text(variable: TensorVariable) -> str:
    shape = getattr(variable.type, "shape", ())
    return " × ".join("?" if length is None else str(length) for length in shape)
