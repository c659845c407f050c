"""The parameters of a network as arrays: names, shapes, initial values, and how they are stored."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.chunked_softmax import FEW_WORDS
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.cells import Cell
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
