"""What a run shows while it trains: a plot, redrawn so rarely that it costs next to nothing, and TensorBoard's events.

Neither ever stops the run.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from theano_rnn.deployment.event_log import EventLog
from theano_rnn.errors import OutputFileError
from theano_rnn.results.training_plot import draw_training

SECONDS_BETWEEN = 15  # between plots, apart from those after evaluations
SHARE_OF_TIME = 0.02  # the most that drawing takes of the time
STEPS_BETWEEN_NORMS = 500  # if a norm has to be computed for the plot alone
MOST_POINTS = 2000
STEPS_PER_POINT = 25  # the loss of a single step says little
NOT_IN_EVENTS = ("examples_seen", "learning_rate", "seconds")  # of a record; events have them, or steps, anyway
COLUMNS = ("steps", "tokens", "epoch", "loss", "learning_rate", "gradient_norm")


class LivePlot:
    """A plot of a run in progress, the curves in it, and the run's event files.

    Parameters
    ----------
    path : pathlib.Path or None
        None: nothing is drawn and the curves do not change.
    events : pathlib.Path or None
        The folder of event files; None: there are none.
    clip : float or None
        The limit of the gradient norm.
    note : callable
        Receives one line if the plot cannot be written.
    by_training_text : bool
        Whether the loss on the training text decides which parameters are the best even if text is held out.

    Attributes
    ----------
    curves : TrainingCurves
    """

    def __init__(
        self,
        path: Path | None,
        clip: float | None,
        note: Callable[[str], None],
        by_training_text: bool = False,
        events: Path | None = None,
    ) -> None:
        self.path = path
        self.events = None if events is None else EventLog(events, note)
        self.curves = TrainingCurves()
        self._clip = clip
        self._note = note
        self._by_training_text = by_training_text
        self._norms: list[Any] = []  # of the steps since the last `add`
        self._steps_since_norm = STEPS_BETWEEN_NORMS
        self._has_failed = False
        self._drawn_at = self._cost = 0.0

    # The curves

    def add_norm(self, norm: Any) -> None:
        """Add the gradient norm of one step: a scalar array, which may not have been computed yet, or None."""
        if self._is_shown and norm is not None:
            self._norms.append(norm)

    def needs_norm(self) -> bool:
        """Return whether to compute the gradient norm of the next step separately, which takes time."""
        self._steps_since_norm += 1
        if not self._is_shown or self._steps_since_norm < STEPS_BETWEEN_NORMS:
            return False
        self._steps_since_norm = 0
        return True

    @property
    def _is_shown(self) -> bool:
        return self.path is not None or self.events is not None

    def add(self, steps: int, tokens: int, epoch: float, loss: float, learning_rate: float, step: int = 0) -> None:
        """Add the steps since the last call, up to number `step` of the run: see `TrainingCurves.add`."""
        norm = float(np.mean([float(norm) for norm in self._norms])) if self._norms else math.nan
        self._norms = []
        if self.path is not None:
            self.curves.add(steps, tokens, epoch, loss, learning_rate, norm)
        if self.events is not None:
            figures = {"loss": loss, "learning_rate": learning_rate, "gradient_norm": norm}
            self.events.add(step, {f"training/{name}": value for name, value in figures.items()})

    def add_evaluation(self, record: dict[str, Any], sample: str | None, step: int) -> None:
        """Add the figures of an evaluation, and a text that was sampled from the best parameters, to the events."""
        if self.events is not None:
            figures = {name: value for name, value in record.items() if name not in NOT_IN_EVENTS and value is not None}
            scalars = {f"evaluation/{name}": value for name, value in figures.items()}
            self.events.add(step, scalars, {} if sample is None else {"sample": sample})

    def add_sample(self, sample: str | None, step: int) -> None:
        """Add a text that was sampled from the current parameters to the events."""
        if self.events is not None and sample is not None:
            self.events.add(step, {}, {"sample": sample})

    # Drawing

    def begin(self, history: Sequence[dict[str, Any]], step: int = 0) -> None:
        """Draw the plot for the first time, and begin the events after this step.

        Raises
        ------
        OutputFileError
            If one of them cannot be written.
        """
        if self.events is not None:
            self.events.begin(step + 1 if step else 0)
        if self.path is not None:
            self._draw(self.path, history)
            self._drawn_at = time.perf_counter()

    def refresh(self, history: Sequence[dict[str, Any]], after_evaluation: bool = False, at_end: bool = False) -> None:
        """Redraw the plot if it is time to. If that fails several times in a row, it is noted once."""
        begin = time.perf_counter()
        pause = max(self._cost / SHARE_OF_TIME, 0 if after_evaluation else SECONDS_BETWEEN)
        if self.path is None or (begin - self._drawn_at < pause and not at_end):
            return
        try:
            self._draw(self.path, history)
            self._has_failed = False
        except OutputFileError as error:
            if not self._has_failed:
                self._note(f"{error}; training continues and tries again")
            self._has_failed = True
        self._drawn_at = time.perf_counter()
        self._cost = self._drawn_at - begin

    def _draw(self, path: Path, history: Sequence[dict[str, Any]]) -> None:
        draw_training(path, history, self.curves.columns(), self._clip, path.stem, self._by_training_text)


class TrainingCurves:
    """Means over successive parts of a run: a bounded number of points, however long the run.

    Each point covers at least `STEPS_PER_POINT` steps. When there are too many, neighbors are merged, and later points
    cover as many steps as merged ones.
    """

    def __init__(self) -> None:
        self.points: list[list[float]] = []  # each with the values of COLUMNS
        self._steps_per_point: float = STEPS_PER_POINT

    def __len__(self) -> int:
        return len(self.points)

    def add(
        self, steps: int, tokens: int, epoch: float, loss: float, learning_rate: float, gradient_norm: float
    ) -> None:
        """Add some steps of the run.

        Parameters
        ----------
        steps, tokens : int
            How many, at least 1. When points are merged, the tokens are the weights of the means.
        epoch : float
            Epochs done after these steps.
        loss : float
            Their mean, in nats per token.
        learning_rate : float
        gradient_norm : float
            Before clipping; NaN if it was not measured.
        """
        norm = gradient_norm if math.isfinite(gradient_norm) else math.nan
        point = [steps, tokens, epoch, loss, learning_rate, norm]
        if self.points and self.points[-1][0] < self._steps_per_point:
            self.points[-1] = _merged(self.points[-1], point)
            return
        if len(self.points) == MOST_POINTS:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [_merged(one, other) for one, other in pairs]
            self._steps_per_point *= 2
        self.points.append(point)

    def columns(self) -> dict[str, list[float]]:
        """Return the points as lists by name, as `theano_rnn.results.training_plot.draw_training` takes them.

        A last point of only a few steps is left out if there are others.
        """
        points = self.points
        if len(points) > 1 and points[-1][0] < STEPS_PER_POINT:
            points = points[:-1]
        return {name: [point[COLUMNS.index(name)] for point in points] for name in COLUMNS[2:]}

    def to_array(self) -> np.ndarray:
        """Return all points as an array (points, columns) of float64, which `from_array` takes."""
        return np.array(self.points, dtype=np.float64).reshape((-1, len(COLUMNS)))

    @classmethod
    def from_array(cls, array: np.ndarray) -> "TrainingCurves":
        """Return the curves that `to_array` described.

        Raises
        ------
        ValueError
            If the array has another form, or impossible values.
        """
        if array.dtype != np.float64 or array.ndim != 2 or array.shape[1] != len(COLUMNS) or len(array) > MOST_POINTS:
            raise ValueError(f"curves: expected points of {len(COLUMNS)} columns, got {array.dtype} {array.shape}")
        if not np.isfinite(array[:, :-1]).all() or (array[:, :2] < 1).any():
            raise ValueError("curves: hold impossible values")
        curves = cls()
        curves.points = array.tolist()
        if len(array) > 1:  # only the last point may have fewer steps
            curves._steps_per_point = max(STEPS_PER_POINT, float(array[:-1, 0].min()))
        return curves


def _merged(one: list[float], other: list[float]) -> list[float]:
    """Merge two neighbors into one point: means weighted by tokens, at the epoch of the later one."""
    tokens = one[1] + other[1]
    means = [_mean(a, b, other[1] / tokens) for a, b in zip(one[3:], other[3:], strict=True)]
    return [one[0] + other[0], tokens, other[2], *means]


def _mean(a: float, b: float, weight: float) -> float:
    """Return the mean of a and b, in which b has this weight; if one was not measured, return the other."""
    if math.isnan(a) or math.isnan(b):
        return b if math.isnan(a) else a
    return a + (b - a) * weight
