"""Writes the probabilities of all labels at each frame, as .npz or CSV."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import OptionError, OutputFileError
from theano_rnn.files.atomic_files import atomic_write
from theano_rnn.files.npz_writer import write_arrays
from theano_rnn.files.output_files import check_output_path, write_output
from theano_rnn.files.text_files import has_extension
from theano_rnn.speech.segments import frame_time
from theano_rnn.speech.textgrid import seconds

Probabilities = npt.NDArray[np.floating]

ENDINGS = (".npz", ".csv")


def check_frames_path(path: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Check that probabilities can be written to a file, before a long computation starts.

    Parameters
    ----------
    path : path
    inputs : iterable of paths
        Files that must not be overwritten.

    Raises
    ------
    OptionError
        If the name ends in neither .npz nor .csv, or the file is one of `inputs`.
    OutputFileError
        If it cannot be written.
    """
    if not any(has_extension(path, ending) for ending in ENDINGS):
        raise OptionError(f"frames: expected a file named {' or '.join(ENDINGS)}, got {os.fspath(path)}")
    return check_output_path(path, inputs)


def write_frames(
    path: str | os.PathLike[str],
    labels: Sequence[str],
    shift: float,
    recordings: Iterable[tuple[str, Probabilities]],
) -> None:
    """Write the probabilities of labels at frames.

    An .npz holds ``probabilities`` (frames of all recordings, labels), ``lengths`` and ``names`` of the recordings,
    ``labels``, and ``shift`` in seconds. A CSV has a row for each frame, with the columns ``name``, ``start`` and
    ``end`` (seconds) and one for each label; it is written while recordings come.

    Parameters
    ----------
    path : path
        Its ending tells the format.
    labels : sequence of str
    shift : float
        Seconds between frames.
    recordings : iterable of (str, array (frames, labels))
        Names and probabilities.

    Raises
    ------
    OptionError, OutputFileError
        As `check_frames_path`.
    """
    checked = check_frames_path(path)
    if has_extension(path, ".csv"):
        write_output(checked, _csv_parts(labels, shift, recordings))
        return
    names: list[str] = []
    parts: list[npt.NDArray[np.float32]] = []
    for name, probabilities in recordings:
        names.append(name)
        parts.append(probabilities.astype(np.float32))
    arrays = {
        "probabilities": np.concatenate([np.zeros((0, len(labels)), np.float32), *parts]),
        "lengths": np.array([len(part) for part in parts], np.int64),
        "names": np.array(names, np.str_),
        "labels": np.array(labels, np.str_),
        "shift": np.array([shift]),
    }
    try:
        with atomic_write(checked) as file:
            write_arrays(file, arrays)
    except OSError as error:
        raise OutputFileError(f"{path}: cannot be written: {error.strerror or error}; choose another place") from error


def _csv_parts(labels: Sequence[str], shift: float, recordings: Iterable[tuple[str, Probabilities]]) -> Iterator[str]:
    """Yield the rows of each recording together."""
    yield _rows([["name", "start", "end", *labels]])
    for name, probabilities in recordings:
        times = [seconds(frame_time(frame, shift)) for frame in range(len(probabilities) + 1)]
        yield _rows(
            [name, start, end, *(f"{value:.6f}" for value in row)]
            for start, end, row in zip(times, times[1:], probabilities.tolist(), strict=False)
        )


def _rows(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
