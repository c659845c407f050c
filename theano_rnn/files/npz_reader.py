"""Reads an .npz that may be anything: what it claims is held against what it holds before memory is taken for it.

`numpy.load` makes room for whatever size an array's header names, and unpacks whatever the zip archive says.
"""

import math
import struct
import warnings
import zipfile

import numpy as np

KINDS = "biuf"  # bool, integers, floating-point numbers: nothing that could be a Python object
# Numbers hardly shrink when they are packed. What grows more than this is made to fill the memory.
LARGEST_EXPANSION = 10
ALWAYS_ALLOWED_SIZE = 16 * 2**20
ENDING = ".npy"
LOCAL_HEADER_LENGTH = 30  # of an archive's member, without its name and extra field


class UnreadableArrayError(ValueError):
    """An entry that is no array of numbers, or not the one it says it is."""


def read_arrays(file):
    """All arrays of an .npz by name.

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
        Of any kind: zipfile and NumPy's reader of headers have no list of what they raise for damaged files.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        check_members(members, file.seek(0, 2))
        return {member.filename.removesuffix(ENDING): read_array(archive, member) for member in members}


def check_members(members, size):
    """Refuse an archive of `size` bytes whose members are no arrays, have one name, or unpack to too much."""
    names = set()
    for member in members:
        if not member.filename.endswith(ENDING):
            raise UnreadableArrayError(f"{member.filename} is no array")
        if member.filename in names:
            raise UnreadableArrayError(f"two entries are named {member.filename}")
        names.add(member.filename)
    claimed = sum(member.file_size for member in members)
    if claimed > ALWAYS_ALLOWED_SIZE and claimed > LARGEST_EXPANSION * size:
        raise UnreadableArrayError(f"its {size} bytes claim to hold {claimed}")


def map_arrays(file):
    """All arrays of an .npz by name, mapped: the system reads of them what is looked at, when it is looked at.

    The checksums in the archive are not looked at: whoever calls knows that the file is as it was written.

    Parameters
    ----------
    file : binary file, open for reading
        With arrays that are not packed.

    Returns
    -------
    dict of str to array of bool, integers or floating-point numbers
        They can only be read.

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
        return {member.filename.removesuffix(ENDING): map_array(file, archive, member, size) for member in members}


def map_array(file, archive, member, size):
    name = member.filename.removesuffix(ENDING)
    if member.compress_type != zipfile.ZIP_STORED:
        raise UnreadableArrayError(f"{name} is packed")
    with archive.open(member) as stream:
        shape, in_columns, dtype = read_header(stream, name, member.file_size)
        header_length = stream.tell()
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype)
    file.seek(member.header_offset)
    name_length, extra_length = struct.unpack("<26x2H", file.read(LOCAL_HEADER_LENGTH))
    start = member.header_offset + LOCAL_HEADER_LENGTH + name_length + extra_length + header_length
    if start + math.prod(shape) * dtype.itemsize > size:
        raise UnreadableArrayError(f"{name} goes on beyond the end of the file")
    # A plain array, of which parts are made much sooner than of a memmap.
    return np.asarray(np.memmap(file, dtype, "r", start, shape, "F" if in_columns else "C"))


def read_array(archive, member):
    name = member.filename.removesuffix(ENDING)
    with archive.open(member) as stream:
        shape, in_columns, dtype = read_header(stream, name, member.file_size)
        held = math.prod(shape) * dtype.itemsize
        values = bytearray(stream.read())  # all of it: zipfile compares its own checksum at the end
        if len(values) != held:
            raise UnreadableArrayError(f"{name} should hold {held} bytes, and holds {len(values)}")
    array = np.frombuffer(values, dtype)
    return array.reshape(shape[::-1]).T if in_columns else array.reshape(shape)


def read_header(stream, name, size):
    """(shape, whether in columns, dtype) of an array in a stream of `size` bytes, which holds exactly that much."""
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise UnreadableArrayError(f"{name} has an array format {version} that holds no plain numbers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a header that Python 2 has written is as good
        shape, in_columns, dtype = read(stream)
    if dtype.kind not in KINDS or dtype.hasobject:
        raise UnreadableArrayError(f"{name} holds no plain numbers but {dtype}; Python objects are never loaded")
    claimed, held = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if claimed != held or any(length < 0 for length in shape):
        raise UnreadableArrayError(f"{name} claims the shape {shape}, {claimed} bytes, and holds {held}")
    return shape, in_columns, dtype
