"""Temporary storage: reading anywhere, memory-mapping, and errors when the disk is full."""

import gc
import io
import os

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.files import temporary_storage
from theano_rnn.files.temporary_storage import TemporaryStorage


@pytest.mark.parametrize("buffer_size", [1, 10, 2**20])
def test_bytes_can_be_read_anywhere_and_between_writes(tmp_path, monkeypatch, buffer_size):
    monkeypatch.setattr(temporary_storage, "_WRITE_BUFFER_SIZE", buffer_size)
    file = TemporaryStorage(tmp_path)
    file.write(b"abc")
    assert (file.read(1, 9), file.size) == (b"bc", 3)
    file.write(np.array([1, 2], np.int16))
    file.write(np.zeros(0))
    file.truncate(5)
    file.write(b"xy")
    assert file.read(0, 100) == b"abc" + np.array([1], np.int16).tobytes() + b"xy"
    assert (file.read(4, 2), file.read(9, 1), file.size) == (b"\0x", b"", 7)


def test_a_mapped_array_holds_what_was_written_and_outlives_the_storage(tmp_path):
    arrays = []
    for count in (0, 1, 1000):
        file = TemporaryStorage(tmp_path)
        for number in range(count):
            file.write(np.array([number], np.int32))
        arrays.append(file.mapped(np.int32))
        del file
    gc.collect()
    for array, count in zip(arrays, (0, 1, 1000), strict=True):
        assert type(array) is np.ndarray and array.dtype == np.int32
        np.testing.assert_array_equal(array, np.arange(count))
        if count:
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1


def test_the_file_has_no_name(tmp_path):
    file = TemporaryStorage(tmp_path)
    file.write(b"x" * 2**21)
    file.flush()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(CorpusError, match="absent: cannot store the text .*: No such file.*; free some space"):
        TemporaryStorage(tmp_path / "absent")


class FullDisk(io.BytesIO):
    def write(self, data):
        raise OSError(28, os.strerror(28))


def test_a_full_disk_is_reported_with_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary_storage.tempfile, "TemporaryFile", lambda **settings: FullDisk())
    file = TemporaryStorage(tmp_path)
    file.write(b"x")
    for last in (file.flush, lambda: file.read(0, 1), lambda: file.mapped(np.int8), lambda: file.write(bytes(2**20))):
        with pytest.raises(CorpusError, match=f"{tmp_path}: cannot store the text .*: No space left on device; free"):
            last()


def test_a_file_that_cannot_be_mapped_is_reported(tmp_path, monkeypatch):
    def fail(*arguments, **settings):
        raise OSError(19, os.strerror(19))

    file = TemporaryStorage(tmp_path)
    file.write(b"x")
    monkeypatch.setattr(np, "memmap", fail)
    with pytest.raises(CorpusError, match="No such device"):
        file.mapped(np.int8)
