"""Every corpus format gives documents to train on and lines to score, from files and standard input."""

import io
import os
import tracemalloc

import pytest

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files import text_files
from theano_rnn.files.corpus_formats import (
    FORMATS,
    check_column,
    format_of,
    line_batches,
    open_corpus_file,
    open_inputs,
    read_lines,
)

# What a file of each format holds: the same two texts.
TEXTS = ["One, two.", "“Three”?"]
CONTENTS = {
    "text": "One, two.\n“Three”?\n",
    "csv": 'id,body\n1,"One, two."\n2,“Three”?\n',
    "tsv": "id\tbody\n1\tOne, two.\n2\t“Three”?\n",
}


def standard_input(stream):
    (reader,) = open_inputs([], stream)
    return reader


# The contract of all formats


@pytest.mark.parametrize("ending", ["", ".gz", ".GZ"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_recognized_by_name_and_gives_lines_and_documents(write, name, ending):
    path = write(f"a.{name}{ending}", CONTENTS[name])
    assert format_of(path) == (name, ending != "")
    assert list(open_corpus_file(path).lines()) == TEXTS
    documents = ["".join(parts) for parts in open_corpus_file(path).documents()]
    assert documents == (TEXTS if FORMATS[name].is_table else [CONTENTS[name]])


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_names_the_place_of_a_text(write, name):
    path = write(f"a.{name}", CONTENTS[name])
    reader = open_corpus_file(path)
    assert reader.name == str(path)
    assert reader.place(1) == f"{path}, {'row 2' if FORMATS[name].is_table else 'line 1'}"
    assert not reader.is_waiting()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reports_a_missing_file_when_it_is_read(tmp_path, name):
    reader = open_corpus_file(tmp_path / f"absent.{name}")
    for read in (reader.lines, reader.documents):
        with pytest.raises(CorpusError, match="no such file"):
            for text in read():
                list(text)


def test_a_file_with_any_other_ending_is_plain_text():
    assert [format_of(name) for name in ("a", "a.txt.gz", "csv", "a.csv.txt")] == [
        ("text", False),
        ("text", True),
        ("text", False),
        ("text", False),
    ]


def test_a_column_is_rejected_if_no_file_is_a_table():
    check_column(None, ["a.txt"])
    check_column("x", ["a.txt", "b.TSV.gz"])
    with pytest.raises(OptionError, match=r"^column: 'x' was given, but no file is a table \(\.csv or \.tsv\)"):
        check_column("x", ["a.txt", "csv", "b.txt.gz"])
    with pytest.raises(OptionError, match="no file is a table"):
        next(open_inputs(["a.txt"], None, "x"))


# Line by line


class Slow:
    """Bytes that arrive in pieces, as from a pipe."""

    def __init__(self, *pieces):
        self.pieces = iter(pieces)

    def read1(self, size):
        return next(self.pieces, b"")


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.txt", "One.\r\rTwo.\r\nThree.", ["One.", "", "Two.", "Three."]),
        ("a.txt.gz", "One.\n", ["One."]),
        ("a.txt", "", []),
        ("a.csv", 'id,body\n1,"One,\r\nand"\n\n2\n3," "\n4,x', ["One,\nand", "", " ", "x"]),
        ("a.tsv.gz", "id\tbody\n1\tOne.\n", ["One."]),
        ("a.csv", "body\n", []),
    ],
)
def test_lines_are_the_lines_of_a_text_and_the_cells_of_a_table(write, name, content, lines):
    assert list(read_lines([write(name, content)], None)) == lines
    assert list(read_lines([], io.BytesIO(content.encode()))) == (
        lines if name.startswith("a.txt") else content.replace("\r\n", "\n").removesuffix("\n").split("\n")
    )


def test_standard_input_is_csv_if_a_column_is_given():
    content = b"\xef\xbb\xbfid;note\r\n1;x\r\n2;y"
    assert list(read_lines([], io.BytesIO(content), "note")) == ["x", "y"]
    with pytest.raises(CorpusError, match="^standard input, line 1: row 1, the header, has no column 'body'"):
        list(read_lines([], io.BytesIO(content), "body"))


def test_a_file_with_any_name_can_be_read_as_text(write):
    path = write("list.tsv", "1\ta\n2\tb\n")
    (reader,) = open_inputs([path], is_text=True)
    assert list(reader.lines()) == ["1\ta", "2\tb"] and reader.place(2) == f"{path}, line 2"


def test_row_numbers_count_the_header(write):
    path = write("a.csv", "body\nx\n")
    assert open_corpus_file(path).place(1) == f"{path}, row 2"
    assert standard_input(io.BytesIO()).place(1) == "standard input, line 1"


def test_lines_are_yielded_as_soon_as_their_ends_are_read():
    source = Slow(b"a\r", b"\nb\r\n", b"\rc", b"d\n\xef\xbb", b"\xbfe")
    lines = standard_input(source).lines()
    assert next(lines) == "a"
    assert next(source.pieces) == b"\nb\r\n"  # not yet read
    assert list(lines) == ["", "cd", "e"]


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot tell whether a pipe has more")
def test_batches_do_not_wait_for_lines_that_have_not_arrived():
    output, writer = os.pipe()
    with open(output, "rb") as stream, open(writer, "wb", buffering=0) as pipe:
        reader = standard_input(stream)
        found = line_batches(reader.lines(), reader.is_waiting)
        pipe.write(b"a\nb\nbegun")
        assert next(found) == ["a", "b"]
        pipe.write(b" and ended\r")
        assert next(found) == ["begun and ended"]
        pipe.write(b"\nc")
        pipe.close()
        assert list(found) == [["c"]]


def test_batches_of_files_have_the_full_size(write, monkeypatch):
    monkeypatch.setattr(text_files, "_BLOCK_SIZE", 5)
    reader = open_corpus_file(write("a.txt", "line\n" * 5000))
    assert [len(batch) for batch in line_batches(reader.lines(), reader.is_waiting)] == [4096, 904]


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_large_file_is_never_in_memory_as_a_whole(write, monkeypatch, name, end):
    path = write(name, f"body{end}" + f"A line with é and 😀 and more.{end}" * 30_000)
    monkeypatch.setattr(text_files, "_BLOCK_SIZE", 2**14)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_lines([path], None)) == 30_000 + (name == "a.txt")
        assert tracemalloc.get_traced_memory()[1] < 2**19  # of 1 MB
    finally:
        tracemalloc.stop()
