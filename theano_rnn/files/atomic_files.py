"""Files that are complete at any moment: written under a temporary name and renamed in one step. Knows no format."""

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PARTIAL_SUFFIX = ".partial"


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that replaces `path` at the end of the block. If the block raises, the old file stays.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is created if it does not exist. If it is a symbolic link, the file that it points to is replaced.

    Yields
    ------
    binary file, open for writing and reading

    Raises
    ------
    OSError
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PARTIAL_SUFFIX, dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~current_umask())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    sync_directory(path.parent)


def link_or_copy(path: Path, other: Path) -> None:
    """Give the file a second name in the same folder, in one step. `path` stays.

    Raises
    ------
    FileExistsError
        If `other` exists. It is not changed.
    OSError
    """
    try:
        os.link(path.resolve(), other)
    except FileExistsError:
        raise
    except OSError:  # not every file system has hard links
        copy_exclusively(path, other)
    sync_directory(other.parent)


def copy_exclusively(path: Path, other: Path) -> None:
    """Copy a file to a name that must not exist. An empty file reserves the name until the copy replaces it."""
    temporary = other.with_name(f".{other.name}.{os.getpid()}{PARTIAL_SUFFIX}")
    with open(other, "xb"):
        pass
    try:
        shutil.copyfile(path, temporary)
        os.replace(temporary, other)
    except OSError:
        for created in (temporary, other):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(created)
        raise


def remove_partial_files(path: Path) -> None:
    """Remove temporary files that processes left behind when they were killed while writing `path`."""
    path = path.resolve()
    for partial in path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL_SUFFIX}"):
        with contextlib.suppress(OSError):
            partial.unlink()


def sync_directory(folder: Path) -> None:
    """Make renamed files in a folder survive a power failure, if the system can do so."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def current_umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
