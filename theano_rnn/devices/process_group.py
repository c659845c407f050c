"""The processes of one run: who they are, what process 0 tells the others, and what happens when one of them ends.

Must not know what is computed.
"""

import contextlib
import logging
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from theano_rnn.checks import check_count, check_real
from theano_rnn.devices.lifeline import Lifeline
from theano_rnn.devices.roll_call import Facts, answer, call_the_roll, is_this_machine_only, own_address, parse_address
from theano_rnn.errors import ProcessGroupError, ProcessLostError, TheanoRNNError

logger = logging.getLogger(__name__)

JOIN_TIMEOUT = 300.0
"""How many seconds to wait for the other processes at the beginning."""

SECONDS_TO_END = 6.0
"""How long a process that waits for a lost one has to end by itself."""

SECONDS_TO_LEARN_OF_A_LOSS = 10.0
"""How long a process whose computation has failed waits for the news that another process has ended."""

EXIT_STATUS = 2
TO_CONTINUE = "continue with `resume` in as many processes as you like"


@dataclass(frozen=True)
class Place:
    """The place of a process among those of a run.

    Attributes
    ----------
    coordinator : str
        HOST:PORT of process 0.
    count, index : int
        The number of processes, and the number of this one, from 0.
    """

    coordinator: str = ""
    count: int = 1
    index: int = 0


def place_in_group(
    coordinator: str | None,
    processes: int | None,
    process: int | None,
    cluster_place: Callable[[], tuple[str, int, int] | None],
) -> Place:
    """Return the place of this process as the user gives it, else as the cluster does.

    Parameters
    ----------
    coordinator, processes, process
        As the user gives them. With only `processes` = 1, the run has one process, whatever the cluster says.
    cluster_place : callable
        See `theano_rnn.devices.jax_processes.cluster_place`.

    Raises
    ------
    ProcessGroupError
        If one is missing or out of range.
    """
    given = {"coordinator": coordinator, "processes": processes, "process": process}
    if all(value is None for value in given.values()):
        return Place(*cluster_place() or ())
    if processes == 1 and coordinator is None and process is None:
        return Place()
    for name, value in given.items():
        if value is None:
            other = next(other for other, one in given.items() if one is not None)
            raise ProcessGroupError(f"{name}: missing; `{other}` needs `coordinator`, `processes` and `process`")
    try:
        count = check_count("processes", processes)
        index = check_count("process", process, 0)
    except (TypeError, ValueError) as error:
        raise ProcessGroupError(str(error)) from error
    if index >= count:
        raise ProcessGroupError(f"process: expected a number from 0 to {count - 1}, got {index}; numbers begin with 0")
    parse_address(str(coordinator))
    return Place(str(coordinator), count, index)


class ProcessGroup:
    """The processes that train one network together.

    Process 0 leads: it is the one that writes files and shows progress, and it decides what all do next.

    Parameters
    ----------
    index, count : int
        The number of this process, from 0, and the number of processes.
    connections : dict of int to socket.socket
        To the other processes, by number: all of them in process 0, only process 0 in the others.
    coordinator : str
        HOST:PORT of process 0.

    Attributes
    ----------
    index, count : int
    coordinator : str
    address : str
        The address of this machine that the other processes reach.
    """

    def __init__(
        self,
        index: int = 0,
        count: int = 1,
        connections: dict[int, socket.socket] | None = None,
        coordinator: str = "",
    ) -> None:
        self.index: int = index
        self.count: int = count
        self.coordinator: str = coordinator
        self._told: queue.Queue[Any] = queue.Queue()  # by process 0
        self._requests: queue.Queue[Any] = queue.Queue()  # of the other processes
        self._loss: str = ""
        self._noting_loss = threading.Lock()
        self._has_loss, self._has_ended = threading.Event(), threading.Event()
        self._arrivals: set[int] = set()
        self._all_arrived = threading.Condition()
        addresses = [own_address(one) for one in (connections or {}).values()]
        self.address: str = next((one for one in addresses if not is_this_machine_only(one)), "127.0.0.1")
        self._lifelines = {number: self._lifeline(number, one) for number, one in (connections or {}).items()}
        for lifeline in self._lifelines.values():
            lifeline.start()

    @classmethod
    def join(
        cls,
        coordinator: str,
        count: int,
        index: int,
        facts: Facts,
        seconds: float,
        note: Callable[[str], object] = logger.info,
    ) -> "ProcessGroup":
        """Meet the other processes of a run; see `theano_rnn.devices.roll_call`.

        Parameters
        ----------
        coordinator : str
            HOST:PORT of process 0.
        count, index : int
            The number of processes, and the number of this one.
        facts : mapping
            What must be the same in all processes.
        seconds : float
            How long to wait for the others.
        note : callable
            Receives one line for each process that is sent away.
        """
        address = parse_address(coordinator)
        if index == 0:
            connections = call_the_roll(address, count, facts, seconds, note)
            group = cls(index, count, connections, coordinator)
            group.broadcast("all have joined")
            return group
        connection = answer(address, index, facts, seconds)
        return cls(index, count, {0: connection}, coordinator)

    @classmethod
    def of_run(
        cls, place: Place, facts: Facts, seconds: float, note: Callable[[str], object] = logger.info
    ) -> "ProcessGroup":
        """Meet the other processes of a run, if there are any; see `join`."""
        if place.count == 1:
            return cls()
        try:
            check_real("join_timeout", seconds, above=0)
        except (TypeError, ValueError) as error:
            raise ProcessGroupError(str(error)) from error
        return cls.join(place.coordinator, place.count, place.index, facts, seconds, note)

    @property
    def leads(self) -> bool:
        """Whether this is process 0, or the only process."""
        return self.index == 0

    def _lifeline(self, number: int, connection: socket.socket) -> Lifeline:
        return Lifeline(
            connection,
            lambda message: self._take(number, message),
            lambda reason: self._lose(f"process {number} of {self.count} has ended: {reason}; {TO_CONTINUE}"),
        )

    # Messages

    def broadcast(self, value: Any = None) -> Any:
        """Return in all processes what process 0 gives, a value of JSON. All must call it, in the same order.

        Raises
        ------
        ProcessLostError
            If a process has ended.
        """
        if self.count == 1:
            return value
        if self.leads:
            for lifeline in self._lifelines.values():
                lifeline.send({"value": value})
            self._require_all()
            return value
        while True:
            with contextlib.suppress(queue.Empty):
                return self._told.get(timeout=0.2)
            self._require_all()

    def request(self, value: Any) -> None:
        """Send a wish to process 0."""
        for lifeline in self._lifelines.values():
            lifeline.send({"request": value})

    def requests(self) -> list[Any]:
        """Return, in process 0, the wishes that have arrived since the last call."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._requests.get_nowait())
        return found

    def meet(self, for_the_last_time: bool = False) -> None:
        """Wait until all processes have called this. After the last time, a process that ends is not a loss."""
        if self.count == 1:
            return
        if self.leads:
            with self._all_arrived:
                while len(self._arrivals) < self.count - 1:
                    self._all_arrived.wait(0.2)
                    self._require_all()
                self._arrivals.clear()
            if for_the_last_time:
                self._has_ended.set()
        else:
            self._lifelines[0].send({"arrived": True})
        self.broadcast("all have arrived")

    def _take(self, number: int, message: dict[str, Any]) -> None:
        if "value" in message:
            self._told.put(message["value"])
        elif "request" in message:
            self._requests.put(message["request"])
        elif "arrived" in message:
            with self._all_arrived:
                self._arrivals.add(number)
                self._all_arrived.notify_all()
        elif "ended" in message:
            self._lose(str(message["ended"]))

    # The loss of a process

    def _lose(self, reason: str) -> None:
        """Note that a process has ended, tell the others, and end this one if it waits for the lost one."""
        with self._noting_loss:
            if self._loss or self._has_ended.is_set():
                return
            self._loss = reason
        self._tell_others(reason)  # before this process ends and its connections with it
        self._has_loss.set()
        threading.Thread(target=self._end_if_stuck, daemon=True).start()

    def _tell_others(self, reason: str) -> None:
        if self.leads:
            for lifeline in self._lifelines.values():
                lifeline.send({"ended": reason})

    def _end_if_stuck(self) -> None:
        """End this process with one line if its main thread does not, because it waits within a computation."""
        if not self._has_ended.wait(SECONDS_TO_END):
            with contextlib.suppress(OSError):
                os.write(2, f"{os.path.basename(sys.argv[0])}: {self._loss}\n".encode())
            os._exit(EXIT_STATUS)

    def _require_all(self) -> None:
        if self._has_loss.is_set():
            raise ProcessLostError(self._loss)

    @contextlib.contextmanager
    def ending_together(self) -> Iterator[None]:
        """Leave the group at the end of the block. If it ends with an error, the other processes end with one line.

        Raises
        ------
        ProcessLostError
            Instead of the error of a computation that failed because another process has ended.
        """
        try:
            yield
            self.meet(for_the_last_time=True)
        except BaseException as error:
            if self.count == 1:
                raise
            is_about_us = isinstance(error, (TheanoRNNError, KeyboardInterrupt, SystemExit))
            if not is_about_us and self._has_loss.wait(SECONDS_TO_LEARN_OF_A_LOSS):
                raise ProcessLostError(self._loss) from None
            if not self._has_loss.is_set():
                self._say_why(error)
            raise
        finally:
            self._has_ended.set()
            for lifeline in self._lifelines.values():
                lifeline.close()

    def _say_why(self, error: BaseException) -> None:
        """Tell the other processes why this one ends."""
        why = " ".join(str(error).split()) or type(error).__name__
        for lifeline in self._lifelines.values():
            lifeline.send({"ended": f"process {self.index} of {self.count} has ended: {why}"})
