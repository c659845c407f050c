import random

import pytest

from theano_rnn.text.token_spans import token_spans
from theano_rnn.text.tokenizer import Tokenizer

TOKENIZERS = [
    Tokenizer(),
    Tokenizer(lowercase=False),
    Tokenizer(tokenized=True, lowercase=False),
    Tokenizer(level="char", lowercase=False),
]


def spanned_texts(line, tokens):
    spans = token_spans(line, tokens)
    return None if spans is None else [line[begin:end] for begin, end in spans]


@pytest.mark.parametrize(
    "line, found",
    [
        ("He didn't  say\tno.", ["He", "did", "n't", "say", "no", "."]),
        ('"So," she “won’t”', ['"', "So", ",", '"', "she", "“", "wo", "n’t", "”"]),
        ("İSTANBUL Straße ΟΔΟΣ ﬁne", ["İSTANBUL", "Straße", "ΟΔΟΣ", "ﬁne"]),
        ("Don’t I", ["Do", "n’t", "I"]),
        ("猫 هذا 👩‍👩‍👧", ["猫", "هذا", "👩‍👩‍👧"]),
        ("cannot", ["can", "not"]),
        ("  ", []),
        ("", []),
    ],
)
def test_the_spans_hold_the_text_as_it_was_written(line, found):
    tokens = Tokenizer().tokenize(line)
    assert spanned_texts(line, tokens) == found


def test_both_kinds_of_double_quotes_have_spans():
    assert spanned_texts("\"a\" ``b''", ["``", "a", "''", "``", "b", "''"]) == ['"', "a", '"', "``", "b", "''"]


def test_the_span_of_a_character_is_its_position():
    assert token_spans(" a  b", list(" a  b")) == [(i, i + 1) for i in range(5)]


@pytest.mark.parametrize("tokens", [["a"], ["a", "c"], ["a", "b", "c"], ["b", "a"], ["ab"], ["a", "", "b"], []])
def test_tokens_of_another_line_have_no_spans(tokens):
    assert token_spans("a b", tokens) is None


CHARACTERS = "abIİßΣ \t’'\"`“”«»‘„.,:;…-—()[]{}<>&$%@#!?/\\\xa0\u3000"
WORDS = "Don’t CAN'T cannot gonna \"So,\" ``a'' U.S. 3,000 a--b it's. '' ' \" (\"x\")".split()


def random_lines(draw, number):
    """Lines of words, of the characters that tokenizers look at, and of any characters at all."""
    for _ in range(number):
        yield " ".join(draw.choices(WORDS, k=draw.randrange(8)))
        yield "".join(draw.choices(CHARACTERS, k=draw.randrange(40)))
        strange = [chr(draw.randrange(0x20, 0xD800)) for _ in range(draw.randrange(20))]
        yield "".join(draw.sample(strange + draw.choices(CHARACTERS, k=20), k=20))


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=["usual", "as-written", "tokenized", "characters"])
def test_there_is_only_whitespace_between_spans(tokenizer):
    for line in random_lines(random.Random(7), 300):
        tokens = tokenizer.tokenize(line)
        spans = token_spans(line, tokens)
        assert len(spans) == len(tokens)
        covered = [i for begin, end in spans for i in range(begin, end)]
        assert covered == sorted(set(covered))
        assert all(begin < end for begin, end in spans)
        assert not "".join(one for i, one in enumerate(line) if i not in set(covered)).strip()
