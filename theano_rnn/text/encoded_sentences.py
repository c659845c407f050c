"""Sentences as ids, one after the other in one array, which may be larger than memory. NumPy only."""

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from typing import overload

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ArgumentValueError
from theano_rnn.files.temporary_storage import TemporaryStorage

BLOCK_SIZE = 2**20  # ids that are processed at a time, to bound the memory they take
_SENTENCES_PER_RANGE = 2**20


class EncodedSentences(Sequence[np.ndarray]):
    """Many encoded sentences in one array: sentence i is ``ids[offsets[i]:offsets[i + 1]]``.

    Each sentence starts with the id of SENTENCE_START (at character level with SENTENCE_END, the end of the line
    before) and ends with the id of SENTENCE_END. A slice gives the sentences in that range, without copying their ids.

    Parameters
    ----------
    sentences : iterable of int arrays

    Attributes
    ----------
    ids : numpy.ndarray
        The ids of all sentences, int32.
    offsets : numpy.ndarray
        (number of sentences + 1,) int64.

    Examples
    --------
    >>> sentences = EncodedSentences([[0, 3, 1], [0, 4, 5, 1]])
    >>> sentences[1].tolist()
    [0, 4, 5, 1]
    >>> sentences[1:].offsets.tolist()
    [0, 4]
    >>> sentences.tokens
    5
    """

    ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]

    def __init__(self, sentences: Iterable[npt.ArrayLike]) -> None:
        arrays = [np.asarray(sentence) for sentence in sentences]
        lengths = np.fromiter(map(len, arrays), dtype=np.int64, count=len(arrays))
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])
        self.ids = np.concatenate(arrays).astype(np.int32) if arrays else np.zeros(0, np.int32)

    @classmethod
    def from_arrays(cls, ids: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]) -> "EncodedSentences":
        """Use the arrays as they are, without copying them.

        Parameters
        ----------
        ids : numpy.ndarray
            int32.
        offsets : numpy.ndarray
            (number of sentences + 1,) int64.
        """
        sentences = cls.__new__(cls)
        sentences.ids, sentences.offsets = ids, offsets
        return sentences

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> npt.NDArray[np.int32]: ...

    @overload
    def __getitem__(self, index: slice) -> "EncodedSentences": ...

    def __getitem__(self, index: int | slice) -> "npt.NDArray[np.int32] | EncodedSentences":
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                raise ArgumentValueError(f"step: a slice of sentences has step 1, got {step}")
            offsets = self.offsets[start : max(start, stop) + 1]
            return self.from_arrays(self.ids[offsets[0] : offsets[-1]], offsets - offsets[0])
        number = range(len(self))[index]
        return self.ids[self.offsets[number] : self.offsets[number + 1]]

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """The number of predictions in each sentence: its length less one."""
        return np.diff(self.offsets) - 1

    @property
    def tokens(self) -> int:
        """The number of predictions in all sentences."""
        return int(self.offsets[-1] - self.offsets[0]) - len(self)

    def select(self, chosen: npt.NDArray[np.bool_]) -> "EncodedSentences":
        """Copy the sentences for which `chosen` is True.

        Parameters
        ----------
        chosen : numpy.ndarray
            (number of sentences,) bool.
        """
        lengths = np.diff(self.offsets)
        offsets = np.concatenate([[0], np.cumsum(lengths[chosen])])
        return self.from_arrays(self.ids[np.repeat(chosen, lengths)], offsets)

    def ranges(self, length: int) -> Iterator[tuple[int, int]]:
        """Divide the sentences into consecutive ranges of about `length` ids.

        Yields
        ------
        start, stop : int
            The range of sentences, which holds at least one.
        """
        start = 0
        while start < len(self):
            stop = int(np.searchsorted(self.offsets, self.offsets[start] + length, side="right")) - 1
            stop = min(max(stop, start + 1), start + _SENTENCES_PER_RANGE)
            yield start, stop
            start = stop

    def blocks(self, chosen: npt.NDArray[np.bool_] | None = None) -> Iterator["EncodedSentences"]:
        """Yield the sentences in blocks of about `BLOCK_SIZE` ids.

        Parameters
        ----------
        chosen : numpy.ndarray, optional
            (number of sentences,) bool. Yield only the sentences for which it is True.
        """
        for start, stop in self.ranges(BLOCK_SIZE):
            block = self[start:stop]
            yield block if chosen is None else block.select(chosen[start:stop])


class EncodedSentencesWriter:
    """Writes encoded sentences to temporary files, one after the other.

    Parameters
    ----------
    folder : path, optional
        A folder with space for the files; default: the system's folder for temporary files.
    """

    def __init__(self, folder: str | PathLike[str] | None = None) -> None:
        self._ids, self._offsets = TemporaryStorage(folder), TemporaryStorage(folder)
        self._offsets.write(np.zeros(1, np.int64))
        self._length = 0

    def add(self, ids: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> None:
        """Add sentences.

        Parameters
        ----------
        ids : numpy.ndarray
            The ids of the sentences, one sentence after the other, int32.
        lengths : numpy.ndarray
            The number of ids in each sentence.
        """
        ends = self._length + np.cumsum(lengths, dtype=np.int64)
        self._ids.write(ids)
        self._offsets.write(ends)
        self._length += len(ids)

    def finish(self) -> EncodedSentences:
        """Return all sentences, mapped from the files."""
        return EncodedSentences.from_arrays(self._ids.mapped(np.int32), self._offsets.mapped(np.int64))


def concatenate(sentences: Sequence[EncodedSentences]) -> EncodedSentences:
    """Copy the sentences of several `EncodedSentences`, one after the other."""
    lengths = np.concatenate([np.diff(each.offsets) for each in sentences])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return EncodedSentences.from_arrays(np.concatenate([each.ids for each in sentences]), offsets)


def id_blocks(encoded: EncodedSentences | npt.NDArray[np.integer]) -> Iterator[npt.NDArray[np.integer]]:
    """Yield the ids of encoded sentences, or of an array, in views of at most `BLOCK_SIZE` ids."""
    ids = encoded.ids if isinstance(encoded, EncodedSentences) else encoded
    for start in range(0, len(ids), BLOCK_SIZE):
        yield ids[start : start + BLOCK_SIZE]


def count_ids(blocks: Iterable[EncodedSentences], size: int) -> npt.NDArray[np.int64]:
    """Count how often each id below `size` occurs.

    Parameters
    ----------
    blocks : iterable of EncodedSentences
    size : int
        Greater than every id.

    Returns
    -------
    numpy.ndarray
        (size,) int64.

    Examples
    --------
    >>> count_ids([EncodedSentences([[0, 3, 3, 1]])], 5).tolist()
    [1, 1, 0, 2, 0]
    """
    counts = np.zeros(size, np.int64)
    for sentences in blocks:
        found = np.bincount(sentences.ids)
        counts[: len(found)] += found
    return counts
