"""Sampled softmax: training steps whose cost does not depend on the size of the vocabulary.

Each step compares the next word with few candidates C instead of all words: those that follow in the minibatch, and N
words drawn at random (`theano_rnn.large_vocabularies.candidates`). With π_w, the expected number of times that w is a candidate,

    L = -Σ ln p(y_t),   p = softmax over w in C of  (V s_t + c)_w - ln π_w

For any N, the probabilities o_t = softmax(V s_t + c) that minimize the expected loss are those of the text. The gradient
is a consistent estimate of that of the exact loss: all π_w go to 1 as N grows (Bengio and Senécal 2008, "Adaptive
importance sampling to accelerate training of a neural probabilistic language model"; Jean et al. 2015, "On using very
large target vocabulary for neural machine translation").

The step is that of a small network, which has the rows of V and c that belong to candidates, and the columns of U, or
rows of E, that belong to words of the minibatch. Only these change. The accumulators of all others, such as Adam's
means, stay as they are until the word occurs again.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import T
from theano_rnn.large_vocabularies.table_rows import padded_numbers, rows_of, with_rows
from theano_rnn.engines.tensor_types import DeviceArray, SharedVariable, TensorVariable
from theano_rnn.networks.architecture import SymbolicNetwork
from theano_rnn.networks.bptt import loss_and_gradients
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.networks.optimizer import Optimizer, StepGraph
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.minibatches import Batch

NEVER = 1e9  # -ln π of padding, which gets the probability 0


class SampledWords(NamedTuple):
    """A minibatch in terms of the words of a step.

    Attributes
    ----------
    x, y : int32 arrays (steps, batch_size)
        Places in `inputs` and in `outputs`.
    inputs : int32 array
        The words whose input weights a step reads: distinct ids, ascending, then padding.
    outputs : int32 array
        The candidates: distinct ids, ascending, then padding.
    log_expected : array of the length of `outputs`
        ln π_w.
    """

    x: npt.NDArray[np.int32]
    y: npt.NDArray[np.int32]
    inputs: npt.NDArray[np.int32]
    outputs: npt.NDArray[np.int32]
    log_expected: npt.NDArray[Any]


class SampledOptimizer(Optimizer):
    """Minimizes the mean cross-entropy per token of a language model over candidates, one minibatch at a time.

    Parameters
    ----------
    rnn : RNN
        None of its functions may have been compiled yet.
    sampler : CandidateSampler
    rule, clip, measures_norm
        See `MinibatchOptimizer`.
    """

    def __init__(
        self,
        rnn: RNN,
        sampler: CandidateSampler,
        rule: str = "adam",
        clip: float | None = None,
        measures_norm: bool = False,
    ) -> None:
        rnn.store_rows_of("V")
        super().__init__(rnn, rule, clip, measures_norm)
        self.sampler: CandidateSampler = sampler
        self._numbers: Mapping[str, TensorVariable] = {}

    def step_graph(self) -> StepGraph:
        """The summed cross-entropy over candidates, the last states, and the gradients of the rows that a step reads."""
        rnn, network = self.rnn, self.rnn.symbolic
        x, y, mask = T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask")
        s_init = T.matrix("s_init", dtype=rnn.dtype)
        inputs, outputs = T.ivector("inputs"), T.ivector("outputs")
        log_expected = T.vector("log_expected", dtype=rnn.dtype)
        dropout_mask = T.matrix("dropout_mask", dtype=rnn.dtype) if rnn.dropout else None
        read = "E" if network.E is not None else "U"
        self._numbers = {name: outputs for name in ("V", "c") if name in network.parameters}
        if not rnn.tied:
            self._numbers[read] = inputs
        parameters = dict(network.parameters)
        for name in self._numbers:
            parameters[name] = rnn.in_storage_layout(name, self._current(name, parameters[name]))
        parameters["c"] = parameters["c"] - log_expected if rnn.bias else -log_expected
        few_words = SymbolicNetwork(network.architecture, parameters)
        loss, s_last, _, sums = loss_and_gradients(x, y, mask, s_init, few_words, rnn.bptt_truncate, dropout_mask)
        arguments = [x, y, mask, s_init, *([] if dropout_mask is None else [dropout_mask])]
        return StepGraph([*arguments, inputs, outputs, log_expected], loss, [s_last], sums)

    def _current(self, name: str, array: SharedVariable) -> TensorVariable:
        current = super()._current(name, array)
        return rows_of(current, self._numbers[name]) if name in self._numbers else current

    def _changed(self, name: str, array: SharedVariable, value: TensorVariable) -> TensorVariable:
        if name not in self._numbers:
            return super()._changed(name, array, value)
        table = self.network.in_storage_layout(name, array)
        return self.network.in_storage_layout(name, with_rows(table, self._numbers[name], value))

    def draw(self, batch: Batch, generator: np.random.Generator) -> SampledWords:
        """Draw the candidates of a minibatch."""
        seen = batch.y[batch.mask]
        if self.rnn.tied:  # the words of the minibatch are candidates, because their rows of V are read
            seen = np.concatenate([seen, batch.x[batch.mask]])
        words, log_expected = self.sampler.draw(seen, generator)
        longest = min(batch.y.size * (2 if self.rnn.tied else 1) + self.sampler.samples, self.sampler.word_dim)
        expected = np.full(longest, NEVER, self.rnn.dtype)
        expected[: len(words)] = log_expected
        outputs = padded_numbers(words, longest, self.sampler.word_dim)
        inputs, x = np.unique(np.where(batch.mask, batch.x, batch.x[0, 0]), return_inverse=True)
        read = padded_numbers(inputs, min(batch.x.size, self.sampler.word_dim), self.sampler.word_dim)
        if self.rnn.tied:
            read, x = outputs[:1], np.searchsorted(words, np.where(batch.mask, batch.x, words[0]))
        y = np.searchsorted(words, np.where(batch.mask, batch.y, words[0]))
        return SampledWords(
            x.reshape(batch.x.shape).astype(np.int32), y.astype(np.int32), read, outputs, expected[: len(outputs)]
        )

    def step_on_candidates(
        self,
        batch: Batch,
        words: SampledWords,
        learning_rate: float,
        s_init: DeviceArray | None = None,
        tokens: float | None = None,
        dropout_mask: npt.NDArray[Any] | None = None,
    ) -> tuple[DeviceArray, DeviceArray]:
        """Update the parameters with a minibatch and its candidates.

        Parameters and results are those of `Optimizer.step`. The loss is the cross-entropy over the candidates.
        """
        s_init = self.rnn.zero_states(batch.x.shape[1]) if s_init is None else s_init
        inputs = [words.x, words.y, batch.mask.view(np.int8), s_init]
        if self.rnn.dropout:
            inputs.append(self._dropout_mask(dropout_mask, batch.x.shape[1]))
        inputs += [words.inputs, words.outputs, words.log_expected]
        loss, s_last = self.update(inputs, learning_rate, batch.tokens if tokens is None else tokens)
        return loss, s_last
