"""When a run ends before its last epoch: its time is up, or nothing better has been found for long. Knows no loop."""

import math
import time

from theano_rnn.checks import check_real
from theano_rnn.errors import OptionError

SECONDS_A_MINUTE = 60
FIRST_GUESS = 0.1  # of the time so far: while functions are compiled, there is no telling how fast they will be


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
        self.begin = self.looked_at = time.perf_counter()
        self.end = self.begin + SECONDS_A_MINUTE * limit
        self.longest_evaluation = 0.0
        self.seconds_a_token = math.inf  # of learning, where it was fastest: while nothing was compiled

    def note_evaluation(self, seconds):
        """An evaluation took so long: so may the last one."""
        self.longest_evaluation = max(self.longest_evaluation, seconds)

    def note_learnt(self, tokens):
        """So many tokens were learnt since the last call."""
        now = time.perf_counter()
        if self.looked_at > self.begin:  # not the first step, before which the text is read and much is compiled
            self.seconds_a_token = min(self.seconds_a_token, (now - self.looked_at) / tokens)
        self.looked_at = now

    @property
    def is_over(self):
        """Whether the limit has passed."""
        return time.perf_counter() >= self.end

    def is_up(self, evaluated_tokens):
        """Whether it is time for the last evaluation, which is part of what the limit holds.

        Parameters
        ----------
        evaluated_tokens : int
            Of an evaluation: how long it may take, where there was none yet. To evaluate them takes no longer than to
            learn them.
        """
        if self.end == math.inf:
            return False
        return time.perf_counter() + self.expected_evaluation(evaluated_tokens) >= self.end

    def affords(self, evaluated_tokens):
        """Whether an evaluation is expected to take no more than half of the limit; parameters as for `is_up`."""
        return self.expected_evaluation(evaluated_tokens) <= (self.end - self.begin) / 2

    def expected_evaluation(self, evaluated_tokens):
        """How many seconds an evaluation may take; parameters as for `is_up`."""
        expected = self.longest_evaluation
        if not expected and evaluated_tokens:
            guess = evaluated_tokens * self.seconds_a_token
            expected = guess if math.isfinite(guess) else (time.perf_counter() - self.begin) * FIRST_GUESS
        return expected


def evaluations_without_improvement(losses):
    """How many evaluations there were since the best one; 0 before the first.

    Parameters
    ----------
    losses : sequence of float
        What decided at each evaluation, in order. Only a lower loss than all before it is an improvement.
    """
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0
