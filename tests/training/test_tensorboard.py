"""Event files of training runs, read by TensorBoard's own reader: the figures of a run, whose results do not change."""

import math

import pytest
from support.script_modules import script
from support.training_runs import CASES, Interrupter, assert_same_run

from theano_rnn.errors import OutputFileError, TrainingInterrupted
from theano_rnn.language_models.language_model import load
from theano_rnn.training import live_plot, timing
from theano_rnn.training.train_model import train

pytest.importorskip("tensorboard", reason="tensorboard is not installed; only train --tensorboard needs it")
accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


@pytest.fixture(autouse=True)
def report_often(monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)


def read(folder):
    events = accumulator.EventAccumulator(str(folder), {"scalars": 0, "tensors": 0})
    events.Reload()
    return events


def values(events, name):
    return {event.step: event.value for event in events.Scalars(name)}


def test_the_events_have_the_figures_of_the_run_and_do_not_change_it(unbroken, toy, tmp_path):
    expected = unbroken("words")
    model = tmp_path / "m.npz"
    train(toy, model=model, epochs=4, tensorboard=tmp_path / "runs" / "a", **CASES["words"])
    assert_same_run(model, expected)
    events, history = read(tmp_path / "runs" / "a"), load(model).training["history"]
    steps = max(values(events, "training/loss"))
    assert steps % 4 == 0 and [*values(events, "training/loss")] == [*range(1, steps + 1)]
    for name in ("valid_loss", "train_loss", "perplexity"):
        found = values(events, f"evaluation/{name}")
        assert [*found] == [steps // 4 * epoch for epoch in (1, 2, 3, 4)]
        assert [*found.values()] == pytest.approx([record[name] for record in history])
    rates = values(events, "training/learning_rate")
    assert rates[1] == pytest.approx(0.03) and rates[steps] < 0.03
    norms = values(events, "training/gradient_norm")
    assert norms.keys() == rates.keys() and min(norms.values()) > 0
    assert [event.step for event in events.Tensors("sample")] == [*values(events, "evaluation/perplexity")]
    assert events.Tensors("sample")[0].tensor_proto.string_val == [b"    a sample"]


def test_the_losses_of_an_epochs_steps_have_the_mean_that_its_evaluation_tells(toy, tmp_path):
    # Without padding: all sentences of this text have the same length.
    train(toy, model=tmp_path / "m.npz", epochs=1, tensorboard=tmp_path, **{**CASES["words"], "batch_size": 1})
    events = read(tmp_path)
    losses = [*values(events, "training/loss").values()]
    [mean] = values(events, "evaluation/train_loss").values()
    assert sum(losses) / len(losses) == pytest.approx(mean, rel=1e-4)


def test_a_resumed_run_continues_the_curves_without_repeated_steps(unbroken, toy, tmp_path):
    whole, model, folder = tmp_path / "whole", tmp_path / "m.npz", tmp_path / "run"
    train(toy, model=tmp_path / "w.npz", epochs=3, tensorboard=whole, **CASES["words"])
    settings = {**CASES["words"], "epochs": 3, "tensorboard": folder}
    with pytest.raises(TrainingInterrupted):
        train(toy, model=model, reporter=Interrupter(1, 4), **settings)
    train(None, model=model, resume=True, tensorboard=folder)
    expected, found = read(whole), read(folder)
    assert values(found, "training/loss") == pytest.approx(values(expected, "training/loss"))
    assert values(found, "evaluation/valid_loss") == values(expected, "evaluation/valid_loss")
    assert len(list(folder.iterdir())) == 2


def test_a_new_run_in_the_same_folder_replaces_the_curves(toy, tmp_path):
    for epochs in (2, 1):
        train(toy, model=tmp_path / "m.npz", epochs=epochs, tensorboard=tmp_path / "run", **CASES["words"])
    assert len(values(read(tmp_path / "run"), "evaluation/valid_loss")) == 1


def test_samples_between_evaluations_are_written(toy, tmp_path):
    train(toy, model=tmp_path / "m.npz", epochs=1, sample_every=3, tensorboard=tmp_path / "run", **CASES["words"])
    steps = [event.step for event in read(tmp_path / "run").Tensors("sample")]
    assert steps[:2] == [3, 6]


def test_the_tutorials_training_has_norms_now_and_then(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(live_plot, "STEPS_BETWEEN_NORMS", 20)
    train(toy, model=tmp_path / "m.npz", epochs=1, tensorboard=tmp_path / "run", **CASES["tutorial"])
    events = read(tmp_path / "run")
    assert 1 <= len(values(events, "training/gradient_norm")) < len(values(events, "training/loss"))
    assert all(map(math.isfinite, values(events, "training/gradient_norm").values()))


def test_a_place_that_cannot_be_used_is_an_error_before_the_run(toy, tmp_path, capsys):
    with pytest.raises(OutputFileError, match="is a file; name a folder"):
        train(toy, model=tmp_path / "m.npz", tensorboard=toy, **CASES["words"])
    assert not (tmp_path / "m.npz").exists()
    arguments = ["--data", str(toy), "--model", str(tmp_path / "m.npz"), "--tensorboard", str(toy)]
    assert script("train").main(arguments) == 2
    assert capsys.readouterr().err == f"train.py: {toy}: is a file; name a folder for the event files\n"
