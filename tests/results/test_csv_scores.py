"""CSV scores as pandas and the csv module read them: types of columns, quotes, line ends, odd texts."""

import csv
import io
import math

import numpy as np
import pytest

from theano_rnn.results.score_formats import ScoringOptions
from theano_rnn.results.score_output import make_output

# Commas, quotes, tabs, line ends, a comment sign, a backslash, numbers, and what looks like a missing value.
WORDS = ['"', "a,b", "#", "\\", "1", "-0.5", "NA", "null", "True", "e\u0301", "😀", "''", "inf"]
LINE = " \t".join(WORDS)
CHARACTERS = "\",\t\n#\\1é😀 \u2028'\x0b\x85" + "\u0301;"
VALUES = -np.sqrt(np.arange(1, len(WORDS) + 2))
KNOWN = np.arange(len(WORDS) + 1) % 3 != 2


def shown(lines=((LINE, WORDS, VALUES, KNOWN),), files=("a.txt",), **settings):
    """The text that is shown, and the output."""
    found = []
    options = ScoringOptions(format="csv", **settings)
    output = make_output(options, lambda *columns: found.append("\t".join(map(str, columns)) + "\n"))
    output.names_files = len(files) > 1
    for output.file in files:
        for output.line_number, (line, tokens, values, known) in enumerate(lines, 1):
            output.add_sentence(line, [*tokens, "SENTENCE_END"], values, known)
        output.end_of_file(output.file)
    output.finish()
    return "".join(found), output


def test_the_rows_of_tokens_are_as_written():
    rows = list(csv.DictReader(io.StringIO(shown(words=True)[0], newline="")))
    assert [row["token"] for row in rows] == [*WORDS, "SENTENCE_END"]
    assert [int(row["position"]) for row in rows] == [*range(1, len(WORDS) + 2)]
    assert [row["known"] for row in rows] == [str(known).upper() for known in KNOWN.tolist()]
    np.testing.assert_allclose([float(row["log_probability"]) for row in rows], VALUES, rtol=1e-8)
    np.testing.assert_allclose([float(row["surprisal"]) for row in rows], VALUES / -math.log(2), rtol=1e-8)


@pytest.mark.parametrize("separator", [" ", ""])
def test_pandas_reads_the_rows_of_tokens_without_options(separator):
    pandas = pytest.importorskip("pandas")
    tokens = [word for word in WORDS if word not in ("NA", "null")] if separator else list(CHARACTERS)
    values, known = -np.sqrt(np.arange(1, len(tokens) + 2)), np.arange(len(tokens) + 1) % 3 != 2
    known[-1] = True
    line = separator.join(tokens)
    table = pandas.read_csv(io.StringIO(shown([(line, tokens, values, known)], words=True)[0]))
    assert [*table.columns] == ["line", "position", "token", "known", "log_probability", "surprisal", "start", "end"]
    assert [kind.kind for kind in table.drop(columns="token").dtypes] == list("iibffii")
    assert [*table["token"]] == [*tokens, "SENTENCE_END"]
    assert [line[start:end] for start, end in zip(table.start, table.end, strict=True)] == [*tokens, ""]
    np.testing.assert_allclose(table.log_probability, values, rtol=1e-8)


def test_pandas_reads_texts_that_look_missing_with_the_option_of_the_note():
    pandas = pytest.importorskip("pandas")
    text, output = shown(words=True)
    assert pandas.read_csv(io.StringIO(text)).token.isna().sum() == 2
    assert output.note.startswith("pandas takes 2 of the texts for missing values, for example 'NA'")
    table = pandas.read_csv(io.StringIO(text), keep_default_na=False)
    assert "keep_default_na=False" in output.note and [*table.token] == [*WORDS, "SENTENCE_END"]
    assert [kind.kind for kind in table.drop(columns="token").dtypes] == list("iibffii")


def test_the_texts_that_look_missing_are_those_of_pandas():
    parsers = pytest.importorskip("pandas._libs.parsers")
    from theano_rnn.results.csv_scores import READ_AS_MISSING

    assert parsers.STR_NA_VALUES - {""} <= READ_AS_MISSING


def test_ordinary_texts_need_no_note():
    assert shown([("a", ["a"], VALUES[:2], KNOWN[:2])], words=True)[1].note is None


def test_each_line_is_a_row():
    pandas = pytest.importorskip("pandas")
    lines = [(LINE, WORDS, VALUES, KNOWN), ("x", ["x"], np.array([-1.0, -np.inf]), np.array([True, True]))]
    table = pandas.read_csv(io.StringIO(shown(lines)[0]))
    assert [*table.columns] == ["line", "log_probability", "tokens", "unknown", "perplexity", "sentence"]
    assert [*table.sentence] == [LINE, "x"] and [*table.line] == [1, 2]
    assert table.log_probability[0] == pytest.approx(VALUES.sum()) and table.log_probability[1] == -math.inf
    assert [*table.tokens] == [len(WORDS) + 1, 2] and [*table.unknown] == [int((~KNOWN).sum()), 0]
    assert table.perplexity[0] == pytest.approx(math.exp(-VALUES.mean())) and table.perplexity[1] == math.inf


def test_several_files_are_named_in_the_first_column():
    rows = list(csv.DictReader(io.StringIO(shown([("x", ["x"], VALUES[:2], KNOWN[:2])], ["a,b.txt", "c.txt"])[0])))
    assert [(row["file"], row["line"], row["sentence"]) for row in rows] == [("a,b.txt", "1", "x"), ("c.txt", "1", "x")]


def test_the_summary_is_one_row():
    ((row),) = csv.DictReader(io.StringIO(shown(summary=True, log_base="10", unknown="exclude")[0]))
    assert row.pop("log_probability") == f"{VALUES[KNOWN].sum() / math.log(10):.9g}"
    assert row.pop("perplexity") == f"{math.exp(-VALUES[KNOWN].mean()):.9g}"
    assert row == {
        "sentences": "1",
        "words": str(len(WORDS)),
        "tokens": str(len(WORDS) + 1),
        "unknown": str((~KNOWN).sum()),
    }


def test_rows_of_words_have_the_sums_of_their_tokens():
    tokens = ["the", "``", "dog", "''", "."]
    text = shown([('The  "dog".', tokens, VALUES[:6], np.ones(6, bool))], words=True, by_word=True)[0]
    rows = [tuple(row.values()) for row in csv.DictReader(io.StringIO(text))]
    assert [row[:4] + row[-2:] for row in rows] == [
        ("1", "1", "The", "TRUE", "0", "3"),
        ("1", "2", '"dog".', "TRUE", "5", "11"),
        ("1", "2", "SENTENCE_END", "TRUE", "11", "11"),
    ]
    np.testing.assert_allclose([float(row[4]) for row in rows], [VALUES[0], VALUES[1:5].sum(), VALUES[5]], rtol=1e-8)
