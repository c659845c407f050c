"""The picture of a run, drawn anew while it trains: seldom enough to cost next to nothing, and never in its way."""

import math
import time

import numpy as np

from theano_rnn.errors import OutputFileError
from theano_rnn.training.run_curves import TrainingCurves
from theano_rnn.training.training_plot import draw_training

SECONDS_BETWEEN = 15  # beside the pictures at evaluations
SHARE_OF_TIME = 0.02
STEPS_BETWEEN_NORMS = 500  # where a norm has to be found for the picture alone


class LivePicture:
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
