"""Sampled softmax for language models: training steps whose cost does not depend on the size of the vocabulary.

Each step compares the next word with few candidates C instead of all words: those that follow in the minibatch, and N
words drawn at random (`theano_rnn.large_vocabularies.candidates`). With π_w, the expected number of times that w is a
candidate,

    L = -Σ ln p(y_t),   p = softmax over w in C of  (V s_t + c)_w - ln π_w

For any N, the probabilities o_t = softmax(V s_t + c) that minimize the expected loss are those of the text. The
gradient is a consistent estimate of that of the exact loss: all π_w go to 1 as N grows (Bengio and Senécal 2008,
"Adaptive importance sampling to accelerate training of a neural probabilistic language model"; Jean et al. 2015, "On
using very large target vocabulary for neural machine translation").

The step is that of a small network, which has the rows of V and c that belong to candidates, and the columns of U, or
rows of E, that belong to words of the minibatch. Only these change; see `theano_rnn.large_vocabularies.row_optimizer`.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import T, split_along
from theano_rnn.engines.tensor_types import DeviceArray
from theano_rnn.large_vocabularies.row_optimizer import RowOptimizer
from theano_rnn.large_vocabularies.word_places import places_of, words_in
from theano_rnn.networks.architecture import SymbolicNetwork
from theano_rnn.networks.bptt import loss_and_gradients
from theano_rnn.networks.optimizer import Optimizer, StepGraph, symbolic_batch
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.minibatches import Batch


class SampledWords(NamedTuple):
    """A minibatch in terms of the words of a step.

    Attributes
    ----------
    x, y : int32 arrays (steps, batch_size)
        Places in `inputs` and in `outputs`; if the network is tied, both in `outputs`.
    inputs : int32 array, or None if the network is tied
        The words whose input weights a step reads: distinct ids, ascending, then padding.
    outputs : int32 array
        The candidates: distinct ids, ascending, then padding.
    log_expected : array of the length of `outputs`
        ln π_w.
    """

    x: npt.NDArray[np.int32]
    y: npt.NDArray[np.int32]
    inputs: npt.NDArray[np.int32] | None
    outputs: npt.NDArray[np.int32]
    log_expected: npt.NDArray[Any]


class SampledOptimizer(RowOptimizer, Optimizer):
    """Minimizes the mean cross-entropy per token of a language model over candidates, one minibatch at a time.

    Parameters are those of `RowOptimizer`.
    """

    network: RNN

    def step_graph(self) -> StepGraph:
        """The summed cross-entropy over candidates, the last states, and the gradients of what a step reads."""
        rnn, network = self.network, self.network.symbolic
        x, y, mask, s_init, *masks = batch = symbolic_batch(rnn)
        candidates, words = self.symbolic_candidates(), [] if rnn.tied else [T.ivector("inputs")]
        numbers = {"V": candidates[0], "c": candidates[0]}
        if words:
            numbers["U" if network.E is None else "E"] = words[0]
        few_words = SymbolicNetwork(network.architecture, self.few_rows(network.parameters, numbers))
        found = loss_and_gradients(x, y, mask, s_init, few_words, rnn.bptt_truncate, *masks)
        inputs = [*batch, *words, *candidates]
        return StepGraph(inputs, found.loss, [split_along(0, found.s_last)], found.gradients)

    def draw(self, batch: Batch, generator: np.random.Generator) -> SampledWords:
        """Draw the candidates of a minibatch."""
        read, predicted = (batch.x, batch.mask), (batch.y, batch.mask)
        if self.network.tied:  # all words are candidates whose rows of V are read
            texts = [predicted, read]
            words, outputs, log_expected = self.candidates(words_in(texts), 2 * batch.x.size, generator)
            return SampledWords(places_of(read, words), places_of(predicted, words), None, outputs, log_expected)
        inputs, numbers = self.rows(words_in([read]), batch.x.size, "E" if self.network.embedding_dim else "U")
        words, outputs, log_expected = self.candidates(words_in([predicted]), batch.y.size, generator)
        return SampledWords(places_of(read, inputs), places_of(predicted, words), numbers, outputs, log_expected)

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
        inputs = self.inputs_on_candidates(batch, words, s_init, dropout_mask)
        loss, s_last = self.update(inputs, learning_rate, batch.tokens if tokens is None else tokens)
        return loss, s_last

    def inputs_on_candidates(
        self,
        batch: Batch,
        words: SampledWords,
        s_init: DeviceArray | None = None,
        dropout_mask: npt.NDArray[Any] | None = None,
    ) -> list[Any]:
        """The inputs of `step_graph`; parameters are those of `step_on_candidates`."""
        inputs = [words.x, words.y, *self.step_inputs(batch, s_init, dropout_mask)[2:]]
        inputs += [] if words.inputs is None else [words.inputs]
        return [*inputs, words.outputs, words.log_expected]
