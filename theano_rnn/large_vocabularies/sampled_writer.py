"""Sampled softmax for networks that write: `theano_rnn.large_vocabularies.sampled_optimizer` explains the loss."""

from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.decoders.writer import Writer, WriterOptimizer, target_inputs
from theano_rnn.decoders.writer_graph import loss_and_gradients
from theano_rnn.decoders.writer_settings import SOURCE, Source, SymbolicWriter, symbolic_source
from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import DeviceArray
from theano_rnn.large_vocabularies.row_optimizer import RowOptimizer
from theano_rnn.large_vocabularies.word_places import places_of, words_in
from theano_rnn.networks.optimizer import StepGraph, symbolic_dropout_mask


class SampledWriterOptimizer(RowOptimizer, WriterOptimizer):
    """Minimizes the mean cross-entropy per word over candidates. Parameters are those of `RowOptimizer`."""

    network: Writer

    @property
    def _read_apart(self) -> list[str]:
        """The embeddings that are not V, by name: those of the target, and those of a source of words."""
        settings = self.network.settings
        own_source = settings.source_words and not settings.shared
        return [*([] if settings.tied else ["E"]), *(["E" + SOURCE] if own_source else [])]

    def step_graph(self) -> StepGraph:
        """The summed cross-entropy over candidates, and the gradients of what a step reads."""
        writer, network = self.network, self.network.symbolic
        source, target = symbolic_source(writer.settings, writer.dtype), target_inputs()
        masks = symbolic_dropout_mask(writer.settings, writer.dtype)
        candidates, words = self.symbolic_candidates(), [T.ivector(name) for name in self._read_apart]
        numbers = {"V": candidates[0], "c": candidates[0], **dict(zip(self._read_apart, words, strict=True))}
        few_words = SymbolicWriter(writer.settings, self.few_rows(network.parameters, numbers))
        loss, gradients = loss_and_gradients(source, *target, few_words, *masks)
        inputs = [*source.arrays(), *target, *masks, *words, *candidates]
        return StepGraph(inputs, loss, [], gradients)

    def step_on_candidates(
        self,
        source: Source,
        target: list[npt.NDArray[np.int32]],
        learning_rate: float,
        count: float,
        dropout_mask: npt.NDArray[Any] | None,
        generator: np.random.Generator,
    ) -> DeviceArray:
        """One update on a minibatch, with candidates from a generator.

        Parameters and results are those of `WriterOptimizer.step`. The loss is the cross-entropy over the candidates.
        """
        x, y, lengths = target
        is_word = np.arange(len(x))[:, None] < lengths
        texts = {"y": (y, is_word), "x": (x, is_word)}
        if source.x is not None:
            texts["source"] = (source.x, np.arange(len(source.x))[:, None] < source.lengths)
        settings = self.network.settings
        # Which texts are read from V, whose rows are candidates, and which from embeddings of their own.
        of_embeddings = ["x", *(["source"] if settings.shared else [])]
        groups = {"V": ["y", *(of_embeddings if settings.tied else [])]}
        groups |= {name: of_embeddings if name == "E" else ["source"] for name in self._read_apart}
        places: dict[str, npt.NDArray[np.int32]] = {}
        numbers: list[npt.NDArray[np.int32]] = []
        candidates: list[npt.NDArray[Any]] = []
        for parameter, names in groups.items():
            found = [texts[name] for name in names]
            size = sum(ids.size for ids, _ in found)
            if parameter == "V":
                words, *candidates = self.candidates(words_in(found), size, generator)
            else:
                words, rows = self.rows(words_in(found), size, parameter)
                numbers.append(rows)
            places |= {name: places_of(texts[name], words) for name in names}
        masks = [] if dropout_mask is None else [np.asarray(dropout_mask, self.network.dtype)]
        new_source = source._replace(x=places["source"]) if "source" in places else source
        inputs = [*new_source.arrays(), places["x"], places["y"], lengths, *masks, *numbers, *candidates]
        return self.update(inputs, learning_rate, count)[0]
