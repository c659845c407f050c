import os

import pytest

from theano_rnn.errors import OptionError, OutputFileError
from theano_rnn.files import output_files
from theano_rnn.files.output_files import check_can_be_read_again, check_output_path, write_output


def test_a_path_in_a_writable_folder_is_accepted(tmp_path):
    assert check_output_path(tmp_path / "page.html", [tmp_path / "text.txt"]) == tmp_path / "page.html"


def test_an_input_file_is_rejected_under_any_of_its_names(tmp_path):
    (tmp_path / "text.txt").write_text("a")
    (tmp_path / "link.txt").symlink_to(tmp_path / "text.txt")
    with pytest.raises(OptionError, match="is one of the files that are read; choose another place"):
        check_output_path(tmp_path / "link.txt", [tmp_path / "text.txt"])


def test_a_folder_is_rejected(tmp_path):
    with pytest.raises(OutputFileError, match="is a directory; name a file in it"):
        check_output_path(tmp_path)


def test_a_device_is_rejected():
    with pytest.raises(OutputFileError, match="is not a regular file, but would be replaced"):
        check_output_path(os.devnull)


def test_the_target_of_standard_output_is_rejected(tmp_path, monkeypatch):
    for stream in ("__stdout__", "__stderr__"):
        with open(tmp_path / "log.txt", "w") as file, monkeypatch.context() as patched:
            patched.setattr(output_files.sys, stream, file)
            with pytest.raises(OutputFileError, match="is where standard output or standard error go; choose another"):
                check_output_path(tmp_path / "log.txt")
    with monkeypatch.context() as patched:
        patched.setattr(output_files.sys, "__stdout__", None)
        assert check_output_path(tmp_path / "log.txt") == tmp_path / "log.txt"


def test_a_missing_folder_is_rejected(tmp_path):
    with pytest.raises(OutputFileError, match="its folder does not exist; create it"):
        check_output_path(tmp_path / "none" / "page.html")


def test_a_folder_that_is_not_writable_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *details: False)
    with pytest.raises(OutputFileError, match="the folder is not writable"):
        check_output_path(tmp_path / "page.html")


def test_text_and_bytes_are_written_in_order(tmp_path):
    write_output(tmp_path / "page.html", ["a ", "b é".encode()])
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "a b é"


def test_the_old_file_is_kept_if_the_new_one_cannot_be_completed(tmp_path):
    def parts():
        yield "new"
        raise OSError(28, "No space left on device")

    (tmp_path / "page.html").write_text("old")
    with pytest.raises(OutputFileError, match="cannot be written: No space left on device; choose another place"):
        write_output(tmp_path / "page.html", parts())
    assert (tmp_path / "page.html").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_read_twice_is_a_file_or_a_folder(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    check_can_be_read_again("html", [tmp_path, tmp_path / "a.txt", tmp_path / "missing.txt"])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OptionError, match=r"^html: .*pipe is a pipe or a device, which can be read only once; save"):
        check_can_be_read_again("html", [tmp_path / "a.txt", tmp_path / "pipe"])
