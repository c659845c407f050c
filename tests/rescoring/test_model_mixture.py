"""Mixtures of our own models, compared with probabilities mixed one by one."""

import copy
import math
import pickle
import re

import numpy as np
import pytest
from support.language_models import SPECIAL, WORDS, make

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.rescoring.model_mixture import ModelMixture
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

LINES = ["The dog sees the zebra. The dog!", "", "dog"]


def other_model(words=WORDS, seed=8, **tokenizer):
    return LanguageModel(
        RNN(len(SPECIAL) + len(words), 4, seed=seed), Vocabulary([*SPECIAL, *words]), Tokenizer(**tokenizer)
    )


@pytest.fixture(scope="module")
def models():
    return [make(WORDS), other_model(), other_model(WORDS[::-1], seed=9)]


@pytest.mark.parametrize("weights", [[0.2, 0.3, 0.5], [1, 0, 0], [0, 0, 1.0]])
def test_probabilities_are_mixed_token_by_token(models, weights):
    scores = [model.word_scores(LINES) for model in models]
    for line, *columns in zip(ModelMixture(models, weights).word_scores(LINES), *scores, strict=True):
        for (token, value, known), *singles in zip(line, *columns, strict=True):
            expected = sum(weight * math.exp(single) for weight, (_, single, _) in zip(weights, singles, strict=True))
            assert math.exp(value) == pytest.approx(expected, rel=1e-5)
            assert all((token, known) == (single[0], single[2]) for single in singles)


def test_the_methods_of_a_model_use_the_mixture(models):
    mixture = ModelMixture(models, [0.2, 0.3, 0.5])
    total = sum(value for _, value, _ in mixture.word_scores(LINES[0]))
    assert mixture.score(LINES[0]) == pytest.approx(total, abs=1e-9)
    assert mixture.perplexity(LINES[0]) == pytest.approx(math.exp(-total / len(mixture.word_scores(LINES[0]))))
    assert mixture.compare(LINES[0], "dog") == pytest.approx(
        mixture.score(LINES[0], split=False) - mixture.score("dog"), abs=1e-5
    )
    assert sum(row.surprisal for row in mixture.surprisal(LINES[0], base="e")) == pytest.approx(-total)


def test_a_member_is_one_of_the_models_and_copies_mix_alike(models):
    mixture = ModelMixture(models, [0.2, 0.3, 0.5])
    for index, model in enumerate(models):
        np.testing.assert_allclose(mixture.member(index).score(LINES), model.score(LINES), rtol=1e-6)
    for copied in (copy.deepcopy(mixture), pickle.loads(pickle.dumps(mixture))):
        np.testing.assert_array_equal(copied.score(LINES), mixture.score(LINES))


@pytest.mark.parametrize(
    "weights, message",
    [
        ([0.5, 0.4, 0.2], "weights: expected numbers with the sum 1, got 1.1"),
        ([1.5, -0.5, 0], "weights: expected a number of at least 0 and below inf, got -0.5"),
        ([1], "weights: expected one for each of 3 models, got 1"),
    ],
)
def test_other_weights_are_refused(models, weights, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ModelMixture(models, weights)


@pytest.mark.parametrize(
    "other, message",
    [
        (other_model(["the", "dog", "cat", "."]), "b: has another vocabulary than a; only one of them has 'cat', 'see"),
        (other_model([*WORDS, "cat"]), "b: has another vocabulary than a; only one of them has 'cat'; mix"),
        (make(list("abcd"), "char"), "b: splits text into other tokens than a (level is char, not word); mix models"),
        (other_model(lowercase=False), "b: splits text into other tokens than a (lowercase is False, not True)"),
    ],
)  # fmt: skip
def test_models_that_do_not_fit_are_refused(models, other, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ModelMixture([models[0], other], [0.5, 0.5], ["a", "b"])
