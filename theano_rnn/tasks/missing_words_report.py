"""How well missing words are predicted: accuracy, chance, and the perplexity of the right word."""

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from theano_rnn.errors import OptionError

BEST_WORDS = 5  # of a gap that are shown, and among which the right one counts as found
LARGEST_EXPONENT = 700
WITHOUT_PLOT = "plot: shows a confusion matrix, which missing words do not have; leave it out"


class Answer(NamedTuple):
    """How a question was answered.

    Attributes
    ----------
    rank : int or None
        The number of words that are at least as probable as the right one; None if the right word is unknown.
    choices : int
        The number of candidates; 1: the right word competes with the whole vocabulary.
    probability : float
        That of the right word among the whole vocabulary.
    """

    rank: int | None
    choices: int
    probability: float


class MissingWordReport:
    """How well missing words are predicted.

    Parameters
    ----------
    answers : sequence of Answer
        At least one.

    Examples
    --------
    >>> print("\\n".join(MissingWordReport([Answer(0, 2, 0.5), Answer(1, 2, 0.125), Answer(None, 2, 0.0)]).lines()))
    accuracy 33.33 % (1 of 3), by chance 50.00 %
    perplexity of the right word 4.00
    1 right word is not in the vocabulary and counts as wrong
    """

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers: list[Answer] = list(answers)

    def figures(self) -> dict[str, Any]:
        """The figures by name, which JSON can write."""
        number = len(self.answers)
        known = [one for one in self.answers if one.rank is not None]
        figures: dict[str, Any] = {
            "accuracy": sum(one.rank == 0 for one in known) / number,
            "number": number,
            "unknown": number - len(known),
        }
        if not all(1 < one.choices <= BEST_WORDS for one in self.answers):  # then all known words are among the best
            figures["among_best"] = sum(one.rank is not None and one.rank < BEST_WORDS for one in known) / number
        if all(one.choices > 1 for one in self.answers):
            figures["chance"] = sum(1 / one.choices for one in self.answers) / number
        if known:
            loss = -sum(math.log(max(one.probability, np.finfo(float).tiny)) for one in known) / len(known)
            figures |= {"loss": loss, "perplexity": math.exp(min(loss, LARGEST_EXPONENT))}
        return figures

    def lines(self) -> list[str]:
        """The figures as a text."""
        found = self.figures()
        right = round(found["accuracy"] * found["number"])
        chance = f", by chance {100 * found['chance']:.2f} %" if "chance" in found else ""
        lines = [f"accuracy {100 * found['accuracy']:.2f} % ({right} of {found['number']}){chance}"]
        if "among_best" in found:
            lines.append(f"right word among the best {BEST_WORDS}: {100 * found['among_best']:.2f} %")
        if "perplexity" in found:
            lines.append(f"perplexity of the right word {found['perplexity']:.2f}")
        if found["unknown"]:
            words = "words are" if found["unknown"] > 1 else "word is"
            count = "count" if found["unknown"] > 1 else "counts"
            lines.append(f"{found['unknown']} right {words} not in the vocabulary and {count} as wrong")
        return lines

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Raise OptionError: there is no confusion matrix of a whole vocabulary."""
        raise OptionError(WITHOUT_PLOT)
