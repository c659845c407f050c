"""Functions of arrays that are symbolic or NumPy's.

A formula written with them, with operators and with methods builds a graph of symbolic arrays, and gives the value at
once of NumPy arrays. For a single small step this takes less time than calling a compiled function.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import TensorVariable


def functions_for(array: TensorVariable) -> Any:
    """Return the module whose functions take the array: NumPy also takes arrays that follow its protocols (NEP 18)."""
    return np if isinstance(array, np.ndarray) or hasattr(array, "__array_function__") else T


def tanh(z: TensorVariable) -> TensorVariable:
    """Return the hyperbolic tangent."""
    return functions_for(z).tanh(z)


def exp(z: TensorVariable) -> TensorVariable:
    """Return e to the power of z."""
    return functions_for(z).exp(z)


def log(z: TensorVariable) -> TensorVariable:
    """Return the natural logarithm."""
    return functions_for(z).log(z)


def positive_part(z: TensorVariable) -> TensorVariable:
    """Return max(z, 0)."""
    functions = functions_for(z)
    choose = np.where if functions is np else T.switch
    return choose(z > 0, z, functions.zeros_like(z))


def row_sums(z: TensorVariable) -> TensorVariable:
    """Return the sum of each row of a matrix, as a column."""
    if isinstance(z, np.ndarray):
        return z.sum(axis=1, keepdims=True)
    return z.sum(axis=1, keepdims=True, acc_dtype=z.dtype)


def concatenate(arrays: Sequence[TensorVariable], axis: int = 0) -> TensorVariable:
    """Join arrays along an axis."""
    return functions_for(arrays[-1]).concatenate(arrays, axis=axis)


def repeated(values: tuple[float, ...], length: Any, like: TensorVariable) -> TensorVariable:
    """Return a vector with each of the values `length` times, of the type of another array."""
    if functions_for(like) is np:
        return _repeated(values, length, like.dtype)
    blocks = {value: T.alloc(np.asarray(value, like.dtype), length) for value in values}
    return T.concatenate([blocks[value] for value in values]) if len(values) > 1 else blocks[values[0]]


@functools.lru_cache(maxsize=64)
def _repeated(values: tuple[float, ...], length: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    vector = np.repeat(np.asarray(values, dtype), length)
    vector.flags.writeable = False
    return vector
