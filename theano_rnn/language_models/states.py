"""States of a language model between two tokens, and the distributions that are kept for the states used last."""

import sys
import threading
from collections import deque
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.networks.rnn import RNN

KEPT_STATES, KEPT_BYTES = 4096, 64 * 2**20
_KEY_BYTES = 16

Expansion = tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]
"""ln P of each next token (word_dim,), and the packed state after the last token (1, state_dim)."""


class State:
    """The state of a language model after the first tokens of a sentence.

    `LanguageModel.state`, `advance` and `advance_many` return states. Do not create them or set the attributes
    yourself.

    Two states are equal if the same model reached them by the same tokens since the beginning of the sentence, one at a
    time or in batches; different unknown words are the same token. Equal states have equal hashes, in other processes
    too, and a state that was pickled equals the original.

    Attributes
    ----------
    word : int
        The id of the last token, which the network has not read yet.
    s_prev : array (1, state_dim)
        The packed state s_{t-1} before `word`; see `RNN.zero_states`. States that continue the same state share it.
    tokens : int or None
        Number of tokens since the beginning of the sentence; None if unknown (in a pickle of version 0.1).
    """

    __slots__ = ("expansion", "key", "model", "s_prev", "tokens", "word")

    def __init__(
        self, word: int, s_prev: npt.NDArray[np.floating], tokens: int | None, model: bytes | None, key: bytes
    ) -> None:
        self.word = word
        self.s_prev = s_prev
        self.tokens = tokens
        self.model: bytes | None = model  # identifies the network; None in old pickles
        self.key: bytes = key  # a digest of the network and the tokens
        self.expansion: Expansion | None = None  # set and removed by `RecentStates`

    @classmethod
    def initial(cls, word: int, s_prev: npt.NDArray[np.floating], model: bytes) -> "State":
        """Return the state at the beginning of a sentence."""
        return cls(word, s_prev, 0, model, model)

    def after(self, word: int, s_t: npt.NDArray[np.floating]) -> "State":
        """Return the state after one more token, given the packed state after the present last token."""
        key = blake2b(self.key + word.to_bytes(8, "little"), digest_size=_KEY_BYTES).digest()
        return State(word, s_t, None if self.tokens is None else self.tokens + 1, self.model, key)

    @property
    def nbytes(self) -> int:
        """Memory of the state in bytes, without the distribution that the model may keep for it for a while."""
        data = 0 if self.s_prev.flags.owndata else self.s_prev.nbytes  # else `getsizeof` counts it
        return sys.getsizeof(self) + sys.getsizeof(self.key) + sys.getsizeof(self.s_prev) + data

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, State) else NotImplemented

    def __hash__(self) -> int:
        return int.from_bytes(self.key[:8], "little")

    def __repr__(self) -> str:
        place = "after token id"
        if self.tokens == 0:
            place = "at the beginning of a sentence, last token id"
        elif self.tokens is not None:
            place = f"after {self.tokens} token{'s' if self.tokens > 1 else ''}, last token id"
        return f"State({place} {self.word}, state_dim={self.s_prev.shape[-1]})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("word", "s_prev", "tokens", "model", "key")}

    def __setstate__(self, values: dict[str, Any]) -> None:
        word, s_prev = values["word"], values["s_prev"]
        # Pickles of earlier versions have neither `model` nor `key`. The values stand for the tokens then.
        key = (
            values.get("key") or blake2b(s_prev.tobytes() + bytes(str(word), "ascii"), digest_size=_KEY_BYTES).digest()
        )
        self.__init__(word, s_prev, values.get("tokens"), values.get("model"), key)  # type: ignore[misc]


class RecentStates:
    """The states that were used last. Only their distributions are kept: one of 8,000 words takes 32 KB.

    Parameters
    ----------
    most : int
        Number of states.
    most_bytes : int
        Memory of their distributions. The last one is kept even if it is larger.
    """

    def __init__(self, most: int = KEPT_STATES, most_bytes: int = KEPT_BYTES) -> None:
        self.most: int = most
        self.most_bytes: int = most_bytes
        self.nbytes: int = 0
        self._states: deque[State] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._states)

    def keep(self, state: State, expansion: Expansion) -> None:
        """Keep the distribution of a state, and remove those of the states that were used first."""
        with self._lock:
            if state.expansion is not None:  # another thread has computed it meanwhile
                return
            state.expansion = expansion
            self._states.append(state)
            self.nbytes += expansion[0].nbytes
            while len(self._states) > 1 and (len(self._states) > self.most or self.nbytes > self.most_bytes):
                oldest = self._states.popleft()
                if oldest.expansion is not None:
                    self.nbytes -= oldest.expansion[0].nbytes
                oldest.expansion = None


def identity(rnn: RNN) -> bytes:
    """Return a digest that differs between networks: of their sizes, their formulas, and two rows of W.

    Training changes every row of W, so the digest of a network differs before and after it.
    """
    W = rnn.W.view()
    described = f"{rnn.dtype} {rnn.cell} {rnn.activation} {sorted(rnn.architecture.parameter_shapes.items())}"
    return blake2b(described.encode() + W[0].tobytes() + W[-1].tobytes(), digest_size=_KEY_BYTES).digest()
