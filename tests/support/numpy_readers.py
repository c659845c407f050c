"""Networks that read as plain loops in NumPy, one text and one step at a time.

Written from the formulas and independent of `theano_rnn.tasks`, except for the names of parameters.
"""

import numpy as np
from support.numpy_networks import CELLS

STATES = {"simple": 1, "gru": 1, "lstm": 2}


def layer(values, cell, number, end, vectors):
    """The states s_t of one layer in the order of `vectors` (steps, n)."""
    U, W, b, r = (values.get((name if number == 0 else f"{name}{number + 1}") + end) for name in "UWbr")
    H = W.shape[1]
    state = [np.zeros(H)] * STATES[cell]
    found = []
    for x in vectors:
        a = U @ x + (0 if b is None else b)
        q = W @ state[0]
        if r is not None:
            q = np.concatenate([q[:-H], q[-H:] + r])
        state = CELLS[cell](a, q, *state)
        found.append(state[0])
    return np.array(found)


def outputs(values, settings, vectors, mask=None):
    """The outputs (steps, output_dim) of all layers for one text (steps, input_dim); `mask` has factors of dropout."""
    H, ends = settings.hidden_dim, ["", "_back"] if settings.bidirectional else [""]
    mask = np.ones(settings.dropout_dim) if mask is None else mask
    parts = np.split(mask[settings.input_dim :], settings.layers * len(ends))
    read = [vectors * mask[: settings.input_dim]] * len(ends)
    for number in range(settings.layers):
        found = []
        for i, end in enumerate(ends):
            turn = slice(None, None, -1 if end else 1)
            s = layer(values, settings.cell, number, end, read[i][turn])[turn]
            found.append(s * parts[number * len(ends) + i])
        read = [np.concatenate(found, axis=1)] * len(ends) if settings.mixed else found
    assert all(one.shape[1] == (H * len(ends) if settings.mixed else H) for one in read)
    return read[0] if settings.mixed else np.concatenate(read, axis=1)


def around(settings, found):
    """What the softmax reads to predict each word from the others: the states before and after it."""
    H, nothing = settings.hidden_dim, np.zeros((1, settings.hidden_dim))
    before = np.concatenate([nothing, found[:-1, :H]])
    after = np.concatenate([found[1:, H:], nothing[:, : found.shape[1] - H]])
    return np.concatenate([before, after], axis=1)


def text_vector(settings, found):
    """What the softmax reads of the outputs of one text, for a label of the whole text."""
    if settings.pooling == "max":
        return found.max(axis=0)
    if settings.pooling == "mean":
        return found.mean(axis=0)
    H = settings.hidden_dim
    return np.concatenate([found[-1, :H], found[0, H:]])


def log_probabilities(values, settings, ids, frames=None, mask=None):
    """ln P of the labels for one text: ids (features, steps), frames (steps, frame_dim)."""
    names = ["V"] if settings.tied else ["E" if i == 0 else f"E{i + 1}" for i in range(len(settings.embeddings))]
    tables = [values[name] for name in names]
    parts = [E[one] for E, one in zip(tables, ids, strict=False)] + ([] if frames is None else [frames])
    found = outputs(values, settings, np.concatenate(parts, axis=1), mask)
    s = {"steps": lambda: found, "gap": lambda: around(settings, found), "text": lambda: text_vector(settings, found)}
    s = s[settings.head]()
    if settings.tied:
        s = s @ values["P"].T
    z = s @ values["V"].T + values.get("c", 0)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
