"""The prompt of texts of one sentence."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.generation.repetition import SeenNgrams
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary


class Prompt:
    """The text with which generated texts begin. It is kept unchanged.

    Parameters
    ----------
    text : str
    tokenizer : Tokenizer
    vocabulary : Vocabulary
    start : int
        The id that precedes the first token of a sentence.

    Attributes
    ----------
    ids : int32 array
        The start marker and the ids of the prompt's tokens.
    words : int
        Length in words.

    Raises
    ------
    TypeError
        If `text` is not a str.
    """

    ids: npt.NDArray[np.int32]
    words: int

    def __init__(self, text: str, tokenizer: Tokenizer, vocabulary: Vocabulary, start: int) -> None:
        self._text = check_prompt_text(text)
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._tokens = tokenizer.tokenize(text if tokenizer.level == "char" else text.rstrip())
        self.ids = np.array([start, *vocabulary.encode(self._tokens)], np.int32)
        self.words = sum(tokenizer.words_added(token) for token in self._tokens)

    def check_length(self, max_words: int) -> None:
        """Raise ValueError if the prompt has more than `max_words` words."""
        if self.words > max_words:
            raise ArgumentValueError(f"prompt: expected at most `max_words` ({max_words}) words, got {self.words}")

    def seen_ngrams(self, n: int) -> SeenNgrams:
        """Return the n-grams of the prompt. Distinct unknown words count as distinct tokens."""
        pairs = zip(self._tokens, self.ids[1:].tolist(), strict=True)
        return SeenNgrams(n, [index if token in self._vocabulary else token for token, index in pairs])

    def continued(self, tokens: Sequence[str]) -> str:
        """Return the unchanged prompt, followed by the tokens as readable text."""
        return "".join(self.pieces(tokens, True, 0)[0])

    def pieces(self, tokens: Sequence[str], ended: bool, shown: int) -> tuple[list[str], int]:
        """Return the pieces of a text that can be shown next.

        Parameters
        ----------
        tokens : sequence of str
            The tokens after the prompt so far.
        ended : bool
            Whether the text is complete.
        shown : int
            Number of pieces already shown. The first piece is the prompt.

        Returns
        -------
        pieces : list of str
            The next pieces, which later tokens cannot change.
        shown : int
            Number of pieces shown, including the new ones.
        """
        before = len(self._tokens)
        written, settled = self._tokenizer.written_tokens([*self._tokens, *tokens])
        written, settled = written[before:], len(tokens) if ended else max(settled - before, 0)
        if written and self._tokenizer.level == "word" and self._text[-1:].isspace():
            written[0] = written[0].removeprefix(" ")  # the prompt already ends with whitespace
        return [self._text, *written][shown : settled + 1], max(shown, settled + 1)


def check_prompt_text(text: str) -> str:
    """Raise TypeError if a prompt is not a str."""
    if not isinstance(text, str):
        raise ArgumentTypeError(f"prompt: expected a str, got {type(text).__name__}")
    return text
