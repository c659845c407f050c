"""The course of a training run as a picture: losses, learning rate and the gradient's norm over the epochs."""

import numpy as np

from theano_rnn.results.pictures import BLUE, GREY, ORANGE, RED, drawable, new_figure, write_picture

LONGEST_TITLE = 75  # characters
MOST_POINTS = 1000  # of one line, which has no more dots across


def draw_training(path, history, steps, clip=None, title="", by_training_text=False):
    """Draw the course of a training run as PNG: three panels over the epochs. Takes less than a second.

    Parameters
    ----------
    path : pathlib.Path
    history : sequence of dict
        The evaluations so far, maybe none: ``epoch``, and in nats per token ``train_loss`` and ``valid_loss``, which is
        None where nothing is held out.
    steps : dict of str to sequence of float
        Equally long columns, maybe empty, of what was noted between the evaluations: ``epoch`` (epochs done, with
        their fraction, rising), ``loss`` (nats per token), ``learning_rate``, ``gradient_norm`` (before it is
        clipped). A value that is None or not finite is left out.
    clip : float, optional
        The limit of the gradient's norm, drawn as a line unless it is None or 0.
    title : str
    by_training_text : bool
        Whether the loss on the training text decides which evaluation is best, even if text is held out.

    Raises
    ------
    ValueError
        If the columns are not equally long.
    OutputFileError
        Where the picture cannot be written.
    """
    write_picture(path, training_figure(history, steps, clip, title, by_training_text))


def training_figure(history, steps, clip=None, title="", by_training_text=False):
    """The figure that `draw_training` writes."""
    lengths = {name: len(column) for name, column in steps.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"steps: expected columns of the same length, got {lengths}")
    figure = new_figure(8, 8)
    panels = losses, rates, norms = figure.subplots(3, sharex=True, height_ratios=(3, 1, 1.5))
    if title:
        figure.suptitle(drawable(title, LONGEST_TITLE), parse_math=False, fontsize="medium")
    draw_losses(losses, history, steps, by_training_text)
    draw_column(rates, steps, "learning_rate", BLUE)
    rates.set_ylim(bottom=0)
    draw_norms(norms, steps, clip)
    for panel, name in zip(panels, ("loss (nats per token)", "learning rate", "gradient norm"), strict=True):
        panel.set_ylabel(name)
        panel.grid(color="#dddddd", linewidth=0.6)
        if panel.has_data():
            continue
        panel.text(0.5, 0.5, "nothing measured yet", transform=panel.transAxes, ha="center", va="center", color=GREY)
        panel.set_yticks([])
    norms.set_xlabel("epochs")
    norms.set_xlim(left=0)
    return figure


def draw_losses(panel, history, steps, by_training_text):
    draw_column(panel, steps, "loss", GREY, "training text, while learning")
    for key, label, colour, mark in (
        ("train_loss", "training text, at evaluations", ORANGE, "s"),
        ("valid_loss", "held-out text", BLUE, "o"),
    ):
        epochs, values = finite_points([record["epoch"] for record in history], [record[key] for record in history])
        if len(values):
            panel.plot(epochs, values, color=colour, marker=mark, markersize=4, linewidth=1.2, label=label)
    best = best_evaluation(history, by_training_text)
    if best is not None:
        epoch, loss = best
        label = f"best: {loss:.4g} after epoch {epoch:g}"
        panel.plot([epoch], [loss], "*", color=RED, markersize=14, markeredgecolor="white", zorder=3, label=label)
    if panel.has_data():
        panel.legend(fontsize="small")


def best_evaluation(history, by_training_text=False):
    """(epoch, loss) of the evaluation whose model is kept: the lowest held-out loss, or that on the training text."""
    held_out = any(record["valid_loss"] is not None for record in history)
    key = "valid_loss" if held_out and not by_training_text else "train_loss"
    epochs, values = finite_points([record["epoch"] for record in history], [record[key] for record in history])
    if not len(values):
        return None
    best = values.argmin()
    return epochs[best], values[best]


def draw_norms(panel, steps, clip):
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    draw_column(panel, steps, "gradient_norm", BLUE, above=0)
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


def draw_column(panel, steps, key, colour, label=None, above=-np.inf):
    """A column of the steps as a thin line; where many values fall on a dot, their mean within a band of them all."""
    epochs, values = finite_points(steps["epoch"], steps[key], above)
    if not len(values):
        return
    epochs, low, mean, high = thinned(epochs, values)
    if len(values) > len(mean):
        panel.fill_between(epochs, low, high, color=colour, alpha=0.25, linewidth=0)
    mark = "." if len(mean) == 1 else None
    panel.plot(epochs, mean, color=colour, marker=mark, linewidth=0.9, label=label)


def finite_points(epochs, values, above=-np.inf):
    """(epochs, values) as float arrays, without the places where a value is None, not finite or not above a limit."""
    values = np.array(values, dtype=np.float64)  # None becomes NaN
    kept = np.isfinite(values) & (values > above)
    return np.asarray(epochs, dtype=np.float64)[kept], values[kept]


def thinned(epochs, values, most=MOST_POINTS):
    """At most so many points: (mean epoch, lowest, mean and highest value) of neighbours."""
    starts = np.unique(np.arange(most) * len(values) // most)
    counts = np.diff(starts, append=len(values))
    return (
        np.add.reduceat(epochs, starts) / counts,
        np.minimum.reduceat(values, starts),
        np.add.reduceat(values, starts) / counts,
        np.maximum.reduceat(values, starts),
    )
