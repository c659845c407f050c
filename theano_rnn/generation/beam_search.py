"""Beam search for the most probable texts, as ids."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from theano_rnn.generation.beam_expansion import BeamExpander
from theano_rnn.generation.repetition import SeenNgrams
from theano_rnn.generation.text_groups import last_state, most_tokens


@dataclasses.dataclass(frozen=True)
class Hypothesis:
    """A text that has not ended.

    Attributes
    ----------
    ids : tuple of int
        The ids after the prompt.
    log_probability : float
        ln P of the prompt and these ids.
    words : int
        Length in words, prompt included.
    seen : SeenNgrams or None
        The n-grams so far, if none may be repeated.
    """

    ids: tuple[int, ...]
    log_probability: float
    words: int
    seen: SeenNgrams | None

    def extended(self, index: int, log_probability: float, words_added: int) -> "Hypothesis":
        """Return the hypothesis with one more id; `log_probability` is the new total."""
        seen = None
        if self.seen is not None:
            seen = self.seen.copy()
            seen.add(index)
        return Hypothesis((*self.ids, index), log_probability, self.words + words_added, seen)


class BestTexts:
    """The n most probable finished texts found so far, without duplicates.

    Parameters
    ----------
    n : int
        At least 1.
    to_text : callable
        Converts the ids of a text to the text. Different ids may give the same text.
    """

    def __init__(self, n: int, to_text: Callable[[Sequence[int]], str]) -> None:
        self.n = n
        self._to_text = to_text
        self._found: dict[str, float] = {}  # ln P of each text

    @property
    def threshold(self) -> float:
        """The value that ln P of a text must exceed for the text to be kept."""
        return min(self._found.values()) if len(self._found) == self.n else -np.inf

    def add(self, ids: Sequence[int], log_probability: float) -> None:
        """Add a finished text if it is among the best."""
        if not log_probability > self.threshold:
            return
        text = self._to_text(ids)
        if text in self._found and self._found[text] >= log_probability:
            return
        self._found[text] = log_probability
        if len(self._found) > self.n:
            del self._found[min(self._found, key=lambda text: self._found[text])]

    def best_first(self) -> list[tuple[str, float]]:
        """Return (text, ln P) pairs, most probable first."""
        return sorted(self._found.items(), key=lambda pair: -pair[1])


def most_probable_texts(
    expander: BeamExpander,
    beginning: npt.NDArray[np.int32],
    beam: int,
    n: int,
    to_text: Callable[[Sequence[int]], str],
    *,
    words: int,
    min_words: int,
    max_words: int,
    log_probability: float = 0.0,
    seen: SeenNgrams | None = None,
) -> list[tuple[str, float]]:
    """Search for the n most probable texts that begin with a prompt.

    At each step, the `beam` most probable hypotheses are extended by every token that may follow. Finished texts take
    no place in the beam. Extending a text never makes it more probable, so the search ends when n finished texts are at
    least as probable as every hypothesis.

    Parameters
    ----------
    expander : BeamExpander
    beginning : int array
        The start marker and the ids of the prompt.
    beam : int
        Width of the beam.
    n : int
        At least 1.
    to_text : callable
        Converts the ids after the prompt to text. Of several id sequences with the same text, only the most probable is
        kept.
    words : int
        Length of the prompt in words; it counts toward `min_words` and `max_words`.
    min_words, max_words : int
        Limits of the length. A text of `max_words` words can only end or continue with punctuation.
    log_probability : float
        ln P of the prompt.
    seen : SeenNgrams, optional
        The n-grams of the prompt, if none may be repeated.

    Returns
    -------
    list of (text, ln P)
        Most probable first; ln P includes the prompt and the end of the text.
    """
    best = BestTexts(n, to_text)
    hypotheses = [Hypothesis((), log_probability, words, seen)]
    # The arrays have the same shape at each step, so that only one function is compiled. Rows beyond the hypotheses
    # are ignored.
    last = np.full(beam, beginning[-1], np.int32)
    states = np.tile(last_state(expander.rnn, beginning), (beam, 1))
    k = min(beam, expander.rnn.word_dim)
    for _ in range(most_tokens(max_words) + 1):
        lengths = np.zeros(beam, np.int32)
        lengths[: len(hypotheses)] = [hypothesis.words for hypothesis in hypotheses]
        forbidden = _forbidden_ids(hypotheses, beam, expander.rnn.word_dim)
        ends, values, ids, states = expander(k, last, states, lengths, min_words, max_words, forbidden)
        for hypothesis, end in zip(hypotheses, ends, strict=False):
            best.add(hypothesis.ids, hypothesis.log_probability + float(end))
        so_far = np.array([hypothesis.log_probability for hypothesis in hypotheses])
        totals = so_far[:, None] + values[: len(hypotheses)]
        order = np.argsort(-totals, axis=None, kind="stable")[:beam]
        rows, columns = np.unravel_index(order[totals.ravel()[order] > best.threshold], totals.shape)
        if not len(rows):
            break
        hypotheses = [
            hypotheses[row].extended(int(index), float(totals[row, column]), int(expander.words_added[index]))
            for row, column, index in zip(rows, columns, ids[rows, columns], strict=True)
        ]
        last[: len(hypotheses)] = ids[rows, columns]
        states[: len(hypotheses)] = states[rows]
    return best.best_first()


def _forbidden_ids(hypotheses: Sequence[Hypothesis], beam: int, word_dim: int) -> npt.NDArray[np.bool_] | None:
    """The ids that would repeat an n-gram of each hypothesis: (beam, word_dim); None if repetition is allowed."""
    if hypotheses[0].seen is None:
        return None
    forbidden = np.zeros((beam, word_dim), bool)
    for row, hypothesis in enumerate(hypotheses):
        assert hypothesis.seen is not None  # all hypotheses are extensions of the first one
        forbidden[row, [index for index in hypothesis.seen.repeating() if isinstance(index, int)]] = True
    return forbidden
