"""Networks as plain loops in NumPy, one text and one step at a time, and their gradients by complex differentiation.

Written from the formulas of the cells and independent of `theano_rnn.networks`, except for the names of parameters.
"""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def simple(a, q, s):
    return [np.tanh(a + q)]


def relu(a, q, s):
    return [np.maximum(a + q, 0)]


def gru(a, q, s):
    (a_r, a_z, a_n), (q_r, q_z, q_n) = np.split(a, 3), np.split(q, 3)
    r, z = sigmoid(a_r + q_r), sigmoid(a_z + q_z)
    n = np.tanh(a_n + r * q_n)
    return [(1 - z) * n + z * s]


def lstm(a, q, s, c):
    i, f, g, o = np.split(a + q, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


CELLS = {"simple": simple, "relu": relu, "gru": gru, "lstm": lstm}


def next_state(values, cell, layers, word, state, mask=None):
    """The vector that the softmax reads and the state after a word. A state has the matrices of all layers in a list.

    `values` has the parameters by name. `mask` has the factors of dropout: of the embedding, then of each layer.
    """
    E = values.get("E", values["V"] if values["U"].shape[1] != len(values["V"]) else None)
    H, per_layer = values["W"].shape[1], len(state) // layers
    x = None if E is None else E[word]
    used = 0
    if x is not None and mask is not None:
        x, used = x * mask[: len(x)], len(x)
    new = []
    for layer in range(layers):
        U, W, b, r = (values.get(name if layer == 0 else f"{name}{layer + 1}") for name in "UWbr")
        previous = state[layer * per_layer : (layer + 1) * per_layer]
        a = U[:, word] if x is None else U @ x
        q = W @ previous[0]
        if b is not None:
            a = a + b
        if r is not None:
            q = np.concatenate([q[:-H], q[-H:] + r])
        found = CELLS[cell](a, q, *previous)
        new += found
        x = found[0]
        if mask is not None:
            x, used = x * mask[used : used + H], used + H
    return x, new


def probabilities(values, s):
    e = np.exp(values["V"] @ s + values.get("c", 0))
    return e / e.sum()


def split(packed, values):
    """A packed state as a list of vectors."""
    return np.split(packed, len(packed) // values["W"].shape[1])


def forward(values, cell, layers, x, state, mask=None):
    """Probabilities (n, word_dim) and packed states (n, state_dim) of one text, from a packed state before it."""
    o, states = [], []
    state = split(state, values)
    for word in x:
        s, state = next_state(values, cell, layers, word, state, mask)
        o.append(probabilities(values, s))
        states.append(np.concatenate(state))
    return np.array(o), np.array(states)


def loss(values, cell, layers, x, y, state, mask=None):
    o, _ = forward(values, cell, layers, x, state, mask)
    return -np.log(o[np.arange(len(y)), y]).sum()


def derivatives(of, values):
    """The gradients of a function of `values`, by complex differentiation: Im f(θ + ih) / h, exact to rounding."""
    values = {name: value.astype(complex) for name, value in values.items()}
    found = {name: np.zeros(value.shape) for name, value in values.items()}
    for name, value in values.items():
        for index in np.ndindex(value.shape):
            value[index] += 1e-30j
            found[name][index] = of(values).imag * 1e30
            value[index] = value[index].real
    return found


def gradients(values, cell, layers, x, y, state, mask=None):
    """The full gradients of `loss`."""
    return derivatives(lambda changed: loss(changed, cell, layers, x, y, state, mask), values)


def truncated_gradients(values, cell, layers, x, y, state, bptt_truncate, mask=None):
    """The tutorial's truncated BPTT: each output by itself, with the states before its last K+1 steps as constants."""
    _, states = forward(values, cell, layers, x, state, mask)
    total = {name: np.zeros(value.shape) for name, value in values.items()}
    for t in range(len(x)):
        start = max(0, t - bptt_truncate)
        before = state if start == 0 else states[start - 1]

        def loss_of_output(changed, t=t, start=start, before=before):
            o, _ = forward(changed, cell, layers, x[start : t + 1], before, mask)
            return -np.log(o[-1, y[t]])

        for name, gradient in derivatives(loss_of_output, values).items():
            total[name] += gradient
    return total
