"""Minimal pairs are read from JSON lines, TSV and CSV; each malformed line is named."""

import json
import re

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.reading_studies.minimal_pairs import read_pairs

BLIMP = {"sentence_good": "Who saw me?", "sentence_bad": "Who me saw?", "UID": "order", "pairID": 3, "simple": True}


def pairs(lines, name="pairs.txt", **options):
    return [(pair.line, pair.good, pair.bad, dict(pair.fields)) for pair in read_pairs(lines, name, **options)]


def test_json_lines_have_fields():
    lines = ["", json.dumps(BLIMP), " ", json.dumps({**BLIMP, "UID": "é\n"})]
    fields = {"UID": "order", "pairID": 3, "simple": True}
    assert pairs(lines, required="UID") == [
        (2, "Who saw me?", "Who me saw?", fields),
        (4, "Who saw me?", "Who me saw?", {**fields, "UID": "é\n"}),
    ]


def test_two_columns_need_no_header():
    assert pairs(['"No," he said.\t"No, he said.', "", "a\tb"]) == [
        (1, '"No," he said.', '"No, he said.', {}),
        (3, "a", "b", {}),
    ]


@pytest.mark.parametrize(
    "names", ["sentence_good sentence_bad", "good bad", "Better Worse", "right wrong"], ids=str.split
)
def test_a_header_names_the_columns(names):
    good, bad = names.split()
    lines = [f"kind\t{bad}\t{good}", "x\tworse one\tbetter one"]
    assert pairs(lines, required="kind") == [(2, "better one", "worse one", {"kind": "x"})]


def test_csv_files_have_quotes():
    lines = ["sentence_good,sentence_bad,kind", '"So, we ""go""",So we go,x']
    assert pairs(lines, "pairs.CSV") == [(2, 'So, we "go"', "So we go", {"kind": "x"})]


@pytest.mark.parametrize("lines", [[], ["", "  "]])
def test_a_blank_file_has_no_pairs(lines):
    assert pairs(lines) == []


@pytest.mark.parametrize(
    "lines, message",
    [
        (["a\tb", "a"], "line 2: expected the better sentence, a tab, the worse one, found 1 column; for more columns"),
        (["a\tb\tc"], "line 1: expected the better sentence, a tab, the worse one, found 3 columns; for more columns"),
        (["good\tbad\tk", "a\tb"], "line 2: expected 3 columns as in the header, found 2 columns"),
        (["a\t "], "line 1: the worse sentence is empty; add it, or remove the line"),
        (["\tb"], "line 1: the better sentence is empty"),
        (['{"sentence_good": "a"}'], "line 1: has no sentence_bad; expected the texts sentence_good and sentence_bad"),
        (['{"sentence_good": 1, "sentence_bad": "a"}'], "line 1: sentence_good is no text; expected"),
        (['{"sentence_good": "a"'], "line 1: is not valid JSON (Expecting ',' delimiter: line 1 column 22 (char 21))"),
        ([json.dumps(BLIMP), "[1]"], "line 2: expected a JSON object with sentence_good and sentence_bad, got '[1]'"),
        ([json.dumps(BLIMP), "a\tb"], "line 2: is not valid JSON"),
        (['{"sentence_good": "\\ud800", "sentence_bad": "a"}'], "line 1: is not valid JSON ("),
        (["[" * 100_000], "line 1: expected the better sentence"),
        (['{"a":' * 100_000], "line 1: is not valid JSON ("),
    ],
)
def test_a_malformed_line_is_named(lines, message):
    with pytest.raises(CorpusError, match=re.escape(f"pairs.txt, {message}")):
        pairs(lines)


@pytest.mark.parametrize(
    "lines, message",
    [
        (["a,b"], "line 1: expected a header with sentence_good and sentence_bad, got 'a, b'"),
        (["good,bad", 'a,"b'], "line 2: is not valid CSV (unexpected end of data); check its quotes"),
    ],
)
def test_a_malformed_row_of_csv_is_named(lines, message):
    with pytest.raises(CorpusError, match=re.escape(f"pairs.csv, {message}")):
        pairs(lines, "pairs.csv")


@pytest.mark.parametrize(
    "lines, message",
    [
        ([json.dumps(BLIMP)], "line 1: has no field 'term'; its fields are UID, pairID, simple"),
        (["a\tb"], "line 1: has no field 'term'; its fields are none but the sentences"),
    ],
)
def test_a_missing_field_is_named(lines, message):
    with pytest.raises(CorpusError, match=re.escape(f"pairs.txt, {message}")):
        pairs(lines, required="term")
