"""pyctcdecode decodes with our language model: its scores equal those of all texts, each scored as a whole."""

import itertools
import math
import pickle

import numpy as np
import pytest
from support.language_models import make

from theano_rnn.engines.engine import precision
from theano_rnn.errors import OptionError
from theano_rnn.rescoring import pyctcdecode_model
from theano_rnn.rescoring.pyctcdecode_model import PyctcdecodeModel

LABELS = ["a", "b", " ", ""]  # the last is the blank
ALPHA, BETA, OFFSET = 0.7, 0.4, -2.0


@pytest.fixture(scope="module")
def pyctcdecode():
    return pytest.importorskip("pyctcdecode")


@pytest.fixture(scope="module")
def lm():
    with precision("float64"):
        return make(["a", "b", "ab", "ba", "aba"])


def collapsed(path):
    """The text of a CTC path: repeated labels are one, blanks are removed."""
    return " ".join("".join(LABELS[i] for i, _ in itertools.groupby(path)).split())


def text_scores(logits):
    """ln P(text | sound) of every text, summed over all paths."""
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    found = {}
    for path in itertools.product(range(len(LABELS)), repeat=len(logits)):
        text, value = collapsed(path), sum(log_p[t, i] for t, i in enumerate(path))
        found[text] = np.logaddexp(found.get(text, -np.inf), value)
    return found


def language_score(lm, text):
    words = text.split()
    unknown = sum(word not in lm.vocabulary for word in words) if lm.tokenizer.level == "word" else 0
    offset = unknown * OFFSET * math.log(10)
    return ALPHA * (lm.score(text, split=False) + offset) + BETA * len(words)


def beams(pyctcdecode, model, logits):
    decoder = pyctcdecode.BeamSearchDecoderCTC(pyctcdecode.Alphabet.build_alphabet(LABELS), model)
    return decoder.decode_beams(logits, beam_width=10_000, beam_prune_logp=-1e9, token_min_logp=-1e9)


@pytest.mark.parametrize("level", ["word", "char"])
def test_the_scores_of_all_texts_equal_an_enumeration(pyctcdecode, lm, level):
    if level == "char":
        with precision("float64"):
            lm = make(["a", "b", " "], level="char")
    logits = np.random.default_rng(0).normal(size=(5, len(LABELS)))
    model = PyctcdecodeModel(lm, alpha=ALPHA, beta=BETA, unk_score_offset=OFFSET)
    found = {text: score for text, _, _, _, score in beams(pyctcdecode, model, logits)}
    expected = {text: value + language_score(lm, text) for text, value in text_scores(logits).items()}
    assert found.keys() == expected.keys() and len(found) > 50
    for text, value in expected.items():
        assert found[text] == pytest.approx(value, abs=1e-8), text


def test_the_state_of_a_beam_continues_it(pyctcdecode, lm):
    model = PyctcdecodeModel(lm)
    text, state, *_ = beams(pyctcdecode, model, np.random.default_rng(1).normal(size=(4, len(LABELS))))[0]
    expected = lm.state()
    for word in text.split():
        expected, _ = lm.advance(expected, word)
    assert state == expected == pickle.loads(pickle.dumps(state))


def test_it_implements_the_abstract_base_class(pyctcdecode, lm):
    from pyctcdecode.language_model import AbstractLanguageModel

    model = PyctcdecodeModel(lm)
    assert isinstance(model, AbstractLanguageModel)
    decoder = pyctcdecode.BeamSearchDecoderCTC(pyctcdecode.Alphabet.build_alphabet(LABELS), model)
    decoder.reset_params(alpha=0.25, beta=2.0, unk_score_offset=-3.0, lm_score_boundary=False)
    assert (model.alpha, model.beta, model.unk_score_offset, model.score_boundary) == (0.25, 2.0, -3.0, False)
    text = "a ba"
    score, _ = model.score(model.score(model.get_start_state(), "a")[1], "ba", is_last_word=True)
    assert score == pytest.approx(0.25 * lm.word_scores(text)[1][1] + 2.0, abs=1e-10)
    with pytest.raises(ValueError, match="^gamma: expected one of alpha, beta, unk_score_offset, score_boundary$"):
        model.reset_params(gamma=1.0)


def test_history_is_not_pruned(pyctcdecode, lm):
    logits = np.random.default_rng(2).normal(size=(5, len(LABELS)))
    decoder = pyctcdecode.BeamSearchDecoderCTC(pyctcdecode.Alphabet.build_alphabet(LABELS), PyctcdecodeModel(lm))
    how = {"beam_width": 10_000, "beam_prune_logp": -1e9, "token_min_logp": -1e9}
    found = [[beam[0] for beam in decoder.decode_beams(logits, prune_history=flag, **how)] for flag in (False, True)]
    assert set(found[0]) == set(found[1]) and found[0][0] == found[1][0]


def test_words_of_several_tokens_and_unknown_words(pyctcdecode):
    with precision("float64"):
        lm = make(["i", "do", "n't", "know"])
    model = PyctcdecodeModel(lm, alpha=1.0, beta=0.0, unk_score_offset=OFFSET)
    state, total = model.get_start_state(), 0.0
    for word in ("I", "don't", "know"):
        value, state = model.score(state, word)
        total += value
    total += model.score(state, "", is_last_word=True)[0]
    assert total == pytest.approx(lm.score("I don't know"), abs=1e-10)
    value, _ = model.score(model.get_start_state(), "zebra")
    assert value == pytest.approx(lm.word_scores("zebra")[0][1] + OFFSET * math.log(10), abs=1e-10)
    assert PyctcdecodeModel(lm, unigrams=["DON'T"]).score(state, "don't")[0] > -5


@pytest.mark.parametrize(
    "partial, expected",
    [("k", 0), ("KNO", 0), ("know", 0), ("don'", 0), ("don't", 0), ("kx", -2), ("x'", -2), ("knowledges", -2 * 10 / 6)],
)
def test_an_unfinished_word_costs_something_only_if_no_known_word_begins_with_it(pyctcdecode, partial, expected):
    model = PyctcdecodeModel(make(["i", "do", "n't", "know"]), unk_score_offset=OFFSET)
    assert model.score_partial_token(partial) == pytest.approx(expected)


def test_given_unigrams_are_the_known_words(pyctcdecode, lm):
    model = PyctcdecodeModel(lm, alpha=1.0, beta=0.0, unk_score_offset=OFFSET, unigrams=["ab"])
    assert model.score_partial_token("a") == 0 and model.score_partial_token("b") == OFFSET
    values = {word: model.score(model.get_start_state(), word)[0] for word in ("ab", "b")}
    assert values["ab"] == pytest.approx(lm.word_scores("ab")[0][1], abs=1e-10)
    assert values["b"] == pytest.approx(lm.word_scores("b")[0][1] + OFFSET * math.log(10), abs=1e-10)


@pytest.mark.parametrize(
    "settings, error, message",
    [
        ({"alpha": "1"}, TypeError, "alpha: expected a number, got '1'"),
        ({"beta": float("nan")}, ValueError, "beta: expected a number, got nan"),
        ({"score_boundary": 1}, TypeError, "score_boundary: expected True or False"),
        ({"unigrams": "the"}, TypeError, "unigrams: expected a collection of words, got str"),
    ],
)
def test_an_invalid_argument_is_named(pyctcdecode, lm, settings, error, message):
    with pytest.raises(error, match=message):
        PyctcdecodeModel(lm, **settings)


def test_something_else_than_a_language_model_is_rejected(pyctcdecode):
    with pytest.raises(TypeError, match="^lm: expected a LanguageModel, got str$"):
        PyctcdecodeModel("models/rnn.npz")


def test_without_pyctcdecode_an_error_says_what_to_install(lm, monkeypatch):
    monkeypatch.setattr(pyctcdecode_model, "AbstractLanguageModel", None)
    with pytest.raises(OptionError, match="pip install pyctcdecode"):
        PyctcdecodeModel(lm)
