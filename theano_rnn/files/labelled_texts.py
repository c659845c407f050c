"""Tables of texts with labels: CSV and TSV with the columns ``label`` and ``text``, or two columns without names."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from theano_rnn.errors import CorpusError
from theano_rnn.files.corpus_formats import format_of
from theano_rnn.files.csv_files import DEFAULT_COLUMNS, CsvReader
from theano_rnn.files.text_files import TextInput

LABEL_COLUMN = "label"
MOST_COLUMNS_SHOWN = 20


class LabelledText(NamedTuple):
    """A text, its label, and where it is: the name of the file and the line, for messages."""

    label: str
    text: str
    place: str


def read_labelled_texts(
    paths: Sequence[str | os.PathLike[str]], column: str | None = None, standard_input: BinaryIO | None = None
) -> Iterator[LabelledText]:
    """Yield the labelled texts of all files, or of standard input if there are none.

    Parameters
    ----------
    paths : sequence of paths
        Files named ``.csv`` are CSV. All others are TSV: one row per line, in which a quote is an ordinary character,
        unless quotes surround a cell.
    column : str, optional
        The column of the texts. Default: ``text``, else ``body``. Without a header that has it and ``label``, the files
        must have two columns: label, text.
    standard_input : binary file, or None if it is closed

    Raises
    ------
    CorpusError
        If a column, a label or a text is missing, or a file cannot be read. The message names the file and the line.
    """
    for path in paths:
        source = TextInput(path)
        is_csv = format_of(path)[0] == "csv"
        yield from _labelled_texts(CsvReader(source).rows() if is_csv else _tsv_rows(source), source.name, column)
    if not paths:
        source = TextInput(None, standard_input)
        yield from _labelled_texts(_tsv_rows(source), source.name, column)


def _tsv_rows(source: TextInput) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that is not blank."""
    for number, line in enumerate(source.lines(), start=1):
        if line and not line.isspace():
            yield number, [_unquoted(cell) for cell in line.split("\t")]


def _unquoted(cell: str) -> str:
    """Remove the quotes around a cell, if it is one that a writer of CSV has quoted.

    Examples
    --------
    >>> _unquoted('"She said ""no"" again"'), _unquoted('"No," she said')
    ('She said "no" again', '"No," she said')
    """
    inner = cell[1:-1]
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell


def _labelled_texts(rows: Iterable[tuple[int, list[str]]], name: str, column: str | None) -> Iterator[LabelledText]:
    places: tuple[int, int] | None = None
    columns = 0
    for line, row in rows:
        place = f"{name}, line {line}"
        if places is None:
            columns = len(row)
            places, is_header = _columns(row, place, column)
            if is_header:
                continue
        label_at, text_at = places
        if len(row) <= max(places):
            raise CorpusError(f"{place}: expected {columns} columns, got {len(row)}")
        label, text = row[label_at].strip(), row[text_at].strip()
        if not label:
            raise CorpusError(f"{place}: the label is empty")
        if not text:
            raise CorpusError(f"{place}: the text is empty; remove the row")
        yield LabelledText(label, text, place)


def _columns(header: list[str], place: str, column: str | None) -> tuple[tuple[int, int], bool]:
    """Find the columns of label and text in the first row, and whether it is a header."""
    names = [cell.strip().casefold() for cell in header]
    wanted = [column.strip().casefold()] if column else sorted(DEFAULT_COLUMNS, key=lambda name: name != "text")
    found = [name for name in wanted if name in names]
    if LABEL_COLUMN in names and found:
        return (names.index(LABEL_COLUMN), names.index(found[0])), True
    if len(header) == 2 and column is None and LABEL_COLUMN not in names and not found:
        return (0, 1), False
    missing = LABEL_COLUMN if LABEL_COLUMN not in names else (column or " or ".join(wanted))
    shown = ", ".join(repr(cell[:40]) for cell in header[:MOST_COLUMNS_SHOWN])
    raise CorpusError(
        f"{place}: there is no column {missing}; expected a header with {LABEL_COLUMN} and {column or wanted[0]}, or "
        f"two columns, label and text; the columns are {shown}"
    )


def listed(labels: Sequence[str], most: int = 10) -> str:
    """The first labels, for messages."""
    shown = ", ".join(f"{label!r:.40}" for label in labels[:most])
    return shown + (f" and {len(labels) - most:,} more" if len(labels) > most else "")
