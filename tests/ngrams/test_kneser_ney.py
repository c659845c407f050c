"""Interpolated modified Kneser–Ney smoothing against calculations with dictionaries, token by token."""

import contextlib
import io
import itertools
import math
import runpy
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.ngrams.counts import NGramCounts, find
from theano_rnn.ngrams.kneser_ney import KneserNey, discounts
from theano_rnn.text.encoded_sentences import EncodedSentences

START, END, UNKNOWN = 0, 1, 2
SIZE = 60
ORACLE = Path(__file__).resolve().parents[3] / "shared" / "peers" / "kneser_ney.py"


def random_sentences(number, seed, size=SIZE):
    """Sentences whose words depend on the word before, with frequencies that fall like those of a language."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(number):
        words, word = [START], START
        for _ in range(generator.integers(0, 12)):
            word = 2 + (min(int(generator.pareto(0.7)), size - 3) + 7 * word * int(generator.integers(2))) % (size - 2)
            words.append(word)
        made.append([*words, END])
    return made


TRAIN, TEST = random_sentences(1500, 1), random_sentences(200, 2)


class Reference:
    """P(token | history) by the formulas of Chen and Goodman (1999), from dictionaries of tuples."""

    def __init__(self, rows, order, size, is_stream=False):
        self.order, self.size = order, size
        events = []
        for row in rows:
            padded = [START] * (order - 1) + list(row)
            first = order
            events += [tuple(padded[i - order + 1 : i + 1]) for i in range(first, len(padded))]
        self.counts = {order: Counter(events)}
        for n in range(order - 1, 0, -1):
            before = defaultdict(set)
            for gram in self.counts[n + 1]:
                before[gram[1:]].add(gram[0])
            self.counts[n] = Counter({gram: len(tokens) for gram, tokens in before.items()})

    def discount(self, n, count):
        number = Counter(self.counts[n].values())
        n1, n2, n3, n4 = (number[k] for k in (1, 2, 3, 4))
        usual = {1: 0.5, 2: 1.0, 3: 1.5}
        if not (n1 and n2 and n3 and n4):
            return usual[min(count, 3)]
        y = n1 / (n1 + 2 * n2)
        found = {1: 1 - 2 * y * n2 / n1, 2: 2 - 3 * y * n3 / n2, 3: 3 - 4 * y * n4 / n3}
        is_usable = all(0 < value <= k for k, value in found.items())
        return (found if is_usable else usual)[min(count, 3)]

    def probability(self, history, token, n=None):
        n = self.order if n is None else n
        if n == 0:
            return 1 / (self.size - 1) if token != START else 0.0
        history = history[len(history) - n + 1 :] if n > 1 else ()
        seen = {gram[-1]: count for gram, count in self.counts[n].items() if gram[:-1] == history}
        lower = self.probability(history, token, n - 1)
        if not seen:
            return lower
        total = sum(seen.values())
        left = sum(self.discount(n, count) for count in seen.values()) / total
        count = seen.get(token, 0)
        return (count - self.discount(n, count) if count else 0) / total + left * lower


def histories_of(row, order):
    padded = [START] * (order - 1) + list(row)
    return [(tuple(padded[i - order + 1 : i]), padded[i]) for i in range(order, len(padded))]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_are_those_of_the_formulas(order):
    train, test = TRAIN[:150], TEST[:12]
    reference = Reference(train, order, SIZE)
    model = KneserNey(EncodedSentences(train), SIZE, order)
    expected = [reference.probability(*event) for row in test for event in histories_of(row, order)]
    found = model.log_probabilities(EncodedSentences(test))
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-12)


@pytest.mark.parametrize("continuous", [False, True])
def test_the_contexts_of_a_continuous_text_cross_the_ends_of_sentences(continuous):
    train, test = TRAIN[:60], TEST[:5]

    def rows(text):
        return [[START, *itertools.chain.from_iterable(row[1:] for row in text)]] if continuous else text

    reference = Reference(rows(train), 3, SIZE)
    model = KneserNey(EncodedSentences(train), SIZE, 3, continuous=continuous)
    expected = [math.log(reference.probability(*event)) for row in rows(test) for event in histories_of(row, 3)]
    np.testing.assert_allclose(model.log_probabilities(EncodedSentences(test)), expected, rtol=1e-12)
    assert model.loss(EncodedSentences(test)) == pytest.approx(-np.mean(expected), rel=1e-12)


def test_a_text_of_characters_is_one_stream():
    ids = np.array([1, 5, 3, 5, 5, 3, 1, 4, 3, 5, 3, 1], np.uint8)
    reference = Reference([ids.tolist()], 3, 7)
    expected = [math.log(reference.probability(*event)) for event in histories_of(ids.tolist(), 3)]
    np.testing.assert_allclose(KneserNey(ids, 7, 3).log_probabilities(ids), expected, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("number", [1, 2, 20, 1500])
def test_the_probabilities_of_all_tokens_sum_to_1_after_seen_and_unseen_histories(order, number):
    model = KneserNey(EncodedSentences(TRAIN[:number]), SIZE, order)
    generator = np.random.default_rng(3)
    seen = [history for row in TRAIN[:number][:3] for history, _ in histories_of(row, order)]
    unseen = [tuple(generator.integers(0, SIZE, order - 1).tolist()) for _ in range(10)]
    tokens = np.arange(SIZE)
    for history in [*seen, *unseen]:
        histories = np.repeat(np.array(history[::-1], np.int64).reshape(order - 1, 1), SIZE, axis=1)
        found = model.probabilities(histories, tokens)
        assert found.sum() == pytest.approx(1, abs=1e-12)
        assert found[START] == 0 and found[1:].min() > 0


def test_an_exact_small_example():
    """Bigrams of "a a" and "a", counted by hand; the discounts are 1/2, 1 and 3/2."""
    a, b = 3, 4
    model = KneserNey(EncodedSentences([[START, a, a, END], [START, a, END]]), size=5, order=2)
    # Different tokens before a: START and a; before END: a. Unigrams: 1 - 1/2 and 2 - 1 of 3; 3/2 of 3 are left for
    # the uniform distribution over END, UNKNOWN_TOKEN, a and b.
    unigram = {END: 1 / 6 + 1 / 8, a: 1 / 3 + 1 / 8, b: 1 / 8}
    # After START: a twice, with the discount 1. After a: END twice and a once, with the discounts 1 and 1/2.
    expected = {
        (START, a): 1 / 2 + 1 / 2 * unigram[a],
        (START, b): 1 / 2 * unigram[b],
        (a, END): 1 / 3 + 1 / 2 * unigram[END],
        (a, a): 1 / 6 + 1 / 2 * unigram[a],
        (b, a): unigram[a],
    }
    for (before, token), probability in expected.items():
        assert model.probabilities(np.array([[before]]), np.array([token])) == pytest.approx([probability], rel=1e-14)


def test_discounts_that_a_text_does_not_determine_are_the_usual_ones():
    assert discounts(np.array([1, 1, 2])).tolist() == [0, 0.5, 1, 1.5]
    assert discounts(np.repeat([1, 2, 3, 4], [1, 1, 50, 50])).tolist() == [0, 0.5, 1, 1.5]  # D_2 would be negative
    assert discounts(np.zeros(0, np.int64)).tolist() == [0, 0.5, 1, 1.5]


def test_a_text_without_tokens_gives_the_uniform_distribution():
    model = KneserNey(EncodedSentences([]), SIZE, 3)
    np.testing.assert_allclose(model.log_probabilities(EncodedSentences(TEST[:3])), -math.log(SIZE - 1))


def test_ids_of_a_large_vocabulary_do_not_overflow():
    large = 2**30
    row = [START, large - 1, large - 2, large - 1, large - 3, END]
    small = [START, 5, 4, 5, 3, END]
    found = KneserNey(EncodedSentences([row, row]), large, 5).counts
    expected = KneserNey(EncodedSentences([small, small]), 6, 5).counts
    for one, other in zip(found.counts, expected.counts, strict=True):
        assert sorted(one.tolist()) == sorted(other.tolist())


def test_a_key_that_is_not_in_a_table_is_not_found():
    assert find(np.zeros(0, np.int64), np.array([4])).tolist() == [-1]
    counts = NGramCounts.of(np.array([[START, 3]]), np.array([3, END]), SIZE)
    assert [numbers.tolist() for numbers in counts.find_histories(np.array([[3, 9]]))] == [[0, 0], [1, -1]]


@pytest.mark.parametrize("order, error", [(0, ArgumentValueError), (2.5, ArgumentTypeError), (True, ArgumentTypeError)])
def test_a_wrong_order_is_an_error(order, error):
    with pytest.raises(error, match="^order: "):
        KneserNey(EncodedSentences(TRAIN[:2]), SIZE, order)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not ORACLE.is_file(), reason="needs another implementation, ../shared/peers/kneser_ney.py")
def test_another_implementation_gives_the_same_probabilities(order, tmp_path, monkeypatch):
    train_rows, test_rows = random_sentences(1500, 1, 2000), random_sentences(200, 2, 2000)
    words = [f"w{number}" for number in range(2000)]
    words[UNKNOWN] = "<unk>"
    for name, rows in (("train", train_rows), ("valid", test_rows), ("test", test_rows)):
        lines = (" ".join(words[one] for one in row[1:-1]) for row in rows)
        (tmp_path / f"brown.unk.{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(ORACLE), str(order)])
    with contextlib.redirect_stdout(io.StringIO()):
        other = runpy.run_path(str(ORACLE))
    known = sorted({one for row in train_rows for one in row[1:-1]} - {UNKNOWN})
    numbers = {one: index for index, one in enumerate([START, END, UNKNOWN, *known])}
    train, test = (
        EncodedSentences([[numbers.get(one, UNKNOWN) for one in row] for row in rows])
        for rows in (train_rows, test_rows)
    )
    model = KneserNey(train, other["V"] + 1, order)
    assert len(numbers) == other["V"] + 1
    expected = []
    for row in test_rows:
        padded = other["f"]([words[one] for one in row[1:-1]])
        expected += [other["p"](tuple(padded[i - order + 1 : i + 1])) for i in range(order - 1, len(padded))]
    assert all(discounts(counts).tolist() != [0, 0.5, 1, 1.5] for counts in model.counts.counts)
    np.testing.assert_allclose(np.exp(model.log_probabilities(test)), expected, rtol=1e-12)
