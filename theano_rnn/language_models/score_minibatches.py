"""Divides sentences into minibatches for scoring, with little padding and few different shapes.

The cost of a call is a fixed overhead plus the cost of its columns. More calls cost more overhead, wider calls more
padding. XLA compiles each shape once, so a plan has at most two widths, and large numbers of sentences always use the
same one.
"""

import functools
from collections.abc import Iterator, Sequence

import numpy as np

from theano_rnn.engines.engine import device_name
from theano_rnn.text import minibatches

WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
# Overhead of a call and of each of its steps, in multiplications. Measured on two CPU cores with about 10^11
# multiplications per second each. A step of one column is a matrix-vector product, which is slower.
CALL_OVERHEAD, STEP_OVERHEAD, SINGLE_STEP_OVERHEAD = 1.5e7, 7e5, 9e5
ACCELERATOR = 100  # how many times faster than these CPU cores an accelerator multiplies
EXPONENTIAL = 30  # cost of an exponential, in multiplications
# The fraction of the columns that a second width must save, because it is one more shape to compile.
WORTH_COMPILING = 0.15
# Wider calls are not faster if the overhead is a smaller fraction of a call than this.
NEGLIGIBLE = 0.05
_NARROWEST_BULK = 64
# On a CPU, XLA has another kernel for products with more rows, which adds in another order. Wider minibatches are no
# faster there, and the score of a sentence should not depend on the sentences that it is computed with.
_WIDEST_ON_CPU = 48
_MANY_CALLS = 4


def score_batches(
    sentences: Sequence[np.ndarray], word_dim: int, hidden_dim: int
) -> Iterator[tuple[minibatches.Batch, np.ndarray]]:
    """Divide sentences into minibatches.

    Parameters
    ----------
    sentences : sequence of int32 arrays
        Each from its start marker to its end marker.
    word_dim, hidden_dim : int
        The sizes of the network, which determine the cost of a column.

    Yields
    ------
    batch : Batch
    indices : int array
        The indices of its sentences, in column order. Each sentence is in exactly one minibatch.
    """
    lengths = np.array([minibatches.bucket_length(len(sentence) - 1) for sentence in sentences])
    work: float = word_dim * (hidden_dim + EXPONENTIAL) + hidden_dim**2
    is_cpu = device_name() is None
    if not is_cpu:
        work /= ACCELERATOR
    widest = _WIDEST_ON_CPU if is_cpu else WIDTHS[-1]
    for length in np.unique(lengths).tolist():
        members, begin = np.flatnonzero(lengths == length), 0
        for width in widths_for(len(members), length, work, widest):
            chosen = members[begin : begin + width]
            yield minibatches.pad([sentences[i] for i in chosen], width, length), chosen
            begin += width


@functools.lru_cache(maxsize=4096)
def widths_for(count: int, length: int, work: float, widest: int = WIDTHS[-1]) -> tuple[int, ...]:
    """Plan the numbers of columns of the minibatches for sentences of the same length.

    Parameters
    ----------
    count : int
        Number of sentences.
    length : int
        Number of steps of each sentence.
    work : float
        Multiplications for one step of one sentence.
    widest : int
        The largest number of columns.

    Returns
    -------
    tuple of int
        Widest first. Their sum is at least `count`; without the last one, it is below `count`.
    """

    def overhead(width: int) -> float:
        """The overhead of a call, expressed in columns."""
        return ((STEP_OVERHEAD if width > 1 else SINGLE_STEP_OVERHEAD) + CALL_OVERHEAD / length) / work

    def cost(plan: list[tuple[int, int]]) -> float:
        return sum(number * (width + overhead(width)) for width, number in plan)

    most = minibatches.columns_of(length, widest)
    allowed = [width for width in WIDTHS if width <= most]
    bulk = next(
        (width for width in allowed if width >= _NARROWEST_BULK and width * NEGLIGIBLE >= overhead(width)), allowed[-1]
    )
    if count >= _MANY_CALLS * bulk:
        # With very many sentences there is only one candidate, so that no new shape is compiled.
        candidates = (bulk,) if count >= _MANY_CALLS * allowed[-1] else (bulk, allowed[-1])
        width = min(candidates, key=lambda width: cost([(width, -(-count // width))]))
        return (width,) * -(-count // width)
    best: list[tuple[int, int]] = min(([(width, -(-count // width))] for width in allowed), key=cost)
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
