"""Labelled items in minibatches: texts or frames of different lengths, padded at the end. NumPy only."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.encoders.reader_graph import ReaderInputs
from theano_rnn.text.encoded_sentences import EncodedSentences
from theano_rnn.text.minibatches import plan_batches

Ids = npt.NDArray[np.int32]
Noise = Callable[[Ids, np.random.Generator], Ids]
"""Takes the ids (features, steps) of an item and returns those to learn from instead."""


@dataclass(frozen=True)
class ReaderBatch:
    """One minibatch.

    Attributes
    ----------
    inputs : ReaderInputs of arrays
    y : int32 array (steps, batch_size), or (batch_size,) for labels of whole items
    members : int array (items,)
        Which item is in which column. Columns after these are empty.
    predictions : int
        The number of labels.
    """

    inputs: ReaderInputs
    y: Ids
    members: npt.NDArray[np.integer]
    predictions: int

    @property
    def items(self) -> int:
        """The number of items."""
        return len(self.members)

    @property
    def tokens(self) -> int:
        """The number of steps of all items, without padding."""
        return int(self.inputs.lengths.sum())


class Items:
    """Items, perhaps with labels.

    Parameters
    ----------
    ids : sequence of int32 arrays (features, steps)
        The ids of each item, at least one step; without embeddings one feature of zeros.
    labels : sequence of int, or of int arrays (steps,), optional
        One label for each item, or for each of its steps. Default: 0, for prediction.
    frames : sequence of arrays (steps, frame_dim), optional
        Vectors that are read beside the embeddings.
    per_step : bool
        Whether there is a label for each step.
    margin : int
        The number of steps at each end of an item whose labels do not count.
    """

    def __init__(
        self,
        ids: Sequence[Ids],
        labels: Sequence[Any] | None = None,
        frames: Sequence[npt.NDArray[Any]] | None = None,
        per_step: bool = False,
        margin: int = 0,
    ) -> None:
        self.ids = ids
        self.labels = labels
        self.frames = frames
        self.per_step = per_step
        self.margin = margin
        self.steps: npt.NDArray[np.int64] = np.array([one.shape[1] for one in ids], np.int64)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def tokens(self) -> int:
        """The number of steps of all items."""
        return int(self.steps.sum())

    @property
    def predictions(self) -> int:
        """The number of labels."""
        return self.tokens - 2 * self.margin * len(self) if self.per_step else len(self)

    def select(self, members: Sequence[int] | npt.NDArray[np.integer]) -> "Items":
        """Some of the items, in the given order."""

        def chosen(values: Sequence[Any] | None) -> list[Any] | None:
            return None if values is None else [values[i] for i in members]

        return Items(chosen(self.ids) or [], chosen(self.labels), chosen(self.frames), self.per_step, self.margin)

    def split(self, share: float, seed: int) -> tuple["Items", "Items | None"]:
        """Hold out a share of the items, chosen by a seed; None if this is less than one item."""
        order = np.random.default_rng([seed, 0]).permutation(len(self))
        count = min(round(share * len(self)), len(self) - 1)
        if count < 1:
            return self, None
        return self.select(np.sort(order[count:])), self.select(np.sort(order[:count]))

    def fingerprint(self) -> str:
        """A checksum that differs for different items."""
        digest = hashlib.sha256()
        for values in (self.ids, self.labels or [], self.frames or []):
            for value in values:
                array = np.ascontiguousarray(value)
                digest.update(repr((array.shape, array.dtype.str)).encode())
                digest.update(array.tobytes())
        return digest.hexdigest()

    def count_batches(self, batch_size: int) -> int:
        """Count the minibatches that `minibatches` yields, in whatever order."""
        return len(plan_batches(self.steps, batch_size))

    def minibatches(
        self, batch_size: int, generator: np.random.Generator | None = None, noise: Noise | None = None
    ) -> Iterator[ReaderBatch]:
        """Yield every item once, in minibatches of similar lengths.

        Parameters
        ----------
        batch_size : int
        generator : numpy.random.Generator, optional
            Shuffles items and minibatches. Without it the order is fixed.
        noise : callable, optional
            What is learned in place of an item's ids. It is applied with `generator`.
        """
        if not len(self):
            return
        for length, columns, members in plan_batches(self.steps, batch_size, generator):
            yield self.minibatch(members, columns, length, generator if noise else None, noise)

    def minibatch(
        self,
        members: npt.NDArray[np.integer],
        columns: int,
        length: int,
        generator: np.random.Generator | None = None,
        noise: Noise | None = None,
    ) -> ReaderBatch:
        """Put items into the columns of one minibatch of so many steps."""
        ids = np.zeros((len(self.ids[0]), length, columns), np.int32)
        lengths = np.zeros(columns, np.int32)
        y = np.zeros((length, columns) if self.per_step else columns, np.int32)
        frames = None
        if self.frames is not None:
            frames = np.zeros((length, columns, self.frames[0].shape[1]), self.frames[0].dtype)
        for column, i in enumerate(members):
            of_item, steps = self.ids[i], self.steps[i]
            if noise is not None and generator is not None:
                of_item = noise(of_item, generator)
            ids[:, :steps, column], lengths[column] = of_item, steps
            if frames is not None and self.frames is not None:
                frames[:steps, column] = self.frames[i]
            if self.labels is not None:
                y[(slice(steps), column) if self.per_step else column] = self.labels[i]
        predictions = len(members)
        if self.per_step:
            predictions = int(lengths.sum()) - 2 * self.margin * len(members)
        return ReaderBatch(ReaderInputs(ids, frames, lengths), y, members, predictions)


class SentenceItems(Sequence[Any]):
    """The sentences of a corpus as ids (1, tokens) or as labels (tokens,), each made when it is used."""

    def __init__(self, sentences: EncodedSentences, are_labels: bool) -> None:
        self._sentences, self._are_labels = sentences, are_labels

    def __len__(self) -> int:
        return len(self._sentences)

    def __getitem__(self, index: Any) -> Any:
        ids = np.asarray(self._sentences[int(index)], np.int32)
        return ids if self._are_labels else ids[None, :]


def sentence_items(sentences: Any) -> Items:
    """Items in which each word between the markers is to be predicted."""
    assert isinstance(sentences, EncodedSentences)
    return Items(SentenceItems(sentences, False), SentenceItems(sentences, True), per_step=True, margin=1)
