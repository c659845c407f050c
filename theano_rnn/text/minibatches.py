"""Encoded text -> padded, masked minibatches. NumPy only.

Sentences are padded to a small fixed set of lengths, so that few shapes are ever compiled; a character stream is cut
into parallel streams whose hidden state is carried on from chunk to chunk:

    sentence batches                       stream batches, ids 0 1 2 … 11, batch_size 3, sequence_length 2
    x  START he went  .   0                x[0] = 0 4 8     x[1] = 2 6 10     (columns are streams, rows are steps)
    y  he    went .  END  0                       1 5 9            3 7 11

A text may be larger than memory: of the sentences only a pool is looked at at once, made of stretches of the text that
are drawn at random, so that a file is read some megabytes at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Rising by a half and a third in turn: on average about a seventh of the work is padding, and few shapes are compiled.
BUCKETS = (5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320)
TOKENS_PER_BATCH = 16_384
# Ids whose sentences are shuffled together, and those that stand together in the text.
POOL_LENGTH = 2**23
STRETCH_LENGTH = 2**18
_SENTENCES_AT_ONCE = 2**20


@dataclass(frozen=True)
class Batch:
    """x, y: int32 (steps, batch_size); mask: bool, True where a word stands; sentences: which ones, in column order."""

    x: np.ndarray
    y: np.ndarray
    mask: np.ndarray
    sentences: np.ndarray

    @property
    def tokens(self):
        return int(self.mask.sum())


class EncodedSentences(Sequence):
    """Many encoded sentences in one array: sentence i is ``ids[offsets[i]:offsets[i + 1]]``.

    Each starts with the id of SENTENCE_START (at character level of SENTENCE_END, the line before) and ends with
    SENTENCE_END.
    """

    def __init__(self, sentences):
        sentences = list(sentences)
        lengths = np.fromiter((len(sentence) for sentence in sentences), dtype=np.int64, count=len(sentences))
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])
        self.ids = np.concatenate(sentences).astype(np.int32) if sentences else np.zeros(0, np.int32)

    @classmethod
    def from_arrays(cls, ids, offsets):
        """Take the arrays as they are, without copying them.

        Parameters
        ----------
        ids : array of int32
        offsets : array (number of sentences + 1,) of int64
        """
        sentences = cls.__new__(cls)
        sentences.ids, sentences.offsets = ids, offsets
        return sentences

    def selected(self, chosen):
        """The sentences for which the array `chosen` of bool holds, in arrays of their own."""
        lengths = np.diff(self.offsets)
        offsets = np.concatenate([[0], np.cumsum(lengths[chosen])])
        return self.from_arrays(self.ids[np.repeat(chosen, lengths)], offsets)

    def __len__(self):
        return len(self.offsets) - 1

    def __getitem__(self, index):
        index = range(len(self))[index]
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    @property
    def steps(self):
        """Number of predictions in each sentence: its length less one."""
        return np.diff(self.offsets) - 1

    @property
    def tokens(self):
        """Number of predictions in all sentences."""
        return int(self.offsets[-1] - self.offsets[0]) - len(self)

    def part(self, start, stop):
        """The sentences from number `start` to `stop`, `stop` not among them, without copying their ids."""
        offsets = self.offsets[start : stop + 1]
        return self.from_arrays(self.ids[offsets[0] : offsets[-1]], offsets - offsets[0])

    def stretches(self, length):
        """Yield (start, stop) of sentences that follow each other and have about `length` ids together."""
        start = 0
        while start < len(self):
            stop = int(np.searchsorted(self.offsets, self.offsets[start] + length, side="right")) - 1
            stop = min(max(stop, start + 1), start + _SENTENCES_AT_ONCE)
            yield start, stop
            start = stop


def joined(parts):
    """The sentences of several `EncodedSentences` one after the other, in arrays of their own."""
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return EncodedSentences.from_arrays(np.concatenate([part.ids for part in parts]), offsets)


def bucket_length(length):
    """The smallest of the fixed lengths that holds `length` steps."""
    for bucket in BUCKETS:
        if length <= bucket:
            return bucket
    bucket, half_more = BUCKETS[-1], BUCKETS[-1] * 3 // 2
    while bucket < length:
        bucket, half_more = half_more, bucket * 2
    return bucket


def pad(sentences, columns, length=None):
    """Stack sentences (each start … end) as the columns of one `Batch`; missing columns stay empty (mask False)."""
    length = length or bucket_length(max(len(sentence) for sentence in sentences) - 1)
    x, y = (np.zeros((length, columns), dtype=np.int32) for _ in range(2))
    mask = np.zeros((length, columns), dtype=bool)
    for column, sentence in enumerate(sentences):
        steps = len(sentence) - 1
        x[:steps, column] = sentence[:-1]
        y[:steps, column] = sentence[1:]
        mask[:steps, column] = True
    return Batch(x, y, mask, np.arange(len(sentences)))


def columns_of(length, batch_size):
    """How many sentences of this length a minibatch has."""
    return min(batch_size, max(1, TOKENS_PER_BATCH // length))


def plan_batches(steps, batch_size, generator=None):
    """Group sentences of similar length.

    Parameters
    ----------
    steps : array of int
        Number of steps of each sentence.
    batch_size : int
    generator : numpy.random.Generator, optional
        Shuffles sentences and batches; without it the order is fixed.

    Returns
    -------
    list of (length, columns, array of sentence indices)
        Every sentence stands in exactly one. `columns` is batch_size, less for lengths so great that the minibatch
        would exceed `TOKENS_PER_BATCH`.
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


def count_batches(sentences, batch_size):
    """How many minibatches `sentence_batches` makes of an `EncodedSentences`, whatever their order."""
    counts = {}
    for start, stop in sentences.stretches(POOL_LENGTH):
        for steps, count in enumerate(np.bincount(sentences.part(start, stop).steps).tolist()):
            if count:
                length = bucket_length(steps)
                counts[length] = counts.get(length, 0) + count
    return sum(-(-count // columns_of(length, batch_size)) for length, count in counts.items())


def sentence_batches(sentences, batch_size, generator=None, change=None):
    """Yield every sentence of an `EncodedSentences` (or a sequence of id arrays) once, in padded minibatches.

    A text of up to `POOL_LENGTH` ids is shuffled as a whole. Of a longer one, stretches of `STRETCH_LENGTH` ids are
    drawn, and so many of them as make up a pool are shuffled together. What does not fill a minibatch is left for the
    next pool, so that there are no more minibatches than of a text that is shuffled as a whole.

    Parameters
    ----------
    sentences : EncodedSentences, or sequence of int arrays
    batch_size : int
    generator : numpy.random.Generator, optional
        Shuffles sentences and minibatches; without it the order is fixed.
    change : callable, optional
        Given the sentences of a pool as `EncodedSentences`, returns those that are to be learnt in their place. It may
        draw from `generator`, and is called once a pool.

    Yields
    ------
    Batch
    """
    if len(sentences) == 0:
        return
    if not isinstance(sentences, EncodedSentences):
        sentences = EncodedSentences(sentences)
    waiting = EncodedSentences([])
    waiting_numbers = np.zeros(0, np.int64)
    for pool, numbers, is_last in pools(sentences, generator):
        if change is not None:
            pool = change(pool)
        if len(waiting):
            pool, numbers = joined([pool, waiting]), np.concatenate([numbers, waiting_numbers])
        is_left = np.zeros(len(pool), bool)
        for length, columns, members in plan_batches(pool.steps, batch_size, generator):
            if len(members) < columns and not is_last:
                is_left[members] = True
                continue
            batch = pad([pool[i] for i in members], columns, length)
            yield Batch(batch.x, batch.y, batch.mask, numbers[members])
        waiting, waiting_numbers = pool.selected(is_left), numbers[is_left]


def pools(sentences, generator=None):
    """Yield (sentences as `EncodedSentences`, their numbers, whether they are the last) of each pool."""
    if len(sentences.ids) <= POOL_LENGTH:
        yield sentences, np.arange(len(sentences)), True
        return
    stretches = list(sentences.stretches(STRETCH_LENGTH))
    if generator is not None:
        stretches = [stretches[i] for i in generator.permutation(len(stretches))]
    chosen, length = [], 0
    for place, (start, stop) in enumerate(stretches, start=1):
        chosen.append((start, stop))
        length += int(sentences.offsets[stop] - sentences.offsets[start])
        if length >= POOL_LENGTH or place == len(stretches):
            numbers = np.concatenate([np.arange(start, stop) for start, stop in chosen])
            yield joined([sentences.part(start, stop) for start, stop in chosen]), numbers, place == len(stretches)
            chosen, length = [], 0


def stream_batches(ids, batch_size, sequence_length, streams=None):
    """Yield one continuous text as chunks of `batch_size` parallel streams; the last chunk is padded.

    Stream b of the n streams holds the b-th n-th of the text; every character but the first is predicted exactly once.
    With `streams` given, only so many of the columns are used, and all streams but the last consist of whole chunks.
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
        # Only a chunk's own ids are copied: a long text would otherwise be held several times.
        places = beginnings + np.arange(start, start + length)[:, None]
        mask = places < predictions
        x, y = ((ids[np.minimum(places + later, predictions)] * mask).astype(np.int32) for later in (0, 1))
        missing = sequence_length - length if start else max(2 - length, 0)
        chunk = [np.pad(array, ((0, missing), (0, batch_size - streams))) for array in (x, y, mask)]
        yield Batch(*chunk, np.arange(streams))
