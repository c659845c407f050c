"""Where in a line its tokens stand, so that the line can be shown as it was written. Knows no model."""

import re

_CURLY = str.maketrans("’", "'")
_QUOTES = ("``", "''", '"')  # NLTK makes one of the first two of each
_BLANKS = re.compile(r"\s*")
_ASCII_BLANKS = re.compile(r"[ \t\n\r\f\v]*")  # in tokenized text other whitespace is part of a token


def token_places(line, tokens):
    """The stretch of a line that each of its tokens was made of.

    Upper and lower case, straight and curly apostrophes, and the quotes that NLTK changes count as the same. Between
    the stretches there are blanks only.

    Parameters
    ----------
    line : str
    tokens : sequence of str
        Of the whole line, in its order; its characters, or words.

    Returns
    -------
    list of (int, int), or None
        Begin and end of each token; None if the line is not made of these tokens.
    """
    if len(tokens) == len(line) and "".join(tokens) == line:
        return [(i, i + 1) for i in range(len(line))]
    folded = [one.casefold() for one in line.translate(_CURLY)]
    origins = [i for i, part in enumerate(folded) for _ in part]
    folded = "".join(folded)
    places, end = [], 0
    for token in tokens:
        forms = _QUOTES if token in _QUOTES else [_folded(token)]
        for blanks in (_ASCII_BLANKS, _BLANKS):
            begin = blanks.match(folded, end).end()
            found = next((form for form in forms if folded.startswith(form, begin)), None)
            if found:
                break
        if not found:
            return None
        end = begin + len(found)
        places.append((origins[begin], origins[end - 1] + 1))
    return places if _BLANKS.fullmatch(folded, end) else None


def _folded(text):
    return "".join(one.casefold() for one in text.translate(_CURLY))
