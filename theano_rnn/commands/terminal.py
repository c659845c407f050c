"""Standard output for results, standard error for everything else."""

import os
import sys
from typing import NoReturn

from theano_rnn.commands.status_line import clear_status
from theano_rnn.errors import ClosedPipeError, StandardOutputError


def prepare_streams() -> None:
    """Discard what is written to streams that the caller has closed, and write UTF-8 to standard output.

    Bytes of an argument that are not UTF-8 come out unchanged.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")


def show(*columns: object, end: str = "\n") -> None:
    """Write tab-separated columns to standard output.

    Parameters
    ----------
    *columns : object
        The values of one line of results.
    end : str
        What follows the last column. Use another string than a line end to continue the line.

    Raises
    ------
    StandardOutputError
        If standard output cannot be written, for example on a full disk.
    ClosedPipeError
        If standard output is a pipe that nobody reads any more.
    """
    clear_status()
    try:
        sys.stdout.write("\t".join(map(str, columns)) + end)  # one call, so that no signal comes in between
    except OSError as error:
        _raise_output_failed(error)


def flush() -> None:
    """Send buffered results to standard output; raises as `show` does."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _raise_output_failed(error)


def _raise_output_failed(error: OSError) -> NoReturn:
    _discard_buffered_output()
    if isinstance(error, BrokenPipeError):
        raise ClosedPipeError from error
    raise StandardOutputError(f"standard output cannot be written: {error.strerror}; choose another place") from error


def _discard_buffered_output() -> None:
    """Point standard output at nothing. Python would otherwise try again to write its buffer at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # not a real file
    finally:
        os.close(nowhere)


def say(text: str) -> None:
    """Write a line to standard error, unless nobody can read it."""
    clear_status()
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass
