"""Texts sampled during training, which do not change its results."""

import json
import signal

import numpy as np
import pytest
from support.training_runs import (
    CASES,
    Notes,
    assert_same_arrays,
    assert_same_run,
    run_state,
)

from theano_rnn.errors import TrainingInterrupted
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer

WORDS = CASES["words"]
ALL_CASES = ["words", *(pytest.param(case, marks=pytest.mark.slow) for case in ("characters", "tutorial"))]

pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


@pytest.mark.parametrize("case", ALL_CASES)
def test_samples_follow_sample_every_and_do_not_change_the_results(case, unbroken, toy, tmp_path):
    reporter = Notes()
    train(toy, model=tmp_path / "m.npz", epochs=4, sample_every=5, reporter=reporter, **CASES[case])
    assert_same_run(tmp_path / "m.npz", unbroken(case))
    total = max(step for _, step, _ in reporter.samples) // 5 * 5
    assert total and reporter.samples[0] == (0, 5, "a sample")
    assert {sample for _, sample in reporter.records} == {"a sample"}


def test_a_sample_between_evaluations_uses_the_current_parameters(toy, tmp_path, monkeypatch):
    drawn = []

    class Watcher(Reporter):
        def sampled(self, state, sample):
            current = self.run.learner.rnn.get_values()
            assert_same_arrays(drawn[-1][0], current)
            assert not np.array_equal(current["W"], self.run.learner.best["W"])

    reporter, take_step = Watcher(), Trainer.take_step
    monkeypatch.setattr(
        LanguageModel, "generate", lambda lm, n, **demands: drawn.append((lm.rnn.get_values(), demands["seed"])) or [""]
    )
    monkeypatch.setattr(Trainer, "take_step", lambda run, b: setattr(reporter, "run", run) or take_step(run, b))
    monkeypatch.setattr(Trainer, "evaluate", Trainer.save)
    train(toy, model=tmp_path / "m.npz", epochs=2, sample_every=3, reporter=reporter, save_every=1e9, **WORDS)
    assert [seed for _, seed in drawn] == list(range(3, 3 * len(drawn) + 1, 3)) and len(drawn) > 3


class Stopper(Reporter):
    """Stops a run while a sample is shown: by a signal, or by a closed pipe."""

    def __init__(self, number, stop):
        self.number, self.stop = number, stop

    def sampled(self, state, sample):
        self.number -= 1
        if self.number == 0:
            self.stop()


def interrupt():
    signal.raise_signal(signal.SIGINT)


def break_pipe():
    raise BrokenPipeError


@pytest.mark.parametrize("stop", [interrupt, break_pipe])
@pytest.mark.parametrize(
    "case, settings",
    [
        ("words", {"valid_fraction": 0.0}),
        ("words", {}),
        ("characters", {}),
        ("tutorial", {}),
    ],
)
def test_a_run_stopped_during_sampling_equals_an_uninterrupted_one(case, settings, stop, toy, tmp_path):
    settings = {**CASES[case], **settings, "epochs": 4, "sample_every": 3}
    train(toy, model=tmp_path / "a.npz", **settings)
    for number in (2, 1, 4):  # samples per call, none at a step that is reported
        again = (tmp_path / "b.npz").exists()
        with pytest.raises(TrainingInterrupted):
            train(toy, model=tmp_path / "b.npz", resume=again, reporter=Stopper(number, stop), **settings)
        state = run_state(tmp_path / "b.npz")[1]["state"]
        assert state["loss_sum"] >= 0.5 * state["loss_tokens"]  # the losses of all tokens that count as learned
    train(None, model=tmp_path / "b.npz", resume=True)
    assert_same_run(tmp_path / "a.npz", tmp_path / "b.npz")


def test_zero_means_no_samples_at_all(unbroken, toy, tmp_path, monkeypatch):
    expected = unbroken("words")
    monkeypatch.setattr(LanguageModel, "generate", None)
    reporter = Notes()
    train(toy, model=tmp_path / "m.npz", epochs=4, sample_every=0, reporter=reporter, **WORDS)
    assert reporter.samples == [] and [sample for _, sample in reporter.records] == [None] * 4
    assert_same_run(tmp_path / "m.npz", expected)


def test_options_for_watching_a_run_are_not_in_the_model(unbroken, toy, tmp_path):
    model = tmp_path / "m.npz"
    settings = {"patience": 7, "sample_every": 3, "save_every": 1.0, "max_minutes": 1e6}
    train(toy, model=model, epochs=4, log=tmp_path / "log.jsonl", **settings, **WORDS)
    assert model.read_bytes() == unbroken("words").read_bytes()
    assert len([json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]) == 4
