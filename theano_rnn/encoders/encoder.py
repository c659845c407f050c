"""Stacks of recurrent layers that read vectors forward, or both forward and backward: states and their gradients.

Symbolic expressions only. Axes are (steps, batch_size, n). The loops over t are those of `networks.forward` and
`networks.bptt`; they know neither lengths nor masks. Padding is at the end of each text, in both directions: the
backward direction reads each text reversed within its own length.

    text of length 3, 5 steps     forward   x_0 x_1 x_2  -   -          s_2 is the state after the whole text
                                  backward  x_2 x_1 x_0  -   -          so is its s_2, which stands at x_0 in the output

The output at t has the state of the forward layer after x_0 … x_t, and beside it that of the backward layer after
x_n … x_t. In a mixed stack each layer reads both outputs of the layer below. Otherwise each direction is a stack of its
own, and its states know nothing of the words on the other side of t.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from theano_rnn.checks import check_choice, check_count, check_flag, check_real
from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.architecture import MAX_LAYERS, Layer, layer_name
from theano_rnn.networks.bptt import error_below, full_delta, layer_gradients
from theano_rnn.networks.cells import CELLS, Cell
from theano_rnn.networks.forward import LayerStates, by_step, dropped, layer_states, rows
from theano_rnn.networks.simple_cell import ACTIVATIONS

BACKWARD = "_back"  # end of the names of a backward layer's parameters


@dataclass(frozen=True)
class EncoderSettings:
    """The settings of a stack of layers.

    Parameters
    ----------
    input_dim : int
        Size of the vectors that the first layer reads.
    hidden_dim : int
        Size of the state s_t of each layer, in each direction.
    cell : str
        A name in `theano_rnn.networks.cells.CELLS`.
    activation : {"tanh", "relu"}
        The function f of the simple cell.
    layers : int
    bidirectional : bool
        Whether each layer reads in both directions.
    mixed : bool
        Whether upper layers read the states of both directions. It has no effect without `bidirectional`.
    bias : bool
    dropout : float
        Share of the input's and the states' values that training sets to zero, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        If a setting is not valid.
    """

    input_dim: int
    hidden_dim: int = 100
    cell: str = "lstm"
    activation: str = "tanh"
    layers: int = 1
    bidirectional: bool = True
    mixed: bool = True
    bias: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_choice("cell", self.cell, CELLS)
        check_choice("activation", self.activation, ACTIVATIONS)
        if self.activation != "tanh" and self.cell != "simple":
            raise ArgumentValueError(
                f"activation: expected tanh with cell {self.cell!r}, whose formulas contain it, got {self.activation!r}"
            )
        for name in ("input_dim", "hidden_dim", "layers"):
            object.__setattr__(self, name, check_count(name, getattr(self, name)))
        if self.layers > MAX_LAYERS:
            raise ArgumentValueError(f"layers: expected at most {MAX_LAYERS}, got {self.layers}")
        for name in ("bidirectional", "mixed", "bias"):
            object.__setattr__(self, name, check_flag(name, getattr(self, name)))
        object.__setattr__(self, "dropout", check_real("dropout", self.dropout, minimum=0, below=1))

    @property
    def recurrent_cell(self) -> Cell:
        """The formulas of the cell."""
        return CELLS[self.cell](self.activation)

    @property
    def directions(self) -> tuple[str, ...]:
        """Ends of the parameters' names in each direction: "" forward, "_back" backward."""
        return ("", BACKWARD) if self.bidirectional else ("",)

    @property
    def output_dim(self) -> int:
        """Size of the outputs: `hidden_dim` for each direction."""
        return self.hidden_dim * len(self.directions)

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name: U, W, b and r of each layer and direction; see `theano_rnn.networks.architecture`."""
        cell, H = self.recurrent_cell, self.hidden_dim
        gate_rows = len(cell.gates) * H
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.layers):
            width = self.input_dim if layer == 0 else (self.output_dim if self.mixed else H)
            for end in self.directions:
                shapes[layer_name("U", layer) + end] = (gate_rows, width)
                shapes[layer_name("W", layer) + end] = (gate_rows, H)
                if self.bias:
                    shapes[layer_name("b", layer) + end] = (gate_rows,)
                    if cell.has_recurrent_bias:
                        shapes[layer_name("r", layer) + end] = (H,)
        return shapes

    @property
    def dropout_dim(self) -> int:
        """Number of columns of a dropout mask: those of the input, and of the states of each layer and direction."""
        return self.input_dim + self.layers * self.output_dim


class Encoder(NamedTuple):
    """Settings with symbolic parameters by name: what graphs are built from."""

    settings: EncoderSettings
    parameters: Mapping[str, TensorVariable]

    def layer(self, number: int, direction: str) -> Layer:
        """The parameters of a layer, counted from 0, in one direction."""
        names = [layer_name(kind, number) + direction for kind in Layer._fields]
        return Layer(*map(self.parameters.get, names))


class Encoding(NamedTuple):
    """The forward pass over a minibatch.

    Attributes
    ----------
    output : tensor (steps, batch_size, output_dim)
        The states of the top layer with dropout, those of the backward direction in the order of the text.
    x : matrix (steps, batch_size)
        Anything of this shape, such as word ids.
    order : vector (steps * batch_size,) or None
        The rows of a text reversed within its length; None if nothing is read backward.
    states : list of lists of LayerStates
        Of each layer, from the bottom to the top, in each direction, in the order in which it reads.
    masks : list of lists of matrix or None
        The factors of dropout: of the input, in a list of one, then of each layer in each direction.
    """

    output: TensorVariable
    x: TensorVariable
    order: TensorVariable | None
    states: list[list[LayerStates]]
    masks: list[list[TensorVariable | None]]

    def turned(self, vectors: TensorVariable, direction: str) -> TensorVariable:
        """Vectors in the order in which a direction reads them; a second call undoes the first."""
        if direction != BACKWARD:
            return vectors
        return by_step(rows(vectors)[self.order], self.x)


def numbers(count: TensorVariable) -> TensorVariable:
    """0, 1, …, count - 1."""
    return T.arange(np.int64(0), count, np.int64(1))  # plain numbers would be int8


def is_word(x: TensorVariable, lengths: TensorVariable) -> TensorVariable:
    """(steps, batch_size): whether t is within the text's length, for a minibatch x of that shape."""
    return numbers(x.shape[0])[:, None] < lengths[None, :]


def reversed_order(x: TensorVariable, lengths: TensorVariable) -> TensorVariable:
    """Where each row (t, text) comes from if each text is reversed within its length: (steps * batch_size,).

    Padding stays in its place. The order is its own inverse.
    """
    t, text = numbers(x.shape[0])[:, None], numbers(x.shape[1])[None, :]
    source = T.switch(is_word(x, lengths), lengths[None, :] - 1 - t, t)
    return (source * x.shape[1] + text).reshape((-1,))


def encode(
    x: TensorVariable,
    vectors: TensorVariable,
    lengths: TensorVariable,
    encoder: Encoder,
    dropout_mask: TensorVariable | None = None,
    initial: Sequence[Sequence[TensorVariable]] | None = None,
) -> Encoding:
    """The states of all layers, for all t.

    Parameters
    ----------
    x : matrix (steps, batch_size)
        Anything of this shape, such as word ids. Its values are not used.
    vectors : tensor (steps, batch_size, input_dim)
        What the first layer reads.
    lengths : vector (batch_size,) of int
        The number of steps of each text; 0 for an empty column.
    encoder : Encoder
    dropout_mask : matrix (batch_size, dropout_dim), optional
        Factors of the input and of the states of each layer, the same for all t.
    initial : sequence of sequences of matrices (batch_size, hidden_dim), optional
        The state of each layer before the first step, the same in both directions. Default: zero.
    """
    settings = encoder.settings
    directions, cell = settings.directions, settings.recurrent_cell
    order = reversed_order(x, lengths) if settings.bidirectional else None
    masks = encoder_masks(dropout_mask, settings)
    found = Encoding(vectors, x, order, [], masks)
    zero = [T.zeros((x.shape[1], settings.hidden_dim), dtype=vectors.dtype)] * len(cell.state_names)
    vectors = dropped(vectors, masks[0][0])
    read = [found.turned(vectors, direction) for direction in directions]
    for number in range(settings.layers):
        layers = [encoder.layer(number, direction) for direction in directions]
        first = zero if initial is None else initial[number]
        states = [layer_states(x, *one, cell) for one in zip(read, [first] * len(read), layers, strict=True)]
        read = [dropped(one.state[0], mask) for one, mask in zip(states, masks[number + 1], strict=True)]
        if settings.mixed and number < settings.layers - 1:
            joined = join([found.turned(*one) for one in zip(read, directions, strict=True)])
            read = [found.turned(joined, direction) for direction in directions]
        found.states.append(states)
    return found._replace(output=join([found.turned(*one) for one in zip(read, directions, strict=True)]))


class EncoderGradients(NamedTuple):
    """The result of `encoder_gradients`.

    Attributes
    ----------
    parameters : dict of str to tensor
        One gradient for each parameter of the encoder, by name.
    vectors : tensor (steps, batch_size, input_dim)
        The derivative of the loss with respect to the vectors that the first layer reads.
    initial : list of lists of matrices (batch_size, hidden_dim)
        The derivatives with respect to the state of each layer before the first step, summed over the directions.
    """

    parameters: dict[str, TensorVariable]
    vectors: TensorVariable
    initial: list[list[TensorVariable]]


def encoder_gradients(encoding: Encoding, error: TensorVariable, encoder: Encoder) -> EncoderGradients:
    """Backpropagation through all layers, through the whole text.

    Parameters
    ----------
    encoding : Encoding
    error : tensor (steps, batch_size, output_dim)
        The derivative of the loss with respect to `encoding.output`; zero on the padding.
    encoder : Encoder
    """
    settings, x = encoder.settings, encoding.x
    directions, cell = settings.directions, settings.recurrent_cell
    gradients: dict[str, TensorVariable] = {}
    initial: list[list[TensorVariable]] = []
    errors = [encoding.turned(*one) for one in zip(split(error, settings), directions, strict=True)]
    for number in reversed(range(settings.layers)):
        below, of_initial = [], []
        for i, direction in enumerate(directions):
            layer, states = encoder.layer(number, direction), encoding.states[number][i]
            delta = full_delta(x, dropped(errors[i], encoding.masks[number + 1][i]), states, layer, cell)
            found = layer_gradients(x, delta, states, layer, has_few_words=False)
            gradients |= {layer_name(kind, number) + direction: gradient for kind, gradient in found.items()}
            below.append(error_below(x, delta, layer))
            of_initial.append(delta.initial)
        initial.insert(0, [sum(others, first) for first, *others in zip(*of_initial, strict=True)])
        errors = below
        if settings.mixed and number > 0:
            parts = split(total(encoding, below, directions), settings)
            errors = [encoding.turned(*one) for one in zip(parts, directions, strict=True)]
    ordered = {name: gradients[name] for name in settings.parameter_shapes}
    vectors = dropped(total(encoding, errors, directions), encoding.masks[0][0])
    return EncoderGradients(ordered, vectors, initial)


def total(encoding: Encoding, errors: Sequence[TensorVariable], directions: Sequence[str]) -> TensorVariable:
    """The sum of the errors of what all directions read, in the order of the text."""
    first, *others = (encoding.turned(*one) for one in zip(errors, directions, strict=True))
    return sum(others, first)


def encoder_masks(mask: TensorVariable | None, settings: EncoderSettings) -> list[list[TensorVariable | None]]:
    """The parts of a dropout mask: of the input, in a list of one, then of each layer in each direction."""
    widths = [[settings.input_dim], *[[settings.hidden_dim] * len(settings.directions)] * settings.layers]
    parts: list[list[TensorVariable | None]] = []
    at = 0
    for layer in widths:
        parts.append([])
        for width in layer:
            parts[-1].append(None if mask is None else mask[:, at : at + width])
            at += width
    return parts


def join(arrays: Sequence[TensorVariable]) -> TensorVariable:
    """The outputs of all directions side by side."""
    return arrays[0] if len(arrays) == 1 else T.concatenate(arrays, axis=-1)


def split(array: TensorVariable, settings: EncoderSettings) -> list[TensorVariable]:
    """The inverse of `join`."""
    H = settings.hidden_dim
    return [array[..., i * H : (i + 1) * H] for i in range(len(settings.directions))]
