"""Reading and replacing a few rows of a large array, in a time that does not depend on its length.

Row numbers are distinct and ascending. Numbers beyond the last row are padding, so that few shapes are compiled: the
last row is read in their place, and nothing is written.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import Apply, Op, T, axis_length, fused, typed_tensor, xla_version
from theano_rnn.engines.tensor_types import DeviceArray, TensorVariable


class RowsOf(Op):
    """table[numbers]: array (rows, ...) and numbers (n,) of int -> (n, ...)."""

    __props__ = ()

    def make_node(self, table: TensorVariable, numbers: TensorVariable) -> Apply:
        """The node of a graph that applies the operation."""
        inputs = [T.as_tensor_variable(variable) for variable in (table, numbers)]
        shape = (None, *(axis_length(inputs[0], axis) for axis in range(1, inputs[0].ndim)))
        return Apply(self, inputs, [typed_tensor(None, inputs[0].dtype, shape)])

    def perform(self, node: Apply, inputs: list[npt.NDArray[Any]], output_storage: list[list[Any]]) -> None:
        """Read the rows in NumPy."""
        table, numbers = inputs
        output_storage[0][0] = table[np.minimum(numbers, len(table) - 1)]


class WithRows(Op):
    """A table (rows, ...) with the rows `numbers` (n,) replaced by `rows` (n, ...). XLA reuses the table's memory."""

    __props__ = ()

    def make_node(self, table: TensorVariable, numbers: TensorVariable, rows: TensorVariable) -> Apply:
        """The node of a graph that applies the operation."""
        inputs = [T.as_tensor_variable(variable) for variable in (table, numbers, rows)]
        return Apply(self, inputs, [inputs[0].type()])

    def perform(self, node: Apply, inputs: list[npt.NDArray[Any]], output_storage: list[list[Any]]) -> None:
        """Replace the rows in NumPy."""
        table, numbers, rows = inputs
        table, is_row = table.copy(), numbers < len(table)
        table[numbers[is_row]] = rows[is_row]
        output_storage[0][0] = table


@xla_version(RowsOf)
def xla_rows_of(op: RowsOf, **kwargs: Any) -> Callable[..., DeviceArray]:
    """The operation written with JAX."""

    def read(table: DeviceArray, numbers: DeviceArray) -> DeviceArray:
        return table.at[numbers].get(mode="clip")

    return read


@xla_version(WithRows)
def xla_with_rows(op: WithRows, **kwargs: Any) -> Callable[..., DeviceArray]:
    """The operation written with JAX."""

    def replace(table: DeviceArray, numbers: DeviceArray, rows: DeviceArray) -> DeviceArray:
        return table.at[numbers].set(rows, mode="drop", indices_are_sorted=True)

    return replace


def read_rows(table: TensorVariable, numbers: TensorVariable) -> TensorVariable:
    """`RowsOf` for numbers without padding."""
    return table[numbers]


def replace_rows(table: TensorVariable, numbers: TensorVariable, rows: TensorVariable) -> TensorVariable:
    """`WithRows` for numbers without padding."""
    return T.set_subtensor(table[numbers], rows)


def padded(numbers: npt.NDArray[np.integer], length: int, beyond: int) -> npt.NDArray[np.int32]:
    """Pad row numbers to a fixed length with a number beyond the last row."""
    filled = np.full(length, beyond, np.int32)
    filled[: len(numbers)] = numbers
    return filled


def unpadded(numbers: npt.NDArray[np.integer], length: int, beyond: int) -> npt.NDArray[np.int32]:
    """Row numbers as they are, for an engine that compiles one function for all shapes."""
    return numbers.astype(np.int32)


rows_of, with_rows = fused(RowsOf(), read_rows), fused(WithRows(), replace_rows)
padded_numbers = fused(padded, unpadded)
