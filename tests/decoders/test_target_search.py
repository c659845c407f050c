"""Beam search against the enumeration of all targets, against a search in plain Python, and its edges."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest
from support import numpy_writers

from theano_rnn.decoders.beam_search import BeamSettings, search
from theano_rnn.decoders.writer import Writer
from theano_rnn.decoders.writer_settings import Source, WriterSettings
from theano_rnn.engines.engine import engine_name

START, END, UNKNOWN, LONGEST = 0, 1, 2, 3
SOURCES, COLUMNS = 3, 4
SETTINGS = BeamSettings(beam=40, length_penalty=0.0, start=START, end=END)  # 40 = 1 + 3 + 9 + 27 targets
CLOSE = {"abs": 1e-10}

CASES = {
    "features": WriterSettings(5, feature_dim=3, attention=False, embedding_dim=4, hidden_dim=3, cell="simple"),
    "attention": WriterSettings(5, 6, embedding_dim=4, hidden_dim=3, cell="simple", bidirectional=False),
    "LSTM, two layers, attention": WriterSettings(5, 6, embedding_dim=4, hidden_dim=3, cell="lstm", layers=2),
    "z repeated": WriterSettings(5, 6, attention=False, repeats_z=True, embedding_dim=4, hidden_dim=3, cell="simple"),
    "GRU, no attention, untied": WriterSettings(5, 6, attention=False, embedding_dim=4, hidden_dim=3, tied=False),
}
QUICK = ["features", *(["attention"] if engine_name() == "pytensor" else [])]
every_case = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES]
)


@functools.cache
def writer_of(case):
    """A writer whose probabilities are far from equal."""
    writer, generator = Writer(CASES[case], seed=1, dtype="float64"), np.random.default_rng(0)
    writer.set_values({name: value + generator.normal(size=value.shape) for name, value in writer.get_values().items()})
    return writer


def sources_of(case):
    """The sources without padding."""
    generator, settings = np.random.default_rng(1), CASES[case]
    if settings.feature_dim:
        return list(generator.normal(size=(SOURCES, settings.feature_dim)))
    return [generator.integers(0, settings.source_words, n).astype(np.int32) for n in (2, 5, 1)]


def read(case, sources):
    """What was read of a minibatch with some of the sources; its other columns are empty."""
    writer = writer_of(case)
    if writer.settings.feature_dim:
        features = np.zeros((COLUMNS, writer.settings.feature_dim))
        features[: len(sources)] = sources
        return writer.read(Source(None, None, features))
    x, lengths = np.zeros((5, COLUMNS), np.int32), np.zeros(COLUMNS, np.int32)
    for column, ids in enumerate(sources):
        x[: len(ids), column], lengths[column] = ids, len(ids)
    return writer.read(Source(x, lengths, None))


def searched(case, longest=LONGEST, sources=None, keep_weights=False, **changes):
    sources = sources_of(case) if sources is None else sources
    settings = dataclasses.replace(SETTINGS, **changes)
    return search(writer_of(case), read(case, sources), len(sources), longest, settings, keep_weights)


@functools.cache
def log_probabilities(case, number, words):
    """ln P of the words after these words, by loops in NumPy; the start marker comes before them."""
    writer = writer_of(case)
    loop = numpy_writers.Loop(writer.get_values(), writer.settings, sources_of(case)[number])
    return [loop.step(word)[0] for word in (START, *words)][-1]


def total(case, number, ids):
    """ln P of a target and its end."""
    return sum(log_probabilities(case, number, ids[:n])[word] for n, word in enumerate((*ids, END)))


def score(case, number, ids, length_penalty):
    """The score of a target. After the longest possible one the end must come, and its probability counts."""
    return total(case, number, ids) / (len(ids) + 1) ** length_penalty


@every_case
@pytest.mark.parametrize("length_penalty", [0.0, 0.5, 1.0])
def test_a_beam_that_holds_everything_finds_what_enumeration_finds(case, length_penalty):
    found = searched(case, length_penalty=length_penalty)
    words = [2, 3, 4]
    targets = [ids for n in range(LONGEST + 1) for ids in itertools.product(words, repeat=n)]
    assert len(found) == SOURCES
    for number, written in enumerate(found):
        expected = sorted(((score(case, number, ids, length_penalty), ids) for ids in targets), reverse=True)
        assert [tuple(one.ids) for one in written] == [ids for _, ids in expected]
        assert [one.score for one in written] == pytest.approx([value for value, _ in expected], **CLOSE)
        totals = [total(case, number, ids) for _, ids in expected]
        assert [one.log_probability for one in written] == pytest.approx(totals, **CLOSE)
        assert all(one.weights is None for one in written)


def plain_search(case, number, beam, length_penalty, longest, never):
    """The same search with lists: (score, ids, whether they have ended) of each hypothesis, the best first."""
    places = [(0.0, 0.0, (), False)]
    for step in range(longest + 1):
        candidates = []
        for value, sum_before, ids, ended in places:
            if ended:
                candidates.append((value, sum_before, ids, True))
                continue
            log_p = log_probabilities(case, number, ids)
            for word in [END] if step == longest else [w for w in range(5) if w != START and w not in never]:
                after = sum_before + log_p[word]
                rank = after / (len(ids) + 1) ** length_penalty
                candidates.append((rank, after, ids if word == END else (*ids, word), word == END))
        places = sorted(candidates, key=lambda one: -one[0])[:beam]
        if all(ended for *_, ended in places):
            break
    return [(rank, ids) for rank, _, ids, _ in places]


@every_case
@pytest.mark.parametrize("beam", [1, 2, 3])
def test_a_small_beam_finds_what_a_plain_search_finds(case, beam):
    for length_penalty, longest, never in ((1.0, 6, ()), (0.3, 4, (UNKNOWN,))):
        options = {"length_penalty": length_penalty, "never": never}
        for number, written in enumerate(searched(case, longest, beam=beam, **options)):
            expected = plain_search(case, number, beam, length_penalty, longest, never)
            assert [tuple(one.ids) for one in written] == [ids for _, ids in expected]
            assert [one.score for one in written] == pytest.approx([value for value, _ in expected], **CLOSE)


@every_case
def test_a_beam_of_one_takes_the_most_probable_word_at_each_step(case):
    for number, written in enumerate(searched(case, 5, beam=1)):
        ids = []
        while len(ids) < 5:
            log_p = log_probabilities(case, number, tuple(ids)).copy()
            log_p[START] = -np.inf
            if log_p.argmax() == END:
                break
            ids.append(int(log_p.argmax()))
        assert [one.ids for one in written] == [ids]


@every_case
def test_several_sources_together_are_written_as_each_alone(case):
    together = searched(case, 4, beam=3, keep_weights=True)
    for source, expected in zip(sources_of(case), together, strict=True):
        (alone,) = searched(case, 4, sources=[source], beam=3, keep_weights=True)
        assert [one.ids for one in alone] == [one.ids for one in expected]
        assert [one.score for one in alone] == pytest.approx([one.score for one in expected], **CLOSE)
        for one, other in zip(alone, expected, strict=True):
            assert (one.weights is None) == (other.weights is None) == (not CASES[case].attention)
            if one.weights is not None:
                np.testing.assert_allclose(one.weights, other.weights, atol=1e-6)


@every_case
def test_ids_that_must_not_occur_do_not_occur(case):
    without = searched(case, never=(UNKNOWN, 4))
    for written in without:
        assert sorted(tuple(one.ids) for one in written) == [(3,) * n for n in range(LONGEST + 1)]
    assert any(UNKNOWN in one.ids for written in searched(case) for one in written)
    assert not any(marker in one.ids for written in searched(case) for one in written for marker in (START, END))


@every_case
def test_targets_end_after_the_longest_number_of_words(case):
    for number, (nothing,) in enumerate(searched(case, longest=0)):
        assert nothing.ids == [] and nothing.log_probability == pytest.approx(total(case, number, ()), **CLOSE)
    # Without the words that end targets early, all are as long as they can be.
    writer = writer_of(case)
    if not writer.settings.bias:
        pytest.skip("no bias")
    values = writer.get_values()
    try:
        writer.set_values({**values, "c": values["c"] - 50 * (np.arange(5) == END)})
        for written in searched(case, longest=4, beam=3):
            assert [len(one.ids) for one in written] == [4, 4, 4]
            assert all(one.log_probability < -30 for one in written)
    finally:
        writer.set_values(values)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=() if case in QUICK else pytest.mark.slow)
        for case, settings in CASES.items()
        if settings.attention
    ],
)
def test_the_weights_are_those_that_each_word_was_chosen_with(case):
    writer = writer_of(case)
    for source, written in zip(sources_of(case), searched(case, 4, beam=3, keep_weights=True), strict=True):
        for one in written:
            loop = numpy_writers.Loop(writer.get_values(), writer.settings, source)
            expected = [loop.step(word)[1] for word in (START, *one.ids)]
            assert one.weights.shape == (len(one.ids) + 1, 5) and one.weights.dtype == np.float32
            np.testing.assert_allclose(one.weights[:, : len(source)], expected, atol=1e-6)
            np.testing.assert_array_equal(one.weights[:, len(source) :], 0)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case, settings in CASES.items() if settings.attention])
def test_the_weights_are_those_of_the_found_target(case):
    writer, sources = writer_of(case), sources_of(case)
    x_source, lengths = np.zeros((5, SOURCES), np.int32), np.array([len(ids) for ids in sources], np.int32)
    x, steps = np.zeros((6, SOURCES), np.int32), np.zeros(SOURCES, np.int32)
    best = [written[0] for written in searched(case, 5, beam=3, keep_weights=True)]
    for column, (ids, one) in enumerate(zip(sources, best, strict=True)):
        x_source[: len(ids), column] = ids
        x[: len(one.ids) + 1, column], steps[column] = [START, *one.ids], len(one.ids) + 1
    found = writer.attention_weights(Source(x_source, lengths, None), x, steps)
    for column, one in enumerate(best):
        np.testing.assert_allclose(one.weights, found[column, : steps[column]], atol=1e-6)
