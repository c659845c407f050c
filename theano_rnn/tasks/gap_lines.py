"""Lines of text with gaps: what stands around each gap, and the words after the tabs."""

import re
from typing import NamedTuple

from theano_rnn.errors import CorpusError
from theano_rnn.text.tokenizer import Tokenizer

GAP = re.compile("_{3,}")


class GapLine(NamedTuple):
    """A line with gaps, the words after its tabs, and where it is."""

    text: str
    words: list[str]
    place: str


def gap_line(line: str, place: str) -> GapLine:
    """Take a line apart: the text with gaps, and the words after its tabs.

    Raises
    ------
    CorpusError
        If the text is empty or has no gap.
    """
    text, *words = line.split("\t")
    if not text.strip():
        raise CorpusError(f"{place}: the text is empty")
    if not GAP.search(text):
        raise CorpusError(f"{place}: there is no gap; write ___ for the missing word")
    return GapLine(text, words, place)


def gap_sentences(text: str, tokenizer: Tokenizer) -> list[list[str | None]]:
    """The tokens of each sentence of a text that has a gap; None stands for the gap.

    Examples
    --------
    >>> gap_sentences("It rains. The ___ isn't here.", Tokenizer())
    [['the', None, 'is', "n't", 'here', '.']]
    """
    mark = "gapgapgap"  # a word, so that what stands beside it is split as beside words
    while mark in text.lower():
        mark += "gap"
    separated = re.sub(r"(?<=\w)(?<!_)(?=_{3})|(?<=_{3})(?=[^\W_])", " ", text)
    marked = GAP.sub(f" {mark} " if tokenizer.tokenized else mark, separated)
    sentences: list[list[str | None]] = []
    for sentence in tokenizer.split(marked):
        tokens = [None if token == mark else token for token in tokenizer.tokenize(sentence)]
        if None in tokens:
            sentences.append(tokens)
    if sum(tokens.count(None) for tokens in sentences) == len(GAP.findall(text)):
        return sentences
    first, *rest = [tokenizer.tokenize(part) for part in GAP.split(text)]  # something else stuck to a mark
    return [[*first, *(token for part in rest for token in (None, *part))]]
