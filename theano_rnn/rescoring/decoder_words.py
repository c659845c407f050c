"""Scores words as the decoders of other programs pass them: a whole word at a time, whatever its tokens are."""

from theano_rnn.errors import ArgumentValueError
from theano_rnn.language_models.incremental_scoring import ALIASES, single_token
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.states import State
from theano_rnn.text.vocabulary import SENTENCE_END, UNKNOWN_TOKEN

SPECIAL = {SENTENCE_END, UNKNOWN_TOKEN, *ALIASES}


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
    spaced : bool
    """

    def __init__(self, lm: LanguageModel, spaced: bool = True) -> None:
        self.lm: LanguageModel = lm
        self.spaced: bool = spaced
        self._tokens: dict[str, list[str]] = {}

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
        total, known = 0.0, True
        tokens = self.tokens(word)
        if tokens and self.spaced and self.lm.tokenizer.level == "char" and state.tokens:
            tokens = [" ", *tokens]
        for token in tokens:
            state, value = self.lm.advance(state, token)
            total += value
            known = known and state.word != self.lm.vocabulary.unknown
        return state, total, known

    def end(self, state: State) -> float:
        """Return ln P of the end of the sentence after a state."""
        return self.lm.advance(state, SENTENCE_END)[1]

    def tokens(self, word: str) -> list[str]:
        """Return the tokens of a word. A word is a single token if it is one in some text."""
        found = self._tokens.get(word)
        if found is None:
            found = self._tokens[word] = self._split(word)
        return found

    def _split(self, word: str) -> list[str]:
        tokenizer = self.lm.tokenizer
        if word in SPECIAL:
            return [word]
        if tokenizer.level == "char":
            return list(word)
        try:
            return [single_token(tokenizer, word)]
        except ArgumentValueError:
            return tokenizer.tokenize(word)
