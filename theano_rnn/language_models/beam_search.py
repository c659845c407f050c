"""Beam search for the most probable texts, as ids: how the beam moves on and when it has found them."""

import dataclasses

import numpy as np

from theano_rnn.language_models.generation import last_state, most_tokens
from theano_rnn.language_models.repetition import SeenNgrams


@dataclasses.dataclass(frozen=True)
class OpenText:
    """A text that has not ended: its ids after the beginning, ln P of all so far, and its length in words."""

    ids: tuple
    log_probability: float
    words: int
    seen: SeenNgrams | None

    def longer(self, index, log_probability, words_added):
        seen = None
        if self.seen is not None:
            seen = self.seen.copy()
            seen.add(index)
        return OpenText((*self.ids, index), log_probability, self.words + words_added, seen)


class Finished:
    """The n most probable of the finished texts found so far, each once.

    Parameters
    ----------
    n : int
        At least 1.
    write : callable
        Gives of a text's ids what it is written as: different ids may be the same text.
    """

    def __init__(self, n, write):
        self.n = n
        self.write = write
        self._found = {}  # what is written: (ln P, ids)

    @property
    def threshold(self):
        """What a text's ln P must exceed to be among them."""
        return min(value for value, _ in self._found.values()) if len(self._found) == self.n else -np.inf

    def add(self, ids, log_probability):
        if not log_probability > self.threshold:
            return
        written = self.write(ids)
        if written in self._found and self._found[written][0] >= log_probability:
            return
        self._found[written] = (log_probability, ids)
        if len(self._found) > self.n:
            del self._found[min(self._found, key=lambda one: self._found[one][0])]

    def best_first(self):
        """A list of (what is written, ln P)."""
        order = sorted(self._found.items(), key=lambda one: -one[1][0])
        return [(written, value) for written, (value, _) in order]


def most_probable_texts(
    step, beginning, beam, n, write, *, words, min_words, max_words, log_probability=0.0, seen=None
):
    """The n most probable texts that go on from `beginning`, as far as a beam finds them.

    At each step the `beam` most probable open texts go on, each with every token that may follow; that a text ends
    takes none of these places. No text's probability grows with its length: the search is over when n finished ones are
    at least as probable as each open one.

    Parameters
    ----------
    step : BeamStep
    beginning : int array
        The start marker and the ids of the prompt.
    beam, n : int
        n at least 1.
    write : callable
        Of ids after the beginning: what is written. Of texts that are written alike only the most probable is kept.
    words : int
        Length of the prompt in words; it counts towards `min_words` and `max_words`.
    min_words, max_words : int
        A text that is as long as it may be can only end, or go on with marks that are no words.
    log_probability : float
        Of the prompt, in nats.
    seen : SeenNgrams, optional
        The n-grams of the prompt, where none may occur twice.

    Returns
    -------
    list of (what is written, ln P)
        The most probable first; ln P of prompt, text and end, in nats.
    """
    finished = Finished(n, write)
    texts = [OpenText((), log_probability, words, seen)]
    # One shape for the compiled step: rows beyond the open texts have no meaning.
    last = np.full(beam, beginning[-1], np.int32)
    states = np.tile(last_state(step.rnn, beginning), (beam, 1))
    k = min(beam, step.rnn.word_dim)
    for _ in range(most_tokens(max_words) + 1):
        lengths = np.zeros(beam, np.int32)
        lengths[: len(texts)] = [text.words for text in texts]
        forbidden = forbidden_ids(texts, step, beam)
        ends, values, ids, states = step(k, last, states, lengths, min_words, max_words, forbidden)
        for text, end in zip(texts, ends, strict=False):
            finished.add(text.ids, text.log_probability + float(end))
        totals = np.array([text.log_probability for text in texts])[:, None] + values[: len(texts)]
        order = np.argsort(-totals, axis=None, kind="stable")[:beam]
        rows, columns = np.unravel_index(order[totals.ravel()[order] > finished.threshold], totals.shape)
        if not len(rows):
            break
        texts = [
            texts[row].longer(int(ids[row, column]), float(totals[row, column]), step.words_added[ids[row, column]])
            for row, column in zip(rows, columns, strict=True)
        ]
        last[: len(texts)] = ids[rows, columns]
        states[: len(texts)] = states[rows]
    return finished.best_first()


def forbidden_ids(texts, step, beam):
    """What would repeat an n-gram, by text: array (beam, word_dim) of bool; None where that is allowed."""
    if texts[0].seen is None:
        return None
    forbidden = np.zeros((beam, step.rnn.word_dim), bool)
    for row, text in enumerate(texts):
        forbidden[row, [index for index in text.seen.repeating() if isinstance(index, int)]] = True
    return forbidden
