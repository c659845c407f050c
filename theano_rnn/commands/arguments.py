"""The parser of a command's options: grouped help with an example, and one line for wrong usage."""

import argparse
import re
import sys
import textwrap
from collections.abc import Collection
from typing import Any, NoReturn

from theano_rnn.commands.program_name import example_name, program_name
from theano_rnn.files.printable import printable

WRONG_USAGE = 2
_SEPARATOR = "\0"  # between a file and its weight; no path has it
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_HELP_POSITION = 28  # the column in which the help of an option begins, if its name is not longer


class HelpFormatter(argparse.HelpFormatter):
    """Wraps each paragraph of a description by itself, and leaves indented lines as they are."""

    def __init__(self, prog: str, indent_increment: int = 2, max_help_position: int = _HELP_POSITION) -> None:
        super().__init__(prog, indent_increment, max_help_position)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.strip("\n").split("\n\n")
        return "\n\n".join(
            paragraph if "\n  " in f"\n{paragraph}" else textwrap.fill(" ".join(paragraph.split()), width)
            for paragraph in paragraphs
        )


class ArgumentParser(argparse.ArgumentParser):
    """A parser that reports wrong usage in one line, without the whole usage before it.

    Attributes
    ----------
    weighted_flags : tuple of str
        Flags that take a file and, if a number follows it, that number too; see `weighted_file`.
    """

    weighted_flags: tuple[str, ...] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Join each weighted file with its number first: argparse has no optional second value."""
        arguments = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(_with_weights(arguments, self.weighted_flags), namespace)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if action.option_strings and action.nargs is None and arg_strings == ["--"]:
            return self._get_value(action, "--")  # of --prompt=--, which argparse before Python 3.13 loses
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")


def weighted_file(text: str) -> tuple[str, float | None]:
    """Return the file and its weight, or None, of an option among `ArgumentParser.weighted_flags`; its `type`."""
    file, has_weight, weight = text.partition(_SEPARATOR)
    return file, float(weight) if has_weight else None


def _with_weights(arguments: list[str], flags: Collection[str]) -> list[str]:
    """Append the number after the value of such a flag to the value."""
    joined: list[str] = []
    is_flag = is_value = False
    for i, argument in enumerate(arguments):
        if argument == "--":
            return joined + arguments[i:]
        if is_value and _NUMBER.fullmatch(argument):
            joined[-1] += _SEPARATOR + argument
        else:
            joined.append(argument)
        is_value = is_flag or argument.partition("=")[0] in flags and "=" in argument
        is_flag = argument in flags and not is_flag
    return joined


def command_parser(script: str, description: str, usage: str, example: str) -> ArgumentParser:
    """The parser of a command, under the name by which the user called it.

    Parameters
    ----------
    script : str
        The name of the script without its ending, such as ``"train"``.
    description : str
        What the command does. Paragraphs are separated by blank lines.
    usage : str
        What follows the command's name in the first line of the help.
    example : str
        Arguments of a typical call.
    """
    parser = ArgumentParser(
        prog=program_name(script),
        usage=f"%(prog)s {usage}",
        description=description,
        epilog=f"example:\n  {example_name(script)} {example}",
        formatter_class=HelpFormatter,
    )
    add_version(parser)
    return parser


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--version``."""
    version = sys.modules[__name__.partition(".")[0]].__version__  # nothing imports the package root
    parser.add_argument(
        "--version", action="version", version=f"theano_rnn {version}", help="show the version and exit"
    )
