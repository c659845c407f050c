"""Softmax and cross-entropy as one operation on (states, V, targets), for outputs too wide to be kept.

The results are those of the plain formulas of the tutorial, o_t = softmax(V s_t) and L = -Σ ln o_t[y_t], which stand in
the NumPy versions (`perform`). The XLA versions never keep the (steps, word_dim) matrix of outputs: they go through the
rows in chunks, compute the exponentials once and get loss and gradients from them in the same pass.
"""

import numpy as np

from theano_rnn.engines.engine import Apply, Op, T, jax, jnp, xla_version

# How many outputs are held at once: 20 MB in float32 for gradients, where larger chunks are no faster, and 10 MB for
# scoring, which larger ones make slower.
OUTPUTS_PER_CHUNK = 640 * 8000
SCORED_OUTPUTS_PER_CHUNK = 320 * 8000
# Of a very large vocabulary more are held, about as many as V has elements: dV is added up once for each chunk, which
# takes longer than the products of only a few rows.
FEWEST_ROWS = 128
FEW_WORDS = 512


class SoftmaxCrossEntropy(Op):
    """Summed cross-entropy of softmax(V s) against targets, and its gradients.

    Inputs: s (n, hidden_dim), V (word_dim, hidden_dim), y (n,) int, mask (n,) of the type of s, 1 for rows that count
    and 0 for padding. Outputs: the loss in nats (a scalar), ds (n, hidden_dim) and dV (word_dim, hidden_dim).
    """

    __props__ = ()

    def make_node(self, s, V, y, mask):
        s, V, y, mask = (T.as_tensor_variable(variable) for variable in (s, V, y, mask))
        return Apply(self, [s, V, y, mask], [T.scalar(dtype=s.dtype), s.type(), V.type()])

    def perform(self, node, inputs, output_storage):
        s, V, y, mask = inputs
        o = softmax(s.dot(V.T))
        loss = -np.sum(np.log(o[np.arange(len(y)), y]) * mask)
        do = o
        do[np.arange(len(y)), y] -= 1
        do *= mask[:, None]
        for storage, value in zip(output_storage, (loss, do.dot(V), do.T.dot(s)), strict=True):
            storage[0] = np.asarray(value, dtype=s.dtype)


class SoftmaxLogProbability(Op):
    """ln softmax(V s)[y] for each row: s (n, hidden_dim), V (word_dim, hidden_dim), y (n,) int -> (n,)."""

    __props__ = ()

    def make_node(self, s, V, y):
        s, V, y = (T.as_tensor_variable(variable) for variable in (s, V, y))
        return Apply(self, [s, V, y], [T.vector(dtype=s.dtype)])

    def perform(self, node, inputs, output_storage):
        s, V, y = inputs
        output_storage[0][0] = np.log(softmax(s.dot(V.T))[np.arange(len(y)), y])


def softmax(z):
    """NumPy's softmax over the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy_of_rows(s, VT, y, mask):
    """Loss, ds and the part of dVᵀ that is dense; `-s`, to be added on its columns y, is left to the caller.

    With e = exp(z - max z):  L = Σ ln Σe + max z - ⟨V[y], s⟩,  ds = (e V) / Σe - V[y],  dV = eᵀ (s / Σe) - s on rows y.
    All is written with Vᵀ, which is how a large V lies in memory.
    """
    z, z_max = outputs(s, VT)
    e = jnp.exp(z - z_max)
    e_sum = e.sum(axis=1, keepdims=True)
    weight = mask[:, None]
    V_y = VT[:, y].T
    target_z = (V_y * s).sum(axis=1, keepdims=True)
    loss = ((jnp.log(e_sum) + z_max - target_z) * weight).sum()
    ds = (times_transposed(e, VT) / e_sum - V_y) * weight
    # XLA would turn the transposing into a product of another form, which takes up to twice as long.
    weighted_sT = jax.lax.optimization_barrier((s * (weight / e_sum)).T)
    return loss, ds, weighted_sT @ e


def cross_entropy_of_few_words(s, VT, y, mask):
    """Loss, ds and dVᵀ for a small vocabulary, where o - onehot(y) is cheap, but not gathering and scattering rows."""
    z, z_max = outputs(s, VT)
    e = jnp.exp(z - z_max)
    e_sum = e.sum(axis=1, keepdims=True)
    weight = mask[:, None]
    loss = ((jnp.log(e_sum) + z_max - target_of_few(z, y)) * weight).sum()
    do = (e / e_sum - is_target(y, z)) * weight
    return loss, times_transposed(do, VT), (do.T @ s).T


def log_probability_of_rows(s, VT, y):
    z, z_max = outputs(s, VT)
    # The target's z from the same product as the largest: what rounding does to one it does to the other.
    target_z = jnp.take_along_axis(z, y[:, None], axis=1)
    return (target_z - z_max)[:, 0] - jnp.log(jnp.exp(z - z_max).sum(axis=1))


def outputs(s, VT):
    """z = V s for each row s, and the largest of each row."""
    z = s @ VT
    return z, z.max(axis=1, keepdims=True)


def has_few_words(VT):
    return VT.shape[1] <= FEW_WORDS


def is_target(y, z):
    return y[:, None] == jnp.arange(z.shape[1])


def target_of_few(z, y):
    return jnp.where(is_target(y, z), z, 0).sum(axis=1, keepdims=True)


def times_transposed(a, b):
    """a bᵀ"""
    return jax.lax.dot_general(a, b, (((1,), (1,)), ((), ())))


def rows_per_chunk(VT, outputs):
    return max(FEWEST_ROWS, outputs // VT.shape[1])


def in_chunks(rows, *arrays):
    """Pad arrays with zero rows and cut them into equal chunks of at most `rows` rows: (chunks, rows, ...)."""
    count = len(arrays[0])
    chunks = -(-count // rows)
    rows = -(-count // chunks)
    padding = chunks * rows - count
    return tuple(
        jnp.pad(array, ((0, padding),) + ((0, 0),) * (array.ndim - 1)).reshape((chunks, rows) + array.shape[1:])
        for array in arrays
    )


@xla_version(SoftmaxCrossEntropy)
def xla_softmax_cross_entropy(op, **kwargs):
    def cross_entropy(s, V, y, mask):
        VT = V.T
        of_rows = cross_entropy_of_few_words if has_few_words(VT) else cross_entropy_of_rows
        count, rows = s.shape[0], rows_per_chunk(VT, OUTPUTS_PER_CHUNK)
        if count <= rows:
            loss, ds, dVT = of_rows(s, VT, y, mask)
        else:

            def add_chunk(total, chunk):
                loss, ds, dVT = of_rows(chunk[0], VT, *chunk[1:])
                return (total[0] + loss, total[1] + dVT), ds

            zero = (jnp.zeros((), s.dtype), jnp.zeros_like(VT))
            (loss, dVT), ds = jax.lax.scan(add_chunk, zero, in_chunks(rows, s, y, mask))
            ds = ds.reshape((-1, s.shape[1]))[:count]
        if not has_few_words(VT):
            dVT = dVT.at[:, y].add(-(s * mask[:, None]).T)
        return loss, ds, dVT.T

    return cross_entropy


@xla_version(SoftmaxLogProbability)
def xla_softmax_log_probability(op, **kwargs):
    def log_probability(s, V, y):
        VT = V.T
        count, rows = s.shape[0], rows_per_chunk(VT, SCORED_OUTPUTS_PER_CHUNK)
        if count <= rows:
            return log_probability_of_rows(s, VT, y)
        chunks = in_chunks(rows, s, y)
        return jax.lax.map(lambda chunk: log_probability_of_rows(chunk[0], VT, chunk[1]), chunks).reshape(-1)[:count]

    return log_probability
