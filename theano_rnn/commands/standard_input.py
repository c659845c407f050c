"""Standard input as a command reads it: as bytes, with a hint if somebody is to type it."""

import os
import sys
from typing import BinaryIO

from theano_rnn.commands.terminal import say

_END_KEY = "Ctrl-Z and Enter end" if os.name == "nt" else "Ctrl-D ends"


def standard_input() -> BinaryIO | None:
    """Standard input as a binary file, or None if the caller has closed it."""
    return sys.stdin.buffer if sys.stdin is not None else None


def is_typed() -> bool:
    """Whether standard input is a terminal."""
    stream = standard_input()
    return stream is not None and stream.isatty()


def announce_standard_input() -> None:
    """Say at a terminal that the command waits for input, which would otherwise look like a command that hangs."""
    if is_typed():
        say(f"reading from standard input; {_END_KEY}")
