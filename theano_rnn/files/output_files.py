"""Files that a script is asked to write beside its results: places checked before long work, written in one step."""

import os
import sys
from pathlib import Path

from theano_rnn.errors import OptionError, OutputFileError
from theano_rnn.files.atomic_files import atomic_write


def check_output_path(path, inputs=()):
    """The place of a file to be written, as a Path, known to be writable as far as one can tell.

    Parameters
    ----------
    path : path
    inputs : iterable of paths
        Files that are read and so must not be written over.

    Raises
    ------
    OptionError
        If it is one of the inputs.
    OutputFileError
        If it is a folder, a device, or where standard output or standard error go, or lies in a folder that is
        missing or not writable.
    """
    path = Path(path)
    for source in inputs:
        if path.resolve() == Path(source).resolve():
            raise OptionError(f"{path}: is one of the files that are read; choose another place for what is written")
    if path.is_dir():
        raise OutputFileError(f"{path}: is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise OutputFileError(f"{path}: is no ordinary file, but would become one; choose another place")
    if is_standard_stream(path):
        raise OutputFileError(f"{path}: is where standard output or standard error go; choose another place")
    if not path.resolve().parent.is_dir():
        raise OutputFileError(f"{path}: its folder does not exist; make it, or choose another place")
    if not os.access(path.resolve().parent, os.W_OK):
        raise OutputFileError(f"{path}: the folder is not writable; choose another place")
    return path


def is_standard_stream(path):
    """Whether a path, /dev/stdout say, leads to the file that standard output or standard error are written to."""
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            if os.path.samestat(os.fstat(stream.fileno()), os.stat(path)):
                return True
        except (AttributeError, OSError, ValueError):
            continue  # no stream, none with a file, or no such path
    return False


def write_output(path, parts):
    """Write a file of bytes, or of text as UTF-8: the old file stays until the new one is whole.

    Parameters
    ----------
    path : pathlib.Path
    parts : iterable of bytes or str
        May be made while they are written.

    Raises
    ------
    OutputFileError
        Where that is impossible.
    """
    try:
        with atomic_write(path) as file:
            for part in parts:
                file.write(part if isinstance(part, bytes) else part.encode("utf-8"))
    except OSError as error:
        raise OutputFileError(f"{path}: cannot be written: {error.strerror or error}; choose another place") from error
