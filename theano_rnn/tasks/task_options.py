"""The options of training for each task: defaults, those without effect, and those inherited from a language model.

To add a task, add its class to `theano_rnn.language_models.model_files.TASKS` and one line to `TASK_OPTIONS` here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from theano_rnn.checks import check_choice
from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.errors import OptionError
from theano_rnn.files.text_files import has_extension
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.model_files import LANGUAGE_MODEL, TASKS
from theano_rnn.speech.input_files import FRAMES, SOUND, is_speech

CLASSIFY, TAG, FILL = "classify", "tag", "fill"
TRANSLATE, DESCRIBE = "translate", "describe"
CLASSIFY_FRAMES, TAG_FRAMES = "classify-frames", "tag-frames"
FRAME_TASKS = {CLASSIFY: CLASSIFY_FRAMES, TAG: TAG_FRAMES}
"""What a task becomes if its data are recordings."""
CRITERIA = ("accuracy", "loss")
INHERITED = ("hidden_dim", "cell", "activation", "embedding_dim")  # from a language model to start from
READER_OPTIONS = ("bidirectional", "pooling", "criterion", "word_dropout")
TEXT_GENERATION = ("level", "continuous", "sequence_length", "sample_every", "tied", "bptt_truncate", "tutorial")
WORDS = (
    "word_dropout",
    "embedding_dim",
    "vocabulary_size",
    "min_count",
    "tokenized",
    "keep_case",
    "lines",
    "init_from",
)


OF_RECORDINGS = ("features", "tier")
OF_WRITERS = ("attention", "repeat_source", "shared_vocabulary", "subwords", "target")
OF_MANY_OUTPUTS = ("samples",)


class TaskOptions(NamedTuple):
    """Defaults that differ from those of a language model, and the names of options without effect."""

    defaults: Mapping[str, Any]
    without: tuple[str, ...]


TASK_OPTIONS = {
    LANGUAGE_MODEL: TaskOptions({}, (*READER_OPTIONS, *OF_RECORDINGS, *OF_WRITERS)),
    CLASSIFY: TaskOptions(
        {
            "cell": "gru",
            "hidden_dim": 128,
            "embedding_dim": 100,
            "bidirectional": True,
            "bias": True,
            "dropout": 0.5,
            "pooling": "max",
            "criterion": "accuracy",
            "word_dropout": 0.25,
            "vocabulary_size": 20_000,
            "valid_fraction": 0.1,
        },
        (*TEXT_GENERATION, *OF_RECORDINGS, *OF_WRITERS, *OF_MANY_OUTPUTS),
    ),
    TAG: TaskOptions(
        {
            "cell": "lstm",
            "hidden_dim": 128,
            "embedding_dim": 100,
            "bidirectional": True,
            "bias": True,
            "dropout": 0.5,
            "criterion": "accuracy",
            "word_dropout": 1.0,
            "vocabulary_size": 50_000,
            "valid_fraction": 0.1,
        },
        (*TEXT_GENERATION, *OF_RECORDINGS, *OF_WRITERS, *OF_MANY_OUTPUTS, "pooling", "column"),
    ),
    FILL: TaskOptions(
        {
            "cell": "lstm",
            "hidden_dim": 128,
            "embedding_dim": 100,
            "bidirectional": True,
            "bias": True,
            "tied": True,
            "dropout": 0.3,
            "word_dropout": 0.05,
            "learning_rate": 0.004,
            "samples": 0,
        },
        (*(name for name in TEXT_GENERATION if name != "tied"), *OF_RECORDINGS, *OF_WRITERS, "pooling", "criterion"),
    ),
    TRANSLATE: TaskOptions(
        {
            "cell": "gru",
            "hidden_dim": 192,
            "embedding_dim": 192,
            "bidirectional": True,
            "bias": True,
            "tied": True,
            "dropout": 0.35,
            "min_count": 2,
            "vocabulary_size": 30_000,
            "batch_size": 64,
            "epochs": 14,
            "learning_rate": 0.003,
            "rate_schedule": "linear",
            "samples": 0,
        },
        (
            *(name for name in TEXT_GENERATION if name not in ("tied", "sample_every")),
            *OF_RECORDINGS,
            *(name for name in READER_OPTIONS if name != "bidirectional"),
            "column",
            "lines",
            "init_from",
        ),
    ),
    DESCRIBE: TaskOptions(
        {
            "cell": "gru",
            "hidden_dim": 192,
            "embedding_dim": 128,
            "bias": True,
            "tied": True,
            "dropout": 0.3,
            "vocabulary_size": 30_000,
            "batch_size": 32,
            "epochs": 24,
            "learning_rate": 0.003,
            "samples": 0,
            "valid_fraction": 0.1,
        },
        (
            *(name for name in TEXT_GENERATION if name not in ("tied", "sample_every")),
            *OF_RECORDINGS,
            *READER_OPTIONS,
            *(name for name in OF_WRITERS if name != "subwords"),
            "column",
            "lines",
        ),
    ),
    TAG_FRAMES: TaskOptions(
        {
            "cell": "gru",
            "hidden_dim": 128,
            "bidirectional": True,
            "bias": True,
            "dropout": 0.3,
            "criterion": "accuracy",
            "valid_fraction": 0.1,
            "epochs": 20,
            "batch_size": 4,
            "learning_rate": 0.004,
            "rate_decay": 0.1,
        },
        (*TEXT_GENERATION, *WORDS, *OF_WRITERS, *OF_MANY_OUTPUTS, "pooling", "column"),
    ),
    CLASSIFY_FRAMES: TaskOptions(
        {
            "cell": "gru",
            "hidden_dim": 128,
            "bidirectional": True,
            "bias": True,
            "dropout": 0.5,
            "pooling": "max",
            "criterion": "loss",
            "valid_fraction": 0.1,
            "epochs": 20,
        },
        (*TEXT_GENERATION, *WORDS, *OF_WRITERS, *OF_MANY_OUTPUTS, "column", "tier"),
    ),
}


def reader_settings(
    options: Any, labels: int, embeddings: Sequence[tuple[int, int]], head: str, frame_dim: int = 0
) -> ReaderSettings:
    """Return the settings of a reader with the network that `theano_rnn.training.options.TrainingOptions` describe."""
    names = ("pooling", "hidden_dim", "cell", "activation", "layers", "bidirectional", "dropout")
    settings = {name: getattr(options, name) for name in names}
    return ReaderSettings(labels, tuple(embeddings), frame_dim, head, bias=bool(options.bias), **settings)


def with_frame_task(settings: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Return the options of a run with the task that its data have: labels of texts, or of recordings.

    Examples
    --------
    >>> with_frame_task({"task": "tag", "epochs": 2}, ["a.wav", "segments.tsv"])
    {'task': 'tag-frames', 'epochs': 2}
    """
    task = settings.get("task")
    if isinstance(task, str) and task in FRAME_TASKS and is_speech(paths):
        return {**settings, "task": FRAME_TASKS[task]}
    return dict(settings)


def check_data(task: str, paths: Sequence[str]) -> None:
    """Raise OptionError if the data are recordings, and the task learns from texts."""
    if task in FRAME_TASKS.values() or task == DESCRIBE:
        return
    if any(has_extension(path, end) for path in paths for end in (SOUND, FRAMES)):
        raise OptionError(f"data: recordings need `task=tag` or `task=classify`; `task={task}` learns from texts")


def with_task_defaults(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run with the defaults of its task.

    Parameters
    ----------
    settings : dict
        The options that were given; ``task`` may be among them.

    Raises
    ------
    OptionError
        If the task is unknown, or an option has no effect on it.
    """
    task = settings.get("task", LANGUAGE_MODEL)
    try:
        check_choice("task", task, TASKS)
    except (TypeError, ValueError) as error:
        raise OptionError(str(error)) from error
    options = TASK_OPTIONS[task]
    for name in options.without:
        if name in settings:
            what = next((f"`task={one}` on recordings" for one in FRAME_TASKS if FRAME_TASKS[one] == task), "")
            raise OptionError(f"{name}: has no effect with {what or f'`task={task}`'}; leave it out")
    for name in ("vocabulary_size", "min_count"):
        if settings.get("subwords") is not None and name in settings:
            raise OptionError(f"{name}: has no effect with `subwords`; leave it out")
    return {**options.defaults, **settings}


# Starting from a language model: embeddings and layers that were learned from unlabelled text


def with_settings_of(lm: LanguageModel, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run together with those that it inherits from a language model.

    Parameters
    ----------
    lm : LanguageModel
    settings : dict
        The options that were given, ``init_from`` among them.

    Raises
    ------
    OptionError
        If the model has no embeddings or reads characters, or an inherited option was given another value.
    """
    place = settings["init_from"]
    if lm.tokenizer.level == "char":
        raise OptionError(f"init_from: {place} reads characters; expected a language model that reads words")
    if not lm.rnn.architecture.has_embedding:
        raise OptionError(f"init_from: {place} has no embeddings to start from; train it with `embedding_dim`")
    inherited = {name: getattr(lm.rnn, name) for name in INHERITED}
    inherited |= {"keep_case": not lm.tokenizer.lowercase, "tokenized": lm.tokenizer.tokenized}
    for name, value in inherited.items():
        if settings.get(name, value) != value:
            raise OptionError(f"{name}: the model to start from has {value!r}, got {settings[name]!r}; leave it out")
    for name in ("min_count", "vocabulary_size"):
        if name in settings:
            raise OptionError(f"{name}: the vocabulary is that of {place}; leave it out")
    return {"bias": lm.rnn.bias, **settings, **inherited}


def start_parameters(reader: Reader, lm: LanguageModel) -> str:
    """Set the parameters of a reader that a language model has in the same shape; return a line that names them.

    The layers of the language model become the forward layers. A layer that reads both directions of the layer below
    has another shape and keeps its random values, as do the backward layers and the output.
    """
    values = reader.get_values()
    given = {name: value for name, value in lm.rnn.get_values().items() if name not in ("V", "c")}
    embeddings = lm.rnn.get_values()["V" if lm.rnn.tied else "E"]
    given["V" if reader.settings.tied else "E"] = embeddings
    taken = {name: value for name, value in given.items() if name in values and np.shape(values[name]) == value.shape}
    reader.set_values({**values, **taken})
    return f"starting from the language model's {', '.join(taken)}"
