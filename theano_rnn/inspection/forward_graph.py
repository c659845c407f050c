"""The forward pass as it can be looked at: the symbolic graph, the compiled one, XLA's program; text and boxes."""

import dataclasses
import re
from dataclasses import dataclass, field

import numpy as np

from theano_rnn.engines.engine import (
    Constant,
    Scan,
    Shape,
    Shape_i,
    SharedArray,
    T,
    ancestors,
    compile_function,
    debugprint,
    precision,
    step_of_scan,
    xla_program,
)
from theano_rnn.networks.forward import hidden_states, input_activations, output_probabilities
from theano_rnn.networks.network_graphs import initial_states

LONGEST_LABEL = 60  # characters
# Paragraphs of XLA's text that tell where in the source code an operation came from.
_ORIGINS = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")
_METADATA = re.compile(r", metadata=\{[^{}]*\}")


@dataclass(frozen=True)
class Box:
    """A node of a picture.

    Attributes
    ----------
    kind : {"input", "parameter", "operation", "loop", "output"}
    label : str
        The operation, or an input's name.
    name : str
        What its result is called in the formulas, or nothing.
    shape : str
        Of its result, ``?`` where it is not known before there is a text.
    inputs : tuple of int
        The places of the boxes whose results it takes, in their order.
    """

    kind: str
    label: str
    name: str
    shape: str
    inputs: tuple = ()


@dataclass
class Boxes:
    """A graph as a list of boxes, each after its inputs. Arithmetic on sizes is left out, constants are in labels."""

    boxes: list = field(default_factory=list)
    places: dict = field(default_factory=dict)  # of variables and nodes

    def add(self, key, box):
        self.places[key] = len(self.boxes)
        self.boxes.append(box)


class ForwardGraph:
    """The forward pass of a network, o = softmax(V s_t) from word ids x (steps, batch_size), to be looked at.

    Parameters
    ----------
    rnn : RNN
    """

    def __init__(self, rnn):
        self.rnn = rnn
        self.x, self.o = symbolic_forward(rnn)
        self.function = compile_function(lambda: ([self.x], self.o, None), rnn.dtype)

    def symbolic(self):
        """(text, boxes) of the graph as it was built; the text is Theano's ``debugprint``."""
        return debugprint(self.o), boxes_of([self.o], {}, self.rnn.parameters)

    def compiled(self):
        """(text, boxes) of the graph after Theano's rewrites, as it is handed to the compiler."""
        outputs = self.function.function.maker.fgraph.outputs
        return debugprint(self.function.function), boxes_of(outputs, {}, self.rnn.parameters)

    def step(self):
        """Boxes of one step of the loop as it was built."""
        return boxes_of_step([self.o])

    def compiled_step(self):
        return boxes_of_step(self.function.function.maker.fgraph.outputs)

    def program(self, steps=10):
        """XLA's optimised program (HLO) for one sentence of so many words, without where its parts come from."""
        text = xla_program(self.function, [np.zeros((steps, 1), np.int32)])
        paragraphs = [one.strip("\n") for one in text.split("\n\n")]
        return "\n\n".join(_METADATA.sub("", one) for one in paragraphs if one and not one.startswith(_ORIGINS))


def symbolic_forward(rnn):
    """(x, o) of a network as symbolic variables, what stands between them named as in the formulas."""
    with precision(rnn.dtype):
        U, V, *weights = rnn.parameters
        x = T.imatrix("x")
        a = input_activations(x, U)
        a.name = "U x_t"
        s_init = initial_states(rnn, x.shape[1])
        s = hidden_states(a, s_init, weights, rnn.recurrent_cell)
        s.name = "s_t"
        o = output_probabilities(s, V)
        o.name = "o_t"
    return x, o


def boxes_of(outputs, names, parameters):
    """The boxes of a graph, from its inputs to its outputs.

    Parameters
    ----------
    outputs : list of symbolic variables
    names : dict of symbolic variables to str
        What to call inputs that have no name of their own.
    parameters : collection of symbolic variables
        Which of the inputs are parameters.

    Returns
    -------
    list of Box
    """
    found = Boxes()
    for output in outputs:
        add_boxes(found, output, names, parameters)
    for output in outputs:
        name = output.name or "output"
        found.boxes.append(Box("output", name, "", shown_shape(output), (found.places[key_of(output)],)))
    return found.boxes


def add_boxes(found, variable, names, parameters):
    """Add the box of a variable after those that it needs."""
    key = key_of(variable)
    if key in found.places:
        return
    node = variable.owner
    if node is None:
        is_parameter = variable in parameters or isinstance(variable, SharedArray)  # or a copy of one
        kind = "parameter" if is_parameter else "input"
        name = names.get(variable) or variable.name or str(variable)
        found.add(key, Box(kind, name, "", shown_shape(variable)))
        return
    shown = [one for one in node.inputs if not isinstance(one, Constant) and not is_size(one)]
    for one in shown:
        add_boxes(found, one, names, parameters)
    inputs = tuple(found.places[key_of(one)] for one in shown)
    kind = "loop" if isinstance(node.op, Scan) else "operation"
    found.add(key, Box(kind, label_of(node), variable.name or "", shown_shape(variable), inputs))


def key_of(variable):
    return variable if variable.owner is None else variable.owner


def is_size(variable):
    """Whether a variable is arithmetic on the sizes of others, which no number in them changes."""
    node = variable.owner
    if node is None:
        return False
    if isinstance(node.op, (Shape, Shape_i)):
        return True
    if not getattr(variable.type, "dtype", "int64").startswith(("int", "uint", "bool")) or is_constant(variable):
        return False
    return all(is_size(one) or is_constant(one) for one in node.inputs)


def is_constant(variable):
    node = variable.owner
    return isinstance(variable, Constant) or (node is not None and all(is_constant(one) for one in node.inputs))


def label_of(node):
    """The operation, with those of its inputs that are constants."""
    if isinstance(node.op, Scan):
        return "Scan: the loop over t"
    name = re.sub(r"\{idx_list=.*?\}$|\{dtype=.*?\}", "", str(node.op))
    constants = [" ".join(str(one.data).split()) for one in node.inputs if isinstance(one, Constant)]
    label = name + (f"  {', '.join(constants)}" if constants else "")
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def shown_shape(variable):
    shape = getattr(variable.type, "shape", ())
    return " × ".join("?" if length is None else str(length) for length in shape)


def boxes_of_step(outputs):
    """The boxes of one step of the loop above the outputs: s_t from U x_t, s_{t-1} and W."""
    node = next(one.owner for one in ancestors(outputs) if one.owner and isinstance(one.owner.op, Scan))
    op, (inner, inner_outputs) = node.op, step_of_scan(node.op)
    names = dict.fromkeys(op.inner_seqs(inner), "U x_t") | dict.fromkeys(op.inner_sitsot(inner), "s_{t-1}")
    parameters = dict(zip(op.inner_non_seqs(inner), op.outer_non_seqs(node.inputs), strict=True))
    # What Theano has put in the place of another variable has a mark in its name.
    for variable, outer in parameters.items():
        names[variable] = (outer.name or variable.name or "").removesuffix("_replace")
    boxes = boxes_of(inner_outputs, names, parameters)
    return [dataclasses.replace(box, label="s_t") if box.kind == "output" else box for box in boxes]
