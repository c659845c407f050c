"""Messages between the processes of a run: JSON objects over a socket. Must not know what they are about."""

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!I")
_MOST_BYTES = 2**26  # a stranger's message is not read into memory
_SECONDS_TO_SEND = 20.0


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send a message; raise OSError if the connection is broken."""
    content = json.dumps(message).encode()
    connection.settimeout(_SECONDS_TO_SEND)
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive(connection: socket.socket, seconds: float) -> dict[str, Any]:
    """Receive a message.

    Parameters
    ----------
    connection : socket.socket
    seconds : float
        How long to wait for each part of it.

    Raises
    ------
    OSError
        If the connection is broken or closed, or nothing arrives in time (TimeoutError).
    ValueError
        If what arrives is not a message.
    """
    (length,) = _LENGTH.unpack(_receive_bytes(connection, _LENGTH.size, seconds))
    if length > _MOST_BYTES:
        raise ValueError(f"not a message: {length} bytes")
    message = json.loads(_receive_bytes(connection, length, seconds))
    if not isinstance(message, dict):
        raise ValueError(f"not a message: {type(message).__name__}")
    return message


def _receive_bytes(connection: socket.socket, count: int, seconds: float) -> bytes:
    connection.settimeout(max(seconds, 0.001))
    parts = []
    while count:
        part = connection.recv(min(count, 2**20))
        if not part:
            raise ConnectionResetError("closed by the other process")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
