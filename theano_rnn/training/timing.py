"""A run and the clock: the time limit of a call, how fast the network learns, and when to report.

Must not know the training loop.
"""

import contextlib
import math
import time
from collections.abc import Iterator

from theano_rnn.checks import check_real
from theano_rnn.errors import OptionError

SECONDS_PER_MINUTE = 60
# While functions are being compiled, nothing is known about the speed. Until then, an evaluation is expected to take
# this share of the time that has passed.
FIRST_GUESS = 0.1
# Minibatches of new lengths are compiled. Until the speed was measured this often, an evaluation is expected to take at
# most half of the limit.
MEASUREMENTS_TO_TRUST = 20
# Progress is reported after this many steps, or after this many seconds where steps are slow.
STEPS_BETWEEN_REPORTS = 25
SECONDS_BETWEEN_REPORTS = 1.0


class TimeLimit:
    """How long a call may take. The time starts when the object is made.

    Parameters
    ----------
    minutes : float, optional
        Above 0; default: no limit.

    Raises
    ------
    OptionError
        If it is not a number above 0.
    """

    def __init__(self, minutes: float | None = None) -> None:
        try:
            limit = math.inf if minutes is None else check_real("max_minutes", minutes, above=0)
        except (TypeError, ValueError) as error:
            raise OptionError(str(error)) from error
        self._begin = self._last_update = time.perf_counter()
        self._end = self._begin + SECONDS_PER_MINUTE * limit
        self._longest_evaluation = 0.0
        self._seconds_per_token = math.inf  # of training, at its fastest: then nothing was compiled
        self._measurements = 0

    def add_evaluation(self, seconds: float) -> None:
        """Take into account how long an evaluation took: the last one may take as long."""
        self._longest_evaluation = max(self._longest_evaluation, seconds)

    def add_tokens(self, tokens: int) -> None:
        """Take into account that this many tokens were learned since the last call."""
        now = time.perf_counter()
        if self._last_update > self._begin:  # not the first steps: before them the text is read and much is compiled
            self._seconds_per_token = min(self._seconds_per_token, (now - self._last_update) / tokens)
            self._measurements += 1
        self._last_update = now

    @property
    def has_passed(self) -> bool:
        """Whether the limit has passed."""
        return time.perf_counter() >= self._end

    def leaves_time_for(self, evaluated_tokens: int) -> bool:
        """Return whether a final evaluation that begins later can still end within the limit.

        Parameters
        ----------
        evaluated_tokens : int
            The number of tokens in an evaluation. Before the first one, the time that it takes to learn as many is
            reserved.
        """
        if self._end == math.inf:
            return True
        return time.perf_counter() + self._expected_evaluation(evaluated_tokens) < self._end

    def is_long_enough_for(self, evaluated_tokens: int) -> bool:
        """Return whether an evaluation of this many tokens is expected to take at most half of the limit."""
        return self._expected_evaluation(evaluated_tokens) <= (self._end - self._begin) / 2

    def _expected_evaluation(self, evaluated_tokens: int) -> float:
        """Estimate how many seconds an evaluation takes."""
        expected = self._longest_evaluation
        if not expected and evaluated_tokens:
            guess = evaluated_tokens * self._seconds_per_token
            expected = guess if math.isfinite(guess) else (time.perf_counter() - self._begin) * FIRST_GUESS
            if self._measurements < MEASUREMENTS_TO_TRUST:
                expected = min(expected, (self._end - self._begin) / 2)
        return expected


class UnreportedSteps:
    """The steps since the last report of progress, and when the next one is due.

    A report reads the loss, which waits for the steps before it. So reports are rare where steps are quick.

    Attributes
    ----------
    steps, tokens, predictions : int
    """

    def __init__(self) -> None:
        self.steps: int = 0
        self.tokens: int = 0
        self.predictions: int = 0
        self._interval = STEPS_BETWEEN_REPORTS

    def add(self, tokens: int, predictions: int) -> None:
        """Count a step with this many tokens and predictions."""
        self.steps, self.tokens, self.predictions = self.steps + 1, self.tokens + tokens, self.predictions + predictions

    def report_is_due(self, step: int, steps_per_epoch: int) -> bool:
        """Return whether to report: at the first and last step of an epoch, and about once a second."""
        return step % self._interval == 0 or step in (1, steps_per_epoch)

    def reported(self, seconds: float) -> None:
        """Begin to count anew after a report; these steps took so many seconds."""
        seconds_per_step = max(seconds / self.steps, 1e-9)
        self._interval = max(1, int(min(STEPS_BETWEEN_REPORTS, SECONDS_BETWEEN_REPORTS / seconds_per_step)))
        self.steps = self.tokens = self.predictions = 0


class SpeedMeter:
    """How many tokens are learned per second, without the time for evaluations, saves and samples.

    The first steps of a call, during which functions are compiled, do not count.

    Attributes
    ----------
    has_measured : bool
        Whether any step has been measured.
    """

    def __init__(self) -> None:
        self._tokens, self._seconds = 0, 0.0
        self.has_measured: bool = False
        self._last_update = time.perf_counter()

    def start(self) -> None:
        """Start the clock, before an epoch."""
        self._last_update = time.perf_counter()

    def add(self, tokens: int) -> float:
        """Take into account this many tokens, learned since the last call; return the seconds that this took."""
        now = time.perf_counter()
        seconds, self._last_update = now - self._last_update, now
        if self.has_measured:
            self._tokens, self._seconds = self._tokens + tokens, self._seconds + seconds
        self.has_measured = True
        return seconds

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock meanwhile."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._last_update += time.perf_counter() - begin

    def reset(self) -> None:
        """Begin a new measurement, after an evaluation."""
        self._tokens, self._seconds = 0, 0.0

    @property
    def tokens_per_second(self) -> float:
        """The mean since the last reset, without the first steps of a call; 0 if there were no others."""
        return self._tokens / max(self._seconds, 1e-9)
