"""Draws several texts in parallel, as ids, and checks the options of generation. Must not know words."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count, check_number
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.generation.repetition import SeenNgrams

if TYPE_CHECKING:  # the commands import this module to check arguments, before anything imports Theano
    from theano_rnn.generation.sampling import Sampler
    from theano_rnn.networks.rnn import RNN

STEPS_PER_CALL = 25
STREAMED_STEPS = 5  # a divisor of STEPS_PER_CALL; few, so that streamed words appear steadily
TEXTS_PER_CALL = (1, 4, 16, 32)  # few sizes, because a function is compiled for each
# Punctuation does not count toward the length in words. A text of nothing but punctuation must still end.
TOKENS_PER_WORD = 4
LARGEST_LENGTH = 10**9  # words or tokens; fits in 32 bits
WIDEST_BEAM = 10_000
# Outputs divided by a temperature in this range are finite in single precision.
LEAST_TEMPERATURE, GREATEST_TEMPERATURE = 1e-30, 1e30
BEAM_RESULTS = 10  # texts that a beam search returns by default


@dataclasses.dataclass(frozen=True)
class SamplingOptions:
    """How many texts to draw, and how. The fields are arguments of `LanguageModel.generate`.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range; the message names it.

    Examples
    --------
    >>> SamplingOptions(top_p=1.5)
    Traceback (most recent call last):
    theano_rnn.errors.ArgumentValueError: top_p: expected a number above 0 and at most 1, got 1.5
    """

    n: int = 10
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_words: int = 1
    max_words: int = 100
    seed: int | None = None
    no_repeat_ngram: int | None = None
    length: int | None = None
    stop: str | None = None

    def __post_init__(self) -> None:
        check_count("n", self.n, 0)
        check_lengths(self.min_words, self.max_words, self.no_repeat_ngram)
        self._check_passage()
        if self.seed is not None:
            check_count("seed", self.seed, 0)
        if self.top_k is not None:
            check_count("top_k", self.top_k)
        self._check_temperature()
        if self.top_p is not None and not 0 < check_number("top_p", self.top_p) <= 1:
            raise ArgumentValueError(f"top_p: expected a number above 0 and at most 1, got {self.top_p}")

    def _check_passage(self) -> None:
        if self.length is None:
            if self.stop is not None:
                raise ArgumentValueError("stop: ends a passage, whose greatest length `length` sets; give both")
            return
        if check_count("length", self.length) > LARGEST_LENGTH:
            raise ArgumentValueError(f"length: expected at most {LARGEST_LENGTH}, got {self.length}")
        for name in ("min_words", "max_words"):
            if getattr(self, name) != getattr(SamplingOptions, name):  # the default
                raise ArgumentValueError(f"{name}: limits a sentence, but `length` asks for a passage; leave one out")
        if self.stop is not None and not isinstance(self.stop, str):
            raise ArgumentTypeError(f"stop: expected a str, got {type(self.stop).__name__}")
        if self.stop == "":
            raise ArgumentValueError("stop: expected at least one character, got ''")

    def _check_temperature(self) -> None:
        temperature = check_number("temperature", self.temperature)
        expected = None
        if temperature <= 0 or not math.isfinite(temperature):
            expected = "a number above 0"
        elif not LEAST_TEMPERATURE <= temperature <= GREATEST_TEMPERATURE:
            expected = f"a number from {LEAST_TEMPERATURE:g} to {GREATEST_TEMPERATURE:g}"
        if expected:
            raise ArgumentValueError(
                f"temperature: expected {expected}, got {temperature}; `top_k=1` always takes the most probable word"
            )


def check_beam_arguments(
    beam: int, n: int | None, min_words: int, max_words: int, no_repeat_ngram: int | None = None
) -> int:
    """Check the arguments of `LanguageModel.beam_search`.

    Returns
    -------
    int
        The largest number of texts to return: `n`, or by default the width of the beam, at most 10.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range; the message names it.
    """
    if check_count("beam", beam) > WIDEST_BEAM:
        raise ArgumentValueError(f"beam: expected at most {WIDEST_BEAM}, got {beam}")
    check_lengths(min_words, max_words, no_repeat_ngram)
    if n is None:
        return min(beam, BEAM_RESULTS)
    if check_count("n", n, 0) > beam:
        raise ArgumentValueError(f"n: expected at most the width of the beam ({beam}), got {n}")
    return n


def check_lengths(min_words: int, max_words: int, no_repeat_ngram: int | None) -> None:
    """Raise TypeError or ValueError if no text can have these lengths."""
    check_count("min_words", min_words, 0)
    if check_count("max_words", max_words) > LARGEST_LENGTH:
        raise ArgumentValueError(f"max_words: expected at most {LARGEST_LENGTH}, got {max_words}")
    if min_words > max_words:
        raise ArgumentValueError(f"min_words: expected at most `max_words` ({max_words}), got {min_words}")
    if no_repeat_ngram is not None:
        check_count("no_repeat_ngram", no_repeat_ngram)


def most_tokens(max_words: int) -> int:
    """The number of tokens after which a text ends, even if it has fewer than `max_words` words."""
    return TOKENS_PER_WORD * max_words + STEPS_PER_CALL


def last_state(rnn: "RNN", beginning: npt.NDArray[np.int32]) -> npt.NDArray[np.floating]:
    """The packed state before the last id of `beginning` is read: array (state_dim,)."""
    return rnn.state_after(beginning[:-1]) if len(beginning) > 1 else rnn.zero_states(1)[0]


@dataclasses.dataclass(frozen=True)
class Beginning:
    """The starting point of generated texts: the start marker and the prompt.

    Attributes
    ----------
    last_id : int
        The last id, which the network has not read yet.
    state : array (state_dim,)
        The packed state before the last id is read.
    words : int
        Length of the prompt in words.
    seen : SeenNgrams or None
        The n-grams of the prompt, if none may be repeated.
    """

    last_id: int
    state: npt.NDArray[np.floating]
    words: int
    seen: SeenNgrams | None


def text_groups(
    sampler: "Sampler",
    beginning: npt.NDArray[np.int32],
    words: int,
    options: SamplingOptions,
    *,
    seen: SeenNgrams | None = None,
    streamed: bool = False,
    scored: bool = False,
) -> "Iterator[TextGroup]":
    """Yield groups of texts to draw in parallel.

    The same seed gives the same texts whether they are streamed or scored, or not.

    Parameters
    ----------
    sampler : Sampler
    beginning : int array
        The start marker and the ids of the prompt.
    words : int
        Length of the prompt in words; it counts toward `options.min_words` and `options.max_words`.
    options : SamplingOptions
    seen : SeenNgrams, optional
        The n-grams of the prompt, if none may be repeated.
    streamed : bool
        Whether to draw only a few tokens at a time.
    scored : bool
        Whether to compute the log-probability of each token.

    Yields
    ------
    TextGroup
        Together, the groups have `options.n` texts.
    """
    start = Beginning(int(beginning[-1]), last_state(sampler.rnn, beginning), words, seen)
    generator = np.random.default_rng(options.seed)
    steps = STREAMED_STEPS if streamed else STEPS_PER_CALL
    yield from in_groups(
        options.n, lambda size, wanted: TextGroup(sampler, start, size, wanted, generator, steps, options, scored)
    )


Group = TypeVar("Group", bound="TextGroup")


def in_groups(n: int, make: Callable[[int, int], Group]) -> Iterator[Group]:
    """Yield groups of n texts together.

    Parameters
    ----------
    n : int
    make : callable
        Takes the `size` of a group and how many of its texts are `wanted`, and returns the group.
    """
    while n > 0:
        size = next((size for size in TEXTS_PER_CALL if n <= size), TEXTS_PER_CALL[-1])
        group = make(size, min(n, size))
        yield group
        n -= size
        if n > 0:
            group.finish()  # before the next group draws random numbers from the same generator


class TextGroup:
    """Several texts that are drawn in parallel until each has ended.

    Parameters
    ----------
    sampler : Sampler
    beginning : Beginning
    size : int
        Number of texts that are drawn.
    wanted : int
        Number of texts that are used. The others only fill the group up to `size`.
    generator : numpy.random.Generator
    steps : int
        Number of tokens to draw at a time; always 1 if no n-gram may be repeated.
    options : SamplingOptions
    scored : bool
        Whether to compute log-probabilities.

    Attributes
    ----------
    texts : list of list of int
        The ids drawn so far for each text, without the end marker.
    log_probabilities : list of list of float
        If `scored`, ln P of each of these ids and, if the end was drawn, of the end.
    ended : list of bool
        Whether each text has ended.
    """

    texts: list[list[int]]
    log_probabilities: list[list[float]]
    ended: list[bool]

    def __init__(
        self,
        sampler: "Sampler",
        beginning: Beginning,
        size: int,
        wanted: int,
        generator: np.random.Generator,
        steps: int,
        options: SamplingOptions,
        scored: bool = False,
    ) -> None:
        self.texts = [[] for _ in range(size)]
        self.log_probabilities = [[] for _ in range(size)]
        self.ended = [column >= wanted for column in range(size)]
        self.wanted = wanted
        self._sampler = sampler
        self._size = size
        self._generator = generator
        self._steps = steps if beginning.seen is None else 1
        self._options = options
        self._top_k = None if options.top_k is None else min(options.top_k, sampler.rnn.word_dim)
        self._scored = scored
        self._last_ids = np.full(size, beginning.last_id, np.int32)
        self._states: npt.NDArray[np.floating] = np.tile(beginning.state, (size, 1))
        self._words = np.full(size, beginning.words, np.int32)
        self._seen = None if beginning.seen is None else [beginning.seen.copy() for _ in range(size)]
        self._lengths = [beginning.words] * size
        self._uniforms = np.empty((0, size))

    def draw(self) -> list[list[int]]:
        """Draw until all texts have ended, and return those that are used."""
        self.finish()
        return self.texts[: self.wanted]

    def finish(self) -> None:
        """Draw until all texts have ended."""
        while not all(self.ended):
            self.advance()

    def advance(self) -> None:
        """Draw a few more tokens for each text."""
        forbidden = None
        if self._seen is not None:
            forbidden = self._forbidden(self._seen)
            if all(self.ended):
                return
        if not len(self._uniforms):
            self._uniforms = self._generator.random((STEPS_PER_CALL, self._size))
        uniforms, self._uniforms = self._uniforms[: self._steps], self._uniforms[self._steps :]
        options = self._options
        draw: Callable[..., Any] = self._sampler.draw_scored if self._scored else self._sampler.draw
        drawn, self._states, self._words, *values = draw(
            uniforms,
            self._last_ids,
            self._states,
            self._words,
            temperature=options.temperature,
            min_words=options.min_words,
            top_k=self._top_k,
            top_p=options.top_p,
            forbidden=forbidden,
        )
        self._last_ids = drawn[-1]
        for column in range(self._size):
            self._extend(column, drawn[:, column].tolist(), values[0][:, column].tolist() if values else [])

    def _forbidden(self, seen: list[SeenNgrams]) -> npt.NDArray[np.bool_]:
        """The ids that each text may not draw next: (1, texts, word_dim). A text with no allowed id left ends."""
        forbidden = np.zeros((1, self._size, self._sampler.rnn.word_dim), bool)
        drawable = self._sampler.drawable
        for column in range(self._size):
            if self.ended[column]:
                continue
            repeating = drawable.intersection(seen[column].repeating())
            if len(repeating) == len(drawable) and not self._may_end(column):
                self._end(column)
            forbidden[0, column, list(repeating)] = True
        return forbidden

    def _may_end(self, column: int) -> bool:
        """Whether the end may be the next id of a text."""
        return self._lengths[column] >= self._options.min_words

    def _end(self, column: int) -> None:
        """End a text because no id is left for it."""
        self.ended[column] = True

    def _extend(self, column: int, ids: list[int], values: list[float]) -> None:
        """Add the ids drawn for a text and, if they are scored, their log-probabilities."""
        text, words_added, max_words = self.texts[column], self._sampler.words_added, self._options.max_words
        for position, index in enumerate(ids):
            if self.ended[column]:
                return
            added = words_added[index]
            too_long = self._lengths[column] + added > max_words or len(text) >= most_tokens(max_words)
            is_end = index == self._sampler.end
            if is_end or not too_long:
                self.log_probabilities[column] += values[position : position + 1]
            if is_end or too_long:
                self.ended[column] = True
                return
            text.append(index)
            self._lengths[column] += added
            if self._seen is not None:
                self._seen[column].add(index)
        if self._lengths[column] == max_words and not self._sampler.has_marks:
            self.ended[column] = True
