"""Sums over the devices that a minibatch is split over: see `theano_rnn.engines.engine.compile_function`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import DEVICE_AXIS, Apply, Op, T, jax, xla_version
from theano_rnn.engines.tensor_types import DeviceArray, TensorVariable


class SumOverDevices(Op):
    """The sums of arrays over all devices, on every device. One operation for all arrays, so that devices wait once."""

    __props__ = ()

    def make_node(self, *arrays: TensorVariable) -> Apply:
        """The node of a graph that applies the operation."""
        inputs = [T.as_tensor_variable(array) for array in arrays]
        return Apply(self, inputs, [array.type() for array in inputs])

    def perform(self, node: Apply, inputs: list[npt.NDArray[Any]], output_storage: list[list[Any]]) -> None:
        """Return copies: NumPy computes on one device."""
        for storage, array in zip(output_storage, inputs, strict=True):
            storage[0] = np.array(array)


@xla_version(SumOverDevices)
def xla_sum_over_devices(op: SumOverDevices, **kwargs: Any) -> Callable[..., Any]:
    """The operation written with JAX."""

    def sum_over_devices(*arrays: DeviceArray) -> Any:
        sums = jax.lax.psum(arrays, DEVICE_AXIS)
        return sums if len(sums) > 1 else sums[0]

    return sum_over_devices


def sum_over_devices(arrays: Sequence[TensorVariable]) -> list[TensorVariable]:
    """Return the sum of each array over all devices."""
    return SumOverDevices()(*arrays, return_list=True)
