"""The start of a run of several processes: all of them meet at the coordinator's address and compare what they do.

Process 0 listens there until the others have joined. A process that does not fit is sent away with one line, before
anything is computed. The connections stay open as lifelines.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from theano_rnn.devices import messages
from theano_rnn.errors import ProcessGroupError

SECONDS_TO_SAY_HELLO = 10.0
SECONDS_BETWEEN_TRIES = 0.2
SECONDS_UNTIL_A_PORT_IS_FREE = 15.0  # after a run that was killed

Facts = Mapping[str, Any]
"""What must be the same in all processes: a value of JSON for each name."""


def parse_address(coordinator: str) -> tuple[str, int]:
    """Split HOST:PORT.

    Raises
    ------
    ProcessGroupError
        If it is something else.

    Examples
    --------
    >>> parse_address("node1:7000"), parse_address("[::1]:7000")
    (('node1', 7000), ('::1', 7000))
    """
    host, colon, port = coordinator.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ProcessGroupError(f"coordinator: expected HOST:PORT, such as 10.0.0.1:7000, got {coordinator!r}")
    return host, int(port)


def is_this_machine_only(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    return host in ("localhost", "::1") or host.startswith("127.")


def own_address(connection: socket.socket) -> str:
    """Return the address of this machine in a connection."""
    name = connection.getsockname()
    # A socket for both versions of IP shows an address of version 4 as one of version 6.
    return str(name[0]).removeprefix("::ffff:") if isinstance(name, tuple) else "127.0.0.1"


def listening_socket(host: str, port: int) -> socket.socket:
    """Listen at an address: on the loopback interface if that is what it names, else on all interfaces.

    Raises
    ------
    ProcessGroupError
        If another program uses the port.
    """
    deadline = time.monotonic() + SECONDS_UNTIL_A_PORT_IS_FREE
    while True:
        try:
            if host == "::1":
                return socket.create_server((host, port), family=socket.AF_INET6, backlog=1024)
            if is_this_machine_only(host):
                return socket.create_server((host, port), backlog=1024)
            if socket.has_dualstack_ipv6():
                return socket.create_server(("", port), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)
            return socket.create_server(("", port), backlog=1024)
        except OSError as error:
            if time.monotonic() > deadline:
                raise ProcessGroupError(
                    f"coordinator: port {port} of this machine cannot be used: {error.strerror}; choose another port"
                ) from error
            time.sleep(SECONDS_BETWEEN_TRIES)


# Process 0


def call_the_roll(
    address: tuple[str, int], count: int, facts: Facts, seconds: float, note: Callable[[str], object]
) -> dict[int, socket.socket]:
    """Wait as process 0 until all others have joined.

    Parameters
    ----------
    address : (str, int)
        Host and port of the coordinator.
    count : int
        The number of processes.
    facts : mapping
    seconds : float
        How long to wait.
    note : callable
        Receives one line for each process that is sent away.

    Returns
    -------
    dict of int to socket.socket
        The connections to the others, by number.

    Raises
    ------
    ProcessGroupError
        If some have not joined in time.
    """
    deadline = time.monotonic() + seconds
    present: dict[int, socket.socket] = {}
    with listening_socket(*address) as listener:
        while len(present) < count - 1:
            listener.settimeout(min(1.0, max(deadline - time.monotonic(), 0.001)))
            try:
                connection, (host, *_) = listener.accept()
            except TimeoutError:
                _forget_ended(present)
                if time.monotonic() < deadline:
                    continue
                for one in present.values():
                    with contextlib.suppress(OSError):
                        messages.send(one, {"refused": "coordinator: not all processes have joined in time"})
                    one.close()
                raise ProcessGroupError(_absent(count, present, seconds)) from None
            admitted = _admitted(connection, host, count, facts, present, note)
            if admitted is not None:
                if admitted in present:  # it has ended
                    present[admitted].close()
                present[admitted] = connection
            if len(present) == count - 1:
                _forget_ended(present)
    return present


def _forget_ended(present: dict[int, socket.socket]) -> None:
    """Remove processes that have ended while they waited for the others."""
    for number in [number for number, one in present.items() if _has_ended(one)]:
        present.pop(number).close()


def _absent(count: int, present: Mapping[int, Any], seconds: float) -> str:
    missing = [str(number) for number in range(1, count) if number not in present]
    some = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
    which = f"process {some} has" if len(missing) == 1 else f"processes {some} have"
    return f"processes: {which} not joined within {seconds:g} seconds; start {count} processes with the same command"


def _has_ended(connection: socket.socket) -> bool:
    """Return whether a process that waits for the others has closed its connection."""
    connection.settimeout(0.001)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def _admitted(
    connection: socket.socket,
    host: str,
    count: int,
    facts: Facts,
    present: Mapping[int, socket.socket],
    note: Callable[[str], object],
) -> int | None:
    """Read what a process says of itself. Return its number, or None if it was sent away."""
    try:
        hello = messages.receive(connection, SECONDS_TO_SAY_HELLO)
        number, theirs = hello["process"], hello["facts"]
        reason = reason_to_refuse(number, theirs, count, facts)
        if reason is None and number in present and not _has_ended(present[number]):
            reason = f"process: {number} was given to two processes; each needs another number from 0 to {count - 1}"
        if reason is None:
            return int(number)
        messages.send(connection, {"refused": reason})
        note(f"refused a process on {host}: {reason}")
    except (OSError, ValueError, KeyError, TypeError):  # not one of ours
        pass
    connection.close()
    return None


def reason_to_refuse(number: Any, theirs: Any, count: int, facts: Facts) -> str | None:
    """Return why a process cannot take part, as one line; None if it can."""
    theirs = theirs if isinstance(theirs, dict) else {}
    for name in dict.fromkeys([*facts, *theirs]):
        mine, other = facts.get(name), theirs.get(name)
        if mine != other:
            return difference(name, mine, other)
    if not isinstance(number, int) or not 0 < number < count:
        return f"process: expected a number from 1 to {count - 1} beside process 0, got {number!r}"
    return None


def difference(name: str, mine: Any, other: Any) -> str:
    """Say in one line what is different in a process."""
    return f"{name}: must be the same in all processes; it is {_shown(other)} here and {_shown(mine)} in process 0"


def _shown(value: Any) -> str:
    return "the default" if value is None else str(value)


# The other processes


def answer(address: tuple[str, int], process: int, facts: Facts, seconds: float) -> socket.socket:
    """Join process 0, and wait until all others have joined.

    Parameters
    ----------
    address : (str, int)
        Host and port of the coordinator.
    process : int
        The number of this process.
    facts : mapping
    seconds : float
        How long to wait.

    Returns
    -------
    socket.socket
        The connection to process 0.

    Raises
    ------
    ProcessGroupError
        If process 0 cannot be reached in time, or sends this process away.
    """
    deadline = time.monotonic() + seconds
    connection = _connection(address, seconds, deadline)
    try:
        messages.send(connection, {"process": process, "facts": facts})
        reply = messages.receive(connection, deadline - time.monotonic() + SECONDS_TO_SAY_HELLO)
    except (OSError, ValueError) as error:
        connection.close()
        raise ProcessGroupError(
            f"coordinator: process 0 at {_text(address)} has ended before all processes had joined"
        ) from error
    if "refused" in reply:
        connection.close()
        raise ProcessGroupError(str(reply["refused"]))
    return connection


def _connection(address: tuple[str, int], seconds: float, deadline: float) -> socket.socket:
    while True:
        try:
            return socket.create_connection(address, timeout=max(deadline - time.monotonic(), 0.1))
        except OSError as error:
            if time.monotonic() + SECONDS_BETWEEN_TRIES > deadline:
                raise ProcessGroupError(
                    f"coordinator: {_text(address)} cannot be reached within {seconds:g} seconds "
                    f"({error.strerror or error}); start process 0 there, and check the address and the firewall"
                ) from error
            time.sleep(SECONDS_BETWEEN_TRIES)


def _text(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
