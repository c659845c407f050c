"""How much of a text a vocabulary covers: distinct words, unknown words, and the option that makes them fewer."""

from dataclasses import asdict, dataclass, fields

from theano_rnn.checks import check_count

SPECIAL_TOKENS = 3
MUCH = 0.1  # share of unknown words above which a warning is given


@dataclass(frozen=True)
class Coverage:
    """Counts of words, at character level of characters; sentence ends are not among them.

    Attributes
    ----------
    distinct : int
        Different words in the training text.
    words, unknown : int
        Words of the training text, and how many of them the vocabulary lacks.
    rare : int
        Words of the training text that are unknown because they occur less often than the least count.
    held_out_words, held_out_unknown : int
        As `words` and `unknown`, in the held-out text.
    """

    distinct: int
    words: int
    unknown: int
    rare: int
    held_out_words: int = 0
    held_out_unknown: int = 0

    @property
    def unknown_share(self):
        """From 0 to 1, in the training text."""
        return self.unknown / self.words if self.words else 0.0

    @property
    def held_out_unknown_share(self):
        """From 0 to 1, in the held-out text; None if nothing is held out."""
        return self.held_out_unknown / self.held_out_words if self.held_out_words else None

    def summary(self, unit):
        """The counts in one line; `unit` is "words" or "characters"."""
        held_out = self.held_out_unknown_share
        held_out = "" if held_out is None else f", {held_out:.1%} of the held-out {unit}"
        return f"{self.distinct:,} distinct {unit}; unknown: {self.unknown_share:.1%} of the training {unit}{held_out}"

    def warning(self, options, name=str):
        """What to do about many unknown words, in one line; None where there are few.

        Parameters
        ----------
        options : TrainingOptions
        name : callable
            Turns the name of an option into what the user knows it by.
        """
        unit = "characters" if options.level == "char" else "words"
        held_out = self.held_out_unknown_share or 0.0
        if max(self.unknown_share, held_out) <= MUCH:
            return None
        if self.unknown_share > MUCH or self.unknown_share >= held_out / 2:
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
            f"({self.distinct + SPECIAL_TOKENS} covers the whole training text)"
        )

    def to_configuration(self):
        """A plain dict that JSON can write and `from_configuration` reads."""
        return asdict(self)

    @classmethod
    def from_configuration(cls, configuration):
        """The counts that `to_configuration` described.

        Raises
        ------
        TypeError, ValueError
            For a name that is unknown or missing, and for what is no count.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(configuration, dict) or configuration.keys() != set(names):
            raise ValueError(f"coverage: expected {', '.join(names)}")
        return cls(**{name: check_count(name, configuration[name], 0) for name in names})
