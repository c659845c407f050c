"""What a training run asks of a task: items in minibatches, a step, an evaluation, and a model.

`theano_rnn.training` has the loop: epochs, the learning rate, the best parameters, saves, resuming, time limits. It
takes any `Task`. The language model's is `theano_rnn.training.language_model_task`, that of networks that read is
`theano_rnn.tasks.reader_task`.
"""

import abc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from theano_rnn.networks.optimizer import MinibatchOptimizer
from theano_rnn.networks.parameters import ParameterStore


class Minibatch(Protocol):
    """What the loop must know of a minibatch.

    Attributes
    ----------
    items : int
        The number of items, such as sentences.
    tokens : int
        The number of tokens that are read, by which speed is measured.
    predictions : int
        The number of predictions, over which losses are averaged.
    """

    @property
    def items(self) -> int: ...

    @property
    def tokens(self) -> int: ...

    @property
    def predictions(self) -> int: ...


class Model(Protocol):
    """A model that can be written to a file and knows how it was trained."""

    training: dict[str, Any]

    def save(self, path: Any, /) -> object: ...


class Task(abc.ABC):
    """A task with its data, network and optimizer: all that a training run is about.

    Every method that draws random numbers derives them from the seed and its arguments alone, so that a resumed run has
    the results of one that was never interrupted.

    Attributes
    ----------
    options : TrainingOptions
        With a batch size that suits the data.
    network : ParameterStore
        Owns the parameters.
    optimizer : MinibatchOptimizer
        Takes the steps.
    fingerprint : str
        A checksum of the data, which a resumed run must have too.
    has_held_out : bool
        Whether some data is held out for evaluations.
    steps_per_epoch : int
        The number of minibatches in each epoch.
    evaluated_tokens : int
        The number of tokens in an evaluation, or in training as many as are learned in the same time.
    evaluates_first : bool
        Whether a run begins with an evaluation, because its initial parameters may stay the best.
    measures_training_data : bool
        Whether the loss on the training data decides which parameters are best, and is measured for it.
    """

    options: Any
    network: ParameterStore
    optimizer: MinibatchOptimizer
    fingerprint: str
    has_held_out: bool
    steps_per_epoch: int
    evaluated_tokens: int
    evaluates_first: bool
    measures_training_data: bool

    # A minibatch and a step

    @abc.abstractmethod
    def minibatches(self, epoch: int) -> Iterator[Any]:
        """Yield the minibatches of an epoch, counted from 0: as many `Minibatch` objects as `steps_per_epoch` says."""

    @abc.abstractmethod
    def step(self, batch: Any, learning_rate: float, place: tuple[int, int]) -> Any:
        """Update the parameters once.

        Parameters
        ----------
        batch : one of `minibatches`
        learning_rate : float
        place : tuple of int
            The epoch, and the number of steps before this one in it.

        Returns
        -------
        scalar array
            The loss before the update, in nats, summed over the minibatch's predictions. It may still be computing.
        """

    def start_epoch(self) -> None:  # noqa: B027  # most tasks have nothing to do
        """Begin an epoch."""

    def gradient_norm(self, batch: Any) -> float | None:
        """Compute the norm of a minibatch's gradients, for tasks whose `step` does not measure it; None: it does."""
        return None

    # An evaluation

    @abc.abstractmethod
    def train_loss(self) -> float:
        """Measure the mean loss per prediction on the training data, in nats."""

    @abc.abstractmethod
    def held_out_loss(self) -> float:
        """Measure the mean loss per prediction on the held-out data, in nats."""

    @abc.abstractmethod
    def figures(self, loss: float) -> dict[str, float]:
        """Return what the record of an evaluation says beside the losses.

        If ``error`` is among the figures, the parameters with the lowest error are the best, otherwise those with the
        lowest loss.

        Parameters
        ----------
        loss : float
            As measured last.
        """

    # Files

    @abc.abstractmethod
    def model(self, parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> Model:
        """Return the model with these parameters and the records of the evaluations, without times.

        The same run always gives the same file, so options without effect on the model are not recorded either.
        """

    @abc.abstractmethod
    def sample(self, parameters: Mapping[str, np.ndarray], seed: int) -> str | None:
        """Show with one line what the parameters have learned; None if there is nothing to show."""

    def description(self) -> dict[str, Any]:
        """Return what a checkpoint must hold of the task, because it cannot be derived from the data."""
        return {}

    def state(self) -> dict[str, np.ndarray]:
        """Return the arrays, by name, that decide how learning continues, beside parameters and accumulators."""
        return {}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:  # noqa: B027  # most tasks have no such state
        """Continue from what `state` returned; raise ValueError if it does not fit."""
