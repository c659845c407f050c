"""The vocabulary: which tokens a model knows, and their ids. It knows nothing of text beyond its tokens."""

import functools
import operator
import sys
from collections import Counter
from itertools import repeat

import numpy as np

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, OptionError

SENTENCE_START = "SENTENCE_START"
SENTENCE_END = "SENTENCE_END"
UNKNOWN_TOKEN = "UNKNOWN_TOKEN"

SPECIAL_TOKENS = (SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN)  # entries 0, 1 and 2 of every vocabulary
_NEWLINE = "\n"


def count_characters(texts):
    """How often each character occurs: ``Counter("".join(texts))``, but much faster.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    dict of str to int
    """
    counts = np.zeros(sys.maxunicode + 1, dtype=np.int64)
    for text in texts:
        found = np.bincount(_code_points(text))
        counts[: len(found)] += found
    return {chr(code_point): int(counts[code_point]) for code_point in np.flatnonzero(counts)}


def _code_points(text):
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


class Vocabulary:
    """The tokens that a model knows, numbered: first the three special tokens, then the most frequent first.

    Parameters
    ----------
    index_to_word : sequence of str
        All entries in the order of their ids, the special tokens first.
    newline_ends_sentence : bool
        Whether ``\\n`` is the end of the sentence rather than an entry of its own, as at character level.

    Attributes
    ----------
    index_to_word : list of str
    word_to_index : dict of str to int
        The special tokens included. To look up tokens of a text use `encode`, for which a text that happens to
        hold the word "SENTENCE_END" does not end there.
    newline_ends_sentence : bool

    Raises
    ------
    ValueError
        If the entries are not distinct strings with the special tokens in their places.
    """

    def __init__(self, index_to_word, newline_ends_sentence=False):
        words = list(index_to_word)
        _check_entries(words, newline_ends_sentence)
        self.index_to_word = words
        self.word_to_index = {word: index for index, word in enumerate(words)}
        self.newline_ends_sentence = newline_ends_sentence
        self._text_ids = {word: index for word, index in self.word_to_index.items() if word not in SPECIAL_TOKENS}
        if newline_ends_sentence:
            self._text_ids[_NEWLINE] = self.end

    start = property(lambda self: 0, doc="The id of SENTENCE_START.")
    end = property(lambda self: 1, doc="The id of SENTENCE_END.")
    unknown = property(lambda self: 2, doc="The id of UNKNOWN_TOKEN.")

    @classmethod
    def build(cls, token_counts, size, newline_ends_sentence=False, min_count=1):
        """Make a vocabulary of the most frequent tokens; equally frequent ones in the order of their code points.

        Parameters
        ----------
        token_counts : mapping of str to int
            Counted in the training text only. A token spelled like a special one is left out.
        size : int
            The most entries that the vocabulary may have, the three special tokens counted; at least 4.
        newline_ends_sentence : bool
            As for the class.
        min_count : int
            Tokens that occur less often are left out before the most frequent are chosen.

        Returns
        -------
        Vocabulary

        Raises
        ------
        OptionError
            If `size` is no integer or below 4.
        CorpusError
            If there are no tokens, or none that occurs `min_count` times.
        """
        if isinstance(size, bool) or not hasattr(size, "__index__") or size < len(SPECIAL_TOKENS) + 1:
            raise OptionError(
                f"the vocabulary size is {size!r}; expected an integer of at least 4, the 3 special tokens and one word"
            )
        left_out = {*SPECIAL_TOKENS, _NEWLINE} if newline_ends_sentence else set(SPECIAL_TOKENS)
        counted = [(-count, token) for token, count in token_counts.items() if count > 0 and token not in left_out]
        if not counted:
            raise CorpusError("the training text has no tokens to make a vocabulary of; train on a text with words")
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

    def __len__(self):
        return len(self.index_to_word)

    def __contains__(self, token):
        """Whether a token of a text is known, so that `encode` does not give it the id of UNKNOWN_TOKEN."""
        return token in self._text_ids

    def __eq__(self, other):
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.to_configuration() == other.to_configuration()

    __hash__ = None  # its lists can be changed

    def __repr__(self):
        return f"<Vocabulary of {len(self)} entries, newline_ends_sentence={self.newline_ends_sentence}>"

    def find(self, token):
        """The id of one token of a text, as `encode` gives it."""
        return self._text_ids.get(token, self.unknown)

    def encode(self, tokens):
        """The ids of the tokens of a text.

        Parameters
        ----------
        tokens : iterable of str
            A token that is spelled like a special one is text, and unknown.

        Returns
        -------
        numpy.ndarray
            (n,) int32.

        Raises
        ------
        TypeError
            For a plain string, which `encode_text` takes.
        """
        if isinstance(tokens, str):
            raise ArgumentTypeError("expected a sequence of tokens, got a str; tokenize it first, or use encode_text")
        return np.fromiter(map(self._text_ids.get, tokens, repeat(self.unknown)), dtype=np.int32)

    def encode_text(self, text):
        """The ids of the characters of a text, the same as ``encode(list(text))``, but much faster.

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
    def _character_table(self):
        """Ids by code point, as far as the highest one known; the last entry stands for all above it."""
        ids = {ord(token): index for token, index in self._text_ids.items() if len(token) == 1}
        table = np.full(max(ids, default=-1) + 2, self.unknown, dtype=np.int32)
        table[list(ids)] = list(ids.values())
        return table

    def decode(self, ids, end_as_newline=False):
        """The tokens with these ids.

        Parameters
        ----------
        ids : iterable of int
        end_as_newline : bool
            Give ``\\n`` rather than SENTENCE_END for the end of a sentence, to write text where
            `newline_ends_sentence` holds.

        Returns
        -------
        list of str

        Raises
        ------
        ValueError
            If an id is not between 0 and ``len(self) - 1``; the message names it.
        """
        ids = [operator.index(index) for index in (ids.tolist() if hasattr(ids, "tolist") else ids)]
        for index in (min(ids), max(ids)) if ids else ():
            if not 0 <= index < len(self):
                raise ArgumentValueError(f"id {index} is not in the vocabulary; expected 0 to {len(self) - 1}")
        words = self.index_to_word
        if end_as_newline:
            words = [*words[: self.end], _NEWLINE, *words[self.end + 1 :]]
        return [words[index] for index in ids]

    def to_configuration(self):
        """A plain dict that JSON can write and `from_configuration` reads."""
        return {"words": list(self.index_to_word), "newline_ends_sentence": self.newline_ends_sentence}

    @classmethod
    def from_configuration(cls, configuration):
        """Make the vocabulary that `to_configuration` described.

        Raises
        ------
        ValueError
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


def _check_entries(words, newline_ends_sentence):
    if not isinstance(newline_ends_sentence, bool):
        raise ArgumentValueError(f"newline_ends_sentence is {newline_ends_sentence!r}; expected True or False")
    for index, word in enumerate(words):
        if not isinstance(word, str):
            raise ArgumentValueError(f"entry {index} of the vocabulary is {word!r}; expected a str")
    if tuple(words[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
        raise ArgumentValueError(f"the vocabulary begins with {words[:3]}; expected {list(SPECIAL_TOKENS)}")
    if len(set(words)) != len(words):
        repeated = next(word for word, count in Counter(words).items() if count > 1)
        raise ArgumentValueError(f"{repeated!r} is in the vocabulary more than once; expected distinct words")
    if newline_ends_sentence and _NEWLINE in words:
        raise ArgumentValueError(
            "a newline is an entry of the vocabulary, though it ends the sentence; expected one of the two"
        )
