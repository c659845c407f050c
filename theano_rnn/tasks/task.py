"""The two interfaces of a task: what a training run asks of it, and what predict.py asks of its model.

`theano_rnn.training` has the loop: epochs, the learning rate, the best parameters, saves, resuming, time limits. It
takes any `Task`. The language model's is `theano_rnn.training.language_model_task`; those of all other networks are
built on `theano_rnn.tasks.minibatch_task`.
"""

import abc
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Protocol

import numpy as np

from theano_rnn.errors import OptionError
from theano_rnn.files.corpus_formats import open_inputs
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.networks.optimizer import MinibatchOptimizer
from theano_rnn.networks.parameters import ParameterStore
from theano_rnn.ngrams.baselines import Baselines


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

    def whole_held_out_loss(self, parameters: Mapping[str, np.ndarray]) -> float | None:
        """Measure the loss of these parameters on all held-out data; None if `held_out_loss` measures all of it."""
        return None

    def baselines(self) -> Baselines | None:
        """Measure simple models on all held-out data; None if the task has none, or nothing is held out."""
        return None

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


def optimizer_settings(options: Any) -> dict[str, Any]:
    """Return the arguments of a `MinibatchOptimizer` that stem from the options of a training run.

    Parameters
    ----------
    options : theano_rnn.training.options.TrainingOptions
    """
    # The norm is always measured, so that the same function is compiled with and without a plot.
    return {
        "rule": options.optimizer,
        "clip": options.clip,
        "measures_norm": True,
        "devices": int(options.devices),
    }


@dataclass(frozen=True)
class PredictionOptions:
    """What predict.py asks of a model; each model says which of it has no effect.

    Parameters
    ----------
    probabilities : bool
        Whether to give the probability of each label.
    nbest : int or None
        How many answers to give.
    all_columns : bool
        Whether rows keep columns of the input that `TaskModel.result_columns` does not name.
    page : bool
        Whether `TaskModel.write_page` follows.
    beam : int or None
        Width of the beam with which texts are written.
    length_penalty : float or None
        Exponent of the length that ln P of a text is divided by.
    max_length : int or None
        The number of tokens that a written text has at most.
    scores : bool
        Whether to give the scores of written texts.
    keep_unknown : bool
        Whether unknown words in written texts stay as they are.
    images : path or None
        The folder with the pictures that a page shows.
    """

    probabilities: bool = False
    nbest: int | None = None
    all_columns: bool = False
    page: bool = False
    beam: int | None = None
    length_penalty: float | None = None
    max_length: int | None = None
    scores: bool = False
    keep_unknown: bool = False
    images: str | os.PathLike[str] | None = None


class Report(Protocol):
    """The result of an evaluation."""

    def figures(self) -> dict[str, Any]:
        """The figures by name, which JSON can write."""

    def lines(self) -> list[str]:
        """The figures as a text to read."""

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draw them as PNG."""


class TaskModel(abc.ABC):
    """The model of a task: what predict.py asks of it. Networks, vocabularies and files are the matter of subclasses.

    Attributes
    ----------
    task : str
        The name of the task, in the table of `theano_rnn.language_models.model_files`.
    writes : bool
        Whether the model writes texts, so that options of beam search have an effect.
    evaluation_without_plot : str or None
        The error about `plot` if its evaluations cannot be drawn.
    """

    task: ClassVar[str]
    writes: ClassVar[bool] = False
    evaluation_without_plot: ClassVar[str | None] = None

    def averaged_with(self, others: Sequence[Any]) -> Any:
        """Return a model whose probabilities are the means of those of this model and of others."""
        raise OptionError(f"model: probabilities of several models for the task {self.task!r} cannot be averaged")

    def can_be_averaged_with(self, other: "TaskModel") -> bool:
        """Tell whether another model is for the same task and has the same labels."""
        return self.task == other.task

    def open_inputs(
        self, paths: Sequence[str], standard_input: BinaryIO | None = None, column: str | None = None
    ) -> Iterator[CorpusReader]:
        """Yield a reader for each file, or one for standard input; see `files.corpus_formats.open_inputs`."""
        return open_inputs(paths, standard_input, column)

    @abc.abstractmethod
    def result_columns(self, options: PredictionOptions) -> list[str]:
        """The names of the columns of `results`; OptionError if an option has no effect on this task."""

    @abc.abstractmethod
    def results(self, reader: CorpusReader, options: PredictionOptions) -> Iterator[Sequence[Any]]:
        """Yield a row of results for each line of a file; an empty row for a line that has none."""

    def write_page(
        self, path: str | os.PathLike[str], readers: Iterable[CorpusReader], about: Mapping[str, str]
    ) -> None:
        """Write an HTML page that shows the predictions for files; OptionError if the task has none."""
        raise self.no_page()

    def no_page(self) -> OptionError:
        """Return the error to raise if the task has no page."""
        return self.no_effect("html")

    def no_effect(self, name: str) -> OptionError:
        """Return the error to raise if an option has no effect on the task."""
        return OptionError(f"{name}: has no effect with a model for the task {self.task!r}; leave it out")

    @abc.abstractmethod
    def evaluate(
        self, paths: Sequence[str], column: str | None = None, standard_input: BinaryIO | None = None
    ) -> Report:
        """Compare predictions with the answers in files, or in standard input if there are none.

        Raises
        ------
        CorpusError
            If a file cannot be read or lacks answers. The message names the file and the line.
        """
