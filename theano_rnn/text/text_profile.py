"""Figures of a text that show whether other options suit it better, and what separates its sentences."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from theano_rnn.checks import check_count
from theano_rnn.text.documents import Documents, StoredDocument, document_chunks

LONG_SENTENCE = 1000  # tokens

# A text gives a hint if it has at least this many times as many lines as sentences, and at least this many more.
_LINES_PER_SENTENCE = 2
_LEAST_SURPLUS = 5

# A line wrapped at a width ends where the next word would not have fitted.
_LEAST_WIDTH = 20
_MOST_WIDTH = 1000
_WRAPPED_SHARE = 0.85
_SHARE_WITHIN_WIDTH = 0.99
# Lines of prose that is wrapped in another way mostly continue in lower case, while some lines begin with a capital.
_LOWER_CASE_SHARE, _CAPITAL_SHARE = 0.6, 0.02

# Scripts that are written without spaces between words, and the mean run of letters that shows that a text is.
_UNSPACED_SCRIPTS = (
    # Chinese, Japanese
    (re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"), 3),
    # Thai, Lao, Burmese, Khmer
    (re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+"), 8),
)
_LETTERS = re.compile(r"[^\W\d_]")
_LEAST_SHARE = 0.3
_SAMPLE_LENGTH = 100_000

_WORD = re.compile(r"\S+")
_SEPARATORS = (" ", "\n", "\n\n")
_SEPARATOR_SAMPLE_LENGTH = 400_000


@dataclass(frozen=True)
class TextProfile:
    """Figures of a text that show whether other options suit it better.

    Attributes
    ----------
    lines : int
        The number of lines, if each may be an item of its own: see `count_item_lines`.
    sentences : int
        The number of sentences found in the text.
    longest : int
        The number of tokens in the longest sentence.
    is_unspaced : bool
        Whether the text is in a script without spaces between words: see `is_unspaced`.
    """

    lines: int = 0
    sentences: int = 0
    longest: int = 0
    is_unspaced: bool = False

    @classmethod
    def measure(
        cls, documents: Documents | Sequence[str], splits_sentences: bool, sentences: int, longest: int
    ) -> "TextProfile":
        """Measure documents.

        Parameters
        ----------
        documents : Documents or sequence of str
        splits_sentences : bool
            Whether sentences were looked for, rather than each line being one. Lines are counted only then.
        sentences, longest : int
            See `TextProfile`.
        """
        lines = count_item_lines(documents) if splits_sentences else 0
        return cls(lines, sentences, longest, is_unspaced(documents))

    def hints(self, splits_sentences: bool, name: Callable[[str], str] = str) -> list[str]:
        """Suggest other options, in one line each. The list is empty for most texts.

        Parameters
        ----------
        splits_sentences : bool
            Whether sentences were looked for, rather than each line being one.
        name : callable
            Converts the name of an option to what the user calls it.

        Examples
        --------
        >>> TextProfile(lines=900, sentences=20, longest=300).hints(True)[0]
        'the text has 900 lines but only 20 sentences; if each line is a sentence or an item of its own, use lines'
        """
        hints = []
        has_items = self.lines >= _LINES_PER_SENTENCE * self.sentences
        if splits_sentences and has_items and self.lines - self.sentences >= _LEAST_SURPLUS:
            found = "1 sentence" if self.sentences == 1 else f"{self.sentences:,} sentences"
            hints.append(
                f"the text has {self.lines:,} lines but only {found}; "
                f"if each line is a sentence or an item of its own, use {name('lines')}"
            )
        elif splits_sentences and self.longest > LONG_SENTENCE:
            hints.append(
                f"the longest sentence has {self.longest:,} tokens; "
                f"if each line of the text is a sentence or an item of its own, use {name('lines')}"
            )
        elif self.longest > LONG_SENTENCE:
            hints.append(f"the longest line has {self.longest:,} tokens; put each sentence on a line of its own")
        if self.is_unspaced:
            hints.append(
                "the text has few spaces, so whole phrases are read as single words; "
                f"use {name('level')} char, or separate the words by spaces"
            )
        return hints

    def to_configuration(self) -> dict[str, Any]:
        """Return the figures as a dict that JSON can hold and `from_configuration` reads."""
        return asdict(self)

    @classmethod
    def from_configuration(cls, configuration: dict[str, Any]) -> "TextProfile":
        """Make the profile that `to_configuration` described.

        Raises
        ------
        TypeError, ValueError
            If a name is unknown, or a figure is not a count.
        """
        profile = cls(**configuration)
        for field in ("lines", "sentences", "longest"):
            check_count(field, getattr(profile, field), 0)
        return profile


def count_item_lines(documents: Documents | Sequence[str]) -> int:
    r"""Count the lines that are not blank; 0 if they are the lines of paragraphs that are wrapped at a width.

    Examples
    --------
    >>> count_item_lines(["ls -l\ncd ..\n\ngrep x y\n"])
    3
    """
    continued = lower_case = capital = 0
    lengths, reaches = np.zeros(_MOST_WIDTH + 1, np.int64), np.zeros(_MOST_WIDTH + 1, np.int64)
    for document in documents:
        length = 0  # of the previous line; 0 if it was blank
        for line in _lines(document):
            line = line.strip()
            if line and length:
                continued += 1
                lower_case += line[0].islower()
                capital += line[0].isupper()
                # How long the previous line would be with this line's first word.
                reaches[min(length + 1 + len(line.split(None, 1)[0]), _MOST_WIDTH)] += 1
            length = len(line)
            lengths[min(length, _MOST_WIDTH)] += length > 0
    lines = int(lengths.sum())
    width = int(np.searchsorted(lengths.cumsum(), _SHARE_WITHIN_WIDTH * lines))
    is_wrapped = (
        _LEAST_WIDTH <= width < _MOST_WIDTH and reaches[width + 1 :].sum() >= _WRAPPED_SHARE * reaches.sum() > 0
    )
    is_prose = lower_case >= _LOWER_CASE_SHARE * continued and capital >= _CAPITAL_SHARE * continued > 0
    return 0 if is_wrapped or is_prose else lines


def _lines(document: str | StoredDocument) -> Iterator[str]:
    line_start = ""
    for chunk in document_chunks(document):
        *whole, last = chunk.split("\n")
        for line in whole:
            yield line_start + line
            line_start = ""
        line_start += last
    if line_start:
        yield line_start


def is_unspaced(documents: Documents | Sequence[str]) -> bool:
    """Tell whether a text is mostly in a script without spaces between words, and has few spaces.

    Examples
    --------
    >>> is_unspaced(["我喜欢喝茶。你也喜欢喝茶。"]), is_unspaced(["We like tea."])
    (True, False)
    """
    sample = ""
    for document in documents:
        sample += next(document_chunks(document), "") + "\n"
        if len(sample) >= _SAMPLE_LENGTH:
            break
    sample = sample[:_SAMPLE_LENGTH]
    letters = len(_LETTERS.findall(sample))
    for script, usual_length in _UNSPACED_SCRIPTS:
        runs = list(map(len, script.findall(sample)))
        if sum(runs) > _LEAST_SHARE * letters and sum(runs) >= usual_length * len(runs):
            return True
    return False


def usual_separator(documents: Documents | Sequence[str], split: Callable[[str], list[str]]) -> str:
    r"""Tell what separates most sentences of a document from the next one.

    Parameters
    ----------
    documents : Documents or sequence of str
        The first 400,000 characters count. Each document, such as the cell of a table, is a text of its own.
    split : callable
        Splits a text into sentences.

    Returns
    -------
    str
        A space, a line end, or two for a blank line.

    Examples
    --------
    >>> usual_separator(["One\ntwo\nthree"], str.splitlines)
    '\n'
    """
    counts = [0] * len(_SEPARATORS)
    remaining = _SEPARATOR_SAMPLE_LENGTH
    for document in documents:
        for chunk in document_chunks(document):
            chunk = chunk[:remaining]
            remaining -= len(chunk)
            gaps = _WORD.split(chunk)  # before the first word, between words, and after the last one
            words = 0
            for sentence in split(chunk)[:-1]:
                words += len(sentence.split())
                if words < len(gaps):
                    counts[min(gaps[words].count("\n"), len(_SEPARATORS) - 1)] += 1
        if not remaining:
            break
    return _SEPARATORS[counts.index(max(counts))]
