"""When the plot of a run is drawn, and what happens if it cannot be written."""

from types import SimpleNamespace

import pytest

from theano_rnn.errors import OutputFileError
from theano_rnn.training import live_plot
from theano_rnn.training.live_plot import LivePlot

HISTORY = [{"epoch": 1, "train_loss": 4.5, "valid_loss": None}]


@pytest.fixture
def drawing(monkeypatch):
    """A clock on which drawing takes `cost` seconds. Drawing fails while `fails` is true."""
    drawing = SimpleNamespace(seconds=1000.0, cost=0.5, fails=False, drawn=[], notes=[])

    def draw(path, history, steps, clip, title, by_training_text):
        drawing.seconds += drawing.cost
        if drawing.fails:
            raise OutputFileError(f"{path}: cannot be written: No space left on device; choose another place")
        drawing.drawn.append((drawing.seconds, len(history), steps["loss"]))

    monkeypatch.setattr(live_plot, "time", SimpleNamespace(perf_counter=lambda: drawing.seconds))
    monkeypatch.setattr(live_plot, "draw_training", draw)
    return drawing


def begun(drawing, path):
    picture = LivePlot(path, 1.0, drawing.notes.append)
    picture.begin([])
    return picture


@pytest.mark.parametrize("cost, pause", [(0.01, 15), (1.0, 50), (3.0, 150)])
def test_the_plot_is_drawn_every_fifteen_seconds_within_a_fiftieth_of_the_time(drawing, tmp_path, cost, pause):
    picture = begun(drawing, tmp_path / "a.png")
    drawing.cost = cost
    for _ in range(10_000):
        drawing.seconds += 0.1
        picture.refresh([])
    times = [seconds for seconds, _, _ in drawing.drawn][1:]
    assert len(times) > 3
    for one, next_one in zip(times, times[1:], strict=False):
        assert pause <= next_one - one - cost < pause + 0.5


def test_an_evaluation_is_drawn_at_once_unless_drawing_is_slow(drawing, tmp_path):
    picture = begun(drawing, tmp_path / "a.png")
    drawing.cost = 0.1
    drawing.seconds += 1
    picture.refresh(HISTORY, after_evaluation=True)
    assert [evaluations for _, evaluations, _ in drawing.drawn] == [0, 1]
    for _ in range(10):
        drawing.seconds += 1
        picture.refresh(HISTORY, after_evaluation=True)
    assert len(drawing.drawn) == 3  # drawing takes 0.1 s, so the pause is 50 times as long


def test_the_end_is_always_drawn(drawing, tmp_path):
    picture = begun(drawing, tmp_path / "a.png")
    picture.refresh(HISTORY, at_end=True)
    picture.refresh(HISTORY, at_end=True)
    assert len(drawing.drawn) == 3


def test_a_failing_plot_is_reported_once_each_time_it_starts_to_fail(drawing, tmp_path):
    picture = begun(drawing, tmp_path / "a.png")
    for fails in (True, True, True, False, True):
        drawing.fails = fails
        picture.refresh([], at_end=True)
    message = "a.png: cannot be written: No space left on device; choose another place; training continues and tries"
    assert len(drawing.notes) == 2 and all(message in note for note in drawing.notes)


def test_a_plot_that_cannot_be_written_at_first_ends_the_run_before_it_begins(drawing, tmp_path):
    drawing.fails = True
    with pytest.raises(OutputFileError, match="cannot be written"):
        begun(drawing, tmp_path / "a.png")


def test_gradient_norms_between_two_points_are_averaged(drawing, tmp_path):
    picture = begun(drawing, tmp_path / "a.png")
    for norm in (1.0, None, 2.0):
        picture.add_norm(norm)
    picture.add(25, 7, 0.5, 4.0, 0.1)
    picture.add(25, 7, 0.7, 3.0, 0.1)
    assert picture.curves.columns()["gradient_norm"][0] == 1.5
    assert picture.curves.columns()["gradient_norm"][1] != picture.curves.columns()["gradient_norm"][1]  # NaN


def test_an_expensive_norm_is_measured_at_the_first_step_and_rarely_afterwards(drawing, tmp_path):
    picture = begun(drawing, tmp_path / "a.png")
    assert [i for i in range(1200) if picture.needs_norm()] == [0, 500, 1000]


def test_without_a_path_nothing_is_recorded_or_drawn(drawing):
    picture = begun(drawing, None)
    picture.add_norm(1.0)
    picture.add(25, 7, 0.5, 4.0, 0.1)
    picture.refresh([], at_end=True)
    assert not picture.needs_norm()
    assert not drawing.drawn and not picture.curves.points and not picture._norms
