"""One step of a beam search, which expands all hypotheses at once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import T, as_numpy, compile_function
from theano_rnn.engines.top_k import TopK
from theano_rnn.networks.forward import all_log_probabilities, next_state
from theano_rnn.networks.rnn import RNN


class BeamExpander:
    """Scores the end and the best continuations of each hypothesis of a beam.

    Parameters
    ----------
    rnn : RNN
    end : int
        The id that ends a text.
    never : sequence of int
        Ids that no text contains.
    words_added : sequence of int
        The number of words that each id adds to the length of a text.
    """

    def __init__(self, rnn: RNN, end: int, never: Sequence[int], words_added: Sequence[int]) -> None:
        self.rnn = rnn
        self.end = end
        self.words_added: npt.NDArray[np.int32] = np.array(words_added, np.int32)
        self._continuation_bias = np.zeros(rnn.word_dim, rnn.dtype)
        self._continuation_bias[[end, *never]] = -np.inf
        self._functions: dict[tuple[int, bool], Callable[..., Any]] = {}

    def _function(self, k: int, masked: bool) -> Callable[..., Any]:
        rnn = self.rnn

        def build() -> Any:
            word, words = T.ivector("word"), T.ivector("words")
            s_prev = T.matrix("s_prev", dtype=rnn.dtype)
            min_words, max_words = T.iscalar("min_words"), T.iscalar("max_words")
            forbidden = T.matrix("forbidden", dtype="bool")
            top, s_t = next_state(word, s_prev, rnn.symbolic)
            log_o = all_log_probabilities(top, rnn.symbolic)
            impossible = np.asarray(-np.inf, rnn.dtype)
            ends = T.switch(words < min_words, impossible, log_o[:, self.end])
            too_long = words[:, None] + T.constant(self.words_added)[None, :] > max_words
            continues = T.switch(too_long, impossible, log_o + T.constant(self._continuation_bias))
            if masked:
                continues = T.switch(forbidden, impossible, continues)
            inputs = [word, s_prev, words, min_words, max_words, *([forbidden] if masked else [])]
            return inputs, [ends, *TopK(k)(continues), s_t], None

        return compile_function(build, rnn.dtype)

    def __call__(
        self,
        k: int,
        word: npt.ArrayLike,
        s_prev: npt.ArrayLike,
        words: npt.ArrayLike,
        min_words: int,
        max_words: int,
        forbidden: npt.NDArray[np.bool_] | None = None,
    ) -> list[npt.NDArray[Any]]:
        """Expand the hypotheses.

        Parameters
        ----------
        k : int
            Number of continuations per hypothesis, at most `word_dim`.
        word : int array (hypotheses,)
            The last id of each hypothesis.
        s_prev : array (hypotheses, state_dim)
            The hidden state before `word`.
        words : int array (hypotheses,)
            Length of each hypothesis in words.
        min_words, max_words : int
            A hypothesis of fewer than `min_words` words may not end, and none may exceed `max_words`.
        forbidden : bool array (hypotheses, word_dim), optional
            Ids that a hypothesis may not continue with.

        Returns
        -------
        ends : array (hypotheses,)
            ln P(end | hypothesis) under the full softmax; -inf if it may not end.
        log_probabilities : array (hypotheses, k)
            ln P of the k most probable continuations, in descending order; -inf where an id is not allowed.
        ids : int32 array (hypotheses, k)
            The ids of these continuations.
        s_t : array (hypotheses, state_dim)
            The hidden state after `word`.
        """
        key = (k, forbidden is not None)
        if key not in self._functions:
            self._functions[key] = self._function(*key)
        results = self._functions[key](
            np.asarray(word, np.int32),
            np.asarray(s_prev, self.rnn.dtype),
            np.asarray(words, np.int32),
            np.asarray(min_words, np.int32),
            np.asarray(max_words, np.int32),
            *([] if forbidden is None else [forbidden]),
        )
        return [as_numpy(result) for result in results]
