"""The spelling of words: what a network reads of a token beside the word, to tell the tag of a word that it never saw.

A new feature is one entry of `SPELLING`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from theano_rnn.encoders.items import Ids
from theano_rnn.text.vocabulary import Vocabulary

SPELLING_DIM = 16  # size of the vector of each feature
SPELLING_SIZE, SPELLING_MIN_COUNT = 20_000, 2  # of the vocabulary of each feature

_RUNS = re.compile(r"(.)\1+", re.DOTALL)
_LONGEST_SHAPE = 10


def shape(token: str) -> str:
    """The kinds of characters of a token: runs of capitals, small letters and digits, and other characters.

    Examples
    --------
    >>> [shape(token) for token in ("Dog", "NASA", "e-mail", "3.14")]
    ['Xx', 'X', 'x-x', '0.0']
    """
    kinds = ("X" if one.isupper() else "x" if one.isalpha() else "0" if one.isdigit() else one for one in token)
    return _RUNS.sub(r"\1", "".join(kinds))[:_LONGEST_SHAPE]


def ending(token: str, length: int) -> str:
    """The last characters of a token in lower case; ``^`` before them if they are the whole token. Digits are 0.

    Examples
    --------
    >>> ending("Walking", 3), ending("of", 3), ending("1984", 3)
    ('ing', '^of', '000')
    """
    return f"^{_plain(token)}"[-length:]


def beginning(token: str, length: int) -> str:
    """The first characters of a token in lower case; ``$`` after them if they are the whole token. Digits are 0."""
    return f"{_plain(token)}$"[:length]


def _plain(token: str) -> str:
    return "".join("0" if one.isdigit() else one for one in token.lower())


SPELLING: dict[str, Callable[[str], str]] = {
    "shape": shape,
    **{f"ending {n}": partial(ending, length=n) for n in (1, 2, 3, 4)},
    **{f"beginning {n}": partial(beginning, length=n) for n in (1, 2, 3, 4)},
}
"""Features by name. Each takes a token."""


def word(token: str, lowercase: bool) -> str:
    """The form of a token that the vocabulary of words holds."""
    return token.lower() if lowercase else token


def spelling_of(tokens: Iterable[str]) -> dict[str, Vocabulary]:
    """The values of each feature that occur at least twice among tokens, or all if none does."""
    distinct = Counter(tokens)
    found = {}
    for name, feature in SPELLING.items():
        counts: Counter[str] = Counter()
        for token, count in distinct.items():
            counts[feature(token)] += count
        least = min(SPELLING_MIN_COUNT, max(counts.values()))
        found[name] = Vocabulary.build(counts, SPELLING_SIZE, min_count=least)
    return found


def encoded_sentences(
    sentences: Iterable[Sequence[str]], vocabulary: Vocabulary, spelling: Mapping[str, Vocabulary], lowercase: bool
) -> list[Ids]:
    """The ids of each sentence (features, tokens): the word, then the features of its spelling."""
    known: dict[str, list[int]] = {}

    def ids_of(token: str) -> list[int]:
        ids = [vocabulary.find(word(token, lowercase))]
        return ids + [table.find(SPELLING[name](token)) for name, table in spelling.items()]

    found = []
    for tokens in sentences:
        for token in tokens:
            if token not in known:
                known[token] = ids_of(token)
        found.append(np.array([known[token] for token in tokens], np.int32).T)
    return found
