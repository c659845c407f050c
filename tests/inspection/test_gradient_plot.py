import numpy as np

from theano_rnn.inspection.gradient_flow import Curve
from theano_rnn.inspection.gradient_plot import colours_of, draw_gradients, gradients_figure

generator = np.random.default_rng(1)


def curve(name, activation="tanh", trained=True, rate=0.5, length=20):
    decay = rate ** np.arange(1, length + 1)
    return Curve(name, activation, trained, decay[:, None] * generator.uniform(0.5, 1.5, (length, 8)))


def test_each_curve_is_its_median_with_its_name_and_factor():
    curves = [curve("trained $a_1$ 猫"), curve("untrained ReLU", "relu", False, rate=0.25, length=10)]
    panel = gradients_figure(curves).axes[0]
    lines = [line for line in panel.lines if len(line.get_xdata()) > 2]
    for line, one in zip(lines, curves, strict=True):
        np.testing.assert_allclose(line.get_ydata(), one.median)
        assert list(line.get_xdata()) == list(range(1, len(one.norms) + 1))
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert panel.get_yscale() == "log"
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert labels[0] == f"trained $a_1$ □: × {curves[0].factor:.2f} a step"


def test_networks_of_one_kind_have_colours_of_their_own():
    kinds = [("tanh", True), ("tanh", True), ("relu", True), ("relu", True), ("tanh", False), ("relu", False)]
    colours = colours_of([curve(str(i), *kind) for i, kind in enumerate(kinds)])
    assert len(set(colours[:4])) == 4
    assert colours[4:] == [colours[0], colours[2]]


def test_zeros_tiny_values_and_a_single_distance_can_be_drawn(tmp_path):
    kinds = [np.zeros((3, 2)), np.array([[1.0, 1], [0, 0]]), np.ones((1, 1)), np.full((9, 2), 1e-80)]
    curves = [Curve("a $ b $", "relu", True, norms) for norms in kinds]
    draw_gradients(tmp_path / "a.png", curves)
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    labels = [text.get_text() for text in gradients_figure(curves).axes[0].get_legend().get_texts()]
    assert labels == ["a $ b $", "a $ b $: × 0.00 a step", "a $ b $", "a $ b $: × 1.00 a step"]


def test_the_picture_is_about_800_pixels_wide_and_small_enough_for_a_page(tmp_path):
    curves = [curve(str(i), activation, i % 2 == 0, 0.9 - i / 10) for i, activation in enumerate(["tanh", "relu"] * 2)]
    draw_gradients(tmp_path / "a.png", curves)
    data = (tmp_path / "a.png").read_bytes()
    assert 780 <= int.from_bytes(data[16:20], "big") <= 820
    assert len(data) < 80_000
