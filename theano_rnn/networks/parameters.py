"""The parameters of a network: names, shapes, initial values, storage, and the class that owns them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.chunked_softmax import FEW_WORDS
from theano_rnn.engines.engine import as_numpy, shared_array
from theano_rnn.engines.tensor_types import SharedVariable, TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.cells import CELLS, Cell
from theano_rnn.networks.simple_cell import SimpleCell


def parameter_shapes(cell: Cell, word_dim: int, hidden_dim: int) -> dict[str, tuple[int, int]]:
    """Shapes by name, in the order of gradients, updates and files: U, V, then the cell's weights (W)."""
    shapes = cell.parameter_shapes(word_dim, hidden_dim)
    return {"U": shapes.pop("U"), "V": (word_dim, hidden_dim), **shapes}


PARAMETERS = tuple(parameter_shapes(SimpleCell(), 1, 1))
"""Names of the parameters of the tutorial's network: U, V, W."""


def initial_values(
    shapes: Mapping[str, tuple[int, int]], dtype: str, generator: np.random.Generator
) -> dict[str, npt.NDArray[Any]]:
    """Values drawn uniformly from ±sqrt(1/n), where n is the number of incoming connections (tutorial part 2)."""
    values = {}
    for name, shape in shapes.items():
        bound = np.sqrt(1.0 / shape[1])
        values[name] = generator.uniform(-bound, bound, shape).astype(dtype)
    return values


def check_shapes(values: Mapping[str, npt.ArrayLike], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError if an array is missing or has another shape."""
    for name, shape in shapes.items():
        if name not in values:
            raise ArgumentValueError(f"{name} is missing; expected arrays named {', '.join(shapes)}")
        if np.shape(values[name]) != shape:
            raise ArgumentValueError(f"{name}: expected shape {shape}, got {np.shape(values[name])}")


def is_stored_transposed(name: str, word_dim: int) -> bool:
    """Whether a parameter is transposed in memory, which does not show in formulas.

    U is, because its columns are gathered by word; a large V is, because products with it are faster that way.
    """
    return name == "U" or (name == "V" and word_dim > FEW_WORDS)


def in_storage_layout(name: str, array: TensorVariable, word_dim: int) -> TensorVariable:
    """An expression of a parameter's shape, laid out as the parameter is in memory; a second call undoes the first."""
    return array.T if is_stored_transposed(name, word_dim) else array


class NetworkParameters:
    """The parameters of a network, as Theano shared variables. `RNN` adds what is done with them.

    Attributes
    ----------
    word_dim : int
        Size of the vocabulary.
    hidden_dim : int
        Size of the state s_t.
    activation : str
        Name of the function f, in `theano_rnn.networks.simple_cell.ACTIVATIONS`.
    dtype : {"float32", "float64"}
        Type of the parameters.
    cell : str
        Name of the cell, in `theano_rnn.networks.cells.CELLS`.
    """

    word_dim: int
    hidden_dim: int
    activation: str
    dtype: str
    cell: str = "simple"

    def create_parameters(self, values: Mapping[str, npt.NDArray[Any]]) -> None:
        """Create the shared variables with the given values, as attributes named after the parameters."""
        for name in self.parameter_names:
            setattr(self, name, shared_array(values[name], name, is_stored_transposed(name, self.word_dim)))

    @property
    def recurrent_cell(self) -> Cell:
        """The formulas of the cell."""
        return CELLS[self.cell](self.activation)

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, int]]:
        """Shapes of the parameters by name, in the order of `parameter_names`."""
        return parameter_shapes(self.recurrent_cell, self.word_dim, self.hidden_dim)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """("U", "V", "W"): the order of gradients, updates and files."""
        return tuple(self.parameter_shapes)

    @property
    def parameters(self) -> list[SharedVariable]:
        """[U, V, W], in the order of `parameter_names`."""
        return [getattr(self, name) for name in self.parameter_names]

    def get_values(self) -> dict[str, npt.NDArray[Any]]:
        """The parameters' values by name, as NumPy arrays that belong to the caller."""
        return {name: as_numpy(getattr(self, name).get_value(borrow=True)) for name in self.parameter_names}

    def set_values(self, values: Mapping[str, npt.ArrayLike]) -> None:
        """Set the parameters from a mapping of arrays. Unless all have the right shape, nothing is set.

        Raises
        ------
        ValueError
            If an array is missing or has a wrong shape.
        """
        check_shapes(values, self.parameter_shapes)
        checked = {name: np.array(values[name], dtype=self.dtype) for name in self.parameter_names}
        for name, value in checked.items():
            getattr(self, name).set_value(value, borrow=True)
