"""What can be chosen for a training run: names, defaults, ranges, and what excludes what."""

import os
from dataclasses import asdict, dataclass, fields, replace

from theano_rnn.checks import check_bptt_truncate, check_choice, check_count, check_real
from theano_rnn.engines.engine import DEVICES
from theano_rnn.errors import OptionError
from theano_rnn.networks.simple_cell import ACTIVATIONS
from theano_rnn.networks.updates import UPDATE_RULES
from theano_rnn.text.tokenizer import LEVELS

# What the tutorial's train_with_sgd does, in place of the defaults.
TUTORIAL = {
    "level": "word",
    "optimizer": "sgd",
    "learning_rate": 0.005,
    "rate_decay": 0.0,
    "batch_size": 1,
    "bptt_truncate": 4,
    "clip": None,
}
TUTORIAL_DEFAULTS = {"epochs": 100, "evaluate_every": 5, "valid_fraction": 0.0}
# Where no batch size is chosen: the largest, and how many steps an epoch shall have, for which a small text gets a
# smaller one. With four steps an epoch, a network learns hardly anything in the usual number of epochs.
LARGEST_BATCH_SIZES = {"word": 32, "char": 50}
STEPS_PER_EPOCH = 40
# Where no share of held-out text is chosen: the usual one, the tokens that it shall have at least, and the largest.
HELD_OUT_SHARE, HELD_OUT_TOKENS, LARGEST_HELD_OUT_SHARE = 0.05, 1000, 0.1

# What may differ when a run goes on: how long, how often, where; not what is learnt from what. (Another column has to
# hold the same text, as another file has.)
FREE_ON_RESUME = ("epochs", "evaluate_every", "save_every", "sample_every", "patience", "device", "column")
# What leaves no trace in a model: with it or without, the same run gives the same file.
TRACELESS = ("save_every", "sample_every", "patience")


PATHS = ("valid", "init_from")

# Whole numbers and their least values.
COUNTS = {
    "vocabulary_size": 4,
    "min_count": 1,
    "sequence_length": 2,
    "seed": 0,
    "hidden_dim": 1,
    "epochs": 1,
    "batch_size": 1,
    "evaluate_every": 1,
}


@dataclass(frozen=True)
class TrainingOptions:
    """The settings of a training run, checked.

    Parameters
    ----------
    level : {"word", "char"}
    vocabulary_size : int
        At most so many entries, the three special tokens counted.
    min_count : int
        Tokens that occur less often in the training text are unknown, before the vocabulary size limits their number.
    hidden_dim : int
    bptt_truncate : int
        See `RNN`; -1: through the whole sentence (at character level through the whole chunk).
    activation : {"tanh", "relu"}
    epochs : int
    batch_size : int or None
        Sentences per step; at character level parallel streams. None: 32, or 50 at character level, and less for a
        small text, so that an epoch has about 40 steps; see `fitted_to`.
    sequence_length : int
        Characters a step and stream.
    optimizer : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
    learning_rate : float
        Default: one that suits the optimizer.
    rate_decay : float
        In epoch e, counted from 0, the rate is learning_rate / (1 + rate_decay · e).
    clip : float or None
        Upper limit of the gradients' norm; None or 0: no limit.
    valid : str or None
        A file of held-out text.
    valid_fraction : float or None
        Share of the text that is held out where `valid` is None. None: 0.05, and up to 0.1 of a small text, so that
        1,000 tokens are held out.
    evaluate_every : int
        In epochs.
    save_every : float
        In minutes: how often the state of the run is saved, beside evaluations.
    sample_every : int or None
        In steps: how often a text is sampled, beside evaluations; None: only there; 0: never.
    patience : int or None
        The run ends when the loss that decides (held-out, else training) has not fallen below its lowest in so many
        evaluations in a row; None or 0: never.
    init_from : str or None
        A language model's file: start from its parameters, with its vocabulary, tokenizer, hidden_dim and activation.
    seed : int
        Of initial values, held-out sentences and the order of sentences.
    device : {"auto", "cpu", "gpu"}
    tutorial : bool
        Exactly the tutorial's training: plain SGD, one sentence a step in the text's order, rate 0.005, truncation 4.
    keep_case : bool
        Words are not lower-cased.
    tokenized : bool
        The text is one tokenized sentence a line.
    lines : bool
        Each line of the text, or each text of a CSV file, is one item, with no sentence boundary inside; `tokenized`
        implies it.
    column : str or None
        The column of CSV files that holds the texts; None: ``body``, else ``text``, else the only one.

    Raises
    ------
    OptionError
        For a value outside its range, and one that `tutorial` excludes.
    """

    level: str = "word"
    vocabulary_size: int = 8000
    min_count: int = 1
    hidden_dim: int = 100
    bptt_truncate: int = -1
    activation: str = "tanh"
    epochs: int = 10
    batch_size: int | None = None
    sequence_length: int = 50
    optimizer: str = "adam"
    learning_rate: float | None = None
    rate_decay: float = 0.2
    clip: float | None = 1.0
    valid: str | None = None
    valid_fraction: float | None = None
    evaluate_every: int = 1
    save_every: float = 5.0
    sample_every: int | None = None
    patience: int | None = None
    init_from: str | None = None
    seed: int = 1
    device: str = "auto"
    tutorial: bool = False
    keep_case: bool = False
    tokenized: bool = False
    column: str | None = None
    lines: bool = False

    def __post_init__(self):
        try:
            check_choice("level", self.level, LEVELS)
            check_choice("activation", self.activation, ACTIVATIONS)
            check_choice("optimizer", self.optimizer, UPDATE_RULES)
            check_choice("device", self.device, DEVICES)
            check_bptt_truncate(self.bptt_truncate)
            for name, minimum in COUNTS.items():
                if name == "batch_size" and self.batch_size is None:
                    continue
                object.__setattr__(self, name, check_count(name, getattr(self, name), minimum))
            rate = UPDATE_RULES[self.optimizer].learning_rate if self.learning_rate is None else self.learning_rate
            object.__setattr__(self, "learning_rate", check_real("learning_rate", rate, above=0))
            object.__setattr__(self, "clip", check_real("clip", self.clip, above=0) if self.clip else None)
            object.__setattr__(self, "save_every", check_real("save_every", self.save_every, above=0))
            object.__setattr__(self, "rate_decay", check_real("rate_decay", self.rate_decay, minimum=0))
            if self.valid_fraction is not None:
                check_real("valid_fraction", self.valid_fraction, minimum=0, below=1)
            for name in ("sample_every", "patience"):
                value = getattr(self, name)
                object.__setattr__(self, name, None if value is None else check_count(name, value, 0))
            object.__setattr__(self, "patience", self.patience or None)
        except (TypeError, ValueError) as error:
            raise OptionError(str(error)) from error
        if not isinstance(self.column, (str, type(None))):
            raise OptionError(f"column: expected the name of a column as str, got {self.column!r}")
        for name in PATHS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, os.path.abspath(getattr(self, name)))
        if self.level == "char" and (self.tokenized or self.keep_case or self.lines):
            raise OptionError(
                "`tokenized`, `keep_case` and `lines` are about words; at level 'char' the text stays as it is anyway"
            )
        if self.tokenized:
            object.__setattr__(self, "lines", True)

    @classmethod
    def from_settings(cls, settings):
        """Options from those settings that were given; what was not is the level's or the tutorial's default.

        Raises
        ------
        OptionError
            Also for an unknown name, and a setting that contradicts the tutorial's.
        """
        unknown = settings.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise OptionError(f"unknown setting: {', '.join(sorted(unknown))}")
        settings = normalised(settings)
        if settings.get("tutorial"):
            for name, value in TUTORIAL.items():
                if settings.setdefault(name, value) != value:
                    raise OptionError(f"{name}: the tutorial's training has {value}, got {settings[name]!r}")
            settings = {**TUTORIAL_DEFAULTS, **settings}
        return cls(**settings)

    def to_configuration(self):
        return asdict(self)

    def fitted_to(self, length):
        """These options with a batch size, if none was chosen.

        Parameters
        ----------
        length : int
            Of the training text: in sentences, at character level in characters.
        """
        if self.batch_size is not None:
            return self
        per_column = self.sequence_length if self.level == "char" else 1
        fitting = length // (per_column * STEPS_PER_EPOCH)
        return replace(self, batch_size=min(max(fitting, 1), LARGEST_BATCH_SIZES[self.level]))

    def held_out_share(self, tokens):
        """The share of a text of so many tokens that is held out where no text for it is named."""
        if self.valid_fraction is not None:
            return self.valid_fraction
        return min(max(HELD_OUT_SHARE, HELD_OUT_TOKENS / max(tokens, 1)), LARGEST_HELD_OUT_SHARE)

    def held_out_seed(self, tokens):
        """The seed that chooses the held-out sentences of a text of so many tokens.

        In a small text, which sentences are held out changes the perplexity more than anything else. If neither they
        nor their share are chosen, they are the same for every seed, so that runs can be compared.
        """
        is_small = self.valid_fraction is None and self.held_out_share(tokens) > HELD_OUT_SHARE
        return 0 if is_small else self.seed

    def resumed(self, settings):
        """These options for a run that goes on, with those changed that may change.

        Raises
        ------
        OptionError
            For a setting that would make it another run.
        """
        saved = self.to_configuration()
        settings = normalised(settings)
        for name, value in settings.items():
            if name not in saved:
                raise OptionError(f"unknown setting: {name}")
            if name not in FREE_ON_RESUME and value != saved[name]:
                raise OptionError(
                    f"{name}: the interrupted run has {saved[name]!r}, got {value!r}; leave it out, or start a new run"
                )
        return type(self)(**{**saved, **settings})


def normalised(settings):
    """Settings in the form in which TrainingOptions keeps them."""
    settings = dict(settings)
    if not settings.get("clip", True):
        settings["clip"] = None
    for name in PATHS:
        if settings.get(name) is not None:
            settings[name] = os.path.abspath(settings[name])
    return settings
