"""Files of sources with their targets: tables with two columns, or two texts whose lines belong together."""

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.corpus_formats import format_of
from theano_rnn.files.csv_files import CsvReader
from theano_rnn.files.text_files import TextInput

Path = str | os.PathLike[str]

HEADER = ("source", "target")
_MISSING = object()


class TextPair(NamedTuple):
    """A source, its target, and where they are: the name of the file and the line, for messages."""

    source: str
    target: str
    place: str


def read_pairs(
    paths: Sequence[Path], targets: Path | None = None, standard_input: BinaryIO | None = None
) -> Iterator[TextPair]:
    """Yield the pairs of all files, or of standard input if there are none. Blank lines are skipped.

    Parameters
    ----------
    paths : sequence of paths
        Files named ``.csv`` are CSV with two columns. All others are lines of a source, a tab and its target. If the
        first row of a file has the names ``source`` and ``target``, there may be more columns, in any order.
    targets : path, optional
        The text with the targets of the only file in `paths`, which then holds the sources alone.
    standard_input : binary file, or None if it is closed

    Raises
    ------
    CorpusError
        If a line has no tab or an empty side, the numbers of lines differ, or a file cannot be read. The message names
        the file and the line.
    OptionError
        If there are targets for several files.
    """
    if targets is not None:
        if len(paths) != 1:
            raise OptionError(f"target: belongs to one file of sources, got {len(paths)}; name one with `data`")
        yield from _line_pairs(TextInput(paths[0]), TextInput(targets))
        return
    for path in paths:
        source = TextInput(path)
        if format_of(path)[0] == "csv":
            yield from _row_pairs(CsvReader(source).rows(), source.name, "a source and its target")
        else:
            yield from _row_pairs(_tsv_rows(source), source.name)
    if not paths:
        source = TextInput(None, standard_input)
        yield from _row_pairs(_tsv_rows(source), source.name)


def _tsv_rows(source: TextInput) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that is not blank."""
    for number, line in enumerate(source.lines(), start=1):
        if line and not line.isspace():
            yield number, line.split("\t")


def _row_pairs(
    rows: Iterable[tuple[int, list[str]]], name: str, expected: str = "a source, a tab and its target"
) -> Iterator[TextPair]:
    columns: tuple[int, int] | None = None
    has_names = False
    for line, row in rows:
        place = f"{name}, line {line}"
        if columns is None:
            names = [cell.strip().casefold() for cell in row]
            if set(HEADER) <= set(names):
                columns, has_names = (names.index("source"), names.index("target")), True
                continue
            columns = (0, 1)
        if not has_names and len(row) != 2:
            found = "there is only one column" if len(row) < 2 else f"there are {len(row)} columns"
            raise CorpusError(f"{place}: {found}; expected {expected}")
        if max(columns) >= len(row):
            raise CorpusError(f"{place}: expected at least {max(columns) + 1} columns, got {len(row)}")
        yield _checked(row[columns[0]], row[columns[1]], place)


def _line_pairs(sources: TextInput, targets: TextInput) -> Iterator[TextPair]:
    pairs = itertools.zip_longest(sources.lines(), targets.lines(), fillvalue=_MISSING)
    for number, (source, target) in enumerate(pairs, start=1):
        if source is _MISSING or target is _MISSING:
            longer, shorter = (sources, targets) if target is _MISSING else (targets, sources)
            raise CorpusError(
                f"{longer.name} has more lines than {shorter.name}, which ends after line {number - 1}; line n of one "
                "must belong to line n of the other"
            )
        assert isinstance(source, str) and isinstance(target, str)
        if source.strip() or target.strip():
            yield _checked(source, target, f"{sources.name}, line {number}", f"{targets.name}, line {number}")


def _checked(source: str, target: str, place: str, target_place: str | None = None) -> TextPair:
    for side, text, where in (("source", source, place), ("target", target, target_place or place)):
        if not text.strip():
            raise CorpusError(f"{where}: the {side} is empty; remove the pair")
    return TextPair(source.strip(), target.strip(), place)
