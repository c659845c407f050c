"""Sampled softmax for networks that read and predict words: `theano_rnn.large_vocabularies.sampled_optimizer` explains
the loss.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.encoders.reader import Reader, ReaderOptimizer
from theano_rnn.encoders.reader_graph import (
    ReaderInputs,
    SymbolicReader,
    loss_and_gradients,
    symbolic_inputs,
    symbolic_labels,
)
from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import DeviceArray
from theano_rnn.large_vocabularies.row_optimizer import RowOptimizer
from theano_rnn.large_vocabularies.word_places import places_of, words_in
from theano_rnn.networks.optimizer import StepGraph, symbolic_dropout_mask


class SampledReaderOptimizer(RowOptimizer, ReaderOptimizer):
    """Minimizes the mean cross-entropy per word over candidates, for a reader of one feature with a label per step.

    Parameters are those of `RowOptimizer`.
    """

    network: Reader

    def step_graph(self) -> StepGraph:
        """The summed cross-entropy over candidates, and the gradients of what a step reads."""
        reader, network = self.network, self.network.symbolic
        inputs, y = symbolic_inputs(reader.settings, reader.dtype), symbolic_labels(reader.settings)
        masks = symbolic_dropout_mask(reader.settings, reader.dtype)
        candidates, words = self.symbolic_candidates(), [] if reader.settings.tied else [T.ivector("inputs")]
        numbers = {"V": candidates[0], "c": candidates[0], **({"E": words[0]} if words else {})}
        few_words = SymbolicReader(reader.settings, self.few_rows(network.parameters, numbers))
        loss, gradients = loss_and_gradients(inputs, y, few_words, *masks)
        arrays = [*inputs.arrays(), y, *masks, *words, *candidates]
        return StepGraph(arrays, loss, [], gradients)

    def step_on_candidates(
        self,
        inputs: ReaderInputs,
        y: npt.NDArray[np.int32],
        learning_rate: float,
        count: float,
        dropout_mask: npt.NDArray[Any] | None,
        generator: np.random.Generator,
    ) -> DeviceArray:
        """One update on a minibatch, with candidates from a generator.

        Parameters and results are those of `ReaderOptimizer.step`. The loss is the cross-entropy over the candidates.
        """
        is_word = np.arange(len(y))[:, None] < inputs.lengths
        read, predicted = (inputs.ids[0], is_word), (y, is_word)
        numbers = []
        if self.network.settings.tied:  # all words are candidates whose rows of V are read
            words, *candidates = self.candidates(words_in([predicted, read]), 2 * y.size, generator)
            x = places_of(read, words)
        else:
            inputs_read, rows = self.rows(words_in([read]), y.size, "E")
            x, numbers = places_of(read, inputs_read), [rows]
            words, *candidates = self.candidates(words_in([predicted]), y.size, generator)
        few = inputs._replace(ids=x[None])
        masks = [] if dropout_mask is None else [np.asarray(dropout_mask, self.network.dtype)]
        arrays = [*few.arrays(), places_of(predicted, words), *masks, *numbers, *candidates]
        return self.update(arrays, learning_rate, count)[0]
