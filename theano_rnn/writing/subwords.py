"""Byte-pair encoding (Sennrich et al. 2016) by the library tokenizers, which is optional: the extra ``translate``."""

import json
from collections.abc import Sequence
from typing import Any

from theano_rnn.errors import ArgumentValueError, OptionError
from theano_rnn.text.vocabulary import SPECIAL_TOKENS

MISSING = 'subwords need the library tokenizers, which is not installed; run pip install ".[translate]"'


class Subwords:
    """Splits texts into subwords, and joins them to the same text, except for whitespace.

    Parameters
    ----------
    document : str
        The JSON document of a tokenizer of the library.

    Raises
    ------
    OptionError
        If the library is not installed.
    ValueError
        If the document is not that of a tokenizer.

    Examples
    --------
    >>> subwords = Subwords.learned(["the lower tower", "the lowest town"] * 5, 30)
    >>> subwords.join(subwords.split("the tower"))
    'the tower'
    """

    def __init__(self, document: str) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise OptionError(MISSING) from error
        try:
            self._tokenizer: Any = Tokenizer.from_str(document)
        except Exception as error:  # the library raises Exception itself
            raise ArgumentValueError(f"subwords: not the document of a tokenizer: {error}") from error
        self._document = document

    @classmethod
    def learned(cls, texts: Sequence[str], size: int) -> "Subwords":
        """Learn at most `size` subwords, the special tokens included, from texts."""
        try:
            from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
        except ImportError as error:
            raise OptionError(MISSING) from error
        tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL_TOKENS[-1]))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation("isolated")]
        )
        tokenizer.decoder = decoders.Metaspace()
        special = list(SPECIAL_TOKENS)
        trainer = trainers.BpeTrainer(
            vocab_size=size, limit_alphabet=size - len(special), special_tokens=special, show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer.to_str())

    def pieces(self) -> list[str]:
        """All subwords in the order in which they were learned, without the special tokens."""
        numbers: dict[str, int] = self._tokenizer.get_vocab()
        return [piece for piece in sorted(numbers, key=lambda piece: numbers[piece]) if piece not in SPECIAL_TOKENS]

    def split(self, text: str) -> list[str]:
        """Split a text into subwords; a character that never occurred is a piece of its own."""
        found = self._tokenizer.encode(text, add_special_tokens=False)
        pieces = zip(found.tokens, found.offsets, strict=True)
        return [text[start:end] if piece == SPECIAL_TOKENS[-1] else piece for piece, (start, end) in pieces]

    def join(self, pieces: Sequence[str]) -> str:
        """Write subwords as a text."""
        text: str = self._tokenizer.decoder.decode(list(pieces))
        return text

    def to_configuration(self) -> Any:
        """Return the library's document, as JSON."""
        return json.loads(self._document)

    @classmethod
    def from_configuration(cls, configuration: Any) -> "Subwords":
        """Make the subwords that `to_configuration` described. Raises ValueError if it is not such a document."""
        return cls(json.dumps(configuration))
