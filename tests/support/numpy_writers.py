"""Networks that write as plain loops in NumPy: one pair, one step and one source position at a time.

Written from the formulas and independent of `theano_rnn.decoders`, except for the names of parameters.
"""

import numpy as np
from support import numpy_networks, numpy_readers


def read(values, settings, source, mask):
    """The states h_j of one source (None for features) and z."""
    if settings.feature_dim:
        return None, source * mask
    E = values["E_source"] if not settings.shared else values["V" if settings.tied else "E"]
    of_source = {name.removesuffix("_source"): value for name, value in values.items() if name.endswith("_source")}
    h = numpy_readers.outputs(of_source, settings.encoder, E[source], mask)
    H = settings.hidden_dim
    return h, np.concatenate([h[-1, :H], h[0, H:]])


def attention(values, s, h):
    """The weights of the source positions, and the context."""
    scores = [s @ values["A"] @ h_j for h_j in h]
    total = sum(np.exp(score) for score in scores)
    weights = [np.exp(score) / total for score in scores]
    return np.array(weights), sum(weight * h_j for weight, h_j in zip(weights, h, strict=True))


class Loop:
    """A writer after it has read one source: ids or features. `mask` has the factors of dropout."""

    def __init__(self, values, settings, source, mask=None):
        self.values, self.settings = values, settings
        mask = np.ones(settings.dropout_dim) if mask is None else mask
        at, end = settings.source_dropout_dim, settings.dropout_dim - settings.embedding_dim
        self.decoder_mask, self.q_mask = mask[at:end], mask[end:]
        self.h, self.z = read(values, settings, source, mask[:at])
        self.state = numpy_networks.split(np.tanh(values["B"] @ self.z + values.get("d", 0)), values)

    def step(self, word):
        """Go on with a word: ln P of the next one, for all words; and the weights of attention or None."""
        values, settings = self.values, self.settings
        s, self.state = numpy_networks.next_state(
            {**values, "E": values["V"]} if settings.tied else values,
            *(settings.cell, settings.layers, word, self.state, self.decoder_mask),
        )
        weights = None
        if settings.attention:
            weights, context = attention(values, s, self.h)
            s = np.concatenate([s, context])
        if settings.repeats_z:
            s = np.concatenate([s, self.z])
        q = np.tanh(values["O"] @ s + values.get("a", 0)) * self.q_mask
        z = values["V"] @ q + values.get("c", 0)
        return z - np.log(np.exp(z).sum()), weights


def log_probabilities(values, settings, source, x, y, mask=None):
    """ln P of each word of a target y, where x has the words before: (steps,)."""
    loop = Loop(values, settings, source, mask)
    return np.array([loop.step(word)[0][next_one] for word, next_one in zip(x, y, strict=True)])
