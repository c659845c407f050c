"""Passages drawn by plain loops in NumPy, one token at a time, from the definition."""

import numpy as np
from support import numpy_networks


def drawn_passage(rnn, ids, uniforms, length, *, end, never, start=None, carries_state=True, temperature=1.0):
    """The ids of a passage after `ids`, without `start`, and ln P of each."""
    values = rnn.get_values()
    state = numpy_networks.split(np.zeros(rnn.architecture.state_dim), values)

    def read(word, state):
        if word == start and not carries_state:
            state = [np.zeros_like(matrix) for matrix in state]
        return numpy_networks.next_state(values, rnn.cell, rnn.layers, word, state)

    for word in ids[:-1]:
        _, state = read(word, state)
    word, drawn, scores = ids[-1], [], []
    for u in uniforms:
        if start is not None and word == end:
            if carries_state:  # reading the end of a sentence takes a step
                _, state = read(word, state)
                word = start
                continue
            word = start
        s, state = read(word, state)
        o = numpy_networks.probabilities(values, s)
        weights = o ** (1 / temperature)
        weights[list(never)] = 0
        if word == start:
            weights[end] = 0
        word = int(np.flatnonzero(weights.cumsum() > u * weights.sum())[0])
        drawn.append(word)
        scores.append(np.log(o[word]))
        if len(drawn) == length:
            break
    return drawn, scores


def uniforms(seed, size, blocks, steps=25):
    """The random numbers of each text in a group."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.random((steps, size)) for _ in range(blocks)]).T
