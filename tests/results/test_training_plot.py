"""The picture of a training run, read back from the drawn lines."""

import math

import numpy as np
import pytest

from theano_rnn.results.training_plot import best_evaluation, draw_training, thinned, training_figure

NOTHING = {"epoch": [], "loss": [], "learning_rate": [], "gradient_norm": []}
STEPS = {
    "epoch": [0.25, 0.5, 0.75, 1.0],
    "loss": [6.0, 5.0, math.nan, 4.0],
    "learning_rate": [0.1, 0.1, 0.05, 0.05],
    "gradient_norm": [None, 2.0, 0.0, math.inf],
}
HISTORY = [
    {"epoch": 1, "train_loss": 4.5, "valid_loss": 4.25, "perplexity": 70.1, "learning_rate": 0.1},
    {"epoch": 2, "train_loss": 4.0, "valid_loss": 4.5, "perplexity": 90.0, "learning_rate": 0.05},
]


def lines(panel):
    """{label: [(x, y)]} of the lines of a panel."""
    return {line.get_label(): list(zip(*line.get_data(), strict=True)) for line in panel.lines}


def test_each_panel_shows_what_was_measured():
    losses, rates, norms = training_figure(HISTORY, STEPS).axes
    assert lines(losses) == {
        "training text, while learning": [(0.25, 6), (0.5, 5), (1, 4)],
        "training text, at evaluations": [(1, 4.5), (2, 4)],
        "held-out text": [(1, 4.25), (2, 4.5)],
        "best: 4.25 after epoch 1": [(1, 4.25)],
    }
    assert [list(points) for points in lines(rates).values()] == [[(0.25, 0.1), (0.5, 0.1), (0.75, 0.05), (1, 0.05)]]
    assert [list(points) for points in lines(norms).values()] == [[(0.5, 2)]]
    assert norms.get_yscale() == "log"
    assert [panel.get_ylabel() for panel in (losses, rates, norms)] == [
        "loss (nats per token)",
        "learning rate",
        "gradient norm",
    ]


@pytest.mark.parametrize("clip, shown", [(None, False), (0, False), (0.25, True)])
def test_the_clipping_norm_is_drawn_as_a_line(clip, shown):
    norms = training_figure(HISTORY, STEPS, clip).axes[2]
    limits = {label: points for label, points in lines(norms).items() if label.startswith("clipped")}
    assert limits == ({"clipped to 0.25": [(0, 0.25), (1, 0.25)]} if shown else {})
    low, high = norms.get_ylim()
    assert low < min(2, clip or 2) and high > 2


def test_without_held_out_text_the_training_loss_decides():
    assert best_evaluation(HISTORY) == (1, 4.25)
    assert best_evaluation(HISTORY, by_training_text=True) == (2, 4.0)
    assert best_evaluation([record | {"valid_loss": None} for record in HISTORY]) == (2, 4.0)
    assert best_evaluation([]) is None
    errors = [
        record | {"error": error, "accuracy": 1 - error} for record, error in zip(HISTORY, (0.4, 0.3), strict=False)
    ]
    assert best_evaluation(errors) == (2, errors[1]["valid_loss"])


def test_the_accuracy_has_an_axis_of_its_own():
    figure = training_figure([record | {"accuracy": 0.5, "error": 0.5} for record in HISTORY], STEPS)
    (axis,) = [panel for panel in figure.axes if panel.get_ylabel() == "accuracy (%)"]
    (line,) = axis.get_lines()
    assert line.get_ydata().tolist() == [50.0] * len(HISTORY)


@pytest.mark.parametrize(
    "history, steps",
    [
        ([], NOTHING),
        ([], {name: column[:1] for name, column in STEPS.items()}),
        pytest.param(HISTORY[:1], NOTHING, marks=pytest.mark.slow),
        pytest.param(HISTORY[:1], STEPS, marks=pytest.mark.slow),
        ([HISTORY[0] | {"valid_loss": None}], STEPS),
    ],
    ids=["nothing", "one step", "one evaluation, no steps", "one evaluation", "nothing held out"],
)
def test_a_run_can_be_drawn_from_its_first_step_on(tmp_path, history, steps):
    draw_training(tmp_path / "a.png", history, steps, clip=1.0, title="50 $ and 60 $ 猫")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    empty = [text.get_text() for panel in training_figure(history, steps).axes for text in panel.texts]
    assert empty == ["nothing measured yet"] * (
        3 - bool(history or steps["loss"]) - bool(steps["learning_rate"]) - (len(steps["gradient_norm"]) > 1)
    )


def test_columns_of_different_lengths_are_rejected():
    with pytest.raises(ValueError, match="steps: expected columns of the same length, got .*'loss': 3"):
        training_figure([], STEPS | {"loss": [1, 2, 3]})


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 25, 1003])
def test_many_points_are_combined_into_means_and_ranges(count):
    generator = np.random.default_rng(count)
    epochs, values = np.arange(count) / 10, generator.normal(size=count)
    x, low, mean, high = thinned(epochs, values, most=10)
    assert len(x) == min(count, 10)
    assert low.min() == values.min() and high.max() == values.max()
    assert np.all(low <= mean) and np.all(mean <= high)
    if count <= 10:
        np.testing.assert_array_equal([x, low, mean, high], [epochs, values, values, values])
    else:
        ends = [k * count // 10 for k in range(11)]
        parts = [values[i:j] for i, j in zip(ends, ends[1:], strict=False)]
        np.testing.assert_array_equal(low, [min(part) for part in parts])
        np.testing.assert_allclose(mean, [sum(part) / len(part) for part in parts], atol=1e-12)


def test_a_long_run_is_a_line_within_a_band():
    count = 5000
    steps = {name: np.random.default_rng(1).uniform(1, 2, count).tolist() for name in NOTHING}
    steps["epoch"] = np.linspace(0, 10, count).tolist()
    figure = training_figure(HISTORY, steps)
    assert len(figure.axes[0].lines[0].get_xdata()) == 1000
    assert all(len(panel.collections) == 1 for panel in figure.axes)
