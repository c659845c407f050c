"""Text from files and standard input: decompressed, decoded, with every line ending as ``\\n`` and no byte order marks.

Everything that reads text reads it here, so that a text is the same whatever its line endings.
"""

import codecs
import contextlib
import gzip
import itertools
import os
import select
import stat
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, BinaryIO

from theano_rnn.errors import ArgumentTypeError, CorpusError

STANDARD_INPUT = "standard input"  # its name in messages

_GZIP_START = b"\x1f\x8b"
_UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff")
BYTE_ORDER_MARK = "\ufeff"
_BYTE_ORDER_MARK_BYTES = BYTE_ORDER_MARK.encode()

# Compressed text is 3 to 10 times smaller. A file that expands more than this is meant to fill the memory, or is not
# worth learning from.
_MAX_EXPANSION = 200
_ALWAYS_ALLOWED_SIZE = 64 * 2**20
_BLOCK_SIZE = 2**20
_LONGEST_LINE = 2**30  # characters
_PATIENCE = 0.02  # seconds without input after which the lines so far are processed


def _nothing() -> str:
    return ""


class TextInput:
    """One file, or standard input, read once from beginning to end.

    A file whose name ends in ``.gz`` is decompressed. The text is UTF-8. A line may end with ``\\n``, ``\\r\\n`` or
    ``\\r``, also mixed. U+FEFF is removed wherever it occurs: it is the byte order mark, and concatenated files have it
    in the middle.

    Parameters
    ----------
    path : str or os.PathLike, or None for standard input
    standard_input : binary file, or None if it is closed
    keeps_marks : bool
        Remove U+FEFF only from the beginning of the file, so that the positions of characters are those in the file.

    Attributes
    ----------
    name : str
        For messages.

    Examples
    --------
    >>> import io
    >>> list(TextInput(None, io.BytesIO(b"one\\r\\ntwo")).lines())
    ['one', 'two']
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        standard_input: BinaryIO | None = None,
        keeps_marks: bool = False,
    ) -> None:
        if path is not None and not isinstance(path, (str, os.PathLike)):
            raise ArgumentTypeError(f"expected the path of a file as str or os.PathLike, got {type(path).__name__}")
        self.name: str = STANDARD_INPUT if path is None else display_name(path)
        self._path = path
        self._standard_input = standard_input
        self._keeps_marks = keeps_marks
        self._watched: int | None = None  # the descriptor of a pipe or a terminal
        self._lines_left = 0

    def text(self, place: Callable[[], str] = _nothing) -> Generator[str, None, None]:
        """Yield the text in parts.

        Parameters
        ----------
        place : callable, optional
            Called when the text is not valid UTF-8. Returns what the message adds to the line number.

        Raises
        ------
        CorpusError
            If the file cannot be read, decompressed or decoded.
        """
        text = _decoded(self._byte_blocks(), self.name, place)
        return text if self._keeps_marks else _without_marks(text)

    def data(self) -> bytes:
        """Return the bytes, decompressed, for texts whose encoding the file itself tells.

        Raises
        ------
        CorpusError
            If the file cannot be read or decompressed.
        """
        return b"".join(self._byte_blocks())

    def lines(self, place: Callable[[], str] = _nothing) -> Iterator[str]:
        """Yield the lines without their line endings, each as soon as it is complete.

        Raises
        ------
        CorpusError
            As for `text`, and if a line is too long.
        """
        begun: list[str] = []  # the parts of an incomplete line
        length = 0  # of these parts, in characters
        with contextlib.closing(self.text(place)) as text:
            number = 1
            for part in text:
                *whole, last = part.split("\n")
                if whole:
                    whole[0] = "".join([*begun, whole[0]])
                    begun, length = [], 0
                    self._lines_left = len(whole)
                    for line in whole:
                        self._lines_left -= 1
                        yield line
                    number += len(whole)
                if last:
                    begun.append(last)
                    length += len(last)
                    if length > _LONGEST_LINE:
                        raise CorpusError(
                            f"{self.name}, line {number}: is longer than {_LONGEST_LINE:,} characters; put each "
                            "sentence on a line of its own"
                        )
        if begun:
            yield "".join(begun)

    def is_waiting(self) -> bool:
        """Tell whether `lines` has yielded every line that has arrived, and no more arrive for a moment.

        Only pipes and terminals make a reader wait. On Windows the answer is always no, because pipes cannot be watched
        there.
        """
        if self._lines_left or self._watched is None:
            return False
        try:
            return not select.select([self._watched], [], [], _PATIENCE)[0]
        except (OSError, ValueError):
            return False

    def _byte_blocks(self) -> Generator[bytes, None, None]:
        """Yield the bytes, decompressed."""
        source: contextlib.AbstractContextManager[Any]
        is_gzipped = False
        if self._path is None:
            if self._standard_input is None:
                raise CorpusError(f"{self.name} is closed; name a file with the sentences")
            source = contextlib.nullcontext(self._standard_input)
        else:
            if "\0" in os.fsdecode(self._path):
                raise CorpusError(f"{self.name}: a path cannot hold a null character; check the path")
            is_gzipped = has_extension(self._path, ".gz")
        with _file_errors_as_corpus_errors(self.name, self._path):
            if self._path is not None:
                source = open(self._path, "rb")
            with source as file:
                self._watched = None if is_gzipped else _descriptor_to_watch(file)
                # read1 returns what a pipe holds, instead of waiting for a whole block.
                yield from _decompressed(file, self.name) if is_gzipped else iter(lambda: file.read1(_BLOCK_SIZE), b"")


def has_extension(path: str | os.PathLike[str], extension: str) -> bool:
    """Tell whether a file's name ends in `extension`, in upper or lower case.

    Examples
    --------
    >>> has_extension("TEXT.CSV", ".csv")
    True
    """
    return os.fsdecode(path).lower().endswith(extension)


def display_name(path: str | os.PathLike[str]) -> str:
    """Return a path as it is shown in a message of one line: quoted and escaped if it is not printable."""
    name = os.fsdecode(path)
    return name if name and name.isprintable() else repr(name)


def without_byte_order_marks(text: str) -> str:
    """Remove byte order marks from a text, as is done with text from a file."""
    return text.replace(BYTE_ORDER_MARK, "") if BYTE_ORDER_MARK in text else text


def normalized_bytes(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield bytes with ``\\n`` as every line ending and without byte order marks, as `TextInput` reads text.

    Parameters
    ----------
    blocks : iterable of bytes
        Parts of the contents, divided anywhere.

    Examples
    --------
    >>> b"".join(normalized_bytes([b"one\\r", b"\\ntwo"]))
    b'one\\ntwo'
    """
    rest = b""  # the beginning of a byte order mark
    ended_with_return = False
    for block in itertools.chain(blocks, [None]):
        data, rest = rest + (block or b""), b""
        if block is not None:
            length = next((length for length in (2, 1) if data.endswith(_BYTE_ORDER_MARK_BYTES[:length])), 0)
            data, rest = data[: len(data) - length], data[len(data) - length :]
        if not data:
            continue
        if ended_with_return:
            data = data.removeprefix(b"\n")
        ended_with_return = data.endswith(b"\r")
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(_BYTE_ORDER_MARK_BYTES, b"")
        if data:
            yield data


def _descriptor_to_watch(file: Any) -> int | None:
    """Return the descriptor of an open file if it can make its reader wait, else None."""
    try:
        number = file.fileno()
        return None if stat.S_ISREG(os.fstat(number).st_mode) else number
    except (OSError, ValueError, AttributeError):  # not a file of the operating system
        return None


@contextlib.contextmanager
def _file_errors_as_corpus_errors(name: str, path: str | os.PathLike[str] | None) -> Iterator[None]:
    """Raise errors of reading a file as CorpusError."""
    try:
        yield
    except FileNotFoundError:
        raise CorpusError(f"{name}: no such file; check the path") from None
    except IsADirectoryError:
        raise CorpusError(f"{name}: is a directory; name a file in it") from None
    except PermissionError:
        if path is not None and os.path.isdir(path):  # on Windows
            raise CorpusError(f"{name}: is a directory; name a file in it") from None
        raise CorpusError(f"{name}: no permission to read it; change the file's permissions") from None
    except EOFError:
        raise CorpusError(f"{name}: the gzip data are truncated; copy or download the file again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        reason = "not a gzip file" if "Not a gzipped file" in str(error) else "the gzip data are damaged"
        remedy = "remove the ending .gz if the file is not compressed; otherwise copy or download it again"
        raise CorpusError(f"{name}: {reason}; {remedy}") from None
    except OSError as error:
        raise CorpusError(f"{name} cannot be read: {error.strerror or error}; check the path") from None


def _decompressed(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the contents of an open gzip file. Give up early if they are out of proportion to the file."""
    size = 0
    with gzip.GzipFile(fileobj=file) as decompressed:
        while block := decompressed.read(_BLOCK_SIZE):
            size += len(block)
            if size > _ALWAYS_ALLOWED_SIZE and size > _MAX_EXPANSION * file.tell():
                raise CorpusError(
                    f"{name} expands to more than {_MAX_EXPANSION} times its size, which no text does; "
                    "decompress it yourself if you do want to read it"
                )
            yield block


def _decoded(blocks: Generator[bytes, None, None], name: str, place: Callable[[], str]) -> Generator[str, None, None]:
    """Yield the text of UTF-8 bytes without a byte order mark at its start and with ``\\n`` as every line ending."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, last_line = 0, 0  # line endings so far, and bytes after the last of them
    is_start = True
    ended_with_return = False  # a line feed that follows is then part of the same line ending
    with contextlib.closing(blocks):  # which closes the file at once
        for block in itertools.chain(blocks, [b""]):
            fault = None
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                fault, text = error, error.object[: error.start].decode()
            if is_start and text:
                text, is_start = text.removeprefix(BYTE_ORDER_MARK), False
            if ended_with_return and text:
                text, ended_with_return = text.removeprefix("\n"), False
            if "\r" in text:
                ended_with_return = text.endswith("\r")
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            end = text.rfind("\n") + 1
            lines += text.count("\n")
            last_line = len(text[end:].encode()) + (0 if end else last_line)
            yield text
            if fault:
                raise _not_utf8(fault.object, fault.start, lines + 1, last_line + 1, name, place()) from None


def _without_marks(parts: Generator[str, None, None]) -> Generator[str, None, None]:
    with contextlib.closing(parts):
        for part in parts:
            yield without_byte_order_marks(part)


def _not_utf8(data: bytes, start: int, line: int, position: int, name: str, place: str) -> CorpusError:
    """Make the error about the byte of `data` at `start`."""
    remedy = "convert the file to UTF-8, for example with iconv"
    if line == 1 and position == start + 1:  # `data` is the beginning of the file
        if data.startswith(_GZIP_START):
            remedy = "it looks like a gzip file: give its name the ending .gz"
            if name == STANDARD_INPUT:
                remedy = "it looks like a gzip file: decompress it, for example with gzip -dc"
        elif data.startswith(_UTF16_STARTS):
            remedy = "it looks like UTF-16: " + remedy
    return CorpusError(
        f"{name}, line {line}: byte 0x{data[start]:02x} at position {position} is not UTF-8{place}; {remedy}"
    )
