"""A line on a terminal that shows that the command is still working. Nothing is shown anywhere else."""

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator

from theano_rnn.files.printable import printable

_QUIET_SECONDS = 1.5  # without any output, after which the line appears
_INTERVAL = 0.5  # between looks, in seconds


class _StatusLine(threading.Thread):
    """Writes what is going on, and for how long, once there has been no output for a moment."""

    def __init__(self, text: str) -> None:
        super().__init__(daemon=True, name="status line")
        self._text = printable(text)
        self._begin = self._last_output = time.monotonic()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._width = 0  # of the text that is on the screen now

    def run(self) -> None:
        while not self._done.wait(_INTERVAL):
            with self._lock:
                now = time.monotonic()
                if now - self._last_output >= _QUIET_SECONDS and not self._done.is_set():
                    self._write(f"{self._text} … {now - self._begin:.0f} s")

    def _write(self, text: str) -> None:
        text = text[: _columns() - 1]
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"\r{text.ljust(self._width)}")
            sys.stderr.flush()
        self._width = len(text)

    def clear(self) -> None:
        """Make room for other output."""
        with self._lock:
            self._last_output = time.monotonic()
            if self._width:
                self._write("")
                self._write("")
                self._width = 0

    def stop(self) -> None:
        self._done.set()
        self.clear()


def _columns() -> int:
    """The width of the terminal that standard error is, whatever standard output is."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return columns or shutil.get_terminal_size().columns


_shown: _StatusLine | None = None


@contextlib.contextmanager
def status(text: str) -> Iterator[None]:
    """While active, show `text` and the seconds so far if nothing else is shown for a moment.

    Parameters
    ----------
    text : str
        What the command is doing, such as ``"loading models/rnn.npz"``.
    """
    global _shown
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    outer, _shown = _shown, _StatusLine(text)
    try:
        _shown.start()
        yield
    finally:
        _shown.stop()
        _shown = outer


def clear_status() -> None:
    """Remove the status line before something else is written to the terminal."""
    if _shown is not None:
        _shown.clear()


def no_status() -> contextlib.AbstractContextManager[None]:
    """In place of `status` while somebody types."""
    return contextlib.nullcontext()
