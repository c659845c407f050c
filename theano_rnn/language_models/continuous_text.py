"""The loss of a continuous text, with the hidden state carried from its first token to its last. Must not know words.

A text is processed as parallel streams, because one step of many streams costs hardly more than one step of a single
stream. Each stream starts where the previous one ends, so its initial state is known only after the previous stream is
finished. The first pass therefore starts all streams from zero. The second pass starts each stream from the final state
of the previous one. It stops as soon as its states equal those of the first pass, because all later states are then
equal too. A network forgets its initial state, so this usually takes only a few dozen tokens. The result does not
depend on the number of streams.
"""

import numpy as np
import numpy.typing as npt

from theano_rnn.networks.rnn import RNN
from theano_rnn.text import minibatches

SHORTEST_STREAM = 1000  # tokens; for shorter streams the second pass would cost as much as the first
LONGEST_STREAM = 10_000  # tokens; longer texts are processed in blocks, to limit the memory for states
STATE_TOLERANCE = 32  # states count as equal if they differ by less than this many units of floating-point precision


def continuous_cross_entropy(
    rnn: RNN,
    ids: npt.NDArray[np.int32],
    streams: int,
    sequence_length: int,
    state: npt.NDArray[np.floating] | None = None,
    unpredicted: int | None = None,
) -> tuple[float, int]:
    """Return the summed cross-entropy of a continuous text.

    Parameters
    ----------
    rnn : RNN
    ids : int32 array
        Each id except the first is predicted from all ids before it.
    streams : int
        Largest number of streams to process in parallel.
    sequence_length : int
        Number of tokens of each stream per call.
    state : array (state_dim,), optional
        The packed state before the first id. The default is zero.
    unpredicted : int, optional
        An id that is read but not predicted, such as that of SENTENCE_START in a text of sentences.

    Returns
    -------
    cross_entropy : float
        In nats. It does not depend on `streams` or `sequence_length`.
    tokens : int
        Number of predictions.
    """
    state = rnn.zero_states(1)[0] if state is None else state
    predictions, tokens, total = len(ids) - 1, 0, 0.0
    block = streams * _whole_chunks(LONGEST_STREAM, sequence_length)
    for start in range(0, predictions, block):
        part = ids[start : min(start + block, predictions) + 1]
        chunks = _chunks(part, streams, sequence_length, unpredicted)
        loss, state = _block_cross_entropy(rnn, chunks, state)
        total += loss
        tokens += sum(chunk.tokens for chunk in chunks)
    return total, tokens


def _chunks(
    ids: npt.NDArray[np.int32], streams: int, sequence_length: int, unpredicted: int | None
) -> list[minibatches.Batch]:
    """The chunks of a block. A short block is divided into fewer streams."""
    used = max(1, min(streams, (len(ids) - 1) // SHORTEST_STREAM))
    return list(minibatches.stream_batches(ids, streams, sequence_length, used, unpredicted))


def _block_cross_entropy(
    rnn: RNN, chunks: list[minibatches.Batch], state: npt.NDArray[np.floating]
) -> tuple[float, npt.NDArray[np.floating]]:
    """The summed cross-entropy of a block and the final state of its last stream."""
    used = len(chunks[0].sentences)
    initial = rnn.zero_states(chunks[0].x.shape[1])
    initial[0] = state
    losses: list[float] = []
    boundaries: list[npt.NDArray[np.floating]] = []  # the states after each chunk
    tolerance = STATE_TOLERANCE * np.finfo(initial.dtype).eps
    for _ in range(used):  # after this many passes even the last stream has started from its true state
        states, has_converged = initial, False
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
            has_converged = bool((difference <= tolerance * (1 + np.abs(states[:used]))).all())
            if has_converged:
                break
        if has_converged or used == 1:
            break
        initial = initial.copy()
        initial[1:used] = boundaries[-1][: used - 1]
    return sum(losses), boundaries[-1][used - 1]


def _whole_chunks(length: int, sequence_length: int) -> int:
    """The smallest multiple of the sequence length that is at least `length`."""
    return -(-length // sequence_length) * sequence_length
