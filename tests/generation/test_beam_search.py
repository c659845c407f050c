"""Beam search, compared with an exhaustive search and with a beam search in plain NumPy."""

import functools
import itertools

import numpy as np
import pytest

from theano_rnn.engines.engine import precision
from theano_rnn.generation.beam_search import BestTexts
from theano_rnn.generation.text_groups import check_beam_arguments
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

SPECIAL = [SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN]
WORDS = ["the", "dog", "cat", "sees", "likes"]
MARKS = ["the", "dog", "sees", "(", ")", ".", "``", '"', "''", "gon", "na"]


@functools.cache
def make(words, level="word", spread=3.0, seed=8):
    vocabulary = Vocabulary([*SPECIAL, *words], newline_ends_sentence=level == "char")
    with precision("float64"):
        rnn = RNN(len(vocabulary), 6, seed=seed)
    rnn.set_values({name: spread * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer(level=level))


def words_only():
    return make(tuple(WORDS))


def repeats(tokens, n):
    found = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return len(found) != len(set(found))


def all_texts(prompt, min_words, max_words, no_repeat_ngram=None):
    """Every text of these lengths with its score, most probable first."""
    beginning = prompt.split()
    texts = [
        " ".join([*beginning, *rest])
        for length in range(min_words, max_words + 1)
        for rest in itertools.product(WORDS, repeat=length - len(beginning))
        if no_repeat_ngram is None or not repeats([*beginning, *rest], no_repeat_ngram)
    ]
    return sorted(zip(texts, words_only().score(texts), strict=True), key=lambda one: -one[1])


@pytest.mark.parametrize(
    ("prompt", "min_words", "max_words", "no_repeat_ngram"),
    [
        ("", 0, 4, None),
        ("the dog", 3, 5, None),
        pytest.param("the zebra sees", 4, 5, 2, marks=pytest.mark.slow),
        ("", 1, 4, 1),
    ],
)
def test_a_beam_wider_than_all_texts_is_exact(prompt, min_words, max_words, no_repeat_ngram):
    expected = all_texts(prompt, min_words, max_words, no_repeat_ngram)
    found = words_only().beam_search(800, 40, prompt, min_words, max_words, no_repeat_ngram)
    assert [text for text, _ in found] == [text for text, _ in expected[:40]]
    np.testing.assert_allclose([value for _, value in found], [value for _, value in expected[:40]], atol=1e-8)


def test_all_texts_are_returned_if_there_are_fewer_than_asked_for():
    found = words_only().beam_search(800, 100, max_words=1, min_words=0)
    assert {text for text, _ in found} == {"", *WORDS} and len(found) == 6


def plain_beam_search(lm, beam, n, min_words, max_words, longest):
    """Beam search by definition: no state is kept, no early stop, all finished texts are kept."""
    values, vocabulary = lm.rnn.get_values(), lm.vocabulary

    def log_o(ids):
        s = np.zeros(lm.rnn.hidden_dim)
        for index in [lm.start, *ids]:
            s = np.tanh(values["U"][:, index] + values["W"] @ s)
        z = values["V"] @ s
        return z - np.log(np.exp(z).sum())

    def words(ids):
        return sum(lm.tokenizer.words_added(word) for word in vocabulary.decode(ids))

    open_texts, finished = [((), 0.0)], {}
    for _ in range(longest):
        longer = []
        for ids, logp in open_texts:
            after = log_o(ids)
            if words(ids) >= min_words:
                text = lm.tokenizer.detokenize(vocabulary.decode(ids))
                finished[text] = max(finished.get(text, -np.inf), logp + after[vocabulary.end])
            longer += [
                ((*ids, index), logp + after[index])
                for index in range(3, lm.rnn.word_dim)
                if words((*ids, index)) <= max_words
            ]
        open_texts = sorted(longer, key=lambda one: -one[1])[:beam]
    return sorted(finished.items(), key=lambda one: -one[1])[:n]


@pytest.mark.parametrize(("beam", "n", "min_words", "max_words"), [(3, 3, 0, 4), (3, 1, 2, 6)])
def test_a_narrow_beam_equals_an_exhaustive_reference_implementation(beam, n, min_words, max_words):
    lm = make(tuple(MARKS))
    expected = plain_beam_search(lm, beam, n, min_words, max_words, 37)
    found = lm.beam_search(beam, n, min_words=min_words, max_words=max_words)
    assert [text for text, _ in found] == [text for text, _ in expected]
    np.testing.assert_allclose([value for _, value in found], [value for _, value in expected], atol=1e-8)


def test_different_tokens_with_the_same_text_give_one_result():
    found = make(tuple(MARKS)).beam_search(60, 60, max_words=2)
    texts = [text for text, _ in found]
    assert len(texts) == 60 == len(set(texts))
    assert any('"' in text for text in texts)


def test_the_most_probable_of_equal_texts_is_kept():
    finished = BestTexts(2, len)
    for ids, value in (((1, 2), -3.0), ((3, 4), -2.0), ((5, 6), -4.0), ((7,), -5.0)):
        finished.add(ids, value)
    assert finished.best_first() == [(2, -2.0), (1, -5.0)] and finished.threshold == -5.0
    finished.add((), -4.5)
    finished.add((8,), -np.inf)
    assert finished.best_first() == [(2, -2.0), (0, -4.5)]


def test_results_are_sorted_by_the_score_of_the_text():
    found = words_only().beam_search(12, 6, "the cat", max_words=8)
    values = [value for _, value in found]
    assert values == sorted(values, reverse=True) and len(values) == 6
    np.testing.assert_allclose(values, words_only().score([text for text, _ in found]), atol=1e-8)
    assert all(text.startswith("the cat") for text, _ in found)


def test_the_search_is_deterministic_and_returns_at_most_ten_texts_by_default():
    lm = words_only()
    assert lm.beam_search(12) == lm.beam_search(12) == lm.beam_search(12, 12)[:10]
    assert len(lm.beam_search(12, 12)) == 12
    assert lm.beam_search(12, 2) == lm.beam_search(12)[:2]
    assert lm.beam_search(12, 0) == []
    assert check_beam_arguments(4, None, 1, 100) == 4


@pytest.mark.slow
def test_character_models_keep_the_prompt_unchanged():
    lm = make(("a", "b", " "), level="char")
    found = lm.beam_search(5, prompt="b ", max_words=6)
    np.testing.assert_allclose([value for _, value in found], lm.score([text for text, _ in found]), atol=1e-8)
    assert all(text.startswith("b ") and len(text) <= 6 for text, _ in found)


def test_no_text_is_found_if_repetition_is_unavoidable():
    assert words_only().beam_search(800, 4, min_words=6, max_words=9, no_repeat_ngram=1) == []
    assert make(("(", ".")).beam_search(2, min_words=1, max_words=2) == []


@pytest.mark.parametrize(
    ("demand", "error", "message"),
    [
        ({"beam": 0}, ValueError, "beam: expected at least 1, got 0"),
        ({"beam": 2.5}, TypeError, "beam: expected an integer"),
        ({"beam": 3, "n": 4}, ValueError, r"n: expected at most the width of the beam \(3\), got 4"),
        ({"n": -1}, ValueError, "n: expected at least 0, got -1"),
        ({"min_words": 5, "max_words": 4}, ValueError, r"min_words: expected at most `max_words` \(4\), got 5"),
        ({"max_words": 0}, ValueError, "max_words: expected at least 1"),
        ({"no_repeat_ngram": 0}, ValueError, "no_repeat_ngram: expected at least 1, got 0"),
        ({"prompt": "the dog", "max_words": 1}, ValueError, r"prompt: expected at most `max_words` \(1\) words, got 2"),
        ({"prompt": None}, TypeError, "prompt: expected a str, got NoneType"),
    ],
)
def test_an_argument_out_of_range_is_rejected_by_name(demand, error, message):
    with pytest.raises(error, match=f"^{message}"):
        words_only().beam_search(**demand)
