"""Draws passages from a network: texts that run on through the ends of sentences."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_rnn.engines.engine import T
from theano_rnn.generation.sampling import Sampler
from theano_rnn.networks.rnn import RNN


class PassageSampler(Sampler):
    """Draws passages in parallel, as the network has learned to read its training text.

    With words, the ids are those of sentences, START w w END START w w w END …: END is drawn like a word, START always
    follows it, and a sentence has at least one word. With characters, END is a line end and nothing else follows it.

    Parameters
    ----------
    rnn : RNN
    end : int
        The id of the end of a sentence.
    never : sequence of int
        Ids that are never drawn.
    start : int, optional
        The id that follows `end`, and that the network reads before the first word of a sentence. The default is none,
        as with characters.
    carries_state : bool
        Whether the state is carried over the ends of sentences. If not, it is zero before `start`.

    Attributes
    ----------
    start : int or None
    """

    start: int | None

    def __init__(
        self, rnn: RNN, end: int, never: Sequence[int], start: int | None = None, carries_state: bool = True
    ) -> None:
        super().__init__(rnn, end, never, words_added=[0] * rnn.word_dim)
        self.start = start
        self._carries_state = carries_state

    def _state_before(self, word: Any, s_prev: Any) -> Any:
        if self.start is None or self._carries_state:
            return s_prev
        return T.switch(T.eq(word, self.start)[:, None], np.asarray(0, self.rnn.dtype), s_prev)

    def _is_too_short(self, word: Any, words: Any, min_words: Any) -> Any:
        return T.zeros_like(word) if self.start is None else T.eq(word, self.start)

    def _next_word(self, word: Any, drawn: Any) -> Any:
        if self.start is None:
            return drawn
        return T.switch(T.eq(word, self.end), np.asarray(self.start, np.int32), drawn)
