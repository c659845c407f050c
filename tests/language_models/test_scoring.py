"""Log-probabilities of encoded sentences, compared with exact sums over a tiny vocabulary and with single sentences."""

import itertools
import math

import numpy as np
import pytest

from theano_rnn.engines.engine import precision
from theano_rnn.language_models import scoring
from theano_rnn.networks.rnn import RNN

WORD_DIM = 6
START, END = 0, 1
LONGEST = 4


@pytest.fixture(scope="module")
def rnn():
    """A network in float64 whose probabilities differ widely."""
    with precision("float64"):
        rnn = RNN(WORD_DIM, 5, seed=3)
    rnn.set_values({name: 3 * value for name, value in rnn.get_values().items()})
    return rnn


def by_hand(rnn, x, y, state=None):
    """ln o_t[y_t] for all t and the last state, by the tutorial's formulas in NumPy."""
    values = rnn.get_values()
    state = np.zeros(rnn.hidden_dim) if state is None else state
    results = []
    for x_t, y_t in zip(x, y, strict=True):
        state = np.tanh(values["U"][:, x_t] + values["W"] @ state)
        z = values["V"] @ state
        results.append(z[y_t] - np.log(np.exp(z).sum()))
    return np.array(results), state


@pytest.mark.parametrize("start", [START, END], ids=["words", "characters"])
def test_probabilities_of_all_sentences_and_all_unfinished_ones_sum_to_one(rnn, start):
    inner = [index for index in range(WORD_DIM) if index != END]
    sequences = [[start, *words, END] for k in range(LONGEST) for words in itertools.product(inner, repeat=k)]
    sequences += [[start, *words] for words in itertools.product(inner, repeat=LONGEST)]
    assert len(sequences) == 1 + 5 + 25 + 125 + 625
    logs = scoring.token_log_probabilities(rnn, [np.array(sequence, np.int32) for sequence in sequences])
    probabilities = np.exp([values.sum() for values in logs])
    assert probabilities.sum() == pytest.approx(1, abs=1e-10)
    assert 0.001 < probabilities[0] < 0.9 and probabilities.std() > 0.1 * probabilities.mean()


def random_sentences(count, longest, seed=0):
    generator = np.random.default_rng(seed)
    return [
        np.concatenate([[START], generator.integers(2, WORD_DIM, generator.integers(0, longest)), [END]]).astype(
            np.int32
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 33, 40, 129, 300])
def test_results_do_not_depend_on_the_minibatches(rnn, count):
    sentences = random_sentences(count, longest=9)
    results = scoring.token_log_probabilities(rnn, sentences)
    assert len(results) == count
    for sentence, values in zip(sentences, results, strict=True):
        assert values.dtype == np.float64
        np.testing.assert_allclose(values, by_hand(rnn, sentence[:-1], sentence[1:])[0], atol=1e-10)


def test_no_sentences_give_no_results(rnn):
    assert scoring.token_log_probabilities(rnn, []) == []
    assert scoring.sentences_cross_entropy(rnn, [], 32) == (0.0, 0)


def test_cross_entropy_excludes_padding(rnn):
    sentences = random_sentences(40, longest=9, seed=1)
    total, tokens = scoring.sentences_cross_entropy(rnn, sentences, 32)
    expected = -sum(by_hand(rnn, sentence[:-1], sentence[1:])[0].sum() for sentence in sentences)
    assert tokens == sum(len(sentence) - 1 for sentence in sentences)
    assert total == pytest.approx(expected, abs=1e-9)


def test_a_long_sentence_is_scored_in_parts_with_the_same_result(rnn, monkeypatch):
    sentences = [np.tile([START, 3, 2, 4], 15).astype(np.int32)[: length + 1] for length in (59, 20, 21, 5, 40, 41)]
    expected = [by_hand(rnn, one[:-1], one[1:])[0] for one in sentences]
    monkeypatch.setattr(scoring, "STEPS_AT_ONCE", 20)
    for found, values in zip(scoring.token_log_probabilities(rnn, sentences), expected, strict=True):
        np.testing.assert_allclose(found, values, rtol=0, atol=1e-12)


def test_memory_does_not_grow_with_the_length_of_a_sentence(rnn, monkeypatch):
    steps = []
    log_probabilities = rnn.log_probabilities

    def noted(x, y, s_init=None):
        steps.append(len(x))
        return log_probabilities(x, y, s_init)

    monkeypatch.setattr(rnn, "log_probabilities", noted)
    sentence = np.full(4 * scoring.STEPS_AT_ONCE, 3, np.int32)
    assert len(scoring.token_log_probabilities(rnn, [sentence])[0]) == len(sentence) - 1
    assert steps == [scoring.STEPS_AT_ONCE] * 4


def test_repeated_sentences_are_scored_once_and_get_separate_arrays(rnn, monkeypatch):
    columns = []
    log_probabilities = rnn.log_probabilities
    monkeypatch.setattr(rnn, "log_probabilities", lambda x, y: columns.append(x.shape[1]) or log_probabilities(x, y))
    one, other = np.array([START, 3, END], np.int32), np.array([START, 4, END], np.int32)
    first, second, third = scoring.token_log_probabilities(rnn, [one, other, one])
    assert columns == [2]
    np.testing.assert_array_equal(first, third)
    assert not np.array_equal(first, second)
    first[:] = 0
    assert third.all()


def test_perplexity_is_infinite_if_it_overflows():
    assert scoring.perplexity(-4 * np.log(3.0), 4) == pytest.approx(3, abs=1e-12)
    assert scoring.perplexity(-1e9, 1) == np.inf


@pytest.mark.parametrize(
    "perplexity, shown", [(1, "1.00"), (1234.567, "1,234.57"), (1.5e300, "1.50e+300"), (math.inf, "inf")]
)
def test_a_formatted_perplexity_is_short(perplexity, shown):
    assert scoring.format_perplexity(perplexity) == shown


@pytest.mark.parametrize(
    "loss, level, shown",
    [
        (math.log(5.96), "word", "perplexity 5.96"),
        (2.41 * math.log(2), "char", "2.41 bits/char"),
        (1000.0, "word", "perplexity inf"),
        (0.0, "char", "0.00 bits/char"),
    ],
)
def test_a_formatted_loss_has_its_unit(loss, level, shown):
    assert scoring.format_loss(loss, level) == shown
