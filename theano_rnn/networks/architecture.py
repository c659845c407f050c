"""The architecture of a network: its cell, layers and sizes, and the names and shapes of its parameters and states.

Names and shapes for a cell with G gates. From the second layer on, the names end with the layer's number (U2, W2, …):

    U  (G hidden_dim, n)          input weights; n is word_dim, embedding_dim, or hidden_dim of the layer below
    W  (G hidden_dim, hidden_dim) recurrent weights
    b  (G hidden_dim,)            bias
    r  (hidden_dim,)              recurrent bias of the last gate (GRU only)
    V  (word_dim, hidden_dim)     output weights; if the network is tied, its rows are also the embeddings
    c  (word_dim,)                output bias
    E  (word_dim, embedding_dim)  embeddings
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from theano_rnn.checks import check_choice, check_count, check_flag, check_real
from theano_rnn.engines.chunked_softmax import FEW_WORDS
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.cells import CELLS, Cell
from theano_rnn.networks.simple_cell import ACTIVATIONS

MAX_LAYERS = 100


class Layer(NamedTuple):
    """The parameters of a layer: a_t = U x_t + b and q_t = W s_{t-1} + r. The biases b and r may be None."""

    U: TensorVariable
    W: TensorVariable
    b: TensorVariable | None
    r: TensorVariable | None


def layer_name(name: str, layer: int) -> str:
    """Return the name of a parameter in a layer, counted from 0: "U" in the first layer, "U2" in the second."""
    return name if layer == 0 else f"{name}{layer + 1}"


@dataclass(frozen=True)
class Architecture:
    """The settings that determine the formulas of a network.

    Parameters
    ----------
    word_dim : int
        Size of the vocabulary.
    hidden_dim : int
        Size of the state s_t of each layer.
    cell : str
        A name in `theano_rnn.networks.cells.CELLS`.
    activation : {"tanh", "relu"}
        The function f of the simple cell.
    layers : int
        Number of recurrent layers, at most 100. Each reads the states s_t of the layer below.
    embedding_dim : int or None
        Size of the embeddings that the first layer reads. With None, it reads one-hot words, as in the tutorial.
    bias : bool
        Whether the layers and the output have biases.
    tied : bool
        Whether V is also the embedding matrix. `embedding_dim` must then be `hidden_dim` or None.
    dropout : float
        Fraction of the embeddings' and states' values that training sets to zero, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        If a setting is not valid, or settings contradict each other.
    """

    word_dim: int
    hidden_dim: int = 100
    cell: str = "simple"
    activation: str = "tanh"
    layers: int = 1
    embedding_dim: int | None = None
    bias: bool = False
    tied: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self._replace("word_dim", check_count("word_dim", self.word_dim))
        self._replace("hidden_dim", check_count("hidden_dim", self.hidden_dim))
        check_choice("cell", self.cell, CELLS)
        check_choice("activation", self.activation, ACTIVATIONS)
        if self.activation != "tanh" and self.cell != "simple":
            raise ArgumentValueError(
                f"activation: expected tanh with cell {self.cell!r}, whose formulas contain it, got {self.activation!r}"
            )
        self._replace("layers", check_count("layers", self.layers))
        if self.layers > MAX_LAYERS:
            raise ArgumentValueError(f"layers: expected at most {MAX_LAYERS}, got {self.layers}")
        for name in ("bias", "tied"):
            self._replace(name, check_flag(name, getattr(self, name)))
        if self.embedding_dim is not None:
            self._replace("embedding_dim", check_count("embedding_dim", self.embedding_dim))
        if self.tied:
            if self.embedding_dim not in (None, self.hidden_dim):
                raise ArgumentValueError(
                    f"tied: expected `embedding_dim` equal to `hidden_dim`, because the rows of V are the embeddings, "
                    f"got `embedding_dim={self.embedding_dim}` and `hidden_dim={self.hidden_dim}`"
                )
            self._replace("embedding_dim", self.hidden_dim)
        self._replace("dropout", check_real("dropout", self.dropout, minimum=0, below=1))

    def _replace(self, name: str, value: Any) -> None:
        """Set a field of the frozen dataclass to its checked value, which is a Python number, never a NumPy one."""
        object.__setattr__(self, name, value)

    @property
    def recurrent_cell(self) -> Cell:
        """The formulas of the cell."""
        return CELLS[self.cell](self.activation)

    @property
    def has_embedding(self) -> bool:
        """Whether the first layer reads embeddings, not one-hot words."""
        return self.embedding_dim is not None

    @property
    def has_few_words(self) -> bool:
        """Whether sums over the vocabulary cost less than sums over the words of a minibatch."""
        return self.word_dim <= FEW_WORDS

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name, in the order of gradients, updates and files: U, V and W, then the other parameters."""
        cell, H = self.recurrent_cell, self.hidden_dim
        rows = len(cell.gates) * H
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.layers):
            width = H if layer else (self.embedding_dim or self.word_dim)
            shapes[layer_name("U", layer)] = (rows, width)
            if layer == 0:
                shapes["V"] = (self.word_dim, H)
            shapes[layer_name("W", layer)] = (rows, H)
            if self.bias:
                shapes[layer_name("b", layer)] = (rows,)
                if cell.has_recurrent_bias:
                    shapes[layer_name("r", layer)] = (H,)
        if self.bias:
            shapes["c"] = (self.word_dim,)
        if self.embedding_dim is not None and not self.tied:
            shapes["E"] = (self.word_dim, self.embedding_dim)
        return shapes

    @property
    def state_dim(self) -> int:
        """Number of columns of a packed state, which has the state matrices of all layers side by side."""
        return self.layers * len(self.recurrent_cell.state_names) * self.hidden_dim

    @property
    def top_columns(self) -> slice:
        """The columns of a packed state that hold s_t of the top layer."""
        start = self.state_dim - len(self.recurrent_cell.state_names) * self.hidden_dim
        return slice(start, start + self.hidden_dim)

    @property
    def dropout_dim(self) -> int:
        """Number of columns of a dropout mask: `embedding_dim`, if it is not None, plus `hidden_dim` per layer."""
        return (self.embedding_dim or 0) + self.layers * self.hidden_dim

    def settings(self) -> dict[str, Any]:
        """The settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class SymbolicNetwork(NamedTuple):
    """An architecture and its symbolic parameters by name. Graphs are built from it."""

    architecture: Architecture
    parameters: Mapping[str, TensorVariable]

    @property
    def cell(self) -> Cell:
        """The formulas of the cell."""
        return self.architecture.recurrent_cell

    @property
    def layers(self) -> list[Layer]:
        """The parameters of each layer, from the bottom to the top."""
        get = self.parameters.get
        return [
            Layer(*(get(layer_name(name, layer)) for name in Layer._fields))
            for layer in range(self.architecture.layers)
        ]

    @property
    def V(self) -> TensorVariable:
        """Output weights (word_dim, hidden_dim)."""
        return self.parameters["V"]

    @property
    def c(self) -> TensorVariable | None:
        """Output bias (word_dim,); None if the network has no biases."""
        return self.parameters.get("c")

    @property
    def E(self) -> TensorVariable | None:
        """Embeddings (word_dim, embedding_dim). They are V if the network is tied, and None if words are one-hot."""
        if not self.architecture.has_embedding:
            return None
        return self.V if self.architecture.tied else self.parameters["E"]
