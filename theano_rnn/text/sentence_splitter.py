"""Documents cut into sentences, a window at a time.

The rules are those of Punkt (Kiss and Strunk 2006: a full stop ends a sentence unless it belongs to an abbreviation,
an initial or an ellipsis, and then the next word decides) with the table of `theano_rnn.text.abbreviations` in place of
Punkt's unsupervised training, which takes ordinary words of short and of repetitive texts for abbreviations.
"""

import functools
import re
from collections.abc import Iterable, Iterator

from theano_rnn.text import abbreviations as table

# The abbreviations of a text show in 400,000 characters of it.
_TRAINING_LENGTH = 400_000
_TRAINING_PIECE_LENGTH = 20_000
# No sentence is longer.
LONGEST_PIECE = 100_000

_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
# Pairs of words with a possible sentence end between them that are remembered.
_REMEMBERED = 2**16

_END_MARKS = ".!?…。！？｡।؟۔"
# A word with an end mark, perhaps closing marks after it, and a blank: the only places where a sentence can end.
# Closing marks, also a reference ([1], superscript), marks without a width, and pictographs.
_CLOSING = (
    rf"(?:[{re.escape(table.CLOSING_MARKS)}⁰¹²³⁴-⁹\u200b\u200e\u200f\u2060\u2600-\u27bf\U0001f300-\U0001faff]|\[\d+\])*"
)
_POSSIBLE_END = re.compile(rf"(?<!\S)(\S*[{_END_MARKS}])({_CLOSING}) (?=(\S{{1,40}}))")
_MARK_AND_BLANK = re.compile(rf"[{_END_MARKS}]{_CLOSING}\s")
_LONGEST_REMEMBERED = 40
_DIGITS = re.compile(r"[#§]?[^\W\d_]{0,2}-?\d")
_ROMAN = r"(?=[ivx])(?!i\b)x{0,3}(?:ix|iv|v?i{0,3})\b|(?=[IVX])(?!I\b)X{0,3}(?:IX|IV|V?I{0,3})\b"
_NUMBER = re.compile(rf"{_DIGITS.pattern}|{_ROMAN}")
_NEXT_WORD = re.compile(r"(?![^\W\d_]\.)[^\W\d_]+")  # not another initial
_LAST_WORD = re.compile(r"[\w.&'’]*$")  # of "p.m./a.m" and "Lt.-Col" the second one
# At the beginning of a sentence: 1. Go home. a. Stay. ii. Eat.
_ENUMERATOR = re.compile(r"(?:\d{1,3}|[^\W\d_]|[ivx]{1,4})\.")


class SentenceSplitter:
    """Finds where sentences end in a text whose whitespace is single blanks.

    Parameters
    ----------
    abbreviations : iterable of str
        Beyond those of the table: in lower case, without the final full stop.
    """

    def __init__(self, abbreviations: Iterable[str] = ()):
        self._learned = frozenset(abbreviations)
        self._ends_between = functools.lru_cache(maxsize=_REMEMBERED)(self._decide)

    def may_split(self, text: str) -> bool:
        """Whether there is a place in the text where a sentence might end: a quick look."""
        return _MARK_AND_BLANK.search(text) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield (begin, end) of each sentence of a text; a blank is between one and the next."""
        begin = 0
        for match in _POSSIBLE_END.finditer(text):
            word, closing, following = match.groups()
            if match.start() == begin and _ENUMERATOR.fullmatch(word) and closing in ("", ")"):
                continue
            if word == "." and text.endswith(". ", 0, match.start()):
                word = "..."  # written with spaces between the full stops
            decide = self._ends_between if match.end() - match.start() <= _LONGEST_REMEMBERED else self._decide
            if decide(word, closing, following):
                yield begin, match.end() - 1
                begin = match.end()
        if begin < len(text):
            yield begin, len(text)

    def split(self, text: str) -> list[str]:
        """The sentences of a text of any length; the whitespace in it comes out as single blanks."""
        text = " ".join(text.split())
        return [text[begin:end] for begin, end in self.spans(text)]

    def is_abbreviation(self, word: str) -> bool:
        """Whether a word is an abbreviation wherever it stands with a full stop after it.

        Parameters
        ----------
        word : str
            Without the final full stop.
        """
        lowered = word.lower()
        return (
            lowered in table.TITLES
            or lowered in table.CLOSABLE
            or lowered in table.LIST_ENDS
            or lowered in self._learned
            or lowered in _by_case(word, table.CAPITALISED_TITLES | table.CAPITALISED_CLOSABLE, table.SMALL_CLOSABLE)
            or table.is_dotted(word)
        )

    def may_be_abbreviation(self, word: str) -> bool:
        """Whether a word is an abbreviation in some places: also initials, and "no" as in No. 5."""
        lowered = word.lower()
        return (
            len(word) == 1
            or lowered in table.NUMBERED
            or lowered in _by_case(word, table.CAPITALISED_NUMBERED, table.SMALL_NUMBERED)
            or lowered in table.CONTINUED
            or lowered in _by_case(word, table.CAPITALISED_CONTINUED)
            or self.is_abbreviation(word)
        )

    def _decide(self, word: str, closing: str, following: str) -> bool:
        """Whether a sentence ends between a word with its end mark, closing marks after it, and the following word."""
        if not following.strip(_END_MARKS):  # a blank inside an ellipsis, or before a mark
            return False
        following = following.lstrip(table.OPENING_MARKS)
        first = following[:1]
        if closing and first.islower() and (word[-1] != "." or not closing.strip(")]}")):
            return False  # "What?" she asked. He left (did he?) and came back.
        if word.endswith(("..", "…", "….")):
            return first.isupper()
        if word[-1] != ".":
            return True
        word = _LAST_WORD.search(word[-_LONGEST_REMEMBERED:-1]).group().lstrip(table.OPENING_MARKS)
        return not word or self._ends_after_full_stop(word, following)

    def _ends_after_full_stop(self, word: str, following: str) -> bool:
        """The same, where a single full stop follows the word, and no marks stand before the following word."""
        lowered, first = word.lower(), following[:1]
        if lowered in table.TITLES or lowered in _by_case(word, table.CAPITALISED_TITLES):
            return False
        if lowered in table.NUMBERED or lowered in _by_case(word, table.CAPITALISED_NUMBERED, table.SMALL_NUMBERED):
            number = _NUMBER if lowered != "no" else _DIGITS
            if number.match(following):
                return False
        if lowered in table.CONTINUED or lowered in _by_case(word, table.CAPITALISED_CONTINUED):
            return not first.islower()
        next_word = _NEXT_WORD.match(following)
        next_word = next_word.group().lower() if next_word else ""
        starts = first.isupper() and next_word in table.SENTENCE_STARTERS
        if lowered in table.LIST_ENDS:
            return first.isupper()
        if lowered in table.TIMES_OF_DAY:
            return first.isupper() and next_word not in table.AFTER_TIMES
        if len(word) == 1 and word.isalpha():  # an initial, mostly
            return starts or first.isdigit()
        return starts or not self.is_abbreviation(word)


_NOTHING: frozenset[str] = frozenset()


def _by_case(word: str, capitalised: frozenset[str], small: frozenset[str] = _NOTHING) -> frozenset[str]:
    """The table for a word that begins with a capital, or the one for others; none for a word in capitals."""
    if word[1:].isupper():
        return _NOTHING
    return capitalised if word[:1].isupper() else small
