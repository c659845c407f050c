"""Sources with their targets in minibatches: padded word ids, or features. NumPy only."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.decoders.writer_settings import Source
from theano_rnn.text.minibatches import bucket_length, plan_batches

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class PairBatch:
    """One minibatch.

    Attributes
    ----------
    source : Source of arrays
    target : list of int32 arrays
        x and y (steps, batch_size), the words before each word and those words, and lengths (batch_size,).
    members : int array (pairs,)
        Which pair is in which column. Columns after these are empty.
    """

    source: Source
    target: list[Ids]
    members: npt.NDArray[np.integer]

    @property
    def items(self) -> int:
        """The number of pairs."""
        return len(self.members)

    @property
    def predictions(self) -> int:
        """The number of words of all targets, which are predicted."""
        return int(self.target[2].sum())

    @property
    def tokens(self) -> int:
        """The number of words of all targets."""
        return self.predictions


class Pairs:
    """Sources with their targets.

    Parameters
    ----------
    sources : sequence of int32 arrays (steps,), or of int
        The ids of each source, at least one; or for each pair the row of its features.
    targets : sequence of int32 arrays (steps + 1,)
        The ids of each target with the start and the end marker.
    features : array (rows, feature_dim), optional
        The features of the sources.
    """

    def __init__(
        self, sources: Sequence[Any], targets: Sequence[Ids], features: npt.NDArray[Any] | None = None
    ) -> None:
        assert len(sources) == len(targets)
        self.sources: Sequence[Any] = sources
        self.targets: Sequence[Ids] = targets
        self.features: npt.NDArray[Any] | None = features
        steps = np.array([len(ids) - 1 for ids in targets], np.int64)
        if features is None:  # both sides have a common length, because XLA compiles each combination of lengths
            steps = np.maximum(steps, [len(ids) for ids in sources]) if len(targets) else steps
        self.steps: npt.NDArray[np.int64] = steps

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def predictions(self) -> int:
        """The number of words of all targets."""
        return sum(len(ids) - 1 for ids in self.targets)

    tokens = predictions

    def select(self, members: Sequence[int] | npt.NDArray[np.integer]) -> "Pairs":
        """Some of the pairs, in the given order."""
        return Pairs([self.sources[i] for i in members], [self.targets[i] for i in members], self.features)

    def split(self, share: float, seed: int) -> tuple["Pairs", "Pairs | None"]:
        """Hold out a share of the sources, chosen by a seed; None if this is less than one.

        All pairs with the same source are in the same part.
        """
        keys = [np.asarray(source).tobytes() for source in self.sources]
        distinct = sorted(set(keys))
        order = np.random.default_rng([seed, 0]).permutation(len(distinct))
        count = min(round(share * len(distinct)), len(distinct) - 1)
        if count < 1:
            return self, None
        held_out = {distinct[i] for i in order[:count]}
        is_held_out = np.array([key in held_out for key in keys])
        return self.select(np.flatnonzero(~is_held_out)), self.select(np.flatnonzero(is_held_out))

    def fingerprint(self) -> str:
        """A checksum that differs for different pairs."""
        digest = hashlib.sha256()
        for values in (self.sources, self.targets, [] if self.features is None else [self.features]):
            for value in values:
                array = np.ascontiguousarray(value)
                digest.update(repr((array.shape, array.dtype.str)).encode())
                digest.update(array.tobytes())
        return digest.hexdigest()

    def count_batches(self, batch_size: int) -> int:
        """Count the minibatches that `minibatches` yields, in whatever order."""
        return len(plan_batches(self.steps, batch_size)) if len(self) else 0

    def minibatches(self, batch_size: int, generator: np.random.Generator | None = None) -> Iterator[PairBatch]:
        """Yield every pair once, in minibatches of similar lengths. A generator shuffles pairs and minibatches."""
        if not len(self):
            return
        for length, columns, members in plan_batches(self.steps, batch_size, generator):
            target = padded_targets([self.targets[i] for i in members], columns, length)
            sources = [self.sources[i] for i in members]
            source = padded_sources(sources, columns, length, self.features)
            yield PairBatch(source, target, members)


def padded_sources(
    sources: Sequence[Any], columns: int, length: int | None = None, features: npt.NDArray[Any] | None = None
) -> Source:
    """Put sources into the columns of one minibatch; the length is by default that of a fixed set that fits."""
    if features is not None:
        rows = np.zeros((columns, features.shape[1]), features.dtype)
        rows[: len(sources)] = features[np.asarray(sources, np.int64)]
        return Source(None, None, rows)
    length = length or bucket_length(max(len(ids) for ids in sources))
    x, lengths = np.zeros((length, columns), np.int32), np.zeros(columns, np.int32)
    for column, ids in enumerate(sources):
        x[: len(ids), column], lengths[column] = ids, len(ids)
    return Source(x, lengths, None)


def padded_targets(targets: Sequence[Ids], columns: int, length: int | None = None) -> list[Ids]:
    """x, y and the lengths of targets in the columns of one minibatch."""
    length = length or bucket_length(max(len(ids) for ids in targets) - 1)
    x, y, lengths = (
        np.zeros((length, columns), np.int32),
        np.zeros((length, columns), np.int32),
        np.zeros(columns, np.int32),
    )
    for column, ids in enumerate(targets):
        steps = len(ids) - 1
        x[:steps, column], y[:steps, column], lengths[column] = ids[:-1], ids[1:], steps
    return [x, y, lengths]
