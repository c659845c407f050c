"""The loss of one continuous text, the hidden state carried from its first token to its last. Knows ids, not words.

A text is computed as parallel streams, because one step of many streams costs hardly more than one of a single stream.
Each stream starts where the stream before it ends, so its initial state is known only when that one is done. All
streams therefore start from zero first. A second pass starts each from the final state of its predecessor, and ends as
soon as the states are those of the first pass, usually after some tens of tokens: a network forgets. What follows would
be the same again. The result is that of a single stream, however many are used.
"""

import numpy as np

from theano_rnn.text import minibatches

SHORTEST_STREAM = 1000  # tokens: in shorter ones the second pass would cost as much as the first
LONGEST_STREAM = 10_000  # tokens: longer texts are read in blocks, so that few states are in memory
AS_CLOSE = 32  # times the floating-point precision: states this close are the same


def continuous_cross_entropy(rnn, ids, streams, sequence_length, state=None):
    """Summed cross-entropy of a continuous text.

    Parameters
    ----------
    rnn : RNN
    ids : int array
        Each id but the first is predicted from all ids before it.
    streams : int
        At most so many are computed in parallel.
    sequence_length : int
        Tokens of each stream that are computed at once.
    state : array (hidden_dim,), optional
        The hidden state before the first id; default zero.

    Returns
    -------
    float, int
        In nats, and the number of predictions. Neither depends on `streams` or `sequence_length`.
    """
    state = rnn.zero_states(1)[0] if state is None else state
    tokens, total = len(ids) - 1, 0.0
    block = streams * whole_chunks(LONGEST_STREAM, sequence_length)
    for start in range(0, tokens, block):
        stop = min(start + block, tokens)
        loss, state = block_cross_entropy(rnn, ids[start : stop + 1], streams, sequence_length, state)
        total += loss
    return total, tokens


def block_cross_entropy(rnn, ids, streams, sequence_length, state):
    """Summed cross-entropy of a block, and the last stream's final state: the block's own if its streams are full."""
    used = max(1, min(streams, (len(ids) - 1) // SHORTEST_STREAM))
    initial = rnn.zero_states(streams)
    initial[0] = state
    losses, boundaries = [], []
    chunks = list(minibatches.stream_batches(ids, streams, sequence_length, used))
    tolerance = AS_CLOSE * np.finfo(initial.dtype).eps
    for _ in range(used):  # after so many passes even the last stream starts from its true state
        states, is_settled = initial, False
        for number, chunk in enumerate(chunks):
            values, states = rnn.log_probabilities(chunk.x, chunk.y, states)
            states = np.asarray(states)
            loss = -float(values[chunk.mask].sum(dtype=np.float64))
            if number == len(losses):
                losses.append(loss)
                boundaries.append(states)
                continue
            difference = np.abs(states - boundaries[number])[:used]
            losses[number], boundaries[number] = loss, states
            is_settled = bool((difference <= tolerance * (1 + np.abs(states[:used]))).all())
            if is_settled:
                break
        if is_settled or used == 1:
            break
        initial = initial.copy()
        initial[1:used] = boundaries[-1][: used - 1]
    return sum(losses), boundaries[-1][used - 1]


def whole_chunks(length, sequence_length):
    """The smallest multiple of the sequence length that is at least `length`."""
    return -(-length // sequence_length) * sequence_length
