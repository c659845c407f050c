"""Beam search for the best targets of a minibatch of sources, as ids.

A hypothesis of n words, the end marker included, has the score ln P / n^α, where α is the length penalty (Wu et al.
2016 with their formula simplified). At each step, all continuations of the hypotheses of a source and its finished
targets compete for the places of its beam. The search ends when all places are taken by finished targets. Greedy search
is a beam of one.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.decoders.writer import SourceMemory, Writer
from theano_rnn.engines.engine import as_numpy


@dataclass(frozen=True)
class BeamSettings:
    """How to search.

    Parameters
    ----------
    beam : int
        The number of places.
    length_penalty : float
        α; 0 compares the probabilities of whole targets, which prefers short ones.
    start, end : int
        The ids of the markers.
    never : tuple of int
        Ids that no target contains.
    """

    beam: int
    length_penalty: float
    start: int
    end: int
    never: tuple[int, ...] = ()


class Written(NamedTuple):
    """A target that was found.

    Attributes
    ----------
    ids : list of int
        Without markers.
    log_probability : float
        ln P of the ids and the end marker, in nats.
    score : float
        By which it was chosen.
    weights : array (len(ids) + 1, source_steps) or None
        The attention that each id and the end marker were chosen with.
    """

    ids: list[int]
    log_probability: float
    score: float
    weights: npt.NDArray[np.float32] | None


class Beams:
    """The hypotheses of all sources of a minibatch: arrays whose first axes are (batch_size, beam)."""

    def __init__(self, batch_size: int, settings: BeamSettings, longest: int, source_steps: int | None) -> None:
        shape = (batch_size, settings.beam)
        self.settings = settings
        self.ids: npt.NDArray[np.int32] = np.full((*shape, longest + 1), settings.end, np.int32)
        self.totals: npt.NDArray[np.float64] = np.full(shape, -np.inf)
        self.totals[:, 0] = 0.0
        self.lengths: npt.NDArray[np.int64] = np.zeros(shape, np.int64)
        self.finished: npt.NDArray[np.bool_] = np.zeros(shape, bool)
        self.weights: npt.NDArray[np.float32] | None = None
        if source_steps is not None:
            self.weights = np.zeros((*shape, longest + 1, source_steps), np.float32)

    def scores(self, totals: npt.NDArray[np.float64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """ln P / n^α."""
        return totals / np.maximum(lengths, 1) ** self.settings.length_penalty

    def advance(
        self, step: int, values: npt.NDArray[np.float64], ids: npt.NDArray[np.int32], weights: npt.NDArray | None
    ) -> npt.NDArray[np.int64]:
        """Choose the best continuations, and return which hypothesis each of them continues: (batch_size, beam).

        Parameters
        ----------
        step : int
            The number of words before.
        values, ids : arrays (batch_size, beam, k)
            ln P of the k best continuations of each hypothesis.
        weights : array (batch_size, beam, source_steps) or None
        """
        # A finished target has one continuation: itself.
        values = np.where(self.finished[:, :, None], np.where(np.arange(values.shape[2]) == 0, 0.0, -np.inf), values)
        totals = self.totals[:, :, None] + values
        lengths = np.broadcast_to((self.lengths + ~self.finished)[:, :, None], totals.shape)
        scores = self.scores(totals, lengths)
        flat = scores.reshape(len(scores), -1)
        chosen = np.argsort(-flat, axis=1, kind="stable")[:, : self.settings.beam]
        parents = chosen // values.shape[2]
        rows = np.arange(len(scores))[:, None]
        words = ids.reshape(len(scores), -1)[rows, chosen]
        was_finished = self.finished[rows, parents]
        self.ids, self.lengths = self.ids[rows, parents], lengths.reshape(flat.shape)[rows, chosen]
        self.totals = totals.reshape(flat.shape)[rows, chosen]
        self.ids[:, :, step] = np.where(was_finished, self.settings.end, words)
        if self.weights is not None and weights is not None:
            self.weights = self.weights[rows, parents]
            self.weights[:, :, step] = weights[rows, parents]
        self.finished = was_finished | (words == self.settings.end) | ~np.isfinite(self.totals)
        return parents

    def written(self, source: int) -> list[Written]:
        """The finished targets of a source, the best first."""
        scores = self.scores(self.totals[source], self.lengths[source])
        found = []
        for place in np.argsort(-scores, kind="stable"):
            if np.isfinite(scores[place]):
                length = int(self.lengths[source, place])
                ids = self.ids[source, place, : length - 1].tolist()
                weights = None if self.weights is None else self.weights[source, place, :length]
                found.append(Written(ids, float(self.totals[source, place]), float(scores[place]), weights))
        return found


def search(
    writer: Writer, memory: SourceMemory, sources: int, longest: int, settings: BeamSettings, keep_weights: bool = False
) -> list[list[Written]]:
    """Find the best targets of a minibatch of sources.

    Parameters
    ----------
    writer : Writer
    memory : SourceMemory
        From `Writer.read`.
    sources : int
        The number of sources; columns of the minibatch after them are empty.
    longest : int
        The number of words that a target has at most, at least 0. After them it can only end.
    settings : BeamSettings
    keep_weights : bool
        Whether to keep the weights of attention.

    Returns
    -------
    list of lists of Written
        For each source up to `beam` targets, the best first.
    """
    beam, words = settings.beam, writer.settings.words
    initial = as_numpy(memory.initial)
    batch_size = len(initial)
    states = np.repeat(initial, beam, axis=0)
    word = np.full((batch_size, beam), settings.start, np.int32)
    source_steps = memory.memory[0].shape[1] if keep_weights and writer.settings.attention else None
    beams = Beams(batch_size, settings, longest, source_steps)
    beams.finished[sources:] = True
    bias = np.zeros(words)
    bias[[settings.start, *settings.never]] = -np.inf
    only_the_end = np.where(np.arange(words) == settings.end, 0.0, -np.inf)
    k = min(beam, words)  # ends take places too, so no hypothesis can fill more
    for step in range(longest + 1):
        found = writer.best_words(memory.memory, word, states, k, bias if step < longest else only_the_end)
        shape = (batch_size, beam, k)
        values = found.log_probabilities.astype(np.float64).reshape(shape)
        parents = beams.advance(step, values, found.ids.reshape(shape), found.weights)
        if beams.finished.all():
            break
        states = found.states.reshape(batch_size, beam, -1)[np.arange(batch_size)[:, None], parents]
        states = states.reshape(batch_size * beam, -1)
        word = np.ascontiguousarray(beams.ids[:, :, step])
    return [beams.written(source) for source in range(sources)]
