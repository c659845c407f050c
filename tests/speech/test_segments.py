"""Segments: checks, labels of frames, and back."""

import itertools

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.speech.segments import (
    Segment,
    frame_labels,
    frame_time,
    segments_from_frames,
    sorted_segments,
    with_gaps,
)


def segment(start, end, label="x", line=0):
    return Segment("r", start, end, label, place=f"t.tsv, line {line}" if line else "")


def test_segments_are_sorted_by_time():
    later, first = segment(0.5, 1), segment(0, 0.5)
    assert sorted_segments([later, first]) == [first, later]


def test_rounded_times_may_overlap_by_a_millisecond():
    assert len(sorted_segments([segment(0, 0.5004), segment(0.5, 1)])) == 2


@pytest.mark.parametrize("segments, message", [
    ([segment(1, 0.5, line=3)], "t.tsv, line 3: the segment ends at 0.5 s, which is not after its start, 1 s"),
    ([segment(1, 1, line=3)], "line 3: the segment ends at 1 s, which is not after"),
    ([segment(-1, 1)], "^recording r: expected times in seconds of at least 0, got -1 and 1"),
    ([segment(0, np.nan, line=4)], "line 4: expected times in seconds of at least 0, got 0 and nan"),
    ([segment(np.nan, 1, line=4)], "line 4: expected times"),
    ([segment(0, np.inf, line=4)], "line 4: expected times"),
    ([segment(0, 0.5, line=2), segment(0.4, 1, line=3)],
     r"line 3: the segment from 0.4 to 1 s overlaps the one from 0 to 0.5 s \(t.tsv, line 2\)"),
    ([segment(0, 2), segment(0.4, 1)], "^recording r: the segment from 0.4 to 1 s overlaps the one from 0 to 2 s$"),
])  # fmt: skip
def test_impossible_times_and_overlaps_are_rejected_with_the_line(segments, message):
    with pytest.raises(CorpusError, match=message):
        sorted_segments(segments)


def test_a_frame_has_the_label_at_its_middle():
    # Middles: 5, 15, 25, 35, 45 ms. A boundary in the middle of a frame begins the next segment.
    segments = [segment(0, 0.015, "a"), segment(0.015, 0.0251, "b"), segment(0.0251, 0.05, "c")]
    assert frame_labels(segments, 5, 0.01) == list("abbcc")


def test_long_gaps_have_no_label_and_small_ones_belong_to_the_nearest_segment():
    segments = [segment(0.1, 0.5, "a"), segment(0.508, 1, "b"), segment(2, 3, "c")]
    found = frame_labels(segments, 315, 0.01)
    assert found == ["a"] * 50 + ["b"] * 50 + [""] * 100 + ["c"] * 115
    assert frame_labels([segment(0.3, 0.5, "a")], 100, 0.01) == [""] * 30 + ["a"] * 20 + [""] * 50


@pytest.mark.parametrize(
    "segments, frames",
    [
        ([segment(0.1, 0.5, "a"), segment(0.508, 1, "b"), segment(2, 3, "c")], 315),
        ([segment(0.3, 0.5, "a"), segment(0.6, 1.0, "b")], 150),
    ],
)
def test_gaps_are_filled_where_frames_have_no_label(segments, frames):
    filled = with_gaps(segments, frames, 0.01)
    assert [one for one in filled if one.label] == segments
    found = frame_labels(segments, frames, 0.01)
    assert frame_labels(filled, frames, 0.01) == found
    changes = sum(one != other for one, other in itertools.pairwise(found))
    assert len(filled) - 1 == changes


def test_boundaries_of_frames_survive_rounding_for_an_hour():
    # 360,000 frames in segments of 7: times such as 2519.77 are not exact in binary.
    starts = np.arange(0, 360000, 7)
    ends = np.minimum(starts + 7, 360000)
    labels = [str(number % 3) for number in range(len(starts))]
    segments = segments_from_frames("r", starts, ends, labels, 0.01)
    assert all(before.end == after.start for before, after in zip(segments, segments[1:], strict=False))
    assert segments[-1].end == 3600
    assert frame_labels(segments, 360000, 0.01) == np.repeat(labels, ends - starts).tolist()


@pytest.mark.parametrize("segments, message", [
    ([segment(0, 7812, line=5)],
     "line 5: the segment from 0 to 7812 s is beyond the end of the recording r, 1.000 s; times"),
    ([segment(0, 0.5), segment(1, 1.11, line=5)], "line 5: the segment from 1 to 1.11 s is beyond the end"),
    ([], "there are no segments; label the recording"),
])  # fmt: skip
def test_segments_beyond_the_recording_are_rejected(segments, message):
    with pytest.raises(CorpusError, match=message):
        frame_labels(segments, 100, 0.01)


def test_a_short_segment_after_the_last_whole_frame_has_no_frame():
    # A sound of 1.004 s has 100 frames.
    segments = [segment(0, 0.5, "a"), segment(0.5, 1.002, "b"), segment(1.002, 1.004, "c")]
    assert frame_labels(segments, 100, 0.01) == ["a"] * 50 + ["b"] * 50
    assert frame_labels([segment(0, 0.5, "a"), segment(1.002, 1.004, "c")], 100, 0.01) == ["a"] * 50 + [""] * 50


def test_times_of_frames_have_no_rounding_errors():
    assert all(repr(frame_time(i, 0.01)) == repr(i / 100) for i in range(200000))


def test_segments_keep_their_probabilities_and_compare_without_places():
    (found,) = segments_from_frames("r", [0], [50], ["a"], 0.01, np.array([0.5], np.float32))
    assert found == Segment("r", 0, 0.5, "a", 0.5, place="elsewhere")
