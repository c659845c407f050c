"""From files to documents. The texts may be larger than memory: they are read one part of one document at a time."""

import codecs
import os
from array import array
from collections.abc import Iterable

from theano_rnn.errors import CorpusError
from theano_rnn.files.corpus_formats import open_corpus_file
from theano_rnn.files.temporary_arrays import ScratchFile
from theano_rnn.files.text_files import shown_name

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


def read_documents(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str] | None = None,
    column: str | None = None,
    joins_lines: bool = False,
) -> Documents:
    """Read the documents of one file or of several, one part at a time.

    A row of a table is a document, as is any other file as a whole. `theano_rnn.files.corpus_formats.FORMATS` lists
    the formats. Line endings and byte order marks make no difference: see `theano_rnn.files.text_files.TextInput`.

    Parameters
    ----------
    paths : path or iterable of paths
        Each file is read once, so that it may be a pipe.
    folder : path, optional
        A folder with room for all of the text; default: the system's folder for temporary files.
    column : str, optional
        The column of tables that holds the texts: see `theano_rnn.files.csv_files.CsvReader`.
    joins_lines : bool
        Replace line ends in the text of a row by spaces, so that each row is one line.

    Returns
    -------
    Documents
        At least one. Blank documents are left out, and lines end in ``\\n``.

    Raises
    ------
    CorpusError
        If a file cannot be read, is not UTF-8 or is not valid CSV, or if there is no text at all. The message names
        the file and, where possible, the line.
    """
    paths = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not paths:
        raise CorpusError("there is no file to read; name at least one text or CSV file")
    documents = Documents(folder)
    for path in paths:
        reader = open_corpus_file(path, column)
        for document_parts in reader.documents():
            if joins_lines and reader.is_table:
                document_parts = (part.replace("\n", " ") for part in document_parts)
            documents.add(document_parts)
    if not documents:
        names = shown_name(paths[0]) if len(paths) == 1 else f"each of the {len(paths)} files"
        raise CorpusError(f"{names} holds no text; name a file with at least one sentence")
    return documents
