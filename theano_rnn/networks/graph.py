"""The tutorial's formulas as symbolic graphs: forward pass, loss, backpropagation through time. Pure functions.

Axes everywhere: (steps, batch_size) for word ids, (steps, batch_size, hidden_dim) for states; a single sentence is a
minibatch of one. `mask` is 1 where there is a word and 0 on the padding behind a sentence's end.

    x  (steps, batch_size)      a   the columns U[:, x_t]
         |  gather, all t at once
         a_t -> s_t = f(a_t + W s_{t-1})      the only loop: scan
                 |  one product for all t
                o_t = softmax(V s_t)
"""

from theano_rnn.engines.engine import T, length, scan, with_last_length
from theano_rnn.networks.cells import ACTIVATIONS, simple_step
from theano_rnn.networks.softmax import softmax_cross_entropy, softmax_log_probability


def rows(array):
    """(steps, batch_size, n) -> (steps * batch_size, n)."""
    return array.reshape((-1, length(array, -1)))


def input_activations(x, U):
    """U x_t for all t: x_t is one-hot, so the product is column x_t of U. Returns (steps, batch_size, hidden_dim)."""
    hidden_dim = length(U, 0)
    return U.T[x.reshape((-1,))].reshape((x.shape[0], x.shape[1], hidden_dim))


def hidden_states(a, W, s_init, activation):
    """s_t = f(U x_t + W s_{t-1}) for all t, from s_{-1} = s_init (tutorial part 2, forward propagation).

    Parameters
    ----------
    a : tensor (steps, batch_size, hidden_dim)
        U x_t, from `input_activations`.
    W : matrix (hidden_dim, hidden_dim)
    s_init : matrix (batch_size, hidden_dim)
    activation : {"tanh", "relu"}

    Returns
    -------
    tensor (steps, batch_size, hidden_dim)
    """
    s = scan(
        lambda a_t, s_prev, W: simple_step(a_t, s_prev, W, activation),
        sequences=a,
        outputs_info=[s_init],
        non_sequences=[W],
        n_steps=a.shape[0],
        strict=True,
    )
    return with_last_length(s, length(W, 0))


def softmax(z):
    """exp(z) / Σ exp(z) over each row, with the row's maximum taken off first so that nothing overflows."""
    e = T.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True, acc_dtype=z.dtype)


def output_probabilities(s, V):
    """o_t = softmax(V s_t), as (steps * batch_size, word_dim)."""
    return softmax(rows(s).dot(V.T))


def most_probable(s, V):
    """argmax o_t, which is argmax V s_t, as (steps * batch_size,)."""
    return T.argmax(rows(s).dot(V.T), axis=1)


def all_log_probabilities(s, V):
    """ln o_t for all words, as (steps * batch_size, word_dim): V s_t less the logarithm of the sum over words."""
    z = rows(s).dot(V.T)
    z = z - z.max(axis=1, keepdims=True)
    return z - T.log(T.exp(z).sum(axis=1, keepdims=True, acc_dtype=z.dtype))


def log_probabilities(s, V, y):
    """ln o_t[y_t] in nats, as (steps, batch_size)."""
    return softmax_log_probability(rows(s), V, y.reshape((-1,))).reshape((y.shape[0], y.shape[1]))


def cross_entropy(s, V, y, mask):
    """L = -Σ ln o_t[y_t] over all words of the minibatch, with its gradients by s and V.

    Returns
    -------
    loss : scalar, in nats, summed
    ds : tensor (steps, batch_size, hidden_dim)
    dV : matrix (word_dim, hidden_dim)
    """
    loss, ds, dV = softmax_cross_entropy(rows(s), V, y.reshape((-1,)), T.cast(mask, s.dtype).reshape((-1,)))
    return loss, ds.reshape(s.shape), dV


def full_delta(ds, s, W, activation):
    """δ_t = (∂L_t/∂s_t + Wᵀ δ_{t+1}) f'(t) for all t, from the last to the first (tutorial part 3), by `scan`.

    This is what `theano.grad` makes of the forward scan, which the tests hold it against, in one plain line and without
    the buffers that `theano.grad` carries along.
    """
    _, slope = ACTIVATIONS[activation]
    delta = scan(
        lambda ds_t, slope_t, delta_next, W: (ds_t + delta_next.dot(W)) * slope_t,
        sequences=[ds, slope(s)],
        outputs_info=[T.zeros_like(ds[0])],
        non_sequences=[W],
        n_steps=ds.shape[0],
        go_backwards=True,
        strict=True,
    )
    return with_last_length(delta[::-1], length(W, 0))


def truncated_delta(ds, s, W, activation, bptt_truncate):
    """δ_t summed over errors that flow back through at most K steps beyond their own output (tutorial parts 2 and 3).

    The tutorial's inner loop runs for each output t over the steps max(0, t-K) … t. All outputs go back one step
    together here: at level k, row t holds what the error of output t+k leaves at step t. `scan(truncate_gradient=K)`
    means something else: it differentiates only the last K steps of the whole sentence.
    """
    _, slope = ACTIVATIONS[activation]
    slopes = slope(s)
    delta = level = ds * slopes
    for _ in range(bptt_truncate):
        back = rows(level[1:]).dot(W).reshape(slopes[:-1].shape) * slopes[:-1]
        level = T.concatenate([back, T.zeros_like(level[:1])], axis=0)
        delta = delta + level
    return delta


def backpropagation_through_time(ds, s, W, activation, bptt_truncate):
    """δ_t = ∂L/∂(U x_t + W s_{t-1}) for all t; `bptt_truncate` None means through the whole sentence."""
    if bptt_truncate is None:
        return full_delta(ds, s, W, activation)
    return truncated_delta(ds, s, W, activation, bptt_truncate)


def recurrence_gradients(delta, x, s, s_init, U):
    """dU = Σ δ_t x_tᵀ (δ_t added on column x_t) and dW = Σ δ_t s_{t-1}ᵀ."""
    s_prev = T.concatenate([s_init[None, :, :], s[:-1]], axis=0)
    dU = T.inc_subtensor(T.zeros_like(U).T[x.reshape((-1,))], rows(delta)).T
    dW = rows(delta).T.dot(rows(s_prev))
    return dU, dW


def plus_columns(U, x, change):
    """U with `change` (steps, batch_size, hidden_dim) added on its columns x; the other columns are not touched."""
    return T.inc_subtensor(U.T[x.reshape((-1,))], rows(change)).T
