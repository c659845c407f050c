"""The curves of a run have a bounded number of points, which are means of measurements and survive saving."""

import math

import numpy as np
import pytest

from theano_rnn.training import live_plot
from theano_rnn.training.live_plot import TrainingCurves


def noted(stretches):
    curves = TrainingCurves()
    for stretch in stretches:
        curves.add(*stretch)
    return curves


def stretches(count, steps=25, seed=0):
    generator = np.random.default_rng(seed)
    return [
        (steps, int(generator.integers(1, 50)), (i + 1) / 10, *generator.uniform(0.1, 5, 3).tolist())
        for i in range(count)
    ]


def test_a_short_run_has_one_point_per_report():
    some = stretches(7)
    columns = noted(some).columns()
    assert list(columns) == ["epoch", "loss", "learning_rate", "gradient_norm"]
    for position, column in enumerate(columns.values(), 2):
        assert column == [stretch[position] for stretch in some]


def test_single_steps_become_means_over_tokens():
    (a, b, c) = (1, 10, 0.1, 6.0, 0.5, math.nan), (24, 30, 0.2, 2.0, 0.1, 4.0), (25, 5, 0.3, 1.0, 0.1, 2.0)
    columns = noted([a, b, c]).columns()
    assert columns["epoch"] == [0.2, 0.3]
    np.testing.assert_allclose(columns["loss"], [(10 * 6 + 30 * 2) / 40, 1.0])
    np.testing.assert_allclose(columns["learning_rate"], [(10 * 0.5 + 30 * 0.1) / 40, 0.1])
    assert columns["gradient_norm"] == [4.0, 2.0]  # a norm that was not measured has no weight


def test_a_last_point_of_a_few_steps_is_not_shown_unless_it_is_the_only_one():
    assert noted(stretches(1, steps=3)).columns()["epoch"] == [0.1]
    assert noted([*stretches(2), (3, 1, 9.0, 1.0, 1.0, 1.0)]).columns()["epoch"] == [0.1, 0.2]


@pytest.mark.parametrize("count", [10, 11, 41, 1000])
def test_a_long_run_has_few_points_that_are_means_of_neighbors(monkeypatch, count):
    monkeypatch.setattr(live_plot, "MOST_POINTS", 10)
    some = stretches(count)
    points = np.array(noted(some).points)
    assert 5 <= len(points) <= 10
    assert points[:, 0].sum() == 25 * count
    per_point = int(points[0, 0]) // 25
    assert (points[:-1, 0] == points[0, 0]).all()
    groups = [np.array(some[i : i + per_point]) for i in range(0, count, per_point)]
    for point, group in zip(points, groups, strict=True):
        assert point[2] == group[-1, 2]
        np.testing.assert_allclose(point[3:], np.average(group[:, 3:], axis=0, weights=group[:, 1]), rtol=1e-12)


def test_values_that_are_not_finite_count_as_not_measured():
    assert math.isnan(noted([(25, 1, 0.1, 1.0, 1.0, math.inf)]).points[0][-1])


@pytest.mark.parametrize("count", [0, 1, 9, 47])
def test_curves_restored_from_an_array_continue_unchanged(monkeypatch, count):
    monkeypatch.setattr(live_plot, "MOST_POINTS", 10)
    some = stretches(60)
    again = TrainingCurves.from_array(noted(some[:count]).to_array())
    for stretch in some[count:]:
        again.add(*stretch)
    np.testing.assert_array_equal(again.to_array(), noted(some).to_array())
    assert len(again) == len(again.points)


@pytest.mark.parametrize(
    "array, message",
    [
        (np.ones((3, 5)), "expected points of 6 columns, got float64 .3, 5"),
        (np.ones(6), "expected points of 6 columns"),
        (np.ones((3, 6), np.float32), "expected points of 6 columns, got float32"),
        (np.ones((2001, 6)), "expected points of 6 columns"),
        (np.full((3, 6), np.nan), "impossible values"),
        (np.zeros((3, 6)), "impossible values"),
    ],
)
def test_impossible_arrays_are_refused(array, message):
    with pytest.raises(ValueError, match=f"curves: .*{message}"):
        TrainingCurves.from_array(array)
