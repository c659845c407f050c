"""The tokens or whitespace-separated words of a line, with their places in it and their log-probabilities."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.files.text_files import BYTE_ORDER_MARK, without_byte_order_marks
from theano_rnn.text.token_spans import token_spans
from theano_rnn.text.vocabulary import SENTENCE_END

_NEWLINE = "\n"
UNITS = ("token", "word")


class TokenRow(NamedTuple):
    """A token, a word or the end of a sentence.

    Attributes
    ----------
    position : int
        Its number in the line, from 1. The end of a sentence counts as a token. It is not a word; among words it has
        the number of the word before it, or 0.
    text : str
        A token as the model reads it, or a word as it is written in the line; SENTENCE_END.
    start, end : int or None
        Its place: ``line[start:end]``, in Unicode code points. Both are the same for SENTENCE_END, which comes after
        the last token of the sentence. None if the line does not consist of the tokens.
    known : bool
        Whether the vocabulary has the token, or all tokens of the word.
    log_probability : float
        ln P(token | tokens before it), summed over the tokens of a word.
    """

    position: int
    text: str
    start: int | None
    end: int | None
    known: bool
    log_probability: float


def token_rows(
    line: str, tokens: Sequence[str], values: npt.NDArray[np.floating], known: npt.NDArray[np.bool_]
) -> list[TokenRow]:
    """Return a row for each token and sentence end.

    Parameters
    ----------
    line : str
        The line as it was written. Byte order marks (U+FEFF) count as characters, even if the tokens lack them.
    tokens : sequence of str
        The tokens of its sentences, each sentence followed by SENTENCE_END.
    values : float array
        ln P of each token.
    known : bool array
        Whether the vocabulary has each token. A word of the text that is spelled "SENTENCE_END" is never known.

    Returns
    -------
    list of TokenRow

    Examples
    --------
    >>> values = np.array([-2.0, -1.0, -0.5])
    >>> for row in token_rows(" Stop!", ["stop", "!", "SENTENCE_END"], values, np.array([True] * 3)):
    ...     print(*row)
    1 stop 1 5 True -2.0
    2 ! 5 6 True -1.0
    3 SENTENCE_END 6 6 True -0.5
    """
    places = _places(line, tokens, known)
    columns = zip(tokens, places, known.tolist(), values.tolist(), strict=True)
    return [
        TokenRow(i, token, start, end, is_known, value)
        for i, (token, (start, end), is_known, value) in enumerate(columns, 1)
    ]


def word_rows(
    line: str, tokens: Sequence[str], values: npt.NDArray[np.floating], known: npt.NDArray[np.bool_]
) -> list[TokenRow]:
    """Return a row for each whitespace-separated word and each sentence end.

    The log-probability of a word is the sum over its tokens, punctuation included. At character level whitespace is
    made of tokens too. They belong to the word before them, or to the first word, but not to its place. So the sum over
    the rows is that over the tokens.

    Parameters
    ----------
    line, tokens, values, known
        As for `token_rows`.

    Returns
    -------
    list of TokenRow

    Examples
    --------
    >>> values = np.array([-2.0, -1.0, -0.5])
    >>> for row in word_rows(" Stop!", ["stop", "!", "SENTENCE_END"], values, np.array([True] * 3)):
    ...     print(*row)
    1 Stop! 1 6 True -3.0
    1 SENTENCE_END 6 6 True -0.5
    """
    rows: list[TokenRow] = []
    position = 0
    for group in _words(token_rows(line, tokens, values, known), line):
        if _ends_sentence(group[0]):
            rows.append(group[0]._replace(position=position))
            continue
        position += 1
        written = [row for row in group if not row.text.isspace()] or group
        start, end = written[0].start, written[-1].end
        text = written[0].text if start is None else line[start:end]
        total = sum(row.log_probability for row in group)
        rows.append(TokenRow(position, text, start, end, all(row.known for row in group), total))
    return rows


def _words(rows: Sequence[TokenRow], line: str) -> Iterator[list[TokenRow]]:
    """Group the tokens of each word. A sentence end is a group of its own."""
    word: list[TokenRow] = []
    for row in rows:
        if word and (_ends_sentence(row) or _ends_sentence(word[-1]) or _is_apart(word, row, line)):
            yield word
            word = []
        word.append(row)
    if word:
        yield word


def _is_apart(word: Sequence[TokenRow], row: TokenRow, line: str) -> bool:
    """Tell whether a token begins a new word: after whitespace that is no token, or after a whitespace token."""
    before = word[-1]
    if before.end is None or line[before.end : row.start].strip(BYTE_ORDER_MARK):
        return True
    follows_space = before.text.isspace() and not row.text.isspace()
    return follows_space and not all(one.text.isspace() for one in word)


def _ends_sentence(row: TokenRow) -> bool:
    """Tell whether a row is a sentence end. At character level each line end is one."""
    return row.text == _NEWLINE or (row.known and row.text == SENTENCE_END)


def _places(
    line: str, tokens: Sequence[str], known: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, int] | tuple[None, None]]:
    """Yield the place of each token. That of a sentence end has no length."""
    is_end = [token == SENTENCE_END and bool(is_known) for token, is_known in zip(tokens, known, strict=True)]
    spans = _spans(line, [token for token, ends in zip(tokens, is_end, strict=True) if not ends])
    remaining, last = iter(spans or ()), 0
    for ends in is_end:
        if spans is None:
            yield None, None
        elif ends:
            yield last, last
        else:
            start, last = next(remaining)
            yield start, last


def _spans(line: str, tokens: Sequence[str]) -> list[tuple[int, int]] | None:
    """Return the spans of tokens in a line, from whose text byte order marks may have been removed."""
    spans = token_spans(line, tokens)
    if spans is not None or BYTE_ORDER_MARK not in line:
        return spans
    kept = [i for i, character in enumerate(line) if character != BYTE_ORDER_MARK]
    spans = token_spans(without_byte_order_marks(line), tokens)
    return None if spans is None else [(kept[start], kept[end - 1] + 1) for start, end in spans]
