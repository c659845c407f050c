"""Archives: round trip, atomic writing, and a message of one line for every kind of damaged file."""

import errno
import json
import os
import pickle
import tempfile
import zipfile

import numpy as np
import pytest

from theano_rnn.errors import ModelFileError
from theano_rnn.files import archive
from theano_rnn.files.archive import FORMAT_VERSION, one_line, read_archive, read_document, write_archive

ARRAYS = {"U": np.arange(6, dtype=np.float32).reshape(2, 3), "ids": np.array([1, 2**40]), "empty": np.zeros((0, 3))}
DOCUMENTS = {"configuration": {"level": "word", "rate": 0.1, "none": None}, "vocabulary": ["é", "日本", "\x00", "a\n"]}


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def assert_one_line(error, path):
    message = str(error.value)
    assert message.startswith(f"{path}: ") and "\n" not in message


def test_reading_returns_what_was_written_with_types_shapes_and_trailing_null_characters(tmp_path):
    path = tmp_path / "a.npz"
    write_archive(path, ARRAYS, DOCUMENTS)
    entries = read_archive(path)
    assert entries.keys() == ARRAYS.keys() | DOCUMENTS.keys()
    for name, array in ARRAYS.items():
        assert entries[name].dtype == array.dtype and entries[name].shape == array.shape
        np.testing.assert_array_equal(entries[name], array)
    for name, document in DOCUMENTS.items():
        assert read_document(path, entries, name) == document


def test_missing_folders_are_created_and_the_file_name_is_not_changed(tmp_path):
    path = tmp_path / "new" / "folder" / "model"
    write_archive(path, ARRAYS, {})
    assert names(path.parent) == ["model"]
    assert read_archive(str(path)).keys() == ARRAYS.keys()


def test_the_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "ordinary").write_bytes(b"")
    write_archive(tmp_path / "a.npz", ARRAYS, {})
    assert (tmp_path / "a.npz").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.parametrize("where", ["write_arrays", "fsync", "replace"])
@pytest.mark.parametrize("old", [True, False])
def test_a_full_disk_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, where, old):
    path = tmp_path / "a.npz"
    if old:
        write_archive(path, ARRAYS, DOCUMENTS)
    before = path.read_bytes() if old else None

    def full(*arguments, **settings):
        if where == "write_arrays":
            arguments[0].write(b"half a file")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(archive if where == "write_arrays" else os, where, full)
    with pytest.raises(ModelFileError, match="cannot be written: No space left on device") as error:
        write_archive(path, {"U": np.ones(3)}, {})
    assert_one_line(error, path)
    assert names(tmp_path) == (["a.npz"] if old else [])
    assert not old or path.read_bytes() == before


def test_an_interruption_while_writing_leaves_no_temporary_file(tmp_path, monkeypatch):
    def interrupted(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(archive, "write_arrays", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_archive(tmp_path / "a.npz", ARRAYS, {})
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_created_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "a.npz"
    with pytest.raises(ModelFileError, match="cannot be written: .*choose another place") as error:
        write_archive(path, ARRAYS, {})
    assert_one_line(error, path)


def test_a_folder_without_write_permission_is_reported(tmp_path, monkeypatch):
    def forbidden(*arguments, **settings):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "mkstemp", forbidden)
    with pytest.raises(ModelFileError, match="cannot be written: Permission denied") as error:
        write_archive(tmp_path / "a.npz", ARRAYS, {})
    assert_one_line(error, tmp_path / "a.npz")


def test_a_folder_of_the_same_name_is_reported_and_kept(tmp_path):
    path = tmp_path / "a.npz"
    path.mkdir()
    with pytest.raises(ModelFileError, match="cannot be written") as error:
        write_archive(path, ARRAYS, {})
    assert_one_line(error, path)
    assert names(tmp_path) == ["a.npz"] and path.is_dir()


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(ModelFileError, match="no such file; train a model first") as error:
        read_archive(tmp_path / "a.npz")
    assert_one_line(error, tmp_path / "a.npz")


def test_reading_a_folder_is_an_error(tmp_path):
    with pytest.raises(ModelFileError, match=": is a directory; name a file in it") as error:
        read_archive(tmp_path)
    assert_one_line(error, tmp_path)


def text_file(path):
    path.write_text("He went to buy some chocolate.\n")


def empty_file(path):
    path.write_bytes(b"")


def single_array(path):
    with open(path, "wb") as file:
        np.save(file, np.ones(3))


def pickled(path):
    path.write_bytes(pickle.dumps(Malicious(path.with_name("witness"))))


@pytest.mark.parametrize("make", [text_file, empty_file, single_array, pickled])
def test_a_file_that_is_not_an_archive_is_reported(tmp_path, make):
    path = tmp_path / "a.npz"
    make(path)
    with pytest.raises(ModelFileError, match="not a model file") as error:
        read_archive(path)
    assert_one_line(error, path)
    assert names(tmp_path) == ["a.npz"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_reported(tmp_path, share):
    path = tmp_path / "a.npz"
    write_archive(path, ARRAYS, DOCUMENTS)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFileError, match="not a model file") as error:
        read_archive(path)
    assert_one_line(error, path)


def test_a_changed_byte_in_an_array_is_reported(tmp_path):
    path = tmp_path / "a.npz"
    write_archive(path, {"U": np.full(1000, 1.0)}, {})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="damaged, or not a model file") as error:
        read_archive(path)
    assert_one_line(error, path)


class Malicious:
    """Unpickling an instance creates the folder `witness`."""

    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return os.mkdir, (str(self.witness),)


def test_python_objects_are_rejected_and_never_unpickled(tmp_path):
    path, witness = tmp_path / "a.npz", tmp_path / "witness"
    np.savez(path, U=np.array([Malicious(witness)], dtype=object))
    with pytest.raises(
        ModelFileError, match="damaged, or not a model file: U holds object instead of plain numbers"
    ) as error:
        read_archive(path)
    assert_one_line(error, path)
    assert not witness.exists()


def test_written_files_contain_no_pickles(tmp_path):
    write_archive(tmp_path / "a.npz", ARRAYS, DOCUMENTS)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


def test_a_missing_document_is_reported():
    with pytest.raises(ModelFileError, match="m.npz: contains no vocabulary"):
        read_document("m.npz", {}, "vocabulary")


def as_bytes(text):
    return np.frombuffer(text.encode("utf-8"), np.uint8)


@pytest.mark.parametrize(
    "entry",
    [
        as_bytes('{"version": 1, "content": '),
        as_bytes(""),
        as_bytes("[1, 2]"),
        as_bytes("null"),
        as_bytes('{"content": {}}'),
        as_bytes('{"version": 1}'),
        as_bytes('{"version": 1, "content": "é"}'),
        as_bytes("[" * 100_000),
        np.array(["text"]),
    ],
    ids=["cut", "empty", "a list", "null", "no version", "no content", "not ASCII", "deeply nested", "a string array"],
)
def test_a_damaged_document_is_reported(entry):
    with pytest.raises(ModelFileError, match="m.npz: damaged configuration: ") as error:
        read_document("m.npz", {"configuration": entry}, "configuration")
    assert_one_line(error, "m.npz")


def test_an_archive_member_that_is_not_an_array_is_reported(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("configuration", '{"version": 1, "content": {}}')
    with pytest.raises(ModelFileError, match="damaged") as error:
        read_document(path, read_archive(path), "configuration")
    assert_one_line(error, path)


def test_a_newer_format_is_reported():
    entry = as_bytes(json.dumps({"version": FORMAT_VERSION + 1, "content": {}}))
    with pytest.raises(
        ModelFileError, match=r"has format version 2, this theano_rnn reads 1; install a newer"
    ) as error:
        read_document("m.npz", {"configuration": entry}, "configuration")
    assert_one_line(error, "m.npz")


def test_messages_of_other_libraries_become_one_short_line():
    assert one_line(ValueError("a\n  b\tc")) == "a b c"
    assert one_line(EOFError()) == "EOFError"
    assert len(one_line(ValueError("x" * 1000))) == 200
