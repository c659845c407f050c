"""N-best lists in the formats of Kaldi and SRILM: what is read, what is written, and which line is the best."""

import gzip
import math
import re

import numpy as np
import pytest

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.rescoring.nbest import FORMATS, NbestScores, read_hypotheses
from theano_rnn.rescoring.srilm_nbest import list_name
from theano_rnn.results.score_formats import NBEST_FORMATS, ScoringOptions

OURS = {"the dog": -2.0, "the cat": -3.0, "a dog": -2.5, "": -1.0, "dog": -2.0}  # ln P
LN10 = math.log(10)


def rescored(*files, **settings):
    """What is printed for lists, each given as (name, lines)."""
    shown = []
    output = NbestScores(ScoringOptions(nbest=True, **settings), shown.append)
    for name, lines in files:
        for text in output.read_texts(lines, name):
            output.add_sentence(
                text, ["x", "SENTENCE_END"], np.array([OURS[text] + 0.5, -0.5]), np.array([False, True])
            )
    output.finish()
    return shown


# Kaldi

KALDI = ["u-1-1 the dog", "u-1-2 dog", "u-2-1 a dog", "u-3-1", "u-3-2 the cat"]
LM_COSTS = [4.0, 1.0, 3.0, 9.0, 1.5]
ACOUSTIC_COSTS = [100.0, 110.0, 90.0, 95.0, 50.5]


def cost_file(path, costs, ids=None):
    ids = ids or [line.split()[0] for line in KALDI]
    path.write_text("".join(f"{one} {cost}\n" for one, cost in zip(ids, costs, strict=True)))
    return str(path)


def test_a_kaldi_archive_gives_an_archive_of_costs():
    expected = [f"{line.split()[0]} {-OURS[' '.join(line.split()[1:])]:.6f}" for line in KALDI]
    assert rescored(("words_text", KALDI)) == expected


def test_the_format_can_be_named_if_the_first_id_has_no_rank():
    with pytest.raises(
        CorpusError, match="expected id, text and optionally a score, separated by tabs.*`nbest_format`"
    ):
        rescored(("list", ["utt the dog"]))
    assert rescored(("list", ["utt the dog"]), nbest_format="kaldi") == ["utt 2.000000"]


@pytest.mark.parametrize("weight", [0, 0.25, 1])
def test_the_combined_cost_is_the_weighted_mean_of_both_costs(tmp_path, weight):
    found = rescored(("words_text", KALDI), weight=weight, lm_scores=cost_file(tmp_path / "lmwt.lmonly", LM_COSTS))
    for line, cost, out in zip(KALDI, LM_COSTS, found, strict=True):
        ranked_id, *words = line.split()
        expected = (1 - weight) * cost - weight * OURS[" ".join(words)]
        assert out.split()[0] == ranked_id and float(out.split()[1]) == pytest.approx(expected, abs=1e-6)


def test_the_best_lines_are_a_text_archive_with_the_ids_of_utterances():
    assert rescored(("words_text", KALDI), best=True) == ["u-1 the dog", "u-2 a dog", "u-3"]
    expected = ["u-1-1 the dog", "u-1-2 dog", "u-2-1 a dog", "u-3-1", "u-3-2 the cat"]
    assert rescored(("words_text", KALDI), best=True, ids="exact") == expected


@pytest.mark.parametrize("lm_weight", [None, 0, 3.5])
@pytest.mark.parametrize("weight", [None, 0.3])
def test_the_best_line_has_the_lowest_total_cost(tmp_path, lm_weight, weight):
    settings = {} if weight is None else {"weight": weight, "lm_scores": cost_file(tmp_path / "lm", LM_COSTS)}
    acoustic = cost_file(tmp_path / "ac", ACOUSTIC_COSTS)
    found = rescored(("text", KALDI), best=True, acoustic_scores=acoustic, lm_weight=lm_weight, **settings)
    best = {}
    for line, lm_cost, acoustic_cost in zip(KALDI, LM_COSTS, ACOUSTIC_COSTS, strict=True):
        ranked_id, *words = line.split()
        ours = -OURS[" ".join(words)]
        combined = ours if weight is None else (1 - weight) * lm_cost + weight * ours
        total = acoustic_cost + (10 if lm_weight is None else lm_weight) * combined
        utterance = ranked_id.rpartition("-")[0]
        if utterance not in best or total < best[utterance][0]:
            best[utterance] = total, " ".join([utterance, *words])
    assert found == [line for _, line in best.values()]


def test_costs_may_be_compressed_and_cover_several_lists(tmp_path):
    path = tmp_path / "lm.gz"
    cost_file(tmp_path / "lm", LM_COSTS)
    path.write_bytes(gzip.compress((tmp_path / "lm").read_bytes()))
    found = rescored(("one", KALDI[:2]), ("two", KALDI[2:]), weight=0, lm_scores=str(path))
    assert [float(line.split()[1]) for line in found] == LM_COSTS


@pytest.mark.parametrize(
    "costs, ids, message",
    [
        (
            LM_COSTS[:3],
            ["u-1-1", "u-1-2", "u-2-1"],
            "lm: ends before 'u-3-1' (words_text, line 4); give a cost for each",
        ),
        ([*LM_COSTS, 1], [*[line.split()[0] for line in KALDI], "u-4-1"], "lm, line 6: has more costs than there are"),
        (
            LM_COSTS,
            ["u-1-2", "u-1-1", "u-2-1", "u-3-1", "u-3-2"],
            "lm, line 1: has the id 'u-1-2' where words_text, line",
        ),
        (["x", *LM_COSTS[1:]], None, "lm, line 1: the cost 'x' is not a finite number; correct it"),
        (["nan", *LM_COSTS[1:]], None, "lm, line 1: the cost 'nan' is not a finite number"),
        (["1 2", *LM_COSTS[1:]], None, "lm, line 1: expected an id and a cost, found 'u-1-1 1 2'; correct it"),
    ],
)
def test_costs_that_do_not_fit_are_reported_with_their_line(tmp_path, costs, ids, message):
    path = cost_file(tmp_path / "lm", costs, ids)
    with pytest.raises(CorpusError, match=re.escape(message)):
        rescored(("words_text", KALDI), weight=0.5, lm_scores=path)


def test_a_missing_or_empty_file_of_costs_is_noticed_at_once(tmp_path):
    (tmp_path / "empty").write_text("")
    for name, message in (("absent", "absent"), ("empty", "empty: is empty; each line needs an id and a cost")):
        with pytest.raises(CorpusError, match=message):
            NbestScores(ScoringOptions(nbest=True, weight=0.5, lm_scores=str(tmp_path / name)), print)


def test_a_weight_needs_costs():
    with pytest.raises(
        CorpusError, match="text, line 1: has no score to combine with; name the archive of costs with `lm"
    ):
        rescored(("text", KALDI), weight=0.5)
    with pytest.raises(
        OptionError, match="weight: Kaldi's n-best lists have no scores to combine with; name a file with"
    ):
        ScoringOptions(nbest=True, nbest_format="kaldi", weight=0.5)


# SRILM

SRILM = ["-100.5 -20.25 2 the dog", "-101 -19 1 dog", "-99 -22.5 2 a -pau- dog", "-104.5 -9 0"]


def test_srilms_lists_keep_everything_but_the_score_of_the_language_model():
    assert rescored(("utt.gz", SRILM)) == [
        f"-100.5 {-2 / LN10:.6f} 2 the dog",
        f"-101 {-2 / LN10:.6f} 1 dog",
        f"-99 {-2.5 / LN10:.6f} 2 a -pau- dog",
        f"-104.5 {-1 / LN10:.6f} 0",
    ]
    [line] = rescored(("utt", SRILM[:1]), weight=0.25)
    assert line.split()[0] == "-100.5" and line.split()[2:] == ["2", "the", "dog"]
    assert float(line.split()[1]) == pytest.approx(0.75 * -20.25 + 0.25 * -2 / LN10, abs=1e-6)


def test_what_is_written_can_be_read_again():
    once = rescored(("utt", SRILM))
    assert rescored(("utt", once), weight=0) == once


def test_nbestlist_1_has_a_total_in_bytelogs_that_becomes_the_acoustic_score():
    lines = ["NBestList1.0", "(-5000) the dog", "(-6001.5) -pau- dog -pau-", "(0)"]
    found = [line.split() for line in rescored(("utt", lines))]
    # A bytelog is a logarithm to base 1.0001, divided by 1024.
    for row, total in zip(found, (-5000, -6001.5, 0), strict=True):
        assert float(row[0]) == pytest.approx(total * 1024 * math.log10(1.0001), rel=1e-4)
    assert [float(row[1]) for row in found] == pytest.approx([-2 / LN10, -2 / LN10, -1 / LN10], abs=1e-6)
    assert [row[2:] for row in found] == [["2", "the", "dog"], ["1", "-pau-", "dog", "-pau-"], ["0"]]
    with pytest.raises(
        CorpusError, match="line 2: has no score to combine with; NBestList1.0 has no score of a language"
    ):
        rescored(("utt", lines), weight=0.5)


def token(word, start, end, language, acoustic):
    return f"{word} ( st: {start} et: {end} g: {language} a: {acoustic} )"


def test_nbestlist_2_has_scores_for_each_word_and_may_have_phones_and_states():
    words = [token("the", 0.1, 0.3, -40, -900), token("-pau-", 0.31, 0.4, 0, -200), token("dog", 0.41, 0.8, -60, -1500)]
    phones = [token("dh", 0.1, 0.2, 0, -500), token("ax-1", 0.21, 0.3, 0, -400)]
    bytelog = 1024 / 10000.5 / LN10
    for tokens in (words, [words[0], *phones, *words[1:]]):
        lines = ["NBestList2.0", "(-2700) " + " ".join(tokens)]
        [line] = rescored(("utt", lines), weight=0.5)
        acoustic, language, *others = line.split()
        assert others == ["2", "the", "-pau-", "dog"]
        assert float(acoustic) == pytest.approx(-2600 * bytelog, abs=1e-6)
        assert float(language) == pytest.approx(0.5 * (-100 * bytelog) + 0.5 * (-2 / LN10), abs=1e-6)


@pytest.mark.parametrize("lm_weight", [None, 0, 1.5])
def test_the_best_of_each_srilm_list_has_the_highest_weighted_sum(lm_weight):
    lists = [("d/utt1.gz", SRILM), ("d/utt2.score.gz", SRILM[:2]), ("utt3", SRILM[3:])]
    found = rescored(*lists, best=True, lm_weight=lm_weight)
    factor = 8 if lm_weight is None else lm_weight
    for out, (_, lines), name in zip(found, lists, ("utt1", "utt2", "utt3"), strict=True):
        totals = []
        for line in lines:
            acoustic, _, _, *words = line.split()
            text = " ".join(word for word in words if word != "-pau-")
            totals.append((float(acoustic) + factor * OURS[text] / LN10, " ".join([name, *words])))
        assert out == max(totals, key=lambda total: total[0])[1]


@pytest.mark.parametrize(
    "name, expected",
    [("a/b/utt.gz", "utt"), ("utt.score", "utt"), ("x.score.gz", "x"), ("utt.1", "utt.1"), ("standard input", "-")],
)
def test_the_name_of_a_list_is_that_of_its_file(name, expected):
    assert list_name(name) == expected


def test_several_srilm_lists_are_not_written_into_one():
    with pytest.raises(
        CorpusError, match="two: is a second list of SRILM's, which have no ids, after one; rescore one f"
    ):
        rescored(("one", SRILM), ("two", SRILM))


@pytest.mark.parametrize(
    "lines, message",
    [
        (["NBestList1.0", "the dog"], "line 2: expected a score in parentheses after NBestList1.0, found 'the'"),
        (["NBestList1.0", "(x) dog"], "line 2: the score 'x' is not a finite number"),
        (
            ["NBestList2.0", "(-1) the dog"],
            "line 2: expected word ( st: TIME et: TIME g: SCORE a: SCORE ) for each word",
        ),
        (["NBestList2.0", "(-1) " + token("a", "x", 1, 1, 1)], "line 2: the time 'x' is not a finite number"),
        ([*SRILM, "-1 -2 x dog"], "line 5: expected SRILM's acoustic score, language model score, number of words and"),
        ([*SRILM, "-1 -2"], "line 5: expected SRILM's acoustic score"),
        ([SRILM[0], "-1 1e999 1 dog"], "line 2: the score '1e999' is not a finite number"),
        ([SRILM[0], " "], "line 2: is blank; each line of an n-best list needs scores and words"),
        ([SRILM[0], "NBestList1.0"], "line 2: expected SRILM's acoustic score"),
        (["u-1 the dog", ""], "line 2: is blank; each line of an n-best list needs an id"),
    ],
)
def test_an_invalid_line_is_reported_with_its_number(lines, message):
    with pytest.raises(CorpusError, match=re.escape(f"list, {message}")):
        list(read_hypotheses(lines, "list"))


# All formats


@pytest.mark.parametrize(
    "line, title",
    [
        ("a\tthe dog", "tab-separated"), ("-1 -2 1\tdog", "tab-separated"), ("u-1\tdog", "tab-separated"),
        ("0 ||| dog ||| f ||| -1", "Moses'"), ("-1 -2 1 ||| dog ||| f ||| -1", "Moses'"),
        ("u-1 dog", "Kaldi's"), ("a-b-1", "Kaldi's"), ("-1.5 -2e1 1 dog", "SRILM's"), ("-1 -2 0", "SRILM's"),
    ],
)  # fmt: skip
def test_the_first_line_tells_the_format(line, title):
    assert next(read_hypotheses([line], "list")).format.title == title


def test_every_format_can_be_named():
    assert {*FORMATS, "auto"} == set(NBEST_FORMATS)
    for lines, name in ((["a\tdog"], "tsv"), (["0 ||| dog ||| f ||| -1"], "moses"), (KALDI, "kaldi"), (SRILM, "srilm")):
        assert rescored(("list", lines), nbest_format=name) == rescored(("list", lines))


def test_scores_have_the_base_of_the_format():
    for lines, base, other in ((KALDI, "e", "10"), (SRILM, "10", "e"), (SRILM, "10", "2")):
        assert rescored(("list", lines), log_base=base) == rescored(("list", lines))
        with pytest.raises(OptionError, match=f"log_base: .* n-best lists .* always have base {base}; leave it out"):
            rescored(("list", lines), log_base=other)


def test_a_weight_of_the_language_model_needs_acoustic_scores():
    for lines in (["a\tdog"], ["0 ||| dog ||| f ||| -1"], KALDI):
        with pytest.raises(OptionError, match="lm_weight: .* n-best lists .* have no acoustic scores; leave it out"):
            rescored(("list", lines), best=True, lm_weight=3)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"nbest_format": "kaldi"}, "nbest_format: applies only to n-best lists; add `nbest`, or omit `nbest_format`"),
        ({"weight": 0}, "weight: applies only to n-best lists"),
        (
            {"nbest": True, "nbest_format": "htk"},
            "nbest_format: expected one of auto, tsv, moses, kaldi, srilm, got 'htk'",
        ),
        ({"nbest": True, "lm_scores": "f"}, "lm_scores: has no effect without `weight`; add it, or omit `lm_scores`"),
        ({"nbest": True, "acoustic_scores": "f"}, "acoustic_scores: has no effect without `best`"),
        ({"nbest": True, "lm_weight": 2.0}, "lm_weight: has no effect without `best`"),
        (
            {"nbest": True, "best": True, "lm_weight": -1.0},
            "lm_weight: expected a finite number of at least 0, got -1.0",
        ),
        ({"nbest": True, "best": True, "lm_weight": math.nan}, "lm_weight: expected a finite number"),
        (
            {"nbest": True, "best": True, "acoustic_scores": "f", "nbest_format": "srilm"},
            "acoustic_scores: applies only to Kaldi's n-best lists, not to `nbest_format=srilm`",
        ),
    ],
)
def test_options_that_do_not_fit_are_rejected(settings, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        ScoringOptions(**settings)


def test_a_weight_of_0_can_be_combined_with_costs():
    assert ScoringOptions(nbest=True, weight=0, lm_scores="f").nbest_format == "kaldi"
