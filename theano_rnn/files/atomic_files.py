"""Files that are whole at any moment: written beside their place and put there in one step. Knows no format."""

import contextlib
import glob
import os
import shutil
import tempfile

ENDING = ".partial"


@contextlib.contextmanager
def atomic_write(path):
    """Open a new file for writing and reading that takes its place at the end of the block, unless that raises.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made if there is none.

    Yields
    ------
    binary file

    Raises
    ------
    OSError
    """
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=ENDING, dir=path.parent)
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


def link_or_copy(path, other):
    """Let `other`, in the same folder, be the file that `path` is now, in one step; `path` stays too.

    Raises
    ------
    FileExistsError
        If there is a file of that name; it stays as it is.
    OSError
    """
    try:
        os.link(path.resolve(), other)
    except FileExistsError:
        raise
    except OSError:  # not every file system has links, and none to another
        copy_exclusively(path, other)
    sync_directory(other.parent)


def copy_exclusively(path, other):
    """`link_or_copy` where there are no links: the name is taken first, by an empty file, which the copy then replaces."""
    temporary = other.with_name(f".{other.name}.{os.getpid()}{ENDING}")
    with open(other, "xb"):
        pass
    try:
        shutil.copyfile(path, temporary)
        os.replace(temporary, other)
    except OSError:
        for made in (temporary, other):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(made)
        raise


def remove_partial_files(path):
    """Remove what processes that were killed while they wrote `path` have left."""
    path = path.resolve()
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*{ENDING}"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def sync_directory(folder):
    """Let the names of a folder's files outlive a power failure too, where the system has a way to ask for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
