"""Documents in a temporary file: the text does not depend on the lengths of documents and chunks."""

import random

import pytest

from theano_rnn.text import documents
from theano_rnn.text.documents import Documents, document_chunks, total_characters

TEXTS = ["short", "é😀\nab" * 9, " \n", "", "x" * 200, "ß", "\ufeff mark\n"]


@pytest.mark.parametrize("length", [1, 2, 5, 30, 2**16])
def test_documents_can_be_iterated_repeatedly_and_blank_ones_are_left_out(tmp_path, monkeypatch, length):
    monkeypatch.setattr(documents, "CHUNK_LENGTH", length)
    generator = random.Random(length)
    stored = Documents(tmp_path)
    for text in TEXTS:
        places = sorted(generator.choices(range(len(text) + 1), k=3))
        stored.add(text[start:stop] for start, stop in zip([0, *places], [*places, len(text)], strict=True))
    expected = [text for text in TEXTS if text.strip()]
    assert len(stored) == len(expected)
    assert stored.characters == total_characters(stored) == total_characters(expected) == len("".join(expected))
    for _ in range(2):
        assert ["".join(document_chunks(document)) for document in stored] == expected
    assert ["".join(document_chunks(document, 3)) for document in stored] == expected


def test_two_simultaneous_iterations_are_independent(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "CHUNK_LENGTH", 4)
    stored = Documents(tmp_path)
    for text in ("ab", "cdefghijkl", "m"):
        stored.add([text])
    for first, second in zip(stored, stored, strict=True):
        assert "".join(one + other for one, other in zip(document_chunks(first), document_chunks(second), strict=True))
        assert "".join(document_chunks(first)) == "".join(document_chunks(second))


def test_no_chunk_is_longer_than_requested():
    assert list(document_chunks("abcdefg", 3)) == ["abc", "def", "g"]
    assert list(document_chunks("ab", 3)) == ["ab"]


def test_only_short_documents_are_in_memory_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "CHUNK_LENGTH", 4)
    stored = Documents(tmp_path)
    for text in ("abcd", "abcde"):
        stored.add([text])
    short, long = stored
    assert short == "abcd" and not isinstance(long, str)
    assert list(document_chunks(long)) == ["abcd", "e"]


@pytest.mark.parametrize("texts", [["a"], ["a\n"], ["a", "b" * 99, " "], ["é\n", "b\n"]])
def test_end_last_line_adds_one_line_end_at_most(tmp_path, texts):
    stored = Documents(tmp_path)
    for text in texts:
        stored.add([text])
    kept = [text for text in texts if text.strip()]
    kept[-1] = kept[-1].removesuffix("\n") + "\n"
    for _ in range(2):
        stored.end_last_line()
        assert ["".join(document_chunks(document)) for document in stored] == kept
        assert stored.characters == len("".join(kept))
    stored.add(["c"])
    assert ["".join(document_chunks(document)) for document in stored] == [*kept, "c"]


def test_end_last_line_does_nothing_without_documents(tmp_path):
    stored = Documents(tmp_path)
    stored.end_last_line()
    assert list(stored) == []


def test_joined_documents_are_separated_by_line_ends():
    for texts, whole in [(["a", "b\n", "c"], "a\nb\nc"), (["a"], "a"), (["a\n", "b\n"], "a\nb\n")]:
        documents = Documents()
        for text in texts:
            documents.add([text])
        joined = documents.joined(ends_last_line=False)
        assert list(joined) == [whole] and joined.characters == len(whole)
