"""Plots drawn during training, which do not change its results."""

import itertools
import math
import shutil

import numpy as np
import pytest
from support.training_runs import (
    CASES,
    SENTENCES,
    Interrupter,
    Notes,
    assert_same_arrays,
    run_state,
)

from theano_rnn.errors import DivergenceError, ModelFileError, OptionError, OutputFileError, TrainingInterrupted
from theano_rnn.language_models.language_model import load
from theano_rnn.training import live_plot, timing, train_model
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer

WORDS = CASES["words"]
ALL_CASES = ["words", *(pytest.param(case, marks=pytest.mark.slow) for case in ("characters", "tutorial"))]

pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


def arrays_without_curves(model):
    return {name: value for name, value in run_state(model)[0].items() if name != "curves"}


@pytest.mark.parametrize(
    "case, clip",
    [
        ("words", 1.0),
        pytest.param("characters", 1.0, marks=pytest.mark.slow),
        ("tutorial", None),
        pytest.param("words", None, marks=pytest.mark.slow),
    ],
)
def test_a_plot_does_not_change_the_results(case, clip, unbroken, toy, tmp_path, monkeypatch, drawn):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 2)
    settings = {**CASES[case], "clip": clip, "epochs": 4}
    expected = unbroken(case)
    if case == "words" and clip is None:
        expected = tmp_path / "plain.npz"
        train(toy, model=expected, **settings)
    model = tmp_path / "m.npz"
    train(toy, model=model, plot=tmp_path / "m.png", **settings)
    assert model.read_bytes() == expected.read_bytes()
    assert_same_arrays(arrays_without_curves(model), run_state(expected)[0])
    evaluations, steps, shown_clip, title, by_training_text = drawn[-1]
    assert by_training_text == (case == "tutorial")
    assert (evaluations, shown_clip, title) == (4 + (case == "tutorial"), clip, "m")
    assert np.all(np.diff(steps["epoch"]) > 0) and steps["epoch"][-1] <= 4
    assert len({len(column) for column in steps.values()}) == 1 and len(steps["epoch"]) > 1
    history = load(model).training["history"]
    assert min(steps["loss"]) > 0 and steps["loss"][-1] == pytest.approx(history[-1]["train_loss"], rel=0.5)
    norms = [norm for norm in steps["gradient_norm"] if not math.isnan(norm)]
    assert norms and min(norms) > 0
    assert case == "tutorial" or len(norms) == len(steps["epoch"])


def test_the_curves_of_a_resumed_run_continue(unbroken, toy, tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    model, plot, settings = tmp_path / "m.npz", tmp_path / "m.png", WORDS
    with pytest.raises(TrainingInterrupted):
        train(toy, model=model, epochs=3, plot=plot, reporter=Interrupter(1, 4), **settings)
    before = drawn[-1][1]
    assert len(before["epoch"]) >= 2
    count = len(drawn)
    train(None, model=model, epochs=2, resume=True)  # the curves are kept without a plot
    assert len(drawn) == count
    train(None, model=model, epochs=3, resume=True, plot=plot)
    after = drawn[-1][1]
    assert after["loss"][: len(before["loss"]) - 1] == before["loss"][:-1]
    assert after["epoch"][-1] > 2.5


def test_the_norm_of_the_tutorials_gradient_is_that_of_bptt(toy, tmp_path, drawn, monkeypatch):
    norms, take_step = [], Trainer.take_step

    def noting(run, batch):
        x, y = batch.x[: batch.tokens, 0], batch.y[: batch.tokens, 0]
        norms.append(math.sqrt(sum(float((gradient**2).sum()) for gradient in run.learner.rnn.bptt(x, y))))
        return take_step(run, batch)

    monkeypatch.setattr(Trainer, "take_step", noting)
    monkeypatch.setattr(live_plot, "STEPS_BETWEEN_NORMS", 1)
    settings = {**CASES["tutorial"], "epochs": 1}
    train(toy, model=tmp_path / "m.npz", plot=tmp_path / "m.png", **settings)
    array = run_state(tmp_path / "m.npz")[0]["curves"]
    assert array[:, 0].sum() == len(norms) == len(SENTENCES)
    ends = np.cumsum(array[:, 0]).astype(int)
    weighted = [np.mean(norms[i:j]) for i, j in zip([0, *ends], ends, strict=False)]
    np.testing.assert_allclose(array[1:, 5], weighted[1:], rtol=1e-4)


def test_the_plot_is_up_to_date_after_a_divergence(toy, tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(live_plot, "SECONDS_BETWEEN", 1e9)
    take_step = Trainer.take_step
    monkeypatch.setattr(Trainer, "take_step", lambda run, b: math.nan if run.state.epoch else take_step(run, b))
    with pytest.raises(DivergenceError):
        train(toy, model=tmp_path / "m.npz", epochs=3, plot=tmp_path / "m.png", **WORDS)
    assert [evaluations for evaluations, *_ in drawn] == [0, 1, 1]


def test_a_plot_that_fails_later_is_reported_and_training_continues(unbroken, toy, tmp_path, monkeypatch):
    calls = itertools.count()

    def draw(path, *details):
        if next(calls):
            raise OutputFileError(f"{path}: cannot be written: No space left on device; choose another place")

    monkeypatch.setattr(live_plot, "draw_training", draw)
    reporter = Notes()
    train(toy, model=tmp_path / "m.npz", epochs=4, plot=tmp_path / "m.png", reporter=reporter, **WORDS)
    assert len([note for note in reporter.notes if "m.png: cannot be written: No space left" in note]) == 1
    assert (tmp_path / "m.npz").read_bytes() == unbroken("words").read_bytes()


def test_a_real_plot_is_written(toy, tmp_path):
    plot = tmp_path / "folder" / "m.png"
    train(toy, model=tmp_path / "m.npz", epochs=1, plot=plot, **WORDS)
    assert plot.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_picture_of_another_format_is_refused_before_the_text_is_read(tmp_path):
    with pytest.raises(OptionError, match="m.pdf: pictures are PNG files"):
        train(tmp_path / "absent.txt", model=tmp_path / "m.npz", plot=tmp_path / "m.pdf")


def test_without_matplotlib_a_picture_is_refused_before_the_text_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OptionError, match="matplotlib, which is not installed"):
        train(tmp_path / "absent.txt", model=tmp_path / "m.npz", plot=tmp_path / "m.png")


@pytest.mark.parametrize("resume", [False, True])
def test_reserved_plot_paths_are_refused_before_the_text_is_read(unbroken, toy, tmp_path, monkeypatch, resume):
    model = unbroken("words")
    monkeypatch.setattr(train_model, "prepare_corpus", None)
    log, text, folder = tmp_path / "log.png", tmp_path / "text.png", tmp_path / "folder.png"
    shutil.copy(toy, text)
    folder.mkdir()
    for place, message in (
        (model, "pictures are PNG files; choose a name that ends in .png"),
        (log, "is where the log goes; choose another place for the picture"),
        (text, "is one of the texts; choose another place for what is written"),
    ):
        with pytest.raises(OptionError, match=f"{place.name}: {message}"):
            train(text, model=model, resume=resume, plot=place, log=log, **WORDS)
    with pytest.raises(ModelFileError, match="is a directory; name a file in it"):
        train(toy, model=model, resume=resume, plot=folder, **WORDS)


def test_impossible_curves_are_refused(toy, tmp_path, drawn):
    model = tmp_path / "m.npz"
    train(toy, model=model, epochs=1, plot=tmp_path / "m.png", **WORDS)
    arrays, document = run_state(model)
    live_plot.TrainingCurves.from_array(arrays["curves"])
    train_model.RunFiles(model, None).write(arrays | {"curves": np.ones((2, 3))}, document)
    with pytest.raises(ModelFileError, match="damaged or inconsistent: curves: expected points of 6 columns"):
        train(None, model=model, resume=True)
