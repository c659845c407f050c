"""Subwords: the pieces of a text join to the text, and the library is optional."""

import json
import sys

import pytest

from theano_rnn.errors import ArgumentValueError, OptionError
from theano_rnn.text.vocabulary import SPECIAL_TOKENS
from theano_rnn.writing.subwords import Subwords

TEXTS = ["the lower tower, naïve", "the lowest town!"] * 5


@pytest.fixture(scope="module")
def subwords():
    pytest.importorskip("tokenizers")
    return Subwords.learned(TEXTS, 40)


@pytest.mark.parametrize(
    "text", [*TEXTS[:2], "the ☃ tower", "☃lower☃☃ town", "", "!", "a,b", "lowlow ▽", "UNKNOWN_TOKEN", "日本 語。"]
)
def test_the_pieces_of_a_text_join_to_the_text(subwords, text):
    assert subwords.join(subwords.split(text)) == text


def test_spaces_at_the_end_and_in_a_row_do_not_matter_for_the_words(subwords):
    assert subwords.join(subwords.split(" the   town ")).split() == ["the", "town"]


def test_frequent_words_are_few_pieces_and_rare_ones_many(subwords):
    assert subwords.split("the") == ["▁the"] and len(subwords.split("worn")) > 2


@pytest.mark.parametrize("size", [10, 30, 40])
def test_there_are_at_most_as_many_pieces_as_wanted_beside_the_special_tokens(subwords, size):
    pieces = Subwords.learned(TEXTS, size).pieces()
    assert len(pieces) <= size - len(SPECIAL_TOKENS) and len(set(pieces)) == len(pieces)
    assert not set(pieces) & set(SPECIAL_TOKENS)


def test_the_same_texts_give_the_same_pieces(subwords):
    assert Subwords.learned(TEXTS, 40).to_configuration() == subwords.to_configuration()


def test_the_configuration_describes_the_same_pieces(subwords):
    other = Subwords.from_configuration(json.loads(json.dumps(subwords.to_configuration())))
    assert other.pieces() == subwords.pieces()
    assert other.split("the lowest naïve ☃") == subwords.split("the lowest naïve ☃")
    assert other.to_configuration() == subwords.to_configuration()


@pytest.mark.parametrize("document", [5, None, {}, [], {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}])
def test_what_is_no_document_of_a_tokenizer_is_rejected(subwords, document):
    with pytest.raises(ArgumentValueError, match="subwords: not the document of a tokenizer: "):
        Subwords.from_configuration(document)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    for use in (lambda: Subwords("{}"), lambda: Subwords.learned(TEXTS, 40)):
        with pytest.raises(OptionError, match=r"subwords need the library tokenizers.*pip install \"\.\[translate\]\""):
            use()
