"""The parser of a command's options: its help, and one line for wrong usage."""

import argparse
from typing import NoReturn

from theano_rnn.files.printable import printable

WRONG_USAGE = 2


class ArgumentParser(argparse.ArgumentParser):
    """A parser that reports wrong usage in one line, without the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")
