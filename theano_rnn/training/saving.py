"""What a training run saves: its model, and a checkpoint from which it continues with the same numbers.

Must not know the training loop.
"""

import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from theano_rnn.errors import DivergenceError, ModelFileError
from theano_rnn.files.archive import one_line
from theano_rnn.ngrams.baselines import Baselines
from theano_rnn.tasks.task import Model, Task
from theano_rnn.training.language_model_task import LanguageModelTask
from theano_rnn.training.learner import Learner
from theano_rnn.training.live_plot import LivePlot, TrainingCurves
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.run_files import Checkpoint, RunFiles
from theano_rnn.training.timing import SECONDS_PER_MINUTE
from theano_rnn.training.training_state import TrainingState

CURVES = "curves"  # the checkpoint's array of the plotted curves
MEASURED = "losses_are_measured"  # version 0.1 first compared losses that were averaged during training


# Checkpoints


def checkpoint_contents(
    state: TrainingState,
    learner: Learner,
    curves: TrainingCurves,
    options: TrainingOptions,
    paths: Sequence[str],
    task: Task,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return what a checkpoint holds: arrays by name, and a configuration that JSON can write."""
    arrays = learner.to_arrays()
    if len(curves):
        arrays[CURVES] = curves.to_array()
    configuration = {
        "options": options.to_configuration(),
        "data": [os.path.abspath(path) for path in paths],
        "fingerprint": task.fingerprint,
        "state": state.to_configuration(),
        MEASURED: True,
        **task.description(),
    }
    return arrays, configuration


def restore(saved: Checkpoint, learner: Learner, plot: LivePlot, task: Task, options: TrainingOptions) -> TrainingState:
    """Continue from a checkpoint: set the learner and the curves, and return the state of the run.

    Raises
    ------
    ModelFileError
        If its parts do not fit together, or do not fit the run.
    """
    try:
        for name, array in saved.arrays.items():
            if name != CURVES and array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"{name} contains values that are not finite")
        state = TrainingState.from_configuration(saved.configuration["state"])
        learner.restore(saved.arrays, state.step_number)
        if CURVES in saved.arrays:
            plot.curves = TrainingCurves.from_array(saved.arrays[CURVES])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{saved.path}: damaged or inconsistent: {one_line(error)}") from error
    is_unmeasured = not saved.configuration.get(MEASURED) and not task.has_held_out and not options.tutorial
    if is_unmeasured and state.history and isinstance(task, LanguageModelTask):
        task.measure_best(state, learner.best)
    return state


def log_baselines(
    files: RunFiles,
    history: Sequence[dict[str, Any]],
    best: dict[str, Any] | None,
    baselines: Baselines,
    note: Callable[[str], object],
) -> None:
    """Add the figures of simple models to the record of the best evaluation in the log. If that fails, say so."""
    extra = {"baselines": baselines.to_record()}
    try:
        files.rewrite_log([{**record, **extra} if record is best else record for record in history])
    except ModelFileError as error:
        note(str(error))


def divergence_error(loss: float, state: TrainingState, learning_rate: float, files: RunFiles) -> DivergenceError:
    """Return the error that the loss is not a finite number, which says what is saved."""
    if state.history and math.isfinite(state.best_loss):
        kept = f"the best model so far (loss {state.best_loss:.4g}) is in {files.model}"
    elif files.model_is_ours:
        kept = f"the model as last saved is in {files.model}"
    else:
        kept = "no model was written"
    return DivergenceError(
        f"the loss became {loss} in epoch {state.epoch + 1} at learning rate {learning_rate:g}; {kept}; "
        "try a smaller `learning_rate` or `clip`"
    )


# Writing


class RunSaver:
    """Writes the files of a run. If a save fails, the run continues and tries again at the next one.

    Parameters
    ----------
    files : RunFiles
    save_every : float
        Minutes between saves.

    Attributes
    ----------
    model_is_outdated : bool
        Whether the next save also writes the model.
    """

    def __init__(self, files: RunFiles, save_every: float) -> None:
        self._files = files
        self._save_every = save_every
        self._saved_at = 0.0
        self._failure: ModelFileError | None = None  # of the last save
        self._checkpoint_is_saved = False
        self.model_is_outdated: bool = False

    @property
    def is_due(self) -> bool:
        """Whether enough minutes have passed since the last save."""
        return time.perf_counter() - self._saved_at > SECONDS_PER_MINUTE * self._save_every

    def write(
        self,
        arrays: dict[str, np.ndarray],
        configuration: dict[str, Any],
        model: Callable[[], Model],
        history: list[dict[str, Any]],
    ) -> None:
        """Write the checkpoint, the model if it is outdated, and the log.

        Raises
        ------
        ModelFileError
            If one of them cannot be written.
        """
        self._failure, self._checkpoint_is_saved, self._saved_at = None, False, time.perf_counter()
        try:
            self._files.write(arrays, configuration, model() if self.model_is_outdated else None)
            self._checkpoint_is_saved, self.model_is_outdated = True, False
            self._files.write_log(history)
        except ModelFileError as error:
            self._failure = error
            raise

    def require_saved(self, contents: Callable[[], tuple[dict[str, np.ndarray], dict[str, Any]]]) -> None:
        """Raise the error of the last save if it failed, after saving the checkpoint in a temporary folder."""
        if self._failure is None:
            return
        place: Path | None = None if self._checkpoint_is_saved else self._files.rescue(*contents())
        raise ModelFileError(f"{self._failure}; the state of the run is in {place}" if place else str(self._failure))
