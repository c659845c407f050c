"""Softmax and cross-entropy as one operation on (states, V, targets), for outputs too large to be held at once.

The results are those of the formulas in `theano_rnn.networks.softmax`: o = softmax(V s) and L = -Σ ln o[y]. The NumPy
versions (`perform`) compute them as written. The XLA versions never hold the (n, word_dim) matrix of outputs. They go
through the rows in chunks, compute the exponentials once, and get the loss and its gradients from them in one pass.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import Apply, Op, T, jax, jnp, xla_version
from theano_rnn.engines.tensor_types import DeviceArray, TensorVariable

# How many outputs are held at once: 20 MB in float32 for gradients, where larger chunks are no faster, and 10 MB for
# scoring, where larger chunks are slower.
OUTPUTS_PER_CHUNK = 640 * 8000
SCORED_OUTPUTS_PER_CHUNK = 320 * 8000
# With a very large vocabulary more outputs are held, about as many as V has elements: dV is summed once per chunk, and
# that takes longer than the products of only a few rows.
MIN_ROWS = 128
FEW_WORDS = 512

LossAndGradients = tuple[DeviceArray, DeviceArray, DeviceArray]


class SoftmaxCrossEntropy(Op):
    """Summed cross-entropy of softmax(V s) against targets, and its gradients.

    Inputs are s (n, hidden_dim), V (word_dim, hidden_dim), y (n,) of int, and mask (n,) of the type of s, which is 1
    for rows that count and 0 for padding. Outputs are the loss in nats, ds (n, hidden_dim) and dV (word_dim,
    hidden_dim).
    """

    __props__ = ()

    def make_node(self, s: TensorVariable, V: TensorVariable, y: TensorVariable, mask: TensorVariable) -> Apply:
        """The node of a graph that applies the operation."""
        s, V, y, mask = (T.as_tensor_variable(variable) for variable in (s, V, y, mask))
        return Apply(self, [s, V, y, mask], [T.scalar(dtype=s.dtype), s.type(), V.type()])

    def perform(self, node: Apply, inputs: list[npt.NDArray[Any]], output_storage: list[list[Any]]) -> None:
        """Compute the outputs in NumPy."""
        s, V, y, mask = inputs
        o = softmax(s.dot(V.T))
        loss = -np.sum(np.log(o[np.arange(len(y)), y]) * mask)
        do = o
        do[np.arange(len(y)), y] -= 1
        do *= mask[:, None]
        for storage, value in zip(output_storage, (loss, do.dot(V), do.T.dot(s)), strict=True):
            storage[0] = np.asarray(value, dtype=s.dtype)


class SoftmaxLogProbability(Op):
    """ln softmax(V s)[y] for each row: s (n, hidden_dim), V (word_dim, hidden_dim), y (n,) of int -> (n,) in nats."""

    __props__ = ()

    def make_node(self, s: TensorVariable, V: TensorVariable, y: TensorVariable) -> Apply:
        """The node of a graph that applies the operation."""
        s, V, y = (T.as_tensor_variable(variable) for variable in (s, V, y))
        return Apply(self, [s, V, y], [T.vector(dtype=s.dtype)])

    def perform(self, node: Apply, inputs: list[npt.NDArray[Any]], output_storage: list[list[Any]]) -> None:
        """Compute the output in NumPy."""
        s, V, y = inputs
        output_storage[0][0] = np.log(softmax(s.dot(V.T))[np.arange(len(y)), y])


def softmax(z: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """NumPy's softmax over the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy_of_rows(s: DeviceArray, VT: DeviceArray, y: DeviceArray, mask: DeviceArray) -> LossAndGradients:
    """The loss, ds, and the dense part of dVᵀ. The caller adds the sparse part, `-s` in its columns y.

    With e = exp(z - max z):  L = Σ ln Σe + max z - ⟨V[y], s⟩,  ds = (e V) / Σe - V[y],  dV = eᵀ (s / Σe) - s in rows y.
    Everything is written with Vᵀ because a large V is stored transposed.
    """
    z, z_max = outputs(s, VT)
    e = jnp.exp(z - z_max)
    e_sum = e.sum(axis=1, keepdims=True)
    weight = mask[:, None]
    V_y = VT[:, y].T
    target_z = (V_y * s).sum(axis=1, keepdims=True)
    loss = ((jnp.log(e_sum) + z_max - target_z) * weight).sum()
    ds = (times_transposed(e, VT) / e_sum - V_y) * weight
    # Without the barrier XLA merges the transpose into the product, which then takes up to twice as long.
    weighted_sT = jax.lax.optimization_barrier((s * (weight / e_sum)).T)
    return loss, ds, weighted_sT @ e


def cross_entropy_of_few_words(s: DeviceArray, VT: DeviceArray, y: DeviceArray, mask: DeviceArray) -> LossAndGradients:
    """The loss, ds and dVᵀ for a small vocabulary, where o - onehot(y) is cheap and gathering rows is not."""
    z, z_max = outputs(s, VT)
    e = jnp.exp(z - z_max)
    e_sum = e.sum(axis=1, keepdims=True)
    weight = mask[:, None]
    loss = ((jnp.log(e_sum) + z_max - target_of_few(z, y)) * weight).sum()
    do = (e / e_sum - is_target(y, z)) * weight
    return loss, times_transposed(do, VT), (do.T @ s).T


def log_probability_of_rows(s: DeviceArray, VT: DeviceArray, y: DeviceArray) -> DeviceArray:
    """ln softmax(V s)[y] for each row s."""
    z, z_max = outputs(s, VT)
    # Take the target's z from the same product as the maximum: both are then rounded in the same way.
    target_z = jnp.take_along_axis(z, y[:, None], axis=1)
    return (target_z - z_max)[:, 0] - jnp.log(jnp.exp(z - z_max).sum(axis=1))


def outputs(s: DeviceArray, VT: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
    """z = V s for each row s, and the maximum of each row."""
    z = s @ VT
    return z, z.max(axis=1, keepdims=True)


def has_few_words(VT: DeviceArray) -> bool:
    """Whether the vocabulary is small enough for `cross_entropy_of_few_words`."""
    return VT.shape[1] <= FEW_WORDS


def is_target(y: DeviceArray, z: DeviceArray) -> DeviceArray:
    """onehot(y) as a matrix of the shape of z."""
    return y[:, None] == jnp.arange(z.shape[1])


def target_of_few(z: DeviceArray, y: DeviceArray) -> DeviceArray:
    """z[y] of each row, as a column."""
    return jnp.where(is_target(y, z), z, 0).sum(axis=1, keepdims=True)


def times_transposed(a: DeviceArray, b: DeviceArray) -> DeviceArray:
    """a bᵀ."""
    return jax.lax.dot_general(a, b, (((1,), (1,)), ((), ())))


def rows_per_chunk(VT: DeviceArray, outputs: int) -> int:
    """How many rows to process at once if about so many outputs may be held."""
    return max(MIN_ROWS, outputs // VT.shape[1])


def in_chunks(rows: int, *arrays: DeviceArray) -> tuple[DeviceArray, ...]:
    """Pad arrays with zero rows and divide them into equal chunks of at most `rows` rows: (chunks, rows, ...)."""
    count = len(arrays[0])
    chunks = -(-count // rows)
    rows = -(-count // chunks)
    padding = chunks * rows - count
    return tuple(
        jnp.pad(array, ((0, padding),) + ((0, 0),) * (array.ndim - 1)).reshape((chunks, rows) + array.shape[1:])
        for array in arrays
    )


@xla_version(SoftmaxCrossEntropy)
def xla_softmax_cross_entropy(op: SoftmaxCrossEntropy, **kwargs: Any) -> Callable[..., LossAndGradients]:
    """The operation written with JAX."""

    def cross_entropy(s: DeviceArray, V: DeviceArray, y: DeviceArray, mask: DeviceArray) -> LossAndGradients:
        VT = V.T
        of_rows = cross_entropy_of_few_words if has_few_words(VT) else cross_entropy_of_rows
        count, rows = s.shape[0], rows_per_chunk(VT, OUTPUTS_PER_CHUNK)
        if count <= rows:
            loss, ds, dVT = of_rows(s, VT, y, mask)
        else:

            def add_chunk(
                total: tuple[DeviceArray, DeviceArray], chunk: tuple[DeviceArray, ...]
            ) -> tuple[tuple[DeviceArray, DeviceArray], DeviceArray]:
                s, y, mask = chunk
                loss, ds, dVT = of_rows(s, VT, y, mask)
                return (total[0] + loss, total[1] + dVT), ds

            zero = (jnp.zeros((), s.dtype), jnp.zeros_like(VT))
            (loss, dVT), ds = jax.lax.scan(add_chunk, zero, in_chunks(rows, s, y, mask))
            ds = ds.reshape((-1, s.shape[1]))[:count]
        if not has_few_words(VT):
            dVT = dVT.at[:, y].add(-(s * mask[:, None]).T)
        return loss, ds, dVT.T

    return cross_entropy


@xla_version(SoftmaxLogProbability)
def xla_softmax_log_probability(op: SoftmaxLogProbability, **kwargs: Any) -> Callable[..., DeviceArray]:
    """The operation written with JAX."""

    def log_probability(s: DeviceArray, V: DeviceArray, y: DeviceArray) -> DeviceArray:
        VT = V.T
        count, rows = s.shape[0], rows_per_chunk(VT, SCORED_OUTPUTS_PER_CHUNK)
        if count <= rows:
            return log_probability_of_rows(s, VT, y)
        chunks = in_chunks(rows, s, y)
        return jax.lax.map(lambda chunk: log_probability_of_rows(chunk[0], VT, chunk[1]), chunks).reshape(-1)[:count]

    return log_probability
