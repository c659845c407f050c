"""The rules by which a run ends early, without a run."""

from types import SimpleNamespace

import pytest

from theano_rnn import stopping
from theano_rnn.errors import OptionError
from theano_rnn.stopping import TimeLimit, evaluations_without_improvement


@pytest.mark.parametrize(
    "losses, count",
    [
        ([], 0),
        ([3.0], 0),
        ([3.0, 2.0, 1.0], 0),
        ([3.0, 2.0, 2.0], 1),
        ([1.0, 2.0, 1.5, 1.1], 3),
        ([3.0, 4.0, 5.0, 2.0, 2.5], 1),
    ],
)
def test_only_a_loss_below_all_before_it_is_an_improvement(losses, count):
    assert evaluations_without_improvement(losses) == count


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(stopping, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))
    return clock


def moment_of_end(limit, clock, share=0.0):
    while not limit.is_up(share):
        clock.seconds += 1
        assert clock.seconds < 1000
    return clock.seconds - 100


def test_the_time_is_up_after_so_many_minutes(clock):
    assert moment_of_end(TimeLimit(0.5), clock) == 30


def test_without_a_limit_it_is_never_up(clock):
    limit = TimeLimit()
    clock.seconds = 1e12
    assert not limit.is_up(1.0)


def test_the_last_evaluation_is_part_of_the_time_as_long_as_the_longest_before_it(clock):
    limit = TimeLimit(1)
    limit.note_evaluation(7.0)
    limit.note_evaluation(5.0)
    assert moment_of_end(limit, clock, share=5.0) == 53


def test_before_the_first_evaluation_its_share_of_the_tokens_is_reserved_but_at_most_a_tenth(clock):
    assert moment_of_end(TimeLimit(1), clock, share=0.05) == 58
    clock.seconds = 100.0
    assert moment_of_end(TimeLimit(1), clock, share=3.0) == 55


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), "5", True])
def test_impossible_limits_are_refused(minutes):
    with pytest.raises(OptionError, match="^max_minutes: expected a number"):
        TimeLimit(minutes)
