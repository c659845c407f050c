"""How much of a text the vocabulary covers, and which option reduces the number of unknown words."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from theano_rnn.checks import check_count
from theano_rnn.errors import ArgumentValueError
from theano_rnn.text.vocabulary import SPECIAL_TOKENS

if TYPE_CHECKING:
    from theano_rnn.text.encoding import CorpusOptions

_HIGH_UNKNOWN_SHARE = 0.1  # a larger share gives a warning


@dataclass(frozen=True)
class Coverage:
    """Counts of words, or of characters at character level. Sentence boundaries do not count.

    Attributes
    ----------
    distinct : int
        The number of different words in the training text.
    words, unknown : int
        The number of words in the training text, and how many of them are not in the vocabulary.
    rare : int
        The number of words in the training text that are unknown because they occur less often than `min_count`.
    held_out_words, held_out_unknown : int
        `words` and `unknown` for the held-out text.

    Examples
    --------
    >>> Coverage(distinct=50, words=200, unknown=10, rare=0).summary("words")
    '50 distinct words; unknown: 5.0% of the training words'
    """

    distinct: int
    words: int
    unknown: int
    rare: int
    held_out_words: int = 0
    held_out_unknown: int = 0

    @property
    def unknown_share(self) -> float:
        """The share of unknown words in the training text, from 0 to 1."""
        return self.unknown / self.words if self.words else 0.0

    @property
    def held_out_unknown_share(self) -> float | None:
        """The share of unknown words in the held-out text, from 0 to 1; None if nothing is held out."""
        return self.held_out_unknown / self.held_out_words if self.held_out_words else None

    def summary(self, unit: str) -> str:
        """Describe the counts in one line.

        Parameters
        ----------
        unit : {"words", "characters"}
        """
        share = self.held_out_unknown_share
        held_out = "" if share is None else f", {share:.1%} of the held-out {unit}"
        return f"{self.distinct:,} distinct {unit}; unknown: {self.unknown_share:.1%} of the training {unit}{held_out}"

    def warning(self, options: "CorpusOptions", name: Callable[[str], str] = str) -> str | None:
        """Suggest in one line what to do about many unknown words, or return None if there are few.

        Parameters
        ----------
        options : CorpusOptions
        name : callable
            Converts the name of an option to what the user calls it.
        """
        unit = "characters" if options.level == "char" else "words"
        held_out = self.held_out_unknown_share or 0.0
        if max(self.unknown_share, held_out) <= _HIGH_UNKNOWN_SHARE:
            return None
        if self.unknown_share > _HIGH_UNKNOWN_SHARE or self.unknown_share >= held_out / 2:
            share, text = self.unknown_share, "training"
        else:
            share, text = held_out, "held-out"
        found = f"{share:.1%} of the {text} {unit} are unknown, so the perplexity says little"
        if options.init_from is not None:
            return f"{found}; without {name('init_from')}, the vocabulary is made from this text"
        if text == "held-out" and not self.unknown:
            return f"{found}; these {unit} are not in the training text: train on more text"
        if self.rare > self.unknown - self.rare:
            return f"{found}; a smaller {name('min_count')} than {options.min_count} helps"
        return (
            f"{found}; a larger {name('vocabulary_size')} than {options.vocabulary_size} helps "
            f"({self.distinct + len(SPECIAL_TOKENS)} covers the whole training text)"
        )

    def to_configuration(self) -> dict[str, int]:
        """Return the counts as a dict that JSON can hold and `from_configuration` reads."""
        return asdict(self)

    @classmethod
    def from_configuration(cls, configuration: dict[str, Any]) -> "Coverage":
        """Make the coverage that `to_configuration` described.

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            If a name is unknown or missing, or a value is not a count.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(configuration, dict) or configuration.keys() != set(names):
            raise ArgumentValueError(f"coverage: expected {', '.join(names)}")
        return cls(**{name: check_count(name, configuration[name], 0) for name in names})
