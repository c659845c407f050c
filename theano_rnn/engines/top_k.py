"""The k largest values of each row: one operation for both engines."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano_rnn.engines.engine import Apply, Op, T, jax, jnp, xla_version

BLOCK = 64  # columns whose maximum is looked at first


class TopK(Op):
    """The k largest values of each row of z (n, m) and their columns: (n, k) and int32 (n, k).

    Equal values keep their order.
    """

    __props__ = ("k",)

    def __init__(self, k: int) -> None:
        self.k = k

    def make_node(self, z: Any) -> Any:
        """Apply the operation to a symbolic matrix."""
        z = T.as_tensor_variable(z)
        return Apply(self, [z], [z.type(), T.imatrix()])

    def perform(self, node: Any, inputs: Sequence[Any], output_storage: Any) -> None:
        """Compute the outputs with NumPy."""
        (z,) = inputs
        order = np.argsort(-z, axis=1, kind="stable")[:, : self.k].astype(np.int32)
        output_storage[0][0] = np.take_along_axis(z, order, axis=1)
        output_storage[1][0] = order


@xla_version(TopK)
def xla_top_k(op: TopK, **kwargs: Any) -> Callable[[Any], Any]:
    """Return a function that computes the same with XLA."""

    def top_k(z: Any) -> Any:
        count, width = z.shape
        blocks = -(-width // BLOCK)
        if blocks <= 2 * op.k:
            return jax.lax.top_k(z, op.k)
        # The k largest values are in the k blocks with the largest maxima, and sorting few values takes much less time.
        # Blocks in ascending order keep the order of equal values. The values are gathered from z itself, because a
        # padded copy of it would take as long as all the rest.
        lowest = jnp.array(-jnp.inf, z.dtype)
        padded = jnp.pad(z, ((0, 0), (0, blocks * BLOCK - width)), constant_values=lowest)
        best = jnp.sort(jax.lax.top_k(padded.reshape(count, blocks, BLOCK).max(axis=2), op.k)[1], axis=1)
        columns = (best[:, :, None] * BLOCK + jnp.arange(BLOCK, dtype=jnp.int32)).reshape(count, op.k * BLOCK)
        chosen = jnp.take_along_axis(z, jnp.minimum(columns, width - 1), axis=1)
        values, places = jax.lax.top_k(jnp.where(columns < width, chosen, lowest), op.k)
        return values, jnp.take_along_axis(columns, places, axis=1).astype(jnp.int32)

    return top_k
