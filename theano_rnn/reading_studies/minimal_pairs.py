"""Reads minimal pairs: a better and a worse sentence on each line, as TSV, JSON lines or CSV."""

import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from theano_rnn.errors import CorpusError
from theano_rnn.files.corpus_formats import format_of

GOOD, BAD = "sentence_good", "sentence_bad"  # BLiMP's names
_HEADERS = ((GOOD, BAD), ("good", "bad"), ("better", "worse"), ("right", "wrong"))
_MOST_SHOWN = 12  # fields


@dataclass(frozen=True)
class MinimalPair:
    """Two sentences, the better one first.

    Attributes
    ----------
    good, bad : str
    line : int
        The number of the line in its file, from 1.
    fields : dict
        What else the line says about the pair, by name.
    """

    good: str
    bad: str
    line: int
    fields: Mapping[str, Any] = field(default_factory=dict)


def read_pairs(lines: Iterable[str], name: str, required: str | None = None) -> Iterator[MinimalPair]:
    """Yield the pairs of a file. Blank lines are skipped.

    Parameters
    ----------
    lines : iterable of str
        If the first one begins with ``{``, each is a JSON object with `sentence_good` and `sentence_bad`, as in BLiMP.
        Otherwise each holds the better sentence, a tab and the worse one; or the first is a header with
        `sentence_good` and `sentence_bad` (or `good` and `bad`, `better` and `worse`, `right` and `wrong`) and any
        other columns.
    name : str
        The name of the file, for messages. If it ends in ``.csv``, the file is CSV with such a header.
    required : str, optional
        A field that every pair must have.

    Raises
    ------
    CorpusError
        If a line is no such pair, a sentence is empty, or the field is missing. The message names the line.
    """
    written = ((number, line) for number, line in enumerate(lines, 1) if line and not line.isspace())
    first = next(written, None)
    if first is None:
        return
    numbered = itertools.chain([first], written)
    if first[1].lstrip().startswith("{"):
        pairs = _json_pairs(numbered, name)
    elif format_of(name)[0] == "csv":
        pairs = _row_pairs(_csv_rows(numbered, name), name, needs_header=True)
    else:
        pairs = _row_pairs(((number, line.split("\t")) for number, line in numbered), name)
    for pair in pairs:
        place = f"{name}, line {pair.line}"
        for kind, sentence in (("better", pair.good), ("worse", pair.bad)):
            if not sentence.strip():
                raise CorpusError(f"{place}: the {kind} sentence is empty; add it, or remove the line")
        if required is not None and required not in pair.fields:
            shown = ", ".join(itertools.islice(pair.fields, _MOST_SHOWN)) or "none but the sentences"
            raise CorpusError(f"{place}: has no field {required!r}; its fields are {shown}")
        yield pair


def _json_pairs(lines: Iterable[tuple[int, str]], name: str) -> Iterator[MinimalPair]:
    for number, line in lines:
        place = f"{name}, line {number}"
        try:
            document = json.loads(line)
            json.dumps(document, ensure_ascii=False).encode("utf-8")  # fails for half a surrogate pair
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{place}: is not valid JSON ({error}); write one object per line") from None
        if not isinstance(document, dict):
            raise CorpusError(f"{place}: expected a JSON object with {GOOD} and {BAD}, got {line.strip()[:40]!r}")
        for key in (GOOD, BAD):
            if not isinstance(document.get(key), str):
                problem = f"{key} is no text" if key in document else f"has no {key}"
                raise CorpusError(f"{place}: {problem}; expected the texts {GOOD} and {BAD}")
        good, bad = document.pop(GOOD), document.pop(BAD)
        yield MinimalPair(good, bad, number, document)


def _row_pairs(rows: Iterable[tuple[int, list[str]]], name: str, needs_header: bool = False) -> Iterator[MinimalPair]:
    header: Sequence[str] = ()
    good, bad = 0, 1
    for is_first, (number, row) in zip(itertools.chain([True], itertools.repeat(False)), rows, strict=False):
        place = f"{name}, line {number}"
        if is_first:
            names = [cell.strip() for cell in row]
            folded = [cell.casefold() for cell in names]
            found = next((pair for pair in _HEADERS if set(pair) <= set(folded)), None)
            if found:
                header, good, bad = names, folded.index(found[0]), folded.index(found[1])
                continue
            if needs_header:
                raise CorpusError(f"{place}: expected a header with {GOOD} and {BAD}, got {', '.join(names)[:80]!r}")
        expected = len(header) or 2
        if len(row) != expected:
            columns = "1 column" if len(row) == 1 else f"{len(row)} columns"
            wanted = f"{expected} columns as in the header" if header else "the better sentence, a tab, the worse one"
            remedy = "" if header else f"; for more columns, add a header with {GOOD} and {BAD}"
            raise CorpusError(f"{place}: expected {wanted}, found {columns}{remedy}")
        fields = {title: cell for i, (title, cell) in enumerate(zip(header, row, strict=False)) if i not in (good, bad)}
        yield MinimalPair(row[good], row[bad], number, fields)


def _csv_rows(lines: Iterable[tuple[int, str]], name: str) -> Iterator[tuple[int, list[str]]]:
    number = 0

    def texts() -> Iterator[str]:
        nonlocal number
        for line_number, line in lines:
            number = line_number
            yield line + "\n"

    try:
        for row in csv.reader(texts(), strict=True):
            yield number, row
    except csv.Error as error:
        raise CorpusError(f"{name}, line {number}: is not valid CSV ({error}); check its quotes") from None
