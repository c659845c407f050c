"""A picture of a training run: losses, learning rate and gradient norm by epoch."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from theano_rnn.language_models import text_model
from theano_rnn.results.pictures import BLUE, GRAY, GREEN, ORANGE, RED, drawable, new_figure, write_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST_TITLE = 75  # characters
MOST_POINTS = 1000  # per line; the picture has fewer columns of pixels


def draw_training(
    path: str | os.PathLike[str],
    history: Sequence[Mapping[str, Any]],
    steps: Mapping[str, Sequence[float | None]],
    clip: float | None = None,
    title: str = "",
    by_training_text: bool = False,
) -> None:
    """Draw the progress of a training run as PNG. This takes less than a second.

    Parameters
    ----------
    path : str or path-like
    history : sequence of dict
        The evaluations so far; may be empty. Each has ``epoch`` and, in nats per token, ``train_loss`` and
        ``valid_loss``, which is None without held-out text.
    steps : dict of str to sequence of float
        Measurements between evaluations, as columns of the same length: ``epoch`` (the number of epochs, with
        fractions), ``loss`` (nats per token), ``learning_rate`` and ``gradient_norm`` (before clipping). Values that
        are None or not finite are left out.
    clip : float, optional
        The maximum gradient norm, drawn as a line unless it is None or 0.
    title : str
    by_training_text : bool
        Whether the loss on the training text decides which evaluation is best, even if there is held-out text.

    Raises
    ------
    ValueError
        If the columns have different lengths.
    OutputFileError
        If the picture cannot be written.
    """
    write_picture(path, training_figure(history, steps, clip, title, by_training_text))


def training_figure(
    history: Sequence[Mapping[str, Any]],
    steps: Mapping[str, Sequence[float | None]],
    clip: float | None = None,
    title: str = "",
    by_training_text: bool = False,
) -> "Figure":
    """Return the figure that `draw_training` writes. The parameters are the same."""
    lengths = {name: len(column) for name, column in steps.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"steps: expected columns of the same length, got {lengths}")
    figure = new_figure(8, 8)
    panels = losses, rates, norms = figure.subplots(3, sharex=True, height_ratios=(3, 1, 1.5))
    if title:
        figure.suptitle(drawable(title, LONGEST_TITLE), parse_math=False, fontsize="medium")
    _draw_losses(losses, history, steps, by_training_text)
    _draw_column(rates, steps, "learning_rate", BLUE)
    rates.set_ylim(bottom=0)
    _draw_norms(norms, steps, clip)
    unit = "label" if any("accuracy" in record for record in history) else "token"
    for panel, name in zip(panels, (f"loss (nats per {unit})", "learning rate", "gradient norm"), strict=True):
        panel.set_ylabel(name)
        panel.grid(color="#dddddd", linewidth=0.6)
        if panel.has_data():
            continue
        panel.text(0.5, 0.5, "nothing measured yet", transform=panel.transAxes, ha="center", va="center", color=GRAY)
        panel.set_yticks([])
    norms.set_xlabel("epochs")
    norms.set_xlim(left=0)
    return figure


def _draw_losses(
    panel: Any,
    history: Sequence[Mapping[str, Any]],
    steps: Mapping[str, Sequence[float | None]],
    by_training_text: bool,
) -> None:
    _draw_column(panel, steps, "loss", GRAY, "training text, while learning")
    for key, label, color, mark in (
        ("train_loss", "training text, at evaluations", ORANGE, "s"),
        ("valid_loss", "held-out text", BLUE, "o"),
    ):
        epochs, values = finite_points([record["epoch"] for record in history], [record[key] for record in history])
        if len(values):
            panel.plot(epochs, values, color=color, marker=mark, markersize=4, linewidth=1.2, label=label)
    best = best_evaluation(history, by_training_text)
    if best is not None:
        epoch, loss = best
        label = f"best: {loss:.4g} after epoch {epoch:g}"
        panel.plot([epoch], [loss], "*", color=RED, markersize=14, markeredgecolor="white", zorder=3, label=label)
    has_accuracy = _draw_accuracy(panel, history)
    if panel.has_data():
        panel.legend(fontsize="small", loc="center right" if has_accuracy else "best")


def _draw_accuracy(panel: Any, history: Sequence[Mapping[str, Any]]) -> bool:
    """Draw the accuracy on an axis of its own at the right, and return whether the task has one."""
    epochs, values = finite_points(
        [record["epoch"] for record in history], [record.get("accuracy") for record in history]
    )
    if not len(values):
        return False
    axis = panel.twinx()
    axis.plot(epochs, 100 * values, color=GREEN, marker="^", markersize=4, linewidth=1.2)
    panel.plot([], [], color=GREEN, marker="^", markersize=4, linewidth=1.2, label="accuracy (right axis)")
    axis.set_ylabel("accuracy (%)", color=GREEN)
    return True


def best_evaluation(history: Sequence[Mapping[str, Any]], by_training_text: bool = False) -> tuple[float, float] | None:
    """Return (epoch, loss) of the evaluation whose parameters are kept; None if nothing was measured.

    It is the evaluation with the lowest error, for tasks that record one, or with the lowest loss on held-out text, or
    on the training text if that decides.
    """
    best = text_model.best_evaluation(history, by_training_text)
    if best is None:
        return None
    return float(best["epoch"]), float(best[text_model.deciding_loss(best, by_training_text)])


def _draw_norms(panel: Any, steps: Mapping[str, Sequence[float | None]], clip: float | None) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    _draw_column(panel, steps, "gradient_norm", BLUE, above=0)
    if not panel.has_data():
        return
    if clip:
        panel.axhline(clip, color=RED, linestyle="--", linewidth=1.2, label=f"clipped to {clip:g}")
        panel.legend(fontsize="small")
    panel.set_yscale("log")
    low, high = panel.get_ylim()
    panel.set_ylim(low / 1.2, high * 1.2)
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 200 * low else (1,)))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.yaxis.set_minor_formatter(NullFormatter())


def _draw_column(
    panel: Any,
    steps: Mapping[str, Sequence[float | None]],
    key: str,
    color: str,
    label: str | None = None,
    above: float = -np.inf,
) -> None:
    """Draw a column of the steps as a thin line. Values that are combined are drawn as their mean, in a band."""
    epochs, values = finite_points(steps["epoch"], steps[key], above)
    if not len(values):
        return
    epochs, low, mean, high = thinned(epochs, values)
    if len(values) > len(mean):
        panel.fill_between(epochs, low, high, color=color, alpha=0.25, linewidth=0)
    mark = "." if len(mean) == 1 else None
    panel.plot(epochs, mean, color=color, marker=mark, linewidth=0.9, label=label)


def finite_points(
    epochs: Sequence[float | None], values: Sequence[float | None], above: float = -np.inf
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return epochs and values as arrays, without values that are None, not finite, or not above a limit."""
    numbers = np.array(values, dtype=np.float64)  # None becomes NaN
    kept = np.isfinite(numbers) & (numbers > above)
    return np.asarray(epochs, dtype=np.float64)[kept], numbers[kept]


def thinned(
    epochs: npt.NDArray[np.float64], values: npt.NDArray[np.float64], most: int = MOST_POINTS
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Combine neighboring points into at most `most` groups.

    Returns the mean epoch and the lowest, mean and highest value of each group."""
    starts = np.unique(np.arange(most) * len(values) // most)
    counts = np.diff(starts, append=len(values))
    return (
        np.add.reduceat(epochs, starts) / counts,
        np.minimum.reduceat(values, starts),
        np.add.reduceat(values, starts) / counts,
        np.maximum.reduceat(values, starts),
    )
