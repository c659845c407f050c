"""Generating texts as ids: many side by side, from a common beginning. Knows ids, not words."""

import dataclasses
import math

import numpy as np

from theano_rnn.checks import check_count, check_number
from theano_rnn.errors import ArgumentValueError
from theano_rnn.language_models.repetition import SeenNgrams

STEPS_PER_CALL = 25
STREAMED_STEPS = 5  # a divisor of the above; so few that words come steadily where they are watched as they are made
TEXTS_PER_CALL = (1, 4, 16, 32)  # few, so that few shapes are compiled
# Marks that are no words do not lengthen a text; a network that draws nothing else must still come to an end.
TOKENS_PER_WORD = 4
LARGEST_LENGTH = 10**9  # words; fits into 32 bits
WIDEST_BEAM = 10_000
# What outputs can be divided by in single precision, with room for the outputs themselves.
LEAST_TEMPERATURE, GREATEST_TEMPERATURE = 1e-30, 1e30
MOST_SHOWN = 10  # texts of a beam search, unless more are asked for


def check_demands(n, temperature, top_k, top_p, min_words, max_words, seed=None, no_repeat_ngram=None):
    """Raise TypeError or ValueError, naming the argument, for a demand that cannot be met."""
    check_count("n", n, 0)
    check_lengths(min_words, max_words, no_repeat_ngram)
    if seed is not None:
        check_count("seed", seed, 0)
    if top_k is not None:
        check_count("top_k", top_k)
    if check_number("temperature", temperature) <= 0 or not math.isfinite(temperature):
        raise ArgumentValueError(
            f"temperature: expected a number above 0, got {temperature}; top_k=1 takes the likeliest word"
        )
    if not LEAST_TEMPERATURE <= temperature <= GREATEST_TEMPERATURE:
        limits = f"from {LEAST_TEMPERATURE:g} to {GREATEST_TEMPERATURE:g}"
        raise ArgumentValueError(
            f"temperature: expected a number {limits}, got {temperature}; top_k=1 takes the likeliest word"
        )
    if top_p is not None and not 0 < check_number("top_p", top_p) <= 1:
        raise ArgumentValueError(f"top_p: expected a share above 0 and at most 1, got {top_p}")


def check_beam(beam, n, min_words, max_words, no_repeat_ngram=None):
    """How many texts a beam search gives: n, or as many as the beam is wide, at most 10. Raises as `check_demands`."""
    if check_count("beam", beam) > WIDEST_BEAM:
        raise ArgumentValueError(f"beam: expected at most {WIDEST_BEAM}, got {beam}")
    check_lengths(min_words, max_words, no_repeat_ngram)
    if n is None:
        return min(beam, MOST_SHOWN)
    if check_count("n", n, 0) > beam:
        raise ArgumentValueError(f"n: expected at most as many texts as the beam is wide ({beam}), got {n}")
    return n


def check_lengths(min_words, max_words, no_repeat_ngram):
    check_count("min_words", min_words, 0)
    if check_count("max_words", max_words) > LARGEST_LENGTH:
        raise ArgumentValueError(f"max_words: expected at most {LARGEST_LENGTH}, got {max_words}")
    if min_words > max_words:
        raise ArgumentValueError(f"min_words: expected at most max_words ({max_words}), got {min_words}")
    if no_repeat_ngram is not None:
        check_count("no_repeat_ngram", no_repeat_ngram)


def most_tokens(max_words):
    """How many tokens a text can go on for, however few of them are words."""
    return TOKENS_PER_WORD * max_words + STEPS_PER_CALL


def last_state(rnn, beginning):
    """The state before the last id of a beginning: array (hidden_dim,)."""
    return rnn.hidden_states(beginning[:-1])[-1] if len(beginning) > 1 else rnn.zero_states(1)[0]


def text_groups(sampler, beginning, n, generator, *, words, min_words, max_words, seen=None, streamed=False, **how):
    """The groups in which n texts that go on from `beginning` are drawn, the same texts however they are watched.

    Parameters
    ----------
    sampler : Sampler
    beginning : int array
        The start marker and the ids of the prompt.
    n : int
    generator : numpy.random.Generator
    words : int
        Length of the prompt in words; it counts towards `min_words` and `max_words`.
    min_words, max_words : int
    seen : SeenNgrams, optional
        The n-grams of the prompt, where none may occur twice.
    streamed : bool
        Whether to draw in small steps.
    **how
        temperature, top_k, top_p of `Sampler.draw`.

    Yields
    ------
    TextGroup
        Together they have n texts.
    """
    state = last_state(sampler.rnn, beginning)
    how = {**how, "min_words": min_words}
    steps = STREAMED_STEPS if streamed else STEPS_PER_CALL
    while n > 0:
        size = next((size for size in TEXTS_PER_CALL if n <= size), TEXTS_PER_CALL[-1])
        start = Start(beginning[-1], state, words, seen)
        group = TextGroup(sampler, start, size, min(n, size), generator, steps, max_words, how)
        yield group
        group.finish()  # lest random numbers of the next group be drawn before those of this one
        n -= size


@dataclasses.dataclass(frozen=True)
class Start:
    """Where texts go on from: the last id, the state before it, the length in words, and the n-grams so far."""

    word: int
    state: np.ndarray
    words: int
    seen: SeenNgrams | None


class TextGroup:
    """Several texts that are drawn side by side until each has ended.

    Parameters
    ----------
    sampler : Sampler
    start : Start
    size : int
        How many are drawn.
    wanted : int
        How many of them somebody will see; the others need not come to an end.
    generator : numpy.random.Generator
    steps : int
        At a time; one where no n-gram may occur twice.
    max_words : int
    how : dict
        min_words, temperature, top_k, top_p of `Sampler.draw`.

    Attributes
    ----------
    texts : list of list of int
        What follows the beginning, without the end marker: so far, while a text has not ended.
    ended : list of bool
    """

    def __init__(self, sampler, start, size, wanted, generator, steps, max_words, how):
        self.sampler = sampler
        self.size = size
        self.wanted = wanted
        self.generator = generator
        self.steps = steps if start.seen is None else 1
        self.max_words = max_words
        self.how = how
        self.word = np.full(size, start.word, np.int32)
        self.states = np.tile(start.state, (size, 1))
        self.words = np.full(size, start.words, np.int32)
        self.seen = None if start.seen is None else [start.seen.copy() for _ in range(size)]
        self.texts = [[] for _ in range(size)]
        self.lengths = [start.words] * size
        self.ended = [column >= wanted for column in range(size)]
        self.u = np.empty((0, size))

    def draw(self):
        """The texts, once all have ended."""
        self.finish()
        return self.texts[: self.wanted]

    def finish(self):
        while not all(self.ended):
            self.advance()

    def advance(self):
        """Draw a few tokens more for each text."""
        forbidden = None
        if self.seen is not None:
            forbidden = self._forbidden()
            if all(self.ended):
                return
        if not len(self.u):
            self.u = self.generator.random((STEPS_PER_CALL, self.size))
        u, self.u = self.u[: self.steps], self.u[self.steps :]
        drawn, self.states, self.words = self.sampler.draw(
            u, self.word, self.states, self.words, forbidden=forbidden, **self.how
        )
        self.word = drawn[-1]
        for column in range(self.size):
            self._extend(column, drawn[:, column].tolist())

    def _forbidden(self):
        """What may not come next, by text: array (1, texts, word_dim) of bool. A text that has nothing left ends."""
        forbidden = np.zeros((1, self.size, self.sampler.rnn.word_dim), bool)
        for column in range(self.size):
            if self.ended[column]:
                continue
            repeating = self.sampler.drawable.intersection(self.seen[column].repeating())
            if len(repeating) == len(self.sampler.drawable) and self.lengths[column] < self.how["min_words"]:
                self.ended[column] = True
            forbidden[0, column, list(repeating)] = True
        return forbidden

    def _extend(self, column, ids):
        text, words_added = self.texts[column], self.sampler.words_added
        for index in ids:
            if self.ended[column]:
                return
            added = words_added[index]
            too_long = self.lengths[column] + added > self.max_words or len(text) >= most_tokens(self.max_words)
            if index == self.sampler.end or too_long:
                self.ended[column] = True
                return
            text.append(index)
            self.lengths[column] += added
            if self.seen is not None:
                self.seen[column].add(index)
        if self.lengths[column] == self.max_words and not self.sampler.has_marks:
            self.ended[column] = True
