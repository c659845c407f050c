"""The options that training has for each task: their defaults, and those that have no effect.

To add a task, add its class to `theano_rnn.language_models.model_files.TASKS` and one line to `TASK_OPTIONS` here.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from theano_rnn.checks import check_choice
from theano_rnn.errors import OptionError
from theano_rnn.language_models.model_files import LANGUAGE_MODEL, TASKS

CLASSIFY = "classify"
CRITERIA = ("accuracy", "loss")
READER_OPTIONS = ("bidirectional", "pooling", "criterion", "word_dropout")
TEXT_GENERATION = ("level", "continuous", "sequence_length", "sample_every", "tied", "bptt_truncate", "tutorial")


class TaskOptions(NamedTuple):
    """Defaults that differ from those of a language model, and the names of options without effect."""

    defaults: Mapping[str, Any]
    without: tuple[str, ...]


TASK_OPTIONS = {
    LANGUAGE_MODEL: TaskOptions({}, READER_OPTIONS),
    CLASSIFY: TaskOptions(
        {
            "cell": "lstm",
            "hidden_dim": 128,
            "embedding_dim": 100,
            "bidirectional": True,
            "bias": True,
            "dropout": 0.5,
            "pooling": "max",
            "criterion": "accuracy",
            "word_dropout": 0.1,
            "learning_rate": 0.002,
            "vocabulary_size": 20_000,
            "valid_fraction": 0.1,
        },
        TEXT_GENERATION,
    ),
}


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
            raise OptionError(f"{name}: has no effect with `task={task}`; leave it out")
    return {**options.defaults, **settings}
