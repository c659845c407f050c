"""Text from files and standard input: unpacked, decoded, every line end a ``\\n``, byte order marks left out.

All that reads text reads it here, so that the same text is the same however its lines end.
"""

import codecs
import contextlib
import gzip
import itertools
import os
import select
import stat
import zlib

from theano_rnn.errors import ArgumentTypeError, CorpusError

STANDARD_INPUT = "standard input"  # its name in messages

_GZIP_START = b"\x1f\x8b"
_UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff")
_MARK = "\ufeff"
_MARK_BYTES = _MARK.encode()

# Text shrinks by 3 to 10 times. What grows beyond this is made to fill the memory, or is not worth learning from.
_LARGEST_EXPANSION = 200
_ALWAYS_ALLOWED_SIZE = 64 * 2**20
_BLOCK_SIZE = 2**20
_LONGEST_LINE = 2**30  # characters
_PATIENCE = 0.02  # seconds without input before the lines so far are handled


class TextInput:
    """One file, or standard input, read once from its beginning to its end.

    A name that ends in ``.gz`` means that the file is gzipped. The text is UTF-8. ``\\n``, ``\\r\\n`` and ``\\r`` end a
    line, also in a mixture. U+FEFF is left out wherever it stands: it is the byte order mark, and files that were
    joined have it in the middle.

    Parameters
    ----------
    path : str or os.PathLike, or None for standard input
    standard_input : binary file, or None if it is closed

    Attributes
    ----------
    name : str
        For messages.
    """

    def __init__(self, path, standard_input=None):
        if path is not None and not isinstance(path, (str, os.PathLike)):
            raise ArgumentTypeError(f"expected the path of a file as str or os.PathLike, got {type(path).__name__}")
        self.name = STANDARD_INPUT if path is None else display_name(path)
        self._path = path
        self._standard_input = standard_input
        self._watched = None  # the descriptor of a pipe or a terminal
        self._lines_left = 0

    def text(self, place=lambda: ""):
        """Yield the text in parts.

        Parameters
        ----------
        place : callable, optional
            Says where, beside the line, a byte is that is not UTF-8.
        """
        return _decoded(self._byte_blocks(), self.name, place)

    def lines(self, place=lambda: ""):
        """Yield the lines without their ends, each as soon as its end is read."""
        begun, length = [], 0  # a line's text in the parts before, and how long it is
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

    def is_waiting(self):
        """Whether `lines` has given all lines that have come so far, and no more come for a moment.

        Only pipes and terminals keep a reader waiting. (Windows cannot tell: no there.)
        """
        if self._lines_left or self._watched is None:
            return False
        try:
            return not select.select([self._watched], [], [], _PATIENCE)[0]
        except (OSError, ValueError):
            return False

    def _byte_blocks(self):
        """Yield the bytes, unpacked."""
        if self._path is None:
            if self._standard_input is None:
                raise CorpusError(f"{self.name} is closed; name a file with the sentences")
            source, is_gzipped = contextlib.nullcontext(self._standard_input), False
        else:
            if "\0" in os.fsdecode(self._path):
                raise CorpusError(f"{self.name}: a path cannot hold a null character; check the path")
            source, is_gzipped = None, has_extension(self._path, ".gz")
        with _told(self.name, self._path):
            with source or open(self._path, "rb") as file:
                self._watched = None if is_gzipped else _descriptor_to_watch(file)
                # read1 gives what a pipe holds, rather than wait for a whole block.
                yield from _unpacked(file, self.name) if is_gzipped else iter(lambda: file.read1(_BLOCK_SIZE), b"")


def has_extension(path, ending):
    """Whether a file's name ends so, in any case of letters."""
    return os.fsdecode(path).lower().endswith(ending)


def display_name(path):
    """The path as it goes into a message of one line: in quotes and escaped if it holds anything unprintable."""
    name = os.fsdecode(path)
    return name if name and name.isprintable() else repr(name)


def without_byte_order_marks(text):
    """Text without byte order marks, as it would be read from a file."""
    return text.replace(_MARK, "") if _MARK in text else text


def normalized_bytes(blocks):
    """Yield bytes with ``\\n`` at the end of every line and without byte order marks, as `TextInput` reads text.

    Parameters
    ----------
    blocks : iterable of bytes
    """
    rest, has_ended = b"", False  # the beginning of a mark; whether the last byte was a carriage return
    for block in itertools.chain(blocks, [None]):
        data, rest = rest + (block or b""), b""
        if block is not None:
            length = next((length for length in (2, 1) if data.endswith(_MARK_BYTES[:length])), 0)
            data, rest = data[: len(data) - length], data[len(data) - length :]
        if not data:
            continue
        if has_ended:
            data = data.removeprefix(b"\n")
        has_ended = data.endswith(b"\r")
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(_MARK_BYTES, b"")
        if data:
            yield data


def _descriptor_to_watch(file):
    """The number of an open file that can keep its reader waiting, else None."""
    try:
        number = file.fileno()
        return None if stat.S_ISREG(os.fstat(number).st_mode) else number
    except (OSError, ValueError, AttributeError):  # no file of the system's
        return None


@contextlib.contextmanager
def _told(name, path):
    """Errors of a file as CorpusError."""
    try:
        yield
    except FileNotFoundError:
        raise CorpusError(f"{name}: no such file; check the path") from None
    except IsADirectoryError:
        raise CorpusError(f"{name} is a directory; name the files in it") from None
    except PermissionError:
        if path is not None and os.path.isdir(path):  # what Windows says of a directory
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


def _decoded(blocks, name, place):
    """Yield the text of UTF-8 bytes without byte order marks, with ``\\n`` at the end of every line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, last_line = 0, 0  # line ends so far, and bytes after the last of them
    is_start = True
    has_ended = False  # whether the last character was a carriage return, of whose line end a line feed may be a part
    with contextlib.closing(blocks):  # and with it the file, at once
        for block in itertools.chain(blocks, [b""]):
            fault = None
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                fault, text = error, error.object[: error.start].decode()
            if is_start and text:
                text, is_start = text.removeprefix(_MARK), False
            if has_ended and text:
                text, has_ended = text.removeprefix("\n"), False
            if "\r" in text:
                has_ended = text.endswith("\r")
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            end = text.rfind("\n") + 1
            lines += text.count("\n")
            last_line = len(text[end:].encode()) + (0 if end else last_line)
            yield without_byte_order_marks(text)
            if fault:
                raise _not_utf8(fault.object, fault.start, lines + 1, last_line + 1, name, place()) from None


def _not_utf8(data, start, line, position, name, place):
    """The error for the byte of `data` at `start`."""
    remedy = "convert the file to UTF-8, for example with iconv"
    if line == 1 and position == start + 1:  # `data` is the beginning of the file
        if data.startswith(_GZIP_START):
            remedy = "it looks like a gzip file: give its name the ending .gz"
            if name == STANDARD_INPUT:
                remedy = "it looks like a gzip file: unpack it, for example with gzip -dc"
        elif data.startswith(_UTF16_STARTS):
            remedy = "it looks like UTF-16: " + remedy
    return CorpusError(
        f"{name}, line {line}: byte 0x{data[start]:02x} at position {position} is not UTF-8{place}; {remedy}"
    )
