"""Tokens that would repeat an n-gram, compared with a search of the whole text."""

import random

import pytest

from theano_rnn.generation.repetition import SeenNgrams


def ngrams(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_repeating_tokens_are_those_that_a_search_of_the_text_finds(n):
    generator = random.Random(n)
    for _ in range(200):
        tokens = generator.choices("abc", k=generator.randrange(12))
        seen = SeenNgrams(n, tokens[:3])
        for token in tokens[3:]:
            seen.add(token)
        expected = {token for token in "abc" if ngrams([*tokens, token], n)[-1:] and
                    ngrams([*tokens, token], n)[-1] in ngrams(tokens, n)}  # fmt: skip
        assert set(seen.repeating()) == expected


def test_a_copy_is_independent():
    seen = SeenNgrams(2, "aba")
    other = seen.copy()
    other.add("c")
    other.add("a")
    assert set(seen.repeating()) == {"b"}
    assert set(other.repeating()) == {"b", "c"}
