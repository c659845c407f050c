"""Totals of scored texts: sentences, tokens, unknown words, log-probabilities, perplexity, surprisal in bits."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from theano_rnn.language_models.scoring import perplexity


def surprisal(log_probabilities: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return -log2 P in bits.

    Parameters
    ----------
    log_probabilities : array_like
        Natural logarithms of probabilities.

    Returns
    -------
    float64 array of the same shape
        At least 0.

    Examples
    --------
    >>> import math
    >>> surprisal([math.log(0.25), 0.0]).tolist()
    [2.0, 0.0]
    """
    bits = np.asarray(log_probabilities, dtype=np.float64) / -math.log(2)
    return np.maximum(bits, 0.0)  # removes negative values caused by rounding, and -0.0


@dataclass
class TokenTotals:
    """A number of tokens and the sum of their log-probabilities.

    Attributes
    ----------
    number : int
    impossible : int
        Number of tokens with probability 0, which occur in mixtures with another model.
    finite_log_probability : float
        The sum of ln P over the other tokens.
    """

    number: int = 0
    impossible: int = 0
    finite_log_probability: float = 0.0

    @classmethod
    def of(cls, values: npt.NDArray[np.floating]) -> "TokenTotals":
        """Return the totals of tokens with these log-probabilities, in nats."""
        total = float(values.sum())
        if math.isfinite(total):
            return cls(len(values), 0, total)
        possible = np.isfinite(values)
        return cls(len(values), int((~possible).sum()), float(values[possible].sum()))

    def add(self, other: "TokenTotals") -> None:
        """Add other totals to these."""
        self.number += other.number
        self.impossible += other.impossible
        self.finite_log_probability += other.finite_log_probability

    @property
    def log_probability(self) -> float:
        """The sum of ln P; -inf if a token is impossible."""
        return -math.inf if self.impossible else self.finite_log_probability

    @property
    def perplexity(self) -> float:
        """Perplexity per token; infinite if a token is impossible."""
        return perplexity(self.log_probability, self.number)

    @property
    def bits_per_token(self) -> float:
        """Mean surprisal in bits; at character level, this is bits per character."""
        return float(surprisal(self.log_probability) / self.number)


@dataclass
class TextStatistics:
    """The totals of a text or a sentence.

    Attributes
    ----------
    sentences : int
    unknown : int
        Number of words that are not in the vocabulary.
    with_unknown, without_unknown : TokenTotals
        Totals of all tokens, and of the known tokens. Both count each sentence end as a token.
    """

    sentences: int = 0
    unknown: int = 0
    with_unknown: TokenTotals = field(default_factory=TokenTotals)
    without_unknown: TokenTotals = field(default_factory=TokenTotals)

    @classmethod
    def of_sentence(cls, values: npt.NDArray[np.floating], known: npt.NDArray[np.bool_]) -> "TextStatistics":
        """Return the totals of one sentence.

        Parameters
        ----------
        values : float array
            ln P of each token, including SENTENCE_END.
        known : bool array
            Whether the vocabulary has each token.
        """
        with_unknown = TokenTotals.of(values)
        unknown = len(known) - int(np.count_nonzero(known))
        return cls(1, unknown, with_unknown, TokenTotals.of(values[known]) if unknown else with_unknown)

    def add(self, other: "TextStatistics") -> None:
        """Add the totals of another text to these."""
        self.sentences += other.sentences
        self.unknown += other.unknown
        self.with_unknown.add(other.with_unknown)
        self.without_unknown.add(other.without_unknown)

    @property
    def tokens(self) -> int:
        """Number of words and sentence ends."""
        return self.with_unknown.number

    @property
    def words(self) -> int:
        """Number of words; of characters at character level."""
        return self.tokens - self.sentences

    def counted(self, unknown: str | None) -> TokenTotals:
        """Return the totals without unknown words if `unknown` is "exclude", else with them."""
        return self.without_unknown if unknown == "exclude" else self.with_unknown


def plural(noun: str, count: int) -> str:
    """Return the form of a regular noun to use after a count: "sentence" after 1, else "sentences"."""
    return noun if count == 1 else f"{noun}s"
