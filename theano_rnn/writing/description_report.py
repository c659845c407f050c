"""How well descriptions agree with given ones: BLEU with several references, as sacrebleu computes it."""

import math
import os
from collections.abc import Sequence
from typing import Any

from theano_rnn.errors import OptionError
from theano_rnn.writing.translation_report import TranslationReport

ORDERS = (1, 2, 3, 4)
WITHOUT_PLOT = "plot: has no effect on descriptions of images; leave it out"


class DescriptionReport:
    """The result of an evaluation.

    Parameters
    ----------
    found : sequence of str
        The description of each image, as tokens with spaces between them.
    references : sequence of sequences of str
        The given descriptions of each image, as tokens too.
    loss : float
        The mean of -ln P over the tokens of the given descriptions, in nats.
    tokens : int
        Their number, ends counted.

    Raises
    ------
    OptionError
        If sacrebleu is not installed.
    """

    def __init__(self, found: Sequence[str], references: Sequence[Sequence[str]], loss: float, tokens: int) -> None:
        TranslationReport.require_library()
        from sacrebleu.metrics import BLEU

        self.loss, self.tokens, self.number = loss, tokens, len(found)
        self.sentences: int = sum(map(len, references))
        most = max(map(len, references))
        # sacrebleu takes a list for each rank of reference; images with fewer sentences have None there.
        ranks = [[one[rank] if rank < len(one) else None for one in references] for rank in range(most)]
        self.bleu: list[float] = []
        for order in ORDERS:
            bleu = BLEU(tokenize="none", max_ngram_order=order, smooth_method="none", force=True)
            self.bleu.append(bleu.corpus_score(found, ranks).score)

    @property
    def perplexity(self) -> float:
        """exp of the mean loss per token of the given descriptions."""
        return math.exp(min(self.loss, 700.0))

    def figures(self) -> dict[str, Any]:
        """All figures by name, which JSON can write."""
        return {
            **{f"bleu_{order}": value for order, value in zip(ORDERS, self.bleu, strict=True)},
            "perplexity": self.perplexity,
            "loss": self.loss,
            "tokens": self.tokens,
            "images": self.number,
            "sentences": self.sentences,
        }

    def lines(self) -> list[str]:
        """The figures as a text."""
        values = "  ".join(f"BLEU-{order} {value:.1f}" for order, value in zip(ORDERS, self.bleu, strict=True))
        return [
            f"{values} ({self.number:,} images, {self.sentences:,} sentences)",
            f"perplexity {self.perplexity:.3f} per token ({self.tokens:,} tokens)",
        ]

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Raise OptionError: an evaluation of descriptions has no picture."""
        raise OptionError(WITHOUT_PLOT)
