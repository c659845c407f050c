"""Early stopping when the loss no longer improves."""

import math

import pytest
from support.script_modules import script
from support.training_runs import (
    CASES,
    Interrupter,
    Notes,
    assert_same_run,
    run_state,
)

from theano_rnn.errors import TrainingInterrupted
from theano_rnn.training import timing
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer

WORDS = CASES["words"]
ALL_CASES = ["words", *(pytest.param(case, marks=pytest.mark.slow) for case in ("characters", "tutorial"))]

pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


LOSSES = [9.0, 3.0, 2.0, 2.5, 2.0, 1.5, 1.6, 1.7, 1.8, 1.9]  # by epoch


@pytest.fixture
def losses(monkeypatch):
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: LOSSES[run.state.epoch])
    monkeypatch.setattr(Trainer, "train_loss", lambda run: LOSSES[run.state.epoch])


@pytest.mark.parametrize("patience, epochs", [(1, 3), (2, 4), (3, 8), (4, 9), (5, 9), (None, 9), (0, 9)])
@pytest.mark.usefixtures("losses")
def test_a_run_ends_after_patience_evaluations_without_improvement(toy, tmp_path, patience, epochs):
    reporter = Notes()
    lm = train(toy, model=tmp_path / "m.npz", epochs=9, patience=patience, reporter=reporter, **WORDS)
    assert [record["epoch"] for record in lm.training["history"]] == list(range(1, epochs + 1))
    told = [note for note in reporter.notes if "the loss has not fallen in" in note]
    assert len(told) == (epochs < 9)
    if told:
        assert told[0].endswith(f"the run has ended after {epochs} epochs; to continue, raise patience or set it to 0")


@pytest.mark.usefixtures("losses")
def test_tutorial_training_counts_evaluations_of_the_training_text(toy, tmp_path):
    lm = train(toy, model=tmp_path / "m.npz", epochs=9, patience=2, **CASES["tutorial"])
    assert [record["epoch"] for record in lm.training["history"]] == [0, 1, 2, 3, 4]


def test_tutorial_training_decides_by_the_training_text_even_if_text_is_held_out(
    toy, tmp_path, monkeypatch, drawn, capsys
):
    monkeypatch.setattr(Trainer, "train_loss", lambda run: 3.0 - run.state.epoch)
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: 2.0 + run.state.epoch)
    arguments = ["--tutorial", "--data", toy, "--valid", tmp_path / "held.txt", "--model", tmp_path / "m.npz"]
    (tmp_path / "held.txt").write_text("The dog sees the cat.\n")
    arguments += ["--hidden-dim", 6, "--epochs", 2, "--evaluate-every", 1, "--plot", tmp_path / "m.png"]
    assert script("train").main(list(map(str, arguments))) == 0
    [best] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("best perplexity ")]
    assert best.startswith(f"best perplexity {math.exp(4):.2f} after epoch 2;")
    assert drawn[-1][-1] is True


@pytest.mark.usefixtures("losses")
def test_a_resumed_run_with_patience_ends_like_an_uninterrupted_one(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    settings = {**WORDS, "patience": 2, "epochs": 9}
    train(toy, model=tmp_path / "a.npz", **settings)
    for moment in ((1, 2), (3, 1), (3, 3)):
        with pytest.raises(TrainingInterrupted):
            again = (tmp_path / "b.npz").exists()
            train(toy, model=tmp_path / "b.npz", resume=again, reporter=Interrupter(*moment), **settings)
    train(None, model=tmp_path / "b.npz", resume=True)
    assert run_state(tmp_path / "b.npz")[1]["state"]["epoch"] == 4
    assert_same_run(tmp_path / "a.npz", tmp_path / "b.npz")


@pytest.mark.usefixtures("losses")
def test_a_run_out_of_patience_resumes_with_more_or_none_and_otherwise_says_so(toy, tmp_path, monkeypatch):
    model, reporter = tmp_path / "m.npz", Notes()
    train(toy, model=model, epochs=9, patience=2, **WORDS)
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "take_step", None)
        for settings in ({}, {"patience": 1}, {"epochs": 20}):
            before = model.read_bytes()
            train(None, model=model, resume=True, reporter=reporter, **settings)
            assert reporter.notes.pop().startswith("the loss has not fallen in ")
            assert model.read_bytes() == before or "epochs" in settings
    train(None, model=model, resume=True, patience=3, epochs=9)
    assert run_state(model)[1]["state"]["epoch"] == 8
    train(None, model=model, resume=True, patience=0)
    train(toy, model=tmp_path / "unlimited.npz", epochs=9, **WORDS)
    assert_same_run(model, tmp_path / "unlimited.npz")
