"""Generating texts as ids: many side by side, from a common beginning. Knows ids, not words."""

import numpy as np

from theano_rnn.checks import check_count

STEPS_PER_CALL = 25
TEXTS_PER_CALL = (1, 4, 16, 32)  # few, so that few shapes are compiled
# Marks that are no words do not lengthen a text; a network that draws nothing else must still come to an end.
TOKENS_PER_WORD = 4


def check_demands(n, temperature, top_k, top_p, min_words, max_words, seed=None):
    """Raise TypeError or ValueError, naming the argument, for a demand that cannot be met."""
    check_count("n", n, 0)
    check_count("min_words", min_words, 0)
    check_count("max_words", max_words)
    if seed is not None:
        check_count("seed", seed, 0)
    if top_k is not None:
        check_count("top_k", top_k)
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature: expected a number above 0, got {temperature}; top_k=1 takes the likeliest word")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p: expected a share above 0 and at most 1, got {top_p}")
    if min_words > max_words:
        raise ValueError(f"min_words: expected at most max_words ({max_words}), got {min_words}")


def generate_ids(sampler, beginning, n, generator, *, words, min_words, max_words, **how):
    """Draw n texts that go on from `beginning`.

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
    **how
        temperature, top_k, top_p of `Sampler.draw`.

    Yields
    ------
    list of int
        What follows the beginning, without the end marker.
    """
    states = sampler.rnn.hidden_states(beginning[:-1])[-1] if len(beginning) > 1 else sampler.rnn.zero_states(1)[0]
    while n > 0:
        size = next((size for size in TEXTS_PER_CALL if n <= size), TEXTS_PER_CALL[-1])
        group = TextGroup(sampler, size, beginning[-1], states, words)
        yield from group.draw(generator, min_words, max_words, how)[:n]
        n -= size


class TextGroup:
    """Several texts that are drawn side by side until each has ended."""

    def __init__(self, sampler, size, word, state, words):
        self.sampler = sampler
        self.size = size
        self.word = np.full(size, word, np.int32)
        self.states = np.tile(state, (size, 1))
        self.words = np.full(size, words, np.int32)
        self.texts = [[] for _ in range(size)]
        self.lengths = [words] * size
        self.ended = [False] * size

    def draw(self, generator, min_words, max_words, how):
        most_tokens = TOKENS_PER_WORD * max_words + STEPS_PER_CALL
        while not all(self.ended):
            u = generator.random((STEPS_PER_CALL, self.size))
            drawn, self.states, self.words = self.sampler.draw(
                u, self.word, self.states, self.words, min_words=min_words, **how
            )
            self.word = drawn[-1]
            for column in range(self.size):
                self._extend(column, drawn[:, column].tolist(), max_words, most_tokens)
        return self.texts

    def _extend(self, column, ids, max_words, most_tokens):
        text, words_added = self.texts[column], self.sampler.words_added
        for index in ids:
            if self.ended[column]:
                return
            added = words_added[index]
            too_long = self.lengths[column] + added > max_words or len(text) >= most_tokens
            if index == self.sampler.end or too_long:
                self.ended[column] = True
                return
            text.append(index)
            self.lengths[column] += added
        if self.lengths[column] == max_words and not self.sampler.has_marks:
            self.ended[column] = True
