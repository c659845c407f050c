"""How errors fade with the distance, as a picture: the vanishing gradient of the tutorial's part 3."""

import itertools

import numpy as np

from theano_rnn.inspection.gradient_flow import HIGH, LOW
from theano_rnn.results.pictures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, drawable, new_figure, write_picture

COLOURS = {"tanh": BLUE, "relu": ORANGE}
MORE_COLOURS = (GREEN, RED, PURPLE, GREY)  # for more networks of a kind
SMALLEST = 1e-12  # below it, lines are of no interest
LONGEST_NAME = 40  # characters


def draw_gradients(path, curves):
    """Draw the curves of networks as PNG, the norms on a logarithmic axis.

    Parameters
    ----------
    path : pathlib.Path
    curves : sequence of Curve

    Raises
    ------
    OutputFileError
        Where the picture cannot be written.
    """
    write_picture(path, gradients_figure(curves))


def gradients_figure(curves):
    """The figure that `draw_gradients` writes."""
    figure = new_figure(6.7, 4.4)
    panel = figure.subplots()
    panel.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
    for curve, colour in zip(curves, colours_of(curves), strict=True):
        draw_curve(panel, curve, colour)
    panel.set_yscale("log")
    low, high = panel.get_ylim()
    panel.set_ylim(max(low, SMALLEST), high)
    longest = max(len(curve.norms) for curve in curves)
    panel.set_xlim(0, longest + 0.5)
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.set_title("How errors shrink or grow on their way back through time", fontsize="medium", loc="left")
    panel.set_xlabel("steps back, t − k")
    panel.set_ylabel("‖∂sₜ/∂sₖ‖ (largest singular value)")
    panel.grid(color="#dddddd", linewidth=0.6)
    legend = panel.legend(fontsize="small", title=f"median, {LOW}th to {HIGH}th percentile", title_fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def colours_of(curves):
    """A colour for each curve: its activation's, or another where one of its kind, trained or not, came before."""
    others, seen, colours = itertools.cycle(MORE_COLOURS), set(), []
    for curve in curves:
        kind = curve.activation, curve.trained
        colours.append(next(others) if kind in seen else COLOURS[curve.activation])
        seen.add(kind)
    return colours


def draw_curve(panel, curve, colour):
    """The median as a line, within a band; what is exactly zero has no place on a logarithmic axis."""
    factor = "" if np.isnan(curve.factor) else f": × {curve.factor:.2f} a step"
    distances = range(1, len(curve.norms) + 1)
    low, middle, high = (np.ma.masked_equal(curve.percentile(share), 0) for share in (LOW, 50, HIGH))
    panel.fill_between(distances, low.filled(SMALLEST / 10), high, color=colour, alpha=0.15, linewidth=0)
    panel.plot(
        distances,
        middle,
        color=colour,
        linewidth=1.8,
        linestyle="-" if curve.trained else "--",
        marker="o" if len(curve.norms) == 1 else None,
        label=drawable(curve.name, LONGEST_NAME) + factor,
    )
