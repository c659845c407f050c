"""Probabilities of labels at frames as .npz and CSV."""

import csv
import os

import numpy as np
import pytest

from theano_rnn.errors import OptionError, OutputFileError
from theano_rnn.speech import frame_output
from theano_rnn.speech.frame_output import check_frames_path, write_frames

LABELS = ["s", 'ə "x", y']
RECORDINGS = [("a", np.array([[0.25, 0.75], [1, 0]])), ("dr1/b", np.array([[0.5, 0.5]], np.float32))]


def test_an_npz_holds_all_frames_one_after_the_other(tmp_path):
    write_frames(tmp_path / "f.npz", LABELS, 0.01, iter(RECORDINGS))
    with np.load(tmp_path / "f.npz") as found:
        assert found["probabilities"].tolist() == [[0.25, 0.75], [1, 0], [0.5, 0.5]]
        assert found["probabilities"].dtype == np.float32
        assert found["names"].tolist() == ["a", "dr1/b"] and found["labels"].tolist() == LABELS
        assert found["lengths"].tolist() == [2, 1] and found["shift"].tolist() == [0.01]


def test_a_csv_has_a_row_for_each_frame(tmp_path):
    write_frames(tmp_path / "f.CSV", LABELS, 0.01, iter(RECORDINGS))
    with open(tmp_path / "f.CSV", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["name", "start", "end", *LABELS],
            ["a", "0", "0.01", "0.250000", "0.750000"],
            ["a", "0.01", "0.02", "1.000000", "0.000000"],
            ["dr1/b", "0", "0.01", "0.500000", "0.500000"],
        ]


@pytest.mark.parametrize("name", ["f.npz", "f.csv"])
def test_no_recordings_give_a_file_without_frames(tmp_path, name):
    write_frames(tmp_path / name, LABELS, 0.01, [])
    assert (tmp_path / name).stat().st_size


def test_places_are_checked_before_long_work(tmp_path):
    with pytest.raises(OptionError, match="^frames: expected a file named .npz or .csv, got f.txt"):
        check_frames_path("f.txt")
    with pytest.raises(OptionError, match="f.npz: is one of the files that are read"):
        check_frames_path("f.npz", ["f.npz"])
    with pytest.raises(OutputFileError, match="its folder does not exist"):
        check_frames_path(tmp_path / "no" / "f.npz")


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    def fail(file, arrays):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(frame_output, "write_arrays", fail)
    with pytest.raises(OutputFileError, match="f.npz: cannot be written: No space left on device"):
        write_frames(tmp_path / "f.npz", LABELS, 0.01, RECORDINGS)
