"""Line endings become ``\\n`` and byte order marks disappear, wherever the bytes are divided into blocks."""

import gzip
import io
import random

import pytest

from theano_rnn.files import text_files
from theano_rnn.files.text_files import (
    TextInput,
    display_name,
    has_extension,
    normalized_bytes,
    without_byte_order_marks,
)

PIECES = [b"a", b"bc", b"\r", b"\n", b"\r\n", "é".encode(), "\ufeff".encode(), "\u2028\x85".encode(), b"\x0b\x0c\x1c"]


def reference_text(data):
    return data.decode().replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_the_text_does_not_depend_on_the_size_of_the_blocks(monkeypatch, size):
    monkeypatch.setattr(text_files, "_BLOCK_SIZE", size)
    generator = random.Random(size)
    for _ in range(200):
        data = b"".join(generator.choices(PIECES, k=generator.randrange(12)))
        expected = reference_text(data)
        assert "".join(TextInput(None, io.BytesIO(data)).text()) == expected
        lines = expected.split("\n")
        assert list(TextInput(None, io.BytesIO(data)).lines()) == lines[: len(lines) - (not lines[-1])]
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        assert b"".join(normalized_bytes(parts)).decode() == expected


def test_only_line_feeds_and_carriage_returns_end_a_line():
    text = "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g"
    assert list(TextInput(None, io.BytesIO(text.encode())).lines()) == [text]


def test_incomplete_byte_order_marks_are_kept():
    for data in (b"\xef", b"\xef\xbb", b"a\xef\xbb\nb", b"\xef\xef\xbb\xbf"):
        for size in (1, 2, 9):
            parts = [data[start : start + size] for start in range(0, len(data), size)]
            assert b"".join(normalized_bytes(parts)) == data.replace(b"\xef\xbb\xbf", b"")


def test_byte_order_marks_are_removed_and_other_invisible_characters_are_not():
    assert without_byte_order_marks("\ufeffa\ufeffb\u200b") == "ab\u200b"


def test_all_but_the_first_byte_order_mark_can_be_kept():
    source = TextInput(None, io.BytesIO("\ufeffone\ufeff\r\n\ufefftwo".encode()), keeps_marks=True)
    assert list(source.lines()) == ["one\ufeff", "\ufefftwo"]


def test_an_invalid_byte_is_reported_after_the_lines_before_it():
    lines = TextInput(None, io.BytesIO(b"one\rtwo\r\n\xef\xbb\xbf \xff\n")).lines()
    assert [next(lines), next(lines)] == ["one", "two"]
    with pytest.raises(text_files.CorpusError, match="standard input, line 3: byte 0xff at position 5 is not UTF-8"):
        next(lines)


def test_only_pipes_and_terminals_are_waited_for(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\nb")
    for source in (TextInput(tmp_path / "a.txt"), TextInput(None, io.BytesIO(b"a\nb"))):
        assert not source.is_waiting()
        for _ in source.lines():
            assert not source.is_waiting()


def test_extensions_ignore_case_and_unprintable_names_are_quoted():
    assert has_extension(b"A.TXT.GZ", ".gz") and not has_extension("gz", ".gz")
    assert display_name("a b.txt") == "a b.txt" and display_name("a\nb") == r"'a\nb'" and display_name("") == "''"


def test_compressed_standard_input_is_recognized():
    with pytest.raises(text_files.CorpusError, match="line 1: byte 0x8b at position 2 .* gzip file: decompress it"):
        list(TextInput(None, io.BytesIO(gzip.compress(b"text", mtime=0))).text())
