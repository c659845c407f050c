"""The rules for ending a run early, tested without a run."""

from types import SimpleNamespace

import pytest

from theano_rnn.errors import OptionError
from theano_rnn.training import timing
from theano_rnn.training.timing import SpeedMeter, TimeLimit


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))
    return clock


def moment_of_end(limit, clock, evaluated_tokens=0):
    while limit.leaves_time_for(evaluated_tokens):
        clock.seconds += 1
        assert clock.seconds < 1000
    return clock.seconds - 100


def test_the_limit_passes_after_the_given_minutes(clock):
    assert moment_of_end(TimeLimit(0.5), clock) == 30


def test_without_a_limit_there_is_always_time(clock):
    limit = TimeLimit()
    clock.seconds = 1e12
    assert limit.leaves_time_for(10**9)


def test_time_is_reserved_for_a_final_evaluation_as_long_as_the_longest_so_far(clock):
    limit = TimeLimit(1)
    limit.add_evaluation(7.0)
    limit.add_evaluation(5.0)
    assert moment_of_end(limit, clock, evaluated_tokens=500) == 53


def test_before_the_first_evaluation_the_time_to_learn_its_tokens_is_reserved(clock):
    limit = TimeLimit(1)
    assert moment_of_end(limit, clock, evaluated_tokens=500) == 55  # nothing is known: a tenth of the time so far
    clock.seconds = 110.0
    limit.add_tokens(10)  # this includes reading the text, so it says nothing about the speed
    assert moment_of_end(limit, clock, evaluated_tokens=500) == 55
    clock.seconds = 112.0
    limit.add_tokens(100)
    assert moment_of_end(limit, clock, evaluated_tokens=500) == 50
    clock.seconds = 116.0
    limit.add_tokens(100)  # slower: something new was compiled
    assert moment_of_end(limit, clock, evaluated_tokens=500) == 50
    assert moment_of_end(limit, clock) == 60


def test_while_steps_may_still_compile_at_most_half_of_the_limit_is_reserved(clock):
    limit = TimeLimit(1)
    for clock.seconds in (110.0, 120.0):
        limit.add_tokens(100)  # 10 seconds for 100 tokens: the next minibatch had another length
    assert moment_of_end(limit, clock, evaluated_tokens=5000) == 30
    for i in range(timing.MEASUREMENTS_TO_TRUST):
        clock.seconds = 120.0 + (i + 1) / 8
        limit.add_tokens(100)  # an eighth of a second: 6.25 seconds for all
    assert moment_of_end(limit, clock, evaluated_tokens=5000) == 54.5


def test_the_limit_passes_after_the_last_moment_for_a_final_evaluation(clock):
    limit = TimeLimit(0.5)
    limit.add_evaluation(7.0)
    clock.seconds = 129.9
    assert not limit.leaves_time_for(0) and not limit.has_passed
    clock.seconds = 130.0
    assert limit.has_passed


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), "5", True])
def test_impossible_limits_are_refused(minutes):
    with pytest.raises(OptionError, match="^max_minutes: expected a (finite )?number"):
        TimeLimit(minutes)


def test_speed_is_tokens_per_second_of_training(clock):
    speed = SpeedMeter()
    assert speed.tokens_per_second == 0
    clock.seconds += 1000  # reading the text
    speed.start()
    clock.seconds += 10
    assert not speed.has_measured and speed.add(50) == 10 and speed.has_measured
    assert speed.tokens_per_second == 0  # functions were compiled in that time
    clock.seconds += 2
    speed.add(400)
    with speed.paused():
        clock.seconds += 100
    clock.seconds += 2
    speed.add(200)
    assert speed.tokens_per_second == 150
    speed.reset()
    assert speed.tokens_per_second == 0
    clock.seconds += 3600  # an evaluation
    speed.start()
    clock.seconds += 1
    speed.add(70)
    assert speed.tokens_per_second == 70
