"""Interpolated modified Kneser–Ney smoothing: Chen and Goodman (1999), An empirical study of smoothing techniques for
language modeling, Computer Speech & Language 13, 359–394.

    P_n(w | h) = max(c(hw) - D_n(c(hw)), 0) / c(h•) + λ_n(h) P_{n-1}(w | h without its first token)

c is the count for the highest order, and the number of different tokens before the n-gram for the others. D_n takes
three values, for counts of 1, 2, and 3 or more. λ_n(h) is what the discounts leave. P_0 is the uniform distribution.
"""

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count
from theano_rnn.ngrams.counts import IntArray, NGramCounts, find
from theano_rnn.ngrams.predictions import blocks_with_histories, with_histories
from theano_rnn.text.corpus import Ids

_USUAL_DISCOUNTS = (0.5, 1.0, 1.5)  # where a small text does not determine them; those of KenLM's --discount_fallback
_MOST_DISCOUNTED = 3

FloatArray = npt.NDArray[np.float64]


def discounts(counts: IntArray) -> FloatArray:
    """Return the discounts of an order for counts of 0, 1, 2, and 3 or more.

    D_k = k - (k + 1) Y n_{k+1} / n_k with Y = n_1 / (n_1 + 2 n_2), where n_k is the number of n-grams that occur k
    times. If a discount is not between 0 and k, as in texts that are very small or have few types, they are 0.5, 1 and
    1.5.

    Parameters
    ----------
    counts : int64 array
        The counts of all n-grams of this order.

    Examples
    --------
    >>> discounts(np.repeat([1, 2, 3, 4], [40, 20, 12, 8])).round(4).tolist()
    [0.0, 0.5, 1.1, 1.6667]
    >>> discounts(np.array([7])).tolist()
    [0.0, 0.5, 1.0, 1.5]
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5]
    found = np.array(_USUAL_DISCOUNTS)
    if n.all():
        k = np.arange(1, 4)
        estimated = k - (k + 1) * n[0] / (n[0] + 2 * n[1]) * n[1:] / n[:3]
        if np.all((estimated > 0) & (estimated <= k)):
            found = estimated
    return np.concatenate([[0.0], found])


class KneserNey:
    """An n-gram model of encoded text with interpolated modified Kneser–Ney smoothing.

    Every token but SENTENCE_START has a positive probability after every history.

    Parameters
    ----------
    text : EncodedSentences, or array of int
        The training text; an array is one continuous text, as at character level.
    size : int
        The size of the vocabulary.
    order : int
        The length of the longest n-grams, at least 1.
    start : int
        The id of SENTENCE_START, which is never predicted. It fills the histories at the beginning of a sentence or a
        text.
    continuous : bool
        Whether histories continue over the ends of sentences.

    Raises
    ------
    ArgumentValueError, ArgumentTypeError
        If `order` is not an integer of at least 1.

    Examples
    --------
    >>> from theano_rnn.text.encoded_sentences import EncodedSentences
    >>> model = KneserNey(EncodedSentences([[0, 3, 3, 1], [0, 3, 1]]), size=4, order=2)
    >>> round(float(np.exp(model.log_probabilities(EncodedSentences([[0, 3, 2, 1]]))).prod()), 6)
    0.020833
    """

    def __init__(self, text: Ids, size: int, order: int = 3, start: int = 0, continuous: bool = False) -> None:
        check_count("order", order)
        self.start, self.continuous = start, continuous
        self.counts: NGramCounts = NGramCounts.of(*with_histories(text, order - 1, start, continuous), size)
        self._levels = [self._smoothed(n) for n in range(self.order)]

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return self.counts.order

    def _smoothed(self, level: int) -> tuple[FloatArray, FloatArray]:
        """Return the first term of the formula for each n-gram of an order, and λ for each history.

        The last entries are those of n-grams and histories that do not occur, which have the number -1: 0 and 1.
        """
        counts, number = self.counts.counts[level], self.counts.keys[level] // self.counts.size
        histories = len(self.counts.histories[level])
        discounted = discounts(counts)[np.minimum(counts, _MOST_DISCOUNTED)]
        totals = np.bincount(number, weights=counts, minlength=histories)
        left = np.bincount(number, weights=discounted, minlength=histories) / np.maximum(totals, 1)
        left[totals == 0] = 1.0  # a text without tokens
        return np.append((counts - discounted) / totals[number], 0.0), np.append(left, 1.0)

    def probabilities(self, histories: IntArray, tokens: IntArray) -> FloatArray:
        """Return P(token | history) for pairs of a history and a token.

        Parameters
        ----------
        histories : int64 array (order - 1, n)
            Row k holds the tokens k + 1 places before.
        tokens : int64 array (n,)
        """
        found = np.where(tokens == self.start, 0.0, 1 / (self.counts.size - 1))
        numbers = self.counts.find_histories(histories)
        for number, keys, (terms, left) in zip(numbers, self.counts.keys, self._levels, strict=True):
            found = terms[find(keys, number * self.counts.size + tokens)] + left[number] * found
        return found

    def log_probabilities(self, text: Ids, continuous: bool | None = None) -> FloatArray:
        """Return ln P of each predicted token of a text: all but the first of each sentence, or of a continuous text.

        Parameters
        ----------
        text : EncodedSentences, or array of int
        continuous : bool, optional
            Default: as in the training text.
        """
        continuous = self.continuous if continuous is None else continuous
        blocks = blocks_with_histories(text, self.order - 1, self.start, continuous)
        return np.concatenate([np.log(self.probabilities(*block)) for block in blocks])

    def loss(self, text: Ids, excluded: int | None = None) -> float:
        """Return the mean cross-entropy of a text in nats per predicted token. Memory use is bounded.

        Parameters
        ----------
        text : EncodedSentences, or array of int
        excluded : int, optional
            A token that is not predicted: the probabilities of the others sum to 1.
        """
        total, tokens = 0.0, 0
        for histories, predicted in blocks_with_histories(text, self.order - 1, self.start, self.continuous):
            if excluded is not None:
                histories, predicted = histories[:, predicted != excluded], predicted[predicted != excluded]
                others = 1 - self.probabilities(histories, np.full_like(predicted, excluded))
                total += float(np.log(others).sum())
            total -= float(np.log(self.probabilities(histories, predicted)).sum())
            tokens += len(predicted)
        return total / tokens
