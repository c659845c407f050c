"""Interrupted runs, however they ended, resume with the results of an uninterrupted run."""

import json
import signal
from types import SimpleNamespace

import pytest
from support.training_runs import (
    CASES,
    Interrupter,
    assert_same_arrays,
    assert_same_run,
    run_state,
    trainer_of,
)

from theano_rnn.errors import TrainingInterrupted
from theano_rnn.files.signals import SignalReceived, StopRequest, handling_signals
from theano_rnn.language_models.language_model import load
from theano_rnn.text.corpus import read_corpus
from theano_rnn.training import saving, timing, train_model
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.saving import RunSaver
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer

WORDS = CASES["words"]

pytestmark = pytest.mark.usefixtures("quick_samples")


SLOW_CASES = ("LSTM characters", "sampled words")
ALL_CASES = [pytest.param(one, marks=pytest.mark.slow) if one in SLOW_CASES else one for one in CASES]


@pytest.mark.parametrize("case", ALL_CASES)
def test_a_run_in_two_parts_equals_an_uninterrupted_one_bit_for_bit(case, unbroken, toy, tmp_path, request):
    if case != "words":  # compile everything again, as in a new process
        request.getfixturevalue("compiled_once")
    model = tmp_path / "model.npz"
    train(toy, model=model, epochs=2, **CASES[case])
    assert run_state(model)[1]["state"]["epoch"] == 2
    lm = train(None, model=model, resume=True, epochs=4)
    assert_same_run(model, unbroken(case))
    assert_same_arrays(lm.rnn.get_values(), load(model).rnn.get_values())
    assert lm.training["options"] == load(unbroken(case)).training["options"]


@pytest.mark.parametrize(
    "case, number", [("words", signal.SIGINT), ("characters", signal.SIGTERM), ("tutorial", signal.SIGINT)]
)
@pytest.mark.usefixtures("compiled_once")
def test_a_run_interrupted_within_an_epoch_equals_an_uninterrupted_one_bit_for_bit(
    case, number, unbroken, toy, tmp_path, monkeypatch
):
    expected = unbroken(case)
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    model = tmp_path / "model.npz"
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(TrainingInterrupted, match="training was interrupted; its state is in ") as error:
        train(toy, model=model, epochs=4, reporter=Interrupter(1, 3, number), **CASES[case])
    assert error.value.checkpoint == tmp_path / "model.checkpoint.npz"
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    state = run_state(model)[1]["state"]
    assert (state["epoch"], state["step"]) == (1, 3)
    load(model)
    train(None, model=model, resume=True)
    assert_same_run(model, expected)


@pytest.mark.slow
@pytest.mark.usefixtures("compiled_once")
def test_a_run_over_several_pools_interrupted_within_an_epoch_equals_an_uninterrupted_one(toy, tmp_path, monkeypatch):
    monkeypatch.setattr("theano_rnn.text.minibatches.POOL_LENGTH", 150)
    monkeypatch.setattr("theano_rnn.text.minibatches.RANGE_LENGTH", 30)
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    text = tmp_path / "text.txt"
    text.write_text(toy.read_text() + "\n".join(f"A bird{i} sees." for i in range(20)))  # rare words
    model, unbroken = tmp_path / "model.npz", tmp_path / "unbroken.npz"
    train(text, model=unbroken, epochs=3, **CASES["words"])
    for moment in ((0, 5), (2, 3)):
        with pytest.raises(TrainingInterrupted):
            train(text, model=model, resume=moment[0] > 0, reporter=Interrupter(*moment), epochs=3, **CASES["words"])
        assert (run_state(model)[1]["state"]["epoch"], run_state(model)[1]["state"]["step"]) == moment
    train(None, model=model, resume=True)
    assert_same_run(model, unbroken)


@pytest.mark.usefixtures("compiled_once")
@pytest.mark.parametrize("case", ["words", "characters"])
def test_an_epoch_has_as_many_steps_as_reported(toy, tmp_path, monkeypatch, case):
    monkeypatch.setattr("theano_rnn.text.minibatches.POOL_LENGTH", 150)
    monkeypatch.setattr("theano_rnn.text.minibatches.RANGE_LENGTH", 30)
    run = trainer_of(case, toy)
    for epoch in range(3):
        batches = list(run.task.minibatches(epoch))
        assert len(batches) == run.task.steps_per_epoch
        assert sum(batch.tokens for batch in batches) == run.task.data.tokens_per_epoch


@pytest.mark.usefixtures("compiled_once")
def test_a_run_interrupted_twice_before_its_first_evaluation_can_be_resumed(unbroken, toy, tmp_path, monkeypatch):
    expected = unbroken("words")
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    model, log = tmp_path / "model.npz", tmp_path / "log.jsonl"
    with pytest.raises(TrainingInterrupted):
        train(toy, model=model, log=log, epochs=4, reporter=Interrupter(0, 2), **CASES["words"])
    state = run_state(model)[1]["state"]
    assert (state["epoch"], state["step"], state["history"]) == (0, 2, [])
    load(model)
    # After the last step of an epoch the evaluation comes first.
    total = -(-len(read_corpus(toy, TrainingOptions(**CASES["words"])).train) // 8)
    with pytest.raises(TrainingInterrupted):
        train(toy, model=model, log=log, resume=True, reporter=Interrupter(1, total))
    state = run_state(model)[1]["state"]
    assert (state["epoch"], state["step"], len(state["history"])) == (2, 0, 2)
    train(toy, model=model, log=log, resume=True)
    assert_same_run(model, expected)
    assert [json.loads(line)["epoch"] for line in log.read_text().splitlines()] == [1, 2, 3, 4]


class Crash(Exception):
    """An error that no code handles."""


class Crasher(Reporter):
    """A reporter that raises an error at a given report."""

    def __init__(self, *moment):
        self.moment = moment

    def progress(self, state, epochs, done, total, loss, tokens_per_second):
        if (state.epoch, done) == self.moment:
            raise Crash


MOMENTS = [
    ((0, 1), 5, (0, 0)), ((0, 3), 1e-9, (0, 2)), ((1, 4), 5, (1, 0)), ((1, 1), 1e-9, (1, 0)), ((2, 4), 1e-9, (2, 3)),
]  # fmt: skip


@pytest.mark.parametrize(
    "case, moment, save_every, saved",
    [
        *(("words", *one) for one in MOMENTS),
        *((case, *MOMENTS[-1]) for case in ("characters", "tutorial", "LSTM words", "sampled words")),
        *(
            pytest.param(case, *one, marks=pytest.mark.slow)
            for case in ("characters", "tutorial", "LSTM words")
            for one in MOMENTS[1:-1:2]
        ),
        *(pytest.param("LSTM characters", *one, marks=pytest.mark.slow) for one in MOMENTS[-2:]),
    ],
)
@pytest.mark.usefixtures("compiled_once")
def test_a_crashed_run_resumes_from_its_last_save_bit_for_bit(
    case, moment, save_every, saved, unbroken, toy, tmp_path, monkeypatch
):
    expected = unbroken(case)
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    model = tmp_path / "model.npz"
    with pytest.raises(Crash):
        train(toy, model=model, epochs=4, save_every=save_every, reporter=Crasher(*moment), **CASES[case])
    state = run_state(model)[1]["state"]
    assert (state["epoch"], state["step"]) == saved
    # Before the first step there is nothing to keep, except the first evaluation of the tutorial.
    assert model.exists() is (saved != (0, 0) or case == "tutorial")
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 7)
    train(None, model=model, resume=True)
    assert_same_run(model, expected)


@pytest.mark.usefixtures("compiled_once")
def test_the_state_is_saved_after_save_every_minutes(toy, tmp_path, monkeypatch):
    saves, write, take_step = [], RunSaver.write, Trainer.take_step
    clock = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(saving, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))

    def slow_step(run, batch):
        clock.seconds += 10
        return take_step(run, batch)

    monkeypatch.setattr(Trainer, "take_step", slow_step)

    def noted(saver, arrays, configuration, *others):
        saves.append((configuration["state"]["epoch"], configuration["state"]["step"]))
        write(saver, arrays, configuration, *others)

    monkeypatch.setattr(RunSaver, "write", noted)
    train(toy, model=tmp_path / "a.npz", epochs=1, **CASES["words"])
    assert saves == [(0, 0), (1, 0)]
    for minutes, steps in ((0.1, [1, 2, 3]), (0.4, [3, 6, 9]), (0.5, [4, 8, 12])):
        saves.clear()
        train(toy, model=tmp_path / "b.npz", epochs=2, save_every=minutes, **{**CASES["words"], "batch_size": 2})
        assert saves[0] == (0, 0) and saves[-1] == (2, 0)
        assert [step for epoch, step in saves if epoch == 0][1:4] == steps


@pytest.mark.usefixtures("compiled_once")
def test_a_run_whose_output_is_closed_saves_its_state_and_stops(unbroken, toy, tmp_path):
    model = tmp_path / "model.npz"

    class Gone(Reporter):
        def evaluated(self, record, sample):
            raise BrokenPipeError

    with pytest.raises(TrainingInterrupted) as error:
        train(toy, model=model, epochs=4, reporter=Gone(), **CASES["words"])
    assert error.value.number == signal.SIGPIPE
    assert run_state(model)[1]["state"]["epoch"] == 1
    train(None, model=model, resume=True)
    assert_same_run(model, unbroken("words"))


def test_a_second_signal_stops_at_once_and_the_handlers_are_restored():
    before = signal.getsignal(signal.SIGINT)
    stop = StopRequest()
    with pytest.raises(SignalReceived, match="SIGTERM"), handling_signals(stop):
        assert not stop
        signal.raise_signal(signal.SIGINT)
        assert stop and stop.number == signal.SIGINT
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


def test_resuming_a_finished_run_returns_its_model(unbroken, monkeypatch):
    model = unbroken("words")
    before = run_state(model)
    monkeypatch.setattr(Trainer, "take_step", None)
    lm = train(None, model=model, resume=True)
    assert_same_arrays(lm.rnn.get_values(), load(model).rnn.get_values())
    assert_same_arrays(run_state(model)[0], before[0])


def test_resuming_restores_a_lost_model_file(unbroken, folder, tmp_path):
    model = tmp_path / "model.npz"
    checkpoint = unbroken("words").with_suffix(".checkpoint.npz")
    (tmp_path / "model.checkpoint.npz").write_bytes(checkpoint.read_bytes())
    train(None, model=model, resume=True)
    assert_same_arrays(load(model).rnn.get_values(), load(unbroken("words")).rnn.get_values())


def test_held_out_text_is_found_again_from_another_folder(toy, tmp_path, monkeypatch):
    """Like the training text, whose path the checkpoint records."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    (tmp_path / "one" / "valid.txt").write_text("The dog sees the cat.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "one")
    monkeypatch.setattr(Trainer, "take_step", lambda self, batch: 1.0)
    monkeypatch.setattr(Trainer, "held_out_loss", lambda self: 1.0)
    settings = {**CASES["words"], "valid": "valid.txt"}
    train(toy, model=tmp_path / "model.npz", epochs=1, **settings)
    monkeypatch.chdir(tmp_path / "two")
    train(None, model=tmp_path / "model.npz", resume=True)


@pytest.mark.usefixtures("compiled_once")
def test_a_checkpoint_of_an_older_version_can_be_resumed(unbroken, toy, tmp_path):
    """A checkpoint without the options patience, sample_every and init_from, and without curves."""
    model = tmp_path / "m.npz"
    train(toy, model=model, epochs=2, **WORDS)
    arrays, document = run_state(model)
    for name in ("patience", "sample_every", "init_from"):
        del document["options"][name]
    train_model.RunFiles(model, None).write(arrays, document)
    train(None, model=model, resume=True, epochs=4)
    assert_same_run(model, unbroken("words"))
