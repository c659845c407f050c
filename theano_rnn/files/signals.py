"""The signals that end a program: Ctrl-C, SIGTERM, and the closing of its terminal."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

TERMINATING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
CLOSED_PIPE_SIGNAL: int = getattr(signal, "SIGPIPE", signal.SIGTERM)

Handler = Callable[[int, Any], Any]
"""A signal handler, called with the number of the signal and the current stack frame."""


class SignalReceived(KeyboardInterrupt):
    """A signal that ends the program has arrived.

    Parameters
    ----------
    number : int
        Which signal it is.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number: int = number


@contextlib.contextmanager
def handling_signals(handler: Handler) -> Iterator[None]:
    """Call `handler(number, frame)` for the signals that end a program until the end of the block.

    Signals that are ignored, as with nohup or in the background of a shell, stay ignored. Outside the main thread,
    where Python delivers no signals, nothing is done.
    """
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in TERMINATING_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                previous[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in previous.items():
            signal.signal(number, earlier)


def raise_signal_received(number: int, frame: Any = None) -> NoReturn:
    """Raise `SignalReceived` at once, as a signal handler, so that the current work cleans up after itself."""
    raise SignalReceived(number)


class StopRequest:
    """A signal handler that remembers the first signal, for a loop to stop at a convenient point.

    At the second signal it raises `SignalReceived`. An object is true once there was a request.

    Attributes
    ----------
    number : int or None
        The number of the signal, or None if there was no request.

    Examples
    --------
    >>> stop = StopRequest()
    >>> bool(stop)
    False
    >>> stop(signal.SIGINT)
    >>> bool(stop)
    True
    """

    def __init__(self) -> None:
        self.number: int | None = None

    def __bool__(self) -> bool:
        return self.number is not None

    def __call__(self, number: int, frame: Any = None) -> None:
        if self:
            raise SignalReceived(number)
        self.number = number

    def note_closed_pipe(self) -> None:
        """Treat a closed output pipe like a signal."""
        if not self:
            self.number = CLOSED_PIPE_SIGNAL
