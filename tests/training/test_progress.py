"""What a training run shows: at a terminal one line of progress, elsewhere one line per evaluation."""

import io
import logging
import os
import re
import struct
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.training_runs import CASES, SENTENCES, share_compiled

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.training import progress
from theano_rnn.training.progress import ProgressReporter
from theano_rnn.training.train_model import train

fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))

RECORD = {
    "epoch": 2,
    "train_loss": 5.1,
    "valid_loss": 4.9,
    "perplexity": 134.29,
    "learning_rate": 0.002,
    "tokens_per_second": 12345.6,
    "seconds": 71.2,
}
FIRST, SECOND = SimpleNamespace(epoch=0, step=1), SimpleNamespace(epoch=1, step=1)


class Terminal:
    """A pseudo-terminal: a stream that writes to it, and what arrives there."""

    def __init__(self, columns):
        self.master, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self.resize(columns)
        self._received = b""
        self._reader = threading.Thread(target=self._read, daemon=True)  # a full pseudo-terminal blocks the writer
        self._reader.start()
        self.reporter = ProgressReporter(self.stream)

    def resize(self, columns):
        fcntl.ioctl(self.stream, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def _read(self):
        try:
            while block := os.read(self.master, 65536):
                self._received += block
        except OSError:  # the other end is closed
            pass

    def close(self):
        """Close the stream; return what was written, each state of the line of progress as a line of its own."""
        self.reporter.close()
        self.stream.close()
        self._reader.join()
        os.close(self.master)
        return [line.rstrip() for line in re.split("[\r\n]+", self._received.decode()) if line.strip()]


@pytest.fixture
def unthrottled(monkeypatch):
    """Draw the bar at each report, even if reports follow each other quickly."""
    monkeypatch.setenv("TQDM_MININTERVAL", "0")


def steps(reporter, state=FIRST, done=(1, 25, 50), total=1200, tokens_per_second=12345.6):
    for count in done:
        reporter.progress(state, 10, count, total, 4.1234, tokens_per_second)


# In a notebook


class NotebookStream(io.StringIO):
    """A stream like that of a notebook's cell, which is no terminal and has no file of its own."""

    __module__ = "ipykernel.iostream"


@pytest.mark.usefixtures("unthrottled")
def test_in_a_notebook_progress_is_rewritten_and_evaluations_are_whole_lines():
    stream = NotebookStream()
    reporter = ProgressReporter(stream)
    reporter.stage("compiling")
    steps(reporter)
    reporter.evaluated(RECORD, "a sample")
    reporter.note("a note")
    reporter.close()
    *_, evaluation, sample, note, rest = [line.rpartition("\r")[2] for line in stream.getvalue().split("\n")]
    assert "\repoch 1/10   4%" in stream.getvalue() and "\x1b" not in stream.getvalue()
    assert evaluation.startswith("epoch   2  training loss 5.1000  held-out loss 4.9000  perplexity 134.29  rate 0.002")
    assert evaluation.endswith("12,346 tokens/s  71 s")
    assert (sample.strip(), note, rest.strip()) == ("a sample", "a note", "")


# At a terminal


@pytest.mark.parametrize("columns", [0, 20, 60, 80, 200])
@pytest.mark.usefixtures("unthrottled")
def test_progress_is_one_line_within_the_width_of_the_terminal(columns):
    screen = Terminal(columns)
    reporter = screen.reporter
    reporter.reading(["a folder/a text with a long name that fills a narrow terminal by itself.txt"])
    reporter.encoding(5_000_000, 20_000_000)
    reporter.stage("compiling")
    steps(reporter)
    reporter.stage("evaluating")
    lines = screen.close()
    assert len(lines) > 5 and max(map(len, lines)) < (columns or 80)
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize(
    "columns, parts",
    [
        (60, ["left"]),
        (0, ["left", "left in this epoch", "|"]),
        (80, ["left", "left in this epoch", "|"]),
        (200, ["left", "left in this epoch", "|", "50/1200"]),
    ],
)
@pytest.mark.usefixtures("unthrottled")
def test_a_wider_terminal_shows_more(columns, parts):
    screen = Terminal(columns)
    reporter = screen.reporter
    steps(reporter)
    line = screen.close()[-1]
    assert line.startswith("epoch 1/10   4%") and "loss 4.123  12,346 tokens/s" in line
    assert [part for part in ("left", "left in this epoch", "|", "50/1200") if part in line] == parts


@pytest.mark.usefixtures("unthrottled")
def test_the_first_frame_shows_neither_a_speed_nor_the_time_left():
    screen = Terminal(120)
    steps(screen.reporter, done=[1], tokens_per_second=0.0)
    steps(screen.reporter, done=[25])
    first, second = screen.close()
    assert first.startswith("epoch 1/10   0%|") and first.endswith("| 1/1200  loss 4.123")
    assert second.endswith(" left in this epoch") and "| 25/1200  loss 4.123  12,346 tokens/s  " in second


@pytest.mark.usefixtures("unthrottled")
def test_the_line_follows_the_size_of_the_terminal():
    screen = Terminal(100)
    reporter = screen.reporter
    steps(reporter, done=[1, 2])
    screen.resize(78)
    steps(reporter, done=[3])
    assert [len(line) for line in screen.close()][-2:] == [99, 77]


@pytest.mark.usefixtures("unthrottled")
def test_compiling_is_shown_until_the_first_step_is_done():
    screen = Terminal(80)
    reporter = screen.reporter
    reporter.stage("compiling")
    steps(reporter, done=[1, 2])
    first, *others = screen.close()
    assert first == "compiling… 00:00"
    assert others and all(line.startswith("epoch 1/10   0%") for line in others)


def test_the_seconds_of_a_stage_are_counted(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_TICKS", 0.01)
    screen = Terminal(80)
    reporter = screen.reporter
    reporter.stage("evaluating")
    time.sleep(0.3)
    lines = screen.close()
    assert len(lines) > 3 and set(lines) <= {"evaluating… 00:00", "evaluating… 00:01"}


@pytest.mark.usefixtures("unthrottled")
def test_each_epoch_has_a_bar_of_its_own():
    screen = Terminal(80)
    reporter = screen.reporter
    steps(reporter, FIRST, done=[1, 1200])
    steps(reporter, SECOND, done=[1, 2])
    lines = screen.close()
    first = [line for line in lines if line.startswith("epoch 1/10 ")]
    assert lines[: len(first)] == first and first[-1].startswith("epoch 1/10 100%")
    assert all(line.startswith("epoch 2/10   0%") for line in lines[len(first) :])


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
@pytest.mark.parametrize("bits", [{}, {"bits_per_character": 2.41}])
def test_the_line_of_an_evaluation_fits_the_terminal_and_keeps_what_matters(columns, bits):
    screen = Terminal(columns)
    reporter = screen.reporter
    reporter.evaluated(RECORD | {"perplexity": 5.31} | bits, None)
    (line,) = screen.close()
    assert len(line) < columns
    assert line.startswith("epoch   2  ") and "perplexity 5.31" in line and "12,346 tokens/s" in line
    assert ("2.41 bits/char" in line) == bool(bits)
    assert ("held-out loss" in line) == (columns > 80 or (columns == 80 and not bits))
    assert ("71 s" in line) == (columns == 200)


def test_notes_do_not_disturb_the_bar():
    screen = Terminal(80)
    reporter = screen.reporter
    steps(reporter)
    reporter.note("something worth knowing")
    assert "something worth knowing" in screen.close()


# Elsewhere


def test_without_a_terminal_there_are_only_lines_without_control_characters():
    stream = io.StringIO()
    reporter = ProgressReporter(stream)
    reporter.reading([__file__])
    reporter.encoding(5, 10)
    reporter.stage("compiling")
    steps(reporter)
    reporter.stage("evaluating")
    reporter.evaluated(RECORD, None)
    reporter.sampled(FIRST, "A dog\nbarks.\x1b[2J")
    reporter.close()
    assert stream.getvalue() == (
        "epoch   2  training loss 5.1000  held-out loss 4.9000  perplexity 134.29  "
        "rate 0.002  12,346 tokens/s  71 s\n"
        "           A dog\\nbarks.\\x1b[2J\n"
    )


def test_without_a_terminal_reading_a_large_text_is_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "LARGE_TEXT", 10)
    (tmp_path / "large.txt").write_text("A large text.")
    stream = io.StringIO()
    reporter = ProgressReporter(stream)
    reporter.reading([str(tmp_path / "large.txt")])
    reporter.reading([str(tmp_path / "large.txt"), str(tmp_path / "absent.txt")])
    assert stream.getvalue() == f"reading {tmp_path / 'large.txt'}\nreading 2 files\n"


@pytest.mark.parametrize(
    "epoch, step, shown", [(0, 1, "1 step"), (1, 0, "1 epoch"), (2, 1, "2 epochs and 1 step"), (0, 30, "30 steps")]
)
def test_the_end_of_the_time_limit_counts_epochs_and_steps(epoch, step, shown):
    stream = io.StringIO()
    reporter = ProgressReporter(stream, to_continue="Call again.")
    reporter.time_is_up(SimpleNamespace(epoch=epoch, step=step), Path("m.checkpoint.npz"))
    assert stream.getvalue() == f"time is up after {shown}; progress is saved. Call again.\n"


@pytest.mark.parametrize(
    "figures, shown",
    [
        ({"perplexity": 5.96}, "best perplexity 5.96 after epoch 3; the model is in m.npz"),
        (
            {"perplexity": 5.31, "bits_per_character": 2.4099},
            "best 2.41 bits/char, perplexity 5.31 after epoch 3; the model is in m.npz",
        ),
        (None, "the model is in m.npz"),
    ],
)
def test_the_last_line_says_how_good_the_model_is_and_where(figures, shown):
    history = [] if figures is None else [{"epoch": 3, "train_loss": 1.0, "valid_loss": None, **figures}]
    lm = SimpleNamespace(training={"history": history, "options": {"tutorial": False}})
    stream = io.StringIO()
    ProgressReporter(stream).finished(lm, Path("m.npz"))
    assert stream.getvalue() == f"{shown}\n"


# Whole runs


@pytest.fixture
def toy(tmp_path, monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)
    path = tmp_path / "toy.txt"
    path.write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    return path


def test_train_is_silent_unless_asked_for_progress(toy, tmp_path, capfd):
    train(toy, model=tmp_path / "m.npz", epochs=1, **CASES["words"])
    assert capfd.readouterr() == ("", "")


def test_train_shows_progress_on_standard_error(toy, tmp_path, capfd):
    train(toy, model=tmp_path / "m.npz", epochs=2, progress=True, **CASES["words"])
    out, err = capfd.readouterr()
    lines = err.splitlines()
    assert out == "" and "\r" not in err
    assert [line[:9] for line in lines if line.startswith("epoch")] == ["epoch   1", "epoch   2"]
    assert lines[-3].startswith("best perplexity ") and lines[-3].endswith(f"the model is in {tmp_path / 'm.npz'}")
    assert lines[-2].startswith("perplexity on the held-out text: network ")
    assert lines[-1].startswith(
        "warning: the network is worse than the Kneser-Ney bigram; likely reason: too few epochs"
    )


@pytest.mark.parametrize("case, unit", [("words", "perplexity "), ("characters", " bits/char")])
@pytest.mark.usefixtures("unthrottled")
def test_the_bar_and_the_line_of_an_epoch_show_the_same_speed(toy, tmp_path, monkeypatch, case, unit):
    screen = Terminal(200)
    monkeypatch.setattr(sys, "stderr", screen.stream)
    train(toy, model=tmp_path / "m.npz", epochs=3, progress=True, **CASES[case])
    lines = screen.close()
    assert max(len(line) for line in lines if "%" in line) < 200
    assert lines[0].startswith("reading ") and any(line.startswith("compiling…") for line in lines)
    for epoch in (1, 2, 3):
        (evaluated,) = (i for i, line in enumerate(lines) if line.startswith(f"epoch {epoch:>3} "))
        bar = next(line for line in reversed(lines[:evaluated]) if line.startswith(f"epoch {epoch}/3 100%"))
        speeds = [re.search(r"([\d,]+) tokens/s", line)[1] for line in (bar, lines[evaluated])]
        assert speeds[0] == speeds[1] != "0"
        assert unit in lines[evaluated]


@pytest.mark.usefixtures("unthrottled")
def test_no_speed_is_shown_before_training_or_for_an_epoch_of_a_single_step_that_compiles(toy, tmp_path, capfd):
    settings = {**CASES["words"], "batch_size": 1000, "progress": True}
    train(toy, model=tmp_path / "m.npz", epochs=2, **settings)
    train(toy, model=tmp_path / "new.npz", epochs=2, init_from=tmp_path / "m.npz", **settings)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("epoch ")]
    epochs_with_speed = [(line.split()[1], " tokens/s" in line) for line in lines]
    first_run = [("1", False), ("2", True)]
    assert epochs_with_speed == [*first_run, ("0", False), *first_run]


@pytest.mark.parametrize("shows", [True, False])
def test_each_evaluation_and_each_epoch_without_one_is_a_record_of_the_logger(toy, tmp_path, caplog, shows):
    caplog.set_level(logging.INFO, "theano_rnn")
    settings = {**CASES["characters"], "epochs": 3, "evaluate_every": 2, "progress": shows}
    train(toy, model=tmp_path / "m.npz", **settings)
    records = [record for record in caplog.records if record.getMessage().startswith("epoch ")]
    assert {(record.name, record.levelname) for record in records} == {("theano_rnn", "INFO")}
    messages = [record.getMessage() for record in records]
    assert [message.split(":")[0] for message in messages] == ["epoch 1", "epoch 2", "epoch 3"]
    assert "since the last evaluation" in messages[0] and "bits/char" not in messages[0]
    assert " bits/char, perplexity " in messages[1] and " bits/char, perplexity " in messages[2]
