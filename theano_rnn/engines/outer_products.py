"""Σ δ_t s_tᵀ over many rows, as in the gradients of weights, in the order that XLA computes fastest."""

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from theano_rnn.engines.engine import Apply, Op, T, fused, jax, xla_version
from theano_rnn.engines.tensor_types import DeviceArray, TensorVariable


class SumOfOuterProducts(Op):
    """Σ δ_t s_tᵀ for matrices δ (n, k) and s (n, m), computed as the transpose of sᵀ δ.

    If k is larger than m, sᵀ δ takes up to 40 % less time than δᵀ s. XLA would turn the transpose of one into the
    other; a barrier prevents that.
    """

    __props__ = ()

    def make_node(self, delta: TensorVariable, s: TensorVariable) -> Apply:
        """The node of a graph that applies the operation."""
        inputs = [T.as_tensor_variable(variable) for variable in (delta, s)]
        shape = (inputs[0].type.shape[1], inputs[1].type.shape[1])
        return Apply(self, inputs, [T.TensorType(inputs[0].dtype, shape=shape)()])

    def perform(self, node: Apply, inputs: list[npt.NDArray[Any]], output_storage: list[list[Any]]) -> None:
        """Compute the sum in NumPy."""
        delta, s = inputs
        output_storage[0][0] = delta.T.dot(s)


@xla_version(SumOfOuterProducts)
def xla_sum_of_outer_products(op: SumOfOuterProducts, **kwargs: Any) -> Callable[..., DeviceArray]:
    """The operation written with JAX."""

    def sum_of_outer_products(delta: DeviceArray, s: DeviceArray) -> DeviceArray:
        if delta.shape[1] <= s.shape[1]:
            return delta.T @ s
        return jax.lax.optimization_barrier(s.T @ delta).T

    return sum_of_outer_products


def formula(delta: TensorVariable, s: TensorVariable) -> TensorVariable:
    """Σ δ_t s_tᵀ as one product."""
    return delta.T.dot(s)


sum_of_outer_products = fused(SumOfOuterProducts(), formula)
