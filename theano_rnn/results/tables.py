"""Rows of results as tab-separated values, CSV with a header, or one JSON object per row."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

# Some readers treat these characters as line ends, but JSON does not require them to be escaped.
LINE_ENDS = {code_point: f"\\u{code_point:04x}" for code_point in (0x85, 0x2028, 0x2029)}


class Table:
    """Shows rows in a format.

    Parameters
    ----------
    format : {"tsv", "csv", "json"}
        CSV has a header. In it texts are always quoted, and numbers and truth values never are, so that pandas and R
        recognize the types of the columns.
    columns : sequence of str
        Their names.
    show : callable
        Writes its arguments as the tab-separated columns of one line.
    """

    def __init__(self, format: str, columns: Sequence[str], show: Callable[..., Any]) -> None:
        self._format, self._columns, self._show = format, columns, show
        self._has_header = False

    def add(self, row: Sequence[Any]) -> None:
        """Show a row: a str, bool, int, float or None for each column."""
        if self._format == "json":
            self._show(json_line(dict(zip(self._columns, map(finite_or_none, row), strict=True))))
        elif self._format == "tsv":
            self._show(*map(_tsv_cell, row))
        else:
            if not self._has_header:
                self._show(",".join(self._columns))
                self._has_header = True
            self._show(",".join(map(csv_cell, row)))


def csv_cell(value: Any) -> str:
    """Write a value for CSV: texts in quotes, floats with nine significant digits, None as an empty cell.

    Truth values are TRUE and FALSE, because R's read.csv does not recognize True and False; pandas recognizes both.

    Examples
    --------
    >>> print(csv_cell('a "b" c'), csv_cell(True), csv_cell(0.5), csv_cell(-math.inf))
    "a ""b"" c" TRUE 0.5 -inf
    """
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if isinstance(value, float):
        return f"{value:.9g}"
    return "" if value is None else str(value).upper()


def json_line(document: dict[str, Any]) -> str:
    """Write an object as one line of JSON. It has no infinite numbers."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False).translate(LINE_ENDS)


def finite_or_none(value: Any) -> Any:
    """Return None for an infinite number, which JSON cannot express, and any other value unchanged."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _tsv_cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6f}"
    return " ".join(str(value).replace("\t", " ").split("\n"))
