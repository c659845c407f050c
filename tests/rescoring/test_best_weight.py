"""The best weight of two models, compared with a fine grid and with expectation maximization."""

import math

import numpy as np
import pytest

from theano_rnn.rescoring.best_weight import best_weight


def draw(seed, size=300):
    generator = np.random.default_rng(seed)
    return np.log(generator.beta(0.4, 3, (2, size)))


def by_expectation_maximization(p, q, steps=20_000):
    """What SRILM's compute-best-mix does."""
    weight = 0.5
    for _ in range(steps):
        weight = float(np.mean(weight * p / (weight * p + (1 - weight) * q)))
    return weight


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_weight_of_expectation_maximization(seed):
    values, other = draw(seed)
    expected = by_expectation_maximization(np.exp(values), np.exp(other))
    assert best_weight(values, other) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("shift", [-3, 0, 3])
def test_no_weight_of_a_fine_grid_is_better(shift):
    values, other = draw(7)
    other = np.minimum(other + shift, 0)
    grid = np.linspace(0, 1, 10_001)[:, None]
    totals = np.log(grid * np.exp(values) + (1 - grid) * np.exp(other)).sum(axis=1)
    assert best_weight(values, other) == pytest.approx(float(grid[totals.argmax(), 0]), abs=1e-4)


def test_a_model_that_is_better_everywhere_gets_all_the_weight():
    values, _ = draw(1)
    assert best_weight(values, values - 1) == 1
    assert best_weight(values - 1, values) == 0


def test_impossible_tokens_keep_the_other_model_in_the_mixture():
    impossible = -math.inf
    assert best_weight([-1.0, impossible], [-9.0, -9.0]) == pytest.approx(0.5, abs=1e-3)
    assert best_weight([-9.0, -9.0], [-1.0, impossible]) == pytest.approx(0.5, abs=1e-3)
    assert best_weight([-1.0, impossible], [-1.0, -3.0]) == pytest.approx(0, abs=1e-9)
    assert best_weight([-1.0, impossible], [-9.0, impossible]) == 1


def test_extreme_probabilities_do_not_overflow():
    assert best_weight([-2000.0, -1.0], [-1.0, -2000.0]) == pytest.approx(0.5)


def test_equal_models_and_no_tokens_give_one_half():
    assert best_weight([-1.0, -2.0], [-1.0, -2.0]) == 0.5
    assert best_weight([], []) == 0.5
