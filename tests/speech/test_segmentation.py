"""The best segmentation of a recording, compared with all its segmentations."""

import itertools
import time

import numpy as np
import pytest

from theano_rnn.errors import ArgumentValueError
from theano_rnn.speech.segmentation import (
    LOWEST,
    SegmentCounts,
    Segmenter,
    Segments,
    best_segments,
    minimum_duration,
    runs,
    segment_probabilities,
    segmentation_score,
)


def random_counts(generator, labels, longest):
    lengths = generator.integers(1, longest + 1, (6, 7))
    recordings = [np.repeat(generator.integers(0, labels, 7), row) for row in lengths]
    counts = SegmentCounts.of(recordings, labels)
    return SegmentCounts(
        counts.first, counts.last, counts.following, counts.frames, generator.integers(1, longest + 1, labels)
    )


def random_log_probabilities(generator, frames, labels):
    values = generator.normal(size=(frames, labels)) * 2
    return values - np.log(np.exp(values).sum(axis=1, keepdims=True))


def score_by_hand(labels, log_p, counts, w, v):
    """The formula at the top of the module, for the labels of all frames, with plain loops."""
    size = len(counts.first)
    shares = (counts.frames + 0.5) / (counts.frames + 0.5).sum()
    total = sum(w * (log_p[t, label] - v * np.log(shares[label])) for t, label in enumerate(labels))
    segments = [(label, len(list(frames))) for label, frames in itertools.groupby(labels)]
    before = None
    for label, duration in segments:
        if duration < counts.minimum[label]:
            return -np.inf
        number = counts.first[label] + counts.following[:, label].sum()
        more = max(counts.frames[label] - number * counts.minimum[label], 0)
        leave = (number + 0.5) / (number + more + 1)
        total += (duration - counts.minimum[label]) * np.log(1 - leave) + np.log(leave)
        if before is None:
            total += np.log((counts.first[label] + 0.5) / (counts.first.sum() + 0.5 * size))
        else:
            others = [one for one in range(size) if one != before]
            total += np.log((counts.following[before, label] + 0.5) / (counts.following[before, others] + 0.5).sum())
        before = label
    return total + np.log((counts.last[before] + 0.5) / (counts.last.sum() + 0.5 * size))


@pytest.mark.parametrize("labels, frames", [(2, 1), (2, 9), (3, 7), (4, 6), (1, 5)])
@pytest.mark.parametrize("w, v", [(1.0, 0.0), (0.4, 0.7)])
def test_no_other_segmentation_has_a_larger_score(labels, frames, w, v):
    for seed in range(8):
        generator = np.random.default_rng([seed, labels, frames])
        counts = random_counts(generator, labels, longest=3)
        log_p = random_log_probabilities(generator, frames, labels)
        scores = {
            one: score_by_hand(one, log_p, counts, w, v) for one in itertools.product(range(labels), repeat=frames)
        }
        best = max(scores, key=scores.__getitem__)
        found = best_segments(log_p, counts, w, v)
        if np.isfinite(scores[best]):
            assert found.of_frames().tolist() == list(best)
            np.testing.assert_allclose(segmentation_score(found, log_p, counts, w, v), scores[best], rtol=1e-12)
        else:
            assert len(found.labels) == 1


def test_the_score_of_any_segmentation_is_that_of_the_formula():
    generator = np.random.default_rng(3)
    counts = random_counts(generator, 3, longest=2)
    log_p = random_log_probabilities(generator, 6, 3)
    for labels in itertools.product(range(3), repeat=6):
        found = segmentation_score(runs(labels), log_p, counts, 0.7, 0.2)
        np.testing.assert_allclose(found, score_by_hand(labels, log_p, counts, 0.7, 0.2), rtol=1e-12)


@pytest.mark.parametrize("sizes", [[1] * 200, [199, 1], [3, 0, 97, 100]])
def test_pieces_give_the_same_segmentation_as_the_whole(sizes):
    generator = np.random.default_rng(1)
    counts = random_counts(generator, 10, longest=6)
    log_p = random_log_probabilities(generator, 200, 10)
    segmenter = Segmenter(counts)
    for piece in np.split(log_p, np.cumsum(sizes)[:-1]):
        segmenter.add(piece)
    whole, pieces = best_segments(log_p, counts), segmenter.finish()
    assert whole.bounds.tolist() == pieces.bounds.tolist() and whole.labels.tolist() == pieces.labels.tolist()


def test_more_labels_than_a_byte_can_number():
    counts = SegmentCounts.of([np.repeat(np.arange(300), 3)], 300)
    log_p = np.log(np.eye(300)[np.repeat(np.arange(299, -1, -1), 4)] * 0.9 + 1e-4)
    assert best_segments(log_p, counts).labels.tolist() == list(range(299, -1, -1))


def test_segments_cover_the_frames_and_keep_the_minimum_durations():
    generator = np.random.default_rng(2)
    counts = random_counts(generator, 5, longest=9)
    found = best_segments(random_log_probabilities(generator, 500, 5), counts)
    assert found.bounds[0] == 0 and found.bounds[-1] == 500
    assert (np.diff(found.bounds) >= counts.minimum[found.labels]).all()
    assert (np.diff(found.labels) != 0).all()


def test_a_recording_shorter_than_all_minimum_durations_is_one_segment():
    counts = SegmentCounts.of([[0] * 9 + [1] * 9], 2)
    found = best_segments(np.log([[0.4, 0.6], [0.3, 0.7]]), counts)
    assert found.bounds.tolist() == [0, 2] and found.labels.tolist() == [1]


def test_an_empty_recording_has_no_segments():
    counts = SegmentCounts.of([[0, 1]], 2)
    found = Segmenter(counts).finish()
    assert found.bounds.tolist() == [0] and not len(found.labels)
    assert runs([]).bounds.tolist() == [0] and SegmentCounts.of([[]], 2).frames.sum() == 0


def test_frames_with_probability_zero_do_not_break_the_search():
    counts = SegmentCounts.of([[0, 0, 1, 1, 0]], 2)
    with np.errstate(divide="ignore"):
        log_p = np.log([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    found = best_segments(log_p, counts)
    assert found.of_frames().tolist() == [0, 1, 1, 0]
    assert np.isfinite(segmentation_score(found, np.full((4, 2), -np.inf), counts)) and LOWEST < -1e3


def test_counts_are_those_of_the_training_segments():
    counts = SegmentCounts.of([[0, 0, 2, 2, 2, 0], [2]], 3)
    assert counts.first.tolist() == [1, 0, 1] and counts.last.tolist() == [1, 0, 1]
    assert counts.following.tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert counts.frames.tolist() == [3, 0, 4] and counts.segments.tolist() == [2, 0, 2]
    assert counts.minimum.tolist() == [1, 1, 1]
    again = SegmentCounts.from_configuration(counts.to_configuration())
    assert again.to_configuration() == counts.to_configuration()


def test_at_most_a_twentieth_of_the_segments_is_shorter_than_the_minimum():
    assert minimum_duration([2] * 5 + [7] * 95) == 7
    assert minimum_duration([2] * 6 + [7] * 95) == 2


@pytest.mark.parametrize(
    "name, value",
    [("minimum", [0, 1]), ("first", [-1, 1]), ("following", [0, 1]), ("frames", [1.5, 1]), ("last", [1, 1, 1])],
)
def test_damaged_counts_are_rejected(name, value):
    configuration = SegmentCounts.of([[0, 1]], 2).to_configuration()
    with pytest.raises(ArgumentValueError, match=f"{name}: expected integers"):
        SegmentCounts.from_configuration({**configuration, name: value})


def test_wrong_probabilities_are_rejected():
    segmenter = Segmenter(SegmentCounts.of([[0, 1]], 2))
    with pytest.raises(ArgumentValueError, match=r"log_probabilities: expected an array \(frames, 2\), got \(4, 3\)"):
        segmenter.add(np.zeros((4, 3)))
    with pytest.raises(ArgumentValueError, match="log_probabilities: expected numbers, got NaN"):
        segmenter.add([[0, np.nan]])
    with pytest.raises(ArgumentValueError, match="frame_weight"):
        Segmenter(SegmentCounts.of([[0, 1]], 2), frame_weight=0)
    with pytest.raises(ArgumentValueError, match="prior_weight"):
        Segmenter(SegmentCounts.of([[0, 1]], 2), prior_weight=-1)


def test_the_probability_of_a_segment_is_the_mean_over_its_frames():
    p = [[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]
    found = segment_probabilities(p, Segments(np.array([0, 2, 3]), np.array([0, 1])))
    np.testing.assert_allclose(found, [0.7, 0.8])
    assert not len(segment_probabilities(np.zeros((0, 2)), runs([])))


@pytest.mark.slow
def test_an_hour_of_sound_takes_seconds_and_little_memory():
    generator = np.random.default_rng(1)
    counts = random_counts(generator, 61, longest=6)
    piece = random_log_probabilities(generator, 6_000, 61)
    segmenter = Segmenter(counts)
    start = time.process_time()
    for _ in range(60):
        segmenter.add(piece)
    assert segmenter.finish().bounds[-1] == 360_000
    assert time.process_time() - start < 20
