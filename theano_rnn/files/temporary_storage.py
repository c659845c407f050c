"""What is too large for memory for a while: files without a name, which are gone however the process ends."""

import tempfile

import numpy as np

from theano_rnn.errors import CorpusError

_WRITTEN_AT_ONCE = 2**20  # bytes


class TemporaryStorage:
    """Bytes that are written one after the other and read anywhere.

    Parameters
    ----------
    folder : path, optional
        Where there is room; default the system's folder for temporary files, which may be in memory.

    Raises
    ------
    CorpusError
        Here and from all methods, where there is no place or no room.
    """

    def __init__(self, folder=None):
        self._folder = tempfile.gettempdir() if folder is None else folder
        self._waiting = bytearray()
        self.size = 0
        self._file = None
        try:
            self._file = tempfile.TemporaryFile(buffering=0, dir=folder)
        except OSError as error:
            raise self._failure(error) from error

    def __del__(self):
        if self._file is not None:
            self._file.close()

    def write(self, data):
        """Add bytes, or anything that holds bytes without gaps."""
        if not isinstance(data, bytes):
            view = memoryview(data)
            data = view.cast("B") if view.nbytes else b""
        self._waiting += data
        self.size += len(data)
        if len(self._waiting) >= _WRITTEN_AT_ONCE:
            self.flush()

    def flush(self):
        with memoryview(self._waiting) as waiting:
            start = 0
            try:
                self._file.seek(0, 2)
                while start < len(waiting):
                    start += self._file.write(waiting[start:])
            except OSError as error:
                raise self._failure(error) from error
        self._waiting.clear()

    def truncate(self, size):
        """Forget what was written after the first `size` bytes."""
        self.flush()
        self._file.truncate(size)
        self.size = size

    def read(self, start, length):
        """`length` bytes from `start` on, fewer at the end."""
        if self._waiting:
            self.flush()
        self._file.seek(start)
        found = self._file.read(length)
        while len(found) < length and (more := self._file.read(length - len(found))):
            found += more
        return found

    def mapped(self, dtype):
        """All that was written, as an array that can only be read: the system reads of it what is looked at."""
        self.flush()
        if not self.size:
            return np.zeros(0, dtype)
        try:
            # A plain array, of which parts are made much sooner than of a memmap.
            return np.asarray(np.memmap(self._file, dtype, mode="r"))
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error):
        return CorpusError(
            f"{self._folder}: no place for the text while it is encoded: {error.strerror or error}; "
            "make room there, or choose another place"
        )
