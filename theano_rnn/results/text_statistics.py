"""What is counted of scored texts: sentences, tokens, unknown words, log-probabilities, both perplexities."""

import math
from dataclasses import dataclass, field

import numpy as np

from theano_rnn.language_models.scoring import perplexity

UNKNOWN_WORDS = ("include", "exclude")


@dataclass
class Tokens:
    """Some tokens' number and log-probability.

    Attributes
    ----------
    number : int
    impossible : int
        How many of them have probability 0, as those mixed with another model's alone can have.
    finite_log_probability : float
        Summed over the others, in nats.
    """

    number: int = 0
    impossible: int = 0
    finite_log_probability: float = 0.0

    @classmethod
    def of(cls, values):
        """Tokens with these log-probabilities: float array, in nats."""
        total = float(values.sum())
        if math.isfinite(total):
            return cls(len(values), 0, total)
        possible = np.isfinite(values)
        return cls(len(values), int((~possible).sum()), float(values[possible].sum()))

    def add(self, other):
        """Count these too."""
        self.number += other.number
        self.impossible += other.impossible
        self.finite_log_probability += other.finite_log_probability

    @property
    def log_probability(self):
        """Summed, in nats; -inf if one of the tokens is impossible."""
        return -math.inf if self.impossible else self.finite_log_probability

    @property
    def perplexity(self):
        """Per token; infinite if one of the tokens is impossible."""
        return perplexity(self.log_probability, self.number)


@dataclass
class TextStatistics:
    """The figures of a text, or of one sentence.

    Attributes
    ----------
    sentences : int
    unknown : int
        Words that the vocabulary lacks.
    including, excluding : Tokens
        All tokens, and those without the unknown words; each sentence's end is a token in both.
    """

    sentences: int = 0
    unknown: int = 0
    including: Tokens = field(default_factory=Tokens)
    excluding: Tokens = field(default_factory=Tokens)

    @classmethod
    def of(cls, values, known):
        """The figures of one sentence.

        Parameters
        ----------
        values : float array
            ln P of each of its tokens, its end included.
        known : bool array
        """
        including = Tokens.of(values)
        unknown = len(known) - int(np.count_nonzero(known))
        return cls(1, unknown, including, Tokens.of(values[known]) if unknown else including)

    def add(self, other):
        """Count these too."""
        self.sentences += other.sentences
        self.unknown += other.unknown
        self.including.add(other.including)
        self.excluding.add(other.excluding)

    @property
    def tokens(self):
        """Words and sentence ends."""
        return self.including.number

    @property
    def words(self):
        return self.tokens - self.sentences

    def counted(self, unknown):
        """The tokens that count: with unknown words ("include") or without ("exclude")."""
        return {"include": self.including, "exclude": self.excluding}[unknown]
