"""The results of minimal pairs, compared with counts by hand."""

import csv
import io
import json
import math

import numpy as np
import pytest

from theano_rnn.reading_studies.pair_scores import PairTotals
from theano_rnn.results.score_formats import ScoringOptions
from theano_rnn.results.score_output import make_output

# (better tokens, worse tokens, ln P of both, known in both, category, result, differing unknown words)
PAIRS = [
    ("the dog sees", "the dog see", -3.0, -4.5, "", "x", "right", 0),
    ("the dog see", "the dog sees", -4.5, -3.0, "", "y", "wrong", 0),
    ("the cat sees", "the cats sees", -5.0, -5.0, "cat cats", "x", "tie", 2),
    ("cat sees the dog", "the dog sees cat", -6.0, -7.0, "cat", "x", "right", 0),
    ("the cat sees", "the dog sees", -5.0, -3.0, "cat", "y", "wrong", 1),
]


def shown(**settings):
    """The lines that are shown, and the output."""
    lines = []
    options = ScoringOptions(pairs=True, **settings)
    output = make_output(options, lambda *columns: lines.append("\t".join(map(str, columns))))
    texts = output.read_texts(["good\tbad\tkind", *(f"{one[0]}\t{one[1]}\t{one[5]}" for one in PAIRS)], "pairs.tsv")
    totals = [total for _, _, good, bad, *_ in PAIRS for total in (good, bad)]
    unknown = [words.split() for *_, words, _, _, _ in PAIRS for _ in range(2)]
    for text, total, strange in zip(texts, totals, unknown, strict=True):
        tokens = [*text.split(), "SENTENCE_END"]
        known = np.array([token not in strange for token in tokens])
        output.add_sentence(text, tokens, np.full(len(tokens), total / len(tokens)), known)
    output.finish()
    return lines, output


@pytest.mark.parametrize("base", ["e", "2", "10"])
def test_each_pair_is_a_row_with_the_difference(base):
    scale = {"e": 1, "2": math.log(2), "10": math.log(10)}[base]
    rows = list(csv.DictReader(io.StringIO("\n".join(shown(format="csv", by="kind", log_base=base)[0]))))
    assert [row["line"] for row in rows] == ["2", "3", "4", "5", "6"]
    for row, (good, bad, good_score, bad_score, _, kind, result, unknown) in zip(rows, PAIRS, strict=True):
        assert (row["sentence_good"], row["sentence_bad"], row["category"]) == (good, bad, kind)
        assert (row["result"], row["unknown"]) == (result, str(unknown))
        assert float(row["log_probability_good"]) == pytest.approx(good_score / scale)
        assert float(row["difference"]) == pytest.approx((good_score - bad_score) / scale)


def test_tsv_and_json_have_the_same_rows():
    lines = shown(format="tsv")[0]
    assert lines[0] == "2\t1.500000\t-3.000000\t-4.500000\tright\t0\tthe dog sees\tthe dog see"
    documents = [json.loads(line) for line in shown(format="json", by="kind")[0]]
    assert documents[2] == {
        "line": 4, "difference": 0.0, "log_probability_good": -5.0, "log_probability_bad": -5.0, "result": "tie",
        "unknown": 2, "sentence_good": "the cat sees", "sentence_bad": "the cats sees", "category": "x",
    }  # fmt: skip


def test_the_summary_has_the_accuracy_and_that_of_each_category():
    assert shown()[1].summary("word") == ("5 pairs, accuracy 40.00% (2 right, 2 wrong, 1 tie, not counted as right)")
    assert shown(by="kind")[1].summary("word").splitlines()[1:] == [
        "x: 3 pairs, accuracy 66.67% (2 right, 0 wrong, 1 tie, not counted as right)",
        "y: 2 pairs, accuracy 0.00% (0 right, 2 wrong, 0 ties)",
    ]


def test_unknown_words_that_differ_are_reported_with_the_accuracy_of_the_other_pairs():
    note = shown()[1].note
    assert note == (
        "in 2 of 5 pairs, words that differ are unknown to the model ('cat', 'cats'), so their results mean little; "
        "accuracy without them 66.67%"
    )


def test_only_accuracies_are_shown_on_request():
    assert shown(summary=True)[0] == []
    header, row = shown(summary=True, format="csv")[0]
    assert header == "accuracy,pairs,right,wrong,ties,unknown_pairs,accuracy_known"
    assert row == "0.4,5,2,2,1,2,0.666666667"
    documents = [json.loads(line) for line in shown(summary=True, format="json", by="kind")[0]]
    assert documents == [
        {"category": "x", "accuracy": 2 / 3, "pairs": 3, "right": 2, "wrong": 0, "ties": 1, "unknown_pairs": 1,
         "accuracy_known": 1.0},
        {"category": "y", "accuracy": 0.0, "pairs": 2, "right": 0, "wrong": 2, "ties": 0, "unknown_pairs": 1,
         "accuracy_known": 0.0},
    ]  # fmt: skip


def test_the_same_tokens_are_a_tie_even_if_the_sums_differ_in_the_last_digit():
    lines = []
    output = make_output(ScoringOptions(pairs=True), lambda *columns: lines.append(columns))
    for text, value in zip(output.read_texts(["the cat\tthe hen"], "pairs.tsv"), (-1.0, -1.0000001), strict=True):
        output.add_sentence(text, text.split(), np.array([value, -1]), np.array([True, False]))
    assert lines[0][1] == "0.000000" and lines[0][4] == "tie"


def test_pairs_with_unknown_words_do_not_count_for_the_accuracy_of_known_pairs():
    totals = PairTotals()
    for result, is_unknown in [("right", True), ("right", False), ("wrong", False), ("wrong", True), ("wrong", False)]:
        totals.add(result, is_unknown)
    assert (totals.accuracy, totals.accuracy_known) == (2 / 5, 1 / 3)


def test_there_is_no_accuracy_without_known_pairs():
    totals = PairTotals()
    totals.add("tie", True)
    assert (totals.accuracy, totals.accuracy_known) == (0.0, None)
