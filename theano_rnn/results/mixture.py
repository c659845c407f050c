"""Our probabilities interpolated with another model's: P = λ P_ours + (1 - λ) P_other, token by token."""

import math

import numpy as np

from theano_rnn.errors import CorpusError
from theano_rnn.results.external_scores import TokenScoreFile


def interpolate(values, log10_values, weight):
    """ln of weight · P + (1 - weight) · P_other.

    Parameters
    ----------
    values : float array
        ln P, ours.
    log10_values : sequence of float
        log10 P_other; -inf for a token that the other model holds impossible.
    weight : float
        From 0 to 1: the share of our probabilities.

    Returns
    -------
    float64 array
    """
    ours, other = (math.log(share) if share else -math.inf for share in (weight, 1 - weight))
    return np.logaddexp(ours + values, other + math.log(10) * np.asarray(log10_values, np.float64))


class Mixture:
    """Mixes the scores of a text, sentence by sentence, with those in a file.

    Parameters
    ----------
    path : path
        See `TokenScoreFile`.
    weight : float
        λ, the share of our probabilities.
    """

    def __init__(self, path, weight):
        self._file = TokenScoreFile(path)
        self._weight = weight
        self._sentences = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def mixed(self, values, name, line, words=None):
        """The log-probabilities of the next sentence, mixed.

        Parameters
        ----------
        values : float array
            ln P of each of its tokens, its end included.
        name : str
            Of the text, for messages.
        line : int
            Of the text, from 1.
        words : sequence of str, optional
            Its tokens. Where the file does not say which tokens are sentence ends, they tell words of that spelling.

        Raises
        ------
        CorpusError
            Where the file has another number of tokens, or none of this sentence.
        """
        place = f"{name}, line {line}"
        if len(values) == 1 and not self._file.has_blank_lines:
            raise CorpusError(f"{place}: is blank, and SRILM leaves blank lines out; take them out of the text")
        return interpolate(values, self._next(len(values), place, words).values, self._weight)

    def pass_over(self, name, line):
        """Leave the next sentence out, which is a blank line."""
        if self._file.has_blank_lines:
            self._next(1, f"{name}, line {line}")

    def finish(self):
        """The text has come to its end. Raises CorpusError if the file has not."""
        more = self._file.read(0)
        if more is not None:
            raise CorpusError(
                f"{self._file.path}, line {more.line}: goes on after the {self._sentences} sentences of the text; "
                "score the same text with both models"
            )

    def _next(self, number, place, words=None):
        self._sentences += 1
        scores = self._file.read(number, words)
        if scores is None:
            raise CorpusError(
                f"{self._file.path}: ends before sentence {self._sentences} ({place}); score the same text with both "
                "models"
            )
        found = f"{self._file.path}, line {scores.line}: sentence {self._sentences} has {tokens(scores.number)}"
        if not scores.ended:
            raise CorpusError(
                f"{found} and no sentence end, {place} has {tokens(number)}; score with sentence ends, and a text "
                "whose last line has a line end, too"
            )
        if scores.number != number:
            raise CorpusError(
                f"{found}, {place} has {tokens(number)} (sentence ends counted); both models need the same "
                "tokens: score a tokenized text, with a model that was trained on tokenized text"
            )
        return scores


def tokens(number):
    return f"{number} token{'' if number == 1 else 's'}"
