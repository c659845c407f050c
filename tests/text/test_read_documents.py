"""From files to documents: every format gives the same texts, and every fault is one line that names the file."""

import csv
import errno
import gzip
import io
import os
import random
import threading
import tracemalloc
from pathlib import Path

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.files import text_files
from theano_rnn.text.documents import document_chunks, read_documents

CSV_TEXT = 'id,body\n1,"First, and ""quoted""."\n2,Zweiter Satz: schön.\n'
CSV_DOCUMENTS = ['First, and "quoted".', "Zweiter Satz: schön."]


def texts(paths, column=None):
    return ["".join(document_chunks(document)) for document in read_documents(paths, column=column)]


def error_line(paths, column=None):
    with pytest.raises(CorpusError) as caught:
        read_documents(paths, column=column)
    message = str(caught.value)
    assert "\n" not in message
    assert "--" not in message  # errors of the library name arguments, not flags
    return message


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize(
    ("name", "text", "documents"),
    [
        ("a.txt", "Erste Zeile.\nZwëite.\n", ["Erste Zeile.\nZwëite.\n"]),
        ("a.txt.gz", "Erste Zeile.\nZwëite.\n", ["Erste Zeile.\nZwëite.\n"]),
        ("a", "One.\n", ["One.\n"]),
        ("a.md.gz", "One.\n", ["One.\n"]),
        ("a.csv", CSV_TEXT, CSV_DOCUMENTS),
        ("a.csv.gz", CSV_TEXT, CSV_DOCUMENTS),
        ("A.CSV.GZ", CSV_TEXT, CSV_DOCUMENTS),
        ("a.csv", CSV_TEXT.replace(",", ";"), [text.replace(",", ";") for text in CSV_DOCUMENTS]),
        ("a.tsv", CSV_TEXT.replace(",", "\t"), [text.replace(",", "\t") for text in CSV_DOCUMENTS]),
        ("a.tsv.gz", CSV_TEXT.replace(",", "\t"), [text.replace(",", "\t") for text in CSV_DOCUMENTS]),
    ],
)
def test_every_format_gives_its_documents(write, name, text, documents, newline, bom):
    path = write(name, bom + text.replace("\n", newline).encode())
    assert texts(path) == documents


def test_documents_of_several_files_are_in_order(write):
    first, second = write("z.txt", "Z."), write("a.csv", "body\nA.\nB.\n")
    assert texts(str(first)) == ["Z."]
    assert texts([first, str(second)]) == ["Z.", "A.", "B."]
    assert texts(iter((second, first))) == ["A.", "B.", "Z."]


def test_blank_documents_are_left_out_when_there_are_others(write):
    assert texts([write("a.txt", " \n\n"), write("b.txt", "Text.")]) == ["Text."]


def test_blank_rows_are_left_out(write):
    assert texts(write("a.csv", "\n\nbody\n\nx\n , \ny\n")) == ["x", "y"]
    assert texts(write("a.csv", "id,body\n1\n2,x\n3,\n")) == ["x"]


def test_the_column_can_be_chosen(write):
    path = write("a.csv", "id,body,note\n1,x,y\n")
    assert [texts(path, column) for column in (None, "body", "note", "id")] == [["x"], ["x"], ["y"], ["1"]]
    text = write("a.txt", "id,note\n")
    assert texts([text, path], "note") == ["id,note\n", "y"]


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("a.txt", b"good\nna\xefve\n", "a.txt, line 2: byte 0xef at position 3 is not UTF-8; convert the file"),
        ("a.txt", b"\xef\xbb\xbfb\xe9", "a.txt, line 1: byte 0xe9 at position 2 is not UTF-8"),
        (
            "a.csv.gz",
            b'body\r\n"x\r\ny"\r\ncaf\xe9\r\n',
            "a.csv.gz, line 4: byte 0xe9 at position 4 is not UTF-8, in row 3; convert the file",
        ),
        ("a.csv", b"body\xe9\n", "a.csv, line 1: byte 0xe9 at position 5 is not UTF-8, in row 1"),
        ("a.txt", "text".encode("utf-16"), "is not UTF-8; it looks like UTF-16"),
        ("a.txt", gzip.compress(b"text", mtime=0), "is not UTF-8; it looks like a gzip file: give its name the ending"),
        ("a.txt", b"\xed\xa0\x80", "a.txt, line 1: byte 0xed at position 1 is not UTF-8"),  # a lone surrogate
    ],
)
def test_a_byte_that_is_not_utf8_is_named_with_line_and_position(write, name, content, where):
    assert where in error_line(write(name, content))


@pytest.mark.parametrize("content", ["", "\ufeff", " \n\t\n"])
def test_a_blank_corpus_is_rejected(write, content):
    assert "a.txt contains no text" in error_line(write("a.txt", content))
    assert "each of the 2 files contains no text" in error_line([write("a.txt", content), write("b.csv", "body\n")])


def test_an_empty_gzip_file_holds_no_text(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(b"")
    assert "a.txt.gz contains no text" in error_line(tmp_path / "a.txt.gz")


def test_an_empty_list_of_files_is_rejected():
    assert "there is no file to read" in error_line([])


def test_a_missing_file_is_named(tmp_path):
    assert error_line(tmp_path / "none.txt") == f"{tmp_path / 'none.txt'}: no such file; check the path"


def test_a_directory_is_named(tmp_path):
    assert f"{tmp_path}: is a directory; name a file in it" in error_line(tmp_path)


def test_a_path_through_a_file_is_named(write):
    assert "cannot be read: Not a directory" in error_line(write("a.txt", "x") / "b.txt")


def fail_to_open(error):
    def fail(path, mode):
        raise error

    return fail


def test_an_unreadable_file_is_named(write, monkeypatch):
    # The user who runs the tests may have permission to read everything.
    monkeypatch.setattr(text_files, "open", fail_to_open(PermissionError(errno.EACCES, "denied")), raising=False)
    assert "a.txt: no permission to read it" in error_line(write("a.txt", "x"))


def test_a_directory_that_the_system_reports_as_unreadable_is_called_a_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "open", fail_to_open(PermissionError(errno.EACCES, "denied")), raising=False)
    assert f"{tmp_path}: is a directory; name a file in it" in error_line(tmp_path)


def test_a_null_character_in_a_path_is_reported():
    assert "'a\\x00.txt': a path cannot hold a null character" in error_line("a\0.txt")


def test_a_name_with_a_line_end_is_escaped(tmp_path):
    assert error_line(tmp_path / "a\nb.txt").startswith(repr(str(tmp_path / "a\nb.txt")))


def test_a_number_in_place_of_a_path_is_a_type_error():
    with pytest.raises(TypeError, match=r"expected the path of a file as str or os.PathLike, got int"):
        read_documents([0])


def test_a_path_object_that_holds_bytes_is_read(write):
    with os.scandir(os.fsencode(write("a.txt", "Text.").parent)) as entries:
        assert texts(list(entries)) == ["Text."]


def test_a_file_that_is_not_gzip_is_named(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(b"plain text")
    assert "a.txt.gz: not a gzip file; remove the ending .gz" in error_line(tmp_path / "a.txt.gz")


def test_a_truncated_gzip_file_is_named(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"plain text " * 99)[:-12])
    assert "a.txt.gz: the gzip data are truncated" in error_line(tmp_path / "a.txt.gz")


@pytest.mark.parametrize("position", [12, -6], ids=["data", "checksum"])
def test_a_damaged_gzip_file_is_named(tmp_path, position):
    data = bytearray(gzip.compress(bytes(range(65, 91)) * 40))
    data[position] ^= 0xFF
    (tmp_path / "a.txt.gz").write_bytes(data)
    assert "a.txt.gz: the gzip data are damaged" in error_line(tmp_path / "a.txt.gz")


def test_a_gzip_bomb_is_rejected_before_it_is_decompressed(write, monkeypatch):
    monkeypatch.setattr(text_files, "_ALWAYS_ALLOWED_SIZE", 1000)
    monkeypatch.setattr(text_files, "_BLOCK_SIZE", 1000)
    bomb = write("a.txt.gz", b"x" * 10_000_000)
    sizes = []
    real_read = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, size: sizes.append(size) or real_read(self, size))
    assert "a.txt.gz expands to more than 200 times its size" in error_line(bomb)
    assert sum(sizes) < 5_000_000


def test_a_highly_repetitive_but_small_gzip_file_is_read(write):
    assert texts(write("a.txt.gz", "yes " * 500_000)) == ["yes " * 500_000]


def test_a_relative_path_is_shown_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert error_line(Path("none.csv")) == "none.csv: no such file; check the path"


# Blocks and chunks


def plainly_read(data):
    """The text, or (line, position) of the byte that is not UTF-8."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode().replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return before.count(b"\n") + 1, len(before) - before.rfind(b"\n")


@pytest.mark.parametrize("block_size", [1, 2, 3, 7])
def test_text_and_errors_do_not_depend_on_the_block_size(write, monkeypatch, block_size):
    monkeypatch.setattr(text_files, "_BLOCK_SIZE", block_size)
    generator = random.Random(block_size)
    pieces = [b"a", b"\r", b"\n", b"\r\n", "é".encode(), "😀".encode(), b"\xef\xbb\xbf", b" "]
    outcomes = set()
    for bad in 10 * [[], [b"\xff"], [b"\xe9"], [b"\xf0\x9f"], [b"\xed\xa0\x80"], [b"\x1f\x8b"]]:
        data = [b"x", *generator.choices(pieces, k=12), *bad, *generator.choices(pieces, k=generator.randrange(3))]
        path = write("a.txt", generator.choice([b"", b"\xef\xbb\xbf"]) + b"".join(data))
        expected = plainly_read(path.read_bytes())
        outcomes.add(type(expected))
        if isinstance(expected, str):
            assert texts(path) == [expected]
        else:
            line, position = expected
            assert f"a.txt, line {line}: byte 0x" in error_line(path)
            assert f" at position {position} is not UTF-8; convert the file to UTF-8" in error_line(path)
    assert outcomes == {str, tuple}


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("length", [1, 3, 40])
def test_rows_do_not_depend_on_the_chunk_length(write, monkeypatch, name, length):
    rows = [[str(i), f'Text {i}, "so"\r\nto say: é😀 {"x" * (i % 9)}', ""] for i in range(40)]
    stream = io.StringIO()
    csv.writer(stream).writerows([["id", "body", "more"], *rows])
    monkeypatch.setattr("theano_rnn.text.documents.CHUNK_LENGTH", length)
    monkeypatch.setattr(text_files, "_BLOCK_SIZE", length)
    assert texts(write(name, stream.getvalue())) == [row[1].replace("\r\n", "\n") for row in rows]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("name", "content"), [("a.txt", "One.\nTwo.\n"), ("a.csv", "body\nOne.\n")])
def test_a_pipe_is_read(tmp_path, name, content):
    path = tmp_path / name
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(content,))
    writer.start()
    found = texts(path)
    writer.join()
    assert found == [content.removeprefix("body\n").removesuffix("\n" if name == "a.csv" else "")]


def test_a_folder_that_cannot_store_the_text_is_named(write, tmp_path):
    with pytest.raises(CorpusError, match="absent: cannot store the text while it is encoded"):
        read_documents(write("a.txt", "x"), tmp_path / "absent")


def test_a_large_text_is_never_in_memory_as_a_whole(write):
    path = write("a.txt", "A line with é and 😀.\n" * 200_000)
    tracemalloc.start()
    try:
        documents = read_documents(path)
        count = sum(part.count("\n") for document in documents for part in document_chunks(document))
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()
    assert count == 200_000
