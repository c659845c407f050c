"""Reads the code blocks of a Markdown file, and compares what a block prints with what the file shows."""

import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = {"sh", "console", "python", "text"}
MARKERS = {
    "not run": {"sh", "console", "python"},
    "not checked": {"text"},
    "sampled": {"text", "console"},
}

_FENCE = re.compile(r"```(\S*)")
_MARKER = re.compile(r"<!-- ([a-z ]+?)(?:: (.+))? -->")
_INDENTED = re.compile(r" {4,}\S")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[\d,]+ tokens/s|\b\d+ s$")
ANY_LINES = "…"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the marker in the HTML comment above it, if any."""

    place: str
    language: str
    text: str
    marker: str | None
    reason: str | None


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a file.

    Raises
    ------
    AssertionError
        For a language or marker that is not known, a marker without a reason, and an indented code block.
    """
    found, lines = [], iter(enumerate(path.read_text(encoding="utf-8").splitlines(), 1))
    previous = ""
    for number, line in lines:
        place = f"{path.parent.name}/{path.name}, line {number}"
        assert not (_INDENTED.match(line) and not previous.strip()), f"{place}: use a fenced block with a language"
        if match := _FENCE.match(line):
            content = itertools.takewhile(lambda numbered: numbered[1] != "```", lines)
            text = "".join(f"{inner}\n" for _, inner in content)
            found.append(Block(place, match[1], text, *_marker(previous)))
            _check(found[-1])
        previous = line
    return found


def _marker(line: str) -> tuple[str | None, str | None]:
    match = _MARKER.fullmatch(line)
    return (match[1], match[2]) if match else (None, None)


def _check(block: Block) -> None:
    assert block.language in LANGUAGES, f"{block.place}: unknown language {block.language!r}; one of {LANGUAGES}"
    if block.marker is not None:
        assert block.marker in MARKERS, f"{block.place}: unknown marker {block.marker!r}; one of {list(MARKERS)}"
        assert block.language in MARKERS[block.marker], f"{block.place}: {block.marker!r} is not for {block.language}"
        assert block.reason or block.marker == "sampled", f"{block.place}: say why the block is {block.marker}"


def console_steps(text: str) -> list[tuple[str, str]]:
    """[(command, what it prints)] of a block in which commands begin with ``$``."""
    steps: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], ""))
        else:
            command, shown = steps[-1]
            steps[-1] = command, f"{shown}{line}\n"
    return steps


def shows(expected: str, actual: str, tolerance: float) -> bool:
    """Whether a line is as the file shows it.

    Parameters
    ----------
    expected, actual : str
        Runs of whitespace count as one, and all times and speeds as equal.
    tolerance : float
        Relative difference allowed between numbers.
    """
    expected, actual = (" ".join(_TIME.sub("TIME", line).split()) for line in (expected, actual))
    if _NUMBER.sub("N", expected) != _NUMBER.sub("N", actual):
        return False
    numbers = ([float(number.replace(",", "")) for number in _NUMBER.findall(line)] for line in (expected, actual))
    return all(math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance / 100) for a, b in zip(*numbers, strict=True))


def difference(shown: str, out: str, err: str, tolerance: float) -> str | None:
    """What is wrong with a shown output, or None.

    All lines of standard output have to be shown, in order; lines of standard error may be shown after them. A line
    ``…`` stands for any number of lines.
    """
    out_lines, err_lines = ([line for line in text.splitlines() if line.strip()] for text in (out, err))
    wildcard = False
    for line in filter(str.strip, shown.splitlines()):
        if line.strip() == ANY_LINES:
            wildcard = True
            continue
        while wildcard and out_lines and not shows(line, out_lines[0], tolerance):
            del out_lines[0]
        if out_lines and shows(line, out_lines[0], tolerance):
            del out_lines[0]
        else:
            while err_lines and not shows(line, err_lines[0], tolerance):
                del err_lines[0]
            if not err_lines:
                return f"does not print {line!r}"
            del err_lines[0]
        wildcard = False
    return f"also prints {out_lines[0]!r}" if out_lines and not wildcard else None
