"""Pictures as PNG files, drawn by matplotlib, which is optional: what all of them share, not what they show."""

import functools
import importlib.util
import io

from theano_rnn.errors import OptionError
from theano_rnn.files.output_files import check_output_path, write_output

# Told apart by those who see colours differently too (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#666666"
PURPLE = "#cc79a7"
TEXT = "#1a1a1a"
DOTS_PER_INCH = 120
FONT = "DejaVu Sans"  # comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew and symbols, no Chinese, no Hindi
NO_GLYPH = "\N{WHITE SQUARE}"


def require_drawable(path):
    """Raise OptionError where a picture's name does not end in .png, or matplotlib is not installed."""
    if not str(path).lower().endswith(".png"):
        raise OptionError(f"{path}: pictures are PNG files; let the name end in .png")
    if importlib.util.find_spec("matplotlib") is None:
        raise OptionError('pictures are drawn by matplotlib, which is not installed; pip install ".[plot]" brings it')


def check_picture(path, inputs=()):
    """The place of a picture to be drawn, as a Path: to be asked before long work.

    Raises
    ------
    OptionError
        If its name does not end in .png, it is one of the `inputs`, or matplotlib is not installed.
    OutputFileError
        If it cannot be written.
    """
    path = check_output_path(path, inputs)
    require_drawable(path)
    return path


def new_figure(width, height):
    """An empty figure of so many inches, which belongs to nobody else: no global state, no screen.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def drawable(text, longest):
    """A text as it can stand in a figure: one line, shortened, a white square for what the font cannot show.

    Whoever draws it passes ``parse_math=False`` too, or else two dollar signs would begin a formula.

    Parameters
    ----------
    text : str
    longest : int
        Characters; what is left out shows as an ellipsis.
    """
    text = " ".join(text.split())
    if len(text) > longest:
        text = text[: longest - 1].rstrip() + "…"
    glyphs = font_glyphs()
    return "".join(one if ord(one) in glyphs and one.isprintable() else NO_GLYPH for one in text)


@functools.cache
def font_glyphs():
    """The code points that the font can show."""
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont(FontProperties(family=FONT))).get_charmap())


def write_picture(path, figure):
    """Write a figure as PNG: the old file stays until the new one is whole.

    In 256 colours, which suffice for lines and bands on white: a third of the size.

    Raises
    ------
    OutputFileError
        Where that is impossible.
    """
    from PIL import Image  # matplotlib needs it too

    drawn, data = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(256).save(data, format="png", optimize=True)
    write_output(path, [data.getvalue()])
