"""Tables about recordings: TSV and CSV with named columns, in which cells may be quoted."""

import re
from collections.abc import Iterable, Iterator, Sequence

from theano_rnn.errors import CorpusError
from theano_rnn.files.csv_files import CsvReader
from theano_rnn.files.text_files import TextInput
from theano_rnn.speech.input_files import SpeechFile

# A cell in quotes, in which quotes are doubled, or any other cell, with the tab after it.
_CELL = re.compile(r'("(?:[^"]|"")*"|[^\t]*)\t')
_MOST_COLUMNS_SHOWN = 20


def unquoted(cell: str) -> str:
    """Remove the quotes around a cell of a TSV, if it is one that `quoted` has quoted.

    Examples
    --------
    >>> unquoted('"an ""ah"" sound"'), unquoted('"a')
    ('an "ah" sound', '"a')
    """
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', ""):
        return cell[1:-1].replace('""', '"')
    return cell


def quoted(text: str) -> str:
    r"""Make a cell of a TSV that `unquoted` turns back into the text.

    It is quoted only if it holds tabs or begins with a quote.
    Line ends become spaces, because each row is one line.

    Examples
    --------
    >>> quoted('a"b'), quoted('a\tb')
    ('a"b', '"a\tb"')
    """
    text = text.replace("\r", " ").replace("\n", " ")
    return '"' + text.replace('"', '""') + '"' if "\t" in text or text.startswith('"') else text


def tsv_rows(source: TextInput) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that is not blank."""
    for number, line in enumerate(source.lines(), start=1):
        if line and not line.isspace():
            yield number, [unquoted(cell) for cell in _CELL.findall(line + "\t")]


def read_columns(file: SpeechFile, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the cells of some columns of a table.

    Parameters
    ----------
    file : SpeechFile
        Named .csv, or else TSV.
    columns : sequence of str
        The names of the columns in the header, in any order and in upper or lower case. Without a header, these are
        the first columns.

    Yields
    ------
    place : str
        The file and the line, for messages.
    cells : list of str
        As many as there are columns.

    Raises
    ------
    CorpusError
        If the file cannot be read or is empty, or a column is missing.
    """
    source = TextInput(file.path)
    rows: Iterable[tuple[int, list[str]]] = CsvReader(source).rows() if file.has_ending(".csv") else tsv_rows(source)
    chosen: list[int] | None = None
    width = 0
    for line, row in rows:
        place = f"{source.name}, line {line}"
        if chosen is None:
            header = [cell.strip().casefold() for cell in row]
            named = sum(name in header for name in columns)
            # A label or a name may be called like a column, but next to numbers it is not a header.
            has_header = named > 1 or (named == 1 and len(columns) > 2 and not any(map(_is_number, row)))
            missing = [name for name in columns if name not in header] if has_header else columns[len(row) :]
            if missing:
                shown = ", ".join(repr(cell[:40]) for cell in row[:_MOST_COLUMNS_SHOWN])
                raise CorpusError(
                    f"{place}: there is no column {missing[0]}; expected {', '.join(columns)}, and the columns are "
                    f"{shown}"
                )
            chosen = [header.index(name) for name in columns] if has_header else list(range(len(columns)))
            width = len(row)
            if has_header:
                continue
        if len(row) <= max(chosen):
            raise CorpusError(f"{place}: expected {width} columns, got {len(row)}")
        yield place, [row[i] for i in chosen]
    if chosen is None:
        raise CorpusError(f"{source.name}: is empty; expected the columns {', '.join(columns)}")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
