"""Sums up the losses of a scored text by groups of tokens, and keeps the worst sentences and words. Losses in nats."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theano_rnn.error_analysis.groups import BEFORE, POSITIONS, FrequencyBands, band_names, band_of
from theano_rnn.results.text_statistics import TextStatistics
from theano_rnn.text.vocabulary import Vocabulary

MOST_UNKNOWN = 10_000  # distinct unknown words that are counted, which bounds the memory
_FIRST, _KNOWN, _UNKNOWN = range(len(BEFORE))

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """The totals of a group of tokens.

    Attributes
    ----------
    name : str
    tokens : int
    loss : float
        -ln P, summed over the tokens.
    share : float
        The share of the loss of the whole text, from 0 to 1.
    other_loss : float or None
        The loss of the n-gram model that the network is compared with.
    """

    name: str
    tokens: int
    loss: float
    share: float
    other_loss: float | None = None


@dataclass(frozen=True)
class WorstSentence:
    """A sentence.

    Attributes
    ----------
    place : str
        The file and the line.
    text : str
    tokens, unknown : int
    loss : float
    """

    place: str
    text: str
    tokens: int
    unknown: int
    loss: float


class _Sums:
    """Numbers of tokens and sums of losses by group."""

    def __init__(self, groups: int) -> None:
        self.tokens: npt.NDArray[np.int64] = np.zeros(groups, np.int64)
        self.losses: FloatArray = np.zeros((2, groups))  # of the network, and of the n-gram model

    def add(self, groups: npt.NDArray[np.integer], losses: FloatArray) -> None:
        """Add tokens: their groups (n,), and their losses (2, n)."""
        number = len(self.tokens)
        self.tokens += np.bincount(groups, minlength=number)
        for sums, one in zip(self.losses, losses, strict=True):
            sums += np.bincount(groups, weights=one, minlength=number)


class ErrorAnalysis:
    """Collects the scores of a text.

    Parameters
    ----------
    vocabulary : Vocabulary
    bands : FrequencyBands
    compared : bool
        Whether each sentence comes with the scores of an n-gram model, too.
    most : int
        The number of worst sentences, of words with the highest losses, and of unknown words to keep.

    Attributes
    ----------
    statistics : TextStatistics
        Totals of the text, as score.py has them.
    unknown_words : Counter of str
        How often each unknown word occurs; of very many distinct ones, the first.
    """

    def __init__(self, vocabulary: Vocabulary, bands: FrequencyBands, compared: bool = False, most: int = 10) -> None:
        self.bands, self.compared, self.most = bands, compared, most
        self.statistics = TextStatistics()
        self.unknown_words: Counter[str] = Counter()
        self._vocabulary = vocabulary
        self._words = _Sums(len(vocabulary))
        self._positions, self._before = _Sums(len(POSITIONS)), _Sums(len(BEFORE))
        # A heap of (loss per token, -number of the sentence, sentence). Its first entry is the least bad one.
        self._worst: list[tuple[float, int, WorstSentence]] = []

    def add_sentence(
        self,
        place: str,
        text: str,
        tokens: Sequence[str],
        values: FloatArray,
        known: npt.NDArray[np.bool_],
        other_values: FloatArray | None = None,
    ) -> None:
        """Add the scores of a sentence.

        Parameters
        ----------
        place : str
            Its file and line.
        text : str
            The sentence as it was written.
        tokens : sequence of str
            Its tokens, followed by SENTENCE_END.
        values : float64 array
            ln P of each token.
        known : bool array
            Whether the vocabulary has each token.
        other_values : float64 array, optional
            ln P of each token by the n-gram model.
        """
        totals = TextStatistics.of_sentence(values, known)
        self.statistics.add(totals)
        losses = -np.stack([values, np.zeros_like(values) if other_values is None else other_values])
        ids = np.append(self._vocabulary.encode(tokens[:-1]), self._vocabulary.end)
        self._words.add(ids, losses)
        self._positions.add(band_of(np.arange(1, len(ids) + 1), POSITIONS), losses)
        self._before.add(np.concatenate([[_FIRST], np.where(known[:-1], _KNOWN, _UNKNOWN)]), losses)
        for index in np.flatnonzero(~known).tolist():
            if tokens[index] in self.unknown_words or len(self.unknown_words) < MOST_UNKNOWN:
                self.unknown_words[tokens[index]] += 1
        self._keep_if_worst(WorstSentence(place, text, totals.tokens, totals.unknown, float(losses[0].sum())))

    def _keep_if_worst(self, sentence: WorstSentence) -> None:
        if any(kept.text == sentence.text for _, _, kept in self._worst):
            return
        add = heapq.heappush if len(self._worst) < self.most else heapq.heappushpop
        add(self._worst, (sentence.loss / sentence.tokens, -self.statistics.sentences, sentence))

    # Results

    @property
    def total(self) -> Group:
        """The totals of the text."""
        return self._groups(["total"], self._collected(np.zeros(len(self._vocabulary), np.intp), 1))[0]

    def by_frequency(self) -> list[Group]:
        """Return the totals by frequency in the training text; sentence ends and unknown words have their own."""
        return self._groups(self.bands.names, self._collected(self.bands.of_id, len(self.bands.names)))

    def by_position(self) -> list[Group]:
        """Return the totals by position in the sentence, counted from 1."""
        return self._groups(band_names(POSITIONS), self._positions)

    def by_token_before(self) -> list[Group]:
        """Return the totals by whether the token before is known."""
        return self._groups(BEFORE, self._before)

    def costliest_words(self) -> list[Group]:
        """Return the vocabulary's entries with the highest sums of losses."""
        groups = self._groups(self._vocabulary.index_to_word, self._words)
        return heapq.nlargest(self.most, groups, key=lambda group: group.loss)

    def worst_sentences(self) -> list[WorstSentence]:
        """Return the sentences with the highest loss per token, without duplicates, the worst first."""
        return [sentence for _, _, sentence in sorted(self._worst, reverse=True)]

    def _collected(self, of_id: npt.NDArray[np.integer], groups: int) -> _Sums:
        """Sum up the entries of the vocabulary by group."""
        sums = _Sums(groups)
        sums.tokens += np.bincount(of_id, weights=self._words.tokens, minlength=groups).astype(np.int64)
        for total, losses in zip(sums.losses, self._words.losses, strict=True):
            total += np.bincount(of_id, weights=losses, minlength=groups)
        return sums

    def _groups(self, names: Sequence[str], sums: _Sums) -> list[Group]:
        """Name the groups, without those that have no tokens."""
        whole = float(self._words.losses[0].sum()) or 1.0
        rows = zip(names, sums.tokens.tolist(), *sums.losses.tolist(), strict=True)
        return [
            Group(name, tokens, loss, loss / whole, other if self.compared else None)
            for name, tokens, loss, other in rows
            if tokens
        ]
