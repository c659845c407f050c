"""Corpus files read into documents: text and CSV, plain or gzipped, and what is wrong with them, by file and line."""

import codecs
import contextlib
import csv
import gzip
import itertools
import logging
import os
import re
import zlib

from theano_rnn.documents import Documents, parts
from theano_rnn.errors import CorpusError

logger = logging.getLogger(__name__)

STANDARD_INPUT = "standard input"  # its name in messages

_GZIP_START = b"\x1f\x8b"
_UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff")

# Text shrinks by 3 to 10 times. What grows beyond this is made to fill the memory, or is not worth learning from.
_LARGEST_EXPANSION = 200
_ALWAYS_ALLOWED_SIZE = 64 * 2**20
_BLOCK_SIZE = 2**20
_LINES_AT_ONCE = 4096
_LONGEST_LINE = 2**30  # bytes

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_TEXT_COLUMN = "body"
_LONGEST_COLUMN_NAME = 80  # characters
_MOST_WORDS_IN_COLUMN_NAME = 6
_SENTENCE_END = re.compile(r"[.!?…][\"')\]”’»]*(\s|$)")


def read_documents(paths, folder=None):
    """Read the texts of one file or of many, a block at a time.

    A file whose name ends in ``.csv`` holds one document a row, in the column ``body`` (in any case of letters) or
    else in its first column; any other file is one document. Either may be gzipped, with ``.gz`` after its name.
    All are UTF-8, with or without a byte order mark. Line ends come out as ``\\n``, and blank documents are left out.

    Parameters
    ----------
    paths : str, os.PathLike or iterable of them
        Each is read once, so that it may be a pipe.
    folder : path, optional
        Where there is room for all of the texts; default the system's folder for temporary files.

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
        _read_file(path, documents, folder)
    if not documents:
        names = _shown_name(paths[0]) if len(paths) == 1 else f"each of the {len(paths)} files"
        raise CorpusError(f"{names} holds no text; name a file with at least one sentence")
    return documents


def texts(paths, standard_input):
    """Yield (name, its lines) of each file, or of standard input where there are none: see `read_lines`."""
    for path in paths or [None]:
        yield STANDARD_INPUT if path is None else _shown_name(path), read_lines([path], standard_input)


def read_lines(paths, standard_input):
    """Yield the lines of files, or of standard input where there are none, without their ends.

    Parameters
    ----------
    paths : sequence of str
        None among them is standard input too.
    standard_input : binary file, or None if it is closed

    Raises
    ------
    CorpusError
        For a file that cannot be read, and a line that is not UTF-8.
    """
    for path in paths or [None]:
        name = STANDARD_INPUT if path is None else _shown_name(path)
        try:
            with contextlib.nullcontext(standard_input) if path is None else open(path, "rb") as source:
                if source is None:
                    raise CorpusError("standard input is closed; name a file with the sentences")
                for number in itertools.count(1):
                    line = source.readline(_LONGEST_LINE + 1)
                    if not line:
                        break
                    if len(line) > _LONGEST_LINE:
                        raise CorpusError(
                            f"{name}, line {number}: is longer than {_LONGEST_LINE:,} bytes; put each sentence on a "
                            "line of its own"
                        )
                    yield _decode_line(line, number, name)
        except OSError as error:
            raise CorpusError(f"{name}: cannot be read: {error.strerror}; check its name") from error


def blocks(lines):
    """Yield lines in lists that are handled together: of some thousands, fewer if they are long.

    Parameters
    ----------
    lines : iterable of str
    """
    block, characters = [], 0
    for line in lines:
        block.append(line)
        characters += len(line)
        if len(block) == _LINES_AT_ONCE or characters >= _BLOCK_SIZE:
            yield block
            block, characters = [], 0
    if block:
        yield block


def _decode_line(line, number, name):
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{name}, line {number}: byte {line[error.start]:#04x} at position {error.start + 1} is not UTF-8; "
            "convert the text to UTF-8, for example with iconv"
        ) from error


def _read_file(path, documents, folder):
    """Add the documents of a file."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected the path of a file as str or os.PathLike, got {type(path).__name__}")
    name = _shown_name(path)
    is_csv, is_gzipped = file_format(path)
    text = _decoded(_byte_blocks(path, name, is_gzipped), name)
    if not is_csv:
        documents.add(text)
        return
    # All of it is known to be text before a row of it is looked at.
    whole = Documents(folder)
    whole.add(text)
    for document in _csv_documents(whole, name):
        documents.add([document])


def file_format(path):
    """(Whether it is CSV, whether it is gzipped) of a file, by its name."""
    lowered = os.fsdecode(path).lower()
    return lowered.removesuffix(".gz").endswith(".csv"), lowered.endswith(".gz")


def _shown_name(path):
    """The path as it goes into a message of one line: in quotes and escaped if it holds anything unprintable."""
    name = os.fsdecode(path)
    return name if name and name.isprintable() else repr(name)


def _byte_blocks(path, name, is_gzipped):
    """Yield the unpacked bytes of a file."""
    if "\0" in os.fsdecode(path):
        raise CorpusError(f"{name}: a path cannot hold a null character; check the path")
    try:
        with open(path, "rb") as file:
            blocks = _unpacked(file, name) if is_gzipped else iter(lambda: file.read(_BLOCK_SIZE), b"")
            while block := next(blocks, None):
                yield block
    except FileNotFoundError:
        raise CorpusError(f"{name}: no such file; check the path") from None
    except IsADirectoryError:
        raise CorpusError(f"{name} is a directory; name the files in it") from None
    except PermissionError:
        if os.path.isdir(path):  # what Windows says of a directory
            raise CorpusError(f"{name} is a directory; name the files in it") from None
        raise CorpusError(f"{name}: no permission to read it; change the file's permissions") from None
    except EOFError:
        raise CorpusError(f"{name}: the gzip data end too early; copy or download the file again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        reason = "not a gzip file" if "Not a gzipped file" in str(error) else "the gzip data are damaged"
        remedy = "drop the ending .gz if the file is not packed, or else copy or download it again"
        raise CorpusError(f"{name}: {reason}; {remedy}") from None
    except OSError as error:
        raise CorpusError(f"{name} cannot be read: {error.strerror or error}; check the path") from None


def _unpacked(file, name):
    """Yield the bytes of an open gzip file, given up early if they are out of proportion to the file."""
    size = 0
    with gzip.GzipFile(fileobj=file) as unpacked:
        while block := unpacked.read(_BLOCK_SIZE):
            size += len(block)
            if size > _ALWAYS_ALLOWED_SIZE and size > _LARGEST_EXPANSION * file.tell():
                raise CorpusError(
                    f"{name} unpacks to more than {_LARGEST_EXPANSION} times its size, which no text does; "
                    "unpack it yourself if it is what you want to read"
                )
            yield block


def _decoded(blocks, name):
    """Yield the text of UTF-8 bytes, without a byte order mark, with ``\\n`` at the end of every line."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    lines, last_line = 0, 0  # line ends so far, and bytes after the last of them
    pending = ""  # a carriage return of which a line feed may be the next character
    with contextlib.closing(blocks):  # and with it the file, at once
        for block in itertools.chain(blocks, [b""]):
            try:
                text = pending + decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = _with_plain_line_ends(pending + error.object[: error.start].decode())
                line = lines + before.count("\n") + 1
                position = len(before[before.rfind("\n") + 1 :].encode()) + 1
                if "\n" not in before:
                    position += last_line
                raise _not_utf8(error.object, error.start, line, position, name) from None
            pending = "\r" if block and text.endswith("\r") else ""
            text = _with_plain_line_ends(text.removesuffix(pending))
            lines += text.count("\n")
            last_line = len(text[text.rfind("\n") + 1 :].encode()) + ("\n" not in text) * last_line
            yield text


def _with_plain_line_ends(text):
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _not_utf8(data, place, line, position, name):
    """The error for the byte of `data` at `place`."""
    remedy = "convert the file to UTF-8, for example with iconv"
    if line == 1 and position == place + 1:  # `data` is the beginning of the file
        if data.startswith(_GZIP_START):
            remedy = "it looks like a gzip file: give its name the ending .gz"
        elif data.startswith(_UTF16_STARTS):
            remedy = "it looks like UTF-16: " + remedy
    return CorpusError(f"{name}, line {line}: byte 0x{data[place]:02x} at position {position} is not UTF-8; {remedy}")


def _csv_documents(whole, name):
    """Yield the texts of the rows of a CSV file's text, given as `Documents` of none or one."""
    short_rows, first_short = 0, None
    long_rows, first_long = 0, None
    with _fields_as_long_as(whole.characters):
        rows = _csv_rows(whole, name)
        first_line, header = next(rows, (1, []))
        column = _text_column(header, first_line, name)
        for line, row in rows:
            if len(row) <= column:
                short_rows, first_short = short_rows + 1, first_short or line
                continue
            if len(row) > len(header):
                long_rows, first_long = long_rows + 1, first_long or line
            yield row[column]
    if short_rows:
        logger.info(
            "%s: left out %d rows without column %d, the first on line %d", name, short_rows, column + 1, first_short
        )
    if long_rows:
        logger.warning(
            "%s, line %d: more columns than the header names (%d such rows); is a text with a comma not in quotes?",
            name,
            first_long,
            long_rows,
        )


@contextlib.contextmanager
def _fields_as_long_as(characters):
    """csv has one limit on the length of a field for the whole process; a text may be longer than its 131,072."""
    old_limit = csv.field_size_limit(min(max(characters + 1, csv.field_size_limit()), 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(old_limit)


def _csv_rows(whole, name):
    """Yield (line on which it begins, cells) of each row that is not blank."""
    line = 1
    reader = csv.reader(_lines(whole), strict=True)
    try:
        for row in reader:
            if any(cell and not cell.isspace() for cell in row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise CorpusError(
            f"{name}, line {line}: the row that begins here has a broken quote ({error}); "
            'close it, and write a quote inside a quoted text as ""'
        ) from None


def _lines(documents):
    """Yield the lines of documents with their ends."""
    for document in documents:
        begun = []  # a line's text in the parts before
        for part in parts(document):
            begun.append(part)
            if "\n" in part:
                *whole, last = _LINE.findall("".join(begun))
                yield from whole
                begun = [last]
                if last.endswith("\n"):
                    yield last
                    begun = []
        if begun:
            yield "".join(begun)


def _text_column(header, line, name):
    """The index of the column that holds the texts."""
    names = [cell.strip().lower() for cell in header]
    if _TEXT_COLUMN in names:
        return names.index(_TEXT_COLUMN)
    first = header[0].strip() if header else ""
    if len(names) == 1:
        for mark, shown in ((";", "semicolons"), ("\t", "tabs")):
            if _TEXT_COLUMN in [part.strip(' "').lower() for part in first.split(mark)]:
                raise CorpusError(f"{name}, line {line}: the columns are divided by {shown}; divide them by commas")
    if not _may_be_column_name(first):
        raise CorpusError(
            f"{name}, line {line}: there is no header; "
            f"the first line must hold the column names, {_TEXT_COLUMN} for the texts"
        )
    logger.info("%s: no column %s; the texts are taken from the first column, %s", name, _TEXT_COLUMN, first)
    return 0


def _may_be_column_name(cell):
    """Whether a cell could name a column, rather than be a text, a number or nothing."""
    return (
        len(cell) <= _LONGEST_COLUMN_NAME
        and len(cell.split()) <= _MOST_WORDS_IN_COLUMN_NAME
        and any(character.isalpha() for character in cell)
        and not _SENTENCE_END.search(cell)
    )
