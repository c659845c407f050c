"""N-best lists: reading, combining scores, choosing the best line."""

import math
import random
import re

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.rescoring.nbest import NbestScores, combined_score, group_ids, read_hypotheses
from theano_rnn.results.score_formats import ScoringOptions

TSV = ["s2\tthe dog\t-4", "s1\tthe cat\t-1.5", "s2\ta dog\t-3", "s1\t\t-9", "s2\tdog\t-4"]
MOSES = [
    "0 ||| the dog ||| LM0= -4.5 PhraseModel0= -1 -2 ||| -3.5 ||| 0-0 1-1",
    "0 ||| a dog |||  LM0= -5 |||  -3.25 ",
    "1 |||  |||  ||| -1e-1",
]
OURS = {"the dog": -2.0, "the cat": -3.0, "a dog": -2.5, "": -1.0, "dog": -2.0}  # ln P


def rescored(lines, **settings):
    shown = []
    output = NbestScores(ScoringOptions(nbest=True, **settings), shown.append)
    for text in output.read_texts(lines, "list.txt"):
        output.add_sentence(text, ["x", "SENTENCE_END"], np.array([OURS[text] + 0.5, -0.5]), np.array([False, True]))
    output.finish()
    return shown


def test_tab_separated_lines_keep_order_and_columns_and_gain_a_score():
    assert rescored(TSV) == [f"{line}\t{OURS[line.split(chr(9))[1]]:.6f}" for line in TSV]
    without = [line.rpartition("\t")[0] for line in TSV]
    assert rescored(without) == [f"{line}\t{OURS[line.split(chr(9))[1]]:.6f}" for line in without]


def test_moses_lines_gain_a_feature_and_keep_everything_else():
    assert rescored(MOSES) == [
        "0 ||| the dog ||| LM0= -4.5 PhraseModel0= -1 -2 theano_rnn= -2.000000 ||| -3.5 ||| 0-0 1-1",
        "0 ||| a dog ||| LM0= -5 theano_rnn= -2.500000 ||| -3.25",
        "1 |||  ||| theano_rnn= -1.000000 ||| -1e-1",
    ]


@pytest.mark.parametrize("weight", [0, 0.25, 1])
def test_the_combined_score_is_the_weighted_mean_of_both_scores(weight):
    for line, out in zip(TSV, rescored(TSV, weight=weight), strict=True):
        _, text, given = line.split("\t")
        assert float(out.split("\t")[4]) == pytest.approx((1 - weight) * float(given) + weight * OURS[text], abs=1e-6)
    for line, out in zip(MOSES, rescored(MOSES, weight=weight), strict=True):
        ours = float(out.split("theano_rnn= ")[1].split()[0])
        given, combined = (float(one.split("|||")[3]) for one in (line, out))
        assert combined == pytest.approx((1 - weight) * given + weight * ours, abs=1e-6)
    assert "0-0 1-1" in rescored(MOSES, weight=weight)[0]


@pytest.mark.parametrize(
    "given, shown", [("-0.0000004123", "-4.123e-07"), ("-0.05", "-0.05"), ("0", "0.000000"), ("-12.5", "-12.500000")]
)
def test_small_scores_keep_their_digits(given, shown):
    assert rescored([f"a\tthe dog\t{given}"], weight=0)[0].split("\t")[-1] == shown


def test_an_impossible_text_has_score_minus_infinity_unless_its_weight_is_zero():
    assert combined_score(-3.0, -math.inf, 0.5) == -math.inf
    assert combined_score(-3.0, -math.inf, 0.0) == -3.0


def test_scores_use_the_chosen_base_and_leave_out_excluded_words():
    assert rescored(TSV[:1], log_base="10") == [f"{TSV[0]}\t{-2 / math.log(10):.6f}"]
    assert rescored(TSV[:1], unknown="exclude") == [f"{TSV[0]}\t-0.500000"]


def test_best_lines_keep_the_order_of_ids_and_ties_go_to_the_first():
    assert [line.split("\t")[:2] for line in rescored(TSV, best=True)] == [["s2", "the dog"], ["s1", ""]]
    # The combined scores are -3.6, -1.8, -2.9, -7.4, -3.6.
    best = rescored(TSV, best=True, weight=0.2)
    assert best == ["s2\ta dog\t-3\t-2.500000\t-2.900000", "s1\tthe cat\t-1.5\t-3.000000\t-1.800000"]
    assert [line.split(" ||| ")[:2] for line in rescored(MOSES, best=True)] == [["0", "the dog"], ["1", ""]]
    assert [line.split(" ||| ")[1] for line in rescored(MOSES, best=True, weight=0.1)] == ["a dog", ""]


def test_lines_are_read_lazily():
    def lines():
        yield TSV[0]
        raise AssertionError("read too far")

    assert next(read_hypotheses(lines(), "list.txt")).text == "the dog"


@pytest.mark.parametrize(
    "lines, message",
    [
        (["a\tx", " "], "line 2: is blank; each line of an n-best list needs an id and a text"),
        (["a\tx", "\tx"], "line 2: has no id"),
        ([" ||| x ||| f ||| -1"], "line 1: has no id"),
        (["only text"], "line 1: expected id, text and optionally a score, separated by tabs, found 1 column;"),
        (["a\tx\t1\t2"], "line 1: expected id, text and optionally a score, separated by tabs, found 4 columns;"),
        (["0 ||| x ||| -1"], "line 1: expected id ||| text ||| features ||| score, found 3 fields;"),
        ([*MOSES, "a\tx\t1"], "line 4: expected id ||| text ||| features ||| score, found 1 field;"),
        ([*TSV, *MOSES], "line 6: expected id, text and optionally a score, separated by tabs, found 1 column;"),
        (["a\tx\t1", "a\tx"], "line 2: has 2 columns where the line before has 3"),
        (["a\tx\ttext"], "line 1: the score 'text' is not a finite number"),
        (["a\tx\t1_0"], "line 1: the score '1_0' is not a finite number"),
        (["a\tx\tnan"], "line 1: the score 'nan' is not a finite number"),
        (["0 ||| x ||| f ||| inf"], "line 1: the score 'inf' is not a finite number"),
    ],
)
def test_an_invalid_line_is_reported_with_its_number(lines, message):
    with pytest.raises(CorpusError, match=re.escape(f"list.txt, {message}")):
        list(read_hypotheses(lines, "list.txt"))


def test_a_weight_needs_a_score_in_the_list():
    with pytest.raises(CorpusError, match="list.txt, line 1: has no score to combine with"):
        rescored(["a\tthe dog"], weight=0.5)


@pytest.mark.parametrize(
    "ids, groups",
    [
        ("utt1-1 utt1-2 utt2-1 utt2-2 utt2-3", ["utt1-1 utt1-2", "utt2-1 utt2-2 utt2-3"]),
        ("a-b-1 a-b-2 a-c-1 a-c-2", ["a-b-1 a-b-2", "a-c-1 a-c-2"]),
        ("utt-1 utt-10 utt-2 utt-3 utt-4 utt-5 utt-6 utt-7 utt-8 utt-9", None),  # sorted as strings
        ("4077-13754-0001-1 4077-13754-0001-2", None),
    ],
)
def test_ids_numbered_by_kaldi_are_grouped_by_utterance(ids, groups):
    assert [" ".join(group) for group in group_ids(ids.split())] == (groups or [ids])


@pytest.mark.parametrize(
    "ids",
    [
        "s1-1 s2-1 s3-1",  # one hypothesis each
        "utt-1 utt-3", "utt-2 utt-3", "utt-0 utt-1",  # not 1 to N
        "utt-1 other utt-2", "a-1 b-1 a-2 b-2",  # not consecutive
        "utt-01 utt-02", "4077-13754-0001 4077-13754-0002", "utt-1 utt-02",
        "-1 -2", "utt1 utt2", "utt utt-1", "utt_1 utt_2", "utt-1x utt-2x", "utt-\u0661 utt-\u0662", "0 1 2",
    ],
)  # fmt: skip
def test_other_ids_are_not_grouped(ids):
    assert group_ids(ids.split()) == [[one] for one in ids.split()]


KALDI = ["utt1-1\tthe dog\t-4", "utt1-2\tdog\t-1", "utt2-1\ta dog\t-3", "utt3-1\tthe cat\t-1", "utt3-2\t\t-1"]


def test_the_best_line_of_a_kaldi_utterance_keeps_its_id():
    # -2, -2; -2.5; -3, -1
    assert [line.split("\t")[0] for line in rescored(KALDI, best=True)] == ["utt1-1", "utt2-1", "utt3-2"]
    assert [line.split("\t")[0] for line in rescored(KALDI, best=True, weight=0.1)] == ["utt1-2", "utt2-1", "utt3-2"]
    assert len(rescored(KALDI, best=True, ids="exact")) == 5
    assert len(rescored(KALDI)) == 5


def test_a_list_with_a_repeated_id_is_not_grouped():
    """The utterances of a speaker can be numbered too: spk1-1 with two hypotheses, spk1-2 with one."""
    lines = ["spk0-1\tdog\t-1", "spk0-2\tthe dog\t-1", "spk1-1\tdog\t-2", "spk1-1\t\t-2"]
    assert [line.split("\t")[:2] for line in rescored(lines, best=True)] == [
        ["spk0-1", "dog"], ["spk0-2", "the dog"], ["spk1-1", ""],
    ]  # fmt: skip


def test_moses_ids_are_not_grouped():
    lines = [f"s-{i} ||| the dog ||| f ||| -1" for i in (1, 2)]
    assert len(rescored(lines, best=True)) == 2


@pytest.mark.parametrize("seed", range(10))
def test_grouping_kaldi_ids_gives_the_best_lines_of_plain_ids(seed):
    generator = random.Random(seed)
    numbers = [generator.randint(2, 12) for _ in range(20)]
    hypotheses = [
        (f"spk{i % 3}-utt{i}", j, generator.choice(list(OURS))) for i, n in enumerate(numbers) for j in range(n)
    ]
    kaldi = rescored([f"{name}-{j + 1}\t{text}" for name, j, text in hypotheses], best=True)
    plain = rescored([f"{name}\t{text}" for name, _, text in hypotheses], best=True)
    assert [line.split("\t")[1:] for line in kaldi] == [line.split("\t")[1:] for line in plain]
    assert [line.split("\t")[0].rpartition("-")[0] for line in kaldi] == [line.split("\t")[0] for line in plain]
