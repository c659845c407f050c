"""At a terminal a line shows that the command is working; elsewhere there is none."""

import io
import threading
from contextlib import redirect_stderr

import pytest

from theano_rnn.commands import status_line
from theano_rnn.commands.status_line import status
from theano_rnn.commands.terminal import say, show


class Screen(io.StringIO):
    """A terminal in memory."""

    def __init__(self):
        super().__init__()
        self.was_written = threading.Event()

    def isatty(self):
        return True

    def write(self, text):
        if text.strip():
            self.was_written.set()
        return super().write(text)

    def lines(self):
        """Return what is on the screen; each carriage return goes back to the beginning of the line."""
        shown = []
        for line in self.getvalue().split("\n"):
            cells = []
            for part in line.split("\r"):
                cells[: len(part)] = part
            shown.append("".join(cells).rstrip())
        return shown


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setattr(status_line, "_QUIET_SECONDS", 0.05)
    monkeypatch.setattr(status_line, "_INTERVAL", 0.01)
    return Screen()


def test_work_that_takes_long_is_shown_with_its_seconds_and_removed_at_the_end(screen):
    with redirect_stderr(screen), status("loading m.npz"):
        assert screen.was_written.wait(10)
        assert screen.lines() == ["loading m.npz … 0 s"]
    assert screen.lines() == [""]


def test_the_line_is_not_wider_than_the_terminal(screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    with redirect_stderr(screen), status("loading " + "x" * 100):
        assert screen.was_written.wait(10)
    assert max(map(len, screen.getvalue().split("\r"))) <= 19


def test_control_characters_are_escaped(screen):
    with redirect_stderr(screen), status("loading \x1b[31m"):
        assert screen.was_written.wait(10)
    assert "\x1b" not in screen.getvalue() and r"\x1b[31m" in screen.getvalue()


@pytest.mark.parametrize("write", [say, show])
def test_other_output_replaces_the_line(write, screen, capsys):
    with redirect_stderr(screen), status("scoring"):
        assert screen.was_written.wait(10)
        write("a result")
        assert screen.lines()[0] in ("a result", "")
    assert screen.lines()[-1] == ""


def test_quick_work_shows_nothing(screen, monkeypatch):
    monkeypatch.setattr(status_line, "_QUIET_SECONDS", 60)
    with redirect_stderr(screen), status("scoring"):
        pass
    assert screen.getvalue() == ""


def test_nothing_is_shown_where_there_is_no_terminal():
    file, before = io.StringIO(), threading.active_count()
    with redirect_stderr(file), status("scoring"):
        assert threading.active_count() == before
    assert file.getvalue() == ""


def test_an_error_removes_the_line_too(screen):
    with pytest.raises(ZeroDivisionError), redirect_stderr(screen), status("scoring"):
        assert screen.was_written.wait(10)
        raise ZeroDivisionError
    assert screen.lines() == [""]
