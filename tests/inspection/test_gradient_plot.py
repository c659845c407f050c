"""The picture of gradient norms shows each curve with its name, regardless of its values."""

from pathlib import Path

import numpy as np

from theano_rnn.inspection.gradient_flow import GradientCurve
from theano_rnn.inspection.gradient_plot import curve_colors, draw_gradients, gradients_figure

generator = np.random.default_rng(1)


def curve(
    name: str, activation: str = "tanh", trained: bool = True, rate: float = 0.5, length: int = 20
) -> GradientCurve:
    decay = rate ** np.arange(1, length + 1)
    return GradientCurve(name, activation, trained, decay[:, None] * generator.uniform(0.5, 1.5, (length, 8)))


def test_each_curve_is_drawn_as_its_median_with_its_name_and_factor() -> None:
    curves = [curve("trained $a_1$ 猫"), curve("untrained ReLU", "relu", False, rate=0.25, length=10)]
    axes = gradients_figure(curves).axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) > 2]
    for line, one in zip(lines, curves, strict=True):
        np.testing.assert_allclose(line.get_ydata(), one.median)
        assert list(line.get_xdata()) == list(range(1, len(one.norms) + 1))
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert axes.get_yscale() == "log"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[0] == f"trained $a_1$ □: × {curves[0].factor_per_step:.2f} per step"


def test_networks_of_one_kind_have_different_colors() -> None:
    kinds = [("tanh", True), ("tanh", True), ("relu", True), ("relu", True), ("tanh", False), ("relu", False)]
    colors = curve_colors([curve(str(i), *kind) for i, kind in enumerate(kinds)])
    assert len(set(colors[:4])) == 4
    assert colors[4:] == [colors[0], colors[2]]


def test_each_cell_has_its_own_color_and_further_networks_never_get_that_of_another_cell() -> None:
    kinds = [("tanh", True), ("gru", True), ("lstm", True), ("lstm", True), ("gru", True), ("lstm", False)]
    colors = curve_colors([curve(str(i), *kind) for i, kind in enumerate(kinds)])
    assert len(set(colors[:5])) == 5 and colors[5] == colors[2]


def test_zeros_tiny_values_and_a_single_distance_can_be_drawn(tmp_path: Path) -> None:
    all_norms = [np.zeros((3, 2)), np.array([[1.0, 1], [0, 0]]), np.ones((1, 1)), np.full((9, 2), 1e-80)]
    curves = [GradientCurve("a $ b $", "relu", True, norms) for norms in all_norms]
    draw_gradients(tmp_path / "a.png", curves)
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    labels = [text.get_text() for text in gradients_figure(curves).axes[0].get_legend().get_texts()]
    assert labels == ["a $ b $", "a $ b $: × 0.00 per step", "a $ b $", "a $ b $: × 1.00 per step"]


def test_the_picture_is_about_800_pixels_wide_and_small_enough_for_a_page(tmp_path: Path) -> None:
    curves = [curve(str(i), activation, i % 2 == 0, 0.9 - i / 10) for i, activation in enumerate(["tanh", "relu"] * 2)]
    draw_gradients(tmp_path / "a.png", curves)
    data = (tmp_path / "a.png").read_bytes()
    assert 780 <= int.from_bytes(data[16:20], "big") <= 820
    assert len(data) < 80_000
