"""Texts that may be too large for memory: a document at a time, and each a part at a time."""

import codecs
from array import array

from theano_rnn.files.temporary_arrays import ScratchFile

PART_LENGTH = 2**16  # characters of a str, bytes of a document in a file


class Documents:
    """Documents in a file without a name, gone through as often as needed.

    A short one is given as a str, a long one as an object that `parts` takes as well.

    Parameters
    ----------
    folder : path, optional
        Where there is room for all of them; default the system's folder for temporary files.

    Attributes
    ----------
    characters : int
        In all of them together.
    """

    def __init__(self, folder=None):
        self._file = ScratchFile(folder)
        self._ends = array("q")
        self.characters = 0

    def add(self, text_parts):
        """Add a document given in parts (iterable of str), unless it is blank."""
        start, characters, is_blank = self._file.size, 0, True
        for part in text_parts:
            is_blank = is_blank and (not part or part.isspace())
            characters += len(part)
            self._file.write(part.encode())
        if not is_blank:
            self._ends.append(self._file.size)
            self.characters += characters
        elif characters:
            self._file.truncate(start)

    def end_last_line(self):
        """Give the last document a line end if it has none."""
        if self._ends and self._file.read(self._ends[-1] - 1, 1) != b"\n":
            self._file.truncate(self._ends[-1])
            self._file.write(b"\n")
            self._ends[-1] += 1
            self.characters += 1

    def __len__(self):
        return len(self._ends)

    def __iter__(self):
        start = base = 0
        buffer = b""
        for end in self._ends:
            if end - start > PART_LENGTH:
                yield _StoredDocument(self._file, start, end)
            else:
                if end > base + len(buffer):
                    base, buffer = start, self._file.read(start, PART_LENGTH)
                yield buffer[start - base : end - base].decode()
            start = end


class _StoredDocument:
    def __init__(self, file, start, end):
        self._file, self._start, self._end = file, start, end

    def parts(self, length):
        decoder = codecs.getincrementaldecoder("utf-8")()
        for start in range(self._start, self._end, length):
            yield decoder.decode(self._file.read(start, min(length, self._end - start)))


def parts(document, length=None):
    """Yield a document, a str or one of `Documents`, in parts that follow each other directly.

    Parameters
    ----------
    document : str or document
    length : int, optional
        Of the longest part; default some ten thousand.

    Yields
    ------
    str
    """
    length = length or PART_LENGTH
    if not isinstance(document, str):
        yield from document.parts(length)
    elif len(document) <= length:
        yield document
    else:
        for start in range(0, len(document), length):
            yield document[start : start + length]


def count_characters(documents):
    """How many characters documents have in all: `Documents`, or a sequence of str."""
    return documents.characters if isinstance(documents, Documents) else sum(map(len, documents))
