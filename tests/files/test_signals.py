"""Signals that end a program: the first is a request to stop, the second stops at once."""

import signal
import threading

import pytest

from theano_rnn.files.signals import (
    CLOSED_PIPE_SIGNAL,
    TERMINATING_SIGNALS,
    SignalReceived,
    StopRequest,
    handling_signals,
)


def handlers():
    return [signal.getsignal(number) for number in TERMINATING_SIGNALS]


@pytest.mark.parametrize("number", TERMINATING_SIGNALS)
def test_the_first_signal_is_a_request_and_the_second_raises(number):
    before, stop = handlers(), StopRequest()
    with pytest.raises(SignalReceived, match=signal.Signals(number).name) as error, handling_signals(stop):
        assert not stop and stop.number is None
        signal.raise_signal(number)
        assert stop and stop.number == number
        signal.raise_signal(number)
    assert error.value.number == number and isinstance(error.value, KeyboardInterrupt)
    assert handlers() == before


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = StopRequest()
        with handling_signals(stop):
            signal.raise_signal(signal.SIGHUP)
            assert not stop
            signal.raise_signal(signal.SIGINT)
            assert stop
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_nested_handlers_restore_the_outer_one():
    outer, inner = StopRequest(), StopRequest()
    with handling_signals(outer):
        with handling_signals(inner):
            signal.raise_signal(signal.SIGTERM)
        assert inner and not outer
        signal.raise_signal(signal.SIGTERM)
        assert outer


def test_other_threads_do_not_change_the_handlers():
    seen = []

    def work():
        with handling_signals(StopRequest()):
            seen.append(handlers())

    before = handlers()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_closed_pipe_is_a_request_only_if_there_was_none():
    stop = StopRequest()
    stop.note_closed_pipe()
    assert stop.number == CLOSED_PIPE_SIGNAL
    stop.note_closed_pipe()
    stop = StopRequest()
    stop(signal.SIGINT)
    stop.note_closed_pipe()
    assert stop.number == signal.SIGINT
