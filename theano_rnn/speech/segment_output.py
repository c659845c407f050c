"""Writes segments: as TSV, CSV or JSON, one per line, or as TextGrids, one per recording."""

import csv
import io
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from theano_rnn.errors import CorpusError, OptionError, OutputFileError
from theano_rnn.files.output_files import check_output_path, write_output
from theano_rnn.files.text_files import TextInput
from theano_rnn.speech.segments import Segment
from theano_rnn.speech.tables import quoted
from theano_rnn.speech.textgrid import Interval, Tier, read_tiers, seconds, textgrid_text

COLUMNS = ("name", "start", "end", "label", "probability")
LABEL_TIER, PROBABILITY_TIER = "label", "probability"
TEXTGRID_ENDING = ".TextGrid"


def tsv_lines(segments: Iterable[Segment]) -> Iterator[str]:
    """Yield a line for each segment, columns separated by tabs, without a header.

    Cells are quoted only if they hold tabs or begin with a quote. Line ends in labels become spaces.
    """
    for one in segments:
        yield "\t".join([quoted(one.name), seconds(one.start), seconds(one.end), quoted(one.label), _probability(one)])


def csv_lines(segments: Iterable[Segment]) -> Iterator[str]:
    """Yield the header and a row for each segment. A row has several lines if its label has."""
    for cells in itertools.chain([COLUMNS], _cells(segments)):
        text = io.StringIO()
        # With another line terminator, csv does not quote cells that hold line ends.
        csv.writer(text, lineterminator="\n").writerow(cells)
        yield text.getvalue().removesuffix("\n")


def json_lines(segments: Iterable[Segment]) -> Iterator[str]:
    """Yield a JSON object for each segment, whose keys are `COLUMNS`."""
    for one in segments:
        times = {"name": one.name, "start": round(one.start, 6), "end": round(one.end, 6)}
        yield json.dumps({**times, "label": one.label, "probability": one.probability}, ensure_ascii=False)


def textgrid_lines(segments: Iterable[Segment]) -> Iterator[str]:
    """Yield the lines of the TextGrid of one recording.

    It has two tiers of the same intervals, ``label`` and, if the segments have probabilities, ``probability``.

    Raises
    ------
    OptionError
        If there are segments of several recordings: a TextGrid can hold only one.
    """
    chosen = list(segments)
    names = {one.name for one in chosen}
    if len(names) > 1:
        raise OptionError(
            f"format: a TextGrid holds one recording, and there are {len(names)}; name a folder with `output`, or read "
            "them one by one"
        )
    return iter("".join(textgrid_text(_tiers(chosen), chosen[-1].end if chosen else 0)).rstrip("\n").split("\n"))


FORMATS: dict[str, Callable[[Iterable[Segment]], Iterator[str]]] = {
    "tsv": tsv_lines,
    "csv": csv_lines,
    "json": json_lines,
    "textgrid": textgrid_lines,
}
"""Formats by name. Each takes segments, and yields lines without their ends."""


def check_textgrids(folder: str | os.PathLike[str], names: Iterable[str]) -> None:
    """Check that the TextGrids of recordings can be written, before a long computation starts.

    Parameters
    ----------
    folder : path
    names : iterable of str
        The names of the recordings.

    Raises
    ------
    OutputFileError
        If a name leads out of the folder, or there is a TextGrid with other tiers than `write_textgrids` writes, which
        may be the work of a person.
    """
    for path in (_textgrid_path(folder, name) for name in names):
        if not path.exists():
            continue
        try:
            is_ours = [tier.name for tier in read_tiers(TextInput(path))] == [LABEL_TIER, PROBABILITY_TIER]
        except CorpusError:
            is_ours = False
        if not is_ours:
            raise OutputFileError(f"{path}: is there already, with other tiers; choose another folder, or move it away")


def write_textgrids(folder: str | os.PathLike[str], recordings: Iterable[Sequence[Segment]]) -> list[Path]:
    """Write a TextGrid for each recording, called like it. Slashes in names become folders.

    Parameters
    ----------
    folder : path
        It is created if it does not exist.
    recordings : iterable of sequences of Segment
        The segments of each recording, at least one.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    OutputFileError
        If a file cannot be written, or a name leads out of the folder.
    """
    written = []
    for segments in recordings:
        path = _textgrid_path(folder, segments[0].name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputFileError(f"{path.parent}: cannot be created: {error.strerror}; choose another place") from None
        write_output(check_output_path(path), textgrid_text(_tiers(segments), segments[-1].end))
        written.append(path)
    return written


def _textgrid_path(folder: str | os.PathLike[str], name: str) -> Path:
    """The file for a recording. Raises OutputFileError if the name leads out of the folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or "/" in parts or ".." in parts or ":" in name:
        raise OutputFileError(f"{name!r}: the name of this recording cannot be a file's name; rename it")
    return Path(folder, *parts[:-1], f"{parts[-1]}{TEXTGRID_ENDING}")


def _tiers(segments: Sequence[Segment]) -> list[Tier]:
    tiers = [Tier(LABEL_TIER, [Interval(one.start, one.end, one.label) for one in segments])]
    if any(one.probability is not None for one in segments):
        tiers += [Tier(PROBABILITY_TIER, [Interval(one.start, one.end, _probability(one)) for one in segments])]
    return tiers


def _cells(segments: Iterable[Segment]) -> Iterator[tuple[str, ...]]:
    for one in segments:
        yield one.name, seconds(one.start), seconds(one.end), one.label, _probability(one)


def _probability(segment: Segment) -> str:
    return "" if segment.probability is None else f"{segment.probability:.6f}"
