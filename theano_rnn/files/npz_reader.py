"""Reads an .npz that may hold anything: what it claims is compared with what it holds before memory is allocated.

`numpy.load` allocates whatever size an array's header names, and unpacks whatever the zip archive says.
"""

import math
import struct
import warnings
import zipfile
from collections.abc import Sequence
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

ALLOWED_KINDS = "biuf"  # bool, integers, floating-point numbers: nothing that could be a Python object
# Numbers hardly shrink when they are compressed. A file that expands more than this is meant to fill the memory.
MAX_EXPANSION = 10
ALWAYS_ALLOWED_SIZE = 16 * 2**20
SUFFIX = ".npy"
LOCAL_HEADER_LENGTH = 30  # of an archive's member, without its name and extra field


class UnreadableArrayError(ValueError):
    """An entry that is not an array of numbers, or not the array that it claims to be."""


class ArrayHeader(NamedTuple):
    """What the header of an array in NumPy's format says."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """Size of the array in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_arrays(file: BinaryIO) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of an .npz by name.

    Parameters
    ----------
    file : binary file, open for reading

    Returns
    -------
    dict of str to array of bool, integers or floating-point numbers

    Raises
    ------
    UnreadableArrayError
    Exception
        Of any kind: zipfile and NumPy's reader of headers do not document what they raise for damaged files.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        check_members(members, file.seek(0, 2))
        return {member.filename.removesuffix(SUFFIX): read_array(archive, member) for member in members}


def check_members(members: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Reject an archive of `size` bytes with members that are not arrays, share a name, or unpack to too much."""
    names = set()
    for member in members:
        if not member.filename.endswith(SUFFIX):
            raise UnreadableArrayError(f"{member.filename} is not an array")
        if member.filename in names:
            raise UnreadableArrayError(f"two entries are named {member.filename}")
        names.add(member.filename)
    claimed = sum(member.file_size for member in members)
    if claimed > ALWAYS_ALLOWED_SIZE and claimed > MAX_EXPANSION * size:
        raise UnreadableArrayError(f"its {size} bytes claim to hold {claimed}")


def map_arrays(file: BinaryIO) -> dict[str, npt.NDArray[Any]]:
    """Memory-map all arrays of an .npz by name: the system reads each part when it is used.

    The checksums in the archive are not verified. The caller must know that the file is as it was written.

    Parameters
    ----------
    file : binary file, open for reading
        With arrays that are not compressed.

    Returns
    -------
    dict of str to read-only array of bool, integers or floating-point numbers

    Raises
    ------
    UnreadableArrayError
    Exception
        As for `read_arrays`.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        size = file.seek(0, 2)
        check_members(members, size)
        return {member.filename.removesuffix(SUFFIX): map_array(file, archive, member, size) for member in members}


def map_array(file: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo, size: int) -> npt.NDArray[Any]:
    """Memory-map one array of a file of `size` bytes."""
    name = member.filename.removesuffix(SUFFIX)
    if member.compress_type != zipfile.ZIP_STORED:
        raise UnreadableArrayError(f"{name} is compressed")
    with archive.open(member) as stream:
        header = read_header(stream, name, member.file_size)
        header_length = stream.tell()
    if header.nbytes == 0:
        return np.zeros(header.shape, header.dtype)
    file.seek(member.header_offset)
    name_length, extra_length = struct.unpack("<26x2H", file.read(LOCAL_HEADER_LENGTH))
    start = member.header_offset + LOCAL_HEADER_LENGTH + name_length + extra_length + header_length
    if start + header.nbytes > size:
        raise UnreadableArrayError(f"{name} extends beyond the end of the file")
    order = "F" if header.fortran_order else "C"
    # A plain array instead of a memmap: slicing it is much faster.
    memmap: Any = np.memmap  # NumPy's annotations do not allow every open file
    return np.asarray(memmap(file, header.dtype, "r", start, header.shape, order))


def read_array(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, allowed_kinds: str = ALLOWED_KINDS
) -> npt.NDArray[Any]:
    """Read one array whose data type is of one of the allowed kinds."""
    name = member.filename.removesuffix(SUFFIX)
    with archive.open(member) as stream:
        header = read_header(stream, name, member.file_size, allowed_kinds)
        values = bytearray(stream.read())  # to the end, where zipfile verifies its own checksum
        if len(values) != header.nbytes:
            raise UnreadableArrayError(f"{name} should hold {header.nbytes} bytes, and holds {len(values)}")
    array = np.frombuffer(values, header.dtype)
    return array.reshape(header.shape[::-1]).T if header.fortran_order else array.reshape(header.shape)


def read_header(stream: IO[bytes], name: str, size: int, allowed_kinds: str = ALLOWED_KINDS) -> ArrayHeader:
    """Read the header of an array in a stream of `size` bytes, which must hold exactly as much as the header says."""
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise UnreadableArrayError(f"{name} has the unsupported array format {version}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # headers written by Python 2 are valid too
        header = ArrayHeader(*read(stream))
    if header.dtype.kind not in allowed_kinds or header.dtype.hasobject:
        raise UnreadableArrayError(
            f"{name} holds {header.dtype} instead of plain numbers; Python objects are never loaded"
        )
    held = size - stream.tell()
    if header.nbytes != held or any(length < 0 for length in header.shape):
        raise UnreadableArrayError(f"{name} claims the shape {header.shape}, {header.nbytes} bytes, and holds {held}")
    return header
