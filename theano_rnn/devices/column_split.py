"""How the columns of a minibatch are split over devices. NumPy only."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class ColumnSplit(NamedTuple):
    """Which axes of a function's inputs and outputs have the columns of a minibatch, a share of which each device gets.

    Attributes
    ----------
    devices : int
    inputs, outputs : sequences of int or None
        The axis for each input and output; None if it has no columns, so that it is the same on every device.
    """

    devices: int
    inputs: Sequence[int | None]
    outputs: Sequence[int | None]

    def padded(self, arrays: Sequence[Any]) -> tuple[list[Any], int]:
        """Add columns of zeros until every device has the same number.

        Parameters
        ----------
        arrays : sequence of arrays
            The inputs, in order.

        Returns
        -------
        arrays : list of arrays
        added : int
            The number of columns added.

        Examples
        --------
        >>> split = ColumnSplit(2, [None, 1], [0])
        >>> arrays, added = split.padded([np.array([7]), np.array([[1, 2, 3]])])
        >>> [array.tolist() for array in arrays], added
        ([[7], [[1, 2, 3, 0]]], 1)
        """
        columns = [np.shape(array)[axis] for array, axis in zip(arrays, self.inputs, strict=True) if axis is not None]
        added = -columns[0] % self.devices if columns else 0
        if not added:
            return list(arrays), 0
        return [
            array if axis is None else _with_zeros(array, axis, added)
            for array, axis in zip(arrays, self.inputs, strict=True)
        ], added

    def without_added(self, results: Sequence[Any], added: int) -> list[Any]:
        """Remove the added columns from results, the first of which are the outputs.

        Examples
        --------
        >>> ColumnSplit(2, [1], [None, 0]).without_added([np.float32(5), np.arange(4)], 1)[1].tolist()
        [0, 1, 2]
        """
        found = list(results)
        for i, axis in enumerate(self.outputs):
            if added and axis is not None:
                found[i] = found[i][(*[slice(None)] * axis, slice(-added))]
        return found


def _with_zeros(array: Any, axis: int, count: int) -> Any:
    """Add zeros at the end of an axis."""
    return np.pad(array, [(0, count if i == axis else 0) for i in range(np.ndim(array))])
