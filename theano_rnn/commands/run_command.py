"""Run a command: turn what it raises, and the signals it gets, into one line and an exit status."""

import argparse
import functools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from theano_rnn.commands.arguments import WRONG_USAGE, ArgumentParser
from theano_rnn.commands.option_names import flags_of, message_with_flags
from theano_rnn.commands.terminal import flush, prepare_streams, say
from theano_rnn.engines.malloc_settings import tune_process
from theano_rnn.errors import ClosedPipeError, StandardOutputError, TheanoRNNError, TrainingInterrupted
from theano_rnn.files.printable import printable
from theano_rnn.files.signals import CLOSED_PIPE_SIGNAL, SignalReceived, handling_signals

OK, WRONG = 0, WRONG_USAGE
XLA_HAS_NO_MEMORY = "RESOURCE_EXHAUSTED"
BY_SIGNAL = 128  # plus the signal's number, as shells count: 130 after Ctrl-C, 143 after SIGTERM


def run_command(
    parser: ArgumentParser, work: Callable[[argparse.Namespace], object], argv: Sequence[str] | None = None
) -> int:
    """Parse the arguments of a command, run it, and return its exit status.

    Parameters
    ----------
    parser : ArgumentParser
        Its options are called like the Python arguments that error messages name (`dest`). Messages show their flags.
    work : callable
        Called with the parsed arguments.
    argv : sequence of str, optional
        The arguments; default: those of this process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    message = functools.partial(message_with_flags, flags=flags_of(parser), arguments=arguments)
    return run(parser.prog, lambda arguments: work(parser.parse_args(arguments)), arguments, message)


def run(
    script: str,
    main: Callable[[list[str]], object],
    arguments: list[str],
    message: Callable[[Exception], str] = str,
) -> int:
    """Run the main function of a command and return its exit status.

    Parameters
    ----------
    script : str
        The command's name, which begins each message.
    main : callable
        Called with `arguments`.
    arguments : list of str
    message : callable, optional
        Gives the message of an error; default: `str`.

    Returns
    -------
    int
        0 if `main` returned, 2 for an error that the user can fix, 128 plus the number of a signal.
    """
    prepare_streams()
    tune_process()
    with handling_signals(functools.partial(_end, script)):
        try:
            main(arguments)
            flush()
            return OK
        except ClosedPipeError:
            return OK  # not an error, and there is nothing more to say
        except TheanoRNNError as error:
            say(f"{script}: {printable(message(error))}")
            return WRONG
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and XLA_HAS_NO_MEMORY not in str(error):
                raise
            say(f"{script}: out of memory; use a smaller network, vocabulary or batch size")
            return WRONG
        except BrokenPipeError:
            return BY_SIGNAL + CLOSED_PIPE_SIGNAL  # nobody reads standard error, and there was nothing to save yet
        except TrainingInterrupted as error:
            return BY_SIGNAL + error.number
        except KeyboardInterrupt as error:
            _send_results()
            say(f"\n{script}: interrupted")
            return BY_SIGNAL + getattr(error, "number", signal.SIGINT)


def _end(script: str, number: int, frame: FrameType | None) -> None:
    """Handle a signal where there is nothing to save: send the results so far and end the process.

    An exception would be lost in libraries that are being imported, or make them abort the process. One is raised only
    while results are being written, because that cannot be finished here.
    """
    try:
        _send_results()
    except RuntimeError:
        raise SignalReceived(number) from None
    try:
        os.write(2, f"\n{script}: interrupted\n".encode())
    except OSError:
        pass
    os._exit(BY_SIGNAL + number)


def _send_results() -> None:
    """Send buffered results if somebody reads them; another signal ends the process."""
    with handling_signals(lambda number, frame: os._exit(BY_SIGNAL + number)):
        try:
            flush()
        except (OSError, StandardOutputError):
            pass
