"""Where the tokens of a line are, so that the line can be shown as it was written."""

import re
from collections.abc import Sequence

_CURLY_TO_STRAIGHT = str.maketrans("’", "'")
_QUOTES = ("``", "''", '"')  # NLTK writes double quotes in the first two ways
_WHITESPACE = re.compile(r"\s*")
_ASCII_WHITESPACE = re.compile(r"[ \t\n\r\f\v]*")  # in tokenized text other whitespace is part of a token


def token_spans(line: str, tokens: Sequence[str]) -> list[tuple[int, int]] | None:
    """Find the span of each token in a line.

    Upper and lower case, straight and curly apostrophes, and the quotes that NLTK changes count as the same. There is
    only whitespace between the spans.

    Parameters
    ----------
    line : str
    tokens : sequence of str
        All tokens of the line, in order: words or characters.

    Returns
    -------
    list of (int, int), or None
        The start and the end of each token; None if the line does not consist of these tokens.

    Examples
    --------
    >>> token_spans('"Stop!"', ["``", "stop", "!", "''"])
    [(0, 1), (1, 5), (5, 6), (6, 7)]
    """
    if len(tokens) == len(line) and "".join(tokens) == line:
        return [(i, i + 1) for i in range(len(line))]
    characters = [character.casefold() for character in line.translate(_CURLY_TO_STRAIGHT)]
    origins = [i for i, folded in enumerate(characters) for _ in folded]
    folded_line = "".join(characters)
    spans, end = [], 0
    for token in tokens:
        spellings = _QUOTES if token in _QUOTES else (_fold(token),)
        for whitespace in (_ASCII_WHITESPACE, _WHITESPACE):
            start = _skip(whitespace, folded_line, end)
            found = next((spelling for spelling in spellings if folded_line.startswith(spelling, start)), None)
            if found:
                break
        if not found:
            return None
        end = start + len(found)
        spans.append((origins[start], origins[end - 1] + 1))
    return spans if _WHITESPACE.fullmatch(folded_line, end) else None


def _skip(whitespace: re.Pattern[str], text: str, position: int) -> int:
    """Return the first position that is not whitespace."""
    match = whitespace.match(text, position)
    return match.end() if match else position


def _fold(text: str) -> str:
    return "".join(character.casefold() for character in text.translate(_CURLY_TO_STRAIGHT))
