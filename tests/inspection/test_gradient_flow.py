"""Norms of ∂s_t/∂s_k over texts: starts, distances and medians, compared with a plain loop over the same states."""

from typing import Any

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.inspection.gradient_flow import GradientCurve, draw_starts, gradient_norms
from theano_rnn.networks.rnn import RNN

SEQUENCES = [np.array([0, 4, 2, 7, 5, 1, 3, 3]), np.array([0, 6, 2, 8]), np.array([1])]


@pytest.fixture(scope="module")
def rnn() -> RNN:
    return RNN(9, 4, seed=2)


def norms_by_loop(rnn: RNN, ids: np.ndarray, k: int, steps: int) -> list[Any]:
    s, W = rnn.hidden_states(ids).astype(float), rnn.get_values()["W"].astype(float)
    product, found = np.eye(len(W)), []
    for t in range(k + 1, k + 1 + steps):
        product = np.diag(1 - s[t] ** 2) @ W @ product
        found.append(np.linalg.norm(product, 2))
    return found


def test_norms_agree_with_a_loop_at_every_start_and_are_nan_after_the_end_of_the_text(rnn: RNN) -> None:
    length, starts = 5, 10
    places = draw_starts([8, 4, 1], length, starts, seed=3)
    norms = gradient_norms(rnn, SEQUENCES, length, starts, seed=3)
    assert norms.shape == (length, len(places)) == (5, 10)
    for column, (sequence, k, steps) in enumerate(places):
        np.testing.assert_allclose(norms[:steps, column], norms_by_loop(rnn, SEQUENCES[sequence], k, steps), rtol=1e-8)
        assert np.isnan(norms[steps:, column]).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell, layers",
    [("gru", 1), ("lstm", 1), ("simple", 2), ("lstm", 2)],
)
def test_norms_of_other_networks_are_measured_back_from_the_ends_of_the_same_segments(cell: str, layers: int) -> None:
    rnn = RNN(9, 4, cell=cell, layers=layers, bias=True, seed=2, dtype="float64")
    places = draw_starts([8, 4, 1], 5, 10, seed=3)
    norms = gradient_norms(rnn, SEQUENCES, 5, 10, seed=3)
    assert norms.shape == (5, 10)
    for column, (sequence, k, steps) in enumerate(places):
        ids = SEQUENCES[sequence].astype(np.int32)
        s = rnn.states(ids[:, None])[:, 0]
        for distance in (1, steps):
            t, changed = k + steps, s[k + steps - distance] + 1e-5 * np.eye(s.shape[1])
            back = s[k + steps - distance] - 1e-5 * np.eye(s.shape[1])
            for word in ids[t - distance + 1 : t + 1]:
                words = np.full(len(changed), word, np.int32)
                changed, back = (rnn.next_log_probabilities(words, one)[1] for one in (changed, back))
            jacobian = ((changed - back) / 2e-5).T[rnn.architecture.top_columns]
            assert norms[distance - 1, column] == pytest.approx(np.linalg.norm(jacobian, 2), rel=1e-8)
        assert np.isnan(norms[steps:, column]).all()


def test_starts_are_distinct_and_those_with_the_full_length_come_first() -> None:
    places = draw_starts([8, 4, 1, 0], 3, 100, seed=1)
    assert len(set(places)) == len(places) == 7 + 3
    steps = [steps for _, _, steps in places]
    assert steps == sorted(steps, reverse=True)
    assert {(sequence, k) for sequence, k, steps in places if steps == 3} == {(0, k) for k in range(5)} | {(1, 0)}
    assert all(k + steps < [8, 4][sequence] for sequence, k, steps in places)


def test_the_seed_determines_the_starts_which_are_spread_over_the_text() -> None:
    one, same, other = (draw_starts([500, 500], 10, 20, seed) for seed in (1, 1, 2))
    assert one == same != other
    assert {sequence for sequence, _, _ in one} == {0, 1} and max(k for _, k, _ in one) > 250


def test_distances_that_no_text_reaches_are_left_out(rnn: RNN) -> None:
    assert gradient_norms(rnn, SEQUENCES[1:], length=30).shape == (3, 3)


def test_a_curve_has_medians_percentiles_and_a_factor_per_step() -> None:
    curve = GradientCurve("a", "tanh", True, np.array([[1.0, 2, 3], [1, 1, np.nan], [0.5, np.nan, np.nan]]))
    np.testing.assert_allclose(curve.median, [2, 1, 0.5])
    np.testing.assert_allclose(curve.percentile(0), [1, 1, 0.5])
    assert curve.factor_per_step == pytest.approx(0.5)
    assert np.isnan(GradientCurve("a", "tanh", True, np.ones((1, 3))).factor_per_step)
    assert np.isnan(GradientCurve("a", "relu", True, np.zeros((3, 3))).factor_per_step)


@pytest.mark.parametrize(
    "sequences, numbers, message",
    [
        (SEQUENCES[2:], {}, "the text is too short; it needs at least two tokens in a row"),
        (SEQUENCES, {"length": 501}, "length: expected at most 500, got 501"),
        (SEQUENCES, {"length": 0}, "length: expected at least 1, got 0"),
        (SEQUENCES, {"starts": 0}, "starts: expected at least 1, got 0"),
    ],
)
def test_short_texts_and_numbers_out_of_range_are_rejected(
    rnn: RNN, sequences: list[np.ndarray], numbers: dict[str, int], message: str
) -> None:
    with pytest.raises(CorpusError if "short" in message else ValueError, match=message):
        gradient_norms(rnn, sequences, **numbers)
