"""The words that a step of sampled softmax compares: those that follow in the minibatch, and words drawn at random.

NumPy only. See `theano_rnn.large_vocabularies.sampled_optimizer` for the loss.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SMOOTHING = 0.75  # exponent of the frequencies, which draws rare words more often (Mikolov et al. 2013)


class Candidates(NamedTuple):
    """The candidates of a minibatch.

    Attributes
    ----------
    words : int array (k,)
        Distinct word ids, ascending.
    log_expected : float array (k,)
        ln of the expected number of times that each of them is among the candidates, which is at most 1.
    """

    words: npt.NDArray[np.integer]
    log_expected: npt.NDArray[np.float64]


class CandidateSampler:
    """Draws candidates.

    Parameters
    ----------
    frequencies : array (word_dim,)
        How often each word occurs, relative to the others.
    samples : int
        The number N of words drawn for each minibatch. Words may be drawn twice. With N >= word_dim, all words are
        candidates, and sampled softmax is the exact softmax.

    Examples
    --------
    >>> sampler = CandidateSampler(np.ones(10), samples=4)
    >>> candidates = sampler.draw(np.array([7, 7, 2]), np.random.default_rng(1))
    >>> candidates.words.tolist()
    [1, 2, 5, 7, 9]
    """

    def __init__(self, frequencies: npt.ArrayLike, samples: int) -> None:
        frequencies = np.asarray(frequencies, np.float64)
        self.samples: int = samples
        self.word_dim: int = len(frequencies)
        self._unigram = frequencies / frequencies.sum()
        smoothed = frequencies**SMOOTHING
        self._drawn = smoothed / smoothed.sum()
        self._cumulative = np.cumsum(self._drawn)
        self._usual_counts: dict[int, int] = {}

    def draw(self, seen: npt.NDArray[np.integer], generator: np.random.Generator) -> Candidates:
        """Return the candidates of a minibatch.

        Parameters
        ----------
        seen : int array (n,)
            Words of the minibatch that must be among the candidates.
        generator : numpy.random.Generator

        Notes
        -----
        A word with relative frequency f is expected N q + n f times among N draws and n words of text, where q is
        proportional to f^0.75. It is at least once among them with the probability 1 - exp(-(N q + n f)) if these
        numbers follow Poisson distributions.
        """
        if self.samples >= self.word_dim:
            return Candidates(np.arange(self.word_dim), np.zeros(self.word_dim))
        drawn = np.searchsorted(self._cumulative, generator.random(self.samples) * self._cumulative[-1], side="right")
        words = np.unique(np.concatenate([seen, drawn]))
        expected = self.samples * self._drawn[words] + len(seen) * self._unigram[words]
        return Candidates(words, np.log(-np.expm1(-expected)))

    def usual_count(self, seen: int) -> int:
        """Return a number of candidates that minibatches with so many words hardly ever exceed.

        It is five standard deviations above the mean, if the numbers of the words are independent.

        Examples
        --------
        >>> CandidateSampler(1 / np.arange(1.0, 10_001), samples=500).usual_count(600)
        795
        """
        if self.samples >= self.word_dim:
            return self.word_dim
        if seen not in self._usual_counts:
            expected = -np.expm1(-(self.samples * self._drawn + seen * self._unigram))
            deviation = np.sqrt((expected * (1 - expected)).sum())
            self._usual_counts[seen] = math.ceil(expected.sum() + 5 * deviation)
        return self._usual_counts[seen]


def sampler_for(samples: int | str, log_frequencies: npt.ArrayLike) -> CandidateSampler | None:
    """Return what draws so many samples, or None for the exact softmax, without samples.

    Parameters
    ----------
    samples : int
    log_frequencies : array (word_dim,)
        ln of the relative frequency of each word.
    """
    return CandidateSampler(np.exp(log_frequencies), int(samples)) if samples else None
