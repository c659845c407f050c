"""A network learns from a text of a few thousand characters with every seed."""

import random

import pytest

from theano_rnn.training.train_model import train

SEEDS = 20
SPREAD = 1.2  # largest ratio of the perplexities of the worst and the best seed


pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


def tunes(length):
    """Text that resembles ABC notation of tunes."""
    generator, text, number = random.Random(1), "", 0
    while len(text) < length:
        number += 1
        bars = ["".join(generator.choices(["G", "e2", "d", "B", "A/2", "c", "f2"], k=4)) for _ in range(8)]
        lines = "| ".join(bars[:4]), "| ".join(bars[4:])
        text += f"X:{number}\nT:Tune {number}\nM:4/4\nK:{generator.choice('GCD')}\n|:{lines[0]}|\n{lines[1]}:|\n\n"
    return text[:length]


def prose(length):
    generator, text = random.Random(2), ""
    while len(text) < length:
        who, whom = generator.sample(["the old dog", "a cat", "my sister", "the fox", "our neighbour"], 2)
        text += f"{who.capitalize()} {generator.choice(['sees', 'likes', 'hears'])} {whom}.\n"
    return text[:length]


@pytest.mark.slow
@pytest.mark.parametrize(
    "text, settings",
    [
        (tunes(2000), {"level": "char"}),
        (tunes(9000), {"level": "char", "hidden_dim": 64}),
        (prose(2000), {"level": "char"}),
    ],
    ids=["tunes of 2 KB", "tunes of 9 KB", "prose of 2 KB"],
)
def test_every_seed_ends_near_the_best_one(tmp_path, text, settings):
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    found = []
    for seed in range(1, SEEDS + 1):
        lm = train(path, model=tmp_path / "m.npz", overwrite=True, seed=seed, epochs=25, **settings)
        found.append(min(record["perplexity"] for record in lm.training["history"]))
    assert max(found) <= SPREAD * min(found), sorted(found)


@pytest.mark.parametrize("seed", [1, *(pytest.param(one, marks=pytest.mark.slow) for one in (2, 3))])
def test_a_seed_that_once_failed_to_learn_now_learns(tmp_path, seed):
    """The unigram perplexity of such a text is above 12."""
    path = tmp_path / "text.txt"
    path.write_text(tunes(4000), encoding="utf-8")
    lm = train(path, model=tmp_path / "m.npz", seed=seed, level="char", epochs=12, hidden_dim=32)
    assert min(record["perplexity"] for record in lm.training["history"]) < 6
