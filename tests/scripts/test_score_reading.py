"""score.py for studies of reading and grammar, as users run it: CSV, words, minimal pairs, given texts, mixtures."""

import csv
import gzip
import io
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from support.language_models import SPECIAL, WORDS, make
from support.script_modules import script

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.rescoring.model_mixture import ModelMixture
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

score = script("score")
LINES = ['The "dog" sees,\tthe zebra. The  dog!', "", "dog null é\u0301 😀 the."]


@pytest.fixture(scope="module")
def models():
    words = WORDS[::-1]
    other = LanguageModel(RNN(len(SPECIAL) + len(words), 4, seed=8), Vocabulary([*SPECIAL, *words]), Tokenizer())
    other.rnn.set_values({name: 3 * value for name, value in other.rnn.get_values().items()})
    return {
        "a.npz": make(WORDS),
        "b.npz": other,
        "c.npz": make([*WORDS, "cat"]),
        "char.npz": make(list("the dog."), "char"),
    }


@pytest.fixture
def run(models, tmp_path, monkeypatch, capsys):
    """(exit status, standard output, standard error) of the script for some arguments."""
    monkeypatch.chdir(tmp_path)
    for name, model in models.items():
        model.save(name)
    monkeypatch.setattr(LanguageModel, "load", lambda place: models.get(str(place)) or load(place))
    Path("text.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")

    def run(*arguments, model="a.npz"):
        try:
            status = score.main(["--model", model, *map(str, arguments)])
        except SystemExit as error:
            status = error.code
        return status, *capsys.readouterr()

    return run


def rows(out):
    return list(csv.DictReader(io.StringIO(out, newline="")))


# Words


def test_csv_rows_of_tokens_are_those_of_the_model(run, models):
    status, out, err = run("--format", "csv", "--words", "text.txt")
    found = rows(out)
    expected = [(i, *row) for i, line in enumerate(LINES, 1) for row in models["a.npz"].surprisal(line)]
    assert status == 0
    assert [
        (int(row["line"]), row["token"], int(row["start"]), int(row["end"]), row["known"] == "TRUE") for row in found
    ] == [row[:5] for row in expected]
    np.testing.assert_allclose([float(row["surprisal"]) for row in found], [row[5] for row in expected], atol=1e-5)
    np.testing.assert_allclose(
        [float(row["log_probability"]) for row in found], [row[5] * -math.log(2) for row in expected], atol=1e-5
    )
    assert err.splitlines()[1].startswith(
        "score.py: pandas takes 1 of the texts for missing values, for example 'null'"
    )


@pytest.mark.parametrize("model", ["a.npz", "char.npz"])
def test_rows_of_words_have_the_sum_of_the_tokens(run, model):
    tokens = rows(run("--format", "csv", "--words", "text.txt", model=model)[1])
    words = rows(run("--format", "csv", "--words", "--by-word", "text.txt", model=model)[1])
    assert [word["token"] for word in words if word["start"] != word["end"]] == " ".join(LINES).split()
    for line in map(str, range(1, len(LINES) + 1)):
        totals = [sum(float(row["surprisal"]) for row in table if row["line"] == line) for table in (tokens, words)]
        assert totals[0] == pytest.approx(totals[1], rel=1e-6)


def test_words_are_shown_as_tsv_and_json_too(run, models):
    words = [row for line in LINES for row in models["a.npz"].surprisal(line, "word", "e")]
    table = [line.split("\t") for line in run("--words", "--by-word", "text.txt")[1].splitlines()]
    assert [row[1:] for row in table] == [["known" if row.known else "unknown", row.text] for row in words]
    np.testing.assert_allclose([float(row[0]) for row in table], [-row.surprisal for row in words], atol=1e-5)
    documents = [
        json.loads(line) for line in run("--words", "--by-word", "--format", "json", "text.txt")[1].splitlines()
    ]
    found = [tuple(one.values()) for document in documents for one in document["words"]]
    assert [(text, known, start, end) for text, _, known, start, end in found] == [
        (row.text, row.known, row.start, row.end) for row in words
    ]


def test_places_count_every_character_of_the_line_in_the_file(run):
    Path("marks.txt").write_bytes("\ufeffThe\ufeff dog\r\n\ufeffdog\n".encode())
    found = rows(run("--format", "csv", "--words", "--html", "page.html", "marks.txt")[1])
    assert [(row["token"], row["start"], row["end"]) for row in found] == [
        ("the", "0", "3"), ("dog", "5", "8"), ("SENTENCE_END", "8", "8"), ("dog", "1", "4"), ("SENTENCE_END", "4", "4"),
    ]  # fmt: skip
    plain = run("--format", "csv", "marks.txt")[1]
    assert [row["sentence"] for row in rows(plain)] == ["The dog", "dog"]


def test_the_line_of_a_table_is_its_row_and_places_are_those_in_the_cell(run):
    Path("table.csv").write_text('id,text\n1,"The\ndog"\n2,"""dog"""\n')
    found = rows(run("--format", "csv", "--words", "table.csv")[1])
    assert [(row["line"], row["token"], row["start"]) for row in found] == [
        ("2", "the", "0"), ("2", "dog", "4"), ("2", "SENTENCE_END", "7"),
        ("3", "``", "0"), ("3", "dog", "1"), ("3", "''", "4"), ("3", "SENTENCE_END", "5"),
    ]  # fmt: skip


def test_pandas_joins_the_scores_with_other_tables(run):
    pandas = pytest.importorskip("pandas")
    Path("scores.csv").write_text(run("--format", "csv", "--words", "--by-word", "text.txt")[1], encoding="utf-8")
    scores = pandas.read_csv("scores.csv", keep_default_na=False)
    spans = [(i, m.start(), m[0]) for i, line in enumerate(LINES, 1) for m in re.finditer(r"\S+", line)]
    times = pandas.DataFrame(spans, columns=["line", "start", "word"])
    joined = times.merge(scores, on=["line", "start"])
    assert [*joined.word] == [*joined.token] == " ".join(LINES).split()
    assert scores.surprisal.dtype.kind == "f" and scores.start.dtype.kind == "i"


def test_csv_of_several_files_names_them(run):
    found = rows(run("--format", "csv", "text.txt", "text.txt")[1])
    assert [(row["file"], row["line"]) for row in found] == [("text.txt", str(i)) for _ in range(2) for i in (1, 2, 3)]
    ((total),) = rows(run("--format", "csv", "--summary", "text.txt")[1])
    assert total["sentences"] == "4"


# Minimal pairs

PAIRS = [("the dog sees.", "the sees dog."), ("sees the dog.", "the dog sees."), ("the cat.", "the cats.")]


def test_pairs_are_compared_as_the_model_compares_them(run, models):
    Path("pairs.jsonl.gz").write_bytes(
        gzip.compress(
            "\n".join(
                json.dumps({"sentence_good": good, "sentence_bad": bad, "UID": f"kind {len(good) % 2}"})
                for good, bad in PAIRS
            ).encode()
        )
    )
    Path("pairs.tsv").write_text("".join(f"{good}\t{bad}\n" for good, bad in PAIRS))
    expected = models["a.npz"].compare(*zip(*PAIRS, strict=True))
    status, out, err = run("--pairs", "--format", "csv", "--by", "UID", "pairs.jsonl.gz")
    found = rows(out)
    assert status == 0 and [(row["sentence_good"], row["sentence_bad"]) for row in found] == PAIRS
    np.testing.assert_allclose([float(row["difference"]) for row in found], expected, atol=1e-5)
    right, wrong = int((expected > 0).sum()), int((expected < 0).sum())
    assert err.splitlines()[0] == (
        f"3 pairs, accuracy {right / 3:.2%} ({right} right, {wrong} wrong, 1 tie, not counted as right)"
    )
    assert [line.partition(":")[0] for line in err.splitlines()[1:3]] == ["kind 0", "kind 1"]
    assert "score.py: in 1 of 3 pairs, words that differ are unknown to the model ('cat', 'cats')" in err
    table = [line.split("\t") for line in run("--pairs", "pairs.tsv")[1].splitlines()]
    np.testing.assert_allclose([float(row[1]) for row in table], expected, atol=1e-5)
    assert run("--pairs", "--summary", "pairs.tsv")[1] == ""


def test_pairs_from_standard_input_are_compared_by_a_mixture(run, models, monkeypatch):
    text = "".join(f"{good}\t{bad}\n" for good, bad in PAIRS)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
    out = run("--pairs", "--format", "csv", "--mix-model", "b.npz", "0.25")[1]
    mixture = ModelMixture([models["a.npz"], models["b.npz"]], [0.75, 0.25])
    expected = mixture.compare(*zip(*PAIRS, strict=True))
    np.testing.assert_allclose([float(row["difference"]) for row in rows(out)], expected, atol=1e-5)


def test_blimp_is_read(run, shared_data):
    path = shared_data("blimp/wh_questions_subject_gap.jsonl.gz")
    status, out, err = run("--pairs", "--summary", "--format", "json", "--by", "linguistics_term", path)
    ((document),) = map(json.loads, out.splitlines())
    assert status == 0 and document["category"] == "filler_gap_dependency" and document["pairs"] == 1000


# Given texts


def test_given_texts_come_from_a_column_or_a_file(run, models):
    given, texts = ["The dog", "", "The dog. The"], ["sees the zebra.", "The dog.", "dog"]
    Path("table.csv").write_text("before,text\n" + "".join(f"{a},{b}\n" for a, b in zip(given, texts, strict=True)))
    Path("given.txt").write_text("\n".join(given) + "\n")
    Path("continuations.txt").write_text("\n".join(texts) + "\n")
    expected = models["a.npz"].conditional_score(texts, given=given)
    for arguments in (["--given", "before", "table.csv"], ["--given", "given.txt", "continuations.txt"]):
        status, out, err = run(*arguments)
        table = [line.split("\t") for line in out.splitlines()]
        assert status == 0 and [row[4] for row in table] == texts and err.count("\n") == 1
        np.testing.assert_allclose([float(row[0]) for row in table], expected, atol=1e-5)
    words = rows(run("--given", "before", "--format", "csv", "--words", "table.csv")[1])
    assert [(row["token"], row["start"]) for row in words if row["line"] == "2"] == [
        ("sees", "0"), ("the", "5"), ("zebra", "9"), (".", "14"), ("SENTENCE_END", "15"),
    ]  # fmt: skip


def test_a_given_text_without_effect_is_reported(run, models):
    Path("table.csv").write_text("before,text\nThe dog.,sees the dog\n")
    out, err = run("--given", "before", "table.csv")[1:]
    assert float(out.split("\t")[0]) == pytest.approx(models["a.npz"].score("sees the dog"), abs=1e-5)
    assert "score.py: the given text has no effect on 1 of 1 texts" in err and "with --no-split both are" in err
    out, err = run("--given", "before", "--no-split", "table.csv")[1:]
    expected = models["a.npz"].conditional_score("sees the dog", given="The dog.", split=False)
    assert float(out.split("\t")[0]) == pytest.approx(expected, abs=1e-5) and "no effect" not in err


# Mixtures


@pytest.mark.parametrize(
    "arguments, weights",
    [
        ("--mix-model b.npz", [0.5, 0.5]),
        ("--mix-model b.npz 0.3", [0.7, 0.3]),
        ("--mix-model b.npz --lambda 0.3", [0.3, 0.7]),
        ("--mix-model b.npz .5 --mix-model a.npz", [0.25, 0.5, 0.25]),
        ("--mix-model=b.npz 1", [0, 1]),
    ],
)
def test_models_are_mixed_with_their_weights(run, models, arguments, weights):
    mixture = ModelMixture([models["a.npz"], models["b.npz"], models["a.npz"]][: len(weights)], weights)
    table = [line.split("\t") for line in run(*arguments.split(), "text.txt")[1].splitlines()]
    np.testing.assert_allclose([float(row[0]) for row in table], mixture.score(LINES), atol=1e-5)


def perplexity(models, weight, unknown="include"):
    mixture = ModelMixture([models["a.npz"], models["b.npz"]], [weight, 1 - weight])
    values = [value for line in mixture.word_scores(LINES) for _, value, known in line if known or unknown == "include"]
    return math.exp(-np.mean(values))


@pytest.mark.parametrize("unknown", ["include", "exclude"])
def test_the_best_lambda_has_the_lowest_perplexity(run, models, unknown):
    status, out, err = run("--mix-model", "b.npz", "--lambda", "best", "--unknown", unknown, "text.txt")
    stated, note = re.search(
        r"^best lambda \(weight of our model\): (\d\.\d{4}), with unknown words (.*?) and", err, re.M
    ).groups()
    assert note == {"include": "counted as UNKNOWN_TOKEN", "exclude": "left out"}[unknown]
    assert "score.py: this lambda was chosen on the text that it scores" in err and status == 0
    grid = np.linspace(0, 1, 101)
    best = grid[np.argmin([perplexity(models, weight, unknown) for weight in grid])]
    assert 0.05 < best < 0.95 and abs(float(stated) - best) <= 0.01
    found = float(re.search(r"perplexity (\S+), with our model alone (\S+), with the other alone (\S+)$", err, re.M)[1])
    assert found == pytest.approx(perplexity(models, float(stated), unknown), abs=1e-3)
    assert run("--mix-model", "b.npz", "--lambda", stated, "--unknown", unknown, "text.txt")[1] != ""


def test_the_best_lambda_of_a_file_is_that_of_the_model_that_wrote_it(run):
    Path("line.txt").write_text("the dog sees the zebra\ndog\n")
    Path("b.txt").write_text(run("--words", "--log-base", "10", "line.txt", model="b.npz")[1])
    found = [
        run("--lambda", "best", *arguments, "line.txt")
        for arguments in (["--mix", "b.txt"], ["--mix-model", "b.npz", "--no-split"])
    ]
    stated = [re.search(r"best lambda.*: (\d\.\d{4}),", err)[1] for _, _, err in found]
    assert abs(float(stated[0]) - float(stated[1])) <= 2e-4
    values = [[float(line.split("\t")[0]) for line in out.splitlines()] for _, out, _ in found]
    np.testing.assert_allclose(*values, atol=1e-3)


def test_a_given_text_can_be_scored_with_the_best_mixture(run):
    Path("table.csv").write_text("before,text\nThe dog,sees the zebra.\n,dog\n")
    status, out, err = run("--given", "before", "--mix-model", "b.npz", "--lambda", "best", "table.csv")
    assert status == 0 and out.count("\n") == 2 and "best lambda" in err


# Errors


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("--by-word text.txt", "--by-word: applies only to rows of words; add --words, or omit --by-word"),
        ("--by UID text.txt", "--by: applies only to minimal pairs; add --pairs, or omit --by"),
        ("--words --by-word --format srilm text.txt", "--by-word and --format srilm exclude each other"),
        ("--pairs --nbest text.txt", "--pairs and --nbest exclude each other"),
        ("--pairs --given x text.txt", "--pairs and --given exclude each other"),
        ("--pairs --words text.txt", "--pairs and --words exclude each other"),
        ("--pairs --format srilm text.txt", "--pairs and --format srilm exclude each other"),
        ("--pairs --mix text.txt text.txt", "--pairs and --mix exclude each other"),
        ("--pairs --mix-model b.npz --lambda best text.txt", "--pairs and --lambda best exclude each other"),
        ("--pairs --column x table.csv", "--pairs and --column exclude each other; a list of pairs has columns"),
        ("--nbest --given x text.txt", "--nbest and --given exclude each other"),
        ("--nbest --mix-model b.npz --lambda best text.txt", "--nbest and --lambda best exclude each other"),
        ("--mix text.txt --given x text.txt", "--mix and --given exclude each other"),
        ("--mix text.txt --mix-model b.npz text.txt", "--mix and --mix-model exclude each other"),
        ("--lambda best text.txt", "--lambda: there is no file to mix with; name one with --mix, or a model with"),
        ("--lambda most --mix a text.txt", "argument --lambda: expected a number from 0 to 1, or best, got 'most'"),
        ("--lambda 0.5 --mix-model b.npz 0.5 text.txt", "--lambda: applies to one --mix-model without a weight"),
        ("--lambda best --mix-model b.npz --mix-model b.npz text.txt", "--lambda: applies to one --mix-model without"),
        ("--mix-model b.npz 0.6 --mix-model b.npz 0.5 text.txt", "--mix-model: expected weights with a sum of at most"),
        ("--mix-model b.npz -0.1 text.txt", "--mix-model: expected a number from 0 to 1, got -0.1"),
        ("--mix-model absent.npz text.txt", "absent.npz: no such file"),
        ("--mix-model c.npz text.txt", "c.npz: has another vocabulary than a.npz; only one of them has 'cat'; mix"),
        ("--mix-model char.npz text.txt", "char.npz: splits text into other tokens than a.npz (level is char"),
        ("--given z table.csv", "table.csv, line 1: row 1, the header, has no column 'z'; its columns are x, text;"),
        ("--given absent.txt text.txt", "absent.txt: no such file; check the path"),
        ("--given text.txt text.txt text.txt", "--given: text.txt holds the given texts of one file, got 2 files"),
        ("--pairs text.txt", "text.txt, line 3: expected the better sentence, a tab, the worse one, found 1 column"),
        ("--lambda best --mix-model b.npz empty.txt", "no sentences to score; give one per line"),
        ("--pairs empty.txt", "no sentences to score; give one per line"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(run, arguments, message):
    Path("empty.txt").write_text("")
    Path("table.csv").write_text("x,text\na,b\n")
    status, out, err = run(*arguments.split())
    assert (status, out) == (2, "") and err.startswith(f"score.py: {message}") and err.count("\n") == 1
