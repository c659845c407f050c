"""Archives are like NumPy's, but their arrays can be memory-mapped."""

import io
import zipfile

import numpy as np
import pytest

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import read_archive, write_archive
from theano_rnn.files.npz_reader import UnreadableArrayError, map_array, map_arrays, read_arrays
from theano_rnn.files.npz_writer import ALIGNMENT, write_arrays

ARRAYS = {
    "a": np.arange(7, dtype=np.uint8),
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(20)[::3],
    "other order": np.arange(4, dtype=">f4"),
    "scalar": np.array(2**40),
    "empty": np.zeros((0, 3)),
    "flags": np.array([True, False, True]),
    "a longer name, é": np.arange(1000, dtype=np.int64),
}


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr("theano_rnn.files.npz_writer.BLOCK_SIZE", 50)
    with open(tmp_path / "a.npz", "w+b") as file:
        write_arrays(file, ARRAYS)
        yield file


def load_with_numpy(file):
    file.seek(0)
    with np.load(file) as archive:
        return dict(archive)


@pytest.mark.parametrize("read", [load_with_numpy, read_arrays, map_arrays])
def test_arrays_are_read_back_unchanged(file, read):
    found = read(file)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)


def test_mapped_arrays_are_aligned_and_read_only(file):
    for array in map_arrays(file).values():
        if array.size:
            assert not array.flags.writeable and array.flags.aligned
            assert array.__array_interface__["data"][0] % ALIGNMENT == 0


def test_compressed_arrays_are_not_mapped():
    file = io.BytesIO()
    np.savez_compressed(file, a=np.arange(9))
    with pytest.raises(UnreadableArrayError, match="a is compressed"):
        map_arrays(file)


def test_an_array_that_extends_beyond_the_end_of_the_file_is_not_mapped(file):
    with zipfile.ZipFile(file) as archive:
        *_, last = archive.infolist()
        end = archive.start_dir
        np.testing.assert_array_equal(map_array(file, archive, last, end), ARRAYS["a longer name, é"])
        with pytest.raises(UnreadableArrayError, match="a longer name, é extends beyond the end of the file"):
            map_array(file, archive, last, end - 1)


def test_an_archive_without_our_checksum_is_not_mapped(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(9))
    with pytest.raises(ModelFileError, match="a.npz: has no checksum; name a file that training wrote"):
        read_archive(tmp_path / "a.npz", mapped=True)


def test_the_checksum_of_a_mapped_archive_is_verified(tmp_path):
    path = tmp_path / "a.npz"
    write_archive(path, {"a": np.arange(100)}, {})
    np.testing.assert_array_equal(read_archive(path, mapped=True)["a"], np.arange(100))
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="the checksum does not match"):
        read_archive(path, mapped=True)
