"""Edits between sequences of labels against an independent algorithm, boundaries against all matchings, folding."""

import functools
import itertools

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.speech.segment_report import (
    Edits,
    LabelledSpans,
    SegmentScores,
    edits,
    folded,
    matched_boundaries,
    read_fold,
)


def edits_by_recursion(right, found):
    """The smallest (number of edits, substitutions, deletions, insertions)."""

    @functools.cache
    def smallest(i, j):
        if not i or not j:
            return i + j, 0, i, j
        total, s, d, n = smallest(i - 1, j - 1)
        same = right[i - 1] == found[j - 1]
        ways = [(total, s, d, n) if same else (total + 1, s + 1, d, n)]
        total, s, d, n = smallest(i - 1, j)
        ways.append((total + 1, s, d + 1, n))
        total, s, d, n = smallest(i, j - 1)
        ways.append((total + 1, s, d, n + 1))
        return min(ways)

    return Edits(*smallest(len(right), len(found))[1:])


def test_edits_are_those_of_the_recursive_definition():
    generator = np.random.default_rng(0)
    for _ in range(300):
        right, found = ("".join(generator.choice(list("abc"), generator.integers(0, 9))) for _ in range(2))
        assert edits(right, found) == edits_by_recursion(right, found), (right, found)


def test_edits_are_as_many_as_jiwer_finds():
    jiwer = pytest.importorskip("jiwer")
    generator = np.random.default_rng(1)
    for _ in range(50):
        right, found = (list(generator.choice(list("abcdef"), generator.integers(1, 40))) for _ in range(2))
        assert sum(edits(right, found)) / len(right) == pytest.approx(jiwer.wer(" ".join(right), " ".join(found)))


def most_matches(right, found, tolerance):
    """The size of the largest matching, from all of them."""
    if not len(right):
        return 0
    without = most_matches(right[1:], found, tolerance)
    near = [j for j, time in enumerate(found) if abs(time - right[0]) <= tolerance + 1e-6]
    return max([without, *(1 + most_matches(right[1:], np.delete(found, j), tolerance) for j in near)])


def test_as_many_boundaries_match_as_in_the_best_matching():
    generator = np.random.default_rng(2)
    for _ in range(100):
        right, found = (np.sort(generator.integers(0, 15, generator.integers(0, 7)) / 100) for _ in range(2))
        assert matched_boundaries(right, found) == most_matches(right, found, 0.02)


def test_a_boundary_exactly_at_the_tolerance_matches_and_one_beyond_does_not():
    assert matched_boundaries([0.28], [0.30]) == 1
    assert matched_boundaries([0.2799], [0.30]) == 0


def test_scores_add_up_over_recordings_and_ignore_both_ends():
    scores = SegmentScores()
    scores.add(LabelledSpans(np.array([0, 0.1, 0.2, 0.5]), list("abc")), LabelledSpans(np.array([0, 0.11, 0.5]), "ad"))
    scores.add(LabelledSpans(np.array([0, 0.3]), ["a"]), LabelledSpans(np.array([0, 0.1, 0.3]), ["a", "b"]))
    assert (scores.labels, scores.substitutions, scores.deletions, scores.insertions) == (4, 1, 1, 1)
    assert (scores.boundaries, scores.found_boundaries, scores.matched) == (2, 2, 1)
    assert scores.error_rate == 0.75 and scores.of_boundaries == (0.5, 0.5, 0.5)
    figures = scores.figures()
    assert figures["segments"]["error_rate"] == 0.75 and figures["boundaries"]["f1"] == 0.5


def test_recordings_without_inner_boundaries():
    scores = SegmentScores()
    scores.add(LabelledSpans(np.array([0, 1.0]), ["a"]), LabelledSpans(np.array([0, 1.0]), ["a"]))
    assert scores.of_boundaries == (1, 1, 1) and scores.error_rate == 0


def test_labels_folded_to_nothing_do_not_count_in_the_error_rate():
    fold = {"q": ""}
    right = folded(LabelledSpans(np.array([0, 1, 2, 3.0]), ["a", "q", "b"]), fold)
    found = folded(LabelledSpans(np.array([0, 1, 3.0]), ["a", "b"]), fold)
    scores = SegmentScores()
    scores.add(right, found)
    assert scores.labels == 2 and scores.error_rate == 0 and scores.boundaries == 2


def test_a_folding_file(tmp_path):
    path = tmp_path / "fold.tsv"
    path.write_text("phone\tfolded\ntcl\tsil\n\npau\tsil\nq\t\n", encoding="utf-8")
    assert read_fold(path, ["tcl", "a"]) == {"phone": "folded", "tcl": "sil", "pau": "sil", "q": ""}


@pytest.mark.parametrize(
    "text, message",
    [
        ("tcl sil\n", r"fold.tsv, line 1: expected a label, a tab and a folded label, got 'tcl sil'"),
        ("tcl\tsil\n\ta\n", r"fold.tsv, line 2: expected a label"),
        ("tcl\tsil\na\tb\ntcl\tpau\n", r"fold.tsv, line 3: the label 'tcl' has two folded labels"),
        ("b\tsil\n", r"fold.tsv: names no label of the model"),
    ],
)
def test_damaged_folding_files_are_rejected(tmp_path, text, message):
    path = tmp_path / "fold.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        read_fold(path, ["tcl", "a"])


def test_all_pairs_of_short_sequences_need_the_same_number_of_edits_both_ways():
    for right, found in itertools.product(itertools.product("ab", repeat=3), repeat=2):
        assert sum(edits(right, found)) == sum(edits(found, right))
