"""Sentences with tags: one token per line, columns separated by tabs, and a blank line after each sentence (CoNLL)."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO, NamedTuple

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import TextInput

LONGEST_SHOWN = 40  # characters of a line, in messages


class TaggedSentence(NamedTuple):
    """The lines of a sentence.

    Attributes
    ----------
    rows : list of list of str
        The columns of each line. The first is the token. In a file with tags the last is the tag.
    name : str
        The name of the file.
    line : int
        The number of the first line.
    """

    rows: list[list[str]]
    name: str
    line: int

    @property
    def tokens(self) -> list[str]:
        """The first column."""
        return [row[0] for row in self.rows]

    @property
    def tags(self) -> list[str]:
        """The last column."""
        return [row[-1].strip() for row in self.rows]

    def place(self, number: int) -> str:
        """Describe where a token is, for messages."""
        return f"{self.name}, line {self.line + number}"


def read_tagged_sentences(
    paths: Sequence[str | os.PathLike[str]], standard_input: BinaryIO | None = None
) -> Iterator[TaggedSentence]:
    """Yield the sentences of all files, or of standard input if there are none.

    Parameters
    ----------
    paths : sequence of paths
    standard_input : binary file, or None if it is closed

    Raises
    ------
    CorpusError
        If a file cannot be read or holds no sentence, or a column is missing or empty. The message names the file, and
        if possible the line.
    """
    for source in [TextInput(path) for path in paths] or [TextInput(None, standard_input)]:
        is_empty = True
        for sentence in sentences_of_rows(numbered_lines(source.lines()), source.name, is_tagged=True):
            is_empty = False
            yield sentence
        if is_empty:
            raise CorpusError(f"{source.name}: holds no sentence; expected a token, a tab and its tag on each line")


def sentences_to_tag(
    lines: Iterator[str], name: str, tokens_of: Callable[[str], list[list[str]]]
) -> Iterator[TaggedSentence]:
    """Yield the sentences of a text that needs no tags: columns, one token per line, or plain text.

    The first lines tell which it is. A tab is found in columns only. Lines of one word each, followed by a blank line
    or the end, are the tokens of a sentence, unless there is just one. Everything else is plain text.

    Parameters
    ----------
    lines : iterator of str
    name : str
        The name of the file.
    tokens_of : callable
        Takes a line of plain text, and returns the tokens of each of its sentences.

    Raises
    ------
    CorpusError
        If columns are missing or a line holds more than one token.
    """
    numbered = numbered_lines(lines)
    begun, has_rows = _first_lines(numbered)
    numbered = chain(begun, numbered)
    if has_rows:
        yield from sentences_of_rows(numbered, name)
        return
    for number, line in numbered:
        for tokens in tokens_of(line):
            if tokens:
                yield TaggedSentence([[token] for token in tokens], name, number)


def numbered_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers, from 1."""
    return enumerate(lines, start=1)


def _first_lines(lines: Iterator[tuple[int, str]]) -> tuple[list[tuple[int, str]], bool]:
    """Read as many lines as it takes to tell whether these are rows of columns or tokens; return them too."""
    begun: list[tuple[int, str]] = []
    for number, line in lines:
        is_blank = not line or line.isspace()
        if is_blank and not begun:
            continue
        begun.append((number, line))
        if is_blank:
            return begun, len(begun) > 2
        if "\t" in line:
            return begun, True
        if " " in line.strip():
            return begun, False
    return begun, len(begun) > 1


def sentences_of_rows(lines: Iterable[tuple[int, str]], name: str, is_tagged: bool = False) -> Iterator[TaggedSentence]:
    """Yield the sentences of numbered lines, each of which holds a token and perhaps more columns.

    Parameters
    ----------
    lines : iterable of (int, str)
    name : str
        The name of the file.
    is_tagged : bool
        Whether the last column must be a tag.

    Raises
    ------
    CorpusError
        If a column is missing or empty, or a line without columns holds more than one token.
    """
    rows: list[list[str]] = []
    first = columns = 0
    for number, line in lines:
        if not line or line.isspace():
            if rows:
                yield TaggedSentence(rows, name, first)
            rows = []
            continue
        row = line.split("\t")
        columns = columns or len(row)
        _check_row(row, columns, is_tagged, f"{name}, line {number}")
        if not rows:
            first = number
        rows.append(row)
    if rows:
        yield TaggedSentence(rows, name, first)


def _check_row(row: list[str], columns: int, is_tagged: bool, place: str) -> None:
    """Raise CorpusError unless a row has its columns, a token, and a tag if it must have one."""
    if is_tagged and len(row) < 2:
        raise CorpusError(f"{place}: expected a token, a tab and its tag, got {row[0][:LONGEST_SHOWN]!r}")
    if len(row) != columns:
        raise CorpusError(f"{place}: expected {columns} columns, as in the lines before, got {len(row)}")
    if not row[0]:
        raise CorpusError(f"{place}: the token is empty")
    if is_tagged and not row[-1].strip():
        raise CorpusError(f"{place}: the tag is empty")
    if columns == 1 and " " in row[0].strip():
        raise CorpusError(f"{place}: expected one token, as in the lines before, got {row[0][:LONGEST_SHOWN]!r}")
