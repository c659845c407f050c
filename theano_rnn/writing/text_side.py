"""One side of a translation, or the sentences of a description: how texts become ids, and ids texts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ArgumentValueError
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from theano_rnn.writing.subwords import Subwords

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class TextSide:
    """A vocabulary with what turns texts into its tokens: a tokenizer, and perhaps subwords.

    Parameters
    ----------
    vocabulary : Vocabulary
    tokenizer : Tokenizer
    subwords : Subwords, optional
        Splits the text into pieces instead of the tokenizer, which then decides only about capitals.

    Examples
    --------
    >>> side = TextSide.of(["A dog runs.", "A cat."], Tokenizer(lines=True), 100, 1)
    >>> side.tokens("A dog!")
    ['a', 'dog', '!']
    >>> side.encode("A dog!").tolist(), side.text(["a", "dog", "."])
    ([4, 6, 2], 'a dog.')
    """

    vocabulary: Vocabulary
    tokenizer: Tokenizer
    subwords: Subwords | None = None

    @classmethod
    def of(
        cls, texts: Sequence[str], tokenizer: Tokenizer, size: int, min_count: int, subwords: int | None = None
    ) -> "TextSide":
        """Make the vocabulary of texts: words that occur often enough, or subwords that are learned from them.

        Parameters
        ----------
        texts : sequence of str
        tokenizer : Tokenizer
        size : int
            The largest number of words.
        min_count : int
            Words that occur less often are unknown.
        subwords : int, optional
            The number of subwords.
        """
        if subwords is not None:
            pieces = Subwords.learned([cased(text, tokenizer) for text in texts], subwords)
            return cls(Vocabulary([*SPECIAL_TOKENS, *pieces.pieces()]), tokenizer, pieces)
        tokenizer = tokenizer.with_abbreviations_of(texts)
        counts = Counter(token for text in texts for token in tokenizer.tokenize(text))
        return cls(Vocabulary.build(counts, size, min_count=min_count), tokenizer)

    def tokens(self, text: str) -> list[str]:
        """Split a text into tokens."""
        if self.subwords is not None:
            return self.subwords.split(cased(text, self.tokenizer))
        return self.tokenizer.tokenize(text)

    def encode(self, text: str) -> Ids:
        """The ids of a text's tokens."""
        return self.vocabulary.encode(self.tokens(text))

    def text(self, tokens: Sequence[str]) -> str:
        """Write tokens as a text."""
        if self.subwords is not None:
            return self.subwords.join(tokens)
        if self.tokenizer.tokenized:  # such a text is given back as it was given: with spaces between tokens
            return " ".join(tokens)
        return self.tokenizer.detokenize(tokens)

    def source_ids(self, text: str) -> Ids:
        """The ids of a source: its tokens and the end marker."""
        return np.concatenate([self.encode(text), [self.vocabulary.end]]).astype(np.int32)

    def target_ids(self, text: str) -> Ids:
        """The ids of a target: its tokens between the markers."""
        vocabulary = self.vocabulary
        return np.concatenate([[vocabulary.start], self.encode(text), [vocabulary.end]]).astype(np.int32)

    def log_frequencies(self, targets: Iterable[Ids]) -> npt.NDArray[np.float64]:
        """ln of the relative frequency of each token and of the end in targets: the initial output biases."""
        counts = np.bincount(np.concatenate([ids[1:] for ids in targets]), minlength=len(self.vocabulary))
        smoothed = np.maximum(counts, 0.5)
        found: npt.NDArray[np.float64] = np.log(smoothed / smoothed.sum())
        return found

    def to_configuration(self) -> dict[str, Any]:
        """Return what a file must hold, as a dict that JSON can write."""
        subwords = None if self.subwords is None else self.subwords.to_configuration()
        return {
            "vocabulary": self.vocabulary.to_configuration(),
            "tokenizer": self.tokenizer.to_configuration(),
            "subwords": subwords,
        }

    @classmethod
    def from_configuration(cls, configuration: dict[str, Any]) -> "TextSide":
        """Make the side that `to_configuration` described. Raises ValueError if something is missing or invalid."""
        if not isinstance(configuration, dict):
            raise ArgumentValueError(f"expected a vocabulary as a dict, got {type(configuration).__name__}")
        subwords = configuration["subwords"]
        return cls(
            Vocabulary.from_configuration(configuration["vocabulary"]),
            Tokenizer.from_configuration(configuration["tokenizer"]),
            None if subwords is None else Subwords.from_configuration(subwords),
        )


def cased(text: str, tokenizer: Tokenizer) -> str:
    """The text in lower case, unless the tokenizer keeps capitals."""
    return text.lower() if tokenizer.lowercase and not tokenizer.tokenized else text
