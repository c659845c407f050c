"""Draws several passages in parallel, as ids, and hands the ids on as they are drawn. Must not know words."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from theano_rnn.generation.repetition import SeenNgrams
from theano_rnn.generation.text_groups import (
    STEPS_PER_CALL,
    STREAMED_STEPS,
    Beginning,
    SamplingOptions,
    TextGroup,
    in_groups,
    last_state,
)

if TYPE_CHECKING:
    from theano_rnn.generation.passage_sampling import PassageSampler


class Receiver(Protocol):
    """Takes the ids of one passage."""

    def receive(self, ids: Sequence[int], log_probabilities: Sequence[float], is_complete: bool) -> bool:
        """Take the next ids.

        Parameters
        ----------
        ids : sequence of int
            They include the ends of sentences.
        log_probabilities : sequence of float
            ln P of each id, or nothing if they are not computed.
        is_complete : bool
            Whether these are the last ids.

        Returns
        -------
        bool
            Whether the passage has ended.
        """


AnyReceiver = TypeVar("AnyReceiver", bound=Receiver)


def passage_groups(
    sampler: "PassageSampler",
    beginning: npt.NDArray[np.int32],
    options: SamplingOptions,
    make_receiver: Callable[[], AnyReceiver],
    *,
    seen: SeenNgrams | None = None,
    streamed: bool = False,
    scored: bool = False,
) -> "Iterator[PassageGroup[AnyReceiver]]":
    """Yield groups of passages to draw in parallel.

    The same seed gives the same passages whether they are streamed or scored, or not.

    Parameters
    ----------
    sampler : PassageSampler
    beginning : int array
        The ids before the passage. The network has not read the last one yet.
    options : SamplingOptions
        With `length`.
    make_receiver : callable
        Makes the receiver of one passage.
    seen : SeenNgrams, optional
        The n-grams of the prompt, if none may be repeated.
    streamed : bool
        Whether to draw only a few tokens at a time.
    scored : bool
        Whether to compute the log-probability of each token.

    Yields
    ------
    PassageGroup
        Together, the groups have `options.n` passages.
    """
    start = Beginning(int(beginning[-1]), last_state(sampler.rnn, beginning), 0, seen)
    generator = np.random.default_rng(options.seed)
    steps = STREAMED_STEPS if streamed else STEPS_PER_CALL
    yield from in_groups(
        options.n,
        lambda size, wanted: PassageGroup(
            sampler, start, size, wanted, generator, steps, options, scored, [make_receiver() for _ in range(wanted)]
        ),
    )


class PassageGroup(TextGroup, Generic[AnyReceiver]):
    """Several passages that are drawn in parallel until each has its length or its receiver ends it.

    Parameters
    ----------
    sampler : PassageSampler
    beginning, size, wanted, generator, steps, options, scored
        See `TextGroup`.
    receivers : list of Receiver
        One for each passage that is wanted. They get the ids, so that `texts` stays empty.

    Attributes
    ----------
    receivers : list of Receiver
    ended : list of bool
    """

    receivers: list[AnyReceiver]

    def __init__(
        self,
        sampler: "PassageSampler",
        beginning: Beginning,
        size: int,
        wanted: int,
        generator: np.random.Generator,
        steps: int,
        options: SamplingOptions,
        scored: bool,
        receivers: list[AnyReceiver],
    ) -> None:
        super().__init__(sampler, beginning, size, wanted, generator, steps, options, scored)
        self.receivers = receivers
        self._start = sampler.start
        assert options.length is not None
        self._tokens_left = [options.length] * size

    def _may_end(self, column: int) -> bool:
        return self._start is None or self._last_ids[column] not in (self._start, self._sampler.end)

    def _end(self, column: int) -> None:
        super()._end(column)
        self.receivers[column].receive([], [], is_complete=True)

    def _extend(self, column: int, ids: list[int], values: list[float]) -> None:
        if self.ended[column]:
            return
        positions = [position for position, index in enumerate(ids) if index != self._start]
        positions = positions[: self._tokens_left[column]]
        self._tokens_left[column] -= len(positions)
        ids = [ids[position] for position in positions]
        values = [values[position] for position in positions] if values else []
        if self._seen is not None:
            self._remember(self._seen[column], ids)
        is_complete = not self._tokens_left[column]
        self.ended[column] = self.receivers[column].receive(ids, values, is_complete) or is_complete

    def _remember(self, seen: SeenNgrams, ids: list[int]) -> None:
        for index in ids:
            if index == self._sampler.end:
                seen.end_sentence()
            else:
                seen.add(index)
