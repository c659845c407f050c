"""Options of training on recordings, and labels that are checked before recordings are read."""

import numpy as np
import pytest
from support.sounds import tone

import theano_rnn
from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.speech import recordings as recordings_module
from theano_rnn.speech.textgrid import Interval, Tier, textgrid_text
from theano_rnn.training.options import TrainingOptions

FEW = {"cell": "simple", "epochs": 1, "hidden_dim": 4, "batch_size": 2, "dropout": 0.0}
TABLE = "name\tstart\tend\tlabel\n"


def grid(**tiers):
    """A TextGrid of 0.4 s; each tier has two labels."""
    named = [Tier(name, [Interval(0, 0.2, one), Interval(0.2, 0.4, two)]) for name, (one, two) in tiers.items()]
    return "".join(textgrid_text(named, 0.4))


@pytest.fixture
def folder(tmp_path):
    """Four sounds, each with a TextGrid of two tiers."""
    soundfile = pytest.importorskip("soundfile")
    pytest.importorskip("kaldi_native_fbank")
    folder = tmp_path / "sounds"
    folder.mkdir()
    for number in range(4):
        soundfile.write(folder / f"r{number}.wav", tone(0.4, 8000, seed=number), 8000)
        (folder / f"r{number}.TextGrid").write_text(grid(words="xy", phones="ab"), encoding="utf-8")
    return folder


@pytest.fixture
def npz(tmp_path):
    """Four recordings of 20 frames, without labels."""
    np.savez(tmp_path / "f.npz", features=np.zeros((80, 2)), lengths=[20] * 4, names=["r0", "r1", "r2", "r3"])
    return tmp_path / "f.npz"


@pytest.fixture
def unread(monkeypatch):
    """No features are computed and no frames are read."""

    def computed(*arguments):
        raise AssertionError("a recording was read")

    monkeypatch.setattr(recordings_module, "compute_features", computed)
    monkeypatch.setattr(recordings_module.NpzFrames, "__iter__", computed)


def test_a_run_keeps_its_features_and_its_tier_and_so_does_its_model(folder, tmp_path):
    path = tmp_path / "m.npz"
    run = {"model": path, "tier": "phones", "features": "mfcc", **FEW}
    model = theano_rnn.train(folder, task="tag", **run)
    assert model.labels == ["a", "b"] and len(model.frames.mean) == 13 and model.frames.features.kind == "mfcc"
    assert model.evaluate([str(folder)]).labels == ["a", "b"]
    with pytest.raises(CorpusError, match="the label 'x' does not occur in training"):
        model.evaluate([str(folder)], tier="words")
    for name, value in (("features", "log-mel"), ("tier", "words")):
        with pytest.raises(OptionError, match=f"{name}: the interrupted run has '.*', got '{value}'; leave it out"):
            theano_rnn.train(folder, resume=True, model=path, **{name: value})
    again = theano_rnn.train(folder, resume=True, model=path, epochs=2)
    assert again.training["options"]["tier"] == "phones" and again.frames.features == model.frames.features


def test_the_default_features_are_log_mel_energies_and_may_be_named_on_resuming(folder, tmp_path):
    table = tmp_path / "labels.tsv"
    table.write_text("name\tlabel\n" + "".join(f"r{i}\t{i % 2}\n" for i in range(4)), encoding="utf-8")
    run = {"task": "classify", "model": tmp_path / "m.npz"}
    sounds = [*sorted(folder.glob("*.wav")), table]
    model = theano_rnn.train(sounds, **run, **FEW)
    assert model.frames.features.kind == model.training["options"]["features"] == "log-mel"
    theano_rnn.train(sounds, resume=True, features="log-mel", **run)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"task": "tag", "features": "mfcc"}, "features: are computed from .wav files, and .npz files hold them"),
        ({"task": "tag", "features": "fbank"}, "features: expected one of log-mel, mfcc, got 'fbank'"),
        ({"task": "tag", "tier": 3}, "tier: expected the name of a tier as str, got 3"),
        ({"task": "tag", "tier": "phones"}, "tier: 'phones' was given, but there is no TextGrid"),
        ({"task": "classify", "tier": "phones"}, "tier: has no effect with `task=classify` on recordings"),
        ({"task": "tag", "keep_case": True}, "keep_case: has no effect with `task=tag` on recordings"),
    ],
)
def test_options_that_do_not_fit_recordings_are_rejected(npz, options, message, unread):
    (npz.parent / "s.tsv").write_text(TABLE + "r0\t0\t1\ta\n", encoding="utf-8")
    with pytest.raises(OptionError, match=message):
        theano_rnn.train([npz, npz.parent / "s.tsv"], model=npz.parent / "m.npz", **options)


@pytest.mark.parametrize("task", ["language-model", "classify", "tag", "fill"])
@pytest.mark.parametrize("name, value", [("features", "mfcc"), ("tier", "phones")])
def test_words_have_neither_features_nor_tiers(task, name, value):
    with pytest.raises(OptionError, match=f"^{name}: has no effect with `task={task}`; leave it out"):
        TrainingOptions.from_settings({"task": task, name: value})


GOOD = [f"r{i}\t0\t0.1\ta\nr{i}\t0.1\t0.2\tb\n" for i in range(4)]


@pytest.mark.parametrize(
    "lines, message",
    [
        (GOOD[:3], "f.npz: there are no segments of the recording r3"),
        ([*GOOD[:3], "r3\t0\t0.1\ta\nr3\t0.15\t0.5\tb\n"], r"s.tsv, line 9: .* is beyond the end of the recording r3"),
        ([*GOOD[:3], "r3\t0\t0.05\ta\nr3\t0.1\t0.2\tb\n"], "s.tsv, line 8: no segment of r3 covers the time 0.050 s"),
        ([line.replace("b", "a") for line in GOOD], "there must be at least two labels of segments to learn"),
    ],
)
def test_wrong_segments_are_reported_before_frames_are_read(npz, unread, lines, message):
    (npz.parent / "s.tsv").write_text(TABLE + "".join(lines), encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        theano_rnn.train([npz, npz.parent / "s.tsv"], task="tag", model=npz.parent / "m.npz")
    assert not (npz.parent / "m.npz").exists()


def test_labels_without_recordings_are_rejected(tmp_path):
    (tmp_path / "a.TextGrid").write_text(grid(phones="ab"), encoding="utf-8")
    with pytest.raises(OptionError, match="files: expected recordings .*, got none"):
        theano_rnn.train(tmp_path / "a.TextGrid", task="tag", model=tmp_path / "m.npz")


@pytest.mark.parametrize("task", ["language-model", "fill"])
def test_recordings_are_data_of_two_tasks_only(npz, task):
    with pytest.raises(OptionError, match=f"data: recordings need `task=tag` or `task=classify`; `task={task}` learns"):
        theano_rnn.train(npz, task=task, model=npz.parent / "m.npz")


def test_no_file_in_a_folder_of_recordings_is_overwritten(folder, tmp_path):
    with pytest.raises(OptionError, match="r1.TextGrid: is one of the texts; choose another place"):
        theano_rnn.train(folder, task="tag", log=folder / "r1.TextGrid", model=tmp_path / "m.npz")


def held_out(folder, name="v", width=2):
    """An .npz of one held-out recording."""
    np.savez(folder / "v.npz", features=np.zeros((20, width)), lengths=[20], names=[name])
    return folder / "v.npz"


@pytest.mark.parametrize(
    "task, more, message",
    [
        ("tag", "", "v.npz: there are no segments of the recording v"),
        ("tag", "v\t0\t0.2\tnew\n", "s.tsv, line 10: the label 'new' does not occur in training; its labels"),
        ("classify", "", "v.npz: the recording v has no label; name a table with one"),
        ("classify", "v\tnew\n", "s.tsv, line 6: the label 'new' does not occur in training"),
    ],
)  # fmt: skip
def test_wrong_labels_of_held_out_recordings_are_reported_before_frames_are_read(npz, unread, task, more, message):
    labels = TABLE + "".join(GOOD) if task == "tag" else "name\tlabel\n" + "".join(f"r{i}\t{i % 2}\n" for i in range(4))
    (npz.parent / "s.tsv").write_text(labels + more, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        valid = held_out(npz.parent)
        theano_rnn.train([npz, npz.parent / "s.tsv"], task=task, valid=valid, model=npz.parent / "m.npz")


def test_held_out_files_must_hold_other_recordings_of_the_same_kind(npz, unread):
    table = npz.parent / "s.tsv"
    table.write_text(TABLE + "".join(GOOD), encoding="utf-8")
    run = {"task": "tag", "model": npz.parent / "m.npz"}
    with pytest.raises(OptionError, match=r"valid: expected recordings \(.wav, .npz, .*\), got .*s.tsv"):
        theano_rnn.train([npz, table], valid=table, **run)
    with pytest.raises(CorpusError, match="v.npz: the frames have 3 features, and the model reads 2"):
        theano_rnn.train([npz, table], valid=held_out(npz.parent, width=3), **run)
    with pytest.raises(CorpusError, match="v.npz: recording r1 is also in .*f.npz"):
        theano_rnn.train([npz, table], valid=held_out(npz.parent, name="r1"), **run)
