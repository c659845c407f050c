"""The likely reason for a bad network is decided from the losses of its run."""

import pytest

from theano_rnn.commands.option_names import flag
from theano_rnn.ngrams.likely_reason import likely_reason

OPTIONS = {
    "epochs": 4,
    "hidden_dim": 50,
    "dropout": 0.0,
    "samples": 0,
    "tutorial": False,
    "vocabulary_size": 1000,  # an untrained network has the loss ln 1000 = 6.9
}
LARGE, UNIGRAM = 1_000_000, 5.0


def history(*losses, epochs=1):
    """The records of evaluations with these pairs of training and held-out loss."""
    return [
        {"epoch": number * epochs, "train_loss": train, "valid_loss": valid, "learning_rate": 0.004 / number}
        for number, (train, valid) in enumerate(losses, start=1)
    ]


def reason(*losses, tokens=LARGE, epochs=1, **options):
    return likely_reason(history(*losses, epochs=epochs), {**OPTIONS, **options}, tokens, UNIGRAM, flag)


CASES = {
    "one evaluation": (((6.0, 5.5),), "too few epochs (1 so far); raise --epochs", {"epochs": 8}),
    "a loss that still falls": (
        ((6.0, 5.5), (5.2, 4.9)),
        "too few epochs (its held-out loss still fell by 0.60 in the last one); raise --epochs",
        {"epochs": 8},
    ),
    "the plateau of the first epochs": (
        ((6.0, 5.2), (5.3, 5.195), (5.2, 5.193)),
        "too few epochs (3 so far); raise --epochs",
        {"epochs": 8},
    ),
    "losses that barely fall": (
        tuple((6.9 - step / 1000, 6.91 - step / 1000) for step in range(6)),
        "too low a learning rate (its held-out loss fell by only 0.001 in the last epoch, and is above the unigram's); "
        "raise --learning-rate",
        {"learning_rate": 0.01},
    ),
    "a training loss that rises": (
        ((5.0, 4.8), (4.5, 4.6), (5.3, 5.4)),
        "too high a learning rate (its training loss rose to 5.30); lower --learning-rate",
        {"learning_rate": 0.001},
    ),
    "a loss above that of an untrained network": (
        ((70.0, 60.0), (50.0, 40.0)),
        "too high a learning rate (its training loss rose to 50.00); lower --learning-rate",
        {"learning_rate": 0.001},
    ),
    "a plateau above the unigrams": (
        tuple((5.4, 5.3 + step / 1000) for step in range(6)),
        "too high a learning rate (its held-out loss no longer falls, and is above the unigram's); lower "
        "--learning-rate",
        {"learning_rate": 0.001},
    ),
    "overfitting": (
        ((4.5, 4.6), (3.9, 4.5), (3.0, 4.7)),
        "the network learns a text by heart that is too small for it (training loss 3.00, held-out loss 4.70); train "
        "on more text, or raise --dropout",
        {"dropout": 0.3},
    ),
    "a plateau": (
        ((4.5, 4.6), (4.4, 4.5), (4.4, 4.5)),
        "too small a network (50 hidden units, and its held-out loss no longer falls); raise --hidden-dim",
        {"hidden_dim": 100},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_losses_decide(case):
    losses, text, changes = CASES[case]
    found = reason(*losses)
    assert (found.text, found.changes) == (text, changes)


def test_a_small_text_is_a_reason_once_the_loss_no_longer_falls():
    plateau = ((4.5, 4.6), (4.4, 4.5), (4.4, 4.5))
    found = reason(*plateau, tokens=5000)
    assert (found.text, found.changes) == ("too small a text (5,000 training tokens); train on more text", {})
    assert "too few epochs" in reason(*plateau[:2], tokens=5000).text
    assert "too small a network" in reason(*plateau, tokens=0).text


def test_a_loss_over_candidates_does_not_show_overfitting():
    losses = ((4.5, 4.6), (3.0, 4.6), (2.9, 4.6))
    assert "by heart" in reason(*losses).text
    assert "too small a network" in reason(*losses, samples=500).text


def test_what_the_tutorial_decides_is_not_advised():
    assert reason(*CASES["a plateau above the unigrams"][0], tutorial=True).changes == {}
    assert reason(*CASES["losses that barely fall"][0], tutorial=True).text.endswith("raise it: leave out --tutorial")
    assert "dropout" not in reason(*CASES["overfitting"][0], tutorial=True).text


def test_the_fall_is_that_of_one_epoch_and_records_without_losses_do_not_count():
    found = reason((6.0, 5.5), (5.2, 4.9), epochs=10)
    assert "fell by 0.06 in the last one" in found.text
    records = [{"epoch": 0, "train_loss": None, "valid_loss": 6.0, "learning_rate": 0.004}]
    assert "none so far" in likely_reason(records, OPTIONS, LARGE, UNIGRAM).text
    assert "too few epochs (1 so far)" in likely_reason([*records, *history((6.0, 5.5))], OPTIONS, LARGE).text


def test_more_dropout_is_a_share_of_what_is_left():
    assert reason(*CASES["overfitting"][0], dropout=0.5).changes == {"dropout": 0.65}
