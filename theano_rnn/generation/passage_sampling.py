"""Draws passages from a network: texts that run on through the ends of sentences."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_rnn.engines.engine import T
from theano_rnn.generation.sampling import Sampler
from theano_rnn.networks.rnn import RNN


class PassageSampler(Sampler):
    """Draws passages in parallel, as the network has learned to read its training text.

    With words, the network reads sentences, START w w END START w w w END …: END is drawn like a word, START always
    follows it, and a sentence has at least one word. With characters, END is a line end and START does not occur.

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
    carries_state : bool
    """

    start: int | None
    carries_state: bool

    def __init__(
        self, rnn: RNN, end: int, never: Sequence[int], start: int | None = None, carries_state: bool = True
    ) -> None:
        super().__init__(rnn, end, never, words_added=[0] * rnn.word_dim)
        self.start = start
        self.carries_state = carries_state

    def _begins_sentence(self, word: Any) -> Any:
        return T.or_(T.eq(word, self.end), T.eq(word, self.start))

    def _read(self, word: Any, s_prev: Any) -> tuple[Any, Any]:
        if self.start is None or self.carries_state:
            return word, s_prev
        # The state after END is not needed, so START is read in its place.
        begins = self._begins_sentence(word)
        s_prev = T.switch(begins[:, None], np.asarray(0, self.rnn.dtype), s_prev)
        return T.switch(begins, np.asarray(self.start, np.int32), word), s_prev

    def _is_too_short(self, word: Any, words: Any, min_words: Any) -> Any:
        return T.zeros_like(word) if self.start is None else self._begins_sentence(word)

    def _next_word(self, word: Any, drawn: Any) -> Any:
        if self.start is None or not self.carries_state:
            return drawn
        # END was drawn in the step before. In this step the network reads it, and nothing is drawn.
        return T.switch(T.eq(word, self.end), np.asarray(self.start, np.int32), drawn)
