"""Scoring one token at a time, as decoders do, and the most probable next tokens."""

import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_base, check_count
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.language_models.batched_steps import chosen_steps
from theano_rnn.language_models.states import Expansion, RecentStates, State, identity
from theano_rnn.language_models.text_model import TextModel
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN

# The names of the special tokens in KenLM and SRILM, which decoders use.
ALIASES = {"</s>": SENTENCE_END, "<unk>": UNKNOWN_TOKEN}
# Contexts in which a word is tokenized to find out whether it is a single token. A full stop, for example, is split
# off only at the end of a sentence. The last contexts are for tokens that are not stable on their own: ",a", which the
# tokenizer finds in ",,a", or "'ye", which it finds in "d'ye".
_CONTEXTS = tuple(itertools.product(("", "x ", ", ", ",", ":", "d"), ("", " x")))


class IncrementalScorer(TextModel):
    """Scores sentences one token at a time."""

    def state(self) -> State:
        """Return the state at the beginning of a sentence.

        Returns
        -------
        State
            For `advance`, `advance_many` and `next_log_probabilities`.
        """
        self._network = identity(self.rnn)
        return self._beginning()

    def advance(self, state: State, word: str, base: float | Literal["e"] = "e") -> tuple[State, float]:
        """Advance a state by one token and score the token.

        A decoder calls this for each of its hypotheses instead of scoring them as a whole.

        Parameters
        ----------
        state : State
            From `state`, `advance` or `advance_many`. It is not changed, so you can advance it by several words.
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
            cannot follow a token. Also if the state is another model's.
        """
        unit = check_base(base)
        following, value = self.advance_id(state, self.token_id(word))
        return following, value / unit

    def advance_id(self, state: State, index: int) -> tuple[State, float]:
        """Advance a state by the token with an id, as `token_id` returns it, and return ln P of it, as `advance`."""
        self._check_state(state, "state")
        values, s_t = self._expansion(state)
        following = self._beginning() if index == self.vocabulary.end else state.after(index, s_t)
        return following, float(values[index])

    def advance_many(
        self, states: Sequence[State], words: Sequence[str], base: float | Literal["e"] = "e"
    ) -> tuple[list[State], npt.NDArray[np.float64]]:
        """Advance several states by one token each, in one step of the network for all of them.

        This is faster than calling `advance` for each: a state that occurs several times is computed once. The results
        are those of `advance`, except for rounding (relative 1e-6 in single precision).

        Parameters
        ----------
        states : sequence of n State
            As for `advance`. They may be equal, or at different places in different sentences.
        words : sequence of n str
            One token for each state, as for `advance`.
        base : "e" or float
            Base of the logarithm, as in `score`.

        Returns
        -------
        states : list of n State
        log_probabilities : float64 array (n,)
            What `advance` returns for each state and word.

        Raises
        ------
        TypeError, ValueError
            As for `advance`; the message gives the index. Also if there are not as many words as states.

        Examples
        --------
        Expand one state by several words:

        >>> from theano_rnn import RNN, LanguageModel
        >>> from theano_rnn.text.tokenizer import Tokenizer
        >>> from theano_rnn.text.vocabulary import Vocabulary
        >>> vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog"])
        >>> lm = LanguageModel(RNN(word_dim=5, hidden_dim=3, seed=1), vocabulary, Tokenizer())
        >>> states, values = lm.advance_many([lm.state()] * 3, ["the", "dog", "SENTENCE_END"])
        >>> values.shape, states[2] == lm.state()
        ((3,), True)
        """
        unit = check_base(base)
        states, words = _as_lists(states, words)
        for i, state in enumerate(states):
            self._check_state(state, f"states[{i}]")
        ids = [self.token_id(word, f"words[{i}]") for i, word in enumerate(words)]
        rows: dict[State, int] = {}
        places = [rows.setdefault(state, len(rows)) for state in states]
        after: Sequence[npt.NDArray[np.floating]]
        if len(rows) == 1:
            all_values, s_t = self._expansion(states[0])
            values, after = all_values[ids], [s_t]
        else:
            values, after = chosen_steps(self.rnn, list(rows), places, ids)
        end = self.vocabulary.end
        following = [
            self._beginning() if index == end else state.after(index, after[place])
            for state, index, place in zip(states, ids, places, strict=True)
        ]
        return following, values.astype(np.float64) / unit

    def next_log_probabilities(self, state: State) -> npt.NDArray[np.floating]:
        """Return ln P of every vocabulary entry as the next token.

        Parameters
        ----------
        state : State

        Returns
        -------
        array (word_dim,)
            Of type `rnn.dtype`, read-only. The model keeps it for the states that were used last, up to 64 MB.
        """
        self._check_state(state, "state")
        return self._expansion(state)[0]

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

    def token_id(self, word: str, name: str = "word") -> int:
        """Return the id of an ordinary or special token.

        Parameters
        ----------
        word : str
            As for `advance`, which also says which errors are raised.
        name : str
            The name of the argument, for messages.
        """
        if not isinstance(word, str):
            raise ArgumentTypeError(f"{name}: expected a str, got {type(word).__name__}")
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
                f"{name}: expected one word or SENTENCE_END, got {word!r}; `state` gives the beginning of a sentence"
            )
        try:
            return vocabulary.find(single_token(tokenizer, word))
        except ArgumentValueError as error:
            raise ArgumentValueError(f"{name}{str(error).removeprefix('word')}") from None

    @functools.cached_property
    def _network(self) -> bytes:
        """What identifies the network; `state` sets it anew, because the network may have been trained meanwhile."""
        return identity(self.rnn)

    @functools.cached_property
    def _recent(self) -> RecentStates:
        return RecentStates()

    def _beginning(self) -> State:
        return State.initial(self.start, self.rnn.zero_states(1), self._network)

    def _check_state(self, state: State, name: str) -> None:
        """Raise an error if the argument is not a state, or not of this model."""
        if not isinstance(state, State):
            raise ArgumentTypeError(f"{name}: expected a State from `state` or `advance`, got {type(state).__name__}")
        if state.model == self._network:
            return
        self._network = identity(self.rnn)
        is_old = state.model is None and state.s_prev.shape == (1, self.rnn.architecture.state_dim)
        if state.model != self._network and not (is_old and state.word < self.rnn.word_dim):
            raise ArgumentValueError(
                f"{name}: is a state of another model, or of this one before more training; begin with this model's "
                "`state`"
            )

    def _expansion(self, state: State) -> Expansion:
        """Return ln P of each next token, and the packed state after the last one."""
        found = state.expansion
        if found is None:
            values, s_t = self.rnn.next_log_probabilities(np.array([state.word], np.int32), state.s_prev)
            found = values[0], s_t
            self._recent.keep(state, found)
        return found


def _as_lists(states: object, words: object) -> tuple[list[State], list[str]]:
    """Return the arguments of `advance_many` as lists of equal length. Their elements are not checked."""
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise ArgumentTypeError(f"words: expected a list of str, one for each state, got {type(words).__name__}")
    if not isinstance(states, Iterable):
        raise ArgumentTypeError(f"states: expected a list of State, one for each word, got {type(states).__name__}")
    states, words = list(states), list(words)
    if len(states) != len(words):
        raise ArgumentValueError(f"states and words: expected the same number, got {len(states)} and {len(words)}")
    return states, words


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
