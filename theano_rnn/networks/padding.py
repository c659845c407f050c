"""Sentences as padded arrays of a few fixed lengths: XLA compiles a function again for every new length."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from theano_rnn.text.minibatches import bucket_length, plan_batches

SENTENCES_PER_MINIBATCH = 32


def column(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """One sentence as a minibatch (steps, 1), padded with zeros to the next fixed length."""
    padded = np.zeros((bucket_length(len(ids)), 1), dtype=np.int32)
    padded[: len(ids), 0] = ids
    return padded


def column_mask(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
    """(steps, 1): 1 where `column` holds a word."""
    return (np.arange(bucket_length(len(ids))) < len(ids)).astype(np.int8)[:, None]


def padded_minibatches(
    pairs: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]],
) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.bool_]]]:
    """Yield (x, y, mask), each (steps, batch_size), of minibatches that hold all pairs of a sentence x and its y."""
    lengths = [len(x) for x, _ in pairs]
    for steps, columns, members in plan_batches(lengths, min(SENTENCES_PER_MINIBATCH, len(pairs))):
        ids = np.zeros((2, steps, columns), np.int32)
        mask = np.zeros((steps, columns), bool)
        for b, i in enumerate(members):
            ids[:, : lengths[i], b] = pairs[i]
            mask[: lengths[i], b] = True
        yield ids[0], ids[1], mask
