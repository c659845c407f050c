"""Scoring one token at a time, as decoders do, and the most probable next tokens."""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_base, check_count
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.language_models.text_model import TextModel
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN

# The names of the special tokens in KenLM and SRILM, which decoders use.
ALIASES = {"</s>": SENTENCE_END, "<unk>": UNKNOWN_TOKEN}
# Contexts in which a word is tokenized to find out whether it is a single token. A full stop, for example, is split
# off only at the end of a sentence. The last contexts are for tokens that are not stable on their own: ",a", which the
# tokenizer finds in ",,a", or "'ye", which it finds in "d'ye".
_CONTEXTS = tuple(itertools.product(("", "x ", ", ", ",", ":", "d"), ("", " x")))


@dataclass(eq=False, repr=False)
class State:
    """The state of a language model after the first tokens of a sentence.

    `LanguageModel.state` and `LanguageModel.advance` return states. Do not set the attributes yourself.

    Attributes
    ----------
    word : int
        The id of the last token, which the network has not read yet.
    s_prev : array (1, state_dim)
        The packed state s_{t-1} before `word`; see `RNN.zero_states`.
    s_t : array (1, state_dim) or None
        The packed state after `word`; computed on first use.
    log_probabilities : array (word_dim,) or None
        ln P of each next token; computed on first use.
    tokens : int or None
        Number of tokens since the beginning of the sentence; None if unknown (in a pickle of version 0.1).
    """

    word: int
    s_prev: npt.NDArray[np.floating]
    s_t: npt.NDArray[np.floating] | None = None
    log_probabilities: npt.NDArray[np.floating] | None = None
    tokens: int | None = field(default=None)

    def __repr__(self) -> str:
        place = "after token id"
        if self.tokens == 0:
            place = "at the beginning of a sentence, last token id"
        elif self.tokens is not None:
            place = f"after {self.tokens} token{'s' if self.tokens > 1 else ''}, last token id"
        return f"State({place} {self.word}, state_dim={self.s_prev.shape[-1]})"


class IncrementalScorer(TextModel):
    """Scores sentences one token at a time."""

    def state(self) -> State:
        """Return the state at the beginning of a sentence.

        Returns
        -------
        State
            For `advance` and `next_log_probabilities`.
        """
        return State(self.start, self.rnn.zero_states(1), tokens=0)

    def advance(self, state: State, word: str, base: float | Literal["e"] = "e") -> tuple[State, float]:
        """Advance a state by one token and score the token.

        A decoder calls this for each of its hypotheses instead of scoring them as a whole.

        Parameters
        ----------
        state : State
            From `state` or `advance`. It is not changed, so you can advance it by several words.
        word : str
            Exactly one token, as returned by `tokenize`; it is lower-cased if the model lower-cases text. A token that
            is not in the vocabulary counts as UNKNOWN_TOKEN. SENTENCE_END, or its alias ``</s>``, ends the sentence; so
            does a newline at character level. UNKNOWN_TOKEN, or ``<unk>``, is the special token itself. If the model
            was trained on tokenized text and its vocabulary has a word spelled ``</s>``, ``<s>`` or ``<unk>``, the
            string refers to that word.
        base : "e" or float
            Base of the logarithm, as in `score`.

        Returns
        -------
        state : State
            The state after the word. After SENTENCE_END, this is the state at the beginning of a sentence.
        log_probability : float
            log P(word | words before it). The sum over the tokens of a sentence and SENTENCE_END is its `score`.

        Raises
        ------
        TypeError, ValueError
            If `word` is not a str or not exactly one token. Examples are ``"the game"``, ``" the"``, ``""`` and, in
            plain text, ``"don't"``, which is two tokens. SENTENCE_START and ``<s>`` are rejected too, because they
            cannot follow a token.
        """
        unit = check_base(base)
        if not isinstance(state, State):
            raise ArgumentTypeError(f"state: expected a State from `state` or `advance`, got {type(state).__name__}")
        index = self._token_id(word)
        value = float(self.next_log_probabilities(state)[index]) / unit
        if index == self.vocabulary.end:
            return self.state(), value
        assert state.s_t is not None  # `next_log_probabilities` has set it
        return State(index, state.s_t, tokens=None if state.tokens is None else state.tokens + 1), value

    def next_log_probabilities(self, state: State) -> npt.NDArray[np.floating]:
        """Return ln P of every vocabulary entry as the next token.

        Parameters
        ----------
        state : State

        Returns
        -------
        array (word_dim,)
            Of type `rnn.dtype`. Computed once per state.
        """
        if state.log_probabilities is None:
            values, state.s_t = self.rnn.next_log_probabilities(np.array([state.word], np.int32), state.s_prev)
            state.log_probabilities = values[0]
        return state.log_probabilities

    def next_words(self, beginning: str, k: int = 10) -> list[tuple[str, float]]:
        """Return the k most probable next tokens.

        Parameters
        ----------
        beginning : str
            The beginning of a sentence; may be empty.
        k : int
            At least 1.

        Returns
        -------
        list of (token, probability)
            Most probable first, with the probabilities of the network's softmax over the whole vocabulary. The list may
            contain SENTENCE_END, and also SENTENCE_START and UNKNOWN_TOKEN, which `generate` never draws.
        """
        k = check_count("k", k)
        o_t = self.rnn.forward_propagation(self.encode(beginning)[:-1])[-1]
        best = np.argsort(-o_t, kind="stable")[:k]
        return list(zip(self.vocabulary.decode(best), o_t[best].tolist(), strict=True))

    def _token_id(self, word: str) -> int:
        """Return the id of an ordinary or special token."""
        if not isinstance(word, str):
            raise ArgumentTypeError(f"word: expected a str, got {type(word).__name__}")
        vocabulary, tokenizer = self.vocabulary, self.tokenizer
        if word == SENTENCE_END:
            return vocabulary.end
        if word == UNKNOWN_TOKEN:
            return vocabulary.unknown
        is_lowered = tokenizer.level == "word" and tokenizer.lowercase and not tokenizer.tokenized
        written = word.lower() if is_lowered else word
        if written in vocabulary:  # before the aliases: tokenized text may contain a word "</s>"
            return vocabulary.find(written)
        if word in ALIASES:
            return vocabulary.word_to_index[ALIASES[word]]
        if word in (SENTENCE_START, "<s>"):
            raise ArgumentValueError(
                f"word: expected one word or SENTENCE_END, got {word!r}; `state` gives the beginning of a sentence"
            )
        return vocabulary.find(single_token(tokenizer, word))


@functools.lru_cache(maxsize=65_536)
def single_token(tokenizer: Tokenizer, word: str) -> str:
    """Return the single token that `word` represents.

    Parameters
    ----------
    tokenizer : Tokenizer
    word : str
        A string that the tokenizer returns as one token in some text. "The" is the token "the" if words are
        lower-cased.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `word` is not exactly one token; the message lists its tokens.
    """
    tokens = tokenizer.tokenize(word)
    is_plain_text = tokenizer.level == "word" and not tokenizer.tokenized
    if is_plain_text and word and not any(map(str.isspace, word)):
        found = [_tokens_in_context(tokenizer, word, before, after) for before, after in _CONTEXTS]
        single = [tokens for tokens in found if len(tokens) == 1]
        if single:
            written = word.lower() if tokenizer.lowercase else word
            return written if [written] in single else single[0][0]
    elif tokens == [word]:
        return word
    kind = "character" if tokenizer.level == "char" else "word"
    message = f"word: expected one {kind} or SENTENCE_END, got {_shortened(word)}"
    if len(tokens) == 1:
        message += f"; remove the whitespace around {_shortened(tokens[0])}"
    elif tokens:
        message += f", which is {len(tokens)} tokens ({_listed(tokens)}); advance by one token at a time"
    raise ArgumentValueError(message)


def _tokens_in_context(tokenizer: Tokenizer, word: str, before: str, after: str) -> list[str]:
    """Return the tokens of a word between two neighbors; empty if the tokenizer does not separate it from them."""
    tokens = tokenizer.tokenize(before + word + after)
    for neighbor, place in ((before.strip(), 0), (after.strip(), -1)):
        if neighbor:
            if not tokens or tokens[place] != neighbor:
                return []
            del tokens[place]
    return tokens


def _listed(tokens: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(map(_shortened, tokens[:most]))
    return f"{shown}, …" if len(tokens) > most else shown


def _shortened(text: str, longest: int = 60) -> str:
    return repr(text) if len(text) <= longest else f"{text[:longest]!r}…"
