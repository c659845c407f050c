"""Reads .npz files of acoustic frames: ``features`` (frames, n), ``lengths`` and ``names`` of the recordings."""

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError
from theano_rnn.files.npz_reader import (
    SUFFIX,
    UnreadableArrayError,
    check_members,
    read_array,
    read_header,
)
from theano_rnn.files.text_files import display_name
from theano_rnn.speech.features import FeatureSettings, Frames

FEATURES, LENGTHS, NAMES, SHIFT = "features", "lengths", "names", "shift"
NEEDED = (FEATURES, LENGTHS, NAMES)
_TEXT = "US"  # kinds of NumPy's strings
_ARRAYS_SHOWN = 10


@contextlib.contextmanager
def opened_npz(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    """Open an .npz, and give the archive and its members by the names of the arrays. Errors become CorpusError."""
    place = display_name(path)
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            check_members(members, file.seek(0, 2))
            yield archive, {member.filename.removesuffix(SUFFIX): member for member in members}
    except CorpusError:
        raise
    except OSError as error:
        raise CorpusError(f"{place}: cannot be read: {error.strerror or error}; check the path") from None
    except (UnreadableArrayError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{place}: is not a readable .npz file: {_one_line(error)}") from None
    except Exception as error:  # of any kind: zipfile and NumPy do not document what damaged files raise
        raise CorpusError(f"{place}: is damaged: {_one_line(error)}; copy the file again") from None


class NpzFrames:
    """The frames of the recordings in an .npz. They are read when they are iterated over.

    Parameters
    ----------
    path : pathlib.Path
        With the arrays ``features`` (frames, n), the frames of all recordings one after the other; ``lengths``, the
        number of frames of each recording; ``names``, what each is called; and perhaps ``shift``, the seconds between
        frames, 0.01 by default. Other arrays are ignored.

    Attributes
    ----------
    names : list of str
    lengths : int array
    dim : int
        Features per frame.
    shift : float
        Seconds.

    Raises
    ------
    CorpusError
        If the file cannot be read, an array is missing or of the wrong shape, the lengths do not add up to the number
        of frames, or a name is empty or occurs twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = display_name(path)
        with opened_npz(self.path) as (archive, members):
            missing = [name for name in NEEDED if name not in members]
            if missing:
                held = ", ".join(list(members)[:_ARRAYS_SHOWN]) or "nothing"
                raise CorpusError(
                    f"{self.place}: has no array {missing[0]}; expected {', '.join(NEEDED)}, and it holds {held}"
                )
            with archive.open(members[FEATURES]) as stream:
                header = read_header(stream, FEATURES, members[FEATURES].file_size)
            lengths = read_array(archive, members[LENGTHS])
            names = read_array(archive, members[NAMES], _TEXT)
            shift = read_array(archive, members[SHIFT]) if SHIFT in members else np.array(FeatureSettings.shift)
        if len(header.shape) != 2 or header.shape[1] == 0 or header.dtype.kind not in "iuf":
            raise CorpusError(
                f"{self.place}: features: expected numbers (frames, n), got {header.dtype} of shape {header.shape}"
            )
        self.dim: int = header.shape[1]
        self.lengths: npt.NDArray[np.int64] = self._checked_lengths(lengths, header.shape[0])
        self.names: list[str] = self._checked_names(names)
        if shift.size != 1 or not 0 < shift.item() < 1:
            raise CorpusError(f"{self.place}: shift: expected the seconds between frames, such as 0.01, got {shift}")
        self.shift = float(str(shift.reshape(-1)[0]))  # 0.01 also of the float32 nearest to it

    def __iter__(self) -> Iterator[tuple[str, Frames]]:
        """Yield the name and the float32 frames (frames, n) of each recording.

        Raises
        ------
        CorpusError
            If a feature of any recording is not a finite number. The message names the recording and the frame, which
            are numbered from 0.
        """
        with opened_npz(self.path) as (archive, members):
            features = read_array(archive, members[FEATURES])
        bounds = np.concatenate([[0], np.cumsum(self.lengths)]).tolist()
        parts = list(zip(self.names, bounds, bounds[1:], strict=False))
        for name, start, end in parts:  # before any is yielded
            with np.errstate(over="ignore"):
                frames = features[start:end].astype(np.float32)
            if not np.isfinite(frames).all():
                frame, feature = np.argwhere(~np.isfinite(frames))[0]
                raise CorpusError(
                    f"{self.place}: recording {name}, frame {frame}: feature {feature} is "
                    f"{features[start + frame, feature]}; expected finite numbers"
                )
        for name, start, end in parts:
            yield name, features[start:end].astype(np.float32, order="C")

    def _checked_lengths(self, lengths: npt.NDArray[Any], frames: int) -> npt.NDArray[np.int64]:
        if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or lengths.size == 0:
            raise CorpusError(
                f"{self.place}: lengths: expected whole numbers (recordings,), got {lengths.dtype} of shape "
                f"{lengths.shape}"
            )
        if (lengths < 1).any():
            number = int(np.argmax(lengths < 1))
            raise CorpusError(f"{self.place}: lengths: recording {number} has {lengths[number]} frames; remove it")
        total = sum(lengths.tolist())
        if total != frames:
            raise CorpusError(
                f"{self.place}: the lengths add up to {total:,} frames, but features has {frames:,} of them"
            )
        return lengths.astype(np.int64)

    def _checked_names(self, array: npt.NDArray[Any]) -> list[str]:
        if array.shape != self.lengths.shape:
            raise CorpusError(
                f"{self.place}: names: expected one for each of the {len(self.lengths)} lengths, got the shape "
                f"{array.shape}"
            )
        names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in array.tolist()]
        seen: set[str] = set()
        for number, name in enumerate(names):
            if not name or name in seen:
                fault = f"is called {name} like another" if name else "has no name"
                raise CorpusError(f"{self.place}: names: recording {number} {fault}")
            seen.add(name)
        return names


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
