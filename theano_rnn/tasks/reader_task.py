"""The task of a network that reads: items with labels, what is measured on them, and the model that a run saves."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from theano_rnn.encoders.items import Items, Noise, ReaderBatch
from theano_rnn.encoders.reader import Reader, ReaderOptimizer
from theano_rnn.networks.optimizer import draw_dropout_mask
from theano_rnn.tasks.task import Model, Task

ORDER_SEED, DROPOUT_SEED = 1, 2  # 0 chooses the held-out items
EVALUATION_COST = 1 / 3  # evaluating a token takes about this share of the time that it takes to learn it
MEASURED_AT_ONCE = 100  # items


class ReaderTask(Task):
    """A network that learns the labels of items.

    Parameters
    ----------
    reader : Reader
    train : Items
    valid : Items or None
        The held-out items.
    options : theano_rnn.training.options.TrainingOptions
        With a batch size.
    make_model : callable
        Takes parameters and the records of the evaluations, and returns the model to save.
    noise : callable, optional
        See `Items.minibatches`.
    description : dict, optional
        See `Task.description`.
    """

    network: Reader
    optimizer: ReaderOptimizer

    def __init__(
        self,
        reader: Reader,
        train: Items,
        valid: Items | None,
        options: Any,
        make_model: Callable[[Mapping[str, np.ndarray], Sequence[dict[str, Any]]], Model],
        noise: Noise | None = None,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        assert options.batch_size is not None
        self.options = options
        self.network = reader
        self.optimizer = ReaderOptimizer(reader, options.optimizer, options.clip, measures_norm=True)
        self._train, self._valid = train, valid
        self._make_model, self._noise, self._description = make_model, noise, dict(description or {})
        self._batch_size = options.batch_size
        self._accuracy = math.nan
        self.fingerprint = train.fingerprint() + ("" if valid is None else valid.fingerprint())
        self.has_held_out = valid is not None
        self.steps_per_epoch = train.count_batches(self._batch_size)
        self._labels_per_step = train.predictions / self.steps_per_epoch
        self.evaluated_tokens = math.ceil(train.tokens * EVALUATION_COST) if valid is None else valid.tokens
        self.evaluates_first = False
        self.measures_training_data = valid is None

    def minibatches(self, epoch: int) -> Iterator[ReaderBatch]:
        """Yield the minibatches of an epoch. The seed and the epoch alone decide what they consist of."""
        generator = np.random.default_rng([self.options.seed, ORDER_SEED, epoch])
        return self._train.minibatches(self._batch_size, generator, self._noise)

    def step(self, batch: ReaderBatch, learning_rate: float, place: tuple[int, int]) -> Any:
        """Update the parameters once. The seed and the place alone decide which values dropout sets to zero."""
        mask = None
        if self.network.settings.dropout:
            generator = np.random.default_rng([self.options.seed, DROPOUT_SEED, *place])
            mask = draw_dropout_mask(self.network.settings, len(batch.inputs.lengths), generator)
        return self.optimizer.step(batch.inputs, batch.y, learning_rate, self._labels_per_step, mask)

    def train_loss(self) -> float:
        """Measure the mean loss per label on the training items, in nats."""
        return self._measure(self._train)

    def held_out_loss(self) -> float:
        """Measure the mean loss per label on the held-out items, in nats."""
        assert self._valid is not None
        return self._measure(self._valid)

    def _measure(self, items: Items) -> float:
        """Measure the loss, and note the accuracy."""
        loss, right = 0.0, 0
        for batch in items.minibatches(MEASURED_AT_ONCE):
            values = self.network.log_probabilities(batch.inputs)
            counts = label_counts(batch, items.per_step)
            found = np.take_along_axis(values, batch.y[..., None], axis=-1)[..., 0]
            loss -= float(found[counts].sum(dtype=np.float64))
            right += int(np.count_nonzero((values.argmax(axis=-1) == batch.y)[counts]))
        self._accuracy = right / items.predictions
        return loss / items.predictions

    def figures(self, loss: float) -> dict[str, float]:
        """Return the accuracy, and the error if it decides which parameters are the best."""
        figures = {"accuracy": self._accuracy}
        return figures if self.options.criterion == "loss" else {**figures, "error": 1 - self._accuracy}

    def model(self, parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> Model:
        """Return the model with these parameters and the records of the evaluations."""
        return self._make_model(parameters, history)

    def sample(self, parameters: Mapping[str, np.ndarray], seed: int) -> str | None:
        """Return None: the accuracy says it all."""
        return None

    def description(self) -> dict[str, Any]:
        """Return what a checkpoint must hold of the task."""
        return self._description


def label_counts(batch: ReaderBatch, per_step: bool) -> np.ndarray:
    """Tell for each label of a minibatch whether it counts: False for padding and empty columns."""
    lengths = batch.inputs.lengths
    return np.arange(batch.inputs.ids.shape[1])[:, None] < lengths if per_step else lengths > 0
