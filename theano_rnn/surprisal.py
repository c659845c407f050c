"""Surprisal, -log2 P(token | tokens before it) in bits, and the figures of a scored corpus."""

import math

import numpy as np

from theano_rnn.scoring import perplexity


def surprisal(log_probabilities):
    """-log2 P in bits: float64 array of the shape of `log_probabilities`, which are natural logarithms."""
    bits = np.asarray(log_probabilities, dtype=np.float64) / -math.log(2)
    return np.maximum(bits, 0)  # no -0, and nothing below it by rounding


def readable(perplexity):
    """A perplexity for people."""
    return f"{perplexity:,.2f}" if perplexity < 1e7 else f"{perplexity:.2e}"


class CorpusFigures:
    """What was scored so far, a sentence at a time.

    Attributes
    ----------
    sentences : int
    tokens : int
        Sentence ends counted.
    unknown : int
        Tokens that the vocabulary lacks.
    log_probability : float
        Summed over the tokens, in nats.
    """

    def __init__(self):
        self.sentences = self.tokens = self.unknown = 0
        self.log_probability = 0.0

    def add(self, values, known):
        """Count a sentence: ln P of each of its tokens and whether it is known, as arrays with its end."""
        self.sentences += 1
        self.tokens += len(values)
        self.unknown += int((~known).sum())
        self.log_probability += float(values.sum())

    @classmethod
    def of(cls, values, known):
        """The figures of one sentence alone."""
        figures = cls()
        figures.add(values, known)
        return figures

    @property
    def words(self):
        """The tokens that are no sentence ends."""
        return self.tokens - self.sentences

    @property
    def unknown_share(self):
        """Of the words."""
        return self.unknown / max(self.words, 1)

    @property
    def perplexity(self):
        """Per token."""
        return perplexity(self.log_probability, self.tokens)

    @property
    def bits_per_token(self):
        """The mean surprisal of a token."""
        return max(-self.log_probability / math.log(2) / self.tokens, 0.0)
