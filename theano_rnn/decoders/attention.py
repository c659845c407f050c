"""Attention (Luong et al. 2015, "general"): which source words each step of the target reads. Symbolic only.

    e_tj = s_t · A h_j            score of the source position j, for each j within the source's length
    α_t  = softmax(e_t)
    c_t  = Σ_j α_tj h_j           the context of step t

All steps are computed at once, because the scores read the states s_t and nothing else reads the contexts in the loop.
"""

from typing import NamedTuple

import numpy as np

from theano_rnn.encoders.encoder import is_word
from theano_rnn.engines.engine import T, axis_length, batched_dot
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.forward import by_step, rows

LOWEST = -1e9  # score of padding: its weight becomes 0, and an empty column does not become NaN


class Memory(NamedTuple):
    """What attention reads of a minibatch of sources.

    Attributes
    ----------
    states : tensor (batch_size, source_steps, n)
        h_j.
    keys : tensor (batch_size, source_steps, hidden_dim)
        A h_j.
    within : matrix (batch_size, source_steps) of bool
        Whether j is within the source's length.
    """

    states: TensorVariable
    keys: TensorVariable
    within: TensorVariable


class Attention(NamedTuple):
    """Contexts c_t (batch_size, steps, n) and weights α_t (batch_size, steps, source_steps)."""

    contexts: TensorVariable
    weights: TensorVariable


def by_text(array: TensorVariable) -> TensorVariable:
    """(steps, batch_size, n) -> (batch_size, steps, n); a second call undoes the first."""
    return array.dimshuffle(1, 0, 2)


def memory(h: TensorVariable, x: TensorVariable, lengths: TensorVariable, A: TensorVariable) -> Memory:
    """What attention reads.

    Parameters
    ----------
    h : tensor (source_steps, batch_size, n)
        The states of the source.
    x : matrix (source_steps, batch_size)
        Anything of this shape, such as word ids.
    lengths : vector (batch_size,) of int
    A : matrix (hidden_dim, n)
    """
    keys = by_step(rows(h).dot(A.T), x)
    return Memory(by_text(h), by_text(keys), is_word(x, lengths).T)


def attend(s: TensorVariable, source: Memory) -> Attention:
    """Contexts and weights for the states s of the target, (batch_size, steps, hidden_dim)."""
    scores = batched_dot(s, source.keys.dimshuffle(0, 2, 1))
    scores = T.switch(source.within[:, None, :], scores, np.asarray(LOWEST, s.dtype))
    e = T.exp(scores - scores.max(axis=2, keepdims=True))
    weights = e / e.sum(axis=2, keepdims=True, acc_dtype=s.dtype)
    return Attention(batched_dot(weights, source.states), weights)


class AttentionGradients(NamedTuple):
    """The derivatives of the loss with respect to s and h by text, as in `attend`, and with respect to A."""

    s: TensorVariable
    h: TensorVariable
    A: TensorVariable


def attention_gradients(
    errors: TensorVariable, s: TensorVariable, source: Memory, found: Attention, A: TensorVariable
) -> AttentionGradients:
    """The chain rule for `attend` and `memory`.

    With ∂α = h · ∂c, the softmax gives ∂e = α (∂α - Σ_j α_j ∂α_j); then ∂s = Σ_j ∂e_j A h_j, and A h_j gets ∂e_j s.

    Parameters
    ----------
    errors : tensor (batch_size, steps, n)
        The derivatives with respect to the contexts.
    s, source, found, A
        The arguments and the result of `attend`, and the matrix of `memory`.
    """
    d_weights = batched_dot(errors, source.states.dimshuffle(0, 2, 1))
    mean = (found.weights * d_weights).sum(axis=2, keepdims=True, acc_dtype=s.dtype)
    d_scores = found.weights * (d_weights - mean)
    d_keys = batched_dot(d_scores.dimshuffle(0, 2, 1), s)
    d_states = batched_dot(found.weights.dimshuffle(0, 2, 1), errors)
    flat = rows(d_keys)
    through_keys = flat.dot(A).reshape((d_keys.shape[0], d_keys.shape[1], axis_length(A, 1)))
    return AttentionGradients(
        batched_dot(d_scores, source.keys), d_states + through_keys, flat.T.dot(rows(source.states))
    )
