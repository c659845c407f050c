"""Writes pictures as PNG with matplotlib, which is optional. Must not know what the pictures show."""

import functools
import importlib.util
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from theano_rnn.errors import OptionError
from theano_rnn.files.output_files import check_output_path, write_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colors that people with color vision deficiency can tell apart (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, RED, GRAY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#666666"
PURPLE = "#cc79a7"
TEXT = "#1a1a1a"
DOTS_PER_INCH = 120
FONT = "DejaVu Sans"  # included in matplotlib; has Latin, Greek, Cyrillic, Arabic and Hebrew, but no Chinese or Hindi
NO_GLYPH = "\N{WHITE SQUARE}"


def check_can_draw(path: str | os.PathLike[str]) -> None:
    """Check that a picture can be drawn to a file of this name.

    Raises
    ------
    OptionError
        If the name does not end in .png, or matplotlib is not installed.
    """
    if not os.fspath(path).lower().endswith(".png"):
        raise OptionError(f"{path}: pictures are PNG files; choose a name that ends in .png")
    if importlib.util.find_spec("matplotlib") is None:
        raise OptionError('pictures need matplotlib, which is not installed; run pip install ".[plot]"')


def check_picture(path: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Check that a picture can be drawn and written, before a long computation starts.

    Parameters
    ----------
    path : str or path-like
    inputs : iterable of str or path-like
        Files that the picture must not overwrite.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OptionError
        If the name does not end in .png, the file is one of `inputs`, or matplotlib is not installed.
    OutputFileError
        If the picture cannot be written.
    """
    checked: Path = check_output_path(path, inputs)
    check_can_draw(checked)
    return checked


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of the given size in inches. It needs neither global state nor a display.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def drawable(text: str, longest: int) -> str:
    """Convert text to a single line that a figure can show, with white squares in place of characters without a glyph.

    Pass ``parse_math=False`` when you draw it. Otherwise matplotlib reads text between dollar signs as a formula.

    Parameters
    ----------
    text : str
    longest : int
        Maximum number of characters. A longer text is shortened and ends with an ellipsis.
    """
    text = " ".join(text.split())
    if len(text) > longest:
        text = text[: longest - 1].rstrip() + "…"
    glyphs = font_glyphs()
    return "".join(
        character if ord(character) in glyphs and character.isprintable() else NO_GLYPH for character in text
    )


@functools.cache
def font_glyphs() -> frozenset[int]:
    """Return the code points that the font can show."""
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont(FontProperties(family=FONT))).get_charmap())


def write_picture(path: str | os.PathLike[str], figure: "Figure") -> None:
    """Write a figure as PNG, atomically.

    The picture is reduced to 256 colors. They suffice for lines and bands, and make the file a third of the size.

    Raises
    ------
    OutputFileError
        If the picture cannot be written. An existing file is then unchanged.
    """
    from PIL import Image  # a requirement of matplotlib

    drawn, data = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(256).save(data, format="png", optimize=True)
    write_output(Path(path), [data.getvalue()])
