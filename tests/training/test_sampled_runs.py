"""Runs with sampled softmax: which ones, what they say of their losses, and what they measure."""

import math
import re

import numpy as np
import pytest
from support.training_runs import CASES, assert_same_arrays, assert_same_run, run_state

from theano_rnn.language_models.text_model import WHOLE_LOSS
from theano_rnn.large_vocabularies import evaluated_part
from theano_rnn.training import options
from theano_rnn.training.evaluation import text_loss
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.train_model import train

SAMPLED = CASES["sampled words"]

pytestmark = pytest.mark.usefixtures("quick_samples")


class Notes(Reporter):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)

    @property
    def about_samples(self):
        return [text for text in self.notes if text.startswith("sampled softmax with")]


@pytest.fixture
def short_evaluations(monkeypatch):
    """Evaluations measure at most about 20 tokens."""
    monkeypatch.setattr(evaluated_part, "LEAST_TOKENS", 20)
    monkeypatch.setattr(evaluated_part, "SHARE_OF_TRAINING", 0.001)


def held_out_text(toy, tmp_path):
    path = tmp_path / "valid.txt"
    path.write_text("\n".join(toy.read_text().splitlines()[:40]))
    return path


@pytest.mark.usefixtures("compiled_once")
def test_more_samples_than_words_are_the_exact_softmax(toy, tmp_path):
    settings = {**SAMPLED, "epochs": 2}
    exact = train(toy, model=tmp_path / "a.npz", **{**settings, "samples": 0})
    reporter = Notes()
    many = train(toy, model=tmp_path / "b.npz", reporter=reporter, **{**settings, "samples": 1000})
    assert_same_arrays(exact.rnn.get_values(), many.rnn.get_values())
    assert not reporter.about_samples
    size = len(many.vocabulary)
    line = f"samples: 1,000 is not less than the size of the vocabulary, {size}; training with the exact softmax"
    assert line in reporter.notes


def test_by_default_a_large_vocabulary_is_sampled(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(options, "MANY_WORDS", 5)
    monkeypatch.setattr(options, "AUTO_SAMPLES", 3)
    settings = {name: value for name, value in SAMPLED.items() if name != "samples"}
    reporter = Notes()
    lm = train(toy, model=tmp_path / "a.npz", epochs=1, reporter=reporter, **settings)
    assert lm.training["options"]["samples"] == 3
    (note,) = reporter.about_samples
    assert note == (
        "sampled softmax with 3 words per step (samples 0: exact softmax); the training loss is the cross-entropy over "
        "these candidates, evaluations are exact"
    )


def test_a_resumed_run_has_the_samples_it_began_with(toy, tmp_path, monkeypatch):
    model = tmp_path / "a.npz"
    train(toy, model=model, epochs=1, **{**CASES["words"], "samples": 0})
    monkeypatch.setattr(options, "MANY_WORDS", 5)
    assert train(None, model=model, resume=True, epochs=2).training["options"]["samples"] == 0


@pytest.mark.usefixtures("short_evaluations")
def test_evaluations_measure_a_part_and_the_end_all_of_the_held_out_text(toy, tmp_path):
    reporter, valid = Notes(), held_out_text(toy, tmp_path)
    lm = train(toy, model=tmp_path / "a.npz", epochs=3, valid=valid, reporter=reporter, **SAMPLED)
    (note,) = reporter.about_samples
    assert re.search(r"evaluations are exact and use \d+ of \d+ held-out tokens; the end of the run uses all$", note)
    history = lm.training["history"]
    (best,) = [record for record in history if WHOLE_LOSS in record]
    assert best == min(history, key=lambda record: record["valid_loss"])
    sentences = [lm.encode(line) for line in valid.read_text().splitlines() if line]
    total = sum(lm.rnn.ce_error(ids[:-1], ids[1:]) for ids in sentences)
    expected = total / sum(len(ids) - 1 for ids in sentences)
    assert best[WHOLE_LOSS] == pytest.approx(expected, rel=1e-5)
    assert lm.held_out_loss == best[WHOLE_LOSS] != best["valid_loss"]
    assert run_state(tmp_path / "a.npz")[1]["state"]["history"][history.index(best)][WHOLE_LOSS] == best[WHOLE_LOSS]


@pytest.mark.usefixtures("short_evaluations")
def test_without_held_out_text_evaluations_measure_a_part_of_the_training_text(toy, tmp_path):
    reporter = Notes()
    train(toy, model=tmp_path / "a.npz", epochs=1, valid_fraction=0.0, reporter=reporter, **SAMPLED)
    (note,) = reporter.about_samples
    assert re.search(r"evaluations are exact and use \d+ of \d+ training tokens$", note)


@pytest.mark.usefixtures("short_evaluations", "compiled_once")
def test_an_extended_run_equals_one_that_was_longer_from_the_beginning(toy, tmp_path):
    long, extended, valid = tmp_path / "a.npz", tmp_path / "b.npz", held_out_text(toy, tmp_path)
    train(toy, model=long, epochs=4, valid=valid, **SAMPLED)
    train(toy, model=extended, epochs=2, valid=valid, **SAMPLED)
    train(None, model=extended, resume=True, epochs=4)
    assert_same_run(extended, long)


def test_a_text_that_is_quickly_evaluated_is_evaluated_as_a_whole(toy, tmp_path):
    lm = train(toy, model=tmp_path / "a.npz", epochs=1, valid_fraction=0.1, **SAMPLED)
    assert all(WHOLE_LOSS not in record for record in lm.training["history"])


def test_held_out_losses_are_exact(toy, tmp_path):
    """Also where all text is training text."""
    lm = train(toy, model=tmp_path / "a.npz", epochs=2, valid_fraction=0.0, **SAMPLED)
    sentences = [lm.encode(sentence) for sentence in lm.tokenizer.split(toy.read_text())]
    best = min(record["train_loss"] for record in lm.training["history"])
    assert text_loss(lm.rnn, sentences) == pytest.approx(best, rel=1e-5)
    assert math.isfinite(best)


@pytest.mark.slow
def test_learning_from_samples_reaches_the_loss_of_the_exact_softmax(toy, tmp_path):
    """The words of a sentence are drawn independently, so the best possible loss is known: 3 ln 3 for each sentence."""
    valid = held_out_text(toy, tmp_path)
    settings = {**SAMPLED, "hidden_dim": 16, "epochs": 40, "valid": valid}
    losses = [train(toy, model=tmp_path / f"{n}.npz", **{**settings, "samples": n}).held_out_loss for n in (0, 3)]
    assert losses[1] < losses[0] + 0.02
    assert np.isclose(losses[0], 3 * np.log(3) / 7, atol=0.1)
