"""Decisions that all processes of a run must take after the same step. Must not know what a step is."""

import time
from typing import NamedTuple

from theano_rnn.devices.process_group import ProcessGroup

SECONDS_BETWEEN_DECISIONS = 0.25


class Wishes(NamedTuple):
    """What a process would do after a step.

    Attributes
    ----------
    stop : int or None
        The number of the signal that asks the run to stop.
    save, pause : bool
        Whether it is time to save the run, and to end it because of its time limit.
    """

    stop: int | None = None
    save: bool = False
    pause: bool = False


class StepAgreement:
    """Lets the processes of a run stop, save and pause together.

    Process 0 decides, also on the wishes to stop of the others. A decision says after how many steps the next one
    follows: about four a second.

    Parameters
    ----------
    group : ProcessGroup
    """

    def __init__(self, group: ProcessGroup) -> None:
        self._group = group
        self._steps, self._steps_left = 1, 1
        self._decided_at: float | None = None
        self._has_asked = False

    def after_step(self, wishes: Wishes) -> Wishes:
        """Return what to do now, given what this process would do."""
        if self._group.count == 1:
            return wishes
        if wishes.stop is not None and not self._has_asked and not self._group.leads:
            self._has_asked = True
            self._group.request(wishes.stop)
        self._steps_left -= 1
        return Wishes() if self._steps_left > 0 else self.decide(wishes)

    def decide(self, wishes: Wishes) -> Wishes:
        """Return what all processes do now. All must call this after the same step."""
        if self._group.count == 1:
            return wishes
        if self._group.leads:
            stops = [wishes.stop, *self._group.requests()]
            stop = next((number for number in stops if number is not None), None)
            decision = [stop, wishes.save, wishes.pause, self._steps_until_next()]
        else:
            decision = None
        stop, save, pause, self._steps = self._group.broadcast(decision)
        self._steps_left = self._steps
        return Wishes(stop, save, pause)

    def _steps_until_next(self) -> int:
        """Return after how many steps the next decision follows: at most twice as many as before."""
        now, before = time.monotonic(), self._decided_at
        self._decided_at = now
        if before is None:
            return 1
        seconds_per_step = max(now - before, 1e-6) / max(self._steps - max(self._steps_left, 0), 1)
        return max(1, min(2 * self._steps, round(SECONDS_BETWEEN_DECISIONS / seconds_per_step)))
