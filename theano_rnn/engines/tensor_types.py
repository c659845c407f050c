"""Names for annotations of symbolic values and of what compiled functions return. Imports no Theano.

PyTensor and the original Theano have classes of their own for symbolic values, and only one of the two is installed.
Neither declares the types of its operators, so to a type checker these names are `Any`; to a reader they say what a
value is.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from theano_rnn.devices.device_storage import DeviceArray as DeviceArray

TensorVariable: TypeAlias = Any
"""A symbolic scalar, vector, matrix or tensor."""

SharedVariable: TypeAlias = Any
"""A symbolic value with storage of its own, which keeps it between calls, such as a network's parameter."""

Updates: TypeAlias = Sequence[tuple[SharedVariable, TensorVariable]]
"""Pairs of a shared variable and the expression of its new value, as `theano.function` takes them."""
