"""The benchmark's workloads: the agreed shapes, chosen by name."""

import pytest

from theano_rnn import OptionError
from theano_rnn.benchmarks.workloads import (
    FEWEST_REPEATS,
    GRID,
    GROWTH,
    MOST_REPEATS,
    SECONDS_PER_ROUND,
    STANDARD,
    choose,
    repeats_for,
)


def test_the_standard_workloads_have_the_agreed_shapes():
    shapes = {work.name: (work.word_dim, work.hidden_dim, work.steps, work.batch_size) for work in STANDARD}
    assert shapes == {
        "W1": (8000, 100, 20, 1),
        "W2": (8000, 100, 20, 32),
        "W2p": (10000, 200, 35, 20),
        "W3": (65, 128, 50, 50),
        "W3x": (65, 512, 50, 50),
        "S1": (8000, 100, 20, 256),
        "G1": (8000, 100, 100, 1),
        "G32": (8000, 100, 100, 32),
    }
    assert [work.name for work in STANDARD if work.learns] == ["W1", "W2", "W2p", "W3", "W3x"]
    assert sum(work.tokens for work in STANDARD if work.name in ("W1", "S1")) == 20 + 5120


def test_grid_and_growth_cover_the_sizes_that_are_reported():
    assert {(work.hidden_dim, work.batch_size) for work in GRID} == {
        (h, b) for h in (100, 512, 1024) for b in (32, 256)
    }
    assert [work.word_dim for work in GROWTH][:4] == [1000, 8000, 50000, 100000]
    assert [work.hidden_dim for work in GROWTH][4:] == [50, 100, 200, 500, 1000]


def test_workloads_are_chosen_by_name_in_the_order_asked_for():
    assert [work.name for work in choose(STANDARD, ["S1", "W1"])] == ["S1", "W1"]
    assert choose(STANDARD, None) == list(STANDARD)


@pytest.mark.parametrize("workloads", [STANDARD, GRID, GROWTH])
def test_every_name_can_be_one_of_several_with_commas_between_them(workloads):
    names = ",".join(work.name for work in workloads)
    assert choose(workloads, names.split(",")) == list(workloads)


def test_an_unknown_name_is_refused_and_the_known_ones_are_named():
    with pytest.raises(OptionError, match="expected one of W1, W2, .*G32, got 'W9'"):
        choose(STANDARD, ["W1", "W9"])


def test_a_round_is_about_a_second_but_neither_a_handful_nor_thousands():
    assert repeats_for(0.01) == round(SECONDS_PER_ROUND / 0.01)
    assert repeats_for(100.0) == FEWEST_REPEATS
    assert repeats_for(1e-6) == MOST_REPEATS
