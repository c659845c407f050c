"""Files that a command writes besides its results. Their places are checked before long work; writing is atomic."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from theano_rnn.errors import OptionError, OutputFileError
from theano_rnn.files.atomic_files import atomic_write


def check_output_path(path: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Check that a file can probably be written.

    Parameters
    ----------
    path : str or os.PathLike
    inputs : iterable of paths
        Files that are read and must not be overwritten.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OptionError
        If the path is one of the inputs.
    OutputFileError
        If it is a folder, a device, or the target of standard output or standard error, or its folder does not exist or
        is not writable.
    """
    path = Path(path)
    for source in inputs:
        if path.resolve() == Path(source).resolve():
            raise OptionError(f"{path}: is one of the files that are read; choose another place for what is written")
    if path.is_dir():
        raise OutputFileError(f"{path}: is a directory; name a file in it")
    if path.exists() and not path.is_file():
        raise OutputFileError(f"{path}: is not a regular file, but would be replaced by one; choose another place")
    if is_standard_stream(path):
        raise OutputFileError(f"{path}: is where standard output or standard error go; choose another place")
    if not path.resolve().parent.is_dir():
        raise OutputFileError(f"{path}: its folder does not exist; create it, or choose another place")
    if not os.access(path.resolve().parent, os.W_OK):
        raise OutputFileError(f"{path}: the folder is not writable; choose another place")
    return path


def is_standard_stream(path: Path) -> bool:
    """Tell whether a path, such as /dev/stdout, leads to the file that standard output or standard error write to."""
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None and os.path.samestat(os.fstat(stream.fileno()), os.stat(path)):
                return True
        except (AttributeError, OSError, ValueError):
            continue  # the stream has no file, or there is no such path
    return False


def write_output(path: Path, parts: Iterable[bytes | str]) -> None:
    """Write a file of bytes, or of text as UTF-8. The old file stays until the new one is complete.

    Parameters
    ----------
    path : pathlib.Path
    parts : iterable of bytes or str
        May be generated while they are written.

    Raises
    ------
    OutputFileError
        If the file cannot be written.
    """
    try:
        with atomic_write(path) as file:
            for part in parts:
                file.write(part if isinstance(part, bytes) else part.encode("utf-8"))
    except OSError as error:
        raise OutputFileError(f"{path}: cannot be written: {error.strerror or error}; choose another place") from error


def check_can_be_read_again(option: str, paths: Iterable[str | os.PathLike[str]]) -> None:
    """Raise OptionError if an option needs to read files twice, and one of them is a pipe or a device."""
    for path in paths:
        if Path(path).exists() and not (Path(path).is_file() or Path(path).is_dir()):
            raise OptionError(
                f"{option}: {path} is a pipe or a device, which can be read only once; save the text in a file first"
            )
