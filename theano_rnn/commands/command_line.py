"""What the scripts share: arguments, what is shown where, one line for what the user can mend, exit statuses."""

import argparse
import functools
import os
import signal
import sys

from theano_rnn.engines.malloc_settings import tune_process
from theano_rnn.errors import TheanoRNNError, TrainingInterrupted
from theano_rnn.files.signals import CLOSED_PIPE, Stopped, handled_by

OK, WRONG = 0, 2
XLA_HAS_NO_MEMORY = "RESOURCE_EXHAUSTED"
BY_SIGNAL = 128  # and its number, as shells have it: 130 after Ctrl-C, 143 after SIGTERM


class ReaderHasGone(BrokenPipeError):
    """Nobody reads standard output any more (`| head`)."""


class OutputError(TheanoRNNError):
    """Standard output cannot be written, for another reason than that its reader has gone."""


class ArgumentParser(argparse.ArgumentParser):
    """Wrong usage gives one line, without the whole usage before it."""

    def error(self, message):
        self.exit(WRONG, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")


def run(script, main, arguments):
    """Run a script's main function and turn what it raises into a line on standard error and an exit status."""
    prepare_streams()
    tune_process()
    with handled_by(functools.partial(end, script)):
        try:
            main(arguments)
            flush()
            return OK
        except TheanoRNNError as error:
            say(f"{script}: {printable(str(error))}")
            return WRONG
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and XLA_HAS_NO_MEMORY not in str(error):
                raise
            say(f"{script}: the memory does not suffice; make the network, its vocabulary or its minibatches smaller")
            return WRONG
        except ReaderHasGone:
            return OK  # no error, and nothing more to say
        except BrokenPipeError:
            return BY_SIGNAL + CLOSED_PIPE  # nobody reads standard error, before there was anything to save
        except TrainingInterrupted as error:
            return BY_SIGNAL + error.number
        except KeyboardInterrupt as error:
            send_rest()
            say(f"\n{script}: interrupted")
            return BY_SIGNAL + getattr(error, "number", signal.SIGINT)


def end(script, number, frame):
    """What a signal does where there is nothing to save: results so far go out, and the process ends.

    An exception would be lost in libraries that are just being imported, or make them abort the process. Only amidst
    writing results, which cannot be finished here, is one raised.
    """
    try:
        send_rest()
    except RuntimeError:
        raise Stopped(number) from None
    try:
        os.write(2, f"\n{script}: interrupted\n".encode())
    except OSError:
        pass
    os._exit(BY_SIGNAL + number)


def send_rest():
    """Send what was shown on its way, if somebody reads it; another signal ends the process."""
    with handled_by(lambda number, frame: os._exit(BY_SIGNAL + number)):
        try:
            flush()
        except (OSError, OutputError):
            pass


def prepare_streams():
    """Let streams that the caller has closed swallow what is written, and let texts come out as UTF-8, as they come in.

    Bytes of an argument that are no UTF-8 come out as they are.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")


def show(*columns, end="\n"):
    """Write a line of results: tab-separated columns.

    Parameters
    ----------
    *columns
    end : str
        What comes after them; something else than a line end if the line goes on.

    Raises
    ------
    OutputError
        For a full disk, say.
    ReaderHasGone
    """
    try:
        sys.stdout.write("\t".join(map(str, columns)) + end)  # at once: no signal comes between
    except OSError as error:
        output_failed(error)


def flush():
    """Send what was shown on its way; raises as `show` does."""
    try:
        sys.stdout.flush()
    except OSError as error:
        output_failed(error)


def output_failed(error):
    drop_output()
    if isinstance(error, BrokenPipeError):
        raise ReaderHasGone from error
    raise OutputError(f"standard output cannot be written: {error.strerror}; choose another place") from error


def drop_output():
    """Send what standard output still holds nowhere: it would be tried again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # no file at all
    finally:
        os.close(nowhere)


def say(text):
    """Write a line on standard error, as long as somebody can read it."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass


def printable(text):
    """Text as one line without control characters, which could also make a terminal do something."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
