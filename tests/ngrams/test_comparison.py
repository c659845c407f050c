"""What a user reads of a network and simple models."""

import math

import pytest

from theano_rnn.language_models.text_model import WHOLE_LOSS
from theano_rnn.ngrams.baselines import Baselines
from theano_rnn.ngrams.comparison import comparison, network_figure, shortfall

LOSSES = {"unigram": math.log(200), "Kneser-Ney bigram": math.log(50), "trigram": math.log(40)}
WORDS = Baselines("loss", LOSSES, 1000, 1000)
LABELS = Baselines("accuracy", {"most frequent label": 0.25, "most frequent label of each word": 0.75})


def training(valid_loss, level="word", **record):
    options = {"tutorial": False, "level": level, "epochs": 2, "hidden_dim": 9, "dropout": 0.0, "vocabulary_size": 900}
    first = {"epoch": 1, "train_loss": 5.0, "valid_loss": valid_loss + 1, "learning_rate": 0.1, "perplexity": 9.0}
    best = {**first, "epoch": 2, "valid_loss": valid_loss, **record}
    return {"options": options, "history": [first, best]}


def test_perplexities_are_shown_side_by_side():
    line = "perplexity on the held-out text: network 30.00, unigram 200.00, Kneser-Ney bigram 50.00, trigram 40.00"
    assert comparison(training(math.log(30)), WORDS) == line


def test_characters_have_bits():
    expected = "bits/char on the held-out text: network 2.00, unigram 7.64, Kneser-Ney bigram 5.64, trigram 5.32"
    assert comparison(training(math.log(4), "char"), WORDS) == expected


def test_labels_have_accuracies():
    expected = (
        "accuracy on the held-out data: network 80.0 %, most frequent label 25.0 %, "
        "most frequent label of each word 75.0 %"
    )
    assert comparison(training(1.0, accuracy=0.8, error=0.2), LABELS) == expected


def test_a_part_of_the_text_is_mentioned():
    line = comparison(training(1.0), Baselines("loss", LOSSES, 4_000_000, 9_000_000))
    assert line.endswith("trigram 40.00 (n-grams of 4,000,000 of 9,000,000 training tokens)")


def test_the_loss_on_all_held_out_text_is_compared_if_evaluations_measured_a_part_of_it():
    assert network_figure(training(3.0), WORDS) == 3.0
    assert network_figure(training(3.0, **{WHOLE_LOSS: 3.5}), WORDS) == 3.5


@pytest.mark.parametrize("network, is_worse", [(51, True), (50, False), (45, False), (30, False)])
def test_a_network_that_is_worse_than_the_bigram_has_a_likely_reason(network, is_worse):
    found = shortfall(training(LOSSES["Kneser-Ney bigram"] + math.log(network / 50)), WORDS)
    assert (found is not None) == is_worse
    if found:
        assert found.text.startswith("the network is worse than the Kneser-Ney bigram; likely reason: too few epochs (")
        assert found.changes == {"epochs": 4}


@pytest.mark.parametrize("accuracy, is_worse", [(0.74, True), (0.75, False)])
def test_a_network_must_label_better_than_the_best_simple_model(accuracy, is_worse):
    found = shortfall(training(1.0, accuracy=accuracy, error=1 - accuracy), LABELS)
    assert (found is not None) == is_worse
    if found:
        assert "worse than the most frequent label of each word; likely reason: too few epochs" in found.text
