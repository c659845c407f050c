"""The parameters of a network: initial values, checks of shapes, storage, and the class that owns them."""

import functools
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import as_numpy, shared_array
from theano_rnn.engines.tensor_types import SharedVariable, TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.architecture import Architecture, SymbolicNetwork
from theano_rnn.networks.cells import Cell

FORGET_GATE = "f"
BLOCK_SIZE = 2**20  # values that are drawn at once
PARAMETERS = ("U", "V", "W")
"""Names of the parameters of the tutorial's network."""


class ParameterLayout(Protocol):
    """What determines the parameters of a network: `Architecture`, or the settings of another network."""

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]: ...

    @property
    def recurrent_cell(self) -> Cell: ...

    @property
    def hidden_dim(self) -> int: ...

    @property
    def has_embedding(self) -> bool: ...

    @property
    def has_few_words(self) -> bool: ...


def initial_values(
    architecture: ParameterLayout, dtype: str, generator: np.random.Generator
) -> dict[str, npt.NDArray[Any]]:
    """Draw the initial values of all parameters: arrays of type `dtype` by name.

    Weights are drawn uniformly from ±sqrt(1/n), where n is the number of incoming connections (tutorial part 2). In
    cells with gates, n is `hidden_dim` for all weights of a layer, as in PyTorch, and the recurrent weights of each
    gate are orthogonal (Saxe et al. 2014). Biases are 0, except those of forget gates, which are 1 (Jozefowicz et al.
    2015).
    """
    gates, H = architecture.recurrent_cell.gates, architecture.hidden_dim
    values = {}
    for name, shape in architecture.parameter_shapes.items():
        kind = name[0]
        if kind == "b":
            value = np.repeat([1.0 if gate == FORGET_GATE else 0.0 for gate in gates], H)
        elif len(shape) == 1:
            value = np.zeros(shape)
        elif kind == "W" and len(gates) > 1:
            value = np.concatenate([orthogonal_matrix(H, generator) for _ in gates])
        else:
            bound = np.sqrt(1.0 / (H if kind == "U" and len(gates) > 1 else shape[1]))
            value = uniform_values(bound, shape, dtype, generator)
        values[name] = value.astype(dtype, copy=False)
    return values


def uniform_values(
    bound: float, shape: tuple[int, ...], dtype: str, generator: np.random.Generator
) -> npt.NDArray[Any]:
    """Draw values from ±bound in float64 and convert them, a block of rows at a time to save memory."""
    values = np.empty(shape, dtype)
    rows = max(1, BLOCK_SIZE // shape[1])
    for start in range(0, len(values), rows):
        block = values[start : start + rows]
        block[...] = generator.uniform(-bound, bound, block.shape)
    return values


def orthogonal_matrix(size: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Draw an orthogonal matrix (size, size) from the uniform distribution (Mezzadri 2007)."""
    q, r = np.linalg.qr(generator.standard_normal((size, size)))
    return q * np.sign(np.diag(r))


def check_shapes(values: Mapping[str, npt.ArrayLike], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError if an array is missing or has another shape."""
    for name, shape in shapes.items():
        if name not in values:
            raise ArgumentValueError(f"{name} is missing; expected arrays named {', '.join(shapes)}")
        if np.shape(values[name]) != shape:
            raise ArgumentValueError(f"{name}: expected shape {shape}, got {np.shape(values[name])}")


def is_stored_transposed(name: str, architecture: ParameterLayout) -> bool:
    """Return whether a parameter is stored transposed in memory. Formulas are not affected.

    U is stored transposed if its columns are gathered by word. A large V is, because this makes products faster.
    """
    if name == "U":
        return not architecture.has_embedding
    return name == "V" and not architecture.has_few_words


class ParameterStore:
    """The parameters of any network, as Theano shared variables that are its attributes.

    Parameters
    ----------
    architecture : Architecture, or the settings of another network
    values : dict of str to array
        The initial values of all parameters.
    dtype : {"float32", "float64"}
    """

    def __init__(self, architecture: ParameterLayout, values: Mapping[str, npt.NDArray[Any]], dtype: str) -> None:
        self.layout: ParameterLayout = architecture
        self.dtype: str = dtype
        self.transposed: set[str] = {name for name in self.parameter_names if is_stored_transposed(name, architecture)}
        for name in self.parameter_names:
            setattr(self, name, shared_array(values[name], name, name in self.transposed))

    def store_rows_of(self, *names: str) -> None:
        """Store parameters row by row, so that a few rows can be changed. No function may have been compiled yet."""
        for name in self.transposed.intersection(names):
            setattr(self, name, shared_array(getattr(self, name).get_value(borrow=True), name))
        self.transposed.difference_update(names)

    def in_storage_layout(self, name: str, array: TensorVariable) -> TensorVariable:
        """Convert an array of a parameter's shape to the parameter's storage layout. A second call undoes the first."""
        return array.T if name in self.transposed else array

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters by name, in the order of `parameter_names`."""
        return self.layout.parameter_shapes

    @functools.cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """Names in the order of gradients, updates and files: ("U", "V", "W") for the tutorial's network."""
        return tuple(self.parameter_shapes)

    @property
    def parameters(self) -> list[SharedVariable]:
        """The shared variables in the order of `parameter_names`."""
        return [getattr(self, name) for name in self.parameter_names]

    def get_values(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of the parameters by name, as NumPy arrays."""
        return {name: as_numpy(getattr(self, name).get_value(borrow=True)) for name in self.parameter_names}

    def views(self) -> dict[str, npt.NDArray[Any]]:
        """Return the parameters by name without copying them, to be read before the next update."""
        return {name: getattr(self, name).view() for name in self.parameter_names}

    def set_values(self, values: Mapping[str, npt.ArrayLike]) -> None:
        """Set all parameters from a mapping of arrays. If any array is missing or has a wrong shape, nothing is set.

        Raises
        ------
        ValueError
            If an array is missing or has a wrong shape.
        """
        check_shapes(values, self.parameter_shapes)
        checked = {name: np.asarray(values[name], dtype=self.dtype) for name in self.parameter_names}
        for name, value in checked.items():
            getattr(self, name).set_value(value, borrow=True)


class NetworkParameters(ParameterStore):
    """The parameters of a network, as Theano shared variables. `RNN` adds the computations.

    Parameters
    ----------
    architecture : Architecture
    values : dict of str to array
        The initial values of all parameters.
    dtype : {"float32", "float64"}

    Attributes
    ----------
    architecture : Architecture
        The settings that determine the formulas.
    dtype : str
        Type of the parameters.
    """

    def __init__(self, architecture: Architecture, values: Mapping[str, npt.NDArray[Any]], dtype: str) -> None:
        self.architecture: Architecture = architecture
        super().__init__(architecture, values, dtype)

    @property
    def word_dim(self) -> int:
        """Size of the vocabulary."""
        return self.architecture.word_dim

    @property
    def hidden_dim(self) -> int:
        """Size of the state s_t of each layer."""
        return self.architecture.hidden_dim

    @property
    def activation(self) -> str:
        """Name of the function f of the simple cell."""
        return self.architecture.activation

    @property
    def cell(self) -> str:
        """Name of the cell in `theano_rnn.networks.cells.CELLS`."""
        return self.architecture.cell

    @property
    def layers(self) -> int:
        """Number of recurrent layers."""
        return self.architecture.layers

    @property
    def embedding_dim(self) -> int | None:
        """Size of the embeddings, or None if the first layer reads one-hot words."""
        return self.architecture.embedding_dim

    @property
    def bias(self) -> bool:
        """Whether the network has biases."""
        return self.architecture.bias

    @property
    def tied(self) -> bool:
        """Whether V is also the embedding matrix."""
        return self.architecture.tied

    @property
    def dropout(self) -> float:
        """Fraction of the embeddings' and states' values that training sets to zero."""
        return self.architecture.dropout

    @property
    def recurrent_cell(self) -> Cell:
        """The formulas of the cell."""
        return self.architecture.recurrent_cell

    @property
    def symbolic(self) -> SymbolicNetwork:
        """The architecture with the shared variables, for building graphs."""
        return SymbolicNetwork(self.architecture, dict(zip(self.parameter_names, self.parameters, strict=True)))

    @property
    def on_host(self) -> SymbolicNetwork:
        """The network with read-only NumPy arrays as parameters: formulas give their values at once."""
        values = {name: getattr(self, name).value_on_host() for name in self.parameter_names}
        return SymbolicNetwork(self.architecture, values)
