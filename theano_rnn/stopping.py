"""When a run ends before its last epoch: its time is up, or nothing better has been found for long. Knows no loop."""

import math
import time

from theano_rnn.checks import check_real
from theano_rnn.errors import OptionError

SECONDS_A_MINUTE = 60
LARGEST_GUESS = 0.1  # of the time so far: while functions are compiled, there is no telling how fast they will be


class TimeLimit:
    """How long a run may take, counted from when this is made.

    Parameters
    ----------
    minutes : float, optional
        Above 0; default: for ever.

    Raises
    ------
    OptionError
        For what is no such number.
    """

    def __init__(self, minutes=None):
        try:
            limit = math.inf if minutes is None else check_real("max_minutes", minutes, above=0)
        except (TypeError, ValueError) as error:
            raise OptionError(str(error)) from error
        self.begin = time.perf_counter()
        self.end = self.begin + SECONDS_A_MINUTE * limit
        self.longest_evaluation = 0.0

    def note_evaluation(self, seconds):
        """An evaluation took so long: so may the last one."""
        self.longest_evaluation = max(self.longest_evaluation, seconds)

    def is_up(self, evaluated_share):
        """Whether it is time for the last evaluation, which is part of what the limit holds.

        Parameters
        ----------
        evaluated_share : float
            Tokens of an evaluation by tokens learnt so far: how long it may take, where there was none yet.
        """
        if self.end == math.inf:
            return False
        now = time.perf_counter()
        expected = self.longest_evaluation or (now - self.begin) * min(evaluated_share, LARGEST_GUESS)
        return now + expected >= self.end


def evaluations_without_improvement(losses):
    """How many evaluations there were since the best one; 0 before the first.

    Parameters
    ----------
    losses : sequence of float
        What decided at each evaluation, in order. Only a lower loss than all before it is an improvement.
    """
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0
