"""Scores words as the decoders of other programs pass them: a whole word at a time, whatever its tokens are."""

from theano_rnn.errors import ArgumentValueError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.states import State
from theano_rnn.text.vocabulary import SENTENCE_END

REMEMBERED_WORDS = 2**16


class DecoderWords:
    """Advances states by words.

    Parameters
    ----------
    lm : LanguageModel
    spaced : bool
        At character level, put a space between words. Without it, the caller passes spaces as words of their own.

    Attributes
    ----------
    lm : LanguageModel
    """

    def __init__(self, lm: LanguageModel, spaced: bool = True) -> None:
        self.lm: LanguageModel = lm
        is_spaced = spaced and lm.tokenizer.level == "char"
        self._space: list[int] = [lm.vocabulary.find(" ")] if is_spaced else []
        self._ids: dict[str, list[int]] = {}

    def advance(self, state: State, word: str) -> tuple[State, float, bool]:
        """Advance a state by one word.

        Parameters
        ----------
        state : State
        word : str
            May have several tokens, such as ``don't``, or none, such as the empty string.

        Returns
        -------
        state : State
            The state after the word.
        log_probability : float
            ln P(word | words before it), the sum over its tokens.
        known : bool
            Whether the vocabulary has all tokens.
        """
        ids, total = self.ids(word), 0.0
        for index in [*self._space, *ids] if ids and state.tokens else ids:
            state, value = self.lm.advance_id(state, index)
            total += value
        return state, total, self.lm.vocabulary.unknown not in ids

    def end(self, state: State) -> float:
        """Return ln P of the end of the sentence after a state."""
        return self.lm.advance(state, SENTENCE_END)[1]

    def ids(self, word: str) -> list[int]:
        """Return the ids of the tokens of a word. It is one token if it is a single one in some text."""
        found = self._ids.get(word)
        if found is None:
            try:
                found = [self.lm.token_id(word)]
            except ArgumentValueError:
                found = self.lm.vocabulary.encode(self.lm.tokenize(word)).tolist()
            if len(self._ids) >= REMEMBERED_WORDS:
                self._ids.clear()
            self._ids[word] = found
        return found
