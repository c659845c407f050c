import importlib.util

import pytest

from theano_rnn.errors import OptionError
from theano_rnn.pictures import new_figure, require_matplotlib, write_picture


def test_a_figure_becomes_a_png_of_its_size(tmp_path):
    figure = new_figure(4, 3)
    figure.subplots().plot([1, 2, 1])
    write_picture(tmp_path / "a.png", figure)
    data = (tmp_path / "a.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == (480, 360)


def test_without_matplotlib_the_extra_that_brings_it_is_named(monkeypatch):
    require_matplotlib()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match=r'not installed; pip install "\.\[plot\]" brings it'):
        require_matplotlib()
