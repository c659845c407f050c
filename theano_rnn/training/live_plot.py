"""The picture of a run, drawn anew while it trains: seldom enough to cost next to nothing, and never in its way."""

import math
import time

import numpy as np

from theano_rnn.errors import OutputFileError
from theano_rnn.results.training_plot import draw_training

SECONDS_BETWEEN = 15  # beside the pictures at evaluations
SHARE_OF_TIME = 0.02
STEPS_BETWEEN_NORMS = 500  # where a norm has to be found for the picture alone
MOST_POINTS = 2000
STEPS_PER_POINT = 25  # of a single step the loss says little
COLUMNS = ("steps", "tokens", "epoch", "loss", "learning_rate", "gradient_norm")


class LivePlot:
    """A picture that shows how far a run has come, and the curves in it.

    Parameters
    ----------
    path : pathlib.Path or None
        None: nothing is noted and nothing drawn; curves noted earlier are kept.
    clip : float or None
        Limit of the gradients' norm.
    note : callable
        Is told, in a line, of a picture that could not be written.
    by_training_text : bool
        Whether the loss on the training text decides which parameters are best, even if text is held out.
    """

    def __init__(self, path, clip, note, by_training_text=False):
        self.path = path
        self.clip = clip
        self.note = note
        self.by_training_text = by_training_text
        self.curves = TrainingCurves()
        self.norms = []  # since the last stretch
        self.steps_since_norm = STEPS_BETWEEN_NORMS
        self.has_failed = False
        self.drawn_at = self.cost = 0.0

    # What is in it

    def note_norm(self, norm):
        """The norm of one step's gradients, maybe not yet waited for, or None."""
        if self.path is not None and norm is not None:
            self.norms.append(norm)

    def wants_norm(self):
        """Asked before a step that does not tell its gradients: whether to find them apart, which takes time."""
        self.steps_since_norm += 1
        if self.path is None or self.steps_since_norm < STEPS_BETWEEN_NORMS:
            return False
        self.steps_since_norm = 0
        return True

    def note_stretch(self, steps, tokens, epoch, loss, learning_rate):
        """What was learnt since the last call: see `TrainingCurves.add`."""
        if self.path is None:
            return
        norm = np.mean([float(norm) for norm in self.norms]) if self.norms else math.nan
        self.curves.add(steps, tokens, epoch, loss, learning_rate, float(norm))
        self.norms = []

    # When it is drawn

    def begin(self, history):
        """Draw it for the first time, which takes longest: matplotlib is imported.

        Raises
        ------
        OutputFileError
            If it cannot be written.
        """
        if self.path is not None:
            self._draw(history)
            self.drawn_at = time.perf_counter()

    def refresh(self, history, after_evaluation=False, at_end=False):
        """Draw it anew, if it is time to; a picture that cannot be written is told once."""
        begin = time.perf_counter()
        pause = max(self.cost / SHARE_OF_TIME, 0 if after_evaluation else SECONDS_BETWEEN)
        if self.path is None or (begin - self.drawn_at < pause and not at_end):
            return
        try:
            self._draw(history)
            self.has_failed = False
        except OutputFileError as error:
            if not self.has_failed:
                self.note(f"{error}; training goes on, and tries again")
            self.has_failed = True
        self.drawn_at = time.perf_counter()
        self.cost = self.drawn_at - begin

    def _draw(self, history):
        draw_training(self.path, history, self.curves.columns(), self.clip, self.path.stem, self.by_training_text)


class TrainingCurves:
    """Means over stretches of a run. When there are too many, neighbours become one, and so do those to come."""

    def __init__(self):
        self.points = []  # each a list of the columns
        self.steps_per_point = STEPS_PER_POINT

    def __len__(self):
        return len(self.points)

    def add(self, steps, tokens, epoch, loss, learning_rate, gradient_norm):
        """Note a stretch of a run.

        Parameters
        ----------
        steps, tokens : int
            Its length, at least 1. Tokens are the weights where stretches are joined.
        epoch : float
            Epochs done at its end.
        loss : float
            Nats per token.
        learning_rate : float
        gradient_norm : float
            Before clipping; NaN where it was not measured.
        """
        norm = gradient_norm if math.isfinite(gradient_norm) else math.nan
        point = [steps, tokens, epoch, loss, learning_rate, norm]
        if self.points and self.points[-1][0] < self.steps_per_point:
            self.points[-1] = joined(self.points[-1], point)
            return
        if len(self.points) == MOST_POINTS:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [joined(one, other) for one, other in pairs]
            self.steps_per_point *= 2
        self.points.append(point)

    def columns(self):
        """The points as `theano_rnn.results.training_plot.draw_training` takes them: equally long lists by name.

        A last one of but a few steps is left out if there are others.
        """
        points = self.points
        if len(points) > 1 and points[-1][0] < STEPS_PER_POINT:
            points = points[:-1]
        return {name: [point[COLUMNS.index(name)] for point in points] for name in COLUMNS[2:]}

    def to_array(self):
        """All there is to know, as an array (points, columns) of float64."""
        return np.array(self.points, dtype=np.float64).reshape((-1, len(COLUMNS)))

    @classmethod
    def from_array(cls, array):
        """The curves that `to_array` described.

        Raises
        ------
        ValueError
            For an array that no run can have made.
        """
        if array.dtype != np.float64 or array.ndim != 2 or array.shape[1] != len(COLUMNS) or len(array) > MOST_POINTS:
            raise ValueError(f"curves: expected points of {len(COLUMNS)} columns, got {array.dtype} {array.shape}")
        if not np.isfinite(array[:, :-1]).all() or (array[:, :2] < 1).any():
            raise ValueError("curves: hold values that no run can have")
        curves = cls()
        curves.points = array.tolist()
        if len(array) > 1:
            curves.steps_per_point = max(STEPS_PER_POINT, array[:-1, 0].min())  # only the last may be short
        return curves


def joined(one, other):
    """Two neighbours as one point: means weighted by tokens, at the epoch of the later one."""
    tokens = one[1] + other[1]
    means = [mean(a, b, other[1] / tokens) for a, b in zip(one[3:], other[3:], strict=True)]
    return [one[0] + other[0], tokens, other[2], *means]


def mean(a, b, share):
    """a and b in one, of which b has this share; where one was not measured, the other."""
    if math.isnan(a) or math.isnan(b):
        return b if math.isnan(a) else a
    return a + (b - a) * share
