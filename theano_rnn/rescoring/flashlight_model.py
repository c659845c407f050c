"""A language model for the decoders of flashlight-text, in place of KenLM."""

from collections.abc import Sequence
from typing import Any, Literal

from theano_rnn.checks import check_base
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, OptionError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.states import State
from theano_rnn.rescoring.decoder_words import DecoderWords

try:
    from flashlight.lib.text.decoder import LM, LMState
except ImportError:
    LM = LMState = None

END = -1  # the index that leads to the state after the end; words have indices from 0


class FlashlightModel(LM or object):  # type: ignore[misc]
    """Scores the words, or the tokens, of flashlight's `LexiconDecoder` and `LexiconFreeDecoder`.

    Keep a reference to the model as long as its decoder is in use; the decoder does not. Use one for each decoder: the
    states of an utterance are kept until the next one begins.

    Parameters
    ----------
    lm : LanguageModel
    words : sequence of str
        What the indices stand for that the decoder passes: the words that were inserted into the trie, or the tokens
        for a decoder without a lexicon. A word may consist of several tokens of the language model, such as ``don't``,
        or of none; then it counts nothing. ``<unk>`` is the unknown word.
    base : "e" or float
        Base of the logarithms. The default, 10, is KenLM's, so that `lm_weight` means the same.

    Raises
    ------
    OptionError
        If flashlight-text is not installed.
    TypeError, ValueError
        If `words` is not a sequence of str, or `base` is invalid.

    Notes
    -----
    With a language model of characters, a space is put before each word but the first, unless all words have at most
    one character: then they are the characters themselves, with ``" "`` among them.
    """

    def __init__(self, lm: LanguageModel, words: Sequence[str], base: float | Literal["e"] = 10) -> None:
        if LM is None:
            raise OptionError(
                'FlashlightModel needs flashlight-text, which is not installed; run pip install ".[flashlight]"'
            )
        super().__init__()
        if not isinstance(lm, LanguageModel):
            raise ArgumentTypeError(f"lm: expected a LanguageModel, got {type(lm).__name__}")
        if isinstance(words, str) or not all(isinstance(word, str) for word in words):
            raise ArgumentTypeError("words: expected a list of str, in the order of their indices")
        self._list: list[str] = list(words)
        self._words = DecoderWords(lm, spaced=any(len(word) > 1 for word in self._list))
        self._unit: float = check_base(base)
        # By flashlight's states, which have no room for ours: our state, and the score that led to it. The keys must
        # be kept, because a state that returns from C++ is the same Python object only while that exists.
        self._states: dict[Any, tuple[State, float]] = {}

    def start(self, start_with_nothing: bool) -> Any:
        """Return the state at the beginning of a sentence, and forget the utterance before."""
        beginning = LMState()
        self._states = {beginning: (self._words.lm.state(), 0.0)}
        return beginning

    def score(self, state: Any, usr_token_idx: int) -> tuple[Any, float]:
        """Return the state after a word, and its log-probability.

        Raises
        ------
        ValueError
            If there is no word of this index, or the state is of another utterance.
        """
        if not 0 <= usr_token_idx < len(self._list):
            raise ArgumentValueError(
                f"usr_token_idx: expected an index of the {len(self._list)} words, got {usr_token_idx}"
            )
        following = state.child(usr_token_idx)
        if following not in self._states:
            after, value, _ = self._words.advance(self._state(state), self._list[usr_token_idx])
            self._states[following] = after, value / self._unit
        return following, self._states[following][1]

    def finish(self, state: Any) -> tuple[Any, float]:
        """Return the state after the end of the sentence, and the log-probability of the end."""
        following = state.child(END)
        if following not in self._states:
            before = self._state(state)
            self._states[following] = before, self._words.end(before) / self._unit
        return following, self._states[following][1]

    def _state(self, state: Any) -> State:
        if state not in self._states:
            raise ArgumentValueError("state: is of an earlier utterance; use one FlashlightModel for each decoder")
        return self._states[state][0]
