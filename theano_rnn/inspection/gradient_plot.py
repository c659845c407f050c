"""Plots how errors shrink or grow as they flow back through time: the vanishing gradient (tutorial part 3)."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from theano_rnn.inspection.gradient_flow import BAND, GradientCurve
from theano_rnn.results.pictures import BLUE, GRAY, GREEN, ORANGE, PURPLE, RED, drawable, new_figure, write_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS = {"tanh": BLUE, "relu": ORANGE, "gru": GREEN, "lstm": RED}
MORE_COLORS = (GREEN, RED, PURPLE, GRAY)  # for further networks of the same kind; skipped if they denote another kind
LOWEST_NORM = 1e-12  # lower limit of the axis
MAX_NAME_LENGTH = 40  # characters


def draw_gradients(path: Path, curves: Sequence[GradientCurve]) -> None:
    """Draw gradient norms by distance, on a logarithmic axis, as a PNG file.

    Parameters
    ----------
    path : pathlib.Path
    curves : sequence of GradientCurve

    Raises
    ------
    OutputFileError
        If the picture cannot be written.
    """
    write_picture(path, gradients_figure(curves))


def gradients_figure(curves: Sequence[GradientCurve]) -> "Figure":
    """Create the figure that `draw_gradients` writes.

    Parameters
    ----------
    curves : sequence of GradientCurve

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(6.7, 4.4)
    axes: Any = figure.subplots()  # Any, because the type of its locators is too general
    axes.axhline(1, color=GRAY, linewidth=0.8, linestyle=":")
    for curve, color in zip(curves, curve_colors(curves), strict=True):
        _draw_curve(axes, curve, color)
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, LOWEST_NORM), high)
    longest = max(len(curve.norms) for curve in curves)
    axes.set_xlim(0, longest + 0.5)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_title("How errors shrink or grow as they flow back through time", fontsize="medium", loc="left")
    axes.set_xlabel("steps back, t − k")
    axes.set_ylabel("‖∂sₜ/∂sₖ‖ (largest singular value)")
    axes.grid(color="#dddddd", linewidth=0.6)
    title = f"median, {BAND[0]}th to {BAND[1]}th percentile"
    legend = axes.legend(fontsize="small", title=title, title_fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def curve_colors(curves: Sequence[GradientCurve]) -> list[str]:
    """Choose a color for each curve.

    Parameters
    ----------
    curves : sequence of GradientCurve

    Returns
    -------
    list of str
        The color of each curve's kind, or another color if an earlier curve is of the same kind.
    """
    kind_colors = {COLORS[curve.kind] for curve in curves}
    others = itertools.cycle([color for color in MORE_COLORS if color not in kind_colors])
    seen, colors = set(), []
    for curve in curves:
        kind = curve.kind, curve.trained
        colors.append(next(others) if kind in seen else COLORS[curve.kind])
        seen.add(kind)
    return colors


def _draw_curve(axes: Any, curve: GradientCurve, color: str) -> None:
    """Draw the median as a line within a band. Zeros are left out, because the axis is logarithmic."""
    factor = "" if np.isnan(curve.factor_per_step) else f": × {curve.factor_per_step:.2f} per step"
    distances = range(1, len(curve.norms) + 1)
    low, middle, high = (np.ma.masked_equal(curve.percentile(q), 0) for q in (BAND[0], 50, BAND[1]))
    axes.fill_between(distances, low.filled(LOWEST_NORM / 10), high, color=color, alpha=0.15, linewidth=0)
    axes.plot(
        distances,
        middle,
        color=color,
        linewidth=1.8,
        linestyle="-" if curve.trained else "--",
        marker="o" if len(curve.norms) == 1 else None,
        label=drawable(curve.name, MAX_NAME_LENGTH) + factor,
    )
