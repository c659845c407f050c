"""The training loop: epochs of steps, and between them evaluations, saves and reports.

Read `Trainer.run` first, and then from top to bottom: an epoch, a step, an evaluation, a save. Must not show anything
itself: a `Reporter` is told what happens.
"""

import logging
import math
import time
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from theano_rnn.devices.process_group import ProcessGroup
from theano_rnn.devices.step_agreement import StepAgreement, Wishes
from theano_rnn.errors import ModelFileError, TrainingInterrupted
from theano_rnn.files.signals import StopRequest, handling_signals
from theano_rnn.language_models.text_model import WHOLE_LOSS, best_evaluation
from theano_rnn.tasks.task import Minibatch, Model, Task
from theano_rnn.training import evaluation, saving
from theano_rnn.training.learner import Learner
from theano_rnn.training.live_plot import LivePlot
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import Checkpoint, RunFiles
from theano_rnn.training.timing import SpeedMeter, TimeLimit, UnreportedSteps
from theano_rnn.training.training_state import TrainingState, without_times

logger = logging.getLogger("theano_rnn")


class Trainer:
    """Trains the network of a task and keeps the best parameters in a model file.

    Parameters
    ----------
    task : Task
    files : RunFiles
        Where the model, the checkpoint, the log and the plot go.
    reporter : Reporter
    paths : list of str
        The files that the data was read from.
    time_limit : TimeLimit, optional
        Default: none.
    group : ProcessGroup, optional
        The processes that train the network together. All of them run this loop, and take the same steps; process 0
        evaluates, writes and shows. Default: this process alone.
    """

    def __init__(
        self,
        task: Task,
        files: RunFiles,
        reporter: Reporter,
        paths: list[str],
        time_limit: TimeLimit | None = None,
        group: ProcessGroup | None = None,
    ) -> None:
        self.group = group or ProcessGroup()
        self.agreement = StepAgreement(self.group)
        self.task = task
        self.options: TrainingOptions = task.options
        self.files = files
        self.reporter = reporter
        self.paths = paths
        self.time_limit = time_limit or TimeLimit()
        self.state = TrainingState(learning_rate=self.options.initial_learning_rate)
        self.learner = Learner(task, self.options)
        self.saver = saving.RunSaver(files, self.options.save_every)
        self.plot = LivePlot(files.plot, self.options.clip, self.note, self.options.tutorial, files.events)
        self.speed = SpeedMeter()
        self.signals = StopRequest()  # of this process
        self.stop = self.signals if self.group.count == 1 else StopRequest()  # what all processes do
        self.unreported = UnreportedSteps()
        self._losses: list[Any] = []  # of the latest steps: not read yet, and not part of the state's sum
        # Parameters that are better than the best when the time limit ends the run, and their evaluation.
        self._final: tuple[dict[str, np.ndarray], dict[str, Any]] | None = None

    # The loop

    def run(self) -> Any:
        """Train until the last epoch, or until patience, the time limit or a signal ends the run.

        Returns
        -------
        model
            The best one, as in the file: a `LanguageModel`, or the model of another task.

        Raises
        ------
        DivergenceError
            If the loss becomes NaN or infinite.
        ModelFileError
            If nothing can be saved at the beginning or at the end.
        OutputFileError
            If the plot cannot be written at the beginning.
        TrainingInterrupted
            After a signal, and after a report to a closed pipe. The state of the run is saved.
        """
        with handling_signals(self.signals):
            self.begin()
            while not self.is_finished:
                is_complete = self.train_epoch()
                if is_complete and self.evaluation_is_due:
                    self.evaluate()
                elif is_complete:
                    logger.info("%s", evaluation.epoch_summary(self.state, self.speed.tokens_per_second))
                if self.is_finished:
                    break
                wishes = self.agree(self.agreement.decide)
                if self.stop:
                    self.interrupt()
                if not is_complete or wishes.pause:
                    self.pause()
                    break
            self.finish()
        model = self.model_to_save()  # reading the file would need memory for one more model
        if self.group.leads:
            self.tell(self.reporter.finished, model, self.files.model)
            if self.is_finished:
                self.compare(model)
        return model

    def begin(self) -> None:
        """Check that the run can be saved, draw the plot for the first time, and evaluate where that comes first."""
        self._started = time.perf_counter() - self.state.seconds
        self._began_too_late = self.time_limit.has_passed
        self._write()
        self.plot.begin(self.state.history, self.steps_taken)
        if self.task.evaluates_first and not self.state.has_begun:
            self.evaluate()

    def train_epoch(self) -> bool:
        """Take the remaining steps of the current epoch; return False if the time limit ends it early."""
        state, steps = self.state, self.task.steps_per_epoch
        if not self.speed.has_measured:
            self.tell(self.reporter.stage, "compiling")
        self.speed.start()
        if state.step == 0:
            self.task.start_epoch()
        for number, batch in enumerate(self.task.minibatches(state.epoch), start=1):
            if number <= state.step:
                continue  # taken before the run was interrupted
            self._losses.append(self.take_step(batch))
            self.count_step(batch)
            wishes = self.agree(self.agreement.after_step)
            if wishes.save or wishes.pause or self.stop or self.unreported.report_is_due(state.step, steps):
                self.report_progress()
            self.show_sample()
            if self.stop and state.step < steps:
                self.interrupt()
            if wishes.pause and state.step < steps:
                return False
            if wishes.save:
                self.save()
        self.read_losses()
        state.epoch, state.step = state.epoch + 1, 0
        return True

    def agree(self, decision: Callable[[Wishes], Wishes]) -> Wishes:
        """Return what all processes of the run do now; `stop` says whether they stop."""
        wishes = decision(Wishes(self.signals.number, self.saver.is_due, self.time_is_up))
        if wishes.stop is not None:
            self.stop.number = wishes.stop
        return wishes

    # A step

    def take_step(self, batch: Minibatch) -> Any:
        """Update the parameters with a minibatch; return its summed loss before the update, which may be read later."""
        if self.options.tutorial and self.plot.needs_norm():
            self.plot.add_norm(self.task.gradient_norm(batch))
        loss = self.task.step(batch, self.learning_rate, (self.state.epoch, self.state.step))
        self.plot.add_norm(self.task.optimizer.gradient_norm)
        return loss

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self.learner.learning_rate(self.state, self.steps_taken)

    @property
    def steps_taken(self) -> int:
        """The number of steps since the run began."""
        return self.state.epoch * self.task.steps_per_epoch + self.state.step

    def count_step(self, batch: Minibatch) -> None:
        """Add a step that was taken to the state of the run."""
        tokens, predictions = batch.tokens, batch.predictions
        self.state.step += 1
        self.state.examples_seen += batch.items
        self.state.loss_tokens += predictions
        self.unreported.add(tokens, predictions)

    def read_losses(self) -> None:
        """Add the losses of the latest steps to the sum. One by one, it is the same however often this is done."""
        losses, self._losses = self._losses, []
        for loss in losses:
            self.state.loss_sum += float(loss)
        if not math.isfinite(self.state.loss_sum):
            self.diverged(self.state.loss_sum)

    # What is shown

    def report_progress(self) -> None:
        """Read the losses, and show how far the run has come."""
        state, sum_before = self.state, self.state.loss_sum
        self.read_losses()
        steps, tokens, predictions = self.unreported.steps, self.unreported.tokens, self.unreported.predictions
        self.time_limit.add_tokens(tokens)
        self.unreported.reported(seconds=self.speed.add(tokens))
        epochs = state.epoch + state.step / self.task.steps_per_epoch
        mean_loss = (state.loss_sum - sum_before) / max(predictions, 1)
        self.plot.add(steps, predictions, epochs, mean_loss, self.learning_rate, self.steps_taken)
        self.plot.refresh(state.history)
        mean_loss = state.loss_sum / state.loss_tokens
        progress = state.step, self.task.steps_per_epoch, mean_loss, self.speed.tokens_per_second
        self.tell(self.reporter.progress, state, self.options.epochs, *progress)

    def show_sample(self) -> None:
        """Show a text that is sampled from the current parameters, if it is time for one."""
        steps = self.steps_taken
        if self.options.sample_every and steps % self.options.sample_every == 0 and self.group.leads:
            with self.speed.paused():
                sample = self.task.sample(self.learner.rnn.get_values(), seed=steps)
                self.tell(self.reporter.sampled, self.state, sample)
                self.plot.add_sample(sample, steps)

    def note(self, text: str) -> None:
        self.tell(self.reporter.note, text)

    def tell(self, report: Callable[..., None], *details: Any) -> None:
        """Call a method of the reporter. If it writes to a closed pipe, the run stops as after a signal."""
        try:
            report(*details)
        except BrokenPipeError:
            self.signals.note_closed_pipe()

    # An evaluation

    @property
    def evaluation_is_due(self) -> bool:
        return self.state.epoch % self.options.evaluate_every == 0 or self.state.epoch == self.options.epochs

    def evaluate(self) -> None:
        """Measure the loss, keep the best parameters or lower the learning rate, save, and report."""
        begin, state = time.perf_counter(), self.state
        self.tell(self.reporter.stage, "evaluating")
        record = self.measure()
        self.learner.take_evaluation(state, self.decisive_loss(record))
        state.history.append(record)
        state.loss_sum, state.loss_tokens = 0.0, 0
        self.speed.reset()
        self.saver.model_is_outdated = True
        self.save()
        logger.info("%s", evaluation.summary(record))
        sample = self.task.sample(self.learner.best, seed=state.epoch) if self.group.leads else None
        self.tell(self.reporter.evaluated, record, sample)
        self.plot.add_evaluation(record, sample, self.steps_taken)
        self.plot.refresh(state.history, after_evaluation=True)
        self.time_limit.add_evaluation(time.perf_counter() - begin)

    def measure(self) -> dict[str, Any]:
        """Measure the losses in process 0; return the record of an evaluation that history and log keep."""
        record: dict[str, Any] = self.group.broadcast(self.measured_here() if self.group.leads else None)
        if not math.isfinite(self.decisive_loss(record)):
            self.diverged(self.decisive_loss(record))
        self.check_parameters()
        return record

    def measured_here(self) -> dict[str, Any]:
        """Measure the losses; return the record of an evaluation."""
        state = self.state
        train_loss, valid_loss = self.train_loss(), self.held_out_loss()
        loss = train_loss if valid_loss is None else valid_loss
        assert loss is not None
        learning_rate = self.learner.learning_rate(state, max(self.steps_taken - 1, 0))
        seconds = time.perf_counter() - self._started
        speed = self.speed.tokens_per_second
        figures = self.task.figures(loss)
        return evaluation.evaluation_record(state, train_loss, valid_loss, learning_rate, speed, seconds, figures)

    def train_loss(self) -> float | None:
        """Return the loss on the training data in nats per prediction.

        It is measured if it decides which parameters are the best. Otherwise it is the mean of the steps since the last
        evaluation, or None if there was none.
        """
        if self.task.measures_training_data:
            return self.task.train_loss()
        return self.state.loss_sum / self.state.loss_tokens if self.state.loss_tokens else None

    def held_out_loss(self) -> float | None:
        """Measure the loss on the held-out data in nats per prediction; None if there is none."""
        return self.task.held_out_loss() if self.task.has_held_out else None

    def decisive_loss(self, record: dict[str, Any]) -> float:
        return evaluation.decisive_loss(record, self.options.tutorial)

    def check_parameters(self) -> None:
        if not self.learner.is_finite():
            self.diverged(math.nan)

    def diverged(self, loss: float) -> NoReturn:
        """Raise the error that the loss is not a finite number."""
        self.plot.refresh(self.state.history, at_end=True)
        raise saving.divergence_error(loss, self.state, self.learning_rate, self.files)

    # A save

    def save(self) -> None:
        """Save the run. If that fails, say so and continue; the next save tries again."""
        self.read_losses()  # those steps are part of the state
        self.check_parameters()
        if self.state.has_begun and not self.state.history:
            self.learner.best, self.saver.model_is_outdated = self.learner.rnn.get_values(), True
        try:
            self._write()
        except ModelFileError as error:
            self.note(f"{error}; training continues and tries again later")

    def _write(self) -> None:
        if self.files.writes:
            self.saver.write(*self.checkpoint_contents(), self.model_to_save, self.state.history)
        else:
            self.task.state()  # parts of it may be here

    def checkpoint_contents(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return what the checkpoint holds: arrays by name, and a configuration."""
        state = self.state
        state.seconds = time.perf_counter() - self._started
        state.step_number = self.learner.step_number
        return saving.checkpoint_contents(state, self.learner, self.plot.curves, self.options, self.paths, self.task)

    def model_to_save(self) -> Model:
        """Return the model with the best parameters."""
        parameters, records = (self.learner.best, []) if self._final is None else (self._final[0], [self._final[1]])
        return self.task.model(parameters, without_times([*self.state.history, *records]))

    def restore(self, saved: Checkpoint) -> None:
        """Continue from a checkpoint.

        Raises
        ------
        ModelFileError
            If it does not fit the run.
        """
        self.state = saving.restore(saved, self.learner, self.plot, self.task, self.options)
        if not self.is_finished:
            for record in self.state.history:
                record.pop(WHOLE_LOSS, None)  # an uninterrupted run has not measured it yet
        self.saver.model_is_outdated = self.files.model_is_ours = self.state.has_begun
        self.reporter.note(f"resuming after {self.state.epoch} epochs and {self.state.step} steps")

    # The end

    @property
    def is_finished(self) -> bool:
        return self.state.epoch >= self.options.epochs or self.is_out_of_patience

    @property
    def is_out_of_patience(self) -> bool:
        """Whether the loss has not improved in as many evaluations as `patience` allows."""
        losses = [self.decisive_loss(record) for record in self.state.history]
        patience = self.options.patience
        return patience is not None and evaluation.evaluations_without_improvement(losses) >= patience

    @property
    def time_is_up(self) -> bool:
        """Whether the time that is left is needed for the final evaluation."""
        if self.skips_final_evaluation:
            return self.time_limit.has_passed
        return not self.time_limit.leaves_time_for(self.task.evaluated_tokens)

    @property
    def skips_final_evaluation(self) -> bool:
        """Whether measuring the training text would take most of the time limit."""
        measures_much = self.task.measures_training_data and not self.options.tutorial
        return measures_much and not self.time_limit.is_long_enough_for(self.task.evaluated_tokens)

    def pause(self) -> None:
        """End this call at its time limit. The model file gets the current parameters if they are the best.

        Nothing else comes of this evaluation, because an uninterrupted run would not have it. There is none if reading
        the text took all the time, and none if measuring the training text would take most of it.
        """
        state = self.state
        evaluates = state.loss_tokens and not self._began_too_late and not self.skips_final_evaluation
        if self.group.broadcast(bool(evaluates)):
            self.tell(self.reporter.stage, "evaluating")
            record = self.measure()
            epochs = state.epoch + state.step / self.task.steps_per_epoch
            record["epoch"] = round(epochs, 3) or float(f"{epochs:.1g}")
            if self.decisive_loss(record) < state.best_loss:
                self._final, self.saver.model_is_outdated = (self.learner.rnn.get_values(), record), True
            logger.info("%s", evaluation.summary(record))
            self.tell(self.reporter.evaluated, record, None)
        self.save()
        self.tell(self.reporter.time_is_up, state, self.files.checkpoint)

    def interrupt(self) -> NoReturn:
        """Save the run and raise the error that says where it is saved."""
        self.save()
        self.plot.refresh(self.state.history, at_end=True)
        self.saver.require_saved(self.checkpoint_contents)
        number = self.stop.number
        assert number is not None
        raise TrainingInterrupted(self.files.checkpoint, number, self.files.model)

    def measure_all_held_out_data(self) -> None:
        """Record the loss of the best parameters on all held-out data, if evaluations measured a part of it."""
        best = best_evaluation(self.state.history, self.options.tutorial)
        if best is None or WHOLE_LOSS in best:
            return
        self.tell(self.reporter.stage, "evaluating")
        loss = self.group.broadcast(self.task.whole_held_out_loss(self.learner.best) if self.group.leads else None)
        if loss is not None:
            best[WHOLE_LOSS] = loss
            self.saver.model_is_outdated = True
            self.save()

    def compare(self, model: Any) -> None:
        """Compare the best parameters with simple models on all held-out data. The log gets their figures too."""
        baselines, best = None, best_evaluation(self.state.history, self.options.tutorial)
        if self.reporter.wants_baselines and best is not None:
            self.tell(self.reporter.stage, "measuring simple models")
            try:
                baselines = self.task.baselines()
            except MemoryError:  # the run has ended well all the same
                self.note("there is not enough memory to measure simple models")
        if baselines is not None:
            saving.log_baselines(self.files, self.state.history, best, baselines, self.note)
        self.tell(self.reporter.compared, model, self.files.model, baselines)

    def finish(self) -> None:
        """End this call: say why if patience has run out, and check that everything is saved."""
        if self.is_out_of_patience and self.state.epoch < self.options.epochs:
            name = self.reporter.option_name("patience")
            self.note(evaluation.patience_note(self.options.patience, self.state.epoch, name))
        if self.is_finished:
            self.measure_all_held_out_data()
        self.plot.refresh(self.state.history, at_end=True)
        self.saver.require_saved(self.checkpoint_contents)
