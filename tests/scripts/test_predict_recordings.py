"""predict.py as a user runs it, with a model that finds segments: rows, TextGrids, frames, folding, wrong use."""

import functools
import json

import numpy as np
import pytest
from support.script_modules import script

from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.language_models import language_model
from theano_rnn.speech.segmentation import SegmentCounts
from theano_rnn.speech.textgrid import Interval, Tier, textgrid_text
from theano_rnn.tasks.frame_model import FrameInput
from theano_rnn.tasks.frame_tagger import FrameTagger
from theano_rnn.tasks.recording_classifier import RecordingClassifier

predict = script("predict")
loaded = functools.cache(language_model.load)  # so that its functions are compiled once
LABELS = ["a", "b", "sil"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    seen = FrameInput([0, 0], [1, 1])
    reader = Reader(ReaderSettings(labels=3, frame_dim=2, hidden_dim=3, head="steps", cell="simple"), seed=2)
    FrameTagger(reader, LABELS, seen, SegmentCounts.of([[2, 2, 0, 0, 1, 1, 2]], 3)).save(folder / "m.npz")
    reader = Reader(ReaderSettings(labels=3, frame_dim=2, hidden_dim=3), seed=2)
    RecordingClassifier(reader, LABELS, seen).save(folder / "c.npz")
    frames = np.random.default_rng(0).normal(size=(30, 2)) * 3
    np.savez(folder / "two.npz", features=frames, lengths=[20, 10], names=["x/one", "two"])
    np.savez(folder / "one.npz", features=frames[:20], lengths=[20], names=["x/one"])
    (folder / "s.tsv").write_text("name\tstart\tend\tlabel\nx/one\t0\t0.1\ta\nx/one\t0.1\t0.2\tb\n", "utf-8")
    (folder / "fold.tsv").write_text("a\tv\nb\tv\n", "utf-8")
    return folder


@pytest.fixture
def run(folder, monkeypatch, capsys):
    def run(*arguments, model="m.npz"):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(language_model, "load", loaded)
        status = predict.main(["--model", model, *arguments])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err

    return run


def test_each_segment_has_a_row(run):
    status, rows, err = run("two.npz")
    cells = [row.split("\t") for row in rows]
    assert status == 0 and not err and {row[0] for row in cells} == {"x/one", "two"}
    assert [row[2] for row in cells if row[0] == "two"][-1] == "0.100000"
    assert all(row[3] in LABELS and 0 < float(row[4]) <= 1 for row in cells)
    _, objects, _ = run("--format", "json", "two.npz")
    assert [json.loads(one)["label"] for one in objects] == [row[3] for row in cells]


def test_a_textgrid_is_shown_or_one_is_written_for_each_recording(run, folder):
    _, shown, _ = run("--format", "textgrid", "one.npz")
    assert shown[0] == 'File type = "ooTextFile"'
    status, rows, _ = run("--format", "textgrid", "--output", "grids", "two.npz")
    assert status == 0 and not rows
    assert (folder / "grids" / "x" / "one.TextGrid").read_text("utf-8").splitlines() == shown
    assert (folder / "grids" / "two.TextGrid").exists()


def test_frames_are_written_with_all_probabilities(run, folder):
    status, rows, _ = run("--frames", "p.npz", "two.npz")
    written = np.load(folder / "p.npz")
    assert status == 0 and not rows and written["lengths"].tolist() == [20, 10]
    np.testing.assert_allclose(written["probabilities"].sum(axis=1), 1, rtol=1e-6)
    _, shown, _ = run("--probabilities", "two.npz")
    found = [[float(cell) for cell in row.split("\t")[3:]] for row in shown]
    np.testing.assert_allclose(found, written["probabilities"], atol=1e-6)


def test_an_evaluation_compares_labels_folded_or_not(run):
    _, lines, _ = run("--evaluate", "one.npz", "s.tsv")
    assert lines[0].startswith("accuracy") and lines[2].startswith("segments: error rate")
    assert lines[3].startswith("boundaries within 20 ms")
    _, shown, _ = run("--evaluate", "--format", "json", "--fold", "fold.tsv", "one.npz", "s.tsv")
    assert set(json.loads(shown[0])["labels"]) == {"sil", "v"}


def test_a_page_and_a_picture_follow_the_rows_with_given_segments_if_the_input_has_some(run, folder):
    pytest.importorskip("matplotlib")
    _, expected, _ = run("two.npz")
    status, rows, err = run("--html", "p.html", "--plot", "p.png", "two.npz")
    page = (folder / "p.html").read_text("utf-8")
    assert status == 0 and not err and rows == expected
    assert page.count("<section") == 2 and '<g class="g">' not in page and "<td>two.npz</td>" in page
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")
    (folder / "more.tsv").write_text((folder / "s.tsv").read_text("utf-8") + "other\t0\t1\ta\n", "utf-8")
    status, _, _ = run("--format", "textgrid", "--output", "g2", "--html", "p.html", "two.npz", "more.tsv")
    assert status == 0 and (folder / "p.html").read_text("utf-8").count('<g class="g">') == 1


def test_the_picture_of_an_evaluation_has_recordings_and_the_confusion_matrix(run, folder):
    pytest.importorskip("matplotlib")
    _, expected, _ = run("--evaluate", "one.npz", "s.tsv")
    status, lines, _ = run("--evaluate", "--plot", "e.png", "one.npz", "s.tsv")
    assert status == 0 and lines == expected
    run("--plot", "p.png", "one.npz", "s.tsv")
    heights = [int.from_bytes((folder / name).read_bytes()[20:24], "big") for name in ("e.png", "p.png")]
    assert heights[0] > heights[1] + 400


def test_a_tier_is_chosen_for_evaluations_and_pages(run, folder):
    intervals = [Interval(0, 0.1, "a"), Interval(0.1, 0.2, "b")]
    tiers = [Tier("words", [Interval(0, 0.2, "w")]), Tier("phones", intervals)]
    np.savez(folder / "grid.npz", features=np.zeros((20, 2)), lengths=[20], names=["grid"])
    (folder / "grid.TextGrid").write_text("".join(textgrid_text(tiers, 0.2)), "utf-8")
    files = ["grid.npz", "grid.TextGrid"]
    status, lines, _ = run("--evaluate", "--tier", "phones", *files)
    assert status == 0 and lines[0].startswith("accuracy")
    status, rows, _ = run("--html", "p.html", "--tier", "Phones", *files)
    assert status == 0 and rows and (folder / "p.html").read_text("utf-8").count('<g class="g">') == 1
    for arguments, message in [
        (["--evaluate"], "grid.TextGrid: has 2 tiers of intervals; choose one with --tier; the tiers are"),
        (["--evaluate", "--tier", "words"], "grid.TextGrid, line 16: the label 'w' does not occur in training"),
        (["--html", "p.html"], "grid.TextGrid: has 2 tiers of intervals; choose one with --tier"),
        (["--plot", "p.png", "--tier", "tones"], "grid.TextGrid: there is no tier 'tones'; the tiers are 'words', 'ph"),
    ]:
        status, rows, err = run(*arguments, *files)
        assert status == 2 and not rows and message in err and err.count("\n") == 1


@pytest.mark.parametrize("option, name", [("--html", "segments.tsv"), ("--frames", "labels.csv")])
def test_files_in_folders_that_are_read_are_not_overwritten(run, folder, option, name):
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / name).write_text("mine", "utf-8")
    (folder / "data" / "a.wav").touch()
    status, rows, err = run(option, f"data/{name}", "data")
    assert status == 2 and not rows and "is one of the files that are read" in err
    assert (folder / "data" / name).read_text("utf-8") == "mine"


def test_textgrids_of_others_are_not_replaced(run, folder):
    (folder / "mine" / "x").mkdir(parents=True)
    (folder / "mine" / "x" / "one.TextGrid").write_text("by hand", "utf-8")
    status, _, err = run("--format", "textgrid", "--output", "mine", "two.npz")
    assert status == 2 and "mine/x/one.TextGrid: is there already, with other tiers" in err
    assert not (folder / "mine" / "two.TextGrid").exists()


def test_frames_further_apart_than_those_in_training_are_rejected(run, folder):
    np.savez(folder / "slow.npz", features=np.zeros((9, 2)), lengths=[9], names=["a"], shift=0.02)
    status, rows, err = run("slow.npz")
    assert status == 2 and not rows and "slow.npz: the frames are 0.02 s apart, and the model's 0.01 s" in err


def test_a_feature_that_is_not_finite_is_reported_before_any_row(run, folder):
    frames = np.zeros((40_000, 2))
    frames[-1, 1] = np.nan
    np.savez(folder / "nan.npz", features=frames, lengths=[20_000, 20_000], names=["b", "c"])
    for files in (["nan.npz"], ["two.npz", "nan.npz"]):
        status, rows, err = run(*files)
        assert status == 2 and not rows and "nan.npz: recording c, frame 19999: feature 1 is nan" in err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--tier", "a", "one.npz"], "--tier: holds labels to compare or to show; give --evaluate, --plot or --html"),
        (["--tier", "a", "--evaluate", "one.npz", "s.tsv"], "--tier: 'a' was given, but there is no TextGrid"),
        (["--tier", "a", "--html", "p.html", "one.npz"], "--tier: 'a' was given, but there is no TextGrid"),
        (["--format", "textgrid", "two.npz"], "a TextGrid holds one recording, and there are 2; name a folder"),
        (["--output", "grids", "one.npz"], "--output: TextGrids go there; give --format textgrid too"),
        (["--fold", "fold.tsv", "one.npz"], "--fold: replaces labels in an evaluation; give --evaluate too"),
        (["--frames", "p.txt", "one.npz"], "--frames: expected a file named .npz or .csv"),
        (["--frames", "p.npz", "--probabilities", "one.npz"], "--probabilities: has no effect with --frames"),
        (["--evaluate", "--format", "textgrid", "one.npz"], "--format: an evaluation is shown as text or json"),
        (["--frames", "p.npz", "--plot", "p.png", "one.npz"], "--plot: has no effect with --frames"),
        (["--nbest", "2", "one.npz"], "--nbest: has no effect with a model"),
        ([], "recordings are read from .wav or .npz files; name one"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(run, arguments, message):
    status, rows, err = run(*arguments)
    assert status == 2 and not rows and message in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, name",
    [
        (["--frames", "p.npz", "one.npz"], "frames"),
        (["--format", "textgrid", "one.npz"], "format"),
        (["--evaluate", "--fold", "fold.tsv", "one.npz"], "fold"),
        (["--html", "p.html", "one.npz"], "html"),
        (["--evaluate", "--tier", "a", "one.npz"], "tier"),
    ],
)
def test_options_of_segments_have_no_effect_on_other_models(run, arguments, name):
    status, _, err = run(*arguments, model="c.npz")
    assert status == 2 and f"--{name}: has no effect with a model for" in err


def test_a_model_without_segments_draws_only_evaluations(run):
    status, rows, err = run("--plot", "p.png", "one.npz", model="c.npz")
    assert status == 2 and not rows and "--plot: shows the result of an evaluation; give --evaluate too" in err
