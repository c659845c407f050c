"""The task of a network that writes: pairs of a source and its target, what is measured on them, and the model."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from theano_rnn.decoders.pairs import PairBatch, Pairs
from theano_rnn.decoders.writer import Writer, WriterOptimizer
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_writer import SampledWriterOptimizer
from theano_rnn.ngrams.baselines import Baselines, target_baselines
from theano_rnn.tasks.minibatch_task import MEASURED_AT_ONCE, MakeModel, MinibatchTask
from theano_rnn.tasks.task import optimizer_settings

LARGEST_EXPONENT = 700.0  # exp of more is infinite

Show = Callable[[Mapping[str, np.ndarray], int], str]
"""Takes parameters and a seed, and returns a line that shows what they write."""


class WritingTask(MinibatchTask):
    """A network that learns to write the targets of sources.

    Parameters
    ----------
    writer : Writer
    train : Pairs
    valid : Pairs or None
        The held-out pairs.
    options, make_model, description
        As for `theano_rnn.tasks.minibatch_task.MinibatchTask`.
    show : callable, optional
        See `Show`.
    sampler : CandidateSampler, optional
        What draws the candidates of sampled softmax. Default: exact softmax.
    """

    network: Writer
    optimizer: WriterOptimizer

    def __init__(
        self,
        writer: Writer,
        train: Pairs,
        valid: Pairs | None,
        options: Any,
        make_model: MakeModel,
        description: Mapping[str, Any] | None = None,
        show: Show | None = None,
        sampler: CandidateSampler | None = None,
    ) -> None:
        settings = optimizer_settings(options)
        optimizer = WriterOptimizer(writer, **settings)
        if sampler is not None:
            optimizer = SampledWriterOptimizer(writer, sampler, **settings)
        super().__init__(optimizer, train, valid, options, make_model, description)
        self._show = show

    def step(self, batch: PairBatch, learning_rate: float, place: tuple[int, int]) -> Any:
        """Update the parameters once."""
        mask = self._dropout_mask(len(batch.target[2]), place)
        arguments = (batch.source, batch.target, learning_rate, self._predictions_per_step, mask)
        if isinstance(self.optimizer, SampledWriterOptimizer):
            return self.optimizer.step_on_candidates(*arguments, self._candidate_generator(place))
        return self.optimizer.step(*arguments)

    def _measure(self, items: Pairs) -> float:
        return measured_loss(self.network, items)

    def baselines(self) -> Baselines | None:
        """Measure n-gram models of the targets, which do not read the sources."""
        if self._valid is None:
            return None
        return target_baselines(self._train.targets, self._valid.targets, self.network.settings.words)

    def figures(self, loss: float) -> dict[str, float]:
        """Return the perplexity per token of the targets, their ends counted."""
        return {"perplexity": math.exp(min(loss, LARGEST_EXPONENT))}

    def sample(self, parameters: Mapping[str, np.ndarray], seed: int) -> str | None:
        """Show what is written for a held-out source."""
        return None if self._show is None else self._show(parameters, seed)


def measured_loss(writer: Writer, pairs: Pairs) -> float:
    """The mean of -ln P over all tokens of the targets, their ends counted, in nats."""
    total = 0.0
    for batch in pairs.minibatches(MEASURED_AT_ONCE):
        total -= float(writer.log_probabilities(batch.source, *batch.target).sum(dtype=np.float64))
    return total / pairs.predictions


def start_output_bias(writer: Writer, log_frequencies: Sequence[float] | np.ndarray) -> None:
    """Set the output biases to ln of the relative frequencies of the tokens, if the network has biases."""
    if writer.settings.bias:
        writer.set_values({**writer.get_values(), "c": np.asarray(log_frequencies)})
