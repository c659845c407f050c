"""Data that is temporarily too large for memory, in unnamed files that disappear however the process ends."""

import os
import tempfile
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError

_WRITE_BUFFER_SIZE = 2**20  # bytes


class TemporaryStorage:
    """A sequence of bytes on disk, to which bytes can be appended, and which can be read anywhere.

    Parameters
    ----------
    folder : str or os.PathLike, optional
        A folder with enough space. The default is the system's folder for temporary files, which may be in memory.

    Attributes
    ----------
    size : int
        How many bytes were written.

    Raises
    ------
    CorpusError
        Here and in all methods, if the folder cannot be written or the disk is full.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = tempfile.gettempdir() if folder is None else folder
        self._buffer = bytearray()
        self.size: int = 0
        self._file: Any = None  # an unbuffered file
        try:
            self._file = tempfile.TemporaryFile(buffering=0, dir=folder)
        except OSError as error:
            raise self._failure(error) from error

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, data: bytes | npt.NDArray[Any]) -> None:
        """Append bytes, or the bytes of a contiguous array."""
        new = data if isinstance(data, bytes) else data.reshape(-1).view(np.uint8).data
        self._buffer += new
        self.size += len(new)
        if len(self._buffer) >= _WRITE_BUFFER_SIZE:
            self.flush()

    def flush(self) -> None:
        """Write buffered bytes to disk."""
        with memoryview(self._buffer) as buffer:
            start = 0
            try:
                self._file.seek(0, 2)
                while start < len(buffer):
                    start += self._file.write(buffer[start:])
            except OSError as error:
                raise self._failure(error) from error
        self._buffer.clear()

    def truncate(self, size: int) -> None:
        """Remove everything after the first `size` bytes."""
        self.flush()
        self._file.truncate(size)
        self.size = size

    def read(self, start: int, length: int) -> bytes:
        """Read `length` bytes from `start` on; fewer at the end."""
        if self._buffer:
            self.flush()
        self._file.seek(start)
        data: bytes = self._file.read(length)
        while len(data) < length and (more := self._file.read(length - len(data))):
            data += more
        return data

    def mapped(self, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return everything that was written, as a read-only memory-mapped array."""
        self.flush()
        if not self.size:
            return np.zeros(0, dtype)
        try:
            # A plain array instead of a memmap: slicing it is much faster.
            return np.asarray(np.memmap(self._file, np.dtype(dtype), mode="r"))
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> CorpusError:
        return CorpusError(
            f"{self._folder}: cannot store the text while it is encoded: {error.strerror or error}; free some "
            "space, or choose another folder"
        )
