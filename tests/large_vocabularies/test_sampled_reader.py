"""Missing words with sampled softmax: the exact run with all words, and only rows that are read change."""

import numpy as np
import pytest

from theano_rnn.encoders.reader import Reader, ReaderOptimizer
from theano_rnn.encoders.reader_graph import ReaderInputs, ReaderSettings
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_reader import SampledReaderOptimizer
from theano_rnn.networks.optimizer import draw_dropout_mask

WORDS = 600
FREQUENCIES = 1 / np.arange(1.0, WORDS + 1)
IS_WORD = np.arange(6)[:, None] < np.array([6, 3, 0])


def reader(tied):
    settings = ReaderSettings(
        labels=WORDS,
        embeddings=((WORDS, 3),),
        head="gap",
        mixed=False,
        cell="gru",
        hidden_dim=2,
        tied=tied,
        dropout=0.3,
    )
    return Reader(settings, seed=2, dtype="float64")


def minibatch():
    """Two sentences and an empty column, with arbitrary ids on the padding."""
    ids = np.random.default_rng(1).integers(0, WORDS, (1, 6, 3)).astype(np.int32)
    return ReaderInputs(ids, None, np.array([6, 3, 0], np.int32)), ids[0]


def step(optimizer, *candidates):
    inputs, y = minibatch()
    mask = draw_dropout_mask(optimizer.network.settings, 3, np.random.default_rng(3))
    take_step = optimizer.step_on_candidates if candidates else optimizer.step
    return float(take_step(inputs, y, 0.1, 9, mask, *candidates))


@pytest.mark.parametrize("tied", [True, False])
def test_with_all_words_as_samples_a_run_is_that_of_the_exact_softmax(tied):
    exact = ReaderOptimizer(reader(tied), "adam", 1.0)
    sampled = SampledReaderOptimizer(reader(tied), CandidateSampler(FREQUENCIES, WORDS), "adam", 1.0)
    for _ in range(2):
        assert step(sampled, np.random.default_rng(0)) == pytest.approx(step(exact), rel=1e-12)
    for name, value in exact.network.get_values().items():
        np.testing.assert_allclose(sampled.network.get_values()[name], value, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("tied", [True, False])
def test_only_rows_of_words_that_a_step_reads_change(tied):
    optimizer = SampledReaderOptimizer(reader(tied), CandidateSampler(FREQUENCIES, 20), "adam", 1.0)
    before = optimizer.network.get_values()
    loss = step(optimizer, np.random.default_rng(0))
    seen = set(minibatch()[1][IS_WORD].tolist())
    for name, value in optimizer.network.get_values().items():
        if len(value) == WORDS:
            changed = (value != before[name]).reshape(WORDS, -1).any(axis=1)
            changed = set(np.flatnonzero(changed).tolist())
            assert changed, name
            assert seen <= changed if name in "Vc" else changed <= seen, name
            assert len(changed) <= len(seen) + 20, name
    assert loss < 9 * np.log(WORDS)
