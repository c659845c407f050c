"""A checksum at the end of an .npz, so that no damage goes unnoticed, however small and wherever in the file.

A zip archive may end with a comment. Ours is ``sha256:`` and the digest, in hexadecimal digits, of all bytes before it,
those which tell the comment's length included:

    … entries … | directory | end of directory, its last two bytes: 71, 0 | sha256:5f3a…
"""

import hashlib
import os
import struct

MARK = b"sha256:"
CHECKSUM_LENGTH = len(MARK) + 2 * hashlib.sha256().digest_size
END_OF_DIRECTORY = b"PK\5\6"
END_LENGTH = 22  # without a comment
BLOCK_SIZE = 2**20


class ChecksumError(ValueError):
    """A file that is not as it was written."""


def append_checksum(file):
    """Add the checksum to an archive without a comment, open for reading and writing."""
    file.seek(-2, os.SEEK_END)
    file.write(struct.pack("<H", CHECKSUM_LENGTH))
    file.seek(0, os.SEEK_END)
    file.write(MARK + digest(file, file.tell()))


def verify_checksum(file):
    """Hold an archive against its checksum.

    Returns
    -------
    bool
        False for an archive that has none, as others write them.

    Raises
    ------
    ChecksumError
        For other contents than were written, and a file that is not whole.
    """
    size = file.seek(0, os.SEEK_END)
    end = read_end(file, size, CHECKSUM_LENGTH)
    if end.startswith(MARK):
        if end[len(MARK) :] != digest(file, size - CHECKSUM_LENGTH):
            raise ChecksumError("the checksum is another one: the file has changed since it was written")
        return True
    end = read_end(file, size, END_LENGTH)
    if not end.startswith(END_OF_DIRECTORY) or end[-2:] != b"\0\0":
        raise ChecksumError("its end is missing or damaged")
    return False


def read_end(file, size, length):
    file.seek(max(size - length, 0))
    return file.read(length)


def digest(file, length):
    """SHA-256 of the first `length` bytes, as hexadecimal digits. The file is left behind them."""
    file.seek(0)
    found = hashlib.sha256()
    while length:
        block = file.read(min(length, BLOCK_SIZE))
        if not block:
            break
        found.update(block)
        length -= len(block)
    return found.hexdigest().encode("ascii")
