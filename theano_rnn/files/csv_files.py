"""The texts of CSV files: the cells of one column, whatever divides the columns. Knows text, not files."""

import csv
import itertools
import logging
import re

from theano_rnn.errors import CorpusError

logger = logging.getLogger(__name__)

DEFAULT_COLUMNS = ("body", "text")

# The first of them is taken where the header shows nothing else.
_DELIMITERS = {"csv": (",", ";", "\t", "|"), "tsv": ("\t", ",", ";", "|")}
_LONGEST_CELL = 2**30  # characters
_LONGEST_HEADER = 100  # lines
_LONGEST_COLUMN_NAME = 80  # characters
_MOST_WORDS_IN_COLUMN_NAME = 6
_MOST_COLUMNS_SHOWN = 20
_LONGEST_NAME_SHOWN = 40
_SENTENCE_END = re.compile(r"[.!?…][\"')\]”’»]*(\s|$)")


class _BrokenRow(CorpusError):
    """A row that is no CSV."""


class TextColumn:
    """One column of a table.

    Rows are those of ``csv.DictReader``: the first one names the columns, and empty lines are no rows. Columns are
    separated by commas, or by semicolons, tabs or vertical bars if the header shows them; in the format "tsv" by tabs.

    Parameters
    ----------
    source : TextInput
    format : {"csv", "tsv"}
    column : str, optional
        The column's name. Exactly this name comes first, then one that differs in case or surrounding whitespace only.
        Default: ``body``, else ``text``, else the only column.
    """

    def __init__(self, source, format="csv", column=None):
        self._source = source
        self._name = source.name
        self._format = format
        self._column = column
        self._first_line = 1  # after blank ones
        self._rows = 0  # read so far; the header is row 1

    def cells(self):
        """Yield the cell of each row below the header: an empty one where the row is too short.

        Raises
        ------
        CorpusError
            If there is no such column, a quoted cell is not closed, a cell of several lines continues after its closing
            quote, or the file cannot be read. The message names the line and, as far as it is known, the row, counted
            from the header, row 1.
        """
        lines = self._without_leading_blanks(line + "\n" for line in self._source.lines(self._place))
        rows = self._read_rows(lines)
        line, header = next(rows, (1, []))
        index = self._index(header, line)
        short_rows = long_rows = 0
        first_short = first_long = None
        for line, row in rows:
            if len(row) <= index:
                short_rows, first_short = short_rows + 1, first_short or line
                yield ""
                continue
            if len(row) > len(header):
                long_rows, first_long = long_rows + 1, first_long or line
            yield row[index]
        if short_rows:
            logger.info("%s: %d rows without column %d, the first on line %d",
                self._name, short_rows, index + 1, first_short)  # fmt: skip
        if long_rows:
            logger.warning(
                "%s, line %d: more columns than the header names (%d such rows); is a delimiter inside a text that "
                "is not in quotes?", self._name, first_long, long_rows)  # fmt: skip

    def _place(self):
        return f", in row {self._rows + 1}"

    def _without_leading_blanks(self, lines):
        for line in lines:
            if not line.isspace():
                return itertools.chain([line], lines)
            self._first_line += 1
        return iter(())

    def _read_rows(self, lines):
        """Yield (line on which it begins, cells) of each row, the header first."""
        head = []  # the first lines

        def lines_of_head():
            yield from list(head)
            for line in itertools.islice(lines, _LONGEST_HEADER - len(head)):
                head.append(line)
                yield line

        headers, fault = {}, None
        for delimiter in _DELIMITERS[self._format]:
            try:
                headers[delimiter] = next((row for _, row in self._parsed(lines_of_head(), delimiter)), [])
            except _BrokenRow as error:
                fault = fault or error
        if not headers:
            raise fault
        for line, row in self._parsed(itertools.chain(head, lines), self._told_delimiter(headers)):
            self._rows += 1
            yield line, row

    def _parsed(self, lines, delimiter):
        """Yield (line, cells) of each row, from the first one that is not blank."""
        begun = []  # the lines of the row that is being read

        def noted():
            for one in lines:
                begun.append(one)
                yield one

        reader = csv.reader(noted(), delimiter=delimiter)
        line, is_below_header = self._first_line, False
        while True:
            # The limit is one for the whole process, and a text may be longer than its 131,072 characters.
            limit = csv.field_size_limit(_LONGEST_CELL)
            try:
                row = next(reader, None)
                if begun and not _is_closed(begun, delimiter):
                    raise csv.Error("it is not closed, or its cell continues after it")
            except csv.Error as error:
                raise _BrokenRow(
                    f"{self._name}, line {line}: the row that begins here has a broken quote (row {self._rows + 1}: "
                    f'{error}); close it, and write a quote inside a quoted text as ""'
                ) from None
            finally:
                csv.field_size_limit(limit)
            if row is None:
                return
            begun.clear()
            if row and (is_below_header or any(cell and not cell.isspace() for cell in row)):
                is_below_header = True
                yield line, row
            line = self._first_line + reader.line_num

    def _told_delimiter(self, headers):
        """The delimiter with which the header has the column, else the one with which it has the most columns."""
        found = (delimiter for delimiter, header in headers.items() if self._named(header))
        if self._format == "tsv":
            return next(found, next(iter(headers)))
        return next(found, max(headers, key=lambda delimiter: len(headers[delimiter])))

    def _named(self, header):
        """The indices of the columns with the name, or with the first default name that there is."""
        for name in DEFAULT_COLUMNS if self._column is None else (self._column,):
            for simplified in (str, _simplified):
                found = [i for i, one in enumerate(header) if simplified(one) == simplified(name)]
                if found:
                    return found
        return []

    def _index(self, header, line):
        """The index of the column that holds the texts."""
        place = f"{self._name}, line {line}"
        found = self._named(header)
        if found:
            if len(found) > 1:
                logger.warning(
                    "%s: %d columns are called %s; the first of them is read", place, len(found), header[found[0]]
                )
            return found[0]
        if len(header) == 1 and self._column is None and _may_be_column_name(header[0]):
            logger.info("%s: the texts are in the only column, %s", place, header[0])
            return 0
        names = " or ".join(DEFAULT_COLUMNS)
        if len(header) < 2 and self._column is None:
            raise CorpusError(
                f"{place}: there is no header; the first line must hold the column names, {names} for the texts"
            )
        names = names if self._column is None else repr(self._column)
        raise CorpusError(
            f"{place}: row 1, the header, has no column {names}; its columns are {_listed(header)}; choose one of them "
            "with --column (column=)"
        )


def _is_closed(lines, delimiter):
    """Whether the quotes of a row are closed.

    Within a line a cell may continue after its closing quote ("Go," he said), as in ``csv.DictReader``. Over several
    lines that is the sign of a quote that was never closed and has swallowed other rows.
    """
    if len(lines) == 1 and lines[0].count('"') % 2 == 0:
        return True
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return len(lines) == 1 and "end of data" not in str(error)
    return True


def _simplified(name):
    return name.strip().casefold()


def _may_be_column_name(cell):
    """Whether a cell could name a column, rather than be a text, a number or nothing."""
    return (
        len(cell) <= _LONGEST_COLUMN_NAME
        and len(cell.split()) <= _MOST_WORDS_IN_COLUMN_NAME
        and any(character.isalpha() for character in cell)
        and not _SENTENCE_END.search(cell)
    )


def _listed(header):
    """The names of columns in a line, not all of a great many."""
    names = []
    for name in header[:_MOST_COLUMNS_SHOWN]:
        if len(name) > _LONGEST_NAME_SHOWN:
            name = name[:_LONGEST_NAME_SHOWN] + "…"
        names.append(name if name and name.isprintable() and name == name.strip() and "," not in name else repr(name))
    left = len(header) - len(names)
    return ", ".join(names) + (f" and {left:,} more" if left else "")
