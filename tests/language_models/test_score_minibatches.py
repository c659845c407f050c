"""The minibatches for scoring hold every sentence once, with little padding and few shapes."""

import numpy as np
import pytest

from theano_rnn.language_models.score_minibatches import (
    CALL_OVERHEAD,
    EXPONENTIAL,
    STEP_OVERHEAD,
    WIDTHS,
    score_batches,
    widths_for,
)
from theano_rnn.text import minibatches

HIDDEN_DIM = 100
LENGTHS = (5, 30, 120, 1440)
VOCABULARIES = (100, 8000, 90_000)


def work_of(word_dim):
    return word_dim * (HIDDEN_DIM + EXPONENTIAL) + HIDDEN_DIM**2


@pytest.mark.parametrize("word_dim", VOCABULARIES)
@pytest.mark.parametrize("length", LENGTHS)
def test_the_planned_widths_hold_all_sentences_without_an_extra_minibatch(word_dim, length):
    for count in range(1, 1001):
        widths = widths_for(count, length, work_of(word_dim))
        assert sum(widths) >= count > sum(widths[:-1])
        assert list(widths) == sorted(widths, reverse=True)
        assert set(widths) <= set(WIDTHS) and len(set(widths)) <= 2
        assert widths[0] * length <= max(minibatches.TOKENS_PER_BATCH, length)


@pytest.mark.parametrize("word_dim", VOCABULARIES)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_plan_costs_at_most_half_more_than_its_sentences(word_dim, length):
    """Except if the extra cost is less than that of one more call, as for a few characters."""
    work = work_of(word_dim)
    overhead = (STEP_OVERHEAD + CALL_OVERHEAD / length) / work
    for count in range(1, 1001):
        widths = widths_for(count, length, work)
        cost = sum(widths) + overhead * len(widths)
        at_best = count * (1 + overhead / min(WIDTHS[-1], minibatches.TOKENS_PER_BATCH // length))
        assert cost <= 1.5 * at_best + overhead + 1, count


def test_large_counts_always_use_the_same_width():
    """The blocks of a large text have many different counts, which would otherwise compile many shapes."""
    for word_dim in VOCABULARIES:
        assert len({widths_for(count, 30, work_of(word_dim))[0] for count in range(1024, 5000, 7)}) == 1
        assert len(set(widths_for(4999, 30, work_of(word_dim)))) == 1


def test_plans_for_an_accelerator_are_wider(monkeypatch):
    sentences = [np.arange(20)] * 300
    monkeypatch.setattr("theano_rnn.language_models.score_minibatches.device_name", lambda: None)
    assert max(len(chosen) for _, chosen in score_batches(sentences, 8000, HIDDEN_DIM)) <= 64
    monkeypatch.setattr("theano_rnn.language_models.score_minibatches.device_name", lambda: "an accelerator")
    assert [batch.x.shape[1] for batch, _ in score_batches(sentences, 8000, HIDDEN_DIM)] == [256, 48]


@pytest.mark.parametrize("seed", range(5))
def test_every_sentence_is_in_exactly_one_minibatch(seed):
    generator = np.random.default_rng(seed)
    sentences = [generator.integers(0, 50, generator.integers(2, 200)) for _ in range(int(generator.integers(1, 400)))]
    found = []
    for batch, chosen in score_batches(sentences, 50, 10):
        for column, i in enumerate(chosen):
            steps = len(sentences[i]) - 1
            np.testing.assert_array_equal(batch.x[:steps, column], sentences[i][:-1])
            np.testing.assert_array_equal(batch.y[:steps, column], sentences[i][1:])
            assert batch.mask[:, column].sum() == steps
        found += chosen.tolist()
    assert sorted(found) == list(range(len(sentences)))


def test_no_sentences_give_no_minibatches():
    assert list(score_batches([], 50, 10)) == []
