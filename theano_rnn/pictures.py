"""Pictures as PNG files, drawn by matplotlib, which is optional: what all of them share, not what they show."""

import importlib.util
import io

from theano_rnn.errors import OptionError
from theano_rnn.output_files import write_output

# Told apart by those who see colours differently too (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#666666"
DOTS_PER_INCH = 120


def require_matplotlib():
    """Raise OptionError where matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise OptionError('pictures are drawn by matplotlib, which is not installed; pip install ".[plot]" brings it')


def new_figure(width, height):
    """An empty figure of so many inches, which belongs to nobody else: no global state, no screen.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def write_picture(path, figure):
    """Write a figure as PNG: the old file stays until the new one is whole.

    Raises
    ------
    OutputFileError
        Where that is impossible.
    """
    data = io.BytesIO()
    figure.savefig(data, format="png")
    write_output(path, [data.getvalue()])
