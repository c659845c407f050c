"""From ids to padded, masked minibatches. NumPy only.

Sentences are padded to a small fixed set of lengths, so that few shapes are ever compiled. A continuous text is cut
into parallel streams, whose hidden state is carried from chunk to chunk:

    sentence batches                       stream batches, ids 0 1 2 … 11, batch_size 3, sequence_length 2
    x  START he went  .   0                x[0] = 0 4 8     x[1] = 2 6 10     (columns are streams, rows are steps)
    y  he    went .  END  0                       1 5 9            3 7 11

A text may be larger than memory. Only a pool of its sentences is in memory at once. A pool consists of ranges of the
text that are drawn at random, so that a file is read several megabytes at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theano_rnn.text.encoded_sentences import EncodedSentences, concatenate, id_blocks

# Rising by a half and a third in turn: about a seventh of the work is padding on average, and few shapes are compiled.
BUCKETS = (5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320)
TOKENS_PER_BATCH = 16_384
# Ids whose sentences are shuffled together, and those of each range that stays together.
POOL_LENGTH = 2**23
RANGE_LENGTH = 2**18
SENTENCES_PER_MINIBATCH = 32  # of `padded_minibatches`


@dataclass(frozen=True)
class Batch:
    """One minibatch. Columns are sentences or streams, rows are steps.

    Attributes
    ----------
    x, y : numpy.ndarray
        (steps, batch_size) int32: each token and the token that follows it.
    mask : numpy.ndarray
        (steps, batch_size) bool: False for padding.
    sentences : numpy.ndarray
        (number of sentences,) int: which sentence is in which column. Columns after these are empty.
    """

    x: npt.NDArray[np.int32]
    y: npt.NDArray[np.int32]
    mask: npt.NDArray[np.bool_]
    sentences: npt.NDArray[np.integer]

    @property
    def tokens(self) -> int:
        """The number of tokens, each of which predicts the next."""
        return int(self.mask.sum())

    @property
    def predictions(self) -> int:
        """The number of predictions: one for each token."""
        return self.tokens

    @property
    def items(self) -> int:
        """The number of sentences or streams."""
        return len(self.sentences)


def bucket_length(length: int) -> int:
    """Round the length of a sentence up to one of the fixed lengths.

    Examples
    --------
    >>> [bucket_length(length) for length in (1, 6, 41, 700)]
    [5, 10, 60, 960]
    """
    for bucket in BUCKETS:
        if length <= bucket:
            return bucket
    bucket, half_more = BUCKETS[-1], BUCKETS[-1] * 3 // 2
    while bucket < length:
        bucket, half_more = half_more, bucket * 2
    return bucket


def pad(sentences: Sequence[npt.ArrayLike], columns: int, length: int | None = None) -> Batch:
    """Put sentences into the columns of one minibatch.

    Parameters
    ----------
    sentences : sequence of int arrays
        The ids of each sentence, from its start to its end.
    columns : int
        The number of columns. Those without a sentence stay empty.
    length : int, optional
        The number of steps; default: that of the longest sentence, rounded up by `bucket_length`.

    Examples
    --------
    >>> batch = pad([[0, 3, 1], [0, 4, 5, 1]], columns=2, length=4)
    >>> batch.x.T.tolist(), batch.y.T.tolist(), batch.tokens
    ([[0, 3, 0, 0], [0, 4, 5, 0]], [[3, 1, 0, 0], [4, 5, 1, 0]], 5)
    """
    arrays = [np.asarray(sentence) for sentence in sentences]
    length = length or bucket_length(max(len(ids) for ids in arrays) - 1)
    x, y = (np.zeros((length, columns), dtype=np.int32) for _ in range(2))
    mask = np.zeros((length, columns), dtype=bool)
    for column, ids in enumerate(arrays):
        steps = len(ids) - 1
        x[:steps, column] = ids[:-1]
        y[:steps, column] = ids[1:]
        mask[:steps, column] = True
    return Batch(x, y, mask, np.arange(len(arrays)))


def columns_of(length: int, batch_size: int) -> int:
    """Return how many sentences of this length a minibatch has."""
    return min(batch_size, max(1, TOKENS_PER_BATCH // length))


def plan_batches(
    steps: npt.ArrayLike, batch_size: int, generator: np.random.Generator | None = None
) -> list[tuple[int, int, npt.NDArray[np.integer]]]:
    """Group sentences of similar length.

    Parameters
    ----------
    steps : array of int
        The number of steps of each sentence.
    batch_size : int
    generator : numpy.random.Generator, optional
        Shuffles sentences and minibatches. Without it the order is fixed.

    Returns
    -------
    list of (length, columns, array of sentence indices)
        Each sentence is in exactly one minibatch. `columns` is batch_size, or less if the sentences are so long that
        the minibatch would exceed `TOKENS_PER_BATCH`.

    Examples
    --------
    >>> [(length, members.tolist()) for length, _, members in plan_batches([3, 8, 4], batch_size=2)]
    [(5, [0, 2]), (10, [1])]
    """
    steps = np.asarray(steps)
    order = np.arange(len(steps)) if generator is None else generator.permutation(len(steps))
    lengths = np.array([bucket_length(count) for count in range(int(steps.max()) + 1)])[steps[order]]
    plan = []
    for length in np.unique(lengths):
        members = order[lengths == length]
        columns = columns_of(int(length), batch_size)
        plan += [(int(length), columns, members[i : i + columns]) for i in range(0, len(members), columns)]
    if generator is not None:
        plan = [plan[i] for i in generator.permutation(len(plan))]
    return plan


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


def count_batches(sentences: EncodedSentences, batch_size: int) -> int:
    """Count the minibatches that `sentence_batches` yields, in whatever order."""
    counts: dict[int, int] = {}
    for start, stop in sentences.ranges(POOL_LENGTH):
        for steps, count in enumerate(np.bincount(sentences[start:stop].steps).tolist()):
            if count:
                length = bucket_length(steps)
                counts[length] = counts.get(length, 0) + count
    return sum(-(-count // columns_of(length, batch_size)) for length, count in counts.items())


def sentence_batches(
    sentences: EncodedSentences | Sequence[npt.ArrayLike],
    batch_size: int,
    generator: np.random.Generator | None = None,
    change: Callable[[EncodedSentences], EncodedSentences] | None = None,
) -> Iterator[Batch]:
    """Yield every sentence once, in padded minibatches.

    A text of up to `POOL_LENGTH` ids is shuffled as a whole. From a longer text, ranges of `RANGE_LENGTH` ids are drawn
    at random, and those that make up a pool are shuffled together. Sentences that do not fill a minibatch are left for
    the next pool, so that the number of minibatches is the same as for a text that is shuffled as a whole.

    Parameters
    ----------
    sentences : EncodedSentences, or sequence of int arrays
    batch_size : int
    generator : numpy.random.Generator, optional
        Shuffles sentences and minibatches. Without it the order is fixed.
    change : callable, optional
        Takes the sentences of a pool and returns the sentences to learn instead. It is called once per pool and may
        draw from `generator`.

    Yields
    ------
    Batch
    """
    if len(sentences) == 0:
        return
    if not isinstance(sentences, EncodedSentences):
        sentences = EncodedSentences(sentences)
    waiting = EncodedSentences([])
    waiting_numbers: npt.NDArray[np.integer] = np.zeros(0, np.int64)
    for pool, numbers, is_last in _pools(sentences, generator):
        if change is not None:
            pool = change(pool)
        if len(waiting):
            pool, numbers = concatenate([pool, waiting]), np.concatenate([numbers, waiting_numbers])
        is_waiting = np.zeros(len(pool), bool)
        for length, columns, members in plan_batches(pool.steps, batch_size, generator):
            if len(members) < columns and not is_last:
                is_waiting[members] = True
                continue
            batch = pad([pool[i] for i in members], columns, length)
            yield Batch(batch.x, batch.y, batch.mask, numbers[members])
        waiting, waiting_numbers = pool.select(is_waiting), numbers[is_waiting]


def _pools(
    sentences: EncodedSentences, generator: np.random.Generator | None
) -> Iterator[tuple[EncodedSentences, npt.NDArray[np.integer], bool]]:
    """Yield the sentences of each pool, their numbers, and whether the pool is the last one."""
    if len(sentences.ids) <= POOL_LENGTH:
        yield sentences, np.arange(len(sentences)), True
        return
    ranges = list(sentences.ranges(RANGE_LENGTH))
    if generator is not None:
        ranges = [ranges[i] for i in generator.permutation(len(ranges))]
    chosen: list[tuple[int, int]] = []
    length = 0
    for place, (start, stop) in enumerate(ranges, start=1):
        chosen.append((start, stop))
        length += int(sentences.offsets[stop] - sentences.offsets[start])
        if length >= POOL_LENGTH or place == len(ranges):
            numbers = np.concatenate([np.arange(start, stop) for start, stop in chosen])
            yield concatenate([sentences[start:stop] for start, stop in chosen]), numbers, place == len(ranges)
            chosen, length = [], 0


def stream_batches(
    ids: npt.NDArray[np.integer],
    batch_size: int,
    sequence_length: int,
    streams: int | None = None,
    unpredicted: int | None = None,
) -> Iterator[Batch]:
    """Yield one continuous text as chunks of parallel streams. The last chunk is padded.

    The text is divided into `batch_size` streams of equal length. Every id but the first is predicted exactly once,
    unless it is `unpredicted`.

    Parameters
    ----------
    ids : numpy.ndarray
        (n,) int.
    batch_size : int
        The number of columns.
    sequence_length : int
        The number of steps in a chunk.
    streams : int, optional
        Use only this many columns. All streams but the last then consist of whole chunks.
    unpredicted : int, optional
        An id that is read but not predicted: that of SENTENCE_START in a text of sentences.

    Yields
    ------
    Batch

    Examples
    --------
    >>> [batch.x.tolist() for batch in stream_batches(np.arange(9), batch_size=2, sequence_length=2)]
    [[[0, 4], [1, 5]], [[2, 6], [3, 7]]]
    """
    predictions = len(ids) - 1
    if streams is None:
        streams = min(batch_size, predictions)
        per_stream = -(-predictions // streams)
    else:
        per_stream = -(-predictions // (streams * sequence_length)) * sequence_length if streams > 1 else predictions
    beginnings = np.arange(streams) * per_stream
    for start in range(0, per_stream, sequence_length):
        length = min(sequence_length, per_stream - start)
        # Only the ids of one chunk are copied, because the text may be long.
        places = beginnings + np.arange(start, start + length)[:, None]
        mask = places < predictions
        x, y = ((ids[np.minimum(places + later, predictions)] * mask).astype(np.int32) for later in (0, 1))
        if unpredicted is not None:
            mask &= y != unpredicted
        missing = sequence_length - length if start else max(2 - length, 0)
        x, y, mask = (np.pad(array, ((0, missing), (0, batch_size - streams))) for array in (x, y, mask))
        yield Batch(x, y, mask, np.arange(streams))


def replace_words_seen_once(
    sentences: EncodedSentences, seen_once: npt.NDArray[np.bool_], unknown: int, generator: np.random.Generator
) -> EncodedSentences:
    """Replace each occurrence of certain words by UNKNOWN_TOKEN with a probability of one half.

    Words that occur once are the best guess at where unseen words will occur (Good–Turing estimation). Each of them is
    still learned, in half of the epochs.

    Parameters
    ----------
    sentences : EncodedSentences
    seen_once : numpy.ndarray
        (word_dim,) bool: the words to replace.
    unknown : int
        The id of UNKNOWN_TOKEN.
    generator : numpy.random.Generator

    Returns
    -------
    EncodedSentences
        With ids of their own, and the same offsets.
    """
    ids = sentences.ids.copy()
    for block in id_blocks(ids):
        block[seen_once[block] & (generator.random(len(block)) < 0.5)] = unknown
    return EncodedSentences.from_arrays(ids, sentences.offsets)
