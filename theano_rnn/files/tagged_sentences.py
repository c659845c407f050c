"""Sentences with tags: one token per line, columns separated by tabs, and a blank line after each sentence (CoNLL).

Columns may also be separated by spaces, as in the files of CoNLL-2003; the first lines of a file tell which it is.
"""

import enum
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO, NamedTuple

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import TextInput

LONGEST_SHOWN = 40  # characters of a line, in messages

_SPACES = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[0-9]+(?:[-.][0-9]+)?")


class Form(enum.Enum):
    """What the lines of a file are."""

    TABS = "columns separated by tabs"
    SPACES = "columns separated by spaces"
    TOKENS = "single tokens"
    TEXT = "plain text"


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
        lines, form = begun_lines(source.lines(), form_of_tagged)
        for sentence in sentences_of_rows(lines, source.name, form, is_tagged=True):
            is_empty = False
            yield sentence
        if is_empty:
            raise CorpusError(f"{source.name}: holds no sentence; expected a token, a tab and its tag on each line")


def sentences_to_tag(
    lines: Iterator[str], name: str, tokens_of: Callable[[str], list[list[str]]], tags: Collection[str] = ()
) -> Iterator[TaggedSentence]:
    """Yield the sentences of a text that needs no tags: columns, one token per line, or plain text.

    The first lines tell which it is. A tab is found in columns only. Lines of one word each, followed by a blank line
    or the end, are the tokens of a sentence, unless there is just one. Lines of as many words each, the last of which
    is a tag, are columns separated by spaces. Everything else is plain text.

    Parameters
    ----------
    lines : iterator of str
    name : str
        The name of the file.
    tokens_of : callable
        Takes a line of plain text, and returns the tokens of each of its sentences.
    tags : collection of str
        The tags that tell columns separated by spaces from plain text.

    Raises
    ------
    CorpusError
        If columns are missing or a line holds more than one token.
    """
    numbered, form = begun_lines(lines, lambda rows: form_to_tag(rows, tags))
    if form is not Form.TEXT:
        yield from sentences_of_rows(numbered, name, form)
        return
    for number, line in numbered:
        for tokens in tokens_of(line):
            if tokens:
                yield TaggedSentence([[token] for token in tokens], name, number)


def begun_lines(
    lines: Iterable[str], form_of: Callable[[list[list[str]]], Form | None]
) -> tuple[Iterator[tuple[int, str]], Form]:
    """Number the lines from 1, and read as many of them as it takes to tell their form.

    Parameters
    ----------
    lines : iterable of str
    form_of : callable
        Takes the words of the first lines, and returns their form, or None if it depends on the next line. The last
        list is empty at the end of the sentence.
    """
    numbered = enumerate(lines, start=1)
    begun: list[tuple[int, str]] = []
    rows: list[list[str]] = []
    form = None
    for number, line in numbered:
        begun.append((number, line))
        if "\t" in line:
            return chain(begun, numbered), Form.TABS
        is_blank = not line or line.isspace()
        if not rows and (is_blank or is_comment(line)):
            continue
        rows.append([] if is_blank else _SPACES.split(line.strip(" ")))
        form = form_of(rows)
        if form is not None:
            break
    return chain(begun, numbered), form or form_of([*rows, []]) or Form.TEXT


def form_of_tagged(rows: list[list[str]]) -> Form:
    """The form of lines that have tags and no tabs: the first one tells."""
    return Form.SPACES if len(rows[0]) > 1 else Form.TABS


def form_to_tag(rows: list[list[str]], tags: Collection[str]) -> Form | None:
    """The form of lines without tabs that may have no tags; see `sentences_to_tag`.

    Examples
    --------
    >>> form_to_tag([["Dogs"], ["bark"], []], ["N", "V"]), form_to_tag([["Dogs", "bark"]], ["N", "V"])
    (<Form.TOKENS: 'single tokens'>, <Form.TEXT: 'plain text'>)
    >>> form_to_tag([["Dogs", "N"], ["bark", "V"], []], ["N", "V"])
    <Form.SPACES: 'columns separated by spaces'>
    """
    *before, row = rows
    if not row:
        if len(before) < 2:
            return Form.TEXT
        return Form.TOKENS if len(before[0]) == 1 else Form.SPACES
    if len(row) != len(rows[0]) or (len(row) > 1 and row[-1] not in tags):
        return Form.TEXT
    return None


def is_comment(line: str) -> bool:
    """Tell whether a line of columns or single tokens is a comment, as before the sentences of CoNLL-U."""
    return line.startswith("# ") and "\t" not in line


def sentences_of_rows(
    lines: Iterable[tuple[int, str]], name: str, form: Form, is_tagged: bool = False
) -> Iterator[TaggedSentence]:
    """Yield the sentences of numbered lines, each of which holds a token and perhaps more columns.

    Comments are left out, except among columns separated by spaces, where they look like any other line.

    Parameters
    ----------
    lines : iterable of (int, str)
    name : str
        The name of the file.
    form : Form
        Not plain text.
    is_tagged : bool
        Whether the last column must be a tag.

    Raises
    ------
    CorpusError
        If a column is missing or empty, a line without columns holds more than one token, or the first column numbers
        the tokens.
    """
    rows: list[list[str]] = []
    first = columns = 0
    may_be_numbered = True
    for number, line in chain(lines, [(0, "")]):
        if not line or line.isspace():
            if len(rows) > 1 and may_be_numbered:
                _check_numbers(rows, f"{name}, line {first}")
                may_be_numbered = False
            if rows:
                yield TaggedSentence(rows, name, first)
            rows = []
        elif form is Form.SPACES or not is_comment(line):
            row = _SPACES.split(line.strip(" \t")) if form is Form.SPACES else line.split("\t")
            columns = columns or len(row)
            _check_row(row, columns, is_tagged, f"{name}, line {number}")
            first = first if rows else number
            rows.append(row)


def _check_row(row: list[str], columns: int, is_tagged: bool, place: str) -> None:
    """Raise CorpusError unless a row has its columns, a token, and a tag if it must have one."""
    shown = repr(" ".join(row)[:LONGEST_SHOWN])
    if is_tagged and len(row) < 2:
        raise CorpusError(f"{place}: expected a token, a tab and its tag, got {shown}")
    if len(row) != columns:
        raise CorpusError(f"{place}: expected {columns} columns, as in the lines before, got {len(row)}: {shown}")
    if not row[0]:
        raise CorpusError(f"{place}: the token is empty")
    if is_tagged and not row[-1].strip():
        raise CorpusError(f"{place}: the tag is empty")
    if columns == 1 and " " in row[0].strip():
        raise CorpusError(f"{place}: expected one token, as in the lines before, got {shown}")


def _check_numbers(rows: list[list[str]], place: str) -> None:
    """Raise CorpusError if the first column numbers the tokens of a sentence, as in CoNLL-U."""
    numbers = [row[0] for row in rows if row[0].isdecimal()]
    is_numbered = all(_NUMBER.fullmatch(row[0]) for row in rows) and numbers == [
        str(i + 1) for i in range(len(numbers))
    ]
    if len(rows[0]) > 2 and is_numbered:
        raise CorpusError(
            f"{place}: the first column numbers the tokens, as in CoNLL-U; expected the token there and its tag in the "
            "last column: choose these two with `cut -f 2,4`"
        )
