"""The parser of a command's options: grouped help with an example, and one line for wrong usage."""

import argparse
import sys
import textwrap
from typing import Any, NoReturn

from theano_rnn.commands.program_name import example_name, program_name
from theano_rnn.files.printable import printable

WRONG_USAGE = 2
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
    """A parser that reports wrong usage in one line, without the whole usage before it."""

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if action.option_strings and action.nargs is None and arg_strings == ["--"]:
            return self._get_value(action, "--")  # of --prompt=--, which argparse before Python 3.13 loses
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")


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
