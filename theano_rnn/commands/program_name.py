"""What the user called: a script of a checkout, an installed command, or `python -m theano_rnn`."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

_INSTALLED_PREFIX = "theano-rnn-"
MODULE_CALL = "python -m theano_rnn"


def _called_file() -> Path:
    return Path(sys.argv[0] if sys.argv else "")


def _is_installed_command(script: str) -> bool:
    return _called_file().name.removesuffix(".exe") == _INSTALLED_PREFIX + script


def _is_module_call() -> bool:
    return _called_file().name == "__main__.py" and _called_file().parent.name == "theano_rnn"


def program_name(script: str) -> str:
    """The name that begins the usage and the messages of a command.

    Parameters
    ----------
    script : str
        The name of the script without its ending.

    Returns
    -------
    str
        ``"train.py"``, ``"theano-rnn-train"`` or ``"python -m theano_rnn train"``.
    """
    if _is_installed_command(script):
        return _INSTALLED_PREFIX + script
    return f"{MODULE_CALL} {script}" if _is_module_call() else f"{script}.py"


def example_name(script: str) -> str:
    """The beginning of an example in the help of a command."""
    name = program_name(script)
    return f"python scripts/{name}" if name == f"{script}.py" else name


def _on_path(program: str) -> str:
    """A program's name if the shell finds this very file under it, else its path.

    Not any link to the same file: a virtual environment's interpreter is a link to one that lacks its packages.
    """
    name = os.path.basename(program)
    found = shutil.which(name)
    return name if found and os.path.abspath(found) == os.path.abspath(program) else program


def command_line(script: str, arguments: Sequence[str], other: str | None = None) -> str:
    """A line for the shell that calls a command again, or another one, in the way in which the user called it.

    Parameters
    ----------
    script : str
        The name of the script that the user called, without its ending.
    arguments : sequence of str
    other : str, optional
        The name of another script, to call instead.
    """
    called, name = _called_file(), other or script
    if _is_installed_command(script):
        program = [_on_path(str(called.with_name(called.name.replace(script, name))))]
    elif _is_module_call():
        program = [_on_path(sys.executable), "-m", "theano_rnn", name]
    elif other is None:
        program = [_on_path(sys.executable), sys.argv[0]]
    elif called.with_name(f"{name}.py").is_file():
        program = [_on_path(sys.executable), str(called.with_name(f"{name}.py"))]
    else:
        program = [_on_path(sys.executable), "-m", "theano_rnn", name]
    return shlex.join([*program, *arguments])
