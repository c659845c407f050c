"""The column of a CSV file: the cells that csv.DictReader gives, in whatever dialect the table is written."""

import csv
import io
import logging
import random
import sys

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.files.corpus_formats import FORMATS
from theano_rnn.files.csv_files import CsvReader
from theano_rnn.files.text_files import TextInput


def cells(content, column=None, format="csv"):
    content = content if isinstance(content, bytes) else content.encode()
    return list(FORMATS[format](TextInput(None, io.BytesIO(content)), column).lines())


def error_line(content, column=None, format="csv"):
    with pytest.raises(CorpusError) as caught:
        cells(content, column, format)
    message = str(caught.value)
    assert "\n" not in message and message.startswith("standard input")
    return message


@pytest.mark.parametrize(
    ("content", "column", "expected"),
    [
        ("id,body\n1,x\n", None, ["x"]),
        ("text,body\ny,x\n", None, ["x"]),
        ("text,Body \ny,x\n", None, ["x"]),  # however the name is written
        ("id,text\n1,x\n", None, ["x"]),
        (",text\n0,x\n", None, ["x"]),  # as pandas writes its index
        ("17,TEXT\n0,x\n", None, ["x"]),
        ("comment\nx\n", None, ["x"]),  # the only column
        ("comment,id\nx,1\n", "comment", ["x"]),
        ("Text,text, TEXT\na,b,c\n", "text", ["b"]),  # exactly this name comes first
        ("Text, note \na,b\n", "NOTE", ["b"]),
        ("Straße,id\na,b\n", "STRASSE", ["a"]),
        ("17,4\na,b\n", "4", ["b"]),
        ("a,,c\n1,2,3\n", "", ["2"]),
        ('"two\nlines",id\n1,2\n', "two\nlines", ["1"]),
        ("I agree. So do you.\nx\n", "I agree. So do you.", ["x"]),
    ],
)
def test_the_column_is_found_by_its_name(content, column, expected):
    assert cells(content, column) == expected


@pytest.mark.parametrize(
    ("content", "column", "listed"),
    [
        ("id,comment\n1,x\n", None, "has no column body or text; its columns are id, comment; choose one"),
        ("id,text\n1,x\n", "body", "has no column 'body'; its columns are id, text; choose one"),
        ("only\nx\n", "body", "has no column 'body'; its columns are only; choose one"),
        ('"a, b",,c \n1,2,3\n', None, "its columns are 'a, b', '', 'c '; choose one"),
        ("id;comment\n1;x\n", None, "its columns are id, comment; choose one"),
        ("This is a text and not a name,1\n", None, "its columns are This is a text and not a name, 1; choose"),
        ("x" * 99 + ",y\n", None, f"its columns are {'x' * 40}…, y; choose one"),
        (",".join(f"c{i}" for i in range(3000)), None, "c18, c19 and 2,980 more; choose one"),
    ],
)
def test_the_error_about_an_unknown_column_lists_the_columns(content, column, listed):
    message = error_line("\n \n" + content, column)
    assert message.startswith("standard input, line 3: row 1, the header, ") and listed in message
    assert message.endswith("choose one of them with `column`")


@pytest.mark.parametrize(
    "content",
    ["", "\n\n", "I agree.\nSo do I.\n", '"""Really?"" he said"\nYes\n', "x" * 81 + "\n", "17\nx\n", "a b c d e f g\n"],
)
def test_a_single_column_that_does_not_look_like_a_name_is_not_a_header(content):
    assert "there is no header; the first line must hold the column names, body or text for the" in error_line(content)


def test_the_first_of_several_columns_of_the_same_name_is_read_with_a_warning(caplog):
    assert cells("id,text,text\n1,a,b\n") == ["a"]
    assert "standard input, line 1: 2 columns are called text; the first of them is read" in caplog.text
    caplog.clear()
    assert cells("text,Text\na,b\n") == ["a"] and not caplog.text


def test_the_log_names_the_only_column(caplog):
    caplog.set_level(logging.INFO, logger="theano_rnn.files.csv_files")
    cells("comment\nHello.\n")
    assert "standard input, line 1: the texts are in the only column, comment" in caplog.text


def test_rows_that_do_not_match_the_header_are_logged(caplog):
    caplog.set_level(logging.INFO, logger="theano_rnn.files.csv_files")
    assert cells("id,body\n1,x,y\n2\n3,z\n4,x,y\n") == ["x", "", "z", "x"]
    assert "standard input, line 2: more columns than the header names (2 such rows)" in caplog.text
    assert "standard input: 1 rows without column 2, the first on line 3" in caplog.text


# Delimiters


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id;text\n1;a,b\n", ["a,b"]),
        ("id\ttext\n1\ta,b;c\n", ["a,b;c"]),
        ('"id";"text"\n"1";"a;b"\n', ["a;b"]),
        (
            "text,id;number;more\nx,1;2;3\n",
            ["x"],
        ),  # the delimiter next to the name, not the most frequent one
        ("text\na,b;c\n", ["a,b;c"]),
        ("id;text;a,b\n1;x;y\n", ["x"]),
        ("comment\nhe said; and, then\n", ["he said; and, then"]),
    ],
)
def test_the_header_decides_the_delimiter(content, expected):
    if content.startswith(("comment", "text\n")):
        expected = [line.split(",")[0] for line in expected]
    assert cells(content) == expected


def test_columns_of_tsv_are_separated_by_tabs():
    assert cells("id\ttext\n1\ta, b; c\n", format="tsv") == ["a, b; c"]
    assert cells("note, more\nx, y\n", format="tsv") == ["x, y"]
    assert cells("id\ta,b,c\n1\t2\n", "id", format="tsv") == ["1"]
    assert cells("id,text\n1,x\n", format="tsv") == ["x"]  # a wrong ending


# Against the standard library


def written_table(generator, delimiter):
    """(Names, the file's text) of a random table in a random dialect."""
    # Semicolons as delimiters can only be recognized in a header of several columns.
    width = generator.randrange(2 if delimiter == ";" else 1, 5)
    names = generator.sample(["id", "Body", "text ", "no te", 'a"b', "two\nlines", "é😀", "x;y", "p,q", "t\tu"], width)
    pieces = ["", "a", '"', '""', "'", ",", ";", "\t", "\n", "\r\n", "\r", " ", "é", "😀", "\u2028", "\x85", "\\"]
    rows = []
    for _ in range(generator.randrange(8)):
        cell_count = width if width == 1 or generator.random() < 0.7 else generator.randrange(width + 3)
        rows.append(["".join(generator.choices(pieces, k=generator.randrange(6))) for _ in range(cell_count)])
    stream = io.StringIO(newline="")
    end = generator.choice(["\n", "\r\n", "\r"])
    quoting = generator.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    # With this line end csv.writer quotes cells with both kinds of line ends.
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n", quoting=quoting)
    for row in [names, *rows]:
        writer.writerow(row)
        if generator.random() < 0.1:
            stream.write("\r\n")
    text = stream.getvalue()
    if generator.random() < 0.3:
        text = text.removesuffix("\r\n")
    if end != "\r\n":
        text = text.replace("\r\n", end)  # inside cells too
    return names, text


def plain(cell):
    return (cell or "").replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["commas", "semicolons", "tabs"])
def test_random_tables_have_the_cells_of_dictreader(delimiter):
    generator = random.Random(delimiter)
    found_rows = 0
    for _ in range(400):
        names, text = written_table(generator, delimiter)
        expected = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
        mark = "\ufeff" * generator.randrange(2)
        for name in names:
            found = cells(mark + text, name, "tsv" if delimiter == "\t" else "csv")
            assert found == [plain(row[name]) for row in expected], (name, text)
            found_rows += len(found)
    assert found_rows > 1000


@pytest.mark.parametrize("block_size", [1, 2, 5])
def test_random_tables_do_not_depend_on_the_block_size(monkeypatch, block_size):
    generator = random.Random(block_size)
    for _ in range(100):
        names, text = written_table(generator, ",")
        whole = cells(text, names[0])
        with monkeypatch.context() as patch:
            patch.setattr("theano_rnn.files.text_files._BLOCK_SIZE", block_size)
            assert cells(text, names[0]) == whole


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('id,body\n1,5" screen\n2,a "b" c\n', ['5" screen', 'a "b" c']),  # quotes in a cell without quotes
        ('id,body\n1,"Go," he said\n2,"closed" too early\n', ["Go, he said", "closed too early"]),
        ('body\n"one\n\ntwo"\n', ["one\n\ntwo"]),
        ('body\r\n"one\r\ntwo\rthree"\r\n', ["one\ntwo\nthree"]),
        ('\ufeff"body","id"\nx,1\n\ufeffy,2\n', ["x", "y"]),
        ('body\n""\n\n" "\nx\n', ["", " ", "x"]),
        ("id,body\n1\n,\n2,x,y\n", ["", "", "x"]),
        ("body\n", []),
        ("body", []),
        pytest.param(
            "body\nnul\0l\n",
            ["nul\0l"],
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="Python reads no null characters in CSV here"),
        ),
    ],
)
def test_unusual_tables_have_the_cells_of_dictreader(content, expected):
    assert cells(content) == expected
    plain_content = content.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    rows = csv.DictReader(io.StringIO(plain_content, newline=""))
    assert [row["body"] or "" for row in rows] == expected


def test_columns_may_be_separated_by_vertical_bars():
    assert cells("id|body\n1|a, b; c\n") == ["a, b; c"]


def test_a_cell_above_the_default_limit_is_read_and_the_limit_restored():
    text = "word " * 60_000
    before = csv.field_size_limit()
    for _ in CsvReader(TextInput(None, io.BytesIO(f'body\n"{text}"\nx\n'.encode()))).lines():
        assert csv.field_size_limit() == before
    assert cells(f'body\n"{text}"\n') == [text]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("content", "line", "row"),
    [
        ('body\nfine\n"never closed\nmore\n', 3, 3),
        ('body\n"never closed\n"another" one\n', 2, 2),
        ('body\n\nx\n\n"open\n', 5, 3),
        ('"body\n', 1, 1),
        ('\n\n"body' + "\n" * 500, 3, 1),
    ],
)
def test_the_error_about_a_broken_quote_names_line_and_row(content, line, row):
    message = error_line(content)
    assert f"standard input, line {line}: the row that begins here has a broken quote (row {row}: " in message
    assert message.endswith('close it, and write a quote inside a quoted text as ""')


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"body\nx\ncaf\xe9\n", "line 3: byte 0xe9 at position 4 is not UTF-8, in row 3; convert"),
        (b'body\n"two\nlines"\n"two\nl\xe9nes"\n', "line 5: byte 0xe9 at position 2 is not UTF-8, in row 3; convert"),
        (b"body\n\n\nx\n\xe9\n", "line 5: byte 0xe9 at position 1 is not UTF-8, in row 3; convert"),
        (b"bod\xe9\n", "line 1: byte 0xe9 at position 4 is not UTF-8, in row 1; convert"),
    ],
)
def test_the_error_about_invalid_utf8_names_line_and_row(content, place):
    assert place in error_line(content)


def test_cells_of_several_columns_are_read_together():
    reader = CsvReader(TextInput(None, io.BytesIO(b"id;Before;text\n1;a;b\n2;;c\n3\n")), "text")
    assert list(reader.cells({"column": "text", "given": "before", "other": None})) == [
        ["b", "a", "b"],
        ["c", "", "c"],
        ["", "", ""],
    ]
    reader = CsvReader(TextInput(None, io.BytesIO(b"id;text\n1;a\n")), "text")
    with pytest.raises(
        CorpusError, match="has no column 'x'; its columns are id, text; choose one of them with `given`$"
    ):
        list(reader.cells({"column": "text", "given": "x"}))
