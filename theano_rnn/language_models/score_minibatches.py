"""Which minibatches sentences are scored in: as few padded columns as possible, without a shape for every count.

A call costs its columns and a fixed overhead, which a plan of several calls pays several times; and XLA compiles each
shape once, so a plan has at most two widths, and large counts always have the same one.
"""

import functools
from collections.abc import Iterator, Sequence

import numpy as np

from theano_rnn.engines.engine import device_name
from theano_rnn.text import minibatches

WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
# The overhead of a call and of each of its steps, in multiplications: measured on two CPU cores, one of which does
# about 10^11 a second here. An accelerator does a hundred times as many in the time.
CALL, STEP, SINGLE_STEP = 1.5e7, 7e5, 9e5  # a step of one column is a matrix-vector product, which is slower
ACCELERATOR = 100
EXPONENTIAL = 30
# What a second width must save: the share of the columns. It takes one more shape to compile.
WORTH_COMPILING = 0.15
# Where the overhead is less than this share of a call, wider calls are no faster.
NEGLIGIBLE = 0.05
_NARROWEST_BULK = 64
_MANY_CALLS = 4


def score_batches(
    sentences: Sequence[np.ndarray], word_dim: int, hidden_dim: int
) -> Iterator[tuple[minibatches.Batch, np.ndarray]]:
    """Yield (minibatch, the indices of its sentences in the order of the columns); each sentence stands in one.

    Parameters
    ----------
    sentences : sequence of int arrays
        Each from its start marker to its end marker.
    word_dim, hidden_dim : int
        The network's, which tell what a column costs.
    """
    lengths = np.array([minibatches.bucket_length(len(sentence) - 1) for sentence in sentences])
    work = word_dim * (hidden_dim + EXPONENTIAL) + hidden_dim**2
    if device_name() is not None:
        work /= ACCELERATOR
    for length in np.unique(lengths).tolist():
        members, begin = np.flatnonzero(lengths == length), 0
        for width in widths_for(len(members), length, work):
            chosen = members[begin : begin + width]
            yield minibatches.pad([sentences[i] for i in chosen], width, length), chosen
            begin += width


@functools.lru_cache(maxsize=4096)
def widths_for(count: int, length: int, work: float) -> tuple[int, ...]:
    """The numbers of columns of the minibatches that `count` sentences are scored in.

    Parameters
    ----------
    count : int
    length : int
        Steps of each.
    work : float
        Multiplications for one step of one sentence.

    Returns
    -------
    tuple of int
        Widest first. Together at least `count`, and without the last fewer.
    """

    def overhead(width):
        """Of a call, as so many columns."""
        return ((STEP if width > 1 else SINGLE_STEP) + CALL / length) / work

    def cost(plan):
        return sum(number * (width + overhead(width)) for width, number in plan)

    most = minibatches.columns_of(length, WIDTHS[-1])
    allowed = [width for width in WIDTHS if width <= most]
    bulk = next(
        (width for width in allowed if width >= _NARROWEST_BULK and width * NEGLIGIBLE >= overhead(width)), allowed[-1]
    )
    if count >= _MANY_CALLS * bulk:
        # One of two widths; of many sentences always the same, however many there are.
        candidates = (bulk,) if count >= _MANY_CALLS * allowed[-1] else (bulk, allowed[-1])
        width = min(candidates, key=lambda width: cost([(width, -(-count // width))]))
        return (width,) * -(-count // width)
    best = min(([(width, -(-count // width))] for width in allowed), key=cost)
    two_widths = [
        [(wide, count // wide), (narrow, -(-(count % wide) // narrow))]
        for wide in allowed
        for narrow in allowed
        if narrow < wide < count and count % wide
    ]
    better = min(two_widths, key=cost, default=best)
    if cost(better) + WORTH_COMPILING * count < cost(best):
        best = better
    return tuple(width for width, number in best for _ in range(number))
