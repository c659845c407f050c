"""Training runs: the same numbers however often interrupted, the tutorial's numbers, and what is kept when it fails."""

import itertools
import json
import math
import random
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.mutations import edited
from support.training_runs import (
    CASES,
    COMMON,
    SENTENCES,
    Interrupter,
    assert_same_arrays,
    assert_same_run,
    run_state,
    share_compiled,
)

from theano_rnn.errors import CorpusError, DivergenceError, ModelFileError, OptionError, TrainingInterrupted
from theano_rnn.files.archive import read_archive, write_archive
from theano_rnn.files.signals import SignalReceived, StopRequest, handling_signals
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.corpus import read_corpus
from theano_rnn.training import learner, options, saving, train_model, trainer
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.saving import RunSaver
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer
from theano_rnn.training.training_state import without_times


@pytest.fixture(autouse=True)
def quick_samples(monkeypatch):
    """The sampled sentence of an evaluation costs a compilation; what it is is shown by a test of its own."""
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)


@pytest.fixture
def compiled_once(monkeypatch):
    """Runs of the same shape share their compiled functions, and nothing else: saves a second or two each."""

    share_compiled(monkeypatch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def toy(folder):
    path = folder / "toy.txt"
    path.write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def unbroken(folder, toy):
    """Finds the model file of a case's run of 4 epochs, which is done when it is first asked for."""

    def find(case):
        path = folder / f"{case}.npz"
        if not path.exists():
            train(toy, model=path, epochs=4, log=folder / f"{case}.jsonl", **CASES[case])
        return path

    return find


# Going on


@pytest.mark.parametrize("case", CASES)
def test_a_run_in_two_parts_equals_an_unbroken_one_bit_for_bit(case, unbroken, toy, tmp_path, request):
    if case != "words":  # there everything is made anew, as in a new process
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
def test_a_run_interrupted_within_an_epoch_equals_an_unbroken_one_bit_for_bit(
    case, number, unbroken, toy, tmp_path, monkeypatch
):
    expected = unbroken(case)
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_REPORTS", 1)
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


@pytest.mark.usefixtures("compiled_once")
def test_a_run_over_several_pools_interrupted_within_an_epoch_equals_an_unbroken_one(toy, tmp_path, monkeypatch):
    monkeypatch.setattr("theano_rnn.text.minibatches.POOL_LENGTH", 150)
    monkeypatch.setattr("theano_rnn.text.minibatches.RANGE_LENGTH", 30)
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_REPORTS", 1)
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
def test_a_run_makes_as_many_steps_in_an_epoch_as_it_says(toy, tmp_path, monkeypatch, case):
    monkeypatch.setattr("theano_rnn.text.minibatches.POOL_LENGTH", 150)
    monkeypatch.setattr("theano_rnn.text.minibatches.RANGE_LENGTH", 30)
    run = run_of(case, toy)
    for epoch in range(3):
        batches = list(run.data.minibatches(epoch))
        assert len(batches) == run.data.steps_per_epoch
        assert sum(batch.tokens for batch in batches) == run.data.tokens_per_epoch


@pytest.mark.usefixtures("compiled_once")
def test_a_run_interrupted_before_its_first_evaluation_and_again_goes_on_too(unbroken, toy, tmp_path, monkeypatch):
    expected = unbroken("words")
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_REPORTS", 1)
    model, log = tmp_path / "model.npz", tmp_path / "log.jsonl"
    with pytest.raises(TrainingInterrupted):
        train(toy, model=model, log=log, epochs=4, reporter=Interrupter(0, 2), **CASES["words"])
    state = run_state(model)[1]["state"]
    assert (state["epoch"], state["step"], state["history"]) == (0, 2, [])
    load(model)
    # At the last step of an epoch the evaluation comes first.
    total = -(-len(read_corpus(toy, TrainingOptions(**CASES["words"])).train) // 8)
    with pytest.raises(TrainingInterrupted):
        train(toy, model=model, log=log, resume=True, reporter=Interrupter(1, total))
    state = run_state(model)[1]["state"]
    assert (state["epoch"], state["step"], len(state["history"])) == (2, 0, 2)
    train(toy, model=model, log=log, resume=True)
    assert_same_run(model, expected)
    assert [json.loads(line)["epoch"] for line in log.read_text().splitlines()] == [1, 2, 3, 4]


class Crash(Exception):
    """Something that nobody has thought of."""


class Crasher(Reporter):
    """Raises when the loop looks up at a moment."""

    def __init__(self, *moment):
        self.moment = moment

    def progress(self, state, epochs, done, total, loss, tokens_per_second):
        if (state.epoch, done) == self.moment:
            raise Crash


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "moment, save_every, saved",
    [((0, 1), 5, (0, 0)), ((0, 3), 1e-9, (0, 2)), ((1, 4), 5, (1, 0)), ((1, 1), 1e-9, (1, 0)), ((2, 4), 1e-9, (2, 3))],
)
@pytest.mark.usefixtures("compiled_once")
def test_a_run_that_crashes_goes_on_from_its_last_save_bit_for_bit(
    case, moment, save_every, saved, unbroken, toy, tmp_path, monkeypatch
):
    expected = unbroken(case)
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_REPORTS", 1)
    model = tmp_path / "model.npz"
    with pytest.raises(Crash):
        train(toy, model=model, epochs=4, save_every=save_every, reporter=Crasher(*moment), **CASES[case])
    state = run_state(model)[1]["state"]
    assert (state["epoch"], state["step"]) == saved
    # Before the first step there is nothing to keep, but that the tutorial begins with an evaluation.
    assert model.exists() is (saved != (0, 0) or case == "tutorial")
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_REPORTS", 7)
    train(None, model=model, resume=True)
    assert_same_run(model, expected)


def run_of(case, toy):
    options = TrainingOptions.from_settings(CASES[case])
    return Trainer(read_corpus(toy, options), options, RunFiles(Path("m.npz"), None), Reporter(), [toy])


@pytest.mark.usefixtures("compiled_once")
def test_the_state_is_saved_when_so_many_minutes_have_passed(toy, tmp_path, monkeypatch):
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
def test_a_run_whose_watcher_has_gone_saves_its_state_and_stops(unbroken, toy, tmp_path):
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


def test_a_second_signal_stops_at_once_and_the_handlers_come_back():
    before = signal.getsignal(signal.SIGINT)
    stop = StopRequest()
    with pytest.raises(SignalReceived, match="SIGTERM"), handling_signals(stop):
        assert not stop
        signal.raise_signal(signal.SIGINT)
        assert stop and stop.number == signal.SIGINT
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


def test_going_on_with_a_finished_run_gives_its_model(unbroken, monkeypatch):
    model = unbroken("words")
    before = run_state(model)
    monkeypatch.setattr(Trainer, "take_step", None)
    lm = train(None, model=model, resume=True)
    assert_same_arrays(lm.rnn.get_values(), load(model).rnn.get_values())
    assert_same_arrays(run_state(model)[0], before[0])


def test_going_on_restores_a_model_file_that_was_lost(unbroken, folder, tmp_path):
    model = tmp_path / "model.npz"
    checkpoint = unbroken("words").with_suffix(".checkpoint.npz")
    (tmp_path / "model.checkpoint.npz").write_bytes(checkpoint.read_bytes())
    train(None, model=model, resume=True)
    assert_same_arrays(load(model).rnn.get_values(), load(unbroken("words")).rnn.get_values())


def test_held_out_text_is_found_again_from_another_folder(toy, tmp_path, monkeypatch):
    """As the training text is, whose place the checkpoint records."""
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


# The tutorial


def tutorial_training(rnn, X, Y, learning_rate, epochs, evaluate_every):
    """The tutorial's train_with_sgd, part 2, and the losses and rates it goes through."""
    losses, rates = [], []
    for epoch in range(epochs):
        if epoch % evaluate_every == 0:
            rates.append(learning_rate)
            losses.append(rnn.calculate_loss(X, Y))
            if len(losses) > 1 and losses[-1] > losses[-2]:
                learning_rate = learning_rate * 0.5
        for x, y in zip(X, Y, strict=True):
            rnn.sgd_step(x, y, learning_rate)
    return losses, rates, learning_rate


@pytest.mark.usefixtures("compiled_once")
@pytest.mark.parametrize("rate, evaluate_every, rises", [(0.005, 2, False), (1.5, 1, True)])
def test_the_tutorials_training_is_the_tutorials(toy, tmp_path, monkeypatch, rate, evaluate_every, rises):
    monkeypatch.setitem(options.TUTORIAL, "learning_rate", rate)
    settings = {**COMMON, "tutorial": True, "epochs": 6, "evaluate_every": evaluate_every}
    model = tmp_path / "model.npz"
    train(toy, model=model, **settings)
    corpus = read_corpus(toy, TrainingOptions.from_settings(settings))
    assert corpus.valid is None and len(corpus.train) == len(SENTENCES)
    rnn = RNN(len(corpus.vocabulary), 6, 4, "tanh", seed=3)
    X, Y = [sentence[:-1] for sentence in corpus.train], [sentence[1:] for sentence in corpus.train]
    losses, rates, last_rate = tutorial_training(rnn, X, Y, rate, 6, evaluate_every)
    arrays, document = run_state(model)
    for name, value in rnn.get_values().items():
        np.testing.assert_allclose(arrays[name], value, rtol=1e-6, atol=1e-6)
    history = document["state"]["history"]
    assert [record["epoch"] for record in history] == [*range(0, 6, evaluate_every), 6]
    assert [record["examples_seen"] for record in history] == [r["epoch"] * len(SENTENCES) for r in history]
    np.testing.assert_allclose([record["train_loss"] for record in history[:-1]], losses, rtol=1e-6)
    assert [record["learning_rate"] for record in history] == [*rates, last_rate]
    assert (last_rate < rate) is rises


# The best model, the learning rate


class Watcher(Reporter):
    """Keeps the parameters and the optimizer's step number as they are after each evaluation."""

    def __init__(self):
        self.after, self.records, self.samples = [], [], []

    def evaluated(self, record, sample):
        self.after.append((self.run.learner.rnn.get_values(), self.run.learner.optimizer.step_number))
        self.records.append(record)
        self.samples.append(sample)


@pytest.mark.usefixtures("compiled_once")
def test_when_the_loss_rises_the_rate_halves_and_the_best_parameters_come_back(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(learner, "STEPS_BEFORE_HALVING", 1)
    losses, reached = iter([3.0, 2.0, 2.5, 2.0, 2.1]), []
    watcher = Watcher()

    def held_out_loss(run):
        watcher.run = run
        reached.append(run.learner.rnn.get_values())
        return next(losses)

    monkeypatch.setattr(Trainer, "held_out_loss", held_out_loss)
    lm = train(toy, model=tmp_path / "m.npz", epochs=5, rate_decay=0.0, reporter=watcher, **CASES["words"])
    rates = [record["learning_rate"] for record in watcher.records]
    assert rates == [0.03, 0.03, 0.03, 0.015, 0.0075]
    assert_same_arrays(watcher.after[1][0], reached[1])
    for i in (2, 3, 4):
        assert_same_arrays(watcher.after[i][0], reached[1])
        assert not np.array_equal(reached[i]["W"], reached[1]["W"])
    assert [number > 0 for _, number in watcher.after] == [True, True, False, False, False]
    assert_same_arrays(lm.rnn.get_values(), reached[1])
    assert_same_arrays(load(tmp_path / "m.npz").rnn.get_values(), reached[1])
    assert [record["valid_loss"] for record in lm.training["history"]] == [3.0, 2.0, 2.5, 2.0, 2.1]


def test_the_rate_is_not_halved_before_the_optimizer_has_taken_some_steps(toy, tmp_path, monkeypatch):
    """7 steps an epoch: 21 by the third evaluation, 28 by the fourth; then 28 more until it may be halved again."""
    monkeypatch.setattr(learner, "STEPS_BEFORE_HALVING", 22)
    losses = itertools.chain([3.0, 2.0], itertools.repeat(2.5))
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: next(losses))
    watcher = Watcher()
    monkeypatch.setattr(Trainer, "sample", lambda run, parameters, seed: setattr(watcher, "run", run))
    train(toy, model=tmp_path / "m.npz", epochs=9, rate_decay=0.0, reporter=watcher, **CASES["words"])
    rates = [record["learning_rate"] for record in watcher.records]
    assert rates == [0.03] * 4 + [0.015] * 4 + [0.0075]


def test_halving_ends_at_a_small_share_of_the_first_rate(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(learner, "STEPS_BEFORE_HALVING", 1)
    monkeypatch.setattr(learner, "LOWEST_RATE", 0.2)
    losses = itertools.count()
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: float(next(losses)))
    lm = train(toy, model=tmp_path / "m.npz", epochs=6, rate_decay=0.0, **CASES["words"])
    rates = [record["learning_rate"] for record in lm.training["history"]]
    assert rates == pytest.approx([0.03, 0.03, 0.015, 0.0075, 0.006, 0.006])


@pytest.mark.usefixtures("compiled_once")
def test_the_loss_falls_far_below_that_of_a_guess(unbroken):
    lm = load(unbroken("words"))
    perplexities = [record["perplexity"] for record in lm.training["history"]]
    assert perplexities[-1] < perplexities[0] < len(lm.vocabulary)
    assert perplexities[-1] < len(lm.vocabulary) / 3


def test_the_model_in_the_file_has_the_best_perplexity_of_the_history(unbroken, toy):
    lm = load(unbroken("words"))
    corpus = read_corpus(toy, TrainingOptions(**CASES["words"]))
    sentences = [" ".join(corpus.vocabulary.decode(sentence[1:-1])) for sentence in corpus.valid]
    best = min(record["perplexity"] for record in lm.training["history"])
    assert lm.perplexity(sentences) == pytest.approx(best, rel=1e-5)


def test_the_rate_falls_with_the_epochs_as_asked(toy, tmp_path, monkeypatch):
    used = []
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: 1 / (1 + run.state.epoch))
    monkeypatch.setattr(Optimizer, "step", lambda self, batch, rate, states, tokens: used.append(rate) or (1.0, None))
    settings = {**CASES["words"], "learning_rate": 0.3, "rate_decay": 0.5, "batch_size": 100}
    lm = train(toy, model=tmp_path / "m.npz", epochs=3, **settings)
    assert used == pytest.approx([0.3, 0.3 / 1.5, 0.3 / 2])
    assert [record["learning_rate"] for record in lm.training["history"]] == used


# Divergence


def test_a_loss_that_is_no_number_any_more_stops_the_run_with_one_line(toy, tmp_path):
    model = tmp_path / "model.npz"
    settings = {"optimizer": "sgd", "activation": "relu", "learning_rate": 1e6, "clip": None, "valid_fraction": 0.0}
    with pytest.raises(DivergenceError) as error:
        train(toy, model=model, **{**CASES["words"], **settings})
    message = str(error.value)
    assert "\n" not in message and message.startswith(
        ("the loss became nan in epoch 1", "the loss became inf in epoch")
    )
    assert "at learning rate 1e+06; no model was written; try a smaller learning rate" in message
    assert not model.exists()


@pytest.mark.usefixtures("compiled_once")
@pytest.mark.parametrize("where", ["take_step", "held_out_loss"])
def test_the_best_model_so_far_outlives_a_divergence(toy, tmp_path, monkeypatch, where):
    model = tmp_path / "model.npz"
    monkeypatch.setattr(Trainer, "held_out_loss", lambda self: math.nan if diverges(self, "held_out_loss") else 2.0)
    take_step = Trainer.take_step
    monkeypatch.setattr(
        Trainer, "take_step", lambda self, b: math.nan if diverges(self, "take_step") else take_step(self, b)
    )

    def diverges(run, place):
        return place == where and bool(run.state.history)

    with pytest.raises(DivergenceError, match=r"the loss became nan in epoch \d .* \(loss 2\) is in .*model.npz; try"):
        train(toy, model=model, epochs=3, **CASES["words"])
    assert len(load(model).training["history"]) == 1
    assert np.isfinite(load(model).score("The dog sees the cat."))


def test_parameters_that_are_no_numbers_any_more_are_never_kept(toy, tmp_path, monkeypatch):
    """The last step before an evaluation may break them: the losses before it tell nothing of that."""

    def take_step(run, batch):
        if run.state.history:
            run.learner.rnn.set_values({name: value * np.nan for name, value in run.learner.rnn.get_values().items()})
            return 1.0
        return 2.0

    monkeypatch.setattr(Trainer, "take_step", take_step)
    model = tmp_path / "model.npz"
    with pytest.raises(DivergenceError):
        train(toy, model=model, epochs=3, **{**CASES["words"], "valid_fraction": 0.0})
    assert len(load(model).training["history"]) == 1


# The log


def test_the_log_has_one_json_object_an_evaluation_with_the_promised_keys(unbroken, folder, toy):
    model = unbroken("words")
    records = [json.loads(line) for line in (folder / "words.jsonl").read_text(encoding="utf-8").splitlines()]
    names = "epoch examples_seen train_loss valid_loss perplexity learning_rate tokens_per_second seconds"
    examples = len(read_corpus(toy, TrainingOptions(**CASES["words"])).train)
    assert len(records) == 4
    for i, record in enumerate(records, 1):
        assert list(record) == names.split()
        assert (record["epoch"], record["examples_seen"]) == (i, i * examples)
        assert record["perplexity"] == pytest.approx(math.exp(record["valid_loss"]), rel=1e-12)
        assert 0 < record["train_loss"] < 5 and record["tokens_per_second"] > 0
    seconds = [record["seconds"] for record in records]
    assert seconds == sorted(seconds) and seconds[0] > 0
    assert without_times(records) == load(model).training["history"]


def test_without_held_out_text_the_perplexity_is_that_of_the_training_text(unbroken):
    for record in load(unbroken("characters")).training["history"]:
        assert record["valid_loss"] is None
        assert record["perplexity"] == pytest.approx(math.exp(record["train_loss"]), rel=1e-12)


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be written: Is a directory; choose another place"):
        RunFiles(tmp_path / "m.npz", tmp_path).write_log([{}])


def test_evaluations_come_as_often_as_asked_and_at_the_end_with_a_sample(toy, tmp_path, monkeypatch):
    monkeypatch.undo()  # a real sample
    monkeypatch.setattr(Trainer, "take_step", lambda self, batch: 1.0)
    watcher = Watcher()
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: setattr(watcher, "run", run) or 1.0)
    train(toy, model=tmp_path / "m.npz", epochs=3, evaluate_every=2, reporter=watcher, **CASES["words"])
    assert [record["epoch"] for record in watcher.records] == [2, 3]
    words = set(read_corpus(toy, TrainingOptions()).vocabulary.index_to_word[3:])
    for sample in watcher.samples:
        assert sample and set(sample.replace(".", " . ").split()) <= words


# Files


def test_an_existing_model_is_kept_under_another_name(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "take_step", lambda self, batch: 1.0)
    monkeypatch.setattr(Trainer, "held_out_loss", lambda self: 1.0)
    model = tmp_path / "model.npz"
    model.write_bytes(b"months of work")
    train(toy, model=model, epochs=2, **CASES["words"])
    assert (tmp_path / "model.previous.npz").read_bytes() == b"months of work"
    load(model)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.checkpoint.npz",
        "model.corpus.npz",
        "model.npz",
        "model.previous.npz",
    ]


def test_a_model_without_the_ending_gets_it(tmp_path):
    files = RunFiles(tmp_path / "best.model", None)
    assert files.model == tmp_path / "best.model.npz"
    assert files.checkpoint == tmp_path / "best.model.checkpoint.npz"


def test_the_first_parameters_depend_on_the_seed(toy):
    corpus = read_corpus(toy, TrainingOptions(**COMMON))
    files = RunFiles(Path("m.npz"), None)
    runs = [Trainer(corpus, TrainingOptions(hidden_dim=6, seed=s), files, Reporter(), [toy]) for s in (3, 3, 4)]
    values = [run.learner.rnn.get_values()["W"] for run in runs]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).all()


def test_each_epoch_has_an_order_of_its_own_and_the_same_one_each_time(toy):
    corpus = read_corpus(toy, TrainingOptions(**COMMON))

    def order(epoch):
        run = Trainer(corpus, TrainingOptions(hidden_dim=6, seed=3), RunFiles(Path("m.npz"), None), Reporter(), [toy])
        return [index for batch in run.data.minibatches(epoch) for index in batch.sentences.tolist()]

    assert order(0) == order(0) != order(1)
    assert sorted(order(0)) == list(range(len(corpus.train)))


@pytest.mark.usefixtures("compiled_once")
def test_an_unfinished_run_that_another_replaces_can_still_go_on(unbroken, toy, tmp_path):
    model = tmp_path / "model.npz"
    train(toy, model=model, epochs=2, **CASES["words"])
    train(toy, model=model, epochs=1, **{**CASES["words"], "seed": 5})
    train(None, model=tmp_path / "model.previous.npz", resume=True, epochs=4)
    assert_same_run(tmp_path / "model.previous.npz", unbroken("words"))


def test_the_best_model_is_one_whose_functions_are_compiled_once(toy):
    run = run_of("words", toy)
    first = run.model_to_save()
    run.learner.best = {name: value + 1 for name, value in run.learner.best.items()}
    assert run.model_to_save() is first
    assert_same_arrays(first.rnn.get_values(), run.learner.best)


# Where nothing can be written


def failing(monkeypatch, while_true):
    """Saving fails as long as `while_true(state)`."""
    write = RunFiles.write

    def maybe(files, arrays, configuration, best=None):
        if while_true(configuration["state"]):
            raise ModelFileError(
                f"{files.checkpoint}: cannot be written: No space left on device; choose another place"
            )
        write(files, arrays, configuration, best)

    monkeypatch.setattr(RunFiles, "write", maybe)


@pytest.mark.usefixtures("compiled_once")
def test_a_run_that_cannot_be_saved_ends_before_it_begins(finished, toy, monkeypatch):
    failing(monkeypatch, lambda state: True)
    monkeypatch.setattr(Trainer, "take_step", None)
    with pytest.raises(ModelFileError, match="checkpoint.npz: cannot be written: No space left on device; choose"):
        train(toy, model=finished, **CASES["words"])


@pytest.mark.usefixtures("compiled_once")
def test_a_disk_that_is_full_for_a_while_costs_nothing(unbroken, toy, tmp_path, monkeypatch):
    notes, model = [], tmp_path / "model.npz"
    reporter = Reporter()
    reporter.note = notes.append
    failing(monkeypatch, lambda state: state["epoch"] in (1, 2))
    train(toy, model=model, log=tmp_path / "log.jsonl", epochs=4, reporter=reporter, **CASES["words"])
    told = [note for note in notes if "No space left on device" in note]
    assert len(told) == 2 and all(note.endswith("; training goes on and tries again later") for note in told)
    assert_same_run(model, unbroken("words"))
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 4


@pytest.mark.usefixtures("compiled_once")
def test_a_disk_that_is_full_at_the_end_costs_the_place_only(unbroken, toy, tmp_path, monkeypatch):
    model = tmp_path / "model.npz"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(monkeypatch, lambda state: state["epoch"] > 1)
    with pytest.raises(
        ModelFileError, match=r"No space left on device; .*; the state of the run is in .*checkpoint\.npz$"
    ) as error:
        train(toy, model=model, epochs=4, **CASES["words"])
    assert len(load(model).training["history"]) == 1
    place = Path(str(error.value).split("the state of the run is in ")[1])
    monkeypatch.undo()
    place.replace(tmp_path / "model.checkpoint.npz")
    train(None, model=model, resume=True)
    assert_same_arrays(load(model).rnn.get_values(), load(unbroken("words")).rnn.get_values())


@pytest.mark.usefixtures("compiled_once")
def test_a_folder_that_vanishes_is_made_again(unbroken, toy, tmp_path):
    model = tmp_path / "folder" / "model.npz"

    class Remover(Reporter):
        def evaluated(self, record, sample):
            if record["epoch"] == 2:
                shutil.rmtree(model.parent)

    train(toy, model=model, epochs=4, reporter=Remover(), **CASES["words"])
    assert_same_run(model, unbroken("words"))


def test_a_run_whose_text_has_vanished_is_told_so_and_kept(finished, toy, monkeypatch):
    text, hidden = toy, toy.with_name("hidden.txt")
    text.rename(hidden)
    try:
        with pytest.raises(CorpusError, match="toy.txt: no such file; check the path"):
            train(None, model=finished, resume=True)
    finally:
        hidden.rename(text)


def test_a_model_that_another_run_is_training_is_refused(finished, toy):
    with RunFiles(finished, None).locked():
        for resume in (True, False):
            with pytest.raises(ModelFileError, match="another run is training this model"):
                train(toy, model=finished, resume=resume)


# What is refused, before anything is overwritten


@pytest.fixture
def finished(unbroken, tmp_path):
    """A finished run's files of this test's own, and a check that they are as they were."""
    source = unbroken("words")
    model = tmp_path / "model.npz"
    model.write_bytes(source.read_bytes())
    model.with_suffix(".checkpoint.npz").write_bytes(source.with_suffix(".checkpoint.npz").read_bytes())
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    yield model
    assert {path: path.read_bytes() for path in before} == before
    assert not model.with_suffix(".previous.npz").exists()


@pytest.mark.parametrize(
    "settings, message",
    [
        (
            {"resume": True, "hidden_dim": 7},
            "^hidden_dim: the interrupted run has 6, got 7; leave it out, or start a new",
        ),
        ({"resume": True, "hiden_dim": 7}, "^unknown setting: hiden_dim$"),
        ({"hiden_dim": 7}, "^unknown setting: hiden_dim$"),
        ({"epochs": 0}, "^epochs: expected at least 1"),
        ({"data": None}, "^data: expected at least one text file, got none$"),
        ({"data": []}, "^data: expected at least one text file, got none$"),
        ({"device": "gpu"}, "^device: (JAX finds no gpu|the original Theano)"),
    ],
)
def test_wrong_settings_are_refused(finished, toy, settings, message):
    if settings.get("device") == "gpu":
        from theano_rnn.engines.engine import jax

        if jax and any(device.platform == "gpu" for device in jax.devices()):
            pytest.skip("this machine has a GPU")
    with pytest.raises(OptionError, match=message):
        train(**{"data": toy, "model": finished, **settings})


def test_going_on_with_another_text_is_refused(finished, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("The dog sees the cat.\n\nThe cat sees the dog.\n", encoding="utf-8")
    with pytest.raises(
        OptionError, match="^data: the text, or how .*, has changed since the interrupted run; start a "
    ):
        train(other, model=finished, resume=True)


def test_missing_and_empty_texts_are_refused(finished, tmp_path):
    with pytest.raises(CorpusError, match="absent.txt"):
        train(tmp_path / "absent.txt", model=finished)
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(CorpusError, match="empty.txt"):
        train([str(tmp_path / "empty.txt")], model=finished)


def test_the_same_text_is_encoded_once(toy, tmp_path, monkeypatch, compiled_once):
    notes, model = [], tmp_path / "m.npz"
    reporter = Reporter()
    reporter.note = notes.append
    lm = train(toy, model=model, epochs=1, **CASES["words"])

    def fail(*arguments, **settings):
        raise AssertionError("the text was encoded again")

    monkeypatch.setattr(train_model, "read_corpus", fail)
    again = train(toy, model=model, epochs=1, reporter=reporter, **CASES["words"])
    assert f"text as encoded before ({tmp_path / 'm.corpus.npz'})" in notes
    assert any(note.startswith("training on ") for note in notes)
    assert without_times(again.training["history"]) == without_times(lm.training["history"])
    train(None, model=model, epochs=2, resume=True)
    with pytest.raises(AssertionError, match="encoded again"):
        train(toy, model=model, epochs=1, **{**CASES["words"], "seed": 4321})


def test_a_text_that_is_refused_does_not_replace_the_encoded_one(toy, tmp_path, compiled_once):
    model, other = tmp_path / "m.npz", tmp_path / "other.txt"
    train(toy, model=model, epochs=1, **CASES["words"])
    before = (tmp_path / "m.corpus.npz").read_bytes()
    other.write_text("The dog sees the cat.\n\nThe cat sees the dog.\n", encoding="utf-8")
    with pytest.raises(OptionError, match="the text, or how .* has changed"):
        train(other, model=model, resume=True)
    assert (tmp_path / "m.corpus.npz").read_bytes() == before


def test_a_run_goes_on_without_a_place_for_the_encoded_text(toy, tmp_path, compiled_once):
    (tmp_path / "m.corpus.npz").mkdir()
    train(toy, model=tmp_path / "m.npz", epochs=1, **CASES["words"])
    train(toy, model=tmp_path / "m.npz", epochs=2, resume=True)


def test_going_on_without_a_checkpoint_is_refused(toy, tmp_path):
    with pytest.raises(ModelFileError, match="m.checkpoint.npz: no such file, so there is no run to continue; start"):
        train(toy, model=tmp_path / "m.npz", resume=True)


def test_places_that_are_texts_are_refused(toy, tmp_path):
    before = toy.read_bytes()
    with pytest.raises(OptionError, match="toy.txt: is one of the texts; choose another place"):
        train(toy, model=tmp_path / "m.npz", log=toy)
    text = tmp_path / "m.npz"
    text.write_bytes(before)
    with pytest.raises(OptionError, match="m.npz: is one of the texts"):
        train([toy, text], model=tmp_path / "m")
    with pytest.raises(OptionError, match="m.npz: is one of the texts"):
        train(toy, model=text, valid=str(text))
    encoded = tmp_path / "n.corpus.npz"
    encoded.write_bytes(before)
    with pytest.raises(OptionError, match="n.corpus.npz: is one of the texts"):
        train(encoded, model=tmp_path / "n.npz")
    assert toy.read_bytes() == text.read_bytes() == encoded.read_bytes() == before


def test_a_log_in_the_place_of_the_model_or_the_checkpoint_is_refused(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "take_step", lambda self, batch: 1.0)
    monkeypatch.setattr(Trainer, "held_out_loss", lambda self: 1.0)
    for name in ("m.npz", "m.checkpoint.npz", "m.corpus.npz"):
        with pytest.raises(OptionError, match=f"{name}: "):
            train(toy, model=tmp_path / "m.npz", log=tmp_path / name, epochs=1, **CASES["words"])
    assert list(tmp_path.iterdir()) == []


def test_places_that_are_folders_are_refused(toy, tmp_path):
    (tmp_path / "m.npz").mkdir()
    with pytest.raises(ModelFileError, match="m.npz: is a folder; name a file in it"):
        train(toy, model=tmp_path / "m.npz")
    with pytest.raises(ModelFileError, match="is a folder; name a file in it"):
        train(toy, model=tmp_path / "n.npz", log=tmp_path)


def test_folders_that_cannot_be_made_or_written_to_are_refused(toy, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFileError, match="m.npz: cannot be written: .*; choose another place"):
        train(toy, model=tmp_path / "file" / "m.npz")
    monkeypatch.setattr(train_model.os, "access", lambda path, mode: False)
    with pytest.raises(ModelFileError, match="m.npz: the folder is not writable; choose another place"):
        train(toy, model=tmp_path / "m.npz")


def without_the_learning_rate(arrays, document):
    del document["state"]["learning_rate"]


def without_an_accumulator(arrays, document):
    del arrays["mean.W"]


def with_another_shape(arrays, document):
    arrays["V"] = arrays["V"][:-1]


def without_options(arrays, document):
    del document["options"]


def with_an_option_of_another_version(arrays, document):
    document["options"]["dropout"] = 0.5


def with_an_impossible_step(arrays, document):
    document["state"]["step"] = -1


def with_a_parameter_that_is_no_number(arrays, document):
    arrays["W"][0, 0] = np.nan


def with_an_accumulator_that_is_no_number(arrays, document):
    arrays["mean.U"][0, 0] = np.inf


def with_an_accumulator_of_another_shape(arrays, document):
    arrays["mean.U"] = arrays["mean.U"].T


def with_best_parameters_of_another_shape(arrays, document):
    arrays["best.W"] = arrays["best.W"][:-1]


def with_states_of_another_shape(arrays, document):
    arrays["stream_states"] = np.zeros((2, 2))


def with_texts_that_are_no_paths(arrays, document):
    document["data"] = [3]


@pytest.mark.parametrize(
    "change",
    [
        without_the_learning_rate,
        without_an_accumulator,
        with_another_shape,
        without_options,
        with_an_option_of_another_version,
        with_an_impossible_step,
        with_a_parameter_that_is_no_number,
        with_an_accumulator_that_is_no_number,
        with_an_accumulator_of_another_shape,
        with_best_parameters_of_another_shape,
        with_states_of_another_shape,
        with_texts_that_are_no_paths,
    ],
)
def test_a_checkpoint_that_does_not_fit_together_is_told_in_one_line(unbroken, toy, tmp_path, change):
    arrays, document = run_state(unbroken("words"))
    change(arrays, document)
    path = tmp_path / "m.checkpoint.npz"
    write_archive(path, arrays, {"run": document})
    with pytest.raises(ModelFileError, match="m.checkpoint.npz: damaged or inconsistent: ") as error:
        train(toy, model=tmp_path / "m.npz", resume=True)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "m.npz").exists()


def test_a_checkpoint_edited_by_hand_is_refused_in_one_line_or_gone_on_with(unbroken, tmp_path):
    """The text is there, so that nothing but the checkpoint can be wrong."""
    unbroken("words")
    files = RunFiles(tmp_path / "m.npz", None)
    source = unbroken("words").with_suffix(".checkpoint.npz")
    files.corpus.write_bytes(unbroken("words").with_suffix(".corpus.npz").read_bytes())
    entries = read_archive(source)
    generator = random.Random(5)
    refused = accepted = 0
    for _ in range(150):
        write_archive(files.checkpoint, {**entries, "run": edited(entries["run"], generator)}, {})
        try:
            train_model.resumed_run(RunFiles(tmp_path / "m.npz", None), None, {}, Reporter())
        except (ModelFileError, OptionError, CorpusError) as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            accepted += 1
    assert refused > 75 and accepted > 0


# Columns of CSV


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,body,note\n" + "".join(f"{i},x,{text}\n" for i, text in enumerate(SENTENCES)), encoding="utf-8")
    return path


def test_a_column_is_the_text_of_the_run_and_of_its_held_out_file(table, tmp_path, compiled_once):
    settings = {**COMMON, "epochs": 1, "column": "note"}
    (tmp_path / "v.tsv").write_text("NOTE\ttext\n" + "".join(f"{text}\tx\n" for text in SENTENCES[:5]))
    lm = train(table, model=tmp_path / "m.npz", valid=tmp_path / "v.tsv", **settings)
    assert lm.training["options"]["column"] == "note" and "dog" in lm.vocabulary and "x" not in lm.vocabulary
    with pytest.raises(CorpusError, match="has no column 'note'; its columns are Body, text; choose one"):
        (tmp_path / "v.tsv").write_text("Body\ttext\n")
        train(table, model=tmp_path / "m.npz", valid=tmp_path / "v.tsv", **settings)
    (tmp_path / "t.txt").write_text("A text.\n")
    with pytest.raises(OptionError, match="^column: 'note' was given, but no file is a table"):
        train(tmp_path / "t.txt", model=tmp_path / "m.npz", **settings)


def test_another_column_is_encoded_anew(table, tmp_path, compiled_once):
    notes = []
    reporter = Reporter()
    reporter.note = notes.append
    for column in ("note", "body", "body"):
        lm = train(table, model=tmp_path / "m.npz", reporter=reporter, column=column, **COMMON, epochs=1)
        assert ("x" in lm.vocabulary) == (column == "body")
    assert [note.startswith("text as encoded before") for note in notes].count(True) == 1


def test_a_run_that_knew_no_columns_goes_on(table, tmp_path, compiled_once):
    whole, old = tmp_path / "whole.npz", tmp_path / "old.npz"
    text = tmp_path / "t.txt"
    text.write_text("\n".join(SENTENCES) + "\n")
    train(text, model=whole, epochs=2, **COMMON)
    train(text, model=old, epochs=1, **COMMON)
    checkpoint = old.with_suffix(".checkpoint.npz")
    arrays, document = run_state(old)
    del document["options"]["column"]
    write_archive(checkpoint, arrays, {"run": document})
    old.with_suffix(".corpus.npz").unlink()
    train(None, model=old, resume=True, epochs=2)
    assert_same_run(old, whole)


def test_a_run_goes_on_with_its_column_and_with_another_only_if_it_holds_the_same_text(table, tmp_path, compiled_once):
    whole, broken = tmp_path / "whole.npz", tmp_path / "broken.npz"
    train(table, model=whole, epochs=2, column="note", **COMMON)
    train(table, model=broken, epochs=1, column="note", **COMMON)
    with pytest.raises(OptionError, match="has changed since the interrupted run"):
        train(None, model=broken, resume=True, epochs=2, column="body")
    train(None, model=broken, resume=True, epochs=2)
    assert_same_run(broken, whole)
