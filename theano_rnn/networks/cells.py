"""The recurrence: one step from s_{t-1} to s_t and its slope. Nothing here knows of words, losses or minibatches."""

from theano_rnn.engines.engine import T


def tanh(z):
    return T.tanh(z)


def tanh_slope(s):
    """The derivative of s = tanh(z) by z, told by s: 1 - s² (tutorial part 3)."""
    return 1 - s**2


def relu(z):
    return T.switch(z > 0, z, T.zeros_like(z))


def relu_slope(s):
    """The derivative of s = max(z, 0) by z, told by s: the step function, 0 at 0."""
    return T.cast(s > 0, s.dtype)


ACTIVATIONS = {"tanh": (tanh, tanh_slope), "relu": (relu, relu_slope)}


def simple_step(a_t, s_prev, W, activation):
    """s_t = f(U x_t + W s_{t-1}) for a minibatch (tutorial part 1).

    Parameters
    ----------
    a_t : matrix (batch_size, hidden_dim)
        U x_t, gathered beforehand.
    s_prev : matrix (batch_size, hidden_dim)
    W : matrix (hidden_dim, hidden_dim)
    activation : {"tanh", "relu"}
    """
    f, _ = ACTIVATIONS[activation]
    return f(a_t + s_prev.dot(W.T))
