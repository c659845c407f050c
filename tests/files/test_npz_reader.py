"""Reading arrays from untrusted files: sizes are checked before memory is allocated."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import read_archive
from theano_rnn.files.npz_reader import ALWAYS_ALLOWED_SIZE, UnreadableArrayError, read_arrays

HUGE = 10**15


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file


def zipped(*members, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file


def npy(header, data=b"", version=(1, 0)):
    header = (header + "\n").encode("latin-1")
    length = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + length + header + data


def claiming(shape, descr="'<f8'", order=False, data=bytes(80), version=(1, 0)):
    return zipped(("U.npy", npy(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}", data, version)))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6, dtype=">f4").reshape(3, 2),
        np.array([True, False]),
        np.array(2**40),
        np.zeros((0, 3)),
        np.float16([1.5]),
        np.uint8([1, 2]),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_files_written_by_numpy_are_read_as_numpy_reads_them(array, save):
    file = io.BytesIO()
    save(file, U=array, V=np.ones(2))
    found = read_arrays(file)
    assert list(found) == ["U", "V"]
    assert found["U"].dtype == array.dtype and found["U"].shape == array.shape
    np.testing.assert_array_equal(found["U"], array)
    found["U"].reshape(-1)[:1] = 0  # the array is writable


def test_a_header_written_by_python_2_is_read():
    np.testing.assert_array_equal(read_arrays(claiming("(10L,)"))["U"], np.zeros(10))


def test_a_header_of_version_2_is_read():
    assert read_arrays(claiming("(2, 5)", version=(2, 0)))["U"].shape == (2, 5)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (claiming(f"({HUGE},)"), f"U claims the shape .*{8 * HUGE} bytes, and holds 80"),
        (claiming(f"({HUGE}, {HUGE}, {HUGE})"), "U claims the shape"),
        (claiming(f"(0, {HUGE})"), "U claims the shape .*, 0 bytes, and holds 80"),
        (claiming("(9,)"), "72 bytes, and holds 80"),
        (claiming("(-10, -1)"), "claims the shape"),
        (claiming("(10,)", "'|O'"), "U holds object instead of plain numbers; Python objects are never loaded"),
        (claiming("(10,)", "[('a', '<f8')]"), r"U holds \[.* instead of plain numbers"),
        (claiming("(10,)", "[('a', '|O')]"), r"U holds \[.* instead of plain numbers"),
        (claiming("(10,)", "'<U2'"), "U holds <U2 instead of plain numbers"),
        (claiming("(10,)", "'<c8'"), "U holds complex64 instead of plain numbers"),
        (claiming("(10,)", "'<M8[s]'"), r"U holds datetime64\S* instead of plain numbers"),
        (claiming("(10,)", version=(3, 0)), r"U has the unsupported array format \(3, 0\)"),
        (zipped(("U", b"text")), "U is not an array"),
        (zipped(("../U.txt", b"text")), "is not an array"),
    ],
)
def test_an_entry_that_is_not_an_array_of_numbers_is_rejected(file, message):
    with pytest.raises(UnreadableArrayError, match=message):
        read_arrays(file)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_the_same_name_are_rejected():
    member = ("U.npy", npz(U=np.ones(2)).getvalue())
    with pytest.raises(UnreadableArrayError, match="two entries are named U.npy"):
        read_arrays(zipped(member, member))


@pytest.mark.parametrize(
    "header",
    ["{'descr': '<f8'}", "[" * 5000, "__import__('os').abort()", "{" * 90, "\xff", "{'a': 1" + " " * 20_000 + "}"],
)
def test_an_invalid_header_is_an_error_and_runs_no_code(tmp_path, header):
    path = tmp_path / "a.npz"
    path.write_bytes(zipped(("U.npy", npy(header, bytes(80)))).getvalue())
    with pytest.raises(ModelFileError, match="damaged, or not a model file: ") as error:
        read_archive(path)
    assert "\n" not in str(error.value)


def test_a_file_that_expands_a_hundred_times_is_rejected_before_it_is_decompressed():
    size = 10 * ALWAYS_ALLOWED_SIZE
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("U.npy", "w") as member:
            member.write(npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},)}}"))
            for _ in range(10):
                member.write(bytes(ALWAYS_ALLOWED_SIZE))
    tracemalloc.start()
    with pytest.raises(UnreadableArrayError, match=r"its \d+ bytes claim to hold \d+"):
        read_arrays(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_header_that_claims_petabytes_allocates_no_memory():
    file = claiming(f"({HUGE},)")
    tracemalloc.start()
    with pytest.raises(UnreadableArrayError):
        read_arrays(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_damage_within_an_array_is_detected_by_the_checksum_of_the_zip_archive():
    content = bytearray(npz(U=np.ones(1000)).getvalue())
    content[len(content) // 2] ^= 1
    with pytest.raises(zipfile.BadZipFile):
        read_arrays(io.BytesIO(content))
