"""A language model for pyctcdecode's beam search, in place of KenLM."""

import bisect
import math
import sys
from collections.abc import Collection
from typing import Any

from theano_rnn.checks import check_flag, check_real
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, OptionError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.states import State
from theano_rnn.rescoring.decoder_words import DecoderWords
from theano_rnn.text.vocabulary import SPECIAL_TOKENS

try:
    from pyctcdecode.language_model import AbstractLanguageModel
except ImportError:
    AbstractLanguageModel = None

# pyctcdecode adds its offset for unknown words in proportion to the length of a word above this number of characters.
USUAL_LENGTH = 6
PARAMETERS = ("alpha", "beta", "unk_score_offset", "score_boundary")


class PyctcdecodeModel(AbstractLanguageModel or object):  # type: ignore[misc]
    """Scores the words of pyctcdecode's `BeamSearchDecoderCTC`, by the formulas of its own `LanguageModel`.

    A word counts α ln P(word | words before it) + β, and α · unk_score_offset · ln 10 more if it is unknown. The end of
    the sentence counts α ln P.

    Parameters
    ----------
    lm : LanguageModel
        At character level, a word is scored as its characters and the space before it.
    alpha : float
        Weight of the language model.
    beta : float
        Added for each word.
    unk_score_offset : float
        Added to log10 P of an unknown word, and to the score of an unfinished word with which no known word begins.
    score_boundary : bool
        Whether the end of the sentence is scored. (The beginning always is.)
    unigrams : collection of str, optional
        The words that count as known. The default is the vocabulary; at character level, every word is known then.

    Raises
    ------
    OptionError
        If pyctcdecode is not installed.

    Notes
    -----
    A network remembers all words before, so `order` is as large as possible and `prune_history` removes nothing.
    """

    def __init__(
        self,
        lm: LanguageModel,
        alpha: float = 0.5,
        beta: float = 1.5,
        unk_score_offset: float = -10.0,
        score_boundary: bool = True,
        unigrams: Collection[str] | None = None,
    ) -> None:
        if AbstractLanguageModel is None:
            raise OptionError(
                "PyctcdecodeModel needs pyctcdecode, which is not installed; run pip install pyctcdecode, and then "
                'pip install "numpy>=2", because it installs an old NumPy'
            )
        if not isinstance(lm, LanguageModel):
            raise ArgumentTypeError(f"lm: expected a LanguageModel, got {type(lm).__name__}")
        self._words = DecoderWords(lm)
        self.reset_params(alpha=alpha, beta=beta, unk_score_offset=unk_score_offset, score_boundary=score_boundary)
        self._lowers = lm.tokenizer.level == "word" and lm.tokenizer.lowercase and not lm.tokenizer.tokenized
        self._unigrams: frozenset[str] | None = None
        if unigrams is not None:
            if isinstance(unigrams, str):
                raise ArgumentTypeError("unigrams: expected a collection of words, got str")
            self._unigrams = frozenset(map(self._written, unigrams))
        known = self._unigrams
        if known is None and lm.tokenizer.level == "word":
            known = frozenset(lm.vocabulary.index_to_word) - set(SPECIAL_TOKENS)
        self._sorted: list[str] | None = None if known is None else sorted(known)

    def reset_params(self, **params: Any) -> None:
        """Change `alpha`, `beta`, `unk_score_offset` or `score_boundary`; the decoder calls this.

        Raises
        ------
        TypeError, ValueError
            If a name is another one, or a value is not a finite number (for `score_boundary`, True or False).
        """
        for name, value in params.items():
            if name not in PARAMETERS:
                raise ArgumentValueError(f"{name}: expected one of {', '.join(PARAMETERS)}")
            setattr(self, name, check_flag(name, value) if name == "score_boundary" else check_real(name, value))

    @property
    def order(self) -> int:
        """The number of words that a probability depends on: all."""
        return sys.maxsize

    def get_start_state(self) -> State:
        """Return the state at the beginning of a sentence."""
        return self._words.lm.state()

    def score_partial_token(self, partial_token: str) -> float:
        """Return the score of an unfinished word: 0 if a known word begins with it, else `unk_score_offset`."""
        if self._sorted is None or self._is_prefix(self._written(partial_token)):
            return 0.0
        return self.unk_score_offset * max(1.0, len(partial_token) / USUAL_LENGTH)

    def score(self, prev_state: State, word: str, is_last_word: bool = False) -> tuple[float, State]:
        """Score a word after a state.

        Parameters
        ----------
        prev_state : State
        word : str
            May be empty at the end; it then counts nothing.
        is_last_word : bool
            Whether to add the end of the sentence to the score.

        Returns
        -------
        score : float
        state : State
            The state after the word, without the end.
        """
        state, value, known = self._words.advance(prev_state, word)
        if self._unigrams is not None:
            known = self._written(word) in self._unigrams
        score = self.beta if word else 0.0
        if word and not known:
            value += self.unk_score_offset * math.log(10)
        if is_last_word and self.score_boundary:
            value += self._words.end(state)
        return score + self.alpha * value, state

    def _written(self, word: str) -> str:
        """Return a word as the vocabulary spells it."""
        return word.lower() if self._lowers else word

    def _is_prefix(self, beginning: str) -> bool:
        """Tell whether a known word begins like this, or whether it consists of known tokens, such as ``don't``."""
        assert self._sorted is not None
        place = bisect.bisect_left(self._sorted, beginning)
        if place < len(self._sorted) and self._sorted[place].startswith(beginning):
            return True
        if self._unigrams is not None:
            return False
        stem, apostrophe, _ = beginning.partition("'")
        vocabulary = self._words.lm.vocabulary
        return bool(apostrophe) and (stem in vocabulary or stem.removesuffix("n") in vocabulary)
