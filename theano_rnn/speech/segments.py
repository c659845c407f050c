"""Segments of recordings: a label from one time to another. Their checks, and labels of frames made from them and back.

A frame belongs to the segment that its middle lies in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count, check_real
from theano_rnn.errors import CorpusError

NO_LABEL = ""  # of what no segment covers, and of Praat's intervals without text
TOLERANCE = 0.001  # seconds by which segments may overlap, because tables round times
LONGEST_SEAM = 0.2  # seconds at the ends of a recording that may lack a segment
LONGEST_EXCESS = 0.1  # seconds by which the last segment may exceed the recording

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Segment:
    """A part of a recording that has one label.

    Attributes
    ----------
    name : str
        The recording.
    start, end : float
        Seconds.
    label : str
        `NO_LABEL` if it has none.
    probability : float or None
        None if a person has set the label.
    place : str
        The file and the line that it was read from, for messages. Ignored by comparisons.
    """

    name: str
    start: float
    end: float
    label: str
    probability: float | None = None
    place: str = field(default="", compare=False, repr=False)


def sorted_segments(segments: Iterable[Segment]) -> list[Segment]:
    """Sort the segments of one recording by time, and check them.

    Raises
    ------
    CorpusError
        If a segment starts before 0 or does not end after its start, or two overlap by more than a millisecond. The
        message names the file and the line.
    """
    ordered = sorted(segments, key=lambda segment: (segment.start, segment.end))
    before: Segment | None = None
    for segment in ordered:
        if not 0 <= segment.start < np.inf or not np.isfinite(segment.end):
            raise CorpusError(
                f"{_place(segment)}: expected times in seconds of at least 0, got {segment.start:g} and {segment.end:g}"
            )
        if segment.end <= segment.start:
            raise CorpusError(
                f"{_place(segment)}: the segment ends at {segment.end:g} s, which is not after its start, "
                f"{segment.start:g} s"
            )
        if before is not None and segment.start < before.end - TOLERANCE:
            raise CorpusError(
                f"{_place(segment)}: the segment from {segment.start:g} to {segment.end:g} s overlaps the one from "
                f"{before.start:g} to {before.end:g} s" + (f" ({before.place})" if before.place else "")
            )
        before = segment
    return ordered


def frame_labels(segments: Sequence[Segment], frames: int, shift: float) -> list[str]:
    """Return the label of each frame: that of the segment in which its middle, ``(i + 0.5) * shift``, lies.

    A gap between segments that is no longer than a frame counts as part of the nearest segment, and so does a gap of up
    to 0.2 s at either end of the recording. Frames in longer gaps have `NO_LABEL`.

    Parameters
    ----------
    segments : sequence of Segment
        Of one recording, from `sorted_segments`.
    frames : int
    shift : float
        Seconds.

    Raises
    ------
    CorpusError
        If there are no segments, or the last one ends more than 0.1 s after the last frame.

    Examples
    --------
    >>> frame_labels([Segment("a", 0, 0.02, "s"), Segment("a", 0.02, 0.05, "ow")], 5, 0.01)
    ['s', 's', 'ow', 'ow', 'ow']
    """
    check_count("frames", frames)
    check_real("shift", shift, above=0)
    if not segments:
        raise CorpusError("there are no segments; label the recording, or leave it out")
    length, last = frames * shift, segments[-1]
    if last.end > length + LONGEST_EXCESS:
        raise CorpusError(
            f"{_place(last)}: the segment from {last.start:g} to {last.end:g} s is beyond the end of the recording "
            f"{last.name}, {length:.3f} s; times are in seconds"
        )
    starts = np.array([segment.start for segment in segments])
    ends = np.array([segment.end for segment in segments])
    gaps = starts[1:] - ends[:-1]
    small = gaps <= shift + TOLERANCE
    middles = (ends[:-1] + starts[1:]) / 2
    starts[1:] = np.where(small, middles, starts[1:])
    ends[:-1] = np.where(small, middles, ends[:-1])
    if starts[0] <= LONGEST_SEAM:
        starts[0] = 0
    if length - ends[-1] <= LONGEST_SEAM:
        ends[-1] = length
    times = (np.arange(frames) + 0.5) * shift
    found = np.searchsorted(starts, times + shift * 1e-6, side="right") - 1
    is_inside = (found >= 0) & (times < ends[found] + shift * 1e-6)
    return [segments[i].label if inside else NO_LABEL for i, inside in zip(found.tolist(), is_inside, strict=True)]


def with_gaps(segments: Sequence[Segment], frames: int, shift: float) -> list[Segment]:
    """Add a segment without a label in each gap in which `frame_labels` finds no label.

    Parameters
    ----------
    segments : sequence of Segment
        Of one recording, from `sorted_segments`, at least one.
    frames : int
    shift : float
        Seconds.

    Examples
    --------
    >>> found = with_gaps([Segment("a", 0, 0.2, "s"), Segment("a", 0.3, 0.5, "ow")], 50, 0.01)
    >>> [(one.start, one.end, one.label) for one in found]
    [(0, 0.2, 's'), (0.2, 0.3, ''), (0.3, 0.5, 'ow')]
    """
    filled: list[Segment] = []
    end, longest = 0.0, LONGEST_SEAM
    for one in segments:
        if one.start - end > longest:
            filled.append(Segment(one.name, end, one.start, NO_LABEL))
        filled.append(one)
        end, longest = one.end, shift + TOLERANCE
    if frames * shift - end > LONGEST_SEAM:
        filled.append(Segment(filled[-1].name, end, frames * shift, NO_LABEL))
    return filled


def frame_time(frame: int, shift: float) -> float:
    """Return the start of a frame in seconds: ``frame * shift`` without the rounding errors of this product.

    Examples
    --------
    >>> frame_time(57, 0.01), 57 * 0.01
    (0.57, 0.5700000000000001)
    """
    return round(frame * shift, 9)


def segments_from_frames(
    name: str,
    starts: Sequence[int] | Numbers,
    ends: Sequence[int] | Numbers,
    labels: Sequence[str],
    shift: float,
    probabilities: Sequence[float] | npt.NDArray[np.floating] | None = None,
) -> list[Segment]:
    """Make segments of runs of frames. Segments touch where runs do.

    Parameters
    ----------
    name : str
        The recording.
    starts, ends : sequence of int
        The first frame of each run, and the first after it.
    labels : sequence of str
        Of each run.
    shift : float
        Seconds.
    probabilities : sequence of float, optional
        Of each run.

    Examples
    --------
    >>> [(one.start, one.end, one.label) for one in segments_from_frames("a", [0, 2], [2, 5], ["s", "ow"], 0.01)]
    [(0.0, 0.02, 's'), (0.02, 0.05, 'ow')]
    """
    values = [None] * len(labels) if probabilities is None else [float(value) for value in probabilities]
    return [
        Segment(name, frame_time(int(start), shift), frame_time(int(end), shift), label, value)
        for start, end, label, value in zip(starts, ends, labels, values, strict=True)
    ]


def _place(segment: Segment) -> str:
    return segment.place or f"recording {segment.name}"
