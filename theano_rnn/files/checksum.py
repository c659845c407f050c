"""A checksum at the end of an .npz, which detects any damage, however small and wherever in the file.

A zip archive may end with a comment. Ours is ``sha256:`` and the hexadecimal digest of all bytes before it, including
the two bytes that hold the comment's length:

    … entries … | directory | end of directory, its last two bytes: 71, 0 | sha256:5f3a…
"""

import hashlib
import os
import struct
from typing import BinaryIO

PREFIX = b"sha256:"
CHECKSUM_LENGTH = len(PREFIX) + 2 * hashlib.sha256().digest_size
END_OF_DIRECTORY = b"PK\5\6"
END_LENGTH = 22  # without a comment
BLOCK_SIZE = 2**20


class ChecksumError(ValueError):
    """A file that has changed since it was written, or that is incomplete."""


def append_checksum(file: BinaryIO) -> None:
    """Append the checksum to an archive that has no comment and is open for reading and writing."""
    file.seek(-2, os.SEEK_END)
    file.write(struct.pack("<H", CHECKSUM_LENGTH))
    file.seek(0, os.SEEK_END)
    file.write(PREFIX + digest(file, file.tell()))


def verify_checksum(file: BinaryIO) -> bool:
    """Verify the checksum of an archive.

    Returns
    -------
    bool
        True if the archive has a checksum; False if it has none, as archives of other programs.

    Raises
    ------
    ChecksumError
        If the contents have changed, or the file is incomplete.
    """
    size = file.seek(0, os.SEEK_END)
    end = read_end(file, size, CHECKSUM_LENGTH)
    if end.startswith(PREFIX):
        if end[len(PREFIX) :] != digest(file, size - CHECKSUM_LENGTH):
            raise ChecksumError("the checksum does not match: the file has changed since it was written")
        return True
    end = read_end(file, size, END_LENGTH)
    if not end.startswith(END_OF_DIRECTORY) or end[-2:] != b"\0\0":
        raise ChecksumError("its end is missing or damaged")
    return False


def read_end(file: BinaryIO, size: int, length: int) -> bytes:
    """Read the last `length` bytes of a file of `size` bytes."""
    file.seek(max(size - length, 0))
    return file.read(length)


def digest(file: BinaryIO, length: int) -> bytes:
    """Compute the SHA-256 of the first `length` bytes, in hexadecimal. The file is left positioned after them."""
    file.seek(0)
    sha256 = hashlib.sha256()
    while length:
        block = file.read(min(length, BLOCK_SIZE))
        if not block:
            break
        sha256.update(block)
        length -= len(block)
    return sha256.hexdigest().encode("ascii")
