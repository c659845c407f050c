"""Language models with gates and several layers: scores, steps, texts and files, compared with plain loops."""

import functools
import itertools

import numpy as np
import pytest
from support import numpy_networks

from theano_rnn import RNN
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

WORDS = ["the", "dog", "cat", "sees"]
NETWORKS = {
    "deep simple": {"layers": 3, "bias": True},
    "gru": {"cell": "gru", "bias": True, "embedding_dim": 4, "dropout": 0.5},
    "stacked lstm": {"cell": "lstm", "layers": 2, "tied": True, "bias": True},
}


@functools.cache
def make(name):
    vocabulary = Vocabulary([SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN, *WORDS])
    rnn = RNN(len(vocabulary), 5, seed=3, dtype="float64", **NETWORKS[name])
    generator = np.random.default_rng(0)
    rnn.set_values({name: value + generator.normal(size=value.shape) for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer())


# Theano takes half a minute to compile the functions of a network.
SLOW = {"deep simple", "stacked lstm"}


@pytest.fixture(params=[pytest.param(one, marks=pytest.mark.slow) if one in SLOW else one for one in NETWORKS])
def lm(request):
    return make(request.param)


def log_probabilities(lm, words):
    """ln o_t for each position of a sentence, including the end, computed by plain loops."""
    ids = [lm.vocabulary.start, *(lm.vocabulary.word_to_index[word] for word in words)]
    state = np.zeros(lm.rnn.architecture.state_dim)
    return np.log(numpy_networks.forward(lm.rnn.get_values(), lm.rnn.cell, lm.rnn.layers, ids, state)[0])


def score(lm, words):
    ids = [*(lm.vocabulary.word_to_index[word] for word in words), lm.vocabulary.end]
    return log_probabilities(lm, words)[np.arange(len(ids)), ids].sum()


def test_scores_equal_the_loops(lm):
    sentences = ["the dog sees the cat", "cat", "sees sees the"]
    expected = [score(lm, sentence.split()) for sentence in sentences]
    np.testing.assert_allclose(lm.score(sentences), expected, rtol=0, atol=1e-10)
    assert lm.score(sentences[0]) == pytest.approx(expected[0], abs=1e-10)


def test_one_word_at_a_time_equals_the_score(lm):
    state, total = lm.state(), 0.0
    for t, word in enumerate(["the", "dog", "sees", SENTENCE_END]):
        expected = log_probabilities(lm, ["the", "dog", "sees"])[t]
        np.testing.assert_allclose(lm.next_log_probabilities(state), expected, rtol=0, atol=1e-10)
        state, value = lm.advance(state, word)
        total += value
    assert total == pytest.approx(lm.score("the dog sees"), abs=1e-10)


def test_at_a_low_temperature_each_word_is_the_most_probable_one(lm):
    (text,) = lm.generate(1, temperature=1e-6, prompt="the dog", min_words=6, max_words=6, seed=1)
    words = text.split()
    assert len(words) == 6
    for t in range(2, 6):
        values = log_probabilities(lm, words[:t])[-1]
        assert words[t] == WORDS[values[3:].argmax()]


def test_the_frequencies_of_drawn_words_are_the_probabilities(lm):
    texts = lm.generate(4000, prompt="dog sees", min_words=3, max_words=3, seed=2)
    p = np.exp(log_probabilities(lm, ["dog", "sees"])[-1][3:])
    drawn = np.array([texts.count(f"dog sees {word}") for word in WORDS]) / len(texts)
    np.testing.assert_allclose(drawn, p / p.sum(), atol=0.03)


def test_a_beam_wider_than_all_texts_finds_the_most_probable_ones(lm):
    texts = [["the", *rest] for count in range(3) for rest in itertools.product(WORDS, repeat=count)]
    expected = sorted(((" ".join(words), score(lm, words)) for words in texts), key=lambda one: -one[1])
    found = lm.beam_search(30, 10, prompt="the", max_words=3)
    assert [text for text, _ in found] == [text for text, _ in expected[:10]]
    np.testing.assert_allclose([value for _, value in found], [value for _, value in expected[:10]], atol=1e-9)


def test_a_file_names_every_array_and_gives_the_same_model(lm, tmp_path):
    lm.save(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz") as archive:
        assert set(archive.files) == {*lm.rnn.parameter_shapes, "configuration", "vocabulary"}
        for name, shape in lm.rnn.parameter_shapes.items():
            assert archive[name].shape == shape
    found = load(tmp_path / "m.npz")
    assert found.rnn.settings() == lm.rnn.settings()
    assert found.score("the dog") == pytest.approx(lm.score("the dog"), rel=1e-5)
