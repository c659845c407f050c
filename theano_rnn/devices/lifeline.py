"""A connection to another process that shows at any time whether that process is still alive."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from theano_rnn.devices import messages

SECONDS_BETWEEN_SIGNS = 2.0
SECONDS_OF_SILENCE = 18.0
"""After this time without a sign of life, a process counts as lost: frozen, or cut off from the network."""

_SIGN_OF_LIFE: dict[str, Any] = {}


class Lifeline:
    """Sends and receives messages, and signs of life in between.

    Parameters
    ----------
    connection : socket.socket
    on_message : callable
        Called in another thread with each message, a dict that is not empty.
    on_loss : callable
        Called in another thread, once, with the reason why the other process counts as lost.
    """

    def __init__(
        self,
        connection: socket.socket,
        on_message: Callable[[dict[str, Any]], object],
        on_loss: Callable[[str], object],
    ) -> None:
        self._sending = connection
        self._receiving = connection.dup()  # with a time limit of its own
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._on_message, self._on_loss = on_message, on_loss

    def start(self) -> None:
        """Begin to send signs of life and to expect them."""
        for work in (self._show_life, self._receive):
            threading.Thread(target=work, daemon=True).start()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. If the connection is broken, `on_loss` is called instead."""
        try:
            with self._lock:
                messages.send(self._sending, message)
        except OSError as error:
            self._lose(error)

    def close(self) -> None:
        """End the connection, without a call of `on_loss`."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._sending.shutdown(socket.SHUT_RDWR)  # ends the connection at once, even while `_receive` waits
        for connection in (self._sending, self._receiving):
            connection.close()

    def _show_life(self) -> None:
        while not self._closed.wait(SECONDS_BETWEEN_SIGNS):
            self.send(_SIGN_OF_LIFE)

    def _receive(self) -> None:
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                message = messages.receive(self._receiving, SECONDS_OF_SILENCE)
            except (OSError, ValueError) as error:
                # This process itself may have been stopped for a while: then the signs are there by now.
                if not isinstance(error, TimeoutError) or time.monotonic() - began < 2 * SECONDS_OF_SILENCE:
                    self._lose(error)
                continue
            if message:
                self._on_message(message)

    def _lose(self, error: Exception) -> None:
        if not self._closed.is_set():
            self._closed.set()
            silent = f"no sign of life for {SECONDS_OF_SILENCE:.0f} seconds"
            self._on_loss(silent if isinstance(error, TimeoutError) else "the connection ended")
