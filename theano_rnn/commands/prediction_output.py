"""The formats in which predict.py shows rows of results: TSV, CSV with a header, and one JSON object per line."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from theano_rnn.commands.terminal import show

Row = Sequence[Any]


def shown(value: Any) -> str:
    """A value as text: probabilities with six digits; tabs and line ends of texts become spaces."""
    if isinstance(value, float):
        return f"{value:.6f}"
    return str(value).replace("\t", " ").replace("\n", " ").replace("\r", " ")


def tsv(columns: Sequence[str]) -> Callable[[Row], None]:
    """Tab-separated values without a header."""
    return lambda row: show(*map(shown, row))


def csv_rows(columns: Sequence[str]) -> Callable[[Row], None]:
    """Comma-separated values; the header is shown at once."""

    def line(row: Row) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)  # with "", cells with line ends would not be quoted
        show(text.getvalue().removesuffix("\n"))

    line(columns)
    return lambda row: line([f"{value:.6f}" if isinstance(value, float) else value for value in row])


def json_lines(columns: Sequence[str]) -> Callable[[Row], None]:
    """One object per row, with the names of the columns as keys."""
    return lambda row: show(json.dumps(dict(zip(columns, row, strict=False)), ensure_ascii=False))


FORMATS: dict[str, Callable[[Sequence[str]], Callable[[Row], None]]] = {
    "tsv": tsv,
    "csv": csv_rows,
    "json": json_lines,
}
"""Formats by name. Each takes the names of the columns, and returns a function that shows one row."""
