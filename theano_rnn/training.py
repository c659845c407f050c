"""The training loop: epochs of minibatches, evaluations, checkpoints. Says nothing itself; a `Reporter` may."""

import dataclasses
import logging
import math
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from theano_rnn import batches, scoring
from theano_rnn.checkpoint import one_line
from theano_rnn.corpus import read_corpus, with_unknown_words
from theano_rnn.corpus_cache import CorpusCache
from theano_rnn.engine import select_device
from theano_rnn.errors import DivergenceError, ModelFileError, OptionError, TrainingInterrupted
from theano_rnn.language_model import LanguageModel, load
from theano_rnn.model import PARAMETERS, RNN
from theano_rnn.optimizer import Optimizer
from theano_rnn.options import TrainingOptions
from theano_rnn.run_files import RunFiles

logger = logging.getLogger(__name__)

STEPS_BETWEEN_LOOKS = 25  # reading a loss waits for the step, so it is not done after each


class Reporter:
    """What a training run tells while it runs; this one sends the notes to the log and shows nothing else."""

    def note(self, text):
        """Something worth knowing, a line."""
        logger.info(text)

    def encoding(self, done, total):
        """The text is being read: words were found in `done` of `total` characters."""

    def progress(self, state, epochs, done, total, loss, tokens):
        """The loop looked up: `done` of `total` steps of epoch `state.epoch` + 1, whose mean loss so far is `loss`;
        `tokens` seen since the last call."""

    def evaluated(self, record, sample):
        """An evaluation: the record that also goes to the log file, and a sampled sentence."""
        logger.info("%s", record)


@dataclass
class TrainingState:
    """Where a run stands: all that decides how it goes on, beside parameters, accumulators and hidden states."""

    epoch: int = 0  # whole epochs done
    step: int = 0  # steps done in this epoch
    step_number: int = 0  # steps since the optimizer was last reset
    examples_seen: int = 0
    learning_rate: float = 0.0  # before its decay with the epochs
    loss_sum: float = 0.0  # since the last evaluation
    loss_tokens: int = 0
    best_loss: float = math.inf
    last_loss: float = math.inf
    seconds: float = 0.0
    history: list = field(default_factory=list)

    @classmethod
    def from_configuration(cls, configuration):
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(configuration, dict) or configuration.keys() != names:
            raise ValueError("the training state is incomplete")
        return cls(**configuration)


def train(data, *, model="models/rnn.npz", resume=False, log=None, reporter=None, **settings):
    """Train a language model on text files and keep the best one in a file.

    Parameters
    ----------
    data : path or sequence of paths
        Plain text or CSV (column "body", else the first), each also gzipped. May be None on resuming.
    model : path
        Where the model is written after each evaluation; the state of the run stands beside it
        (``rnn.checkpoint.npz``), and the encoded text (``rnn.corpus.npz``), with which the next run on the same text
        begins at once. A model that is there already is kept as ``rnn.previous.npz``.
    resume : bool
        Go on from the checkpoint, with the numbers of an unbroken run. Settings that are not given are those of the
        interrupted run.
    log : path, optional
        Gets one JSON object a line for each evaluation.
    reporter : Reporter, optional
    **settings
        The fields of `theano_rnn.options.TrainingOptions`.

    Returns
    -------
    LanguageModel
        The best one found, as in the file.

    Raises
    ------
    CorpusError, OptionError, ModelFileError
        For texts, settings and files that cannot be used; nothing has been overwritten then.
    DivergenceError
        When the loss becomes NaN or infinite; the best model so far is in the file.
    TrainingInterrupted
        On SIGINT or SIGTERM, after the run's state was saved.
    """
    reporter = reporter or Reporter()
    files = RunFiles(Path(model), None if log is None else Path(log))
    saved = files.read_checkpoint() if resume else None
    if saved:
        try:
            options, recorded = TrainingOptions(**saved.configuration["options"]), saved.configuration["data"]
            fingerprint = saved.configuration["fingerprint"]
        except (KeyError, TypeError, OptionError) as error:
            raise ModelFileError(f"{saved.path}: damaged or inconsistent: {one_line(error)}") from error
        options, data = options.resumed(settings), data or recorded
    else:
        options = TrainingOptions.from_settings(settings)
    if not data:
        raise OptionError("data: expected at least one text file, got none")
    select_device(options.device)
    paths = [os.fspath(path) for path in ([data] if isinstance(data, (str, os.PathLike)) else data)]
    files.check(paths, options)
    cache = CorpusCache(files.corpus, paths, options)
    corpus = encoded_text(cache, paths, options, reporter)
    if saved and corpus.fingerprint != fingerprint:
        raise OptionError("data: the text has changed since the interrupted run; start a new run")
    cache.write(corpus)
    run = TrainingRun(corpus, options, files, reporter, paths)
    if saved:
        run.restore(saved)
    return run.run()


def encoded_text(cache, paths, options, reporter):
    """The text as it was encoded before, or else encoded now."""
    corpus = cache.read()
    if corpus is None:
        return read_corpus(paths, options, reporter.note, reporter.encoding)
    reporter.note(f"text as encoded before ({cache.path})")
    reporter.note(corpus.summary)
    return corpus


class StopSignals:
    """While active, SIGINT and SIGTERM only set `requested`; a second one stops at once."""

    def __enter__(self):
        self.requested = False
        self.handlers = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.handlers[number] = signal.signal(number, self._request)
        return self

    def _request(self, number, frame):
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def __exit__(self, *exception):
        for number, handler in self.handlers.items():
            signal.signal(number, handler)


class TrainingRun:
    """One run over a corpus: the network being trained, the best one so far, and where the run stands."""

    def __init__(self, corpus, options, files, reporter, paths):
        self.corpus = corpus
        self.options = options
        self.files = files
        self.reporter = reporter
        self.paths = paths
        self.rnn = RNN(
            len(corpus.vocabulary), options.hidden_dim, options.bptt_truncate, options.activation, seed=options.seed
        )
        self.optimizer = Optimizer(self.rnn, options.optimizer, options.clip)
        self.state = TrainingState(learning_rate=options.learning_rate)
        self.best = self.rnn.get_values()
        self.stream_states = None
        self.tokens_per_step = self.tokens_per_epoch / self.steps_per_epoch

    # The loop

    def run(self):
        state, options = self.state, self.options
        started = time.perf_counter() - state.seconds
        with StopSignals() as signals:
            if options.tutorial and not state.history:
                self.evaluate(started)
            while state.epoch < options.epochs:
                self.run_epoch(signals, started)
                state.epoch, state.step = state.epoch + 1, 0
                if state.epoch % options.evaluate_every == 0 or state.epoch == options.epochs:
                    self.evaluate(started)
                if signals.requested:
                    self.interrupt(started)
        return load(self.files.model)

    def run_epoch(self, signals, started):
        """The steps of one epoch, from where the state says."""
        state = self.state
        waiting, seen = [], 0
        total = self.steps_per_epoch
        for number, batch in enumerate(self.epoch_batches()):
            if number < state.step:
                continue
            waiting.append(self.take_step(batch))
            seen += batch.tokens
            state.step = number + 1
            state.examples_seen += len(batch.sentences)
            state.loss_tokens += batch.tokens
            if state.step % STEPS_BETWEEN_LOOKS == 0 or state.step in (1, total) or signals.requested:
                state.loss_sum += self.sum_losses(waiting)
                self.reporter.progress(
                    state, self.options.epochs, state.step, total, state.loss_sum / state.loss_tokens, seen
                )
                waiting, seen = [], 0
            if signals.requested and state.step < total:
                self.interrupt(started)
        state.loss_sum += self.sum_losses(waiting)

    @property
    def tokens_per_epoch(self):
        train = self.corpus.train
        return len(train) - 1 if self.options.level == "char" else train.tokens

    @property
    def steps_per_epoch(self):
        train, options = self.corpus.train, self.options
        if options.tutorial:
            return len(train)
        if options.level == "char":
            per_stream = math.ceil((len(train) - 1) / min(options.batch_size, len(train) - 1))
            return math.ceil(per_stream / options.sequence_length)
        return len(batches.plan_batches(train.steps, options.batch_size))

    def epoch_batches(self):
        """The minibatches of this epoch, decided by seed and epoch alone."""
        options, train = self.options, self.corpus.train
        generator = np.random.default_rng([options.seed, 1, self.state.epoch])
        if options.level == "char":
            if self.state.step == 0:
                self.stream_states = None
            return batches.stream_batches(train, options.batch_size, options.sequence_length)
        if options.tutorial:
            return (batches.pad([sentence], 1) for sentence in train)
        if self.corpus.rare is not None:
            train = with_unknown_words(train, self.corpus.rare, self.corpus.vocabulary.unknown, generator)
        return batches.sentence_batches(train, options.batch_size, generator)

    def take_step(self, batch):
        """One update; returns the minibatch's summed loss before it."""
        if self.options.tutorial:
            steps = batch.tokens
            return self.rnn.sgd_step(batch.x[:steps, 0], batch.y[:steps, 0], self.state.learning_rate)
        rate = self.learning_rate(self.state.epoch)
        loss, s_last = self.optimizer.step(batch, rate, self.stream_states, self.tokens_per_step)
        if self.options.level == "char":
            self.stream_states = s_last
        return loss

    def learning_rate(self, epoch):
        return self.state.learning_rate / (1 + self.options.rate_decay * epoch)

    def sum_losses(self, losses):
        total = float(sum(float(loss) for loss in losses))
        if not math.isfinite(total):
            self.diverged(total)
        return total

    def diverged(self, loss):
        kept = (
            f"the best model so far (loss {self.state.best_loss:.4g}) is in {self.files.model}"
            if self.state.history and math.isfinite(self.state.best_loss)
            else "no model was written"
        )
        raise DivergenceError(
            f"the loss became {loss} in epoch {self.state.epoch + 1} at learning rate "
            f"{self.learning_rate(self.state.epoch):g}; "
            f"{kept}; try a smaller learning rate or a smaller clip"
        )

    # Evaluation

    def evaluate(self, started):
        """Measure, keep the best, set the learning rate, save, report."""
        state, options = self.state, self.options
        train_loss = self.train_loss()
        valid_loss = self.held_out_loss()
        decisive = train_loss if options.tutorial or valid_loss is None else valid_loss
        if not math.isfinite(decisive):
            self.diverged(decisive)
        if not all(np.isfinite(value).all() for value in self.rnn.get_values().values()):
            self.diverged(math.nan)
        rate, previous = self.learning_rate(max(state.epoch - 1, 0)), state.last_loss
        tokens, seconds = state.loss_tokens, time.perf_counter() - started
        state.last_loss = decisive
        improved = decisive < state.best_loss
        if improved:
            state.best_loss, self.best = decisive, self.rnn.get_values()
        if options.tutorial:
            if decisive > previous:
                state.learning_rate *= 0.5
        elif not improved:
            self.go_back()
        shown = train_loss if valid_loss is None else valid_loss
        record = {
            "epoch": state.epoch,
            "examples_seen": state.examples_seen,
            "train_loss": train_loss,
            "valid_loss": valid_loss,
            "perplexity": math.exp(min(shown, 700)),
            "learning_rate": rate,
            "tokens_per_second": tokens / max(seconds - state.seconds, 1e-9),
            "seconds": seconds,
        }
        state.history.append(record)
        state.loss_sum, state.loss_tokens, state.seconds = 0.0, 0, seconds
        self.save(started)
        self.files.append_log(record, first=len(state.history) == 1)
        sample = self.best_model().generate(1, max_words=40 if options.level == "word" else 100, seed=state.epoch)[0]
        self.reporter.evaluated(record, sample)

    def go_back(self):
        """The loss has risen: half the rate, from the best parameters, with a fresh optimizer."""
        self.state.learning_rate *= 0.5
        self.rnn.set_values(self.best)
        self.optimizer.reset()

    def train_loss(self):
        """Nats per token: the tutorial's calculate_loss, else the mean while learning since the last evaluation."""
        if self.options.tutorial:
            total, tokens = scoring.sentences_cross_entropy(self.rnn, self.corpus.train, 32)
            return total / tokens
        return self.state.loss_sum / self.state.loss_tokens

    def held_out_loss(self):
        valid, options = self.corpus.valid, self.options
        if valid is None:
            return None
        if options.level == "char":
            total, tokens = scoring.stream_cross_entropy(self.rnn, valid, 10, options.sequence_length)
        else:
            total, tokens = scoring.sentences_cross_entropy(self.rnn, valid, 32)
        return total / tokens

    def best_model(self):
        rnn = RNN.from_values(self.best, self.options.bptt_truncate, self.options.activation)
        training = {"options": self.options.to_configuration(), "history": self.state.history}
        return LanguageModel(rnn, self.corpus.vocabulary, self.corpus.tokenizer, training)

    # Saving and going on

    def save(self, started):
        self.state.seconds = time.perf_counter() - started
        self.state.step_number = self.optimizer.step_number
        arrays = {**self.rnn.get_values(), **self.optimizer.get_state()}
        arrays |= {f"best.{name}": value for name, value in self.best.items()}
        if self.stream_states is not None:
            arrays["stream_states"] = np.asarray(self.stream_states)
        configuration = {
            "options": self.options.to_configuration(),
            "data": [os.path.abspath(path) for path in self.paths],
            "fingerprint": self.corpus.fingerprint,
            "state": dataclasses.asdict(self.state),
        }
        self.files.write(arrays, configuration, self.best_model())

    def interrupt(self, started):
        if not self.state.history:
            self.best = self.rnn.get_values()
        self.save(started)
        raise TrainingInterrupted(self.files.checkpoint)

    def restore(self, saved):
        """Take up the state of a checkpoint."""
        try:
            self.state = TrainingState.from_configuration(saved.configuration["state"])
            self.rnn.set_values(saved.arrays)
            self.best = {name: saved.arrays[f"best.{name}"] for name in PARAMETERS}
            self.optimizer.set_state(saved.arrays, self.state.step_number)
            self.stream_states = saved.arrays.get("stream_states")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{saved.path}: damaged or inconsistent: {one_line(error)}") from error
        self.files.rewrite_log(self.state.history)
        self.best_model().save(self.files.model)
        self.reporter.note(f"going on after {self.state.epoch} epochs and {self.state.step} steps")
