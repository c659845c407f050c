"""`python -m theano_rnn COMMAND`: the commands without knowing where they are installed."""

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from theano_rnn.commands.arguments import WRONG_USAGE, ArgumentParser, HelpFormatter, add_version
from theano_rnn.commands.program_name import MODULE_CALL
from theano_rnn.commands.terminal import prepare_streams, say

COMMANDS = {
    "train": "train a network on text files",
    "score": "score sentences with a trained model",
    "generate": "generate sentences with a trained model",
    "predict": "predict with a model of another task",
    "explain": "look inside a trained network",
    "export": "write a model for use in other programs",
    "benchmark": "time theano_rnn on this machine",
}
CHECKOUT = Path(__file__).resolve().parents[1]


def make_parser() -> ArgumentParser:
    commands = "\n".join(f"  {name:<10} {text}" for name, text in COMMANDS.items())
    parser = ArgumentParser(
        prog=MODULE_CALL,
        usage="%(prog)s COMMAND [options]",
        description=f"Recurrent-neural-network language models.\n\ncommands:\n{commands}",
        epilog=f"{MODULE_CALL} COMMAND --help shows the options of a command.",
        formatter_class=HelpFormatter,
    )
    add_version(parser)
    parser.add_argument("command", metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def load_script(name: str) -> ModuleType | None:
    """The module of a command: of the checkout that this package belongs to, else the installed one, else None."""
    full_name = f"theano_rnn.scripts.{name}"
    path = CHECKOUT / "scripts" / f"{name}.py"
    if path.with_name("checkout.py").is_file() and path.is_file():
        specification = importlib.util.spec_from_file_location(full_name, path)
        if specification is not None and specification.loader is not None:
            module = importlib.util.module_from_spec(specification)
            specification.loader.exec_module(module)
            return module
    try:
        return importlib.import_module(full_name)
    except ModuleNotFoundError as error:
        if error.name not in ("theano_rnn.scripts", full_name):
            raise
        return None


def main(argv: Sequence[str] | None = None) -> int:
    prepare_streams()
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = make_parser()
    if not argv:
        parser.error(f"expected a command: {', '.join(COMMANDS)}")
    name = parser.parse_args(argv[:1]).command
    if name not in COMMANDS:
        parser.error(f"unknown command {name!r}; expected one of {', '.join(COMMANDS)}")
    script = load_script(name)
    if script is None:
        say(f"{MODULE_CALL}: the commands are not installed beside this package; install theano_rnn with pip")
        return WRONG_USAGE
    return script.main(argv[1:])


if __name__ == "__main__":
    sys.exit(main())
