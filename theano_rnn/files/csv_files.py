"""CSV and TSV files: the cells of one column, whatever separates the columns."""

import csv
import itertools
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar

from theano_rnn.errors import CorpusError
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.files.text_files import TextInput

logger = logging.getLogger(__name__)

DEFAULT_COLUMNS = ("body", "text")

_LONGEST_CELL = 2**30  # characters
_LONGEST_HEADER = 100  # lines
_LONGEST_COLUMN_NAME = 80  # characters
_MOST_WORDS_IN_COLUMN_NAME = 6
_MOST_COLUMNS_SHOWN = 20
_LONGEST_NAME_SHOWN = 40
_SENTENCE_END = re.compile(r"[.!?…][\"')\]”’»]*(\s|$)")


class _BrokenRow(CorpusError):
    """A row that is not valid CSV."""


class CsvReader(CorpusReader):
    """Reads one column of a table.

    Rows are those of ``csv.DictReader``: the first row names the columns, and empty lines are not rows. Columns are
    separated by commas, or by semicolons, tabs or vertical bars if the header suggests them.

    Parameters
    ----------
    source : TextInput
        The open text.
    column : str, optional
        The name of the column. An exact match comes first, then a name that differs only in case or surrounding
        whitespace. Default: ``body``, else ``text``, else the only column.

    Examples
    --------
    >>> import io
    >>> source = TextInput(None, io.BytesIO(b"id;text\\n1;He went home.\\n"))
    >>> list(CsvReader(source).lines())
    ['He went home.']
    """

    is_table = True
    # The first delimiter is used unless the header suggests another one.
    _delimiters: ClassVar[tuple[str, ...]] = (",", ";", "\t", "|")

    def __init__(self, source: TextInput, column: str | None = None) -> None:
        super().__init__(source, column)
        self._first_line = 1  # after blank lines
        self._rows = 0  # rows read so far; the header is row 1

    def documents(self) -> Iterator[Iterable[str]]:
        """Yield the cell of each row below the header as a document: see `lines`."""
        for cell in self.lines():
            yield [cell]

    def lines(self) -> Iterator[str]:
        """Yield the cell of each row below the header; it is empty if the row is too short.

        Raises
        ------
        CorpusError
            If the column does not exist, a quoted cell is not closed, a cell of several lines continues after its
            closing quote, or the file cannot be read. The message names the line and, if known, the row. The header
            is row 1.
        """
        return (cell for (cell,) in self.cells({"column": self._column}))

    def cells(self, columns: Mapping[str, str | None]) -> Iterator[list[str]]:
        """Yield the cells of several columns for each row below the header.

        Parameters
        ----------
        columns : mapping of str to str or None
            Their names as for `CsvReader`, by the option that chooses them, for messages. None is the default column.

        Raises
        ------
        CorpusError
            As for `lines`.
        """
        rows = self.rows()
        line, header = next(rows, (1, []))
        indices = [self._index(header, line, *chosen) for chosen in columns.items()]
        index = max(indices)
        short_rows = long_rows = 0
        first_short = first_long = None
        for line, row in rows:
            if len(row) <= index:
                short_rows, first_short = short_rows + 1, first_short or line
            elif len(row) > len(header):
                long_rows, first_long = long_rows + 1, first_long or line
            yield [row[index] if index < len(row) else "" for index in indices]
        if short_rows:
            logger.info(
                "%s: %d rows without column %d, the first on line %d", self.name, short_rows, index + 1, first_short
            )
        if long_rows:
            logger.warning(
                "%s, line %d: more columns than the header names (%d such rows); put texts that contain the delimiter "
                "in quotes",
                self.name,
                first_long,
                long_rows,
            )

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of the first line and the cells of each row, the header first.

        Raises
        ------
        CorpusError
            As for `lines`, except that no column is looked for.
        """
        lines = self._without_leading_blanks(line + "\n" for line in self._source.lines(self._row_place))
        return self._read_rows(lines)

    def _row_place(self) -> str:
        return f", in row {self._rows + 1}"

    def _without_leading_blanks(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            if not line.isspace():
                return itertools.chain([line], lines)
            self._first_line += 1
        return iter(())

    def _read_rows(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the first line number and the cells of each row, the header first."""
        head: list[str] = []  # the first lines

        def lines_of_head() -> Iterator[str]:
            yield from list(head)
            for line in itertools.islice(lines, _LONGEST_HEADER - len(head)):
                head.append(line)
                yield line

        headers: dict[str, list[str]] = {}
        faults = []
        for delimiter in self._delimiters:
            try:
                headers[delimiter] = next((row for _, row in self._parsed(lines_of_head(), delimiter)), [])
            except _BrokenRow as error:
                faults.append(error)
        if not headers:
            raise faults[0]
        for line, row in self._parsed(itertools.chain(head, lines), self._choose_delimiter(headers)):
            self._rows += 1
            yield line, row

    def _parsed(self, lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Yield the first line number and the cells of each row, from the first row that is not blank."""
        row_lines: list[str] = []  # the lines of the row that is being read

        def recorded() -> Iterator[str]:
            for row_line in lines:
                row_lines.append(row_line)
                yield row_line

        reader = csv.reader(recorded(), delimiter=delimiter)
        line, is_below_header = self._first_line, False
        while True:
            # The limit applies to the whole process, and a text may be longer than the default of 131,072 characters.
            limit = csv.field_size_limit(_LONGEST_CELL)
            try:
                row = next(reader, None)
                if row_lines and not _is_closed(row_lines, delimiter):
                    raise csv.Error("it is not closed, or its cell continues after it")
            except csv.Error as error:
                raise _BrokenRow(
                    f"{self.name}, line {line}: the row that begins here has a broken quote (row {self._rows + 1}: "
                    f'{error}); close it, and write a quote inside a quoted text as ""'
                ) from None
            finally:
                csv.field_size_limit(limit)
            if row is None:
                return
            row_lines.clear()
            if row and (is_below_header or any(cell and not cell.isspace() for cell in row)):
                is_below_header = True
                yield line, row
            line = self._first_line + reader.line_num

    def _choose_delimiter(self, headers: dict[str, list[str]]) -> str:
        """Choose a delimiter that gives a header with the column, else one that gives the most columns."""
        found = (delimiter for delimiter, header in headers.items() if self._matching_columns(header, self._column))
        return next(found, self._fallback_delimiter(headers))

    def _fallback_delimiter(self, headers: dict[str, list[str]]) -> str:
        return max(headers, key=lambda delimiter: len(headers[delimiter]))

    def _matching_columns(self, header: list[str], column: str | None) -> list[int]:
        """Find the indices of the columns with the name, or with the first default name that occurs."""
        simplifications: tuple[Callable[[str], str], ...] = (str, _simplified)
        for name in DEFAULT_COLUMNS if column is None else (column,):
            for simplify in simplifications:
                found = [i for i, title in enumerate(header) if simplify(title) == simplify(name)]
                if found:
                    return found
        return []

    def _index(self, header: list[str], line: int, option: str, column: str | None) -> int:
        """Find the index of a column, which an option chooses."""
        place = f"{self.name}, line {line}"
        found = self._matching_columns(header, column)
        if found:
            if len(found) > 1:
                logger.warning(
                    "%s: %d columns are called %s; the first of them is read", place, len(found), header[found[0]]
                )
            return found[0]
        if len(header) == 1 and column is None and _may_be_column_name(header[0]):
            logger.info("%s: the texts are in the only column, %s", place, header[0])
            return 0
        names = " or ".join(DEFAULT_COLUMNS)
        if len(header) < 2 and column is None:
            raise CorpusError(
                f"{place}: there is no header; the first line must hold the column names, {names} for the texts"
            )
        names = names if column is None else repr(column)
        raise CorpusError(
            f"{place}: row 1, the header, has no column {names}; its columns are {_listed(header)}; choose one of them "
            f"with `{option}`"
        )


class TsvReader(CsvReader):
    """Reads one column of a table whose columns are separated by tabs, unless the header suggests another delimiter."""

    _delimiters = ("\t", ",", ";", "|")

    def _fallback_delimiter(self, headers: dict[str, list[str]]) -> str:
        return next(iter(headers))


def _is_closed(lines: list[str], delimiter: str) -> bool:
    """Tell whether the quotes of a row are closed.

    Within a line, a cell may continue after its closing quote ("Go," he said), as in ``csv.DictReader``. If the cell
    spans several lines, this means that an earlier quote was never closed and the cell has swallowed other rows.
    """
    if len(lines) == 1 and lines[0].count('"') % 2 == 0:
        return True
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return len(lines) == 1 and "end of data" not in str(error)
    return True


def _simplified(name: str) -> str:
    return name.strip().casefold()


def _may_be_column_name(cell: str) -> bool:
    """Tell whether a cell looks like the name of a column rather than a text, a number or nothing."""
    return (
        len(cell) <= _LONGEST_COLUMN_NAME
        and len(cell.split()) <= _MOST_WORDS_IN_COLUMN_NAME
        and any(character.isalpha() for character in cell)
        and not _SENTENCE_END.search(cell)
    )


def _listed(header: list[str]) -> str:
    """Join the names of the columns, and leave some out if there are too many."""
    names = []
    for name in header[:_MOST_COLUMNS_SHOWN]:
        if len(name) > _LONGEST_NAME_SHOWN:
            name = name[:_LONGEST_NAME_SHOWN] + "…"
        names.append(name if name and name.isprintable() and name == name.strip() and "," not in name else repr(name))
    left = len(header) - len(names)
    return ", ".join(names) + (f" and {left:,} more" if left else "")
