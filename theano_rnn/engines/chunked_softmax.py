"""Softmax and cross-entropy as one operation on (states, V, targets), for outputs too large to be held at once.

The results are those of the formulas in `theano_rnn.networks.softmax`: o = softmax(V s) and L = -Σ ln o[y]. The NumPy
versions (`perform`) compute them as written. The XLA versions never hold the (n, word_dim) matrix of outputs. They go
through the rows in chunks, compute the exponentials once, and get the loss and its gradients from them in one pass.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import Apply, Op, T, device_name, jax, jnp, xla_version
from theano_rnn.engines.tensor_types import DeviceArray, TensorVariable

# How many outputs are held at once: 20 MB in float32 for gradients, where larger chunks are no faster, and 10 MB for
# scoring on an accelerator.
OUTPUTS_PER_CHUNK = 640 * 8000
SCORED_OUTPUTS_PER_CHUNK = 320 * 8000
# With a very large vocabulary more outputs are held, about as many as V has elements: dV is summed once per chunk, and
# that takes longer than the products of only a few rows. Scoring sums nothing.
MIN_ROWS, MIN_SCORED_ROWS = 128, 32
FEW_WORDS = 512
# On a CPU, XLA has a kernel for products with up to about 32 rows and another one for more, which add in another order.
# Scoring always uses the same one, so that a score does not depend on what it is computed with: chunks of 32 rows,
# which are as fast as larger ones, or at least 64 rows where these cost next to nothing.
CPU_SCORED_ROWS, CPU_FEW_WORDS_ROWS = 32, 64

LossAndGradients = tuple[DeviceArray, DeviceArray, DeviceArray, DeviceArray]


class SoftmaxCrossEntropy(Op):
    """Summed cross-entropy of softmax(V s + c) against targets, and its gradients.

    Inputs are s (n, hidden_dim), V (word_dim, hidden_dim), c (word_dim,) if the operation has a bias, y (n,) of int,
    and mask (n,) of the type of s, which is 1 for rows that count and 0 for padding. Outputs are the loss in nats, ds
    (n, hidden_dim), dV (word_dim, hidden_dim), and dc (word_dim,) with a bias.
    """

    __props__ = ("bias",)

    def __init__(self, bias: bool = False) -> None:
        self.bias: bool = bias

    def make_node(self, s: TensorVariable, V: TensorVariable, *others: TensorVariable) -> Apply:
        """The node of a graph that applies the operation."""
        inputs = [T.as_tensor_variable(variable) for variable in (s, V, *others)]
        outputs = [T.scalar(dtype=inputs[0].dtype), inputs[0].type(), inputs[1].type()]
        return Apply(self, inputs, [*outputs, inputs[2].type()] if self.bias else outputs)

    def perform(self, node: Apply, inputs: list[npt.NDArray[Any]], output_storage: list[list[Any]]) -> None:
        """Compute the outputs in NumPy."""
        s, V, *c, y, mask = inputs
        o = softmax(s.dot(V.T) + (c[0] if c else 0))
        loss = -np.sum(np.log(o[np.arange(len(y)), y]) * mask)
        do = o
        do[np.arange(len(y)), y] -= 1
        do *= mask[:, None]
        values = (loss, do.dot(V), do.T.dot(s), do.sum(axis=0))
        for storage, value in zip(output_storage, values[: len(output_storage)], strict=True):
            storage[0] = np.asarray(value, dtype=s.dtype)


class SoftmaxLogProbability(Op):
    """ln softmax(V s + c)[y] for each row: s (n, hidden_dim), V (word_dim, hidden_dim), c (word_dim,) if the operation
    has a bias, y (n,) of int -> (n,) in nats.
    """

    __props__ = ("bias",)

    def __init__(self, bias: bool = False) -> None:
        self.bias: bool = bias

    def make_node(self, s: TensorVariable, V: TensorVariable, *others: TensorVariable) -> Apply:
        """The node of a graph that applies the operation."""
        inputs = [T.as_tensor_variable(variable) for variable in (s, V, *others)]
        return Apply(self, inputs, [T.vector(dtype=inputs[0].dtype)])

    def perform(self, node: Apply, inputs: list[npt.NDArray[Any]], output_storage: list[list[Any]]) -> None:
        """Compute the output in NumPy."""
        s, V, *c, y = inputs
        o = softmax(s.dot(V.T) + (c[0] if c else 0))
        output_storage[0][0] = np.log(o[np.arange(len(y)), y])


def fused_cross_entropy(
    s: TensorVariable, V: TensorVariable, c: TensorVariable | None, y: TensorVariable, mask: TensorVariable
) -> tuple[TensorVariable, TensorVariable, TensorVariable, TensorVariable | None]:
    """`SoftmaxCrossEntropy` with an optional bias: the loss, ds, dV, and dc or None."""
    if c is None:
        return (*SoftmaxCrossEntropy()(s, V, y, mask), None)
    loss, ds, dV, dc = SoftmaxCrossEntropy(bias=True)(s, V, c, y, mask)
    return loss, ds, dV, dc


def fused_log_probability(
    s: TensorVariable, V: TensorVariable, c: TensorVariable | None, y: TensorVariable
) -> TensorVariable:
    """`SoftmaxLogProbability` with an optional bias."""
    return SoftmaxLogProbability()(s, V, y) if c is None else SoftmaxLogProbability(bias=True)(s, V, c, y)


def softmax(z: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """NumPy's softmax over the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy_of_rows(
    s: DeviceArray, VT: DeviceArray, c: DeviceArray | None, y: DeviceArray, mask: DeviceArray
) -> LossAndGradients:
    """The loss, ds, and the dense part of dVᵀ and dc. The caller adds the sparse part, in the columns y.

    With e = exp(z - max z):  L = Σ ln Σe + max z - z[y],  ds = (e V) / Σe - V[y],  dV = eᵀ (s / Σe) - s in rows y.
    Everything is written with Vᵀ because a large V is stored transposed.
    """
    z, z_max = outputs(s, VT, c)
    e = jnp.exp(z - z_max)
    e_sum = e.sum(axis=1, keepdims=True)
    weight = mask[:, None]
    V_y = VT[:, y].T
    target_z = (V_y * s).sum(axis=1, keepdims=True)
    if c is not None:
        target_z += c[y][:, None]
    loss = ((jnp.log(e_sum) + z_max - target_z) * weight).sum()
    ds = (times_transposed(e, VT) / e_sum - V_y) * weight
    # A column of ones gives dc in the same product as dV.
    s_and_one = s if c is None else jnp.concatenate([s, jnp.ones_like(weight)], axis=1)
    # Without the barrier XLA merges the transpose into the product, which then takes up to twice as long.
    weighted_sT = jax.lax.optimization_barrier((s_and_one * (weight / e_sum)).T)
    dVT = weighted_sT @ e
    return loss, ds, dVT[: s.shape[1]], dVT[-1]


def cross_entropy_of_few_words(
    s: DeviceArray, VT: DeviceArray, c: DeviceArray | None, y: DeviceArray, mask: DeviceArray
) -> LossAndGradients:
    """The loss, ds, dVᵀ and dc for a small vocabulary, where o - onehot(y) is cheap and gathering rows is not."""
    z, z_max = outputs(s, VT, c)
    e = jnp.exp(z - z_max)
    e_sum = e.sum(axis=1, keepdims=True)
    weight = mask[:, None]
    loss = ((jnp.log(e_sum) + z_max - target_of_few(z, y)) * weight).sum()
    do = (e / e_sum - is_target(y, z)) * weight
    return loss, times_transposed(do, VT), (do.T @ s).T, do.sum(axis=0)


def log_probability_of_rows(s: DeviceArray, VT: DeviceArray, c: DeviceArray | None, y: DeviceArray) -> DeviceArray:
    """ln softmax(V s + c)[y] for each row s."""
    z, z_max = outputs(s, VT, c)
    # Take the target's z from the same product as the maximum: both are then rounded in the same way.
    target_z = jnp.take_along_axis(z, y[:, None], axis=1)
    return (target_z - z_max)[:, 0] - jnp.log(jnp.exp(z - z_max).sum(axis=1))


def outputs(s: DeviceArray, VT: DeviceArray, c: DeviceArray | None) -> tuple[DeviceArray, DeviceArray]:
    """z = V s + c for each row s, and the maximum of each row."""
    z = s @ VT if c is None else s @ VT + c
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


def rows_per_chunk(VT: DeviceArray, outputs: int, at_least: int) -> int:
    """How many rows to process at once if about so many outputs may be held."""
    return max(at_least, outputs // VT.shape[1])


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
def xla_softmax_cross_entropy(op: SoftmaxCrossEntropy, **kwargs: Any) -> Callable[..., tuple[DeviceArray, ...]]:
    """The operation written with JAX."""

    def cross_entropy(s: DeviceArray, V: DeviceArray, *others: DeviceArray) -> tuple[DeviceArray, ...]:
        c, y, mask = others if op.bias else (None, *others)
        VT = V.T
        of_rows = cross_entropy_of_few_words if has_few_words(VT) else cross_entropy_of_rows
        count, rows = s.shape[0], rows_per_chunk(VT, OUTPUTS_PER_CHUNK, MIN_ROWS)
        if count <= rows:
            loss, ds, dVT, dc = of_rows(s, VT, c, y, mask)
        else:

            def add_chunk(
                total: tuple[DeviceArray, ...], chunk: tuple[DeviceArray, ...]
            ) -> tuple[tuple[DeviceArray, ...], DeviceArray]:
                s, y, mask = chunk
                loss, ds, dVT, dc = of_rows(s, VT, c, y, mask)
                return (total[0] + loss, total[1] + dVT, total[2] + dc), ds

            zero = (jnp.zeros((), s.dtype), jnp.zeros_like(VT), jnp.zeros_like(VT[0]))
            (loss, dVT, dc), ds = jax.lax.scan(add_chunk, zero, in_chunks(rows, s, y, mask))
            ds = ds.reshape((-1, s.shape[1]))[:count]
        if not has_few_words(VT):
            dVT = dVT.at[:, y].add(-(s * mask[:, None]).T)
            dc = dc.at[y].add(-mask)
        return (loss, ds, dVT.T, dc) if op.bias else (loss, ds, dVT.T)

    return cross_entropy


@xla_version(SoftmaxLogProbability)
def xla_softmax_log_probability(op: SoftmaxLogProbability, **kwargs: Any) -> Callable[..., DeviceArray]:
    """The operation written with JAX."""

    def log_probability(s: DeviceArray, V: DeviceArray, *others: DeviceArray) -> DeviceArray:
        c, y = others if op.bias else (None, *others)
        VT = V.T
        count, rows = s.shape[0], rows_per_chunk(VT, SCORED_OUTPUTS_PER_CHUNK, MIN_SCORED_ROWS)
        if device_name() is None and has_few_words(VT):
            padding = max(CPU_FEW_WORDS_ROWS - count, 0)
            s, y = jnp.pad(s, ((0, padding), (0, 0))), jnp.pad(y, (0, padding))
        elif device_name() is None:
            rows = min(rows, CPU_SCORED_ROWS)
        if len(s) <= rows:
            return log_probability_of_rows(s, VT, c, y)[:count]
        chunks = in_chunks(rows, s, y)
        of_chunk = jax.lax.map(lambda chunk: log_probability_of_rows(chunk[0], VT, c, chunk[1]), chunks)
        return of_chunk.reshape(-1)[:count]

    return log_probability
