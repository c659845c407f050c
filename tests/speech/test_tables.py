"""Tables with named columns: headers, quotes, CSV and TSV."""

import io

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import TextInput
from theano_rnn.speech.input_files import SpeechFile
from theano_rnn.speech.tables import quoted, read_columns, tsv_rows, unquoted

COLUMNS = ("name", "start", "end", "label")


def cells(path, columns=COLUMNS):
    return [row for _, row in read_columns(SpeechFile(path.stem, path), columns)]


@pytest.mark.parametrize(
    "text", ["a", "", '"', '""', '"""', 'a"b', '"a"', '"a" "b"', "a\tb", '"\t"', "ə", '"a\tb', "'", "\t"]
)
def test_any_cell_is_read_back(text):
    line = "\t".join(["x", quoted(text), "y", quoted(text)]).encode()
    assert list(tsv_rows(TextInput(None, io.BytesIO(line)))) == [(1, ["x", text, "y", text])]


def test_line_ends_in_cells_become_spaces():
    assert unquoted(quoted("a\nb\rc")) == "a b c"


@pytest.mark.parametrize(
    "name, content",
    [
        ("t.tsv", "name\tstart\tend\tlabel\na\t0\t1\tə\n"),
        ("t.tsv", "\ufeffLabel\tx\tEND\tStart\tname\r\n\r\nə\t?\t1\t0\ta\r\n"),
        ("t.tsv", "a\t0\t1\tə\t0.9\n"),
        ("t.csv", 'name,start,end,label\n"a",0,1,ə\n'),
        ("t.csv", "a;0;1;ə\n"),
        ("t.csv.gz", "name,start,end,label\na,0,1,ə\n"),
        ("t.tsv.gz", 'name\tstart\tend\tlabel\na\t0\t1\t"ə"\n'),
    ],
)
def test_every_kind_of_table_gives_the_same_cells(write, name, content):
    assert cells(write(name, content)) == [["a", "0", "1", "ə"]]


def test_labels_called_like_columns_are_no_header(write):
    assert cells(write("t.tsv", "a\t0\t1\tend\n")) == [["a", "0", "1", "end"]]
    assert cells(write("t.tsv", "a\tlabel\n"), ("name", "label")) == [["a", "label"]]


def test_cells_know_their_line(write):
    path = write("t.tsv", "name\tlabel\n\na\tb\n")
    assert [place for place, _ in read_columns(SpeechFile("t", path), ("name", "label"))] == [f"{path}, line 3"]


@pytest.mark.parametrize("content, message", [
    ("", "t.tsv: is empty; expected the columns name, start, end, label"),
    ("name\tstart\tstop\tlabel\n", "t.tsv, line 1: there is no column end; .*the columns are 'name', 'start', 'st"),
    ("utterance\tfrom\tto\tlabel\n", "line 1: there is no column name"),
    ("a\t0\t1\n", "line 1: there is no column label; expected name, start, end, label"),
    ("name\tstart\tend\tlabel\na\t0\t1\n", "t.tsv, line 2: expected 4 columns, got 3"),
])  # fmt: skip
def test_missing_columns_are_rejected_with_the_line(write, content, message):
    with pytest.raises(CorpusError, match=message):
        cells(write("t.tsv", content))
