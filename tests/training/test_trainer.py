"""The training loop: the tutorial's numbers, the best model, the learning rate, divergence, and the log."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from support.training_runs import (
    CASES,
    COMMON,
    SENTENCES,
    assert_same_arrays,
    assert_same_run,
    run_state,
    trainer_of,
)

from theano_rnn.errors import DivergenceError, ModelFileError
from theano_rnn.language_models.language_model import load
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.corpus import read_corpus
from theano_rnn.training import learner, options
from theano_rnn.training.language_model_task import LanguageModelTask
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer
from theano_rnn.training.training_state import without_times

pytestmark = pytest.mark.usefixtures("quick_samples")


def tutorial_training(rnn, X, Y, learning_rate, epochs, evaluate_every):
    """The loop of the tutorial's train_with_sgd (part 2); returns its losses and learning rates."""
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
def test_tutorial_training_equals_the_loop_of_the_tutorial(toy, tmp_path, monkeypatch, rate, evaluate_every, rises):
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
    """Records the parameters and the optimizer's step number after each evaluation."""

    def __init__(self):
        self.after, self.records, self.samples = [], [], []

    def evaluated(self, record, sample):
        self.after.append((self.run.learner.rnn.get_values(), self.run.learner.step_number))
        self.records.append(record)
        self.samples.append(sample)


@pytest.mark.usefixtures("compiled_once")
def test_when_the_loss_rises_the_rate_is_halved_and_the_best_parameters_are_restored(toy, tmp_path, monkeypatch):
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


@pytest.mark.usefixtures("compiled_once")
def test_the_rate_is_not_halved_before_the_optimizer_has_taken_some_steps(toy, tmp_path, monkeypatch):
    """With 7 steps per epoch, the fourth evaluation comes after 28 steps, and the next halving 28 steps later."""
    monkeypatch.setattr(learner, "STEPS_BEFORE_HALVING", 22)
    losses = itertools.chain([3.0, 2.0], itertools.repeat(2.5))
    watcher = Watcher()

    def held_out_loss(run):
        watcher.run = run
        return next(losses)

    monkeypatch.setattr(Trainer, "held_out_loss", held_out_loss)
    train(toy, model=tmp_path / "m.npz", epochs=9, rate_decay=0.0, reporter=watcher, **CASES["words"])
    rates = [record["learning_rate"] for record in watcher.records]
    assert rates == [0.03] * 4 + [0.015] * 4 + [0.0075]


@pytest.mark.usefixtures("compiled_once")
def test_the_rate_is_not_halved_below_a_small_share_of_the_first_one(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(learner, "STEPS_BEFORE_HALVING", 1)
    monkeypatch.setattr(learner, "LOWEST_RATE", 0.2)
    losses = itertools.count()
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: float(next(losses)))
    lm = train(toy, model=tmp_path / "m.npz", epochs=6, rate_decay=0.0, **CASES["words"])
    rates = [record["learning_rate"] for record in lm.training["history"]]
    assert rates == pytest.approx([0.03, 0.03, 0.015, 0.0075, 0.006, 0.006])


@pytest.mark.usefixtures("compiled_once")
def test_the_loss_falls_far_below_that_of_guessing(unbroken):
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


def test_the_rate_decays_with_the_epochs(toy, tmp_path, monkeypatch):
    used = []
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: 1 / (1 + run.state.epoch))
    monkeypatch.setattr(
        Optimizer, "step", lambda self, batch, rate, states, tokens, mask: used.append(rate) or (1.0, None)
    )
    settings = {**CASES["words"], "learning_rate": 0.3, "rate_decay": 0.5, "batch_size": 100}
    lm = train(toy, model=tmp_path / "m.npz", epochs=3, **settings)
    assert used == pytest.approx([0.3, 0.3 / 1.5, 0.3 / 2])
    assert [record["learning_rate"] for record in lm.training["history"]] == used


def test_with_the_linear_schedule_the_rate_falls_to_zero_with_the_steps(toy, tmp_path, monkeypatch):
    used = []
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: 1 / (1 + run.state.epoch))
    monkeypatch.setattr(
        Optimizer, "step", lambda self, batch, rate, states, tokens, mask: used.append(rate) or (1.0, None)
    )
    settings = {**CASES["words"], "learning_rate": 0.3, "rate_schedule": "linear"}
    lm = train(toy, model=tmp_path / "m.npz", epochs=3, **settings)
    steps = len(used)
    assert steps > 6 and steps % 3 == 0
    assert used == pytest.approx([0.3 * (1 - i / steps) for i in range(steps)])
    assert [record["learning_rate"] for record in lm.training["history"]] == used[steps // 3 - 1 :: steps // 3]


# Divergence


@pytest.mark.usefixtures("compiled_once")
def test_a_loss_that_is_not_finite_stops_the_run_with_one_line(toy, tmp_path):
    model = tmp_path / "model.npz"
    settings = {"optimizer": "sgd", "activation": "relu", "learning_rate": 1e6, "clip": None, "valid_fraction": 0.0}
    with pytest.raises(DivergenceError) as error:
        train(toy, model=model, **{**CASES["words"], **settings})
    message = str(error.value)
    assert "\n" not in message and message.startswith(
        ("the loss became nan in epoch 1", "the loss became inf in epoch")
    )
    assert "at learning rate 1e+06; no model was written; try a smaller `learning_rate` or `clip`" in message
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


def test_parameters_that_are_not_finite_are_never_kept(toy, tmp_path, monkeypatch):
    """The last step before an evaluation may break the parameters, which earlier losses do not show."""

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


def test_the_log_has_one_json_object_per_evaluation_with_the_documented_keys(unbroken, folder, toy):
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


@pytest.mark.usefixtures("compiled_once")
def test_without_held_out_text_the_perplexity_is_that_of_the_training_text(unbroken):
    for record in load(unbroken("characters")).training["history"]:
        assert record["valid_loss"] is None
        assert record["perplexity"] == pytest.approx(math.exp(record["train_loss"]), rel=1e-12)


def test_a_log_that_cannot_be_written_is_reported(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be written: Is a directory; choose another place"):
        RunFiles(tmp_path / "m.npz", tmp_path).write_log([{}])


@pytest.mark.usefixtures("compiled_once")
def test_evaluations_follow_evaluate_every_and_the_last_epoch_with_a_sample(toy, tmp_path, monkeypatch):
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


def test_a_model_path_without_npz_gets_it(tmp_path):
    files = RunFiles(tmp_path / "best.model", None)
    assert files.model == tmp_path / "best.model.npz"
    assert files.checkpoint == tmp_path / "best.model.checkpoint.npz"


def task_of(corpus, seed):
    return LanguageModelTask(corpus, TrainingOptions(hidden_dim=6, seed=seed, batch_size=1))


def test_the_first_parameters_depend_on_the_seed(toy):
    corpus = read_corpus(toy, TrainingOptions(**COMMON))
    files = RunFiles(Path("m.npz"), None)
    runs = [Trainer(task_of(corpus, s), files, Reporter(), [toy]) for s in (3, 3, 4)]
    values = [run.learner.rnn.get_values()["W"] for run in runs]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).all()


def test_each_epoch_has_an_order_of_its_own_and_the_same_one_each_time(toy):
    corpus = read_corpus(toy, TrainingOptions(**COMMON))

    def order(epoch):
        run = Trainer(task_of(corpus, 3), RunFiles(Path("m.npz"), None), Reporter(), [toy])
        return [index for batch in run.task.minibatches(epoch) for index in batch.sentences.tolist()]

    assert order(0) == order(0) != order(1)
    assert sorted(order(0)) == list(range(len(corpus.train)))


@pytest.mark.usefixtures("compiled_once")
def test_an_unfinished_run_that_another_replaces_can_still_be_resumed(unbroken, toy, tmp_path):
    model = tmp_path / "model.npz"
    train(toy, model=model, epochs=2, **CASES["words"])
    train(toy, model=model, epochs=1, **{**CASES["words"], "seed": 5})
    train(None, model=tmp_path / "model.previous.npz", resume=True, epochs=4)
    assert_same_run(tmp_path / "model.previous.npz", unbroken("words"))


def test_the_best_model_is_one_whose_functions_are_compiled_once(toy):
    run = trainer_of("words", toy)
    first = run.model_to_save()
    run.learner.best = {name: value + 1 for name, value in run.learner.best.items()}
    assert run.model_to_save() is first
    assert_same_arrays(first.rnn.get_values(), run.learner.best)
