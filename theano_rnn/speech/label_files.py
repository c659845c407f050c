"""Reads labels of recordings and checks them: segments from tables, TextGrids and .phn files, or one per recording."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.labelled_texts import listed
from theano_rnn.files.text_files import TextInput, display_name
from theano_rnn.speech.input_files import LABEL_TABLE, PHN, SEGMENT_TABLE, TEXTGRID, SpeechFile, recording_name
from theano_rnn.speech.recordings import Recordings
from theano_rnn.speech.segments import NO_LABEL, Segment, frame_labels, sorted_segments
from theano_rnn.speech.tables import read_columns
from theano_rnn.speech.textgrid import chosen_tier, read_tiers

SEGMENT_COLUMNS = ("name", "start", "end", "label")
LABEL_COLUMNS = ("name", "label")


def read_segments(
    files: Sequence[SpeechFile], rates: Mapping[str, int], tier: str | None = None, with_others: bool = False
) -> dict[str, list[Segment]]:
    """Read the segments of recordings.

    Parameters
    ----------
    files : sequence of SpeechFile
        The labels that `find_speech_files` has found. Tables have the columns ``name``, ``start``, ``end`` (seconds)
        and ``label``; others are ignored. TextGrids and .phn files label the recording of the same name; times in .phn
        files are numbers of samples.
    rates : mapping of str to int
        The names of the recordings, and the samples per second (Hz) of each.
    tier : str, optional
        The tier of intervals in TextGrids. Default: the only one.
    with_others : bool
        Whether files may label other recordings too; these labels are ignored.

    Returns
    -------
    dict of str to list of Segment
        By recording, in the order of `rates`, sorted by time. Recordings without segments are left out. An empty label,
        as of Praat's empty intervals, is `NO_LABEL`.

    Raises
    ------
    CorpusError
        If a file cannot be read, a column or a tier is missing, a time is not a number, a segment does not end after
        its start, segments overlap, or a recording is missing. The message names the file and the line.
    OptionError
        If there are no labels, or `tier` is given without a TextGrid.
    """
    if tier is not None and not any(file.has_ending(TEXTGRID) for file in files):
        raise OptionError(f"tier: {tier!r} was given, but there is no TextGrid; leave it out")
    files = [file for file in files if not _is_table_called(file, LABEL_TABLE)]
    if not files:
        raise OptionError(
            f"files: expected labels of the recordings, got none; name a table with the columns "
            f"{', '.join(SEGMENT_COLUMNS)}, or put TextGrids or .phn files beside the .wav files"
        )
    found: dict[str, list[Segment]] = {name: [] for name in rates}
    for file in files:
        if with_others and file.has_ending(TEXTGRID, PHN) and file.name not in rates:
            continue
        for segment in _segments_of(file, rates, tier):
            if with_others and segment.name not in rates:
                continue
            check_recording(segment.name, rates, segment.place)
            found[segment.name].append(segment)
    return {name: sorted_segments(segments) for name, segments in found.items() if segments}


def read_segments_if_any(
    files: Sequence[SpeechFile], rates: Mapping[str, int], tier: str | None = None
) -> dict[str, list[Segment]]:
    """As `read_segments`, but files may have no labels of segments, or labels of recordings that are not read."""
    has_segments = any(not _is_table_called(file, LABEL_TABLE) for file in files)
    if not has_segments and tier is None:
        return {}
    return read_segments(files, rates, tier, with_others=True)


def read_recording_labels(files: Sequence[SpeechFile], names: Collection[str]) -> dict[str, tuple[str, str]]:
    """Read one label for each whole recording.

    Parameters
    ----------
    files : sequence of SpeechFile
        Tables with the columns ``name`` and ``label``.
    names : collection of str
        The recordings.

    Returns
    -------
    dict of str to (label, place)
        By recording, in the order of `names`. Recordings without a label are left out. The place is the file and the
        line, for messages.

    Raises
    ------
    CorpusError
        If a file cannot be read, a column, a label or a recording is missing, or a recording has two labels.
    OptionError
        If there are no labels.
    """
    found: dict[str, tuple[str, str]] = {}
    files = [file for file in files if not _is_table_called(file, SEGMENT_TABLE)]
    if not files:
        raise OptionError(
            f"files: expected labels of the recordings, got none; name a table with the columns "
            f"{' and '.join(LABEL_COLUMNS)}"
        )
    for file in files:
        if file.has_ending(TEXTGRID, PHN):
            raise CorpusError(f"{TextInput(file.path).name}: labels segments; expected a table with one label per name")
        for place, (name, label) in read_columns(file, LABEL_COLUMNS):
            name, label = recording_name(name), label.strip()
            check_recording(name, names, place)
            if not label:
                raise CorpusError(f"{place}: the label is empty")
            if name in found:
                raise CorpusError(f"{place}: recording {name} has a label already ({found[name][1]})")
            found[name] = label, place
    return {name: found[name] for name in names if name in found}


def check_segments(recordings: Recordings, segments: Mapping[str, Sequence[Segment]], labels: Sequence[str]) -> None:
    """Raise CorpusError if a recording has no segments, or a label that is not among `labels`, or lacks labels."""
    for name in recordings.names:
        label_numbers(recordings, name, recordings.lengths[name], segments, labels)


def label_numbers(
    recordings: Recordings, name: str, frames: int, segments: Mapping[str, Sequence[Segment]], labels: Sequence[str]
) -> npt.NDArray[np.int32]:
    """The index of the label of each frame of a recording. Raises CorpusError as `check_segments` does."""
    of_recording = segments.get(name)
    if not of_recording:
        raise CorpusError(f"{display_name(recordings.paths[name])}: there are no segments of the recording {name}")
    numbers = {label: number for number, label in enumerate(labels)}
    for segment in of_recording:
        if segment.label not in numbers:
            raise CorpusError(
                f"{segment.place}: the label {segment.label!r:.60} does not occur in training; its labels are "
                f"{listed(labels)}"
            )
    names = frame_labels(of_recording, frames, recordings.shift)
    if NO_LABEL in names and NO_LABEL not in numbers:
        at = names.index(NO_LABEL) * recordings.shift
        raise CorpusError(f"{of_recording[0].place}: no segment of {name} covers the time {at:.3f} s; label it too")
    return np.array([numbers[name] for name in names], np.int32)


def recording_numbers(
    recordings: Recordings, of_names: Mapping[str, tuple[str, str]], labels: Sequence[str]
) -> list[int]:
    """The index of the label of each recording. Raises CorpusError if it has none, or one not among `labels`."""
    numbers = []
    for name in recordings.names:
        if name not in of_names:
            place = display_name(recordings.paths[name])
            raise CorpusError(f"{place}: the recording {name} has no label; name a table with one")
        label, place = of_names[name]
        if label not in labels:
            raise CorpusError(
                f"{place}: the label {label!r:.60} does not occur in training; its labels are {listed(labels)}"
            )
        numbers.append(labels.index(label))
    return numbers


def check_recording(name: str, names: Collection[str], place: str) -> None:
    """Raise CorpusError unless a recording is among those that are read."""
    if name in names:
        return
    if not name:
        raise CorpusError(f"{place}: the name of the recording is empty")
    near = difflib.get_close_matches(name, list(names)[:1000], 1) or list(names)[:1]
    raise CorpusError(
        f"{place}: there is no recording {name!r} among the {len(names)} that are read"
        + (f" (one of them is {near[0]!r})" if near else "")
    )


def _is_table_called(file: SpeechFile, name: str) -> bool:
    return not file.has_ending(TEXTGRID, PHN) and Path(file.name).name.lower() == name


def _segments_of(file: SpeechFile, rates: Mapping[str, int], tier: str | None) -> Iterable[Segment]:
    if file.has_ending(TEXTGRID):
        return _segments_of_textgrid(file, tier)
    return _segments_of_phn(file, rates) if file.has_ending(PHN) else _segments_of_table(file)


def _segments_of_table(file: SpeechFile) -> Iterator[Segment]:
    for place, (name, start, end, label) in read_columns(file, SEGMENT_COLUMNS):
        yield Segment(
            recording_name(name), _number(start, "start", place), _number(end, "end", place), _label(label), place=place
        )


def _segments_of_textgrid(file: SpeechFile, tier: str | None) -> Iterator[Segment]:
    source = TextInput(file.path)
    for interval in chosen_tier(read_tiers(source), tier, source.name).intervals:
        place = f"{source.name}, line {interval.line}"
        yield Segment(file.name, interval.start, interval.end, _label(interval.text), place=place)


def _segments_of_phn(file: SpeechFile, rates: Mapping[str, int]) -> Iterator[Segment]:
    """Yield the segments of a .phn file, each line of which is ``start end label``, in samples."""
    source = TextInput(file.path)
    check_recording(file.name, rates, source.name)
    rate = rates[file.name]
    for number, line in enumerate(source.lines(), start=1):
        cells = line.split(None, 2)
        place = f"{source.name}, line {number}"
        if not cells:
            continue
        if len(cells) < 3:
            raise CorpusError(f"{place}: expected the first sample, the last sample and a label, got {line[:40]!r}")
        start, end = _number(cells[0], "start", place), _number(cells[1], "end", place)
        yield Segment(file.name, start / rate, end / rate, _label(cells[2]), place=place)


def _number(cell: str, column: str, place: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise CorpusError(f"{place}: {column}: expected a number, got {cell[:40]!r}") from None


def _label(text: str) -> str:
    return text.strip() or NO_LABEL
