"""The training loop: epochs of minibatches, evaluations, saves. Says nothing itself; a `Reporter` may."""

import functools
import math
import os
import time

import numpy as np

from theano_rnn import batches, scoring
from theano_rnn.checkpoint import one_line
from theano_rnn.corpus import with_unknown_words
from theano_rnn.errors import DivergenceError, ModelFileError, TrainingInterrupted
from theano_rnn.language_model import LanguageModel, load
from theano_rnn.model import PARAMETERS, RNN, check_shapes
from theano_rnn.optimizer import Optimizer
from theano_rnn.signals import StopRequest, handled_by
from theano_rnn.training_state import TrainingState

SECONDS_A_MINUTE = 60
STEPS_BETWEEN_LOOKS = 25  # reading a loss waits for the step, so it is not done after each


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
        self.model_is_stale = False  # whether the model's file is to be written at the next save
        self.problem = None  # why the last save failed
        self.stop = StopRequest()
        self.tokens_per_step = self.tokens_per_epoch / self.steps_per_epoch

    # The loop

    def run(self):
        state, options = self.state, self.options
        with handled_by(self.stop):
            self.started = time.perf_counter() - state.seconds
            self.write()  # a run that cannot be saved ends before it begins
            if options.tutorial and not state.history:
                self.evaluate()
            while state.epoch < options.epochs:
                self.run_epoch()
                state.epoch, state.step = state.epoch + 1, 0
                if state.epoch % options.evaluate_every == 0 or state.epoch == options.epochs:
                    self.evaluate()
                if self.stop and state.epoch < options.epochs:
                    self.interrupt()
            self.give_up_if_unsaved()
        return load(self.files.model)

    def run_epoch(self):
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
            due = time.perf_counter() - self.saved_at > SECONDS_A_MINUTE * self.options.save_every
            if due or state.step % STEPS_BETWEEN_LOOKS == 0 or state.step in (1, total) or self.stop:
                self.add_losses(waiting)
                loss = state.loss_sum / state.loss_tokens
                self.tell(self.reporter.progress, state, self.options.epochs, state.step, total, loss, seen)
                waiting, seen = [], 0
            if self.stop and state.step < total:
                self.interrupt()
            if due:
                self.save()
        self.add_losses(waiting)

    def tell(self, report, *details):
        """Whoever watches may have gone, and what they read from be closed: then the run stops as after a signal."""
        try:
            report(*details)
        except BrokenPipeError:
            self.stop.note_closed_pipe()

    @property
    def tokens_per_epoch(self):
        train = self.corpus.train
        return len(train) - 1 if self.options.level == "char" else train.tokens

    @functools.cached_property
    def steps_per_epoch(self):
        train, options = self.corpus.train, self.options
        if options.tutorial:
            return len(train)
        if options.level == "char":
            per_stream = math.ceil((len(train) - 1) / min(options.batch_size, len(train) - 1))
            return math.ceil(per_stream / options.sequence_length)
        return batches.count_batches(train, options.batch_size)

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
        change = None
        if self.corpus.rare is not None:
            rare, unknown = self.corpus.rare, self.corpus.vocabulary.unknown
            change = functools.partial(with_unknown_words, rare=rare, unknown=unknown, generator=generator)
        return batches.sentence_batches(train, options.batch_size, generator, change)

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

    def add_losses(self, losses):
        """Add minibatches' losses to the sum, one by one: it is the same however often the loop looks up."""
        for loss in losses:
            self.state.loss_sum += float(loss)
        if not math.isfinite(self.state.loss_sum):
            self.diverged(self.state.loss_sum)

    def diverged(self, loss):
        if self.state.history and math.isfinite(self.state.best_loss):
            kept = f"the best model so far (loss {self.state.best_loss:.4g}) is in {self.files.model}"
        elif self.files.model_is_ours:
            kept = f"the model as last saved is in {self.files.model}"
        else:
            kept = "no model was written"
        raise DivergenceError(
            f"the loss became {loss} in epoch {self.state.epoch + 1} at learning rate "
            f"{self.learning_rate(self.state.epoch):g}; "
            f"{kept}; try a smaller learning rate or a smaller clip"
        )

    # Evaluation

    def evaluate(self):
        """Measure, keep the best, set the learning rate, save, report."""
        state, options = self.state, self.options
        train_loss = self.train_loss()
        valid_loss = self.held_out_loss()
        decisive = train_loss if options.tutorial or valid_loss is None else valid_loss
        if not math.isfinite(decisive):
            self.diverged(decisive)
        self.check_parameters()
        rate, previous = self.learning_rate(max(state.epoch - 1, 0)), state.last_loss
        tokens, seconds = state.loss_tokens, time.perf_counter() - self.started
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
            "tokens_per_second": tokens / max(seconds - state.seconds_at_evaluation, 1e-9),
            "seconds": seconds,
        }
        state.history.append(record)
        state.loss_sum, state.loss_tokens = 0.0, 0
        self.model_is_stale = True
        self.save()
        sample = self.best_model().generate(1, max_words=40 if options.level == "word" else 100, seed=state.epoch)[0]
        self.tell(self.reporter.evaluated, record, sample)

    def check_parameters(self):
        if not all(np.isfinite(value).all() for value in self.rnn.get_values().values()):
            self.diverged(math.nan)

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
        """The best parameters as a model: the same one at each call, so that its functions are compiled once."""
        lm = self.best_language_model
        lm.rnn.set_values(self.best)
        options = self.options.to_configuration()
        del options["save_every"]  # says nothing of the model
        lm.training = {"options": options, "history": self.state.timeless_history}
        return lm

    @functools.cached_property
    def best_language_model(self):
        rnn = RNN.from_values(self.best, self.options.bptt_truncate, self.options.activation)
        return LanguageModel(rnn, self.corpus.vocabulary, self.corpus.tokenizer)

    # Saving and going on

    def save(self):
        """Keep the run's state in its files. Where that fails the run goes on, and tries again the next time."""
        self.check_parameters()
        if self.state.has_begun and not self.state.history:
            self.best, self.model_is_stale = self.rnn.get_values(), True
        try:
            self.write()
        except ModelFileError as error:
            self.problem = error
            self.tell(self.reporter.note, f"{error}; training goes on and tries again later")

    def write(self):
        """Write the run's files; ModelFileError where that is impossible."""
        self.problem, self.is_saved, self.saved_at = None, False, time.perf_counter()
        self.files.write(*self.contents(), self.best_model() if self.model_is_stale else None)
        self.is_saved, self.model_is_stale = True, False
        self.files.write_log(self.state.history)

    def contents(self):
        """What the checkpoint holds: arrays by name, and the rest."""
        self.state.seconds = time.perf_counter() - self.started
        self.state.step_number = self.optimizer.step_number
        arrays = {**self.rnn.get_values(), **self.optimizer.get_state()}
        arrays |= {f"best.{name}": value for name, value in self.best.items()}
        if self.stream_states is not None:
            arrays["stream_states"] = np.asarray(self.stream_states)
        configuration = {
            "options": self.options.to_configuration(),
            "data": [os.path.abspath(path) for path in self.paths],
            "fingerprint": self.corpus.fingerprint,
            "state": self.state.to_configuration(),
        }
        return arrays, configuration

    def give_up_if_unsaved(self):
        """At the end: the error of a save that failed, and where else the state is."""
        if self.problem is None:
            return
        place = None if self.is_saved else self.files.rescue(*self.contents())
        raise ModelFileError(f"{self.problem}; the state of the run is in {place}" if place else str(self.problem))

    def interrupt(self):
        self.save()
        self.give_up_if_unsaved()
        raise TrainingInterrupted(self.files.checkpoint, self.stop.number)

    def restore(self, saved):
        """Take up the state of a checkpoint."""
        try:
            for name, array in saved.arrays.items():
                if array.dtype.kind == "f" and not np.isfinite(array).all():
                    raise ValueError(f"{name} holds values that are not finite")
            self.state = TrainingState.from_configuration(saved.configuration["state"])
            self.rnn.set_values(saved.arrays)
            self.best = {name: saved.arrays[f"best.{name}"] for name in PARAMETERS}
            check_shapes(self.best, self.rnn.parameter_shapes)
            self.optimizer.set_state(saved.arrays, self.state.step_number)
            self.stream_states = saved.arrays.get("stream_states")
            if self.stream_states is not None:
                states = {"stream_states": (self.options.batch_size, self.options.hidden_dim)}
                check_shapes(saved.arrays, states)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{saved.path}: damaged or inconsistent: {one_line(error)}") from error
        self.model_is_stale = self.files.model_is_ours = self.state.has_begun
        self.reporter.note(f"going on after {self.state.epoch} epochs and {self.state.step} steps")
