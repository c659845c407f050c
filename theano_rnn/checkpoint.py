"""Files of named arrays and JSON documents: one .npz, written atomically, read without pickles. Knows no model.

A document is stored as the UTF-8 bytes of its JSON text (uint8): NumPy's own strings lose trailing null characters.
"""

import contextlib
import json
import os
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from theano_rnn.errors import ModelFileError

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
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **entries)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~current_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written: {error.strerror or error}; choose another place") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_archive(path):
    """All entries of an .npz, as a dict of arrays.

    Raises
    ------
    ModelFileError
        For a file that is missing, unreadable, no .npz, damaged, or holds Python objects.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise ModelFileError(f"{path}: not a model file (no .npz archive); name a file that train.py wrote")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                entries = {name: archive[name] for name in archive.files}
        for name, entry in entries.items():
            if not isinstance(entry, np.ndarray):
                raise ModelFileError(f"{path}: damaged, or not a model file: {name} is no array")
        return entries
    except ModelFileError:
        raise
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file; train a model first, or name another file") from error
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, EOFError, SyntaxError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
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
        document = json.loads(entries[name].astype(np.uint8).tobytes().decode("ascii"))
        version, content = document["version"], document["content"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: damaged {name}: {one_line(error)}") from error
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: has format version {version}, this theano_rnn reads {FORMAT_VERSION}; install a newer theano_rnn"
        )
    return content


def one_line(error):
    return " ".join(str(error).split())[:200] or type(error).__name__
