"""Minibatches of a continuous text of words, and initial output biases from word frequencies."""

import numpy as np
import pytest
from support.training_runs import CASES, share_compiled, trainer_of

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.text.corpus import log_frequencies, read_corpus
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.train_model import train
from theano_rnn.training.training_data import TrainingData

CONTINUOUS = {"continuous": True, "batch_size": 3, "sequence_length": 7, "seed": 2}


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("The dog sees the cat.\n\nThe cat sleeps.\n\nA bird! " * 9, encoding="utf-8")
    return path


def data_of(text, **settings):
    options = TrainingOptions(**{**CONTINUOUS, "valid_fraction": 0.0, **settings})
    corpus = read_corpus(text, options)
    return corpus, TrainingData(corpus, options)


def test_a_continuous_text_is_read_once_in_order_and_sentence_starts_are_not_predicted(text):
    corpus, data = data_of(text)
    assert corpus.seen_once is None or not corpus.seen_once.any()
    batches = list(data.minibatches(0))
    assert len(batches) == data.steps_per_epoch
    assert sum(batch.tokens for batch in batches) == data.tokens_per_epoch == corpus.train.tokens
    x, y, mask = (np.concatenate([getattr(batch, name) for batch in batches]).T for name in ("x", "y", "mask"))
    ids, start = corpus.train.ids, corpus.vocabulary.start
    per_stream = -(-(len(ids) - 1) // 3)
    for number in range(3):
        part = slice(number * per_stream, min((number + 1) * per_stream, len(ids) - 1))
        length = part.stop - part.start
        np.testing.assert_array_equal(x[number, :length], ids[:-1][part])
        np.testing.assert_array_equal(y[number, :length], ids[1:][part])
        np.testing.assert_array_equal(mask[number, :length], ids[1:][part] != start)
        assert not mask[number, length:].any()


def test_the_last_sentences_of_a_continuous_text_are_held_out(text):
    corpus, _ = data_of(text, valid_fraction=0.3)
    whole, _ = data_of(text)
    count = round(0.3 * len(whole.train))
    assert len(corpus.valid) == count
    np.testing.assert_array_equal(
        corpus.vocabulary.decode(np.concatenate([corpus.train.ids, corpus.valid.ids])),
        whole.vocabulary.decode(whole.train.ids),
    )


def test_words_that_occur_once_are_replaced_in_a_continuous_text_too(tmp_path):
    text = tmp_path / "rare.txt"
    text.write_text("a b c d e f g h i j k l m n o p .\n" * 1 + "a .\n" * 5, encoding="utf-8")
    corpus, data = data_of(text, lines=True)
    assert corpus.seen_once.sum() == 15
    counts = [
        sum(int((batch.y[batch.mask] == corpus.vocabulary.unknown).sum()) for batch in data.minibatches(epoch))
        for epoch in (0, 0, 1)
    ]
    assert counts[0] == counts[1] and 0 < counts[0] < 15 and 0 < counts[2] < 15


def test_the_state_is_carried_from_minibatch_to_minibatch_and_starts_anew_in_each_epoch(text, tmp_path, monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)
    before, after, step = [], [], Optimizer.step

    def noting(self, batch, rate, states, *others):
        found = step(self, batch, rate, states, *others)
        before.append(states), after.append(np.array(found[1]))
        return found

    monkeypatch.setattr(Optimizer, "step", noting)
    settings = {**CONTINUOUS, "hidden_dim": 4, "valid_fraction": 0.0}
    train(text, model=tmp_path / "m.npz", epochs=2, **settings)
    steps = len(before) // 2
    assert before[0] is None and before[steps] is None
    for given, found in zip(before[1:steps], after, strict=False):
        np.testing.assert_array_equal(given, found)
        assert np.abs(found).max() > 0


@pytest.mark.parametrize("level", ["word", "char"])
def test_output_biases_start_from_the_frequencies_of_the_training_text(text, level):
    options = TrainingOptions(level=level, cell="gru", hidden_dim=4, valid_fraction=0.0)
    corpus = read_corpus(text, options)
    ids = corpus.train if level == "char" else corpus.train.ids
    counts = np.bincount(ids, minlength=len(corpus.vocabulary)).astype(float)
    counts[corpus.vocabulary.start] = 0
    found = np.exp(log_frequencies(corpus, [corpus.vocabulary.start]))
    assert found.sum() == pytest.approx(1)
    occurring = counts > 0
    np.testing.assert_allclose(found[occurring] / found[corpus.vocabulary.end], counts[occurring] / counts[1])
    np.testing.assert_allclose(found[~occurring] / found[corpus.vocabulary.end], 0.5 / counts[1])


def test_words_that_stand_for_unknown_ones_count_half(tmp_path):
    text = tmp_path / "rare.txt"
    text.write_text("a b c d .\na .\n", encoding="utf-8")
    corpus, _ = data_of(text, lines=True)
    counts = np.exp(log_frequencies(corpus, [corpus.vocabulary.start]))
    of = corpus.vocabulary.word_to_index
    assert counts[of["b"]] / counts[of["a"]] == pytest.approx(0.5 / 2)
    assert counts[corpus.vocabulary.unknown] / counts[of["a"]] == pytest.approx(1.5 / 2)


@pytest.mark.parametrize("bias", [True, False])
def test_a_run_starts_from_these_biases_if_its_network_has_biases(text, monkeypatch, bias):
    monkeypatch.setitem(CASES, "biased", {"hidden_dim": 4, "bias": bias, "valid_fraction": 0.0, "seed": 1})
    run = trainer_of("biased", text)
    values = run.learner.rnn.get_values()
    assert ("c" in values) is bias
    if bias:
        np.testing.assert_allclose(
            values["c"], log_frequencies(run.task.corpus, [run.task.corpus.vocabulary.start]), rtol=1e-6
        )
        np.testing.assert_array_equal(run.learner.best["c"], values["c"])


def test_a_run_that_starts_from_a_model_keeps_its_biases(text, tmp_path, monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)
    train(text, model=tmp_path / "a.npz", epochs=1, hidden_dim=4, bias=True, valid_fraction=0.0, batch_size=4)
    further = {"init_from": tmp_path / "a.npz", "learning_rate": 1e-9, "valid_fraction": 0.0, "batch_size": 4}
    train(text, model=tmp_path / "b.npz", epochs=1, **further)
    first, second = (load(tmp_path / name).rnn.get_values()["c"] for name in ("a.npz", "b.npz"))
    np.testing.assert_allclose(second, first, atol=1e-6)
