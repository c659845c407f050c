"""Interpolates the model's probabilities with another model's: P = λ P_ours + (1 - λ) P_other for each token."""

import math
import os
from collections.abc import Sequence
from types import TracebackType

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError
from theano_rnn.rescoring.external_scores import SentenceScores, TokenScoreFile
from theano_rnn.results.text_statistics import plural


def interpolate(
    values: npt.NDArray[np.floating], log10_values: Sequence[float], weight: float
) -> npt.NDArray[np.float64]:
    """Return ln(weight · P + (1 - weight) · P_other).

    Parameters
    ----------
    values : float array
        ln P of each token under this model.
    log10_values : sequence of float
        log10 P_other of each token; -inf for a token that the other model considers impossible.
    weight : float
        Weight of this model, from 0 to 1.

    Returns
    -------
    float64 array

    Examples
    --------
    >>> import numpy as np
    >>> np.exp(interpolate(np.log([0.5]), [-1.0], 0.5)).round(6).tolist()
    [0.3]
    """
    return interpolate_nats(values, math.log(10) * np.asarray(log10_values, np.float64), weight)


def interpolate_nats(
    values: npt.NDArray[np.floating], other: npt.NDArray[np.floating], weight: float
) -> npt.NDArray[np.float64]:
    """Return ln(weight · P + (1 - weight) · P_other) for ln P and ln P_other; see `interpolate`."""
    ours, theirs = (math.log(factor) if factor else -math.inf for factor in (weight, 1 - weight))
    return np.logaddexp(ours + values, theirs + other)


class Mixture:
    """Mixes the scores of a text, sentence by sentence, with those in a file.

    Parameters
    ----------
    path : str or path-like
        A file in a format that `TokenScoreFile` reads.
    weight : float
        λ, the weight of this model's probabilities, from 0 to 1. `other_values` does not use it.

    Raises
    ------
    CorpusError
        If the file cannot be read or contains no log10 probabilities.
    """

    def __init__(self, path: str | os.PathLike[str], weight: float = 0.5) -> None:
        self._file = TokenScoreFile(path)
        self._weight = weight
        self._sentences = 0

    def __enter__(self) -> "Mixture":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def mixed(
        self, values: npt.NDArray[np.floating], name: str, line: int, words: Sequence[str] | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the mixed log-probabilities of the next sentence.

        Parameters
        ----------
        values : float array
            ln P of each token of the sentence, including SENTENCE_END.
        name : str
            Name of the text, for error messages.
        line : int
            Line of the text, counted from 1, for error messages.
        words : sequence of str, optional
            The tokens. If the file does not mark sentence ends, they distinguish these from words with the same
            spelling.

        Raises
        ------
        CorpusError
            If the file has a different number of tokens for this sentence, or ends before it.
        """
        return interpolate_nats(values, self.other_values(len(values), name, line, words), self._weight)

    def other_values(
        self, number: int, name: str, line: int, words: Sequence[str] | None = None
    ) -> npt.NDArray[np.float64]:
        """Return ln P_other of each token of the next sentence.

        Parameters
        ----------
        number : int
            Number of its tokens, including SENTENCE_END.
        name, line, words
            As for `mixed`, which raises the same errors.
        """
        place = f"{name}, line {line}"
        if number == 1 and not self._file.has_blank_lines:
            raise CorpusError(f"{place}: is blank, but SRILM leaves out blank lines; remove them from the text")
        return math.log(10) * np.asarray(self._next(number, place, words).values, np.float64)

    def skip(self, name: str, line: int) -> None:
        """Skip the next sentence, which is a blank line. The parameters are those of `mixed`."""
        if self._file.has_blank_lines:
            self._next(1, f"{name}, line {line}")

    def finish(self) -> None:
        """Check that the file has no sentences after the end of the text.

        Raises
        ------
        CorpusError
            If the file has more sentences.
        """
        more = self._file.read(0)
        if more is not None:
            raise CorpusError(
                f"{self._file.path}, line {more.line}: continues, but the text has no sentence {self._sentences + 1}; "
                "score the same text with both models"
            )

    def _next(self, number: int, place: str, words: Sequence[str] | None = None) -> SentenceScores:
        self._sentences += 1
        scores = self._file.read(number, words)
        if scores is None:
            raise CorpusError(
                f"{self._file.path}: ends before sentence {self._sentences} ({place}); score the same text with both "
                "models"
            )
        found = f"{self._file.path}, line {scores.line}: sentence {self._sentences} has {_tokens(scores.number)}"
        if not scores.ended:
            raise CorpusError(
                f"{found} and no sentence end, {place} has {_tokens(number)}; score with sentence ends, and end the "
                "last line of the text with a newline"
            )
        if scores.number != number:
            raise CorpusError(
                f"{found}, {place} has {_tokens(number)} (sentence ends counted); both models need the same "
                "tokens: score a tokenized text, with a model that was trained on tokenized text"
            )
        return scores


def _tokens(number: int) -> str:
    return f"{number} {plural('token', number)}"
