"""The names of options: `hidden_dim` in Python, `--hidden-dim` in a shell.

Errors of the package name Python arguments. An error about an argument begins with its name and a colon; other
arguments in messages are in backquotes, with or without a value: `` `top_k=1` ``. Here both become flags.
"""

import argparse
import re
from collections.abc import Collection, Mapping

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError

_SUBJECT = re.compile(r"([A-Za-z_]\w*): ")
_MENTION = re.compile(r"`([A-Za-z_]\w*)(?:=([^`]*))?`")
_CHOSEN, _NOT_CHOSEN = "True", ("False", "None")  # values of arguments whose flags have none


def flag(name: str) -> str:
    """The flag of an argument that is called like it.

    Examples
    --------
    >>> flag("hidden_dim")
    '--hidden-dim'
    """
    return f"--{name.replace('_', '-')}"


def flags_of(parser: argparse.ArgumentParser) -> dict[str, str]:
    """The longest flag of each option of a parser and of its subcommands, by the name of the Python argument."""
    flags: dict[str, str] = {}
    for action in parser._actions:
        if isinstance(action, argparse.BooleanOptionalAction):
            flags[action.dest] = action.option_strings[0]  # not --no-NAME
        elif action.option_strings:
            flags[action.dest] = max(action.option_strings, key=len)
        elif isinstance(action, argparse._SubParsersAction):
            for part in action.choices.values():
                flags.update(flags_of(part))
    return flags


def message_with_flags(error: Exception, flags: Mapping[str, str], arguments: Collection[str] = ()) -> str:
    """The message of an error with flags in place of the names of Python arguments.

    Parameters
    ----------
    error : Exception
    flags : mapping
        Flags by the names of Python arguments, as from `flags_of`.
    arguments : collection of str
        What the user typed. A message that begins with one of these words is about a file of that name.

    Examples
    --------
    >>> flags = {"min_words": "--min-words", "max_words": "--max-words"}
    >>> message_with_flags(ArgumentValueError("min_words: expected at most `max_words` (3), got 5"), flags)
    '--min-words: expected at most --max-words (3), got 5'
    """
    message = str(error)
    if isinstance(error, (ArgumentValueError, ArgumentTypeError)):
        subject = _SUBJECT.match(message)
        if subject and subject[1] in flags and subject[1] not in arguments:
            message = f"{flags[subject[1]]}: {message[subject.end() :]}"
    return mentions_as_flags(message, flags)


def mentions_as_flags(message: str, flags: Mapping[str, str]) -> str:
    """A message with flags in place of the arguments that it mentions in backquotes."""

    def shown(mention: re.Match[str]) -> str:
        name, value = mention[1], mention[2]
        if name not in flags:
            return mention[0]
        if value is None or value == _CHOSEN:
            return flags[name]
        return f"no {flags[name]}" if value in _NOT_CHOSEN else f"{flags[name]} {value}"

    return _MENTION.sub(shown, message)
