"""Files of named arrays and JSON documents: an .npz with a checksum, written atomically and read without pickles.

A document is stored as the UTF-8 bytes of its JSON text (uint8), because NumPy's own strings lose trailing null
characters. Must not know what the arrays and documents mean.
"""

import json
import os
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ModelFileError
from theano_rnn.files.atomic_files import atomic_write
from theano_rnn.files.checksum import append_checksum, verify_checksum
from theano_rnn.files.npz_reader import map_arrays, read_arrays
from theano_rnn.files.npz_writer import write_arrays

FORMAT_VERSION = 1


def write_archive(
    path: str | os.PathLike[str], arrays: Mapping[str, npt.ArrayLike], documents: Mapping[str, Any]
) -> None:
    """Write arrays and JSON documents by name. After a crash at any moment the old file or the new one is there.

    Parameters
    ----------
    path : str or os.PathLike
    arrays : mapping of str to array
    documents : mapping of str to objects that `json` can write

    Raises
    ------
    ModelFileError
        If the folder cannot be created or written to, or the disk is full. The old file is then unchanged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "a.npz")
    ...     write_archive(path, {"U": [[1.0, 2.0]]}, {"settings": {"rate": 0.5}})
    ...     entries = read_archive(path)
    ...     entries["U"].tolist(), read_document(path, entries, "settings")
    ([[1.0, 2.0]], {'rate': 0.5})
    """
    path = Path(path)
    entries = {name: np.asarray(array) for name, array in arrays.items()}
    for name, document in documents.items():
        text = json.dumps({"version": FORMAT_VERSION, "content": document})
        entries[name] = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    try:
        with atomic_write(path) as file:
            write_arrays(file, entries)
            append_checksum(file)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written: {error.strerror or error}; choose another place") from error


def read_archive(path: str | os.PathLike[str], mapped: bool = False) -> dict[str, npt.NDArray[Any]]:
    """Read all entries of an .npz, as arrays of numbers by name.

    Parameters
    ----------
    path : str or os.PathLike
    mapped : bool
        Memory-map the arrays instead of reading them: they are then read-only, and may be larger than memory. The file
        must have a checksum of this package.

    Raises
    ------
    ModelFileError
        If the file is missing, unreadable, not an .npz, damaged, claims to hold more than it does, or holds Python
        objects.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise ModelFileError(f"{path}: is not a regular file; name a file that training wrote")
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise ModelFileError(f"{path}: not a model file (no .npz archive); name a file that training wrote")
            has_checksum = verify_checksum(file)
            if mapped and not has_checksum:
                raise ModelFileError(f"{path}: has no checksum; name a file that training wrote")
            return map_arrays(file) if mapped else read_arrays(file)
    except ModelFileError:
        raise
    except IsADirectoryError as error:
        raise ModelFileError(f"{path}: is a directory; name a file in it") from error
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file; train a model first, or name another file") from error
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}; check its name") from error
    except Exception as error:  # of any kind; see `read_arrays`
        raise ModelFileError(f"{path}: damaged, or not a model file: {one_line(error)}") from error


def read_document(path: str | os.PathLike[str], entries: Mapping[str, npt.NDArray[Any]], name: str) -> Any:
    """Return the JSON document `name` among the entries of an archive.

    Parameters
    ----------
    path : str or os.PathLike
        The file that the entries are from, for messages.
    entries : mapping of str to array
        From `read_archive`.
    name : str

    Raises
    ------
    ModelFileError
        If it is missing, not JSON, or of a newer format version.
    """
    if name not in entries:
        raise ModelFileError(f"{path}: contains no {name}; it was not saved as a language model")
    try:
        if entries[name].dtype != np.uint8 or entries[name].ndim != 1:
            raise ValueError(f"expected bytes, got {entries[name].dtype} of shape {entries[name].shape}")
        document = json.loads(entries[name].tobytes().decode("ascii"))
        version, content = document["version"], document["content"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: damaged {name}: {one_line(error)}") from error
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: has format version {version!r:.40}, this theano_rnn reads {FORMAT_VERSION}; install a newer one"
        )
    return content


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line of at most 200 characters, or its type if there is no message."""
    return " ".join(str(error).split())[:200] or type(error).__name__
