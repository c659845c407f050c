"""Tasks that learn from items in minibatches: their base, and the task of networks that read."""

import abc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from theano_rnn.encoders.items import Items, Noise, ReaderBatch
from theano_rnn.encoders.reader import Reader, ReaderOptimizer
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_reader import SampledReaderOptimizer
from theano_rnn.networks.optimizer import MinibatchOptimizer, draw_dropout_mask
from theano_rnn.ngrams.baselines import Baselines, label_baselines
from theano_rnn.tasks.task import Model, Task, optimizer_settings

ORDER_SEED, DROPOUT_SEED, CANDIDATE_SEED = 1, 2, 3  # 0 chooses the held-out items
EVALUATION_COST = 1 / 3  # evaluating a token takes about this share of the time that it takes to learn it
MEASURED_AT_ONCE = 100  # items

MakeModel = Callable[[Mapping[str, np.ndarray], Sequence[dict[str, Any]]], Model]


class Data(Protocol):
    """Items with what is to be predicted: `theano_rnn.encoders.items.Items`, or `theano_rnn.decoders.pairs.Pairs`."""

    @property
    def tokens(self) -> int: ...

    @property
    def predictions(self) -> int: ...

    def fingerprint(self) -> str: ...

    def count_batches(self, batch_size: int) -> int: ...


class MinibatchTask(Task):
    """A network that learns from items in minibatches, with dropout. Subclasses say what a step and a loss are.

    Parameters
    ----------
    optimizer : MinibatchOptimizer
        Its network is what learns.
    train : Data
    valid : Data or None
        The held-out items.
    options : theano_rnn.training.options.TrainingOptions
        With a batch size.
    make_model : callable
        Takes parameters and the records of the evaluations, and returns the model to save.
    description : dict, optional
        See `Task.description`.
    """

    def __init__(
        self,
        optimizer: MinibatchOptimizer,
        train: Data,
        valid: Data | None,
        options: Any,
        make_model: MakeModel,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        assert options.batch_size is not None
        self.options = options
        self.network = optimizer.network
        self.optimizer = optimizer
        self._train: Any = train
        self._valid: Any = valid
        self._make_model, self._description = make_model, dict(description or {})
        self._batch_size: int = options.batch_size
        self.fingerprint = train.fingerprint() + ("" if valid is None else valid.fingerprint())
        self.has_held_out = valid is not None
        self.steps_per_epoch = train.count_batches(self._batch_size)
        self._predictions_per_step: float = train.predictions / self.steps_per_epoch
        self.evaluated_tokens = math.ceil(train.tokens * EVALUATION_COST) if valid is None else valid.tokens
        self.evaluates_first = False
        self.measures_training_data = valid is None

    def minibatches(self, epoch: int) -> Iterator[Any]:
        """Yield the minibatches of an epoch. The seed and the epoch alone decide what they consist of."""
        return self._train.minibatches(self._batch_size, self._order(epoch))

    def _order(self, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self.options.seed, ORDER_SEED, epoch])

    def _candidate_generator(self, place: tuple[int, int]) -> np.random.Generator:
        """What draws the candidates of a step with sampled softmax."""
        return np.random.default_rng([self.options.seed, CANDIDATE_SEED, *place])

    def _dropout_mask(self, columns: int, place: tuple[int, int]) -> np.ndarray | None:
        """The mask of a step. The seed and the place alone decide which values it sets to zero."""
        settings: Any = self.network.layout
        if not settings.dropout:
            return None
        return draw_dropout_mask(settings, columns, np.random.default_rng([self.options.seed, DROPOUT_SEED, *place]))

    def train_loss(self) -> float:
        """Measure the mean loss per prediction on the training items, in nats."""
        return self._measure(self._train)

    def held_out_loss(self) -> float:
        """Measure the mean loss per prediction on the held-out items, in nats."""
        assert self._valid is not None
        return self._measure(self._valid)

    @abc.abstractmethod
    def _measure(self, items: Any) -> float:
        """Measure the mean loss per prediction, in nats."""

    def model(self, parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> Model:
        """Return the model with these parameters and the records of the evaluations."""
        return self._make_model(parameters, history)

    def sample(self, parameters: Mapping[str, np.ndarray], seed: int) -> str | None:
        """Return None: the figures say it all."""
        return None

    def description(self) -> dict[str, Any]:
        """Return what a checkpoint must hold of the task."""
        return self._description


class ReaderTask(MinibatchTask):
    """A network that learns the labels of items.

    Parameters
    ----------
    reader : Reader
    train : Items
    valid : Items or None
        The held-out items.
    options, make_model, description
        As for `MinibatchTask`.
    noise : callable, optional
        See `Items.minibatches`.
    sampler : CandidateSampler, optional
        What draws the candidates of sampled softmax. Default: exact softmax.
    """

    network: Reader
    optimizer: ReaderOptimizer

    def __init__(
        self,
        reader: Reader,
        train: Items,
        valid: Items | None,
        options: Any,
        make_model: MakeModel,
        noise: Noise | None = None,
        description: Mapping[str, Any] | None = None,
        sampler: CandidateSampler | None = None,
    ) -> None:
        settings = optimizer_settings(options)
        optimizer = ReaderOptimizer(reader, **settings)
        if sampler is not None:
            optimizer = SampledReaderOptimizer(reader, sampler, **settings)
        super().__init__(optimizer, train, valid, options, make_model, description)
        self._noise = noise
        self._accuracy = math.nan

    def minibatches(self, epoch: int) -> Iterator[ReaderBatch]:
        """Yield the minibatches of an epoch. The seed and the epoch alone decide what they consist of."""
        return self._train.minibatches(self._batch_size, self._order(epoch), self._noise)

    def step(self, batch: ReaderBatch, learning_rate: float, place: tuple[int, int]) -> Any:
        """Update the parameters once."""
        mask = self._dropout_mask(len(batch.inputs.lengths), place)
        arguments = (batch.inputs, batch.y, learning_rate, self._predictions_per_step, mask)
        if isinstance(self.optimizer, SampledReaderOptimizer):
            return self.optimizer.step_on_candidates(*arguments, self._candidate_generator(place))
        return self.optimizer.step(*arguments)

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

    def baselines(self) -> Baselines | None:
        """Measure on the held-out items how often the most frequent label, also of each word, is right."""
        if self._valid is None:
            return None
        labels = (np.concatenate([np.atleast_1d(one) for one in items.labels]) for items in (self._train, self._valid))
        if self._train.frames is not None or not self._train.per_step:
            return label_baselines(*labels)
        words = (np.concatenate([one[0] for one in items.ids]) for items in (self._train, self._valid))
        return label_baselines(*labels, *words)

    def figures(self, loss: float) -> dict[str, float]:
        """Return the accuracy, and the error if it decides which parameters are the best."""
        figures = {"accuracy": self._accuracy}
        return figures if self.options.criterion == "loss" else {**figures, "error": 1 - self._accuracy}


def label_counts(batch: ReaderBatch, per_step: bool) -> np.ndarray:
    """Tell for each label of a minibatch whether it counts: False for padding and empty columns."""
    lengths = batch.inputs.lengths
    return np.arange(batch.inputs.ids.shape[1])[:, None] < lengths if per_step else lengths > 0
