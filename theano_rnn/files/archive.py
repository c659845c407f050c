"""Files of named arrays and JSON documents: one .npz, written atomically, sealed by a checksum, read without pickles.

Knows no model. A document is stored as the UTF-8 bytes of its JSON text (uint8): NumPy's own strings lose trailing null
characters.
"""

import json
import stat
import zipfile
from pathlib import Path

import numpy as np

from theano_rnn.errors import ModelFileError
from theano_rnn.files.atomic_files import atomic_write
from theano_rnn.files.checksum import append_checksum, verify_checksum
from theano_rnn.files.npz_reader import map_arrays, read_arrays
from theano_rnn.files.npz_writer import write_arrays

FORMAT_VERSION = 1


def write_archive(path, arrays, documents):
    """Write arrays and JSON-able documents by name; a crash at any moment leaves the old file or the new one.

    Raises
    ------
    ModelFileError
        Where the folder cannot be made or written to, or the disk is full; the old file is then still there.
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


def read_archive(path, mapped=False):
    """All entries of an .npz, as a dict of arrays of numbers.

    Parameters
    ----------
    path : path
    mapped : bool
        Leave the arrays in the file, which must have our checksum: they can only be read, and may be larger than
        memory.

    Raises
    ------
    ModelFileError
        For a file that is missing, unreadable, no .npz, damaged, claims more than it holds, or holds Python objects.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise ModelFileError(f"{path}: is no ordinary file; name a file that train.py wrote")
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise ModelFileError(f"{path}: not a model file (no .npz archive); name a file that train.py wrote")
            has_checksum = verify_checksum(file)
            if mapped and not has_checksum:
                raise ModelFileError(f"{path}: has no checksum; name a file that train.py wrote")
            return map_arrays(file) if mapped else read_arrays(file)
    except ModelFileError:
        raise
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file; train a model first, or name another file") from error
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}; check its name") from error
    except Exception as error:  # of any kind: see `read_arrays`
        raise ModelFileError(f"{path}: damaged, or not a model file: {one_line(error)}") from error


def read_document(path, entries, name):
    """The JSON document `name` among the entries of an archive.

    Raises
    ------
    ModelFileError
        If it is missing, no JSON, or of a newer format version.
    """
    if name not in entries:
        raise ModelFileError(f"{path}: holds no {name}; it was not saved as a language model")
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


def one_line(error):
    return " ".join(str(error).split())[:200] or type(error).__name__
