"""Where sentences end.

The rules are those of Punkt (Kiss and Strunk 2006): a full stop ends a sentence unless it belongs to an abbreviation,
an initial or an ellipsis, in which case the next word decides. The table in `theano_rnn.text.abbreviations` replaces
Punkt's unsupervised training, which takes ordinary words of short and repetitive texts for abbreviations.
"""

import functools
import re
from collections.abc import Iterable, Iterator

from theano_rnn.text import abbreviations as table

# The number of decisions about a pair of words that are cached, and the length of the longest pair, in characters.
_CACHE_SIZE = 2**16
_LONGEST_CACHED = 40

_END_MARKS = ".!?…。！？｡।؟۔"
# What may stand between an end mark and the space after it: closing marks, a reference ([1], superscript), zero-width
# characters, and pictographs.
_CLOSING = (
    rf"(?:[{re.escape(table.CLOSING_MARKS)}⁰¹²³⁴-⁹\u200b\u200e\u200f\u2060\u2600-\u27bf\U0001f300-\U0001faff]|\[\d+\])*"
)
# A word with an end mark, closing marks, and a space: a sentence can end only here.
_POSSIBLE_END = re.compile(rf"(?<!\S)(\S*[{_END_MARKS}])({_CLOSING}) (?=(\S{{1,40}}))")
_MARK_AND_SPACE = re.compile(rf"[{_END_MARKS}]{_CLOSING}\s")
_DIGITS = re.compile(r"[#§]?[^\W\d_]{0,2}-?\d")
_ROMAN = r"(?=[ivx])(?!i\b)x{0,3}(?:ix|iv|v?i{0,3})\b|(?=[IVX])(?!I\b)X{0,3}(?:IX|IV|V?I{0,3})\b"
_NUMBER = re.compile(rf"{_DIGITS.pattern}|{_ROMAN}")
_NEXT_WORD = re.compile(r"(?![^\W\d_]\.)[^\W\d_]+")  # not another initial
_LAST_WORD = re.compile(r"[\w.&'’]*$")  # the second one of "p.m./a.m" and "Lt.-Col"
# At the beginning of a sentence: 1. Go home. a. Stay. ii. Eat.
_ENUMERATOR = re.compile(r"(?:\d{1,3}|[^\W\d_]|[ivx]{1,4})\.")


class SentenceSplitter:
    """Finds the ends of sentences.

    Parameters
    ----------
    abbreviations : iterable of str
        Abbreviations in addition to those of the table, in lower case and without the final full stop.

    Examples
    --------
    >>> SentenceSplitter().split("Mr. Fox met Dr. Lee at 6 p.m. They had tea.")
    ['Mr. Fox met Dr. Lee at 6 p.m.', 'They had tea.']
    """

    def __init__(self, abbreviations: Iterable[str] = ()) -> None:
        self._abbreviations = frozenset(abbreviations)
        self._cached_is_end = functools.lru_cache(maxsize=_CACHE_SIZE)(self._is_end)

    def may_split(self, text: str) -> bool:
        """Tell quickly whether the text has a place where a sentence might end."""
        return _MARK_AND_SPACE.search(text) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the start and the end of each sentence.

        Parameters
        ----------
        text : str
            Its only whitespace is single spaces.
        """
        begin = 0
        for match in _POSSIBLE_END.finditer(text):
            word, closing, following = match.groups()
            if match.start() == begin and _ENUMERATOR.fullmatch(word) and closing in ("", ")"):
                continue
            if word == "." and text.endswith(". ", 0, match.start()):
                word = "..."  # written with spaces between the full stops
            is_end = self._cached_is_end if match.end() - match.start() <= _LONGEST_CACHED else self._is_end
            if is_end(word, closing, following):
                yield begin, match.end() - 1
                begin = match.end()
        if begin < len(text):
            yield begin, len(text)

    def split(self, text: str) -> list[str]:
        """Split a text into sentences. Any whitespace becomes a single space."""
        text = " ".join(text.split())
        return [text[begin:end] for begin, end in self.spans(text)]

    def is_abbreviation(self, word: str) -> bool:
        """Tell whether a word with a full stop after it is an abbreviation in any context.

        Parameters
        ----------
        word : str
            The word without its final full stop.

        Examples
        --------
        >>> splitter = SentenceSplitter()
        >>> splitter.is_abbreviation("Mr"), splitter.is_abbreviation("no")
        (True, False)
        """
        lowered = word.lower()
        return (
            lowered in table.TITLES
            or lowered in table.CLOSABLE
            or lowered in table.LIST_ENDS
            or lowered in self._abbreviations
            or lowered in _by_case(word, table.CAPITALIZED_TITLES)
            or lowered in _by_case(word, table.CAPITALIZED_CLOSABLE, table.LOWER_CASE_CLOSABLE)
            or table.is_dotted(word)
        )

    def may_be_abbreviation(self, word: str) -> bool:
        """Tell whether a word is an abbreviation in some contexts, such as an initial, or "no" in No. 5."""
        lowered = word.lower()
        return (
            len(word) == 1
            or lowered in table.NUMBERED
            or lowered in _by_case(word, table.CAPITALIZED_NUMBERED, table.LOWER_CASE_NUMBERED)
            or lowered in table.CONTINUED
            or lowered in _by_case(word, table.CAPITALIZED_CONTINUED)
            or self.is_abbreviation(word)
        )

    def _is_end(self, word: str, closing: str, following: str) -> bool:
        """Tell whether a sentence ends between a word with its end and closing marks and the following word."""
        if not following.strip(_END_MARKS):  # a space inside an ellipsis, or before a mark
            return False
        following = following.lstrip(table.OPENING_MARKS)
        first = following[:1]
        if closing and first.islower() and (word[-1] != "." or not closing.strip(")]}")):
            return False  # "What?" she asked. He left (did he?) and came back.
        if word.endswith(("..", "…", "….")):
            return first.isupper()
        if word[-1] != ".":
            return True
        last_word = _LAST_WORD.search(word[-_LONGEST_CACHED:-1])
        word = last_word.group().lstrip(table.OPENING_MARKS) if last_word else ""
        return not word or self._is_end_after_full_stop(word, following)

    def _is_end_after_full_stop(self, word: str, following: str) -> bool:
        """Do the same after a single full stop, with no marks before the following word."""
        lowered, first = word.lower(), following[:1]
        if lowered in table.TITLES or lowered in _by_case(word, table.CAPITALIZED_TITLES):
            return False
        numbered = _by_case(word, table.CAPITALIZED_NUMBERED, table.LOWER_CASE_NUMBERED)
        if lowered in table.NUMBERED or lowered in numbered:
            number = _NUMBER if lowered != "no" else _DIGITS
            if number.match(following):
                return False
        if lowered in table.CONTINUED or lowered in _by_case(word, table.CAPITALIZED_CONTINUED):
            return not first.islower()
        match = _NEXT_WORD.match(following)
        next_word = match.group().lower() if match else ""
        starts = first.isupper() and next_word in table.SENTENCE_STARTERS
        if lowered in table.LIST_ENDS:
            return first.isupper()
        if lowered in table.TIMES_OF_DAY:
            return first.isupper() and next_word not in table.AFTER_TIMES
        if len(word) == 1 and word.isalpha():  # an initial, mostly
            return starts or first.isdigit()
        return starts or not self.is_abbreviation(word)


_NOTHING: frozenset[str] = frozenset()


def _by_case(word: str, capitalized: frozenset[str], lower_case: frozenset[str] = _NOTHING) -> frozenset[str]:
    """Choose the table for a capitalized word or the one for others; neither for a word in capitals."""
    if word[1:].isupper():
        return _NOTHING
    return capitalized if word[:1].isupper() else lower_case
