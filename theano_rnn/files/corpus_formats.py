"""The table of corpus formats, and the readers of the files that a user names.

To add a format, write a module with a subclass of `CorpusReader` and add one line to `FORMATS`.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

from theano_rnn.errors import OptionError
from theano_rnn.files.corpus_reader import CorpusReader, PlainTextReader
from theano_rnn.files.csv_files import CsvReader, TsvReader
from theano_rnn.files.text_files import TextInput, has_extension

# By the ending of the file's name, perhaps with ".gz" after it. Files with any other ending are plain text.
FORMATS: dict[str, type[CorpusReader]] = {
    "csv": CsvReader,
    "tsv": TsvReader,
    "text": PlainTextReader,
}
DEFAULT_FORMAT = "text"

_BATCH_CHARACTERS = 2**20
_BATCH_LINES = 4096


def format_of(path: str | os.PathLike[str]) -> tuple[str, bool]:
    """Tell the format of a file from its name.

    Parameters
    ----------
    path : path

    Returns
    -------
    name : str
        A key of `FORMATS`.
    is_gzipped : bool

    Examples
    --------
    >>> format_of("comments.csv.gz")
    ('csv', True)
    >>> format_of("book.txt")
    ('text', False)
    """
    is_gzipped = has_extension(path, ".gz")
    for name in FORMATS:
        if has_extension(path, f".{name}{'.gz' * is_gzipped}"):
            return name, is_gzipped
    return DEFAULT_FORMAT, is_gzipped


def open_corpus_file(
    path: str | os.PathLike[str], column: str | None = None, keeps_marks: bool = False
) -> CorpusReader:
    """Make the reader of a file. The ending of its name tells the format.

    Parameters
    ----------
    path : path
    column : str, optional
        The column that holds the texts, if the file is a table.
    keeps_marks : bool
        See `TextInput`.

    Returns
    -------
    CorpusReader
        It opens the file when its documents or lines are first asked for.
    """
    source = TextInput(path, keeps_marks=keeps_marks)
    return FORMATS[format_of(path)[0]](source, column)


def open_inputs(
    paths: Sequence[str | os.PathLike[str]],
    standard_input: BinaryIO | None = None,
    column: str | None = None,
    is_text: bool = False,
    keeps_marks: bool = False,
) -> Iterator[CorpusReader]:
    """Yield a reader for each file, or one for standard input if there are no files.

    Standard input is plain text, or CSV if a column is given.

    Parameters
    ----------
    paths : sequence of paths
    standard_input : binary file, or None if it is closed
    column : str, optional
        The column that holds the texts of tables.
    is_text : bool
        Read every file as plain text, whatever its name.
    keeps_marks : bool
        See `TextInput`.

    Raises
    ------
    OptionError
        If a column is given and no file is a table.
    """
    if not is_text and paths:
        check_column(column, paths)
    for path in paths:
        if is_text:
            yield PlainTextReader(TextInput(path, keeps_marks=keeps_marks))
        else:
            yield open_corpus_file(path, column, keeps_marks)
    if not paths:
        name = DEFAULT_FORMAT if is_text or column is None else "csv"
        yield FORMATS[name](TextInput(None, standard_input, keeps_marks), column)


def read_lines(
    paths: Sequence[str | os.PathLike[str]], standard_input: BinaryIO | None = None, column: str | None = None
) -> Iterator[str]:
    """Yield the lines of all files, or of standard input if there are none.

    Parameters
    ----------
    paths, standard_input, column
        See `open_inputs`.
    """
    for reader in open_inputs(paths, standard_input, column):
        yield from reader.lines()


def check_column(column: str | None, paths: Iterable[str | os.PathLike[str]]) -> None:
    """Raise `OptionError` if a column is given and no file is a table."""
    if column is not None and not any(FORMATS[format_of(path)[0]].is_table for path in paths):
        endings = " or ".join(f".{name}" for name, reader in FORMATS.items() if reader.is_table)
        raise OptionError(
            f"column: {column!r} was given, but no file is a table ({endings}); rename the file, or leave it out"
        )


def line_batches(lines: Iterable[str], is_waiting: Callable[[], bool] | None = None) -> Iterator[list[str]]:
    """Yield lines in lists to be processed together.

    A list holds some thousand lines, and fewer if they are long or arrive slowly.

    Parameters
    ----------
    lines : iterable of str
    is_waiting : callable, optional
        Returns whether the next line has not arrived yet, so that the lines before it should be processed now.

    Examples
    --------
    >>> list(line_batches(["one", "two"]))
    [['one', 'two']]
    """
    batch: list[str] = []
    characters = 0
    for line in lines:
        batch.append(line)
        characters += len(line)
        if len(batch) == _BATCH_LINES or characters >= _BATCH_CHARACTERS or (is_waiting and is_waiting()):
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
