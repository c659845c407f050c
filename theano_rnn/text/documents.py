"""From files to documents. The text may be larger than memory: it is read one chunk of one document at a time."""

import codecs
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence

from theano_rnn.errors import CorpusError
from theano_rnn.files.corpus_formats import open_corpus_file
from theano_rnn.files.temporary_storage import TemporaryStorage
from theano_rnn.files.text_files import display_name

CHUNK_LENGTH = 2**16  # characters of a str, bytes of a stored document
EXCERPT_CHUNK_LENGTH = 2**20


def read_documents(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str] | None = None,
    column: str | None = None,
    joins_lines: bool = False,
) -> "Documents":
    r"""Read the documents of one file or of several.

    A row of a table is a document, as is any other file as a whole. `theano_rnn.files.corpus_formats.FORMATS` lists
    the formats. Line endings and byte order marks make no difference: see `theano_rnn.files.text_files.TextInput`.

    Parameters
    ----------
    paths : path or iterable of paths
        Each file is read once, so that it may be a pipe.
    folder : path, optional
        A folder with space for the whole text; default: the system's folder for temporary files.
    column : str, optional
        The column of tables that holds the texts: see `theano_rnn.files.csv_files.CsvReader`.
    joins_lines : bool
        Replace line ends in the text of a row by spaces, so that each row is one line.

    Returns
    -------
    Documents
        At least one. Blank documents are left out, and lines end in ``\n``.

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
        for chunks in reader.documents():
            if joins_lines and reader.is_table:
                chunks = (chunk.replace("\n", " ") for chunk in chunks)
            documents.add(chunks)
    if not documents:
        names = display_name(paths[0]) if len(paths) == 1 else f"each of the {len(paths)} files"
        raise CorpusError(f"{names} contains no text; name a file with at least one sentence")
    return documents


class Documents:
    r"""Documents in a temporary file, which can be iterated over repeatedly.

    Iteration yields a short document as a str, and a long one as a `StoredDocument`. `document_chunks` takes both.

    Parameters
    ----------
    folder : path, optional
        A folder with space for all of them; default: the system's folder for temporary files.

    Attributes
    ----------
    characters : int
        The number of characters in all documents together.

    Examples
    --------
    >>> documents = Documents()
    >>> documents.add(["He went ", "home."])
    >>> documents.add([" \n"])
    >>> list(documents), documents.characters
    (['He went home.'], 13)
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = folder
        self._file = TemporaryStorage(folder)
        self._ends = array("q")
        self.characters: int = 0

    def add(self, chunks: Iterable[str]) -> None:
        """Add a document, given in chunks, unless it is blank."""
        start, characters, is_blank = self._file.size, 0, True
        for chunk in chunks:
            is_blank = is_blank and (not chunk or chunk.isspace())
            characters += len(chunk)
            self._file.write(chunk.encode())
        if not is_blank:
            self._ends.append(self._file.size)
            self.characters += characters
        elif characters:
            self._file.truncate(start)

    def end_last_line(self) -> None:
        """Add a line end to the last document if it has none."""
        if self._ends and self._file.read(self._ends[-1] - 1, 1) != b"\n":
            self._file.truncate(self._ends[-1])
            self._file.write(b"\n")
            self._ends[-1] += 1
            self.characters += 1

    def joined(self, ends_last_line: bool = True) -> "Documents":
        """Join the documents into one, with a line end after each that has none.

        Parameters
        ----------
        ends_last_line : bool
            Whether the last document gets a line end, too. The text is then the same whether or not its file ends with
            one.
        """
        joined = self
        if len(self) != 1:
            joined = Documents(self._folder)
            joined.add(_with_line_ends_between(self))
        if ends_last_line:
            joined.end_last_line()
        return joined

    def excerpt(self, start: int = 0, stop: int | None = None) -> "Excerpt":
        """Return the text from character `start` up to, but not including, character `stop`."""
        return Excerpt(self, start, self.characters if stop is None else stop)

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> "Iterator[str | StoredDocument]":
        start = base = 0
        buffer = b""
        for end in self._ends:
            if end - start > CHUNK_LENGTH:
                yield StoredDocument(self._file, start, end)
            else:
                if end > base + len(buffer):
                    base, buffer = start, self._file.read(start, CHUNK_LENGTH)
                yield buffer[start - base : end - base].decode()
            start = end


class StoredDocument:
    """A long document, which stays in its file.

    Parameters
    ----------
    file : TemporaryStorage
    start, end : int
        The bytes of the document.
    """

    def __init__(self, file: TemporaryStorage, start: int, end: int) -> None:
        self._file, self._start, self._end = file, start, end

    def chunks(self, length: int) -> Iterator[str]:
        """Yield the text in chunks of at most `length` bytes."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        for start in range(self._start, self._end, length):
            yield decoder.decode(self._file.read(start, min(length, self._end - start)))


class Excerpt:
    """A range of characters of documents, which is read in chunks as often as needed.

    Parameters
    ----------
    documents : Documents
    start, stop : int
        The first character, and the one after the last.
    """

    def __init__(self, documents: Documents, start: int, stop: int) -> None:
        self._documents, self._start, self._stop = documents, start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __iter__(self) -> Iterator[str]:
        passed = 0
        for document in self._documents:
            for chunk in document_chunks(document, EXCERPT_CHUNK_LENGTH):
                start, stop = max(self._start - passed, 0), self._stop - passed
                passed += len(chunk)
                if start < min(stop, len(chunk)):
                    yield chunk[start:stop]
                if stop <= len(chunk):
                    return


def document_chunks(document: str | StoredDocument, length: int | None = None) -> Iterator[str]:
    """Yield the text of a document in chunks.

    Parameters
    ----------
    document : str or StoredDocument
    length : int, optional
        The maximum length of a chunk; default: 65,536.

    Examples
    --------
    >>> list(document_chunks("abcdefg", 3))
    ['abc', 'def', 'g']
    """
    length = length or CHUNK_LENGTH
    if not isinstance(document, str):
        yield from document.chunks(length)
    elif len(document) <= length:
        yield document
    else:
        for start in range(0, len(document), length):
            yield document[start : start + length]


def total_characters(documents: Documents | Sequence[str]) -> int:
    """Count the characters of all documents together."""
    return documents.characters if isinstance(documents, Documents) else sum(map(len, documents))


def _with_line_ends_between(documents: Documents) -> Iterator[str]:
    chunk = ""
    for document in documents:
        if chunk and not chunk.endswith("\n"):
            yield "\n"
        for chunk in document_chunks(document):
            yield chunk
