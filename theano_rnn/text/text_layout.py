"""What about a text suggests that it be read in another way: one item per line, or character by character.

Knows texts and how many sentences were found in them, not how they were found.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from theano_rnn.checks import check_count
from theano_rnn.text.documents import parts

# A text of this many times more lines than sentences is told of, if they are at least so many.
_LINES_PER_SENTENCE = 2
_LEAST_SURPLUS = 5
LONGEST_SENTENCE = 1000  # tokens

# Lines that are wrapped at a width end where the next word would not have fitted.
_LEAST_WIDTH = 20
_MOST_WIDTH = 1000
_WRAPPED_SHARE = 0.85
_SHARE_WITHIN_WIDTH = 0.99
# Lines of prose that is wrapped otherwise go on in lower case, while some lines begin with a capital.
_SMALL_SHARE, _CAPITAL_SHARE = 0.6, 0.02

# Scripts that are written without spaces between words, and a mean run of their letters that shows that a text is.
_UNSPACED = (
    (
        re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"),
        3,
    ),  # Chinese, Japanese
    (re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+"), 8),  # Thai, Lao, Burmese, Khmer
)
_LETTERS = re.compile(r"[^\W\d_]")
_LEAST_SHARE = 0.3
_SAMPLE_LENGTH = 100_000


@dataclass(frozen=True)
class Layout:
    """What about a text suggests reading it in another way.

    Attributes
    ----------
    lines : int
        Its lines, as `count_items` counts them.
    sentences, longest : int
        How many sentences were found in it, and the number of tokens of the longest.
    is_unspaced : bool
        See `is_unspaced`.
    """

    lines: int = 0
    sentences: int = 0
    longest: int = 0
    is_unspaced: bool = False

    @classmethod
    def of(cls, documents, splits_sentences: bool, sentences: int, longest: int) -> "Layout":
        """The layout of documents; their lines are counted only if sentences were looked for in them."""
        return cls(count_items(documents) if splits_sentences else 0, sentences, longest, is_unspaced(documents))

    def hints(self, splits_sentences: bool, name: Callable[[str], str] = str) -> list[str]:
        """How else the text could be read: one line each, mostly none.

        Parameters
        ----------
        splits_sentences : bool
            Whether sentences were looked for in the text, rather than taken to be its lines.
        name : callable
            Turns the name of an option into what the user knows it by.
        """
        hints = []
        has_items = self.lines >= _LINES_PER_SENTENCE * self.sentences
        if splits_sentences and has_items and self.lines - self.sentences >= _LEAST_SURPLUS:
            found = "1 sentence was" if self.sentences == 1 else f"{self.sentences:,} sentences were"
            hints.append(
                f"the text has {self.lines:,} lines, but only {found} found in it; "
                f"if each line is an item of its own, use {name('lines')}"
            )
        elif splits_sentences and self.longest > LONGEST_SENTENCE:
            hints.append(
                f"the longest sentence has {self.longest:,} tokens; "
                f"if each line of the text is an item of its own, use {name('lines')}"
            )
        elif self.longest > LONGEST_SENTENCE:
            hints.append(f"the longest line has {self.longest:,} tokens; put each sentence on a line of its own")
        if self.is_unspaced:
            hints.append(
                "the text has few spaces, so whole phrases are read as single words; "
                f"use {name('level')} char, or separate the words by spaces"
            )
        return hints

    def to_configuration(self) -> dict:
        """A plain dict that JSON can write and `from_configuration` reads."""
        return asdict(self)

    @classmethod
    def from_configuration(cls, configuration: dict) -> "Layout":
        """The layout that `to_configuration` described; TypeError or ValueError for what is none."""
        layout = cls(**configuration)
        for field in ("lines", "sentences", "longest"):
            check_count(field, getattr(layout, field), 0)
        return layout


def count_items(documents) -> int:
    """The number of lines that are not blank, or 0 if they are lines of paragraphs wrapped at a width."""
    continued = small = capital = 0
    lengths, reaches = np.zeros(_MOST_WIDTH + 1, np.int64), np.zeros(_MOST_WIDTH + 1, np.int64)
    for document in documents:
        length = 0  # of the line before; 0 if it was blank
        for line in _lines(document):
            line = line.strip()
            if line and length:
                continued += 1
                small += line[0].islower()
                capital += line[0].isupper()
                # How long the line before would be with this line's first word.
                reaches[min(length + 1 + len(line.split(None, 1)[0]), _MOST_WIDTH)] += 1
            length = len(line)
            lengths[min(length, _MOST_WIDTH)] += length > 0
    lines = int(lengths.sum())
    width = int(np.searchsorted(lengths.cumsum(), _SHARE_WITHIN_WIDTH * lines))
    is_wrapped = (
        _LEAST_WIDTH <= width < _MOST_WIDTH and reaches[width + 1 :].sum() >= _WRAPPED_SHARE * reaches.sum() > 0
    )
    is_prose = small >= _SMALL_SHARE * continued and capital >= _CAPITAL_SHARE * continued > 0
    return 0 if is_wrapped or is_prose else lines


def _lines(document) -> Iterable[str]:
    begun = ""
    for part in parts(document):
        *whole, begun_next = part.split("\n")
        for line in whole:
            yield begun + line
            begun = ""
        begun += begun_next
    if begun:
        yield begun


def is_unspaced(documents) -> bool:
    """Whether a text is mostly in a script without spaces between words, and has no such spaces."""
    sample = ""
    for document in documents:
        sample += next(iter(parts(document)), "") + "\n"
        if len(sample) >= _SAMPLE_LENGTH:
            break
    sample = sample[:_SAMPLE_LENGTH]
    letters = len(_LETTERS.findall(sample))
    for script, usual_length in _UNSPACED:
        runs = list(map(len, script.findall(sample)))
        if sum(runs) > _LEAST_SHARE * letters and sum(runs) >= usual_length * len(runs):
            return True
    return False
