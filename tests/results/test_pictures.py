"""PNG pictures: their format, their text, and matplotlib as an optional package."""

import importlib.util

import pytest

from theano_rnn.errors import OptionError
from theano_rnn.results.pictures import check_can_draw, drawable, new_figure, write_picture


def test_a_figure_is_written_as_a_png_of_its_size(tmp_path):
    figure = new_figure(4, 3)
    figure.subplots().plot([1, 2, 1])
    write_picture(tmp_path / "a.png", figure)
    data = (tmp_path / "a.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == (480, 360)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    check_can_draw("a.PNG")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match=r'not installed; run pip install "\.\[plot\]"'):
        check_can_draw("a.png")


@pytest.mark.parametrize("name", ["a.pdf", "png", "a.png.txt", ""])
def test_other_picture_formats_are_rejected(name):
    with pytest.raises(OptionError, match="pictures are PNG files"):
        check_can_draw(name)


@pytest.mark.parametrize(
    "text, shown",
    [
        ("He said: é ß Ω Ж ∞", "He said: é ß Ω Ж ∞"),
        ("猫 a\U0001f9a9", "□ a□"),
        ("a\x00b\x1b[0m\u202e\ud800", "a□b□[0m□□"),
        ("  a\t\n b  ", "a b"),
        ("x" * 20, "x" * 20),
        ("x" * 21, "x" * 19 + "…"),
    ],
)
def test_text_in_a_figure_is_one_line_of_characters_that_the_font_has(text, shown):
    assert drawable(text, 20) == shown


def test_drawing_gives_no_warning_about_missing_glyphs(tmp_path):
    figure = new_figure(4, 3)
    figure.text(0, 0.5, drawable("猫 \U0001f9a9 \U00013000 नमस्ते 👩‍👩‍👧 \x07 $x$ $", 50), parse_math=False)
    write_picture(tmp_path / "a.png", figure)
