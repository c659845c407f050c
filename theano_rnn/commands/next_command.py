"""The command that a user may want to try after a training run."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from theano_rnn.commands.option_names import flag
from theano_rnn.commands.program_name import command_line

_TEXTS = "5"
_RECORDINGS = "-frames"  # the end of the names of tasks whose models read recordings
_DESCRIBE = "describe"


def resume_command(argv: Sequence[str], changes: Mapping[str, Any] | None = None) -> str:
    """The command line that continues a training run.

    Parameters
    ----------
    argv : sequence of str
        The arguments of train.py.
    changes : dict, optional
        Options with other values, by name.
    """
    arguments = [argument for argument in argv if argument != "--resume" and not argument.startswith("--ov")]
    return command_line("train", [*_without(arguments, changes or {}), "--resume", *_flags(changes or {})])


def next_command(
    argv: Sequence[str], task: str, model: str, data: Sequence[str], changes: Mapping[str, Any] | None = None
) -> str:
    """A command line that uses a trained model, or that trains a better one.

    Parameters
    ----------
    argv : sequence of str
        The arguments of train.py.
    task : str
        The task of the model.
    model : str
        The file of the model.
    data : sequence of str
        The files that it was trained on.
    changes : dict, optional
        The options, by name, of a run that should be better. The number of epochs is changed by resuming the run. Other
        options cannot be changed if the arguments are those of a resumed run; then the command uses the model.

    Examples
    --------
    >>> next_command([], "language-model", "my models/rnn.npz", []).partition(" --")[2]
    "model 'my models/rnn.npz' -n 5"
    """
    if changes and changes.keys() == {"epochs"}:
        return resume_command(argv, changes)
    if changes and "--resume" not in argv:
        return command_line("train", [*_without(argv, changes), *_flags(changes)])
    if task == "language-model":
        return command_line("train", ["--model", model, "-n", _TEXTS], "generate")
    files = [path for path in data if task != _DESCRIBE or path.endswith(".npz")]
    reads_text = task != _DESCRIBE and not task.endswith(_RECORDINGS)
    return command_line("train", ["--model", model, *([] if reads_text else files[:1])], "predict")


def _without(argv: Sequence[str], changes: Mapping[str, Any]) -> list[str]:
    """Leave out the options that are changed, with their values."""
    flags = [flag(name) for name in changes]
    kept, previous = [], ""
    for argument in argv:
        if previous not in flags and argument not in flags and argument.partition("=")[0] not in flags:
            kept.append(argument)
        previous = argument
    return kept


def _flags(changes: Mapping[str, Any]) -> list[str]:
    return list(itertools.chain.from_iterable((flag(name), f"{value:g}") for name, value in changes.items()))
