"""Corpus files: text and CSV, plain or gzipped, read into documents to learn from, or line by line to be scored."""

import os

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.csv_files import TextColumn
from theano_rnn.files.text_files import TextInput, has_ending, shown_name
from theano_rnn.text.documents import Documents

_BLOCK_SIZE = 2**20  # characters
_LINES_AT_ONCE = 4096


def read_documents(paths, folder=None, column=None, joins_lines=False):
    """Read the texts of one file or of many, a block at a time.

    A file whose name ends in ``.csv`` or ``.tsv`` holds one document per row, in one of its columns; any other file is
    one document. Either may be gzipped, with ``.gz`` after its name. How lines end and where byte order marks stand
    makes no difference: see `theano_rnn.files.text_files.TextInput`. Line ends come out as ``\\n``, and blank documents
    are left out.

    Parameters
    ----------
    paths : str, os.PathLike or iterable of them
        Each is read once, so that it may be a pipe.
    folder : path, optional
        Where there is room for all of the texts; default the system's folder for temporary files.
    column : str, optional
        The column of CSV files; default ``body``, else ``text``, else the only one: see
        `theano_rnn.files.csv_files.TextColumn`.
    joins_lines : bool
        Whether the text of a row is one line, with blanks in place of its line ends.

    Returns
    -------
    Documents
        Those that are not blank, in the order of the files and rows; at least one.

    Raises
    ------
    CorpusError
        For a file that cannot be read, is not UTF-8 or is no proper CSV, and when there is no text at all. The
        message names the file and, where there is one, the line.
    """
    paths = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not paths:
        raise CorpusError("there is no file to read; name at least one text or CSV file")
    documents = Documents(folder)
    for path in paths:
        source = TextInput(path)
        format, _ = file_format(path)
        if format == "text":
            documents.add(source.text())
            continue
        for cell in TextColumn(source, format, column).cells():
            documents.add([cell.replace("\n", " ") if joins_lines else cell])
    if not documents:
        names = shown_name(paths[0]) if len(paths) == 1 else f"each of the {len(paths)} files"
        raise CorpusError(f"{names} holds no text; name a file with at least one sentence")
    return documents


class Lines:
    """The lines of a file, or of standard input, one by one; of CSV, the texts of its rows.

    Files are read as `read_documents` does. Standard input is text, or CSV if there is a column to read of it.

    Parameters
    ----------
    path : path, or None for standard input
    standard_input : binary file, or None if it is closed
    column : str, optional
        As for `read_documents`.
    is_text : bool
        Read lines of text whatever the name of the file.

    Attributes
    ----------
    name : str
        Of the file, for messages.
    header_rows : int
        How many rows stand before the first one with a text.
    """

    def __init__(self, path, standard_input=None, column=None, is_text=False):
        self._source = TextInput(path, standard_input)
        self.name = self._source.name
        format = ("text" if column is None else "csv") if path is None else file_format(path)[0]
        self._is_text = is_text or format == "text"
        self.header_rows = 0 if self._is_text else 1
        self._lines = self._source.lines() if self._is_text else TextColumn(self._source, format, column).cells()

    def __iter__(self):
        return self._lines

    def place(self, number):
        """Where the line or text of this number, from 1, stands, for messages."""
        return f"{self.name}, {'line' if self._is_text else 'row'} {number + self.header_rows}"

    def is_waiting(self):
        """Whether the next line has not come yet, from a pipe or a terminal."""
        return self._source.is_waiting()


def texts(paths, standard_input=None, column=None, is_text=False):
    """Yield the `Lines` of each file, or of standard input where there are none.

    Raises
    ------
    OptionError
        If there is a column to read, but no CSV file.
    """
    if not is_text and paths:
        check_column(column, paths)
    for path in paths or [None]:
        yield Lines(path, standard_input, column, is_text)


def read_lines(paths, standard_input=None, column=None):
    """Yield the lines of files, or of standard input where there are none: see `texts`."""
    for lines in texts(paths, standard_input, column):
        yield from lines


def check_column(column, paths):
    """Raise OptionError if there is a column to read, but no file is CSV."""
    if column is not None and all(file_format(path)[0] == "text" for path in paths):
        raise OptionError(
            f"column {column!r}: is for CSV, and no file's name ends in .csv or .tsv; rename the file, or leave it out"
        )


def blocks(lines, is_waiting=None):
    """Yield lines in lists that are handled together: of some thousands, fewer if they are long or slow to come.

    Parameters
    ----------
    lines : iterable of str
    is_waiting : callable, optional
        Whether the next line has not come yet, so that those before should be handled now.
    """
    block, characters = [], 0
    for line in lines:
        block.append(line)
        characters += len(line)
        if len(block) == _LINES_AT_ONCE or characters >= _BLOCK_SIZE or (is_waiting and is_waiting()):
            yield block
            block, characters = [], 0
    if block:
        yield block


def file_format(path):
    """("text", "csv" or "tsv", whether it is gzipped) of a file, by its name."""
    is_gzipped = has_ending(path, ".gz")
    endings = {format: f".{format}{'.gz' * is_gzipped}" for format in ("csv", "tsv")}
    return next((format for format, ending in endings.items() if has_ending(path, ending)), "text"), is_gzipped
