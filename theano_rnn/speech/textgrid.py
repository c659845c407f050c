"""Praat's TextGrid: a parser of its long and short text forms, and a writer of the long one.

Both forms hold the same free-standing numbers, strings in quotes and flags in the same order. The long form puts names
such as ``xmin =`` between them, which mean nothing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import TextInput

INTERVALS, POINTS = "IntervalTier", "TextTier"
_BINARY = b"ooBinaryFile"
_REMEDY = "save it in Praat as a text file"
# A string, in which quotes are doubled; a number or a flag between whitespace; a comment.
_VALUE = re.compile(r'"((?:[^"]|"")*)("?)|(?<!\S)([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?!\S)|<(\w+)>|(?<!\S)!.*')


class Interval(NamedTuple):
    """An interval of a tier.

    Attributes
    ----------
    start, end : float
        Seconds.
    text : str
    line : int
        The line of the file in which it starts; 0 if it is not from a file.
    """

    start: float
    end: float
    text: str
    line: int = 0


@dataclass(frozen=True)
class Tier:
    """A tier of intervals. Tiers of points have no intervals.

    Attributes
    ----------
    name : str
    intervals : list of Interval
    is_points : bool
    """

    name: str
    intervals: list[Interval]
    is_points: bool = False


def read_tiers(source: TextInput) -> list[Tier]:
    """Read the tiers of a TextGrid.

    Parameters
    ----------
    source : TextInput
        UTF-8, or UTF-16 of either byte order.

    Raises
    ------
    CorpusError
        If the file cannot be read or is not a complete TextGrid. The message names the line.
    """
    return _Parser(_text(source), source.name).tiers()


def chosen_tier(tiers: Sequence[Tier], name: str | None, place: str) -> Tier:
    """Return the tier of intervals with a name, or the only one if no name is given.

    Parameters
    ----------
    tiers : sequence of Tier
    name : str, optional
        Upper and lower case are the same, unless two tiers differ in nothing else.
    place : str
        The file, for messages.

    Raises
    ------
    CorpusError
        If there is no such tier, or it holds points, or there are several and no name is given.
    """
    names = ", ".join(repr(tier.name) for tier in tiers) or "none"
    if name is None:
        found = [tier for tier in tiers if not tier.is_points]
        if not found:
            raise CorpusError(f"{place}: has no tier of intervals; the tiers are {names}")
        if len(found) > 1:
            raise CorpusError(
                f"{place}: has {len(found)} tiers of intervals; choose one with `tier`; the tiers are {names}"
            )
        return found[0]
    found = [tier for tier in tiers if tier.name == name]
    found = found or [tier for tier in tiers if tier.name.strip().casefold() == name.strip().casefold()]
    if not found:
        raise CorpusError(f"{place}: there is no tier {name!r}; the tiers are {names}")
    if found[0].is_points:
        raise CorpusError(f"{place}: tier {name!r} holds points; expected intervals; the tiers are {names}")
    return found[0]


def textgrid_text(tiers: Sequence[Tier], end: float) -> Iterator[str]:
    """Yield the text of a TextGrid in parts, in the long form.

    Parameters
    ----------
    tiers : sequence of Tier
        Of intervals, each after the other in time. Gaps become intervals without text.
    end : float
        The end of the TextGrid in seconds, not before the last interval's.
    """
    yield 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
    yield f"xmin = 0\nxmax = {seconds(end)}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:\n"
    for number, tier in enumerate(tiers, start=1):
        intervals = list(_without_gaps(tier.intervals, end))
        yield f'    item [{number}]:\n        class = "{INTERVALS}"\n        name = {_string(tier.name)}\n'
        yield f"        xmin = 0\n        xmax = {seconds(end)}\n        intervals: size = {len(intervals)}\n"
        for position, interval in enumerate(intervals, start=1):
            yield f"        intervals [{position}]:\n            xmin = {seconds(interval.start)}\n"
            yield f"            xmax = {seconds(interval.end)}\n            text = {_string(interval.text)}\n"


def seconds(time: float) -> str:
    """Return a time in seconds as text: exact to a microsecond, without superfluous zeros.

    Examples
    --------
    >>> seconds(0.57), seconds(3.0), seconds(1 / 3)
    ('0.57', '3', '0.333333')
    """
    return f"{time:.6f}".rstrip("0").rstrip(".")


def _text(source: TextInput) -> str:
    """Decode a TextGrid: by its byte order mark, or by the zeros that UTF-16 without one has, or as UTF-8."""
    data = source.data()
    if data.startswith(_BINARY):
        raise CorpusError(f"{source.name}: is a binary TextGrid; {_REMEDY}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif data[:2].count(0) == 1:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    else:
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        name = encoding.upper().removesuffix("-SIG")
        raise CorpusError(
            f"{source.name}, line {line}: byte 0x{data[error.start]:02x} is not {name}; {_REMEDY} in UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Parser:
    """Takes the values of a TextGrid one after the other."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._values = (match for match in _VALUE.finditer(text) if not match.group().startswith("!"))
        self._counted = 0  # characters up to here hold the line ends counted so far
        self._line = 1

    def tiers(self) -> list[Tier]:
        if not self._text.strip():
            raise self._error("is empty; expected a TextGrid")
        if not self._string("the type of the file").startswith("ooTextFile") or self._string("TextGrid") != "TextGrid":
            raise self._error('is not a TextGrid, which begins with "ooTextFile" and "TextGrid"')
        self._number("the start")
        self._number("the end")
        if self._next("<exists>").group(4) != "exists":
            return []
        return [self._tier() for _ in range(self._count("tiers"))]

    def _tier(self) -> Tier:
        kind = self._string("the class of a tier")
        if kind not in (INTERVALS, POINTS):
            raise self._error(f"a tier is of class {kind!r}; expected {INTERVALS} or {POINTS}")
        name = self._string("the name of a tier")
        self._number("the start of a tier")
        self._number("the end of a tier")
        count = self._count("intervals")
        if kind == INTERVALS:
            return Tier(name, [self._interval() for _ in range(count)])
        for _ in range(count):
            self._number("the time of a point")
            self._string("the text of a point")
        return Tier(name, [], is_points=True)

    def _interval(self) -> Interval:
        start = self._number("the start of an interval")
        line = self._line
        return Interval(start, self._number("the end of an interval"), self._string("the text of an interval"), line)

    def _next(self, expected: str) -> "re.Match[str]":
        match = next(self._values, None)
        if match is None:
            raise CorpusError(
                f"{self._name}: ends where {expected} is expected; the file is truncated or not a TextGrid"
            )
        self._line += self._text.count("\n", self._counted, match.start())
        self._counted = match.start()
        return match

    def _string(self, expected: str) -> str:
        match = self._next(expected)
        if match.group(1) is None:
            raise self._error(f"expected {expected} in quotes, got {match.group()[:40]!r}")
        if not match.group(2):
            raise self._error("the quote that begins here is not closed")
        return match.group(1).replace('""', '"')

    def _number(self, expected: str) -> float:
        match = self._next(expected)
        if match.group(3) is None:
            raise self._error(f"expected {expected}, a number, got {match.group()[:40]!r}")
        return float(match.group(3))

    def _count(self, things: str) -> int:
        number = self._number(f"the number of {things}")
        if number < 0 or number != int(number) or number > len(self._text):
            raise self._error(f"expected the number of {things}, got {number:g}")
        return int(number)

    def _error(self, message: str) -> CorpusError:
        return CorpusError(f"{self._name}, line {self._line}: {message}")


def _without_gaps(intervals: Iterable[Interval], end: float) -> Iterator[Interval]:
    """Yield the intervals, and one without text wherever none is."""
    time = 0.0
    for interval in intervals:
        if seconds(interval.start) != seconds(time) and interval.start > time:
            yield Interval(time, interval.start, "")
        yield interval
        time = interval.end
    if seconds(time) != seconds(end) and end > time:
        yield Interval(time, end, "")


def _string(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
