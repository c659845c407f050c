"""The vocabulary: which tokens a model knows, and their ids."""

import functools
import operator
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, OptionError

SENTENCE_START = "SENTENCE_START"
SENTENCE_END = "SENTENCE_END"
UNKNOWN_TOKEN = "UNKNOWN_TOKEN"

SPECIAL_TOKENS = (SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN)  # entries 0, 1 and 2 of every vocabulary
_NEWLINE = "\n"


def count_characters(texts: Iterable[str]) -> dict[str, int]:
    """Count each character: ``Counter("".join(texts))``, but much faster.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> count_characters(["ab", "a"])
    {'a': 2, 'b': 1}
    """
    counts = np.zeros(sys.maxunicode + 1, dtype=np.int64)
    for text in texts:
        found = np.bincount(_code_points(text))
        counts[: len(found)] += found
    return {chr(code_point): int(counts[code_point]) for code_point in np.flatnonzero(counts)}


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


class Vocabulary:
    r"""The tokens that a model knows, with their ids: first the three special tokens, then the most frequent first.

    Parameters
    ----------
    index_to_word : iterable of str
        All entries in the order of their ids, the special tokens first.
    newline_ends_sentence : bool
        Whether ``\n`` has the id of SENTENCE_END rather than an entry of its own, as at character level.

    Attributes
    ----------
    index_to_word : list of str
    word_to_index : dict of str to int
        Includes the special tokens. To look up tokens of a text use `encode`, which does not mistake a word spelled
        "SENTENCE_END" for the end of a sentence.
    newline_ends_sentence : bool

    Raises
    ------
    ArgumentValueError
        If the entries are not distinct strings that begin with the special tokens.

    Examples
    --------
    >>> vocabulary = Vocabulary.build({"the": 9, "dog": 3, "cat": 2}, size=5)
    >>> vocabulary
    Vocabulary(5 tokens, word level)
    >>> vocabulary.index_to_word
    ['SENTENCE_START', 'SENTENCE_END', 'UNKNOWN_TOKEN', 'the', 'dog']
    >>> vocabulary.encode(["the", "cat"]).tolist()
    [3, 2]
    """

    __hash__ = None  # type: ignore[assignment]  # its lists can be changed

    def __init__(self, index_to_word: Iterable[str], newline_ends_sentence: bool = False) -> None:
        words = list(index_to_word)
        _check_entries(words, newline_ends_sentence)
        self.index_to_word: list[str] = words
        self.word_to_index: dict[str, int] = {word: index for index, word in enumerate(words)}
        self.newline_ends_sentence: bool = newline_ends_sentence
        self._text_ids = {word: index for word, index in self.word_to_index.items() if word not in SPECIAL_TOKENS}
        if newline_ends_sentence:
            self._text_ids[_NEWLINE] = self.end

    @property
    def start(self) -> int:
        """The id of SENTENCE_START."""
        return 0

    @property
    def end(self) -> int:
        """The id of SENTENCE_END."""
        return 1

    @property
    def unknown(self) -> int:
        """The id of UNKNOWN_TOKEN."""
        return 2

    @classmethod
    def build(
        cls,
        token_counts: Mapping[str, int],
        size: SupportsIndex,
        newline_ends_sentence: bool = False,
        min_count: int = 1,
    ) -> "Vocabulary":
        """Make a vocabulary of the most frequent tokens.

        Tokens that are equally frequent are sorted by their code points.

        Parameters
        ----------
        token_counts : mapping of str to int
            The counts in the training text only. A token that is spelled like a special token is left out.
        size : int
            The maximum number of entries, including the three special tokens; at least 4.
        newline_ends_sentence : bool
            See `Vocabulary`.
        min_count : int
            Leave out tokens that occur less often.

        Returns
        -------
        Vocabulary

        Raises
        ------
        OptionError
            If `size` is not an integer or less than 4.
        CorpusError
            If there are no tokens, or none of them occurs `min_count` times.
        """
        least = len(SPECIAL_TOKENS) + 1
        if isinstance(size, bool) or not hasattr(size, "__index__") or operator.index(size) < least:
            raise OptionError(
                f"vocabulary_size: expected an integer of at least {least} ({len(SPECIAL_TOKENS)} special tokens and "
                f"one word), got {size!r}"
            )
        left_out = {*SPECIAL_TOKENS, _NEWLINE} if newline_ends_sentence else set(SPECIAL_TOKENS)
        counted = [(-count, token) for token, count in token_counts.items() if count > 0 and token not in left_out]
        if not counted:
            raise CorpusError("the training text has no tokens for a vocabulary; train on a text with words")
        highest = -min(counted)[0]
        counted = [(count, token) for count, token in counted if -count >= min_count]
        if not counted:
            raise CorpusError(
                f"`min_count` is {min_count}, but no token of the training text occurs more than {highest} times; "
                "choose a smaller one"
            )
        counted.sort()
        words = [token for _, token in counted[: operator.index(size) - len(SPECIAL_TOKENS)]]
        return cls([*SPECIAL_TOKENS, *words], newline_ends_sentence)

    def __len__(self) -> int:
        return len(self.index_to_word)

    def __contains__(self, token: object) -> bool:
        """Tell whether a token of a text is known, so that `encode` does not give it the id of UNKNOWN_TOKEN."""
        return token in self._text_ids

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.to_configuration() == other.to_configuration()

    def __repr__(self) -> str:
        level = "character" if self.newline_ends_sentence else "word"
        return f"Vocabulary({len(self)} tokens, {level} level)"

    def find(self, token: str) -> int:
        """Return the id of one token of a text, as `encode` gives it."""
        return self._text_ids.get(token, self.unknown)

    def encode(self, tokens: Iterable[str]) -> npt.NDArray[np.int32]:
        """Return the ids of the tokens of a text.

        Parameters
        ----------
        tokens : iterable of str
            A token that is spelled like a special token is part of the text, and unknown.

        Returns
        -------
        numpy.ndarray
            (n,) int32.

        Raises
        ------
        ArgumentTypeError
            If `tokens` is a str. Use `encode_text` for the characters of a text.
        """
        if isinstance(tokens, str):
            raise ArgumentTypeError("tokens: expected an iterable of str, got a str; tokenize it, or use encode_text")
        return np.fromiter(map(self._text_ids.get, tokens, repeat(self.unknown)), dtype=np.int32)

    def encode_text(self, text: str) -> npt.NDArray[np.int32]:
        """Return the ids of the characters of a text: ``encode(list(text))``, but much faster.

        Parameters
        ----------
        text : str

        Returns
        -------
        numpy.ndarray
            (n,) int32.
        """
        code_points = _code_points(text)
        table = self._character_table
        return table[np.minimum(code_points, len(table) - 1)]

    @functools.cached_property
    def _character_table(self) -> npt.NDArray[np.int32]:
        """Ids by code point, up to the highest known one. The last entry is for all code points above it."""
        ids = {ord(token): index for token, index in self._text_ids.items() if len(token) == 1}
        table = np.full(max(ids, default=-1) + 2, self.unknown, dtype=np.int32)
        table[list(ids)] = list(ids.values())
        return table

    def decode(self, ids: Iterable[int] | npt.NDArray[np.integer], end_as_newline: bool = False) -> list[str]:
        r"""Return the tokens with these ids.

        Parameters
        ----------
        ids : iterable of int
        end_as_newline : bool
            Return ``\n`` rather than SENTENCE_END for the end of a sentence, to write text at character level.

        Returns
        -------
        list of str

        Raises
        ------
        ArgumentValueError
            If an id is not between 0 and ``len(self) - 1``. The message names it.
        """
        indices = [operator.index(index) for index in (ids.tolist() if isinstance(ids, np.ndarray) else ids)]
        for index in (min(indices), max(indices)) if indices else ():
            if not 0 <= index < len(self):
                raise ArgumentValueError(f"ids: expected ids from 0 to {len(self) - 1}, got {index}")
        words = self.index_to_word
        if end_as_newline:
            words = [*words[: self.end], _NEWLINE, *words[self.end + 1 :]]
        return [words[index] for index in indices]

    def to_configuration(self) -> dict[str, Any]:
        """Return the entries as a dict that JSON can hold and `from_configuration` reads."""
        return {"words": list(self.index_to_word), "newline_ends_sentence": self.newline_ends_sentence}

    @classmethod
    def from_configuration(cls, configuration: dict[str, Any]) -> "Vocabulary":
        """Make the vocabulary that `to_configuration` described.

        Raises
        ------
        ArgumentValueError
            If a key is unknown or missing, or the entries are not those of a vocabulary.
        """
        if not isinstance(configuration, dict):
            raise ArgumentValueError(f"expected the vocabulary as a dict, got {type(configuration).__name__}")
        expected = {"words", "newline_ends_sentence"}
        if configuration.keys() != expected:
            wrong = sorted(map(str, configuration.keys() ^ expected))
            raise ArgumentValueError(f"unknown or missing key of the vocabulary: {', '.join(wrong)}")
        if not isinstance(configuration["words"], list):
            raise ArgumentValueError(
                f"words of the vocabulary: expected a list, got {type(configuration['words']).__name__}"
            )
        return cls(configuration["words"], configuration["newline_ends_sentence"])


def _check_entries(words: list[str], newline_ends_sentence: bool) -> None:
    if not isinstance(newline_ends_sentence, bool):
        raise ArgumentValueError(f"newline_ends_sentence: expected True or False, got {newline_ends_sentence!r}")
    for index, word in enumerate(words):
        if not isinstance(word, str):
            raise ArgumentValueError(f"entry {index} of the vocabulary: expected a str, got {word!r}")
    if tuple(words[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
        raise ArgumentValueError(f"the vocabulary begins with {words[:3]}; expected {list(SPECIAL_TOKENS)}")
    if len(set(words)) != len(words):
        repeated = next(word for word, count in Counter(words).items() if count > 1)
        raise ArgumentValueError(f"{repeated!r} is in the vocabulary more than once; expected distinct words")
    if newline_ends_sentence and _NEWLINE in words:
        raise ArgumentValueError(
            "a newline is an entry of the vocabulary, although newline_ends_sentence is True; leave one of them out"
        )
