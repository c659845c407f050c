"""What the scripts share: one line for what the user can mend, exit statuses, arguments as settings."""

import argparse
import os
import sys

from theano_rnn.errors import TheanoRNNError, TrainingInterrupted

OK, WRONG, INTERRUPTED = 0, 2, 130


class ArgumentParser(argparse.ArgumentParser):
    """Wrong usage gives one line, without the whole usage before it."""

    def error(self, message):
        self.exit(WRONG, f"{self.prog}: {message}; see {self.prog} --help\n")


def run(script, main, arguments):
    """Run a script's main function and turn what it raises into a line on standard error and an exit status."""
    try:
        main(arguments)
        sys.stdout.flush()
        return OK
    except TheanoRNNError as error:
        print(f"{script}: {error}", file=sys.stderr)
        return WRONG
    except BrokenPipeError:
        # The reader has gone (`| head`): no error, and nothing more to say at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except TrainingInterrupted:
        return INTERRUPTED
    except KeyboardInterrupt:
        print(f"\n{script}: interrupted", file=sys.stderr)
        return INTERRUPTED
