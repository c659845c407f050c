"""Candidates are the words of the minibatch and words drawn at random, with their expected numbers."""

import numpy as np
import pytest

from theano_rnn.large_vocabularies.candidates import CandidateSampler, sampler_for

FREQUENCIES = 1 / np.arange(1.0, 41)


def draws(sampler, seen, count):
    generator = np.random.default_rng(5)
    return [sampler.draw(seen, generator) for _ in range(count)]


def test_words_of_the_minibatch_are_candidates_and_none_is_there_twice():
    for words, log_expected in draws(CandidateSampler(FREQUENCIES, 10), np.array([39, 2, 39, 17]), 20):
        assert {39, 2, 17} <= set(words.tolist())
        assert words.tolist() == sorted(set(words.tolist()))
        assert len(words) == len(log_expected) <= 13
        assert words.min() >= 0 and words.max() < 40


def test_the_expected_number_is_how_often_a_word_is_a_candidate():
    """Also for words that come from the text: each minibatch here is drawn from the frequencies."""
    sampler, generator = CandidateSampler(FREQUENCIES, 15), np.random.default_rng(3)
    p = FREQUENCIES / FREQUENCIES.sum()
    count, expected, rounds = np.zeros(40), np.zeros(40), 4000
    for _ in range(rounds):
        words, log_expected = sampler.draw(generator.choice(40, 12, p=p), generator)
        count[words] += 1
        expected[words] = np.exp(log_expected)
    np.testing.assert_allclose(count / rounds, expected, rtol=0, atol=0.04)
    assert expected[0] > 0.9 > 0.25 > expected[39]


def test_words_are_drawn_in_proportion_to_their_frequency_to_the_power_of_three_quarters():
    sampler, count = CandidateSampler(FREQUENCIES, 1), np.zeros(40)
    for words, _ in draws(sampler, np.zeros(0, int), 20_000):
        count[words] += 1
    expected = FREQUENCIES**0.75 / (FREQUENCIES**0.75).sum()
    np.testing.assert_allclose(count / count.sum(), expected, rtol=0.15)


@pytest.mark.parametrize("samples", [40, 41, 1000])
def test_with_as_many_samples_as_words_all_words_are_candidates_and_nothing_is_corrected(samples):
    words, log_expected = CandidateSampler(FREQUENCIES, samples).draw(np.array([3]), np.random.default_rng(0))
    assert words.tolist() == list(range(40))
    assert log_expected.tolist() == [0.0] * 40


def test_words_that_never_occur_are_never_drawn():
    frequencies = np.where(np.arange(40) % 2, FREQUENCIES, 0)
    for words, _ in draws(CandidateSampler(frequencies, 30), np.array([1]), 50):
        assert (words % 2 == 1).all()


def test_equal_generators_draw_equal_candidates():
    sampler = CandidateSampler(FREQUENCIES, 10)
    one, other = (sampler.draw(np.array([1, 2]), np.random.default_rng([1, 2])) for _ in range(2))
    np.testing.assert_array_equal(one.words, other.words)
    np.testing.assert_array_equal(one.log_expected, other.log_expected)


def test_without_samples_there_is_no_sampler():
    assert sampler_for(0, np.log(FREQUENCIES)) is None
    assert sampler_for(7, np.log(FREQUENCIES)).samples == 7


def test_the_usual_number_of_candidates_is_hardly_ever_exceeded():
    frequencies = 1 / np.arange(1.0, 2001)
    sampler, generator = CandidateSampler(frequencies, 200), np.random.default_rng(1)
    p = frequencies / frequencies.sum()
    counts = [len(sampler.draw(generator.choice(2000, 300, p=p), generator).words) for _ in range(300)]
    assert max(counts) <= sampler.usual_count(300) < 1.3 * np.mean(counts)
    assert CandidateSampler(frequencies, 2000).usual_count(5) == 2000
