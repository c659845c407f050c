"""Forward propagation: from word ids to states, probabilities and the loss (tutorial part 2).

Symbolic expressions only. Axes are (steps, batch_size) for word ids and (steps, batch_size, hidden_dim) for states; a
single sentence is a minibatch of one. `mask` is 1 where there is a word, and 0 on the padding after a sentence's end.

    x  (steps, batch_size)      a   the columns U[:, x_t]
         |  gather, all t at once
         a_t -> s_t = f(a_t + W s_{t-1})      the only loop: scan
                 |  one product for all t
                o_t = softmax(V s_t)
"""

from collections.abc import Sequence

from theano_rnn.engines.engine import T, axis_length, scan, with_last_axis_length
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.cells import Cell
from theano_rnn.networks.softmax import log_softmax, softmax, softmax_cross_entropy, softmax_log_probability


def rows(array: TensorVariable) -> TensorVariable:
    """(steps, batch_size, n) -> (steps * batch_size, n)."""
    return array.reshape((-1, axis_length(array, -1)))


def input_activations(x: TensorVariable, U: TensorVariable) -> TensorVariable:
    """U x_t for all t: x_t is one-hot, so the product is column x_t of U. Returns (steps, batch_size, hidden_dim)."""
    return U.T[x.reshape((-1,))].reshape((x.shape[0], x.shape[1], axis_length(U, 0)))


def hidden_states(
    a: TensorVariable, s_init: TensorVariable, weights: Sequence[TensorVariable], cell: Cell
) -> TensorVariable:
    """s_t for all t, from s_{-1} = s_init; for the tutorial's cell s_t = f(U x_t + W s_{t-1}).

    Parameters
    ----------
    a : tensor (steps, batch_size, hidden_dim)
        U x_t, from `input_activations`.
    s_init : matrix (batch_size, hidden_dim)
    weights : sequence of matrices
        The cell's parameters except U: [W].
    cell : Cell

    Returns
    -------
    tensor (steps, batch_size, hidden_dim)
    """
    s = scan(
        cell.next_state,
        sequences=[a],
        outputs_info=[s_init],
        non_sequences=list(weights),
        n_steps=a.shape[0],
        strict=True,
    )
    return with_last_axis_length(s, axis_length(weights[0], 1))


def previous_states(s: TensorVariable, s_init: TensorVariable) -> TensorVariable:
    """s_{t-1} for all t: s_init, s_0, … without the last state."""
    return T.concatenate([s_init[None, :, :], s[:-1]], axis=0)


def output_probabilities(s: TensorVariable, V: TensorVariable) -> TensorVariable:
    """o_t = softmax(V s_t), as (steps * batch_size, word_dim)."""
    return softmax(rows(s).dot(V.T))


def most_probable(s: TensorVariable, V: TensorVariable) -> TensorVariable:
    """argmax o_t, which is argmax V s_t, as (steps * batch_size,)."""
    return T.argmax(rows(s).dot(V.T), axis=1)


def all_log_probabilities(s: TensorVariable, V: TensorVariable) -> TensorVariable:
    """ln o_t for all words in nats, as (steps * batch_size, word_dim)."""
    return log_softmax(rows(s).dot(V.T))


def log_probabilities(s: TensorVariable, V: TensorVariable, y: TensorVariable) -> TensorVariable:
    """ln o_t[y_t] in nats, as (steps, batch_size)."""
    return softmax_log_probability(rows(s), V, y.reshape((-1,))).reshape((y.shape[0], y.shape[1]))


def cross_entropy(
    s: TensorVariable, V: TensorVariable, y: TensorVariable, mask: TensorVariable
) -> tuple[TensorVariable, TensorVariable, TensorVariable]:
    """L = -Σ ln o_t[y_t] over all words of the minibatch, with its gradients with respect to s and V.

    Returns
    -------
    loss : scalar
        In nats, summed.
    ds : tensor (steps, batch_size, hidden_dim)
        ∂L_t/∂s_t, without what flows back from later steps.
    dV : matrix (word_dim, hidden_dim)
    """
    loss, ds, dV = softmax_cross_entropy(rows(s), V, y.reshape((-1,)), T.cast(mask, s.dtype).reshape((-1,)))
    return loss, ds.reshape(s.shape), dV
