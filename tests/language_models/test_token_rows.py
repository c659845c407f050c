"""Places of tokens and words: slices of the line give back what is written there, and sums stay the same."""

import random

import numpy as np
import pytest

from theano_rnn.language_models.token_rows import token_rows, word_rows
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END

TOKENIZERS = {
    "split": Tokenizer(),
    "lines": Tokenizer(lines=True, lowercase=False),
    "tokenized": Tokenizer(tokenized=True, lowercase=False),
    "characters": Tokenizer(level="char", lowercase=False),
}
# Tabs, several spaces, an emoji of several code points, a combining accent, a no-break space, a line end, odd spaces.
ODD = [
    '  My \t"cat"  isn’t here.   It sat, 👩‍👩‍👧  e\u0301te\u0301!\t',
    "no\xa0break\u2003space  and\nline\x1cend\x85.",
    "İSTANBUL Straße ﬁne “quoted” (x). a.b.c...",
    "",
    " \t ",
]


def read(tokenizer, line):
    """(tokens with sentence ends, ln P, known) of a line; each value is different, and every third word is unknown."""
    tokens = []
    for sentence in tokenizer.split(line):
        tokens += [*tokenizer.tokenize(sentence), SENTENCE_END]
    known = np.array([token == SENTENCE_END or i % 3 != 0 for i, token in enumerate(tokens)])
    return tokens, -np.sqrt(np.arange(1, len(tokens) + 1)), known


def random_lines(number):
    draw = random.Random(11)
    pieces = [
        "word",
        "don't",
        '"',
        "“",
        ".",
        "…",
        "e\u0301",
        "😀",
        "U.S.",
        ",",
        "(a)",
        " ",
        "  ",
        "\t",
        "\xa0",
        "-",
        "A",
    ]
    return ["".join(draw.choices(pieces, k=draw.randrange(20))) for _ in range(number)]


every_tokenizer = pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS)


@every_tokenizer
def test_a_token_is_in_the_line_where_its_row_says(tokenizer):
    for line in ODD + random_lines(200):
        tokens, values, known = read(tokenizer, line)
        rows = token_rows(line, tokens, values, known)
        assert [row.position for row in rows] == [*range(1, len(tokens) + 1)]
        assert [row.text for row in rows] == tokens
        assert [row.log_probability for row in rows] == values.tolist()
        last = 0
        for row in rows:
            if row.text == SENTENCE_END:
                assert row.start == row.end == last
                continue
            assert last <= row.start < row.end and (tokenizer.level == "char" or not line[last : row.start].strip())
            written, token = (text.replace("’", "'").casefold() for text in (line[row.start : row.end], row.text))
            assert written == token or token in ("``", "''")
            last = row.end
        assert not line[last:].strip()


@every_tokenizer
def test_words_are_those_of_the_line_and_have_the_sum_of_their_tokens(tokenizer):
    for line in ODD + random_lines(200):
        tokens, values, known = read(tokenizer, line)
        rows = word_rows(line, tokens, values, known)
        words = [row for row in rows if row.text != SENTENCE_END]
        if tokenizer.level == "word":
            expected = line.split() if not tokenizer.tokenized else tokenizer.tokenize(line)
            assert [row.text for row in words] == expected
            assert [row.position for row in words] == [*range(1, len(words) + 1)]
        elif line.strip() and "\n" not in line:
            assert [row.text for row in words] == line.split()
        assert all(line[row.start : row.end] == row.text for row in words)
        assert sum(row.log_probability for row in rows) == pytest.approx(values.sum(), rel=1e-12, abs=1e-12)
        inside = [
            sum(
                one.log_probability
                for one in token_rows(line, tokens, values, known)
                if row.start <= one.start < row.end
            )
            for row in words
        ]
        if tokenizer.level == "word":
            np.testing.assert_allclose([row.log_probability for row in words], inside, rtol=1e-12)


def test_a_word_is_known_if_all_its_tokens_are():
    rows = word_rows("stop! go.", ["stop", "!", "go", ".", SENTENCE_END], -np.ones(5), np.array([1, 0, 1, 1, 1], bool))
    assert [(row.text, row.known) for row in rows] == [("stop!", False), ("go.", True), (SENTENCE_END, True)]


def test_a_sentence_end_has_the_number_of_the_word_before_it():
    tokens = ["a", ".", SENTENCE_END, "b", SENTENCE_END]
    rows = word_rows("A. B", tokens, -np.ones(5), np.ones(5, bool))
    assert [(row.position, row.text, row.start, row.end) for row in rows] == [
        (1, "A.", 0, 2), (1, SENTENCE_END, 2, 2), (2, "B", 3, 4), (2, SENTENCE_END, 4, 4),
    ]  # fmt: skip
    assert [tuple(row)[:4] for row in word_rows("", [SENTENCE_END], -np.ones(1), np.ones(1, bool))] == [
        (0, SENTENCE_END, 0, 0)
    ]


def test_whitespace_at_character_level_counts_with_the_word_before_it_or_the_first_word():
    line = " ab  c "
    values = -(2.0 ** np.arange(len(line) + 1))
    rows = word_rows(line, [*line, SENTENCE_END], values, np.ones(len(line) + 1, bool))
    assert [tuple(row) for row in rows] == [
        (1, "ab", 1, 3, True, -(1 + 2 + 4 + 8 + 16.0)),
        (2, "c", 5, 6, True, -(32 + 64.0)),
        (2, SENTENCE_END, 7, 7, True, -128.0),
    ]


def test_a_line_end_at_character_level_is_a_sentence_end_of_its_own():
    line = "a\nb"
    rows = word_rows(line, [*line, SENTENCE_END], -np.ones(4), np.ones(4, bool))
    assert [(row.position, row.text, row.start, row.end) for row in rows] == [
        (1, "a", 0, 1), (1, "\n", 1, 2), (2, "b", 2, 3), (2, SENTENCE_END, 3, 3),
    ]  # fmt: skip


def test_a_word_spelled_like_the_sentence_end_is_a_word():
    known = np.array([False, True])
    rows = word_rows(SENTENCE_END, [SENTENCE_END, SENTENCE_END], -np.ones(2), known)
    assert [(row.start, row.end) for row in rows] == [(0, 12), (12, 12)]


def test_byte_order_marks_count_even_if_the_tokens_lack_them():
    line = "\ufeffthe d\ufeffog.\ufeff"
    tokens = ["the", "dog", ".", SENTENCE_END]
    rows = token_rows(line, tokens, -np.ones(4), np.ones(4, bool))
    assert [(row.start, row.end) for row in rows] == [(1, 4), (5, 9), (9, 10), (10, 10)]
    words = word_rows("do\ufeffn't", ["do", "n't", SENTENCE_END], -np.ones(3), np.ones(3, bool))
    assert [(row.text, row.start, row.end) for row in words] == [("do\ufeffn't", 0, 6), (SENTENCE_END, 6, 6)]


@pytest.mark.parametrize("rows_of", [token_rows, word_rows])
def test_tokens_of_another_line_have_no_places(rows_of):
    rows = rows_of("b", ["a", ".", SENTENCE_END], -np.ones(3), np.ones(3, bool))
    assert [(row.text, row.start, row.end) for row in rows] == [
        ("a", None, None),
        (".", None, None),
        (SENTENCE_END, None, None),
    ]
