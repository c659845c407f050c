"""Documents cut into sentences, a window at a time.

The rules are those of Punkt (Kiss and Strunk 2006: a full stop ends a sentence unless it belongs to an abbreviation,
an initial or an ellipsis, and then the next word decides) with the table of `theano_rnn.text.abbreviations` in place of
Punkt's unsupervised training, which takes ordinary words of short and of repetitive texts for abbreviations.
"""

import functools
import itertools
import operator
import re
from collections.abc import Iterable, Iterator

from theano_rnn.text import abbreviations as table
from theano_rnn.text.documents import parts

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


def learned_abbreviations(documents) -> tuple[str, ...]:
    """The abbreviations that documents show: `theano_rnn.text.abbreviations.learned_abbreviations` of a sample.

    Parameters
    ----------
    documents : Documents or sequence of str
        They are gone through twice, a part at a time.
    """
    return table.learned_abbreviations(_training_text(documents).split())


def split_sentences(documents, splitter: SentenceSplitter | None = None) -> Iterator[tuple[int, str]]:
    """Cut documents into sentences.

    A blank line always ends a sentence; any other whitespace inside a sentence comes out as one blank. A stretch of
    100,000 characters without a sentence end is cut where there is a blank.

    Parameters
    ----------
    documents : Documents or sequence of str
        They are gone through once, a part at a time, so that they are never in memory as a whole.
    splitter : SentenceSplitter, optional
        Default: one that knows the abbreviations that the documents show, for which they are gone through twice more.

    Yields
    ------
    end : int
        How many characters of the documents are behind this sentence, at the least; never falls.
    sentence : str
        Not empty.
    """
    splitter = splitter or SentenceSplitter(learned_abbreviations(documents))
    for start, blocks in _paragraphs(documents):
        for end, sentence in _paragraph_sentences(blocks, splitter):
            yield start + end, sentence


def _paragraphs(documents):
    """Yield (where it starts in all documents together, its text in blocks) of each paragraph that is not blank.

    The blocks follow each other directly and have single spaces for whitespace. A paragraph may be the whole text: it
    is never copied as a whole, let alone as a list of its words. Its blocks are there until the next one is asked for.
    """
    for start, blocks in itertools.groupby(_blocks(documents), operator.itemgetter(0)):
        yield start, map(operator.itemgetter(1), blocks)


def _blocks(documents):
    """Yield (where its paragraph starts, text) of the blocks of all paragraphs."""
    passed = 0
    for document in documents:
        start, newlines, gap = None, 0, ""  # of the paragraph; what stands between its last word and the next
        for part in parts(document):
            begin = len(part) - len(part.lstrip())
            newlines += part.count("\n", 0, begin)
            if begin < len(part):
                if start is None or newlines > 1:
                    start, gap = passed + begin, ""
                elif begin:
                    gap = " "
                end = len(part.rstrip())
                for mark in _PARAGRAPH_BREAK.finditer(part, begin, end):
                    yield start, gap + " ".join(part[begin : mark.start()].split())
                    begin = mark.end()
                    start, gap = passed + begin, ""
                yield start, gap + " ".join(part[begin:end].split())
                newlines, gap = part.count("\n", end), " " if end < len(part) else ""
            elif part:
                gap = " "
            passed += len(part)


def _paragraph_sentences(blocks, splitter):
    """Yield (end of the sentence, sentence), looking at one window of a long paragraph at a time."""
    text = ""
    passed = start = 0
    for block in itertools.chain(blocks, [None]):
        passed, text, start = passed + start, text[start:] + (block or ""), 0
        while len(text) - start > (0 if block is None else LONGEST_PIECE):
            stop = _cut(text, start, LONGEST_PIECE)
            spans = list(splitter.spans(text[start:stop]))
            if stop < len(text) and len(spans) > 1:
                stop = start + spans.pop()[0]  # the last sentence may go on beyond the window
            for begin, end in spans:
                sentence = text[start + begin : start + end].strip()
                if sentence:
                    yield passed + start + end, sentence
            start = stop


def _cut(text, start, length):
    """Where a piece of at most `length` characters that begins at `start` ends: at a blank if there is one."""
    if len(text) - start <= length:
        return len(text)
    blank = text.rfind(" ", start + 1, start + length)
    return start + length if blank < 0 else blank + 1


def pieces(blocks, length):
    """Yield a text, given in blocks, in pieces of at most `length` characters, cut after a blank if there is one."""
    text = ""
    start = 0
    for block in blocks:
        text, start = text[start:] + block, 0
        while len(text) - start > length:
            stop = _cut(text, start, length)
            yield text[start:stop]
            start = stop
    if start < len(text):
        yield text[start:]


def _training_text(documents):
    """At most about 400,000 characters, evenly spread over the paragraphs."""
    total = sum(len(block) for _, blocks in _paragraphs(documents) for block in blocks)
    chosen = []
    kept = passed = 0
    for _, blocks in _paragraphs(documents):
        for piece in pieces(blocks, _TRAINING_PIECE_LENGTH):
            if kept * total <= passed * _TRAINING_LENGTH or total <= _TRAINING_LENGTH:
                chosen.append(piece)
                kept += len(piece)
            passed += len(piece)
    return "\n\n".join(chosen)
