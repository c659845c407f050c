"""The signals that end a program: Ctrl-C, SIGTERM, and the closing of its terminal."""

import contextlib
import signal
import threading

TERMINATING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
CLOSED_PIPE_SIGNAL = getattr(signal, "SIGPIPE", signal.SIGTERM)


class SignalReceived(KeyboardInterrupt):
    """A signal asks for the end.

    Attributes
    ----------
    number : int
        Which signal.
    """

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextlib.contextmanager
def handling_signals(handler):
    """While active, the signals that end a program call `handler(number, frame)`.

    A signal that is ignored (by nohup, or in the background of a shell) stays ignored. Outside the main thread, where
    no signals arrive, nothing is done.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in TERMINATING_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def raise_signal_received(number, frame=None):
    """As a handler of signals: raise `SignalReceived` at once, so that what is being done cleans up behind itself."""
    raise SignalReceived(number)


class StopRequest:
    """Whether somebody wants an end. As a handler of signals, it raises `SignalReceived` only at the second one.

    Attributes
    ----------
    number : int or None
        Of the signal.
    """

    def __init__(self):
        self.number = None

    def __bool__(self):
        return self.number is not None

    def __call__(self, number, frame=None):
        if self:
            raise SignalReceived(number)
        self.number = number

    def note_closed_pipe(self):
        """Take it for a signal that nobody reads any more what is written."""
        if not self:
            self.number = CLOSED_PIPE_SIGNAL
