"""The options of a training run: names, defaults, ranges, and which exclude each other."""

import difflib
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from theano_rnn.checks import check_bptt_truncate, check_choice, check_count, check_flag, check_real
from theano_rnn.encoders.heads import POOLINGS
from theano_rnn.engines.engine import DEVICES
from theano_rnn.errors import ArgumentValueError, OptionError
from theano_rnn.language_models.model_files import LANGUAGE_MODEL, TASKS
from theano_rnn.networks.architecture import Architecture
from theano_rnn.networks.network_file import LATER_SETTINGS
from theano_rnn.networks.updates import UPDATE_RULES
from theano_rnn.speech.features import DEFAULT_NUMBERS
from theano_rnn.tasks.task_options import CRITERIA, with_task_defaults
from theano_rnn.text.tokenizer import LEVELS

# What the tutorial's train_with_sgd does. With `tutorial`, these options cannot have other values.
TUTORIAL: dict[str, Any] = {
    "level": "word",
    "optimizer": "sgd",
    "learning_rate": 0.005,
    "rate_decay": 0.0,
    "rate_schedule": "inverse",
    "batch_size": 1,
    "bptt_truncate": 4,
    "clip": None,
    "samples": 0,
}
TUTORIAL_NETWORK: dict[str, Any] = {**LATER_SETTINGS, "continuous": False}
TUTORIAL_DEFAULTS: dict[str, Any] = {"epochs": 100, "evaluate_every": 5, "valid_fraction": 0.0}

# If no batch size is chosen, it is the largest one here, or less for a small text: then an epoch has this many steps.
# With four steps per epoch, a network learns hardly anything in the usual number of epochs.
LARGEST_BATCH_SIZES = {"word": 32, "char": 50}
STEPS_PER_EPOCH = 40

# If no share of held-out text is chosen: the usual share, the number of tokens wanted, and the largest share.
HELD_OUT_SHARE, HELD_OUT_TOKENS, LARGEST_HELD_OUT_SHARE = 0.05, 1000, 0.1

# What may change when a run is resumed: how long, how often and where it runs, but not what is learned from what.
# (Another column must contain the same text, as must another file.)
CHANGEABLE_ON_RESUME = (
    "epochs",
    "evaluate_every",
    "save_every",
    "sample_every",
    "patience",
    "device",
    "devices",
    "column",
)
# What is not recorded in a model: with any value, the same run gives the same file, or with another number of devices
# one that differs by rounding.
NOT_IN_MODEL = ("save_every", "sample_every", "patience", "devices")

RATE_SCHEDULES = ("inverse", "linear")

AUTO = "auto"
# With a vocabulary of at least so many entries, "auto" draws so many samples. From this size on, an epoch with samples
# takes less than half the time of an exact one, and the held-out loss is as low (tests/README.md).
MANY_WORDS, AUTO_SAMPLES = 5_000, 500

PATHS = ("valid", "init_from", "target")
WORD_OPTIONS = ("tokenized", "keep_case", "lines")

# With "auto", each device gets at least so many streams: with fewer, the same step takes more work in total.
STREAMS_PER_DEVICE = 16

# Integers and their minima.
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
COUNTS_OR_AUTO = {"samples": 0, "devices": 1}


@dataclass(frozen=True)
class TrainingOptions:
    """The options of a training run.

    Parameters
    ----------
    level : {"word", "char"}
    vocabulary_size : int
        The largest number of entries, with the three special tokens.
    min_count : int
        Tokens that occur less often in the training text become UNKNOWN_TOKEN.
    hidden_dim : int
        The size of the hidden state.
    bptt_truncate : int
        The number of steps through which errors are propagated: see `RNN`. -1: through the whole sentence, or at
        character level through the whole chunk.
    activation : {"tanh", "relu"}
    epochs : int
        Passes over the training text.
    batch_size : int or None
        Sentences per step, or parallel streams of a continuous text. None: 32, or 50 at character level, or less for a
        small text, so that an epoch has about 40 steps; see `fitted_to`.
    sequence_length : int
        Tokens per step in each stream of a continuous text.
    optimizer : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
    learning_rate : float or None
        None: one that suits the optimizer.
    rate_decay : float
        With the schedule "inverse", the learning rate in epoch e = 0, 1, ... is learning_rate / (1 + rate_decay · e).
    rate_schedule : {"inverse", "linear"}
        "linear": the learning rate falls from step to step, to 0 at the end of the last epoch.
    samples : int or "auto"
        The number of words drawn for each minibatch, with which the next words are compared in training instead of the
        whole vocabulary: see `theano_rnn.large_vocabularies.sampled_optimizer`. 0: exact softmax. "auto": 500 if the
        vocabulary has at least 5,000 entries, else 0.
    clip : float or None
        The limit of the gradient norm; None or 0: no limit.
    valid : str or None
        A file of held-out text.
    valid_fraction : float or None
        The share of the text that is held out if `valid` is None. None: 0.05, or up to 0.1 of a small text, so that
        1,000 tokens are held out.
    evaluate_every : int
        Epochs between evaluations.
    save_every : float
        Minutes between saves, in addition to those at evaluations.
    sample_every : int or None
        Steps between sampled texts, in addition to those at evaluations. None: only at evaluations; 0: never.
    patience : int or None
        Stop early when the decisive loss (held-out, otherwise training) has not improved in this many evaluations in a
        row; None or 0: never.
    init_from : str or None
        The file of a language model to start from: its parameters, vocabulary, tokenizer, hidden_dim and activation.
    seed : int
        Of the initial parameters, of the choice of held-out sentences and of the order of sentences.
    device : {"auto", "cpu", "gpu"}
    devices : int or "auto"
        The number of devices that each minibatch is split over: cores of the CPU, or GPUs. "auto": at
        character level, as many as there are idle cores, but at most one per 16 streams; otherwise 1.
    tutorial : bool
        Train exactly as the tutorial does: plain SGD, one sentence per step in the order of the text, learning rate
        0.005, truncation 4.
    keep_case : bool
        Do not lower-case words.
    tokenized : bool
        Each line of the text is one tokenized sentence.
    lines : bool
        Each line of the text, or each cell of a CSV file, is one item that is not split into sentences. `tokenized`
        implies it.
    column : str or None
        The column of CSV files to read; None: ``body``, else ``text``, else the only column.
    cell, layers, embedding_dim, tied, dropout
        The network; see `theano_rnn.RNN`. With `tied`, `embedding_dim` of a language model is `hidden_dim`.
    bias : bool or None
        Whether the network has biases. None: yes with the cells "gru" and "lstm", no with "simple".
    continuous : bool
        Read the text as one stream: the state is carried over the ends of sentences and minibatches. Always True at
        character level.
    task : str
        A name in `theano_rnn.language_models.model_files.TASKS`.
    bidirectional, pooling
        The network of a task that reads; see `theano_rnn.encoders.reader_graph.ReaderSettings`.
    criterion : {"loss", "accuracy"}
        What decides which parameters are the best.
    word_dropout : float
        Training replaces a word that occurs n times by the unknown word with probability word_dropout/(word_dropout+n).
    features : {"log-mel", "mfcc"} or None
        What is computed from .wav files. None: "log-mel".
    tier : str or None
        The tier of TextGrids that holds the labels. None: the only one.
    attention : bool
        Whether each step of a translation reads all states of the source, and not only its last one.
    repeat_source : bool
        Whether each step of a translation without attention reads the source's last states, and not only the first
        step. The default of `from_settings` without attention is True.
    shared_vocabulary : bool
        Whether source and target have one vocabulary, and the same embeddings.
    subwords : int or None
        The size of vocabularies of subwords, instead of words. None: words.
    target : str or None
        The text with the translations of the lines of the data.

    Raises
    ------
    OptionError
        If a value is out of range or contradicts another one.

    Examples
    --------
    >>> options = TrainingOptions.from_settings({"level": "char", "epochs": 3})
    >>> options.level, options.epochs, options.learning_rate
    ('char', 3, 0.004)
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
    rate_schedule: str = "inverse"
    samples: int | str = AUTO
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
    devices: int | str = 1
    tutorial: bool = False
    keep_case: bool = False
    tokenized: bool = False
    column: str | None = None
    lines: bool = False
    cell: str = "simple"
    layers: int = 1
    embedding_dim: int | None = None
    bias: bool | None = None
    tied: bool = False
    dropout: float = 0.0
    continuous: bool = False
    task: str = LANGUAGE_MODEL
    bidirectional: bool = False
    pooling: str = "max"
    criterion: str = "loss"
    word_dropout: float = 0.0
    features: str | None = None
    tier: str | None = None
    attention: bool = True
    repeat_source: bool = False
    shared_vocabulary: bool = False
    subwords: int | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        try:
            check_choice("level", self.level, LEVELS)
            check_choice("optimizer", self.optimizer, UPDATE_RULES)
            check_choice("device", self.device, DEVICES)
            check_choice("rate_schedule", self.rate_schedule, RATE_SCHEDULES)
            check_bptt_truncate(self.bptt_truncate)
            for name, minimum in COUNTS.items():
                if name == "batch_size" and self.batch_size is None:
                    continue
                object.__setattr__(self, name, check_count(name, getattr(self, name), minimum))
            self._check_network()
            check_flag("continuous", self.continuous)
            for name in ("bidirectional", "attention", "repeat_source", "shared_vocabulary"):
                check_flag(name, getattr(self, name))
            if self.repeat_source and self.attention:
                raise OptionError("repeat_source: has no effect with `attention`; leave it out")
            if self.subwords is not None:
                object.__setattr__(self, "subwords", check_count("subwords", self.subwords, 10))
            check_choice("task", self.task, TASKS)
            check_choice("pooling", self.pooling, POOLINGS)
            check_choice("criterion", self.criterion, CRITERIA)
            check_real("word_dropout", self.word_dropout, minimum=0)
            for name, minimum in COUNTS_OR_AUTO.items():
                value = getattr(self, name)
                if value != AUTO and isinstance(value, str):
                    raise ArgumentValueError(f"{name}: expected auto or an integer, got {value!r}")
                object.__setattr__(self, name, value if value == AUTO else check_count(name, value, minimum))
            if self.features is not None:
                check_choice("features", self.features, DEFAULT_NUMBERS)
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
        for name in ("column", "tier"):
            if not isinstance(getattr(self, name), (str, type(None))):
                raise OptionError(f"{name}: expected the name of a {name} as str, got {getattr(self, name)!r}")
        for name in PATHS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, os.path.abspath(getattr(self, name)))
        for name in WORD_OPTIONS:
            if self.level == "char" and getattr(self, name):
                raise OptionError(f"{name}: has no effect at character level; leave it out")
        if self.tutorial and self.devices not in (1, AUTO):
            raise OptionError(
                "devices: `tutorial` trains on one sentence at a time, which cannot be split; leave it out"
            )
        if self.tokenized:
            object.__setattr__(self, "lines", True)
        if self.level == "char":
            object.__setattr__(self, "continuous", True)

    def _check_network(self) -> None:
        """Check the options of the network, and replace those that depend on others."""
        if self.bias is None:
            object.__setattr__(self, "bias", self.cell != "simple")
        object.__setattr__(self, "tied", check_flag("tied", self.tied))
        for name, value in self.architecture(word_dim=4).settings().items():
            if name not in ("word_dim", "tied"):
                object.__setattr__(self, name, value)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "TrainingOptions":
        """Return options with these values; the others have the task's defaults, or with ``tutorial`` the tutorial's.

        Raises
        ------
        OptionError
            Also if a name is unknown, or a value contradicts the tutorial's.
        """
        check_option_names(settings)
        chosen = _normalized(settings)
        settings = with_task_defaults(chosen)
        if "rate_decay" in chosen:
            if chosen.get("rate_schedule") == "linear":
                raise OptionError("rate_decay: has no effect with the linear `rate_schedule`; leave one of them out")
            settings["rate_schedule"] = "inverse"
        if settings.get("attention") is False:
            settings.setdefault("repeat_source", True)
        if settings.get("tutorial"):
            for name, value in TUTORIAL.items():
                if settings.setdefault(name, value) != value:
                    trained_with = "no limit" if value is None else value
                    raise OptionError(f"{name}: `tutorial` trains with {trained_with}, got {settings[name]!r}")
            for name, value in TUTORIAL_NETWORK.items():
                if settings.setdefault(name, value) != value:
                    raise OptionError(f"{name}: `tutorial` trains only the tutorial's network, got {settings[name]!r}")
            settings = {**TUTORIAL_DEFAULTS, **settings}
        return cls(**settings)

    def to_configuration(self) -> dict[str, Any]:
        """Return a plain dict of all options, which JSON can write."""
        return asdict(self)

    def to_model_configuration(self) -> dict[str, Any]:
        """Return the options that a model records: those that decide what is in its file."""
        return {name: value for name, value in self.to_configuration().items() if name not in NOT_IN_MODEL}

    def architecture(self, word_dim: int) -> Architecture:
        """Return the settings of the network, for a vocabulary of so many entries."""
        names = ("hidden_dim", "cell", "activation", "layers", "embedding_dim", "bias", "dropout")
        # The networks of other tasks project the states to the size of tied embeddings.
        tied = self.tied and self.task == LANGUAGE_MODEL
        return Architecture(word_dim, tied=tied, **{name: getattr(self, name) for name in names})

    @property
    def initial_learning_rate(self) -> float:
        """The learning rate that was chosen, or else the optimizer's own."""
        assert self.learning_rate is not None  # __post_init__ has set it
        return self.learning_rate

    @property
    def most_useful_devices(self) -> int:
        """The number of devices up to which a step may become faster.

        With a vocabulary of thousands of words, products use all cores anyway, and each device updates all parameters.

        Examples
        --------
        >>> TrainingOptions(level="char").most_useful_devices, TrainingOptions().most_useful_devices
        (3, 1)
        """
        if self.level != "char":
            return 1
        return max((self.batch_size or LARGEST_BATCH_SIZES[self.level]) // STREAMS_PER_DEVICE, 1)

    def fitted_to(self, length: int) -> "TrainingOptions":
        """Return these options with a batch size that suits the text, unless one was chosen.

        Parameters
        ----------
        length : int
            The length of the training text: in sentences, or if it is continuous in tokens.

        Examples
        --------
        >>> TrainingOptions().fitted_to(400).batch_size, TrainingOptions().fitted_to(10_000).batch_size
        (10, 32)
        """
        if self.batch_size is not None:
            return self
        per_column = self.sequence_length if self.continuous else 1
        fitting = length // (per_column * STEPS_PER_EPOCH)
        return replace(self, batch_size=min(max(fitting, 1), LARGEST_BATCH_SIZES[self.level]))

    def with_samples_for(self, word_dim: int) -> "TrainingOptions":
        """Return these options with the number of samples for a vocabulary of so many entries, 0 for the exact softmax.

        Examples
        --------
        >>> TrainingOptions().with_samples_for(100_000).samples, TrainingOptions().with_samples_for(4000).samples
        (500, 0)
        """
        if self.samples == AUTO:
            return replace(self, samples=AUTO_SAMPLES if word_dim >= MANY_WORDS else 0)
        return replace(self, samples=0) if self.too_many_samples_for(word_dim) else self

    def too_many_samples_for(self, word_dim: int) -> bool:
        """Return whether the number of samples is at least the number of entries of the vocabulary."""
        return self.samples != AUTO and int(self.samples) >= word_dim

    def held_out_share(self, tokens: int) -> float:
        """Return the share of a text of so many tokens that is held out if `valid` is None.

        Examples
        --------
        >>> TrainingOptions().held_out_share(1_000_000), TrainingOptions().held_out_share(5_000)
        (0.05, 0.1)
        """
        if self.valid_fraction is not None:
            return self.valid_fraction
        return min(max(HELD_OUT_SHARE, HELD_OUT_TOKENS / max(tokens, 1)), LARGEST_HELD_OUT_SHARE)

    def held_out_seed(self, tokens: int) -> int:
        """Return the seed that chooses the held-out sentences of a text of so many tokens.

        In a small text, the choice of the held-out sentences changes the perplexity more than anything else. By default
        it is the same for every seed, so that runs can be compared.
        """
        is_small = self.valid_fraction is None and self.held_out_share(tokens) > HELD_OUT_SHARE
        return 0 if is_small else self.seed

    def resumed(self, settings: Mapping[str, Any]) -> "TrainingOptions":
        """Return the options of a run that is resumed with some new values.

        Raises
        ------
        OptionError
            If an option that decides what is learned would change.
        """
        saved = self.to_configuration()
        check_option_names(settings)
        settings = _normalized(settings)
        for name, value in settings.items():
            if name not in CHANGEABLE_ON_RESUME and value != saved[name]:
                raise OptionError(
                    f"{name}: the interrupted run has {saved[name]!r}, got {value!r}; leave it out, or start a new run"
                )
        return type(self)(**{**saved, **settings})


def check_option_names(names: Collection[str], other_names: Collection[str] = ()) -> None:
    """Raise an error that suggests the nearest name if a name is not that of an option.

    Parameters
    ----------
    names : collection of str
    other_names : collection of str, optional
        More names to suggest.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> check_option_names(["hidden_dims"])
    Traceback (most recent call last):
        ...
    theano_rnn.errors.OptionError: hidden_dims: unknown option; did you mean `hidden_dim`?
    """
    options = [field.name for field in fields(TrainingOptions)]
    for name in sorted(set(names) - set(options)):
        similar = difflib.get_close_matches(name, [*options, *other_names], n=1, cutoff=0.7)
        remedy = f"did you mean `{similar[0]}`?" if similar else "see help(theano_rnn.train)"
        raise OptionError(f"{name}: unknown option; {remedy}")


def _normalized(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of options in the form in which `TrainingOptions` keeps them."""
    normalized = dict(settings)
    if not normalized.get("clip", True):
        normalized["clip"] = None
    for name in PATHS:
        if normalized.get(name) is not None:
            normalized[name] = os.path.abspath(normalized[name])
    return normalized
