"""How the processes of a run meet, and who is sent away."""

import contextlib
import socket
import threading
import time

import pytest
from support.processes import free_port

from theano_rnn.devices import messages, roll_call
from theano_rnn.devices.roll_call import parse_address
from theano_rnn.errors import ProcessGroupError

FACTS = {"version": "1", "hidden_dim": 50}
SAME = "must be the same in all processes"
NO_MESSAGES = [b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x02{}", b"\xff" * 9]


@pytest.fixture(autouse=True)
def closed_sockets(monkeypatch):
    """All connections end with the test."""
    opened = []
    for name in ("answer", "call_the_roll"):
        original = getattr(roll_call, name)

        def call(*arguments, original=original):
            found = original(*arguments)
            opened.extend(found.values() if isinstance(found, dict) else [found])
            return found

        monkeypatch.setattr(roll_call, name, call)
    yield
    for connection in opened:
        connection.close()


class Call(threading.Thread):
    """Process 0, which waits for the others in another thread."""

    def __init__(self, count, seconds=20.0):
        super().__init__(daemon=True)
        self.address = ("127.0.0.1", free_port())
        self.count, self.seconds = count, seconds
        self.notes, self.present, self.error, self.joined = [], None, None, []
        self.start()

    def run(self):
        try:
            self.present = roll_call.call_the_roll(self.address, self.count, FACTS, self.seconds, self.notes.append)
        except ProcessGroupError as error:
            self.error = str(error)

    def join_in(self, number, facts=FACTS):
        """Join in another thread; return it, and a list that gets the connection or the error."""
        found = []

        def work():
            try:
                found.append(roll_call.answer(self.address, number, facts, 20.0))
            except ProcessGroupError as error:
                found.append(str(error))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.joined.append(thread)
        return thread, found

    def connection(self):
        """A connection that says nothing by itself."""
        for _ in range(200):
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection(self.address)
            time.sleep(0.05)
        raise AssertionError("process 0 does not listen")

    def welcome(self):
        self.join(20)
        for connection in self.present.values():
            messages.send(connection, {"value": "welcome"})
        for thread in self.joined:
            thread.join(20)


def test_process_0_waits_until_all_others_have_joined():
    call = Call(3)
    joined = [call.join_in(number) for number in (2, 1)]
    call.welcome()
    assert sorted(call.present) == [1, 2]
    for thread, found in joined:
        thread.join(20)
        assert isinstance(found[0], socket.socket)


@pytest.mark.parametrize(
    ("number", "facts", "reason"),
    [
        (
            1,
            {**FACTS, "hidden_dim": 60},
            "hidden_dim: must be the same in all processes; it is 60 here and 50 in process",
        ),
        (
            1,
            {"version": "1"},
            "hidden_dim: must be the same in all processes; it is the default here and 50 in process 0",
        ),
        (
            1,
            {**FACTS, "layers": 2},
            "layers: must be the same in all processes; it is 2 here and the default in process",
        ),
        (1, {**FACTS, "version": "2"}, "version: must be the same in all processes; it is 2 here and 1 in process 0"),
        (2, FACTS, "process: expected a number from 1 to 1 beside process 0, got 2"),
        (0, FACTS, "process: expected a number from 1 to 1 beside process 0, got 0"),
    ],
)
def test_a_process_that_does_not_fit_is_sent_away_with_one_line_and_the_right_one_can_still_join(number, facts, reason):
    call = Call(2)
    thread, found = call.join_in(number, facts)
    thread.join(20)
    assert found[0].startswith(reason)
    assert "\n" not in found[0]
    call.join_in(1)
    call.welcome()
    assert len(call.notes) == 1 and reason in call.notes[0]
    assert sorted(call.present) == [1]


def test_a_number_that_was_given_twice_is_refused_the_second_time():
    call = Call(3)
    both = [call.join_in(1)[1] for _ in range(2)]
    while not any(both):
        time.sleep(0.05)
    [refused] = [found for found in both if found][0]
    assert refused == "process: 1 was given to two processes; each needs another number from 0 to 2"
    call.join_in(2)
    call.welcome()
    assert sorted(call.present) == [1, 2]


def test_a_process_that_has_ended_while_it_waited_can_be_replaced():
    call = Call(3)
    early = call.connection()
    messages.send(early, {"process": 1, "facts": FACTS})
    early.close()
    thread, found = call.join_in(1)
    call.join_in(2)
    call.welcome()
    thread.join(20)
    assert isinstance(found[0], socket.socket)


@pytest.mark.parametrize("content", NO_MESSAGES)
def test_strangers_are_ignored(content):
    call = Call(2)
    with call.connection() as stranger:
        stranger.sendall(content)
    call.join_in(1)
    call.welcome()
    assert sorted(call.present) == [1]


def test_who_is_missing_is_said_when_the_time_is_over():
    call = Call(4, seconds=0.5)
    thread, found = call.join_in(2)
    call.join(20)
    assert call.error == (
        "processes: processes 1, 3 have not joined within 0.5 seconds; start 4 processes with the same command"
    )
    thread.join(20)
    assert found == ["coordinator: not all processes have joined in time"]


def test_a_coordinator_that_cannot_be_reached_is_named_with_the_time():
    port = free_port()
    with pytest.raises(ProcessGroupError, match=rf"127.0.0.1:{port} cannot be reached within 0.3 seconds \(.*refused"):
        roll_call.answer(("127.0.0.1", port), 1, FACTS, 0.3)


def test_a_port_in_use_is_named(monkeypatch):
    monkeypatch.setattr(roll_call, "SECONDS_UNTIL_A_PORT_IS_FREE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ProcessGroupError, match=f"port {port} of this machine cannot be used: .*; choose another"):
            roll_call.call_the_roll(("127.0.0.1", port), 2, FACTS, 1, print)


@pytest.mark.parametrize("text", ["host", "host:", ":7000", "host:seven", "host:0", "host:70000", ""])
def test_an_address_that_is_not_host_and_port_is_refused(text):
    with pytest.raises(ProcessGroupError, match="coordinator: expected HOST:PORT"):
        parse_address(text)
