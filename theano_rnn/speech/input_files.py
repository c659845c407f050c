"""Finds recordings and their labels among the files and folders that a user names, and tells what is called what."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import display_name, has_extension

SOUND, FRAMES = ".wav", ".npz"
TEXTGRID, PHN = ".textgrid", ".phn"
TABLES = (".tsv", ".csv", ".tsv.gz", ".csv.gz")
SEGMENT_TABLE, LABEL_TABLE = "segments", "labels"  # without endings; the tables that folders may hold
_ENDINGS = (SOUND, FRAMES, TEXTGRID, f"{TEXTGRID}.gz", PHN, f"{PHN}.gz", *TABLES)


class SpeechFile(NamedTuple):
    """A file, and what the recording in it, or the recording that it labels, is called.

    The name is the file's name without its ending. In a folder, it is the path from there, with slashes.
    """

    name: str
    path: Path

    def has_ending(self, *endings: str) -> bool:
        """Tell whether the file's name ends in one of these, perhaps with ``.gz`` after it."""
        return any(has_extension(self.path, ending) or has_extension(self.path, f"{ending}.gz") for ending in endings)


class SpeechFiles(NamedTuple):
    """What `find_speech_files` has found.

    Attributes
    ----------
    recordings : list of SpeechFile
        .wav or .npz.
    labels : list of SpeechFile
        TextGrids, .phn files, tables.
    """

    recordings: list[SpeechFile]
    labels: list[SpeechFile]


def is_speech(paths: Sequence[str | os.PathLike[str]]) -> bool:
    """Tell recordings from texts: whether a path is a folder, or ends in .wav, .npz, .TextGrid or .phn.

    Examples
    --------
    >>> is_speech(["a.wav", "segments.tsv"]), is_speech(["tags.tsv"])
    (True, False)
    """
    endings = (SOUND, FRAMES, TEXTGRID, PHN)
    return any(os.path.isdir(path) or any(has_extension(path, ending) for ending in endings) for path in paths)


def find_speech_files(paths: Sequence[str | os.PathLike[str]]) -> SpeechFiles:
    """Find recordings and labels.

    Parameters
    ----------
    paths : sequence of paths
        Files: .wav, .npz; .TextGrid, .phn, .tsv, .csv. Folders are searched with all folders inside them. Of the tables
        in a folder, only those named ``segments`` and ``labels`` are read.

    Returns
    -------
    SpeechFiles
        In the order of `paths`; in a folder, sorted by path.

    Raises
    ------
    CorpusError
        If a path does not exist, a file is of another kind, a folder holds nothing of this, or .wav and .npz are mixed.
    """
    recordings: list[SpeechFile] = []
    labels: list[SpeechFile] = []
    for path in map(Path, paths):
        if path.is_dir():
            found = list(_files_in(path))
            if not found:
                raise CorpusError(f"{display_name(path)}: holds no .wav files; name the folder of the recordings")
        elif not path.exists():
            raise CorpusError(f"{display_name(path)}: no such file; check the path")
        else:
            found = [SpeechFile(_without_ending(path.name), path)]
        for file in found:
            is_recording = file.has_ending(SOUND, FRAMES)
            if not any(has_extension(file.path, ending) for ending in _ENDINGS):
                raise CorpusError(
                    f"{display_name(path)}: expected recordings (.wav, .npz) or their labels (.tsv, .csv, .TextGrid, "
                    ".phn); check the file's ending"
                )
            (recordings if is_recording else labels).append(file)
    sounds = sum(file.has_ending(SOUND) for file in recordings)
    if 0 < sounds < len(recordings):
        first = next(file for file in recordings if not file.has_ending(SOUND))
        raise CorpusError(f"{display_name(first.path)}: .npz and .wav files cannot be mixed; name those of one kind")
    return SpeechFiles(_with_distinct_names(recordings), labels)


def files_in(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The paths, and all recordings and labels in those that are folders."""
    given = [Path(path) for path in paths]
    return [*given, *(file.path for path in given if path.is_dir() for file in _files_in(path))]


def recording_name(text: str) -> str:
    r"""Return the name of a recording as a table gives it: perhaps with ``.wav``, ``./`` or backslashes.

    Examples
    --------
    >>> recording_name(" .\\dr1\\sa1.WAV")
    'dr1/sa1'
    """
    name = text.strip().replace("\\", "/").removeprefix("./")
    return name[: -len(SOUND)] if name.lower().endswith(SOUND) else name


def _files_in(folder: Path) -> Iterator[SpeechFile]:
    """Yield the recordings and labels in a folder, sorted by path. Hidden files are left out."""
    paths = [Path(parent) / name for parent, _, names in os.walk(folder) for name in names if not name.startswith(".")]
    for path in sorted(paths, key=lambda path: path.relative_to(folder).parts):
        file = SpeechFile(_without_ending(path.relative_to(folder).as_posix()), path)
        is_known_table = file.has_ending(*TABLES) and Path(file.name).name.lower() in (SEGMENT_TABLE, LABEL_TABLE)
        if file.has_ending(SOUND, TEXTGRID, PHN) or is_known_table:
            yield file


def _without_ending(name: str) -> str:
    """Remove the known ending of a file's name."""
    ending = max((ending for ending in _ENDINGS if name.lower().endswith(ending)), key=len, default="")
    return name[: len(name) - len(ending)]


def _with_distinct_names(files: list[SpeechFile]) -> list[SpeechFile]:
    """Call files of the same name by their paths instead. An .npz holds names of its own."""
    counts = Counter(file.name for file in files)
    return [
        SpeechFile(_without_ending(file.path.as_posix()), file.path)
        if counts[file.name] > 1 and file.has_ending(SOUND)
        else file
        for file in files
    ]
