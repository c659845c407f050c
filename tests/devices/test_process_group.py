"""What the processes of a run tell each other, and what they learn when one of them ends."""

import contextlib
import socket
import threading
import time

import pytest

from theano_rnn.devices import lifeline, process_group
from theano_rnn.devices.process_group import Place, ProcessGroup, place_in_group
from theano_rnn.devices.step_agreement import StepAgreement, Wishes
from theano_rnn.errors import CorpusError, ProcessGroupError, ProcessLostError


@contextlib.contextmanager
def three():
    """A group of three processes, all of them in this one."""
    pairs = [socket.socketpair() for _ in range(2)]
    groups = [ProcessGroup(0, 3, {k + 1: pair[0] for k, pair in enumerate(pairs)})]
    groups += [ProcessGroup(k + 1, 3, {0: pair[1]}) for k, pair in enumerate(pairs)]
    yield groups
    for group in groups:
        close(group)


def close(group):
    group._has_ended.set()
    for line in group._lifelines.values():
        line.close()


def in_turn(*works):
    """Run functions at the same time, and return their results or errors."""
    results = [None] * len(works)

    def run(k):
        try:
            results[k] = works[k]()
        except Exception as error:
            results[k] = error

    threads = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_all_processes_get_what_process_0_gives_in_the_same_order():
    with three() as groups:
        values = [0.1 + 0.2, float("nan"), None, {"a": [1, 2]}]
        given = {group: values if group.leads else [0] * len(values) for group in groups}
        found = in_turn(*(lambda group=group: [group.broadcast(value) for value in given[group]] for group in groups))
        for each in found:
            assert repr(each) == repr(values)


def test_processes_wait_for_each_other():
    with three() as groups:
        late = threading.Event()
        order = []

        def work(group):
            if group.index == 2:
                late.wait(10)
                order.append("the last arrives")
            group.meet()
            order.append("go on")

        threads = [threading.Thread(target=work, args=(group,), daemon=True) for group in groups]
        for thread in threads:
            thread.start()
        threads[0].join(0.3)
        late.set()
        for thread in threads:
            thread.join(10)
        assert order == ["the last arrives", *["go on"] * 3]


def test_a_process_that_ends_after_the_last_meeting_is_not_lost():
    for _ in range(20):
        with three() as groups:

            def work(group):
                with group.ending_together():
                    pass
                return "well"

            assert in_turn(*(lambda group=group: work(group) for group in groups)) == ["well"] * 3


def test_one_process_needs_nobody():
    group = ProcessGroup()
    group.meet()
    assert group.leads and group.broadcast(5) == 5
    with pytest.raises(CorpusError), group.ending_together():
        raise CorpusError("no text")


def test_if_a_process_ends_the_others_learn_which_one():
    with three() as groups:
        groups[1]._lifelines[0].close()
        found = in_turn(groups[0].meet, groups[2].meet)
        for error in found:
            assert isinstance(error, ProcessLostError)
            assert str(error).startswith("process 1 of 3 has ended: the connection ended; continue with `resume` ")


def test_a_process_tells_the_others_of_a_loss_before_it_ends_itself(monkeypatch):
    send = lifeline.Lifeline.send

    def send_late(line, message):
        time.sleep(0.3 if "ended" in message else 0)
        send(line, message)

    monkeypatch.setattr(lifeline.Lifeline, "send", send_late)
    with three() as groups:

        def work(group):
            with group.ending_together():
                group.meet()

        groups[2]._lifelines[0].close()
        for error in in_turn(lambda: work(groups[0]), lambda: work(groups[1])):
            assert str(error).startswith("process 2 of 3 has ended: the connection ended; ")


def test_the_error_that_ends_a_process_is_what_the_others_report():
    with three() as groups:

        def fail():
            with groups[0].ending_together():
                raise CorpusError("text.txt: no such file")

        def wait(group):
            with group.ending_together():
                group.broadcast()

        own, *others = in_turn(fail, lambda: wait(groups[1]), lambda: wait(groups[2]))
        assert isinstance(own, CorpusError)
        for error in others:
            assert isinstance(error, ProcessLostError)
            assert str(error) == "process 0 of 3 has ended: text.txt: no such file"


def test_the_error_of_a_computation_is_explained_by_the_process_that_was_lost():
    with three() as groups:

        def compute():
            with groups[0].ending_together():
                groups[2]._lifelines[0].close()
                raise RuntimeError("Gloo all-reduce failed:\nRead error")

        [error] = in_turn(compute)
        assert isinstance(error, ProcessLostError)
        assert "process 2 of 3 has ended" in str(error)


def test_a_silent_process_counts_as_lost(monkeypatch):
    monkeypatch.setattr(lifeline, "SECONDS_OF_SILENCE", 0.5)
    ours, theirs = socket.socketpair()
    group = ProcessGroup(0, 2, {1: ours})
    with pytest.raises(ProcessLostError, match="process 1 of 2 has ended: no sign of life for 0 seconds"):
        group.meet()
    theirs.close()
    close(group)


def test_signs_of_life_keep_a_quiet_group_together(monkeypatch):
    monkeypatch.setattr(lifeline, "SECONDS_OF_SILENCE", 1.0)
    monkeypatch.setattr(lifeline, "SECONDS_BETWEEN_SIGNS", 0.1)
    with three() as groups:
        time.sleep(1.5)
        assert not any(group._has_loss.is_set() for group in groups)


def test_a_process_that_does_not_end_by_itself_is_ended_with_one_line(monkeypatch):
    ended = threading.Event()
    written = []
    monkeypatch.setattr(process_group, "SECONDS_TO_END", 0.1)
    monkeypatch.setattr(process_group.os, "write", lambda number, text: written.append((number, text.decode())))
    monkeypatch.setattr(process_group.os, "_exit", lambda status: (written.append(status), ended.set()))
    ours, theirs = socket.socketpair()
    group = ProcessGroup(0, 2, {1: ours})
    theirs.close()
    assert ended.wait(10)
    close(group)
    [(number, line), status] = written
    assert (number, status) == (2, 2)
    assert line.endswith("\n") and line.count("\n") == 1
    assert "process 1 of 2 has ended" in line


# The place of a process


def nowhere():
    return None


def test_the_place_is_that_of_the_user_else_that_of_the_cluster():
    assert place_in_group("host:7000", 3, 2, lambda: ("other:1", 2, 1)) == Place("host:7000", 3, 2)
    assert place_in_group(None, None, None, lambda: ("other:1", 2, 1)) == Place("other:1", 2, 1)
    assert place_in_group(None, None, None, nowhere) == Place("", 1, 0)
    assert place_in_group(None, 1, None, lambda: ("other:1", 2, 1)) == Place("", 1, 0)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("host:1", None, None), "processes: missing; `coordinator` needs `coordinator`, `processes` and `process`"),
        ((None, 2, 0), "coordinator: missing; `processes` needs"),
        (("host:1", 2, None), "process: missing; `coordinator` needs"),
        (("host:1", 0, 0), "processes: expected at least 1, got 0"),
        (("host:1", 2, 2), "process: expected a number from 0 to 1, got 2; numbers begin with 0"),
        (("host:1", 2, -1), "process: expected at least 0, got -1"),
        (("host:1", "two", 0), "processes: expected an integer, got 'two'"),
        (("host", 2, 0), "coordinator: expected HOST:PORT"),
    ],
)
def test_a_wrong_place_is_refused(place, message):
    with pytest.raises(ProcessGroupError) as caught:
        place_in_group(*place, nowhere)
    assert str(caught.value).startswith(message)


# Decisions


def test_all_processes_do_after_the_same_step_what_process_0_decides():
    with three() as groups:

        def work(group):
            agreement, seen = StepAgreement(group), []
            for step in range(2000):
                time.sleep(0.001)
                asks = group.index == 2 and step >= 30
                found = agreement.after_step(Wishes(15 if asks else None, save=group.leads and step == 0))
                seen.append(found)
                if found.stop is not None:
                    break
            return seen

        found = in_turn(*(lambda group=group: work(group) for group in groups))
        assert found[0] == found[1] == found[2]
        assert found[0][0].save and found[0][-1].stop == 15
        assert 30 <= len(found[0]) < 2000


def test_one_process_does_what_it_wishes_at_once():
    wishes = Wishes(2, save=True, pause=True)
    assert StepAgreement(ProcessGroup()).after_step(wishes) == wishes
