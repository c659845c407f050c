"""Writes an .npz as `numpy.savez` does, but with each array at a place in the file from which it can be mapped."""

import io
import struct
import zipfile

import numpy as np

ALIGNMENT = 64
BLOCK_SIZE = 2**24
MAGIC_LENGTH = 8


def write_arrays(file, arrays):
    """Write arrays by name, unpacked, a block at a time.

    Parameters
    ----------
    file : binary file, open for writing, at its beginning
    arrays : dict of str to array
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            if not (array.flags.c_contiguous or array.flags.f_contiguous):
                array = array.copy(order="C")
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                member.write(padded_header(array, file.tell()))
                values = (array if array.flags.c_contiguous else array.T).reshape(-1).view(np.uint8)
                for start in range(0, len(values), BLOCK_SIZE):
                    member.write(values[start : start + BLOCK_SIZE])


def padded_header(array, start):
    """The header of an array in NumPy's format, written at `start`, so long that the array begins where it should."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
    header = stream.getvalue()
    text = header[MAGIC_LENGTH + 2 : -1]
    text += b" " * (-(start + len(header)) % ALIGNMENT) + b"\n"
    return header[:MAGIC_LENGTH] + struct.pack("<H", len(text)) + text
