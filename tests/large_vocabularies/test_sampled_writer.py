"""Translation and descriptions with sampled softmax: with all words the exact run; else few rows change."""

import numpy as np
import pytest

from theano_rnn.decoders.writer import Writer, WriterOptimizer
from theano_rnn.decoders.writer_settings import Source, WriterSettings
from theano_rnn.engines.engine import engine_name
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_writer import SampledWriterOptimizer
from theano_rnn.networks.optimizer import draw_dropout_mask

WORDS, SOURCE_WORDS = 600, 30
SIZES = {"words": WORDS, "embedding_dim": 3, "hidden_dim": 2}
CASES = {
    "tied": {"source_words": SOURCE_WORDS, "dropout": 0.3},
    "shared": {"source_words": WORDS, "shared": True, "attention": False},
    "shared, untied": {"source_words": WORDS, "shared": True, "tied": False, "attention": False},
    "features, no bias": {"feature_dim": 4, "attention": False, "bias": False, "cell": "simple"},
}
QUICK = ("tied", "features, no bias")  # compiling a writer takes about a minute with Theano
cases = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=() if engine_name() == "pytensor" and case in QUICK else pytest.mark.slow)
        for case in CASES
    ],
)
FREQUENCIES = 1 / np.arange(1.0, WORDS + 1)


def writer(case):
    return Writer(WriterSettings(**SIZES, **CASES[case]), seed=2, dtype="float64")


def minibatch(settings):
    """Three pairs and an empty column, with arbitrary ids on the padding."""
    generator, lengths = np.random.default_rng(1), np.array([2, 5, 4, 0], np.int32)
    target = [generator.integers(0, WORDS, (5, 4)).astype(np.int32) for _ in range(2)]
    if settings.feature_dim:
        source = Source(None, None, generator.normal(size=(4, settings.feature_dim)))
    else:
        x = generator.integers(0, settings.source_words, (6, 4)).astype(np.int32)
        source = Source(x, np.array([6, 1, 3, 0], np.int32), None)
    return source, [*target, lengths]


def dropout_mask(settings):
    return draw_dropout_mask(settings, 4, np.random.default_rng(3)) if settings.dropout else None


@cases
def test_with_all_words_as_samples_a_run_is_that_of_the_exact_softmax(case):
    exact = WriterOptimizer(writer(case), "adam", 1.0)
    sampled = SampledWriterOptimizer(writer(case), CandidateSampler(FREQUENCIES, WORDS), "adam", 1.0)
    settings = exact.network.settings
    source, target = minibatch(settings)
    for _ in range(2):
        expected = exact.step(source, target, 0.1, 11, dropout_mask(settings))
        loss = sampled.step_on_candidates(source, target, 0.1, 11, dropout_mask(settings), np.random.default_rng(0))
        assert float(loss) == pytest.approx(float(expected), rel=1e-12)
    for name, value in exact.network.get_values().items():
        np.testing.assert_allclose(sampled.network.get_values()[name], value, rtol=0, atol=1e-12, err_msg=name)


@cases
def test_only_rows_of_words_that_a_step_reads_change(case):
    optimizer = SampledWriterOptimizer(writer(case), CandidateSampler(FREQUENCIES, 20), "adam", 1.0)
    settings = optimizer.network.settings
    source, target = minibatch(settings)
    before = optimizer.network.get_values()
    loss = optimizer.step_on_candidates(source, target, 0.1, 11, dropout_mask(settings), np.random.default_rng(0))
    x, y, lengths = target
    is_word = np.arange(5)[:, None] < lengths
    candidates = set(optimizer.sampler.draw(y[is_word], np.random.default_rng(0)).words.tolist())
    read = set(x[is_word].tolist())
    of_source = set() if source.x is None else set(source.x[np.arange(6)[:, None] < source.lengths].tolist())
    after = optimizer.network.get_values()
    changed = {
        name: set(np.flatnonzero((after[name] != before[name]).reshape(len(after[name]), -1).any(axis=1)).tolist())
        for name in after
    }
    if settings.tied:  # then the candidates include all words that are read
        seen = set(y[is_word].tolist()) | read | (of_source if settings.shared else set())
        assert seen <= changed["V"]
        assert len(changed["V"]) <= len(seen) + 20
    else:
        assert changed["V"] == candidates
        assert changed["E"] == read | (of_source if settings.shared else set())
    if "E_source" in changed:
        assert changed["E_source"] == of_source
    assert 11 * 2 < float(loss) < 11 * np.log(WORDS)  # a choice between few words
