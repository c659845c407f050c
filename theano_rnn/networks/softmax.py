"""Softmax and cross-entropy: the formulas, and their gradients (tutorial parts 2 and 3). Symbolic expressions only.

With a large vocabulary the outputs o_t are by far the largest arrays of the network. With PyTensor, therefore,
`softmax_cross_entropy` and `softmax_log_probability` are operations that never hold all outputs at once; see
`theano_rnn.engines.chunked_softmax`. The original Theano compiles the formulas here.
"""

from theano_rnn.engines.array_functions import exp, log, row_sums
from theano_rnn.engines.chunked_softmax import fused_cross_entropy, fused_log_probability
from theano_rnn.engines.engine import T, fused
from theano_rnn.engines.tensor_types import TensorVariable


def exponentials(z: TensorVariable) -> tuple[TensorVariable, TensorVariable, TensorVariable]:
    """Return z minus the maximum of its row, which prevents overflow, exp(z), and Σ exp(z) of each row as a column."""
    z = z - z.max(axis=1, keepdims=True)
    e = exp(z)
    return z, e, row_sums(e)


def softmax(z: TensorVariable) -> TensorVariable:
    """exp(z) / Σ exp(z) for each row."""
    _, e, e_sum = exponentials(z)
    return e / e_sum


def log_softmax(z: TensorVariable) -> TensorVariable:
    """ln softmax(z) = z - ln Σ exp(z) for each row."""
    z, _, e_sum = exponentials(z)
    return z - log(e_sum)


def chosen_log_softmax(z: TensorVariable, rows: TensorVariable, columns: TensorVariable) -> TensorVariable:
    """ln softmax(z) at chosen places: z (n, word_dim), rows and columns (m,) of int -> (m,).

    XLA takes an eighth less time than for `log_softmax`, because only the chosen elements are normalized.
    """
    largest = z.max(axis=1, keepdims=True)
    e_sum = row_sums(exp(z - largest))
    return z[rows, columns] - largest[rows, 0] - log(e_sum)[rows, 0]


def log_normalizer(z: TensorVariable) -> TensorVariable:
    """ln Σ exp(z) of each row, as a column: ln softmax(z) = z - ln Σ exp(z)."""
    largest = z.max(axis=1, keepdims=True)
    return largest + log(row_sums(exp(z - largest)))


def cross_entropy(
    s: TensorVariable, V: TensorVariable, c: TensorVariable | None, y: TensorVariable, mask: TensorVariable
) -> tuple[TensorVariable, TensorVariable, TensorVariable, TensorVariable | None]:
    """L = -Σ ln o[y] and its gradients, with o = softmax(V s + c) for each row s.

    ∂L/∂(V s) = o - onehot(y), so ∂L/∂s = Vᵀ (o - onehot(y)) and ∂L/∂V = Σ (o - onehot(y)) sᵀ.

    Parameters
    ----------
    s : matrix (n, hidden_dim)
    V : matrix (word_dim, hidden_dim)
    c : vector (word_dim,) or None
    y : vector (n,) of int
    mask : vector (n,) of the type of s
        1 for words, 0 for padding.

    Returns
    -------
    loss : scalar
        In nats.
    ds : matrix (n, hidden_dim)
    dV : matrix (word_dim, hidden_dim)
    dc : vector (word_dim,) or None
    """
    z, e, e_sum = exponentials(s.dot(V.T) if c is None else s.dot(V.T) + c)
    t = T.arange(y.shape[0])
    loss = T.sum((T.log(e_sum[:, 0]) - z[t, y]) * mask, acc_dtype=s.dtype)
    do = T.inc_subtensor((e / e_sum)[t, y], -1) * mask[:, None]
    dc = None if c is None else do.sum(axis=0, acc_dtype=s.dtype)
    return loss, do.dot(V), do.T.dot(s), dc


def log_probability(
    s: TensorVariable, V: TensorVariable, c: TensorVariable | None, y: TensorVariable
) -> TensorVariable:
    """ln o[y] for each row s, in nats: (n,)."""
    z, _, e_sum = exponentials(s.dot(V.T) if c is None else s.dot(V.T) + c)
    return z[T.arange(y.shape[0]), y] - T.log(e_sum[:, 0])


softmax_cross_entropy = fused(fused_cross_entropy, cross_entropy)
softmax_log_probability = fused(fused_log_probability, log_probability)
