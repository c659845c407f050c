"""Runs ended by a time limit resume with the results of an uninterrupted run."""

import math
import shlex
from types import SimpleNamespace

import numpy as np
import pytest
from support.script_modules import script
from support.training_runs import (
    CASES,
    SENTENCES,
    Notes,
    assert_same_arrays,
    assert_same_run,
    run_state,
    trainer_of,
)

from theano_rnn.errors import OptionError
from theano_rnn.language_models.language_model import load
from theano_rnn.training import corpus_cache, timing
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer

WORDS = CASES["words"]
ALL_CASES = ["words", *(pytest.param(case, marks=pytest.mark.slow) for case in ("characters", "tutorial"))]

pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


@pytest.fixture
def seconds_a_step(monkeypatch):
    """Each step takes ten seconds of the time limit; everything else takes none."""
    clock, take_step = SimpleNamespace(seconds=0.0), Trainer.take_step

    def slow_step(run, batch):
        clock.seconds += 10
        return take_step(run, batch)

    monkeypatch.setattr(Trainer, "take_step", slow_step)
    monkeypatch.setattr(timing, "SECONDS_BETWEEN_REPORTS", math.inf)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))


@pytest.mark.parametrize("case", ALL_CASES)
@pytest.mark.usefixtures("seconds_a_step")
def test_a_run_stopped_repeatedly_by_the_time_limit_equals_an_uninterrupted_one(case, unbroken, toy, tmp_path):
    expected, model, ends = unbroken(case), tmp_path / "m.npz", []
    minutes = 0.5 if case == "words" else 2
    for _ in range(30):
        reporter = Notes()
        again = model.exists()
        lm = train(toy, model=model, epochs=4, resume=again, max_minutes=minutes, reporter=reporter, **CASES[case])
        assert_same_arrays(lm.rnn.get_values(), load(model).rnn.get_values())
        if not reporter.ends:
            break
        ends += reporter.ends
        assert reporter.ends[0][2] == tmp_path / "m.checkpoint.npz"
        assert lm.training["history"]  # even the first twelve steps end with an evaluated model
    assert len(ends) >= 2 and ends[0][0] == 0 and ends[0][1] > 1
    assert_same_run(model, expected)


@pytest.mark.parametrize("later, better", [(1.0, True), (5.0, False)])
@pytest.mark.usefixtures("seconds_a_step")
def test_at_the_time_limit_the_file_has_the_better_of_the_best_and_the_current_parameters(
    toy, tmp_path, monkeypatch, later, better
):
    at_end = {}

    def held_out_loss(run):
        if run.state.step:
            at_end.update(run.learner.rnn.get_values())
        return later if run.state.step else 2.0

    monkeypatch.setattr(Trainer, "held_out_loss", held_out_loss)
    reporter, steps = Notes(), -(-len(SENTENCES) * 9 // 10 // 8)
    lm = train(toy, model=tmp_path / "m.npz", epochs=4, max_minutes=(steps + 3) / 6, reporter=reporter, **WORDS)
    arrays, document = run_state(tmp_path / "m.npz")
    best = {name: arrays[f"best.{name}"] for name in "UVW"}
    assert_same_arrays(lm.rnn.get_values(), at_end if better else best)
    assert not np.array_equal(at_end["W"], best["W"])
    last = reporter.records[-1][0]
    assert 1 < last < 2
    assert [record["epoch"] for record in lm.training["history"]] == ([1, last] if better else [1])
    assert [record["epoch"] for record in document["state"]["history"]] == [1]


@pytest.mark.usefixtures("seconds_a_step")
def test_the_time_limit_may_end_an_epoch_without_an_evaluation(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: 2.0)
    reporter = Notes()
    total = trainer_of("words", toy).task.steps_per_epoch
    settings = {**WORDS, "epochs": 4, "evaluate_every": 2}
    lm = train(toy, model=tmp_path / "m.npz", max_minutes=total / 6, reporter=reporter, **settings)
    assert reporter.ends == [(1, 0, tmp_path / "m.checkpoint.npz")]
    assert [record["epoch"] for record in lm.training["history"]] == [1]
    train(None, model=tmp_path / "m.npz", resume=True)
    train(toy, model=tmp_path / "n.npz", **settings)
    assert_same_run(tmp_path / "m.npz", tmp_path / "n.npz")


@pytest.mark.usefixtures("seconds_a_step")
def test_if_reading_takes_all_the_time_there_is_one_step_and_no_evaluation(toy, tmp_path, monkeypatch, capsys):
    read_corpus = corpus_cache.read_corpus

    def slow(*details, **others):
        clock.seconds += 3600
        return read_corpus(*details, **others)

    clock = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))
    monkeypatch.setattr(corpus_cache, "read_corpus", slow)
    monkeypatch.setattr(Trainer, "held_out_loss", None)
    arguments = ["--data", toy, "--model", tmp_path / "m.npz", "--hidden-dim", 6, "--epochs", 3, "--max-minutes", 5]
    assert script("train").main(list(map(str, arguments))) == 0
    assert run_state(tmp_path / "m.npz")[1]["state"]["step"] == 1
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("time is up after 1 step;") for line in lines)
    assert lines[-1] == f"the model is in {tmp_path / 'm.npz'}"
    assert load(tmp_path / "m.npz").training["history"] == []


@pytest.mark.usefixtures("seconds_a_step")
def test_a_run_that_ends_in_time_does_not_mention_the_limit(toy, tmp_path):
    reporter = Notes()
    train(toy, model=tmp_path / "m.npz", epochs=1, max_minutes=1000, reporter=reporter, **WORDS)
    assert not reporter.ends


def test_an_impossible_limit_is_refused_before_anything_else(tmp_path):
    with pytest.raises(OptionError, match="^max_minutes: expected a number above 0, got -1"):
        train(tmp_path / "absent.txt", model=tmp_path / "m.npz", max_minutes=-1)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("seconds_a_step")
def test_the_script_ends_with_status_0_and_the_command_to_continue(toy, tmp_path, capsys):
    arguments = ["--data", toy, "--model", tmp_path / "m.npz", "--hidden-dim", 6, "--epochs", 3]
    arguments += ["--batch-size", 8, "--max-minutes", 0.5]
    assert script("train").main(list(map(str, arguments))) == 0
    lines = capsys.readouterr().err.splitlines()
    (place,) = [i for i, line in enumerate(lines) if line.startswith("time is up after 3 steps;")]
    assert lines[place].endswith("; progress is saved. To continue:")
    assert shlex.split(lines[place + 1])[2:] == [*map(str, arguments), "--resume"]
    assert lines[-1].startswith("best perplexity ") and lines[-1].endswith(f"the model is in {tmp_path / 'm.npz'}")
