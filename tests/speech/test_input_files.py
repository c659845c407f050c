"""Which files are recordings and labels, and their names."""

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.speech.input_files import find_speech_files, is_speech, recording_name


@pytest.fixture
def folder(tmp_path):
    for name in (
        "wavs/b/two.WAV", "wavs/b/two.PHN", "wavs/one.wav", "wavs/one.TextGrid", "wavs/.hidden.wav", "wavs/notes.txt",
        "wavs/segments.tsv", "wavs/other.tsv", "more/one.wav", "x.npz", "empty/readme.md",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def names(files):
    return [file.name for file in files]


def test_a_folder_is_searched_and_names_are_paths_without_endings(folder):
    found = find_speech_files([folder / "wavs"])
    assert names(found.recordings) == ["b/two", "one"]
    assert names(found.labels) == ["b/two", "one", "segments"]


def test_single_files_are_called_like_files_and_like_paths_if_two_are_alike(folder):
    found = find_speech_files([folder / "wavs/b/two.WAV", folder / "wavs/other.tsv"])
    assert names(found.recordings) == ["two"] and names(found.labels) == ["other"]
    found = find_speech_files([folder / "wavs/one.wav", folder / "more/one.wav"])
    assert names(found.recordings) == [(folder / place).as_posix() for place in ("wavs/one", "more/one")]


def test_frames_are_told_from_texts(folder):
    assert is_speech(["a.WAV"]) and is_speech(["a.tsv", "a.npz"]) and is_speech([folder])
    assert not is_speech(["a.tsv", "a.txt"]) and not is_speech([])


@pytest.mark.parametrize("text", ["dr1/sa1", "dr1/sa1.wav", "dr1\\SA1.WAV", "./dr1/sa1", " dr1/sa1 "])
def test_tables_may_name_recordings_with_ending_and_backslashes(text):
    assert recording_name(text).lower() == "dr1/sa1"


@pytest.mark.parametrize("paths, message", [
    (["missing.wav"], "missing.wav: no such file; check the path"),
    (["empty"], "empty: holds no .wav files"),
    (["wavs/notes.txt"],
     r"notes.txt: expected recordings \(.wav, .npz\) or their labels \(.tsv, .csv, .TextGrid, .phn\)"),
    (["wavs", "x.npz"], "x.npz: .npz and .wav files cannot be mixed"),
])  # fmt: skip
def test_other_paths_are_rejected(folder, paths, message):
    with pytest.raises(CorpusError, match=message):
        find_speech_files([folder / path for path in paths])
