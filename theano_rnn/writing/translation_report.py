"""How well translations agree with given ones: BLEU and chrF as sacrebleu computes them, and perplexity."""

import importlib.util
import math
import os
from collections.abc import Sequence
from typing import Any

from theano_rnn.errors import OptionError

MISSING = 'evaluate: needs the library sacrebleu, which is not installed; run pip install ".[translate]"'
WITHOUT_PLOT = "plot: draws the attention of one translation; leave `evaluate` out"


class TranslationReport:
    """The result of an evaluation.

    Parameters
    ----------
    found, references : sequences of str
        Translations, and the given ones.
    loss : float
        The mean of -ln P over the tokens of the given translations, in nats.
    tokens : int
        Their number, ends counted.
    is_tokenized : bool
        Whether both are tokenized, so that BLEU counts their words as they are (sacrebleu's tokenizer ``none``).
        Otherwise sacrebleu splits them itself (``13a``).
    is_lowercase : bool
        Whether the model writes lower case, so that capitals do not count.

    Raises
    ------
    OptionError
        If sacrebleu is not installed.
    """

    def __init__(
        self,
        found: Sequence[str],
        references: Sequence[str],
        loss: float,
        tokens: int,
        is_tokenized: bool = False,
        is_lowercase: bool = False,
    ) -> None:
        self.require_library()
        from sacrebleu.metrics import BLEU, CHRF

        self.loss, self.tokens, self.number = loss, tokens, len(found)
        bleu = BLEU(tokenize="none" if is_tokenized else "13a", lowercase=is_lowercase, force=True)
        chrf = CHRF(lowercase=is_lowercase)
        self.bleu: float = bleu.corpus_score(found, [references]).score
        self.chrf: float = chrf.corpus_score(found, [references]).score
        self.signature: str = str(bleu.get_signature())

    @staticmethod
    def require_library() -> None:
        """Raise OptionError if sacrebleu is not installed."""
        if importlib.util.find_spec("sacrebleu") is None:
            raise OptionError(MISSING)

    @property
    def perplexity(self) -> float:
        """exp of the mean loss per token of the given translations."""
        return math.exp(min(self.loss, 700.0))

    def figures(self) -> dict[str, Any]:
        """All figures by name, which JSON can write."""
        return {
            "bleu": self.bleu,
            "signature": self.signature,
            "chrf": self.chrf,
            "perplexity": self.perplexity,
            "loss": self.loss,
            "tokens": self.tokens,
            "number": self.number,
        }

    def lines(self) -> list[str]:
        """The figures as a text."""
        return [
            f"BLEU {self.bleu:.2f} ({self.signature})",
            f"chrF2 {self.chrf:.2f}",
            f"perplexity {self.perplexity:.3f} per token ({self.tokens:,} tokens of {self.number:,} translations)",
        ]

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Raise OptionError: an evaluation of translations has no picture."""
        raise OptionError(WITHOUT_PLOT)
