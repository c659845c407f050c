"""Writes an .npz as `numpy.savez` does, but with each array aligned in the file so that it can be memory-mapped."""

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

ALIGNMENT = 64  # bytes
BLOCK_SIZE = 2**24
MAGIC_LENGTH = 8


def write_arrays(file: BinaryIO, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays by name, uncompressed, one block at a time.

    Parameters
    ----------
    file : binary file, open for writing, at its beginning
    arrays : mapping of str to array
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            array = np.asarray(array, order="C")  # a copy of only this one, if it is stored in another order
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                member.write(padded_header(array, file.tell()))
                values = array.reshape(-1).view(np.uint8)
                for start in range(0, len(values), BLOCK_SIZE):
                    member.write(values[start : start + BLOCK_SIZE].data)


def padded_header(array: npt.NDArray[Any], start: int) -> bytes:
    """Return the header of an array in NumPy's format, padded to align the array if the header begins at `start`."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
    header = stream.getvalue()
    text = header[MAGIC_LENGTH + 2 : -1]
    text += b" " * (-(start + len(header)) % ALIGNMENT) + b"\n"
    return header[:MAGIC_LENGTH] + struct.pack("<H", len(text)) + text
