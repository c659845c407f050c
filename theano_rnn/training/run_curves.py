"""What is noted of a run between its evaluations: a bounded number of points, however long it runs. Draws nothing."""

import math

import numpy as np

MOST_POINTS = 2000
STEPS_PER_POINT = 25  # of a single step the loss says little
COLUMNS = ("steps", "tokens", "epoch", "loss", "learning_rate", "gradient_norm")


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
        """The points as `theano_rnn.training.training_plot.draw_training` takes them: equally long lists by name.

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
