"""Dropout in training: the masks that are drawn, and that only training steps use them."""

import numpy as np
import pytest
from support.training_runs import CASES

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.training.train_model import train

pytestmark = pytest.mark.usefixtures("quick_samples", "compiled_once")
CASE = {**CASES["LSTM words"], "epochs": 2, "cell": "simple"}


@pytest.fixture
def masks(monkeypatch):
    """The dropout masks of the steps, in order."""
    found, step = [], Optimizer.step

    def noting(self, batch, rate, states, tokens, mask):
        found.append(mask)
        return step(self, batch, rate, states, tokens, mask)

    monkeypatch.setattr(Optimizer, "step", noting)
    return found


def test_each_step_has_its_own_mask_which_depends_on_the_seed(toy, tmp_path, masks):
    train(toy, model=tmp_path / "a.npz", **CASE)
    first = masks.copy()
    assert len({mask.tobytes() for mask in first}) == len(first) > 10
    masks.clear()
    train(toy, model=tmp_path / "b.npz", **CASE)
    np.testing.assert_array_equal(masks, first)
    masks.clear()
    train(toy, model=tmp_path / "c.npz", **{**CASE, "seed": 4})
    assert not any(np.array_equal(one, other) for one, other in zip(masks, first, strict=True))


def test_a_mask_has_a_row_per_text_and_keeps_the_expected_value(toy, tmp_path, masks):
    lm = train(toy, model=tmp_path / "m.npz", **{**CASE, "epochs": 8})
    assert {mask.shape for mask in masks} == {(4, lm.rnn.architecture.dropout_dim)}
    values = np.concatenate([mask.ravel() for mask in masks])
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.7)}
    assert values.mean() == pytest.approx(1, abs=0.05)


def test_without_dropout_there_is_no_mask(toy, tmp_path, masks):
    train(toy, model=tmp_path / "m.npz", **{**CASE, "dropout": 0.0, "epochs": 1})
    assert set(masks) == {None}


def test_scores_and_texts_do_not_depend_on_dropout(toy, tmp_path, monkeypatch):
    lm = train(toy, model=tmp_path / "m.npz", **{**CASE, "epochs": 1})
    monkeypatch.undo()
    settings = {**lm.rnn.settings(), "dropout": 0.0}
    settings.pop("word_dim"), settings.pop("hidden_dim")
    same = type(lm.rnn).from_values(lm.rnn.get_values(), **settings)
    other = LanguageModel(same, lm.vocabulary, lm.tokenizer, lm.training)
    text = "The dog sees the cat."
    assert lm.rnn.dropout and not other.rnn.dropout
    assert lm.score(text) == lm.score(text) == pytest.approx(other.score(text), rel=1e-6)
    assert lm.generate(3, seed=1) == other.generate(3, seed=1)
    assert lm.beam_search(3) == [(found, pytest.approx(score, rel=1e-5)) for found, score in other.beam_search(3)]
