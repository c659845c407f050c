"""The part of a text that evaluations measure is chosen by the seed, and is small where the vocabulary is large."""

import numpy as np
import pytest

from theano_rnn.large_vocabularies.evaluated_part import LEAST_TOKENS, part_of, tokens_to_evaluate
from theano_rnn.networks.architecture import Architecture
from theano_rnn.text.encoded_sentences import EncodedSentences

CHARACTERS = np.arange(30_500) % 50


def sentences(count=900):
    generator = np.random.default_rng(0)
    return EncodedSentences(
        [np.concatenate([[0], np.full(generator.integers(1, 30), i + 2), [1]]) for i in range(count)]
    )


def contents(text):
    return [ids.tobytes() for ids in text]


def test_a_larger_vocabulary_has_a_smaller_part():
    tokens = [tokens_to_evaluate(Architecture(size), 1000, 10**7) for size in (10**4, 10**5, 10**6)]
    assert tokens[0] == pytest.approx(10 * tokens[1], rel=0.1)  # the products over the vocabulary take most of the time
    assert tokens[1] == pytest.approx(10 * tokens[2], rel=0.1)
    assert tokens_to_evaluate(Architecture(10**6), 1000, 10) == LEAST_TOKENS


def test_more_learned_tokens_have_a_larger_part():
    assert tokens_to_evaluate(Architecture(10**4), 1000, 2 * 10**6) == pytest.approx(
        2 * tokens_to_evaluate(Architecture(10**4), 1000, 10**6), abs=1
    )


@pytest.mark.parametrize("continuous", [False, True])
def test_a_text_that_is_no_longer_is_its_own_part(continuous):
    text = sentences()
    assert part_of(text, text.tokens, continuous, 1) is text
    assert part_of(CHARACTERS, len(CHARACTERS), True, 1) is CHARACTERS


@pytest.mark.parametrize("continuous", [False, True])
def test_a_part_consists_of_whole_sentences_in_order_and_has_about_the_tokens_asked_for(continuous):
    text = sentences()
    part = part_of(text, 4000, continuous, 1)
    assert 2900 < part.tokens <= 4000
    of_text, of_part = contents(text), contents(part)
    assert of_part == [one for one in of_text if one in set(of_part)]


def test_a_part_of_a_continuous_text_consists_of_blocks_that_stay_together():
    numbers = [int(ids[1]) for ids in part_of(sentences(), 4000, True, 1)]
    assert np.count_nonzero(np.diff(numbers) != 1) <= 3


def test_a_part_of_characters_consists_of_blocks():
    part = part_of(np.arange(30_500), 4000, True, 1)
    assert len(part) == 4000
    assert np.count_nonzero(np.diff(part) != 1) <= 3


@pytest.mark.parametrize("continuous", [False, True])
def test_the_seed_decides_which_part_it_is(continuous):
    text = sentences()
    one, same, other = (contents(part_of(text, 3000, continuous, seed)) for seed in (1, 1, 2))
    assert one == same != other


def test_a_part_has_at_least_one_sentence():
    assert len(part_of(EncodedSentences([[0, 5, 6, 7, 1]] * 3), 1, False, 1)) == 1
