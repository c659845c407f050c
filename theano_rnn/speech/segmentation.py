"""From the probabilities of labels in each frame to segments: the best segmentation of a recording. NumPy only.

A segmentation of frames x_1 … x_n into segments with labels has the score

    Σ over frames   w (ln P(label | x_t) - v ln P(label))         P(label | x_t): the network's; P(label): its share
  + Σ over segments ln P(label | the label before) + ln P(its duration | label)

where no two segments in a row have the same label and no segment is shorter than the minimum of its label. `Segmenter`
finds the segmentation with the largest score, exactly, by dynamic programming over the ends of segments (Viterbi).
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_real
from theano_rnn.errors import ArgumentValueError

SHORTER = 0.05  # at most this share of the training segments is shorter than the minimum duration of their label
SMOOTHING = 0.5  # is added to each count of labels in a row
LOWEST = -1e4  # nats; stands for ln 0, so that one frame with probability 0 does not make all segmentations equal

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Segments(NamedTuple):
    """A segmentation: segment i has the frames from ``bounds[i]`` to ``bounds[i + 1] - 1``.

    Attributes
    ----------
    bounds : int array (segments + 1,)
    labels : int array (segments,)
    """

    bounds: Integers
    labels: Integers

    def of_frames(self) -> Integers:
        """The label of each frame."""
        return np.repeat(self.labels, np.diff(self.bounds))


def runs(labels: npt.ArrayLike) -> Segments:
    """The segments of frames that have the same label in a row.

    Examples
    --------
    >>> runs([4, 4, 4, 0, 4])
    Segments(bounds=array([0, 3, 4, 5]), labels=array([4, 0, 4]))
    """
    values = np.asarray(labels, np.int64)
    if not len(values):
        return Segments(np.zeros(1, np.int64), values)
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1, [len(values)]])
    return Segments(bounds, values[bounds[:-1]])


@dataclass(frozen=True, eq=False)
class SegmentCounts:
    """What training segments tell about which labels follow each other, and how long they last.

    Parameters
    ----------
    first, last : int arrays (labels,)
        How many recordings begin and end with each label.
    following : int array (labels, labels)
        How often the label of the column follows that of the row.
    frames : int array (labels,)
        The number of frames with each label.
    minimum : int array (labels,), >= 1
        The minimum duration of a segment in frames.

    Raises
    ------
    ValueError
        If an array has another shape or a value that is too small.
    """

    first: Integers
    last: Integers
    following: Integers
    frames: Integers
    minimum: Integers

    def __post_init__(self) -> None:
        size = len(np.asarray(self.first))
        for name in ("first", "last", "following", "frames", "minimum"):
            values = np.asarray(getattr(self, name))
            shape = (size, size) if name == "following" else (size,)
            smallest = 1 if name == "minimum" else 0
            if not size or values.shape != shape or values.dtype.kind != "i" or values.min() < smallest:
                raise ArgumentValueError(f"{name}: expected integers of at least {smallest} in an array of {shape}")
            object.__setattr__(self, name, values.astype(np.int64))

    @classmethod
    def of(cls, recordings: Iterable[npt.ArrayLike], labels: int) -> "SegmentCounts":
        """Count the segments of recordings.

        Parameters
        ----------
        recordings : iterable of int arrays (frames,)
            The label of each frame.
        labels : int
            The number of labels.
        """
        first, last, frames = (np.zeros(labels, np.int64) for _ in range(3))
        following = np.zeros((labels, labels), np.int64)
        durations: list[list[int]] = [[] for _ in range(labels)]
        for recording in recordings:
            found = runs(recording)
            if not len(found.labels):
                continue
            first[found.labels[0]] += 1
            last[found.labels[-1]] += 1
            np.add.at(following, (found.labels[:-1], found.labels[1:]), 1)
            for label, duration in zip(found.labels.tolist(), np.diff(found.bounds).tolist(), strict=True):
                frames[label] += duration
                durations[label].append(duration)
        minimum = np.array([minimum_duration(one) for one in durations], np.int64)
        return cls(first, last, following, frames, minimum)

    @property
    def segments(self) -> Integers:
        """The number of segments of each label."""
        return self.first + self.following.sum(axis=0)

    def to_configuration(self) -> dict[str, Any]:
        """Return the counts as lists, which JSON can write."""
        return {name: getattr(self, name).tolist() for name in ("first", "last", "following", "frames", "minimum")}

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any]) -> "SegmentCounts":
        """Return what `to_configuration` describes; KeyError, TypeError or ValueError if it is damaged."""
        names = ("first", "last", "following", "frames", "minimum")
        return cls(**{name: np.array(configuration[name]) for name in names})


def minimum_duration(durations: Sequence[int]) -> int:
    """The largest duration that at most `SHORTER` of these segments do not reach; 1 if there are none.

    Examples
    --------
    >>> minimum_duration([3, 5, 9]), minimum_duration([1] + 40 * [4]), minimum_duration([])
    (3, 4, 1)
    """
    return sorted(durations)[int(SHORTER * len(durations))] if durations else 1


class Segmenter:
    """Finds the best segmentation of a recording whose probabilities arrive in pieces, from the first to the last.

    It keeps one bit and one byte for each frame and label, so that an hour of 61 labels takes 50 MB.

    Parameters
    ----------
    counts : SegmentCounts
    frame_weight : float, > 0
        w in the formula above: how much the frames count, compared with the segments. Values below 1 allow for
        neighboring frames that tell nearly the same.
    prior_weight : float, >= 0
        v in the formula above.

    Examples
    --------
    >>> counts = SegmentCounts.of([[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1]], labels=2)
    >>> p = np.array([0.9, 0.8, 0.4, 0.9, 0.1, 0.2, 0.1])  # of the first label
    >>> best_segments(np.log(np.stack([p, 1 - p], axis=1)), counts).of_frames()
    array([0, 0, 0, 0, 1, 1, 1])
    """

    def __init__(self, counts: SegmentCounts, frame_weight: float = 1.0, prior_weight: float = 0.0) -> None:
        self.frame_weight: float = check_real("frame_weight", frame_weight, above=0)
        self.prior_weight: float = check_real("prior_weight", prior_weight, minimum=0)
        self._minimum = counts.minimum
        size = len(counts.minimum)
        self._log_prior = log_shares(counts.frames, axis=0)
        segments = counts.segments
        longer = np.maximum(counts.frames - segments * counts.minimum, 0)  # frames beyond the minimum
        leave = (segments + SMOOTHING) / (segments + longer + 2 * SMOOTHING)  # P(a segment ends after a frame)
        self._stay = np.log1p(-leave)
        self._last = np.log(leave) + log_shares(counts.last, axis=0)
        between = np.log(leave)[:, None] + log_shares(counts.following, axis=1, without_diagonal=True)
        self._into = np.ascontiguousarray(between.T)  # [label, the label before]
        self._longest = int(counts.minimum.max())
        # The scores of the recent frames, and the best score of what may come before a segment that starts there.
        self._recent = np.zeros((self._longest, size))
        self._before = np.full((self._longest, size), -np.inf)
        self._before[-1] = log_shares(counts.first, axis=0)
        self._score = np.full(size, -np.inf)  # of segmentations whose last segment may end here, by its label
        self._sum = self._before[-1] + self._last  # of segmentations with a single segment
        self._starts: list[npt.NDArray[np.uint8]] = []
        self._previous: list[npt.NDArray[Any]] = []
        self.frames: int = 0

    def add(self, log_probabilities: npt.ArrayLike) -> None:
        """Read the next frames.

        Parameters
        ----------
        log_probabilities : array (frames, labels)
            ln P(label | x_t) in nats.

        Raises
        ------
        ValueError
            If the array has another number of labels, or a value is NaN.
        """
        log_p = np.asarray(log_probabilities, np.float64)
        size = len(self._minimum)
        if log_p.ndim != 2 or log_p.shape[1] != size:
            raise ArgumentValueError(f"log_probabilities: expected an array (frames, {size}), got {log_p.shape}")
        if np.isnan(log_p).any():
            raise ArgumentValueError("log_probabilities: expected numbers, got NaN")
        x = self.frame_weight * (np.maximum(log_p, LOWEST) - self.prior_weight * self._log_prior)
        count, longest = len(x), self._longest
        self._sum = self._sum + x.sum(axis=0)
        scores = np.concatenate([self._recent, x])
        shortest = np.zeros((count, size))  # the scores of the last frames, as many as the minimum of each label
        for back in range(longest):
            shortest += np.where(back < self._minimum, scores[longest - back : longest - back + count], 0.0)
        before = np.concatenate([self._before, np.empty((count, size))])
        starts, previous = np.empty((count, size), bool), np.empty((count, size), smallest_type(size))
        self._search(x + self._stay, shortest, before, starts, previous)
        self._recent, self._before = scores[count:], before[count:]
        self._starts.append(np.packbits(starts, axis=1))
        self._previous.append(previous)
        self.frames += count

    def _search(
        self,
        staying: Floats,
        shortest: Floats,
        before: Floats,
        starts: npt.NDArray[np.bool_],
        previous: npt.NDArray[Any],
    ) -> None:
        """The loop over frames, in which every array operation counts."""
        size = len(self._minimum)
        score, into, by_label = self._score, self._into, np.arange(size)
        flat = before.reshape(-1)
        # Where `before` has what comes before a segment of the minimum duration that ends with the first frame.
        place = (self._longest - self._minimum) * size + by_label
        candidates, rows = np.empty((size, size)), by_label * size
        flat_candidates = candidates.reshape(-1)
        for t in range(len(staying)):
            entered = flat.take(place)
            entered += shortest[t]
            stayed = score + staying[t]
            np.greater(entered, stayed, out=starts[t])
            score = np.maximum(entered, stayed)
            np.add(into, score, out=candidates)
            best = candidates.argmax(axis=1)
            previous[t] = best
            best += rows
            flat_candidates.take(best, out=before[self._longest + t], mode="clip")
            place += size
        self._score = score

    def finish(self) -> Segments:
        """Return the best segmentation. A recording that is shorter than all minimum durations is one segment."""
        if not self.frames:
            return Segments(np.zeros(1, np.int64), np.zeros(0, np.int64))
        total = self._score + self._last
        if not np.isfinite(total).any():
            return Segments(np.array([0, self.frames]), np.array([self._sum.argmax()]))
        starts = np.concatenate(self._starts)
        previous = np.concatenate(self._previous)
        label, t = int(total.argmax()), self.frames
        bounds, labels = [t], [label]
        minimum = self._minimum.tolist()
        while True:
            # The bits of a label are in the same byte and bit of each row.
            while not starts[t - 1, label >> 3] & (128 >> (label & 7)):
                t -= 1
            t -= minimum[label]
            bounds.append(t)
            if not t:
                break
            label = int(previous[t - 1, label])
            labels.append(label)
        return Segments(np.array(bounds[::-1]), np.array(labels[::-1]))


def best_segments(
    log_probabilities: npt.ArrayLike, counts: SegmentCounts, frame_weight: float = 1.0, prior_weight: float = 0.0
) -> Segments:
    """The best segmentation of one recording; parameters and errors are those of `Segmenter` and `Segmenter.add`."""
    segmenter = Segmenter(counts, frame_weight, prior_weight)
    segmenter.add(log_probabilities)
    return segmenter.finish()


def segment_probabilities(probabilities: npt.ArrayLike, segments: Segments) -> Floats:
    """The mean of the network's P(label | x_t) over the frames of each segment.

    This is the share of its frames that have the label, as far as the network knows.

    Parameters
    ----------
    probabilities : array (frames, labels)
    segments : Segments

    Examples
    --------
    >>> segment_probabilities([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]], runs([0, 0, 1])).tolist()
    [0.7, 0.8]
    """
    p = np.asarray(probabilities, np.float64)
    if not len(segments.labels):
        return np.zeros(0)
    found = np.add.reduceat(p[np.arange(len(p)), segments.of_frames()], segments.bounds[:-1])
    return found / np.diff(segments.bounds)


def segmentation_score(
    segments: Segments,
    log_probabilities: npt.ArrayLike,
    counts: SegmentCounts,
    frame_weight: float = 1.0,
    prior_weight: float = 0.0,
) -> float:
    """The score of a segmentation: see the formula above. -inf if a segment is too short or follows its like."""
    one = Segmenter(counts, frame_weight, prior_weight)
    log_p = np.maximum(np.asarray(log_probabilities, np.float64), LOWEST)
    x = one.frame_weight * (log_p - one.prior_weight * one._log_prior)
    durations = np.diff(segments.bounds)
    if (durations < counts.minimum[segments.labels]).any():
        return -np.inf
    score = one._before[-1][segments.labels[0]] + one._last[segments.labels[-1]]
    score += sum(one._into[label, before] for before, label in itertools.pairwise(segments.labels.tolist()))
    score += float(((durations - counts.minimum[segments.labels]) * one._stay[segments.labels]).sum())
    return float(score + x[np.arange(len(x)), segments.of_frames()].sum())


def log_shares(counts: Integers, axis: int, without_diagonal: bool = False) -> Floats:
    """ln of the shares of counts, each of which is raised by `SMOOTHING`; -inf on the diagonal if it is left out."""
    values = counts + SMOOTHING
    if without_diagonal:
        np.fill_diagonal(values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(values) - np.log(values.sum(axis=axis, keepdims=True))
    return np.where(values > 0, found, -np.inf)


def smallest_type(labels: int) -> type[np.unsignedinteger[Any]]:
    """The type that holds the number of a label."""
    return np.uint8 if labels <= 256 else np.uint16 if labels <= 65536 else np.uint32
