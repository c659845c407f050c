"""The training loop: epochs of minibatches, evaluations, saves. Says nothing itself; a `Reporter` may."""

import functools
import math
import time

import numpy as np

from theano_rnn.errors import DivergenceError, ModelFileError, TrainingInterrupted
from theano_rnn.files.signals import StopRequest, handling_signals
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.networks.rnn import RNN
from theano_rnn.text import minibatches
from theano_rnn.training import saving
from theano_rnn.training.evaluation import best_record, decisive_loss, evaluation_record, perplexity, text_loss
from theano_rnn.training.live_plot import LivePlot
from theano_rnn.training.options import TRACELESS
from theano_rnn.training.time_limit import SECONDS_A_MINUTE, TimeLimit, evaluations_without_improvement
from theano_rnn.training.training_state import TrainingState, timeless

STEPS_BETWEEN_LOOKS = 25  # reading a loss waits for the step, so it is not done after each
# After a reset, an optimizer's first steps are large and raise the loss. On a small text, where an epoch has only a few
# steps, each evaluation would then lead to the next halving, until nothing is learnt.
STEPS_BEFORE_HALVING = 50
LOWEST_RATE = 1 / 1024  # of the learning rate that the run began with: halving ends there
EVALUATION_COST = 1 / 3  # to measure the loss of a token takes about so much of the time in which it is learnt


class Trainer:
    """One run over a corpus: the network being trained, the best one so far, and where the run stands.

    `initial` are the parameters to start from, if not random ones.
    """

    def __init__(self, corpus, options, files, reporter, paths, initial=None, time_limit=None):
        self.corpus = corpus
        self.options = options = options.fitted_to(len(corpus.train))
        self.files = files
        self.reporter = reporter
        self.paths = paths
        self.rnn = RNN(
            len(corpus.vocabulary), options.hidden_dim, options.bptt_truncate, options.activation, seed=options.seed
        )
        if initial is not None:
            self.rnn.set_values(initial)
        # Always measured, so that with a picture and without one the same function is compiled.
        self.optimizer = Optimizer(self.rnn, options.optimizer, options.clip, measures_norm=True)
        self.state = TrainingState(learning_rate=options.learning_rate)
        self.best = self.rnn.get_values()
        self.picture = LivePlot(files.plot, options.clip, self.note, by_training_text=options.tutorial)
        self.time_limit = time_limit or TimeLimit()
        self.stream_states = None
        self.losses = []  # of the latest steps, not yet waited for and no part of the state's sum
        self.latest = None  # parameters and their record, if they are better than the best, at the end of the time
        self.model_is_stale = False  # whether the model's file is to be written at the next save
        self.problem = None  # why the last save failed
        self.stop = StopRequest()
        self.tokens_per_step = self.tokens_per_epoch / self.steps_per_epoch

    # The loop

    def run(self):
        state, options = self.state, self.options
        with handling_signals(self.stop):
            self.started = time.perf_counter() - state.seconds
            self.began_too_late = self.time_limit.is_over
            self.write()  # a run that cannot be saved ends before it begins
            self.picture.begin(state.history)
            if self.begins_with_an_evaluation and not state.has_begun:
                self.evaluate()
            while not self.has_ended:
                if not self.run_epoch():
                    self.end_for_now()
                    break
                state.epoch, state.step = state.epoch + 1, 0
                if state.epoch % options.evaluate_every == 0 or state.epoch == options.epochs:
                    self.evaluate()
                if self.has_ended:
                    break
                if self.stop:
                    self.interrupt()
                if self.time_is_up:
                    self.end_for_now()
                    break
            self.finish()
        return load(self.files.model)

    @property
    def begins_with_an_evaluation(self):
        """As the tutorial does, and whoever starts from another model: it may remain the best."""
        return self.options.tutorial or (self.options.init_from is not None and self.corpus.valid is not None)

    @property
    def measures_training_text(self):
        """Whether the loss on the training text decides, because nothing is held out."""
        return self.corpus.valid is None and not self.options.tutorial

    @property
    def has_ended(self):
        return self.state.epoch >= self.options.epochs or self.is_out_of_patience

    @property
    def is_out_of_patience(self):
        losses = [self.decisive_loss(record) for record in self.state.history]
        patience = self.options.patience
        return patience is not None and evaluations_without_improvement(losses) >= patience

    @property
    def time_is_up(self):
        if self.skips_last_evaluation:
            return self.time_limit.is_over
        return self.time_limit.is_up(self.evaluated_tokens)

    @property
    def skips_last_evaluation(self):
        """Whether the training text is so large that measuring it would take most of the time limit."""
        return self.measures_training_text and not self.time_limit.affords(self.evaluated_tokens)

    def finish(self):
        """The end, as far as this call goes."""
        patience = self.options.patience
        if self.is_out_of_patience and self.state.epoch < self.options.epochs:
            evaluations = "the last evaluation" if patience == 1 else f"{patience} evaluations in a row"
            self.note(
                f"the loss has not fallen in {evaluations}: the run has ended after {self.state.epoch} epochs; "
                "a larger patience, or 0, lets it go on"
            )
        self.picture.refresh(self.state.history, at_end=True)
        self.give_up_if_unsaved()

    def run_epoch(self):
        """The steps of one epoch, from where the state says; False if the time is up before its end."""
        state = self.state
        seen, total = 0, self.steps_per_epoch
        for number, batch in enumerate(self.epoch_batches()):
            if number < state.step:
                continue
            self.losses.append(self.take_step(batch))
            seen += batch.tokens
            state.step = number + 1
            state.examples_seen += len(batch.sentences)
            state.loss_tokens += batch.tokens
            due = time.perf_counter() - self.saved_at > SECONDS_A_MINUTE * self.options.save_every
            over = self.time_is_up
            if due or over or state.step % STEPS_BETWEEN_LOOKS == 0 or state.step in (1, total) or self.stop:
                self.look_up(seen, total)
                seen = 0
            if self.options.sample_every and (state.epoch * total + state.step) % self.options.sample_every == 0:
                sample = self.sample(self.rnn.get_values(), state.epoch * total + state.step)
                self.tell(self.reporter.sampled, state, sample)
            if self.stop and state.step < total:
                self.interrupt()
            if over and state.step < total:
                return False
            if due:
                self.save()
        self.add_losses()
        return True

    def look_up(self, tokens, total):
        """Take in the losses, and show how far the run has come."""
        state, before, steps = self.state, self.state.loss_sum, len(self.losses)
        self.add_losses()
        self.time_limit.note_learnt(tokens)
        loss = (state.loss_sum - before) / tokens
        epoch, rate = state.epoch + state.step / total, self.learning_rate(state.epoch)
        self.picture.note_stretch(steps, tokens, epoch, loss, rate)
        self.picture.refresh(state.history)
        loss = state.loss_sum / state.loss_tokens
        self.tell(self.reporter.progress, state, self.options.epochs, state.step, total, loss, tokens)

    def tell(self, report, *details):
        """Whoever watches may have gone, and what they read from be closed: then the run stops as after a signal."""
        try:
            report(*details)
        except BrokenPipeError:
            self.stop.note_closed_pipe()

    def note(self, text):
        self.tell(self.reporter.note, text)

    @functools.cached_property
    def evaluated_tokens(self):
        """In an evaluation; of the training text, as many as are learnt in the time of one."""
        if self.options.tutorial:
            return self.tokens_per_epoch
        if self.measures_training_text:
            return math.ceil(self.tokens_per_epoch * EVALUATION_COST)
        valid = self.corpus.valid
        return len(valid) - 1 if self.options.level == "char" else valid.tokens

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
        return minibatches.count_batches(train, options.batch_size)

    def epoch_batches(self):
        """The minibatches of this epoch, decided by seed and epoch alone."""
        options, train = self.options, self.corpus.train
        generator = np.random.default_rng([options.seed, 1, self.state.epoch])
        if options.level == "char":
            if self.state.step == 0:
                self.stream_states = None
            return minibatches.stream_batches(train, options.batch_size, options.sequence_length)
        if options.tutorial:
            return (minibatches.pad([sentence], 1) for sentence in train)
        change = None
        if self.corpus.seen_once is not None:
            change = functools.partial(
                minibatches.replace_words_seen_once,
                seen_once=self.corpus.seen_once,
                unknown=self.corpus.vocabulary.unknown,
                generator=generator,
            )
        return minibatches.sentence_batches(train, options.batch_size, generator, change)

    def take_step(self, batch):
        """One update; returns the minibatch's summed loss before it."""
        if self.options.tutorial:
            steps = batch.tokens
            x, y = batch.x[:steps, 0], batch.y[:steps, 0]
            if self.picture.wants_norm():  # the step itself never has the gradient by U as a whole
                self.picture.note_norm(math.hypot(*map(np.linalg.norm, self.rnn.bptt(x, y))))
            return self.rnn.sgd_step(x, y, self.state.learning_rate)
        rate = self.learning_rate(self.state.epoch)
        loss, s_last = self.optimizer.step(batch, rate, self.stream_states, self.tokens_per_step)
        self.picture.note_norm(self.optimizer.gradient_norm)
        if self.options.level == "char":
            self.stream_states = s_last
        return loss

    def learning_rate(self, epoch):
        return self.state.learning_rate / (1 + self.options.rate_decay * epoch)

    def add_losses(self):
        """Add minibatches' losses to the sum, one by one: it is the same however often the loop looks up."""
        losses, self.losses = self.losses, []
        for loss in losses:
            self.state.loss_sum += float(loss)
        if not math.isfinite(self.state.loss_sum):
            self.diverged(self.state.loss_sum)

    def diverged(self, loss):
        self.picture.refresh(self.state.history, at_end=True)
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
        begin = time.perf_counter()
        state = self.state
        record = self.measured()
        decisive, previous = self.decisive_loss(record), state.last_loss
        state.last_loss = decisive
        improved = decisive < state.best_loss
        if improved:
            state.best_loss, self.best = decisive, self.rnn.get_values()
        if self.options.tutorial:
            if decisive > previous:
                state.learning_rate *= 0.5
        elif not improved and self.optimizer.step_number >= STEPS_BEFORE_HALVING:
            self.go_back()
        state.history.append(record)
        state.loss_sum, state.loss_tokens = 0.0, 0
        self.model_is_stale = True
        self.save()
        self.tell(self.reporter.evaluated, record, self.sample(self.best, state.epoch))
        self.picture.refresh(state.history, after_evaluation=True)
        self.time_limit.note_evaluation(time.perf_counter() - begin)

    def measured(self):
        """What an evaluation finds, as a record for history and log."""
        state = self.state
        losses = self.train_loss(), self.held_out_loss()
        rate = self.learning_rate(state.epoch if state.step else max(state.epoch - 1, 0))
        record = evaluation_record(state, *losses, rate, time.perf_counter() - self.started)
        if not math.isfinite(self.decisive_loss(record)):
            self.diverged(self.decisive_loss(record))
        self.check_parameters()
        return record

    def decisive_loss(self, record):
        return decisive_loss(record, self.options.tutorial)

    def sample(self, values, seed):
        """A text drawn with these parameters, or None if none is wanted; the training's numbers stay as they are."""
        if self.options.sample_every == 0:
            return None
        lm = self.best_language_model
        lm.rnn.set_values(values)
        return lm.generate(1, max_words=40 if self.options.level == "word" else 100, seed=seed)[0]

    def check_parameters(self):
        if not all(np.isfinite(value).all() for value in self.rnn.get_values().values()):
            self.diverged(math.nan)

    def go_back(self):
        """The loss has risen: half the rate, from the best parameters, with a fresh optimizer."""
        rate = self.state.learning_rate
        self.state.learning_rate = min(rate, max(rate / 2, self.options.learning_rate * LOWEST_RATE))
        self.rnn.set_values(self.best)
        self.optimizer.reset()

    def train_loss(self):
        """Nats per token: measured where the training text decides, else the mean while learning.

        None where nothing was learnt since the last evaluation.
        """
        if self.options.tutorial or self.measures_training_text:
            return text_loss(self.rnn, self.corpus.train, self.options)
        return self.state.loss_sum / self.state.loss_tokens if self.state.loss_tokens else None

    def held_out_loss(self):
        """Nats per token; None where nothing is held out."""
        return text_loss(self.rnn, self.corpus.valid, self.options)

    def best_model(self):
        """The best parameters as a model: the same one at each call, so that its functions are compiled once."""
        lm = self.best_language_model
        values, history = (self.best, []) if self.latest is None else self.latest
        lm.rnn.set_values(values)
        options = self.options.to_configuration()
        options = {name: value for name, value in options.items() if name not in TRACELESS}
        history = timeless([*self.state.history, *history])
        lm.training = {"options": options, "history": history, "coverage": self.corpus.coverage.to_configuration()}
        return lm

    @functools.cached_property
    def best_language_model(self):
        rnn = RNN.from_values(self.best, self.options.bptt_truncate, self.options.activation)
        return LanguageModel(rnn, self.corpus.vocabulary, self.corpus.tokenizer)

    # Saving and going on

    def save(self):
        """Keep the run's state in its files. Where that fails the run goes on, and tries again the next time."""
        self.add_losses()  # of steps since the loop last looked up: they are learnt, and so part of the state
        self.check_parameters()
        if self.state.has_begun and not self.state.history:
            self.best, self.model_is_stale = self.rnn.get_values(), True
        try:
            self.write()
        except ModelFileError as error:
            self.problem = error
            self.note(f"{error}; training goes on and tries again later")

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
        return saving.contents(self)

    def give_up_if_unsaved(self):
        """At the end: the error of a save that failed, and where else the state is."""
        if self.problem is None:
            return
        place = None if self.is_saved else self.files.rescue(*self.contents())
        raise ModelFileError(f"{self.problem}; the state of the run is in {place}" if place else str(self.problem))

    def end_for_now(self):
        """The time is up. The state stays as it is; the model's file gets the present parameters if they are the best.

        That is all that comes of this evaluation: a run that was never stopped would not have it. Where the time was up
        before the first step, because reading the text took longer, it is left out, and where nothing is held out and
        measuring the training text would take most of the time limit.
        """
        if self.state.loss_tokens and not self.began_too_late and not self.skips_last_evaluation:
            record = self.measured()
            epochs = self.state.epoch + self.state.step / self.steps_per_epoch
            record["epoch"] = round(epochs, 3) or float(f"{epochs:.1g}")
            if self.decisive_loss(record) < self.state.best_loss:
                self.latest, self.model_is_stale = (self.rnn.get_values(), [record]), True
            self.tell(self.reporter.evaluated, record, None)
        self.save()
        self.tell(self.reporter.time_is_up, self.state, self.files.checkpoint)

    def interrupt(self):
        self.save()
        self.picture.refresh(self.state.history, at_end=True)
        self.give_up_if_unsaved()
        raise TrainingInterrupted(self.files.checkpoint, self.stop.number)

    def restore(self, saved):
        """Take up the state of a checkpoint; ModelFileError for one that does not fit."""
        saving.restore(self, saved)
        if not saved.configuration.get(saving.MEASURED):
            self.measure_best_of_older_version()
        self.reporter.note(f"going on after {self.state.epoch} epochs and {self.state.step} steps")

    def measure_best_of_older_version(self):
        """Older versions compared losses that were averaged while learning, and kept other parameters than those."""
        state = self.state
        if not self.measures_training_text or not state.history:
            return
        kept, current = best_record(state.history, tutorial=False), self.rnn.get_values()
        for record in state.history:
            record["train_loss"] = None
        self.rnn.set_values(self.best)
        state.best_loss = kept["train_loss"] = text_loss(self.rnn, self.corpus.train, self.options)
        kept["perplexity"] = perplexity(state.best_loss)
        self.rnn.set_values(current)
