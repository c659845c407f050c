"""Helpers for tests of training runs: a tiny text, settings, comparisons of runs, reporters that stop a run."""

import itertools
import signal
from pathlib import Path

import numpy as np

from theano_rnn.decoders.writer import Writer
from theano_rnn.files.archive import read_archive, read_document
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.networks.rnn import RNN
from theano_rnn.tasks import minibatch_task
from theano_rnn.text.corpus import read_corpus
from theano_rnn.training import language_model_task
from theano_rnn.training.language_model_task import LanguageModelTask
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.trainer import Trainer
from theano_rnn.training.training_data import text_length
from theano_rnn.training.training_state import without_times
from theano_rnn.writing import writing_task

SENTENCES = [
    f"The {a} {b} the {c}."
    for a, b, c in itertools.product(["dog", "cat", "bird"], ["sees", "likes", "eats"], ["dog", "cat", "bird"])
] * 2

COMMON = {"hidden_dim": 6, "seed": 3}
LSTM = {**COMMON, "cell": "lstm", "dropout": 0.3, "batch_size": 4}
CASES = {
    "words": {**COMMON, "batch_size": 8, "learning_rate": 0.03, "valid_fraction": 0.1},
    "characters": {
        **COMMON,
        "level": "char",
        "batch_size": 4,
        "sequence_length": 20,
        "optimizer": "momentum",
        "valid_fraction": 0.0,
    },
    "tutorial": {**COMMON, "tutorial": True, "evaluate_every": 1},
    "LSTM words": {**LSTM, "learning_rate": 0.03, "sequence_length": 10, "tied": True, "continuous": True},
    "sampled words": {**COMMON, "batch_size": 8, "learning_rate": 0.03, "samples": 3, "bias": True},
    "LSTM characters": {**LSTM, "level": "char", "sequence_length": 20, "embedding_dim": 4, "valid_fraction": 0.0},
}

COMPILED = {}


def share_compiled(monkeypatch, compiled=COMPILED):
    """Let runs of the same shape share compiled functions, and nothing else. This saves a second or two per run."""

    def network(**settings):
        rnn = RNN(**settings)
        if settings["seed"] == 0:
            return rnn  # of the model to save, which must not be the network in training
        key = (rnn.architecture, rnn.bptt_truncate)
        shared = compiled.setdefault(key, rnn)
        shared.set_values(rnn.get_values())
        return shared

    def optimizer(rnn, rule, clip, measures_norm, devices):
        shared = compiled.setdefault((id(rnn), rule, clip), Optimizer(rnn, rule, clip, measures_norm, devices))
        shared.reset()
        return shared

    monkeypatch.setattr(language_model_task, "RNN", network)
    monkeypatch.setattr(language_model_task, "Optimizer", optimizer)


def share_compiled_readers(monkeypatch, compiled=COMPILED):
    """The same for runs of networks that read."""
    made, optimizer = minibatch_task.ReaderTask.__init__, minibatch_task.ReaderOptimizer

    def shared_task(self, reader, *details, **more):
        shared = compiled.setdefault((str(reader), reader.dtype), reader)
        shared.set_values(reader.get_values())
        made(self, shared, *details, **more)

    def shared_optimizer(reader, rule, clip, **more):
        shared = compiled.setdefault((id(reader), rule, clip), optimizer(reader, rule, clip, **more))
        shared.reset()
        return shared

    monkeypatch.setattr(minibatch_task.ReaderTask, "__init__", shared_task)
    monkeypatch.setattr(minibatch_task, "ReaderOptimizer", shared_optimizer)


def share_compiled_writers(monkeypatch, compiled):
    """The same for runs of networks that write, and for all models with such networks, also copies and loaded ones."""
    made, optimizer, function = writing_task.WritingTask.__init__, writing_task.WriterOptimizer, Writer._function

    def shared_task(self, writer, *details, **more):
        shared = compiled.setdefault((str(writer), writer.dtype), writer)
        shared.set_values(writer.get_values())
        made(self, shared, *details, **more)

    def shared_optimizer(writer, rule, clip, **more):
        shared = compiled.setdefault((id(writer), rule, clip), optimizer(writer, rule, clip, **more))
        shared.reset()
        return shared

    def shared_function(self, key, graph):
        place = (str(self), self.dtype, key)
        if place not in compiled:
            compiled[place] = (self, function(self, key, graph))
        owner, found = compiled[place]
        return found if owner is self else lambda *arguments: with_values(owner, self.get_values(), found, arguments)

    monkeypatch.setattr(writing_task.WritingTask, "__init__", shared_task)
    monkeypatch.setattr(writing_task, "WriterOptimizer", shared_optimizer)
    monkeypatch.setattr(Writer, "_function", shared_function)


def with_values(network, values, function, arguments):
    """What a compiled function of a network returns with other parameters."""
    before = network.get_values()
    network.set_values(values)
    try:
        return function(*arguments)
    finally:
        network.set_values(before)


def run_state(model):
    path = model.with_suffix(".checkpoint.npz")
    entries = read_archive(path)
    document = read_document(path, entries, "run")
    return {name: value for name, value in entries.items() if name != "run"}, document


def assert_same_arrays(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


def assert_same_run(model, other):
    """Parameters, best parameters, accumulators, states and history of two finished runs are the same, bit for bit."""
    assert {"U", "V", "W", "best.U", "best.V", "best.W"} <= run_state(model)[0].keys()
    assert_same_run_of_a_task(model, other)


def assert_same_run_of_a_task(model, other):
    """The same for a run of any task."""
    (arrays, document), (other_arrays, other_document) = run_state(model), run_state(other)
    assert_same_arrays(arrays, other_arrays)
    assert model.read_bytes() == other.read_bytes()
    state, other_state = document["state"], other_document["state"]
    history, other_history = without_times(state.pop("history")), without_times(other_state.pop("history"))
    assert [record["epoch"] for record in history] == [record["epoch"] for record in other_history]
    assert history == other_history
    state.pop("seconds"), other_state.pop("seconds")
    assert state == other_state


class Interrupter(Reporter):
    """Sends a signal to this process at the first report at or after a step."""

    def __init__(self, epoch, step, number=signal.SIGINT):
        self.moment = (epoch, step)
        self.number = number

    def progress(self, state, epochs, done, total, loss, tokens_per_second):
        if self.moment and (state.epoch, done) >= self.moment:
            self.moment = None
            signal.raise_signal(self.number)


class Notes(Reporter):
    """Records the calls of its methods."""

    def __init__(self):
        self.notes, self.records, self.samples, self.ends = [], [], [], []

    def note(self, text):
        self.notes.append(text)

    def evaluated(self, record, sample):
        self.records.append((record["epoch"], sample))

    def sampled(self, state, sample):
        self.samples.append((state.epoch, state.step, sample))

    def time_is_up(self, state, checkpoint):
        self.ends.append((state.epoch, state.step, checkpoint))


def trainer_of(case, path):
    """A trainer on this text, with the options of a case."""
    options = TrainingOptions.from_settings(CASES[case])
    corpus = read_corpus(path, options)
    task = LanguageModelTask(corpus, options.fitted_to(text_length(corpus.train, options)))
    return Trainer(task, RunFiles(Path("m.npz"), None), Reporter(), [path])
