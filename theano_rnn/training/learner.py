"""How learning goes on: the learning rate, the best parameters so far, and what a checkpoint keeps of them."""

from collections.abc import Mapping

import numpy as np

from theano_rnn.networks.parameters import ParameterStore, check_shapes
from theano_rnn.tasks.task import Task
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.training_state import TrainingState

# The first steps after a reset of the optimizer are large and raise the loss. A small text has only a few steps per
# epoch, so each evaluation would lead to the next halving until nothing is learned.
STEPS_BEFORE_HALVING = 50
LOWEST_RATE = 1 / 1024  # as a share of the initial learning rate; it is not halved below this


class Learner:
    """A network in training.

    Parameters
    ----------
    task : Task
        Its network learns.
    options : TrainingOptions

    Attributes
    ----------
    rnn : ParameterStore
        The network.
    best : dict of str to array
        The parameters with the lowest loss at an evaluation.
    """

    def __init__(self, task: Task, options: TrainingOptions) -> None:
        self._options = options
        self._task = task
        self.rnn: ParameterStore = task.network
        self.best: dict[str, np.ndarray] = self.rnn.get_values()

    @property
    def step_number(self) -> int:
        """The number of steps since the optimizer was last reset."""
        return self._task.optimizer.step_number

    def learning_rate(self, state: TrainingState, steps: int) -> float:
        """Return the learning rate after this number of steps since the run began.

        inverse: rate / (1 + rate_decay · epoch); linear: rate · (1 - steps / steps of all epochs).
        """
        per_epoch = self._task.steps_per_epoch
        if self._options.rate_schedule == "linear":
            return state.learning_rate * max(0.0, 1 - steps / (per_epoch * self._options.epochs))
        return state.learning_rate / (1 + self._options.rate_decay * (steps // per_epoch))

    def take_evaluation(self, state: TrainingState, loss: float) -> None:
        """Keep the parameters if they are the best so far; otherwise lower the learning rate.

        The tutorial halves the learning rate whenever the loss has risen since the last evaluation. Otherwise training
        goes back to the best parameters and continues from there with half the learning rate.
        """
        previous, state.last_loss = state.last_loss, loss
        is_best = loss < state.best_loss
        if is_best:
            state.best_loss, self.best = loss, self.rnn.get_values()
        if self._options.tutorial:
            if loss > previous:
                state.learning_rate *= 0.5
        elif not is_best and self.step_number >= STEPS_BEFORE_HALVING:
            self._go_back(state)

    def _go_back(self, state: TrainingState) -> None:
        """Halve the learning rate and continue from the best parameters with a fresh optimizer."""
        lowest = self._options.initial_learning_rate * LOWEST_RATE
        state.learning_rate = min(state.learning_rate, max(state.learning_rate / 2, lowest))
        self.rnn.set_values(self.best)
        self._task.optimizer.reset()

    def is_finite(self) -> bool:
        """Return whether all parameters are finite."""
        return all(np.isfinite(value).all() for value in self.rnn.views().values())

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that decides how learning continues, by name: what `restore` takes.

        The arrays are not copied where that can be avoided, and are valid until the next step.
        """
        arrays = {**self.rnn.views(), **self._task.optimizer.views()}
        arrays |= {f"best.{name}": value for name, value in self.best.items()}
        return arrays | self._task.state()

    def restore(self, arrays: Mapping[str, np.ndarray], step_number: int) -> None:
        """Continue from what `to_arrays` returned.

        Parameters
        ----------
        arrays : dict of str to array
        step_number : int
            The number of steps since the optimizer was last reset.

        Raises
        ------
        KeyError, ValueError
            If an array is missing, is not finite, or has another shape.
        """
        self.rnn.set_values(arrays)
        best = {name: arrays[f"best.{name}"] for name in self.rnn.parameter_names}
        check_shapes(best, self.rnn.parameter_shapes)
        self.best = best
        self._task.optimizer.set_state(arrays, step_number)
        self._task.restore(arrays)
