"""Rows of results as TSV, CSV and JSON."""

import csv
import io
import json

import pytest

from theano_rnn.commands.prediction_output import FORMATS

COLUMNS = ["label", "probability", "text"]
ROWS = [["good", 0.75, 'Tab\there, "quotes"'], ["bad", 1.0, ""], ["bad", 0.5, "two\nlines"]]


def shown(name, capsys):
    show_row = FORMATS[name](COLUMNS)
    for row in ROWS:
        show_row(row)
    return capsys.readouterr().out


def test_tsv_has_one_line_per_row_and_no_tab_within_a_value(capsys):
    assert shown("tsv", capsys) == 'good\t0.750000\tTab here, "quotes"\nbad\t1.000000\t\nbad\t0.500000\ttwo lines\n'


def test_csv_has_a_header_and_can_be_read_again(capsys):
    found = list(csv.reader(io.StringIO(shown("csv", capsys))))
    assert found == [
        COLUMNS,
        ["good", "0.750000", 'Tab\there, "quotes"'],
        ["bad", "1.000000", ""],
        ["bad", "0.500000", "two\nlines"],
    ]


def test_json_has_one_object_per_row(capsys):
    found = [json.loads(line) for line in shown("json", capsys).splitlines()]
    assert found == [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_can_be_empty(name, capsys):
    FORMATS[name](COLUMNS)
    assert capsys.readouterr().out in ("", "label,probability,text\n")
