"""The sample of reviews: made again byte for byte, labels drawn with the stated probabilities, rules that are true."""

import math
import runpy
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
MAKER = runpy.run_path(str(DATA / "make_reviews.py"))
REVIEWS = list(MAKER["read_reviews"](DATA / "reviews.tsv"))


def test_the_script_writes_the_shipped_file_again(tmp_path):
    MAKER["main"](["--output", str(tmp_path)])
    assert (tmp_path / "reviews.tsv").read_bytes() == (DATA / "reviews.tsv").read_bytes()


def test_another_seed_and_number_give_other_reviews(tmp_path):
    MAKER["main"](["--output", str(tmp_path), "--seed", "2", "--reviews", "10"])
    found = list(MAKER["read_reviews"](tmp_path / "reviews.tsv"))
    assert len(found) == 10 and found != REVIEWS[:10]


def test_the_best_possible_figures_are_those_of_the_data_readme(capsys):
    accuracy, loss = MAKER["best_possible"](REVIEWS)
    MAKER["main"](["--best"])
    shown = capsys.readouterr().out
    assert f"{100 * accuracy:.2f} %" in shown and f"{loss:.4f} nats" in shown
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert f"{100 * accuracy:.2f} %" in readme and f"{loss:.4f}" in readme


def test_labels_are_drawn_with_the_stated_probabilities():
    for score in (-1, 0, 1):
        labels = Counter(review.label for review in REVIEWS if review.score == score)
        total = labels.total()
        for label, p in MAKER["probabilities"](score).items():
            assert labels[label] == pytest.approx(p * total, abs=4 * math.sqrt(total * p * (1 - p)))
        assert sum(MAKER["probabilities"](score).values()) == pytest.approx(1)


def test_no_text_has_two_scores():
    scores = {}
    for review in REVIEWS:
        assert scores.setdefault(review.text, review.score) == review.score


def test_words_of_judgment_are_in_one_list_alone():
    assert not set(MAKER["GOOD"]) & set(MAKER["BAD"])
    assert not (set(MAKER["GOOD"]) | set(MAKER["BAD"])) & set(MAKER["PLAIN"])
