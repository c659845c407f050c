"""Figures of entities equal seqeval's, and are shown with those of unknown words."""

import json

import numpy as np
import pytest

from theano_rnn.tasks.tagging_report import TaggingReport, are_entity_tags, count_entities, entities_of

TAGS = ["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("PER", "A-B"))]


def random_tags(seed, sentences=300):
    """Sentences of tags in any order, also such as no scheme allows, and others that often agree with them."""
    generator = np.random.default_rng(seed)
    right, predicted = [], []
    for length in generator.integers(1, 12, sentences):
        numbers = generator.integers(0, len(TAGS), length)
        right.append([TAGS[i] for i in numbers])
        kept = generator.random(length) < 0.8
        predicted.append([TAGS[i] for i in np.where(kept, numbers, generator.integers(0, len(TAGS), length))])
    return right, predicted


@pytest.mark.parametrize("tags", ["BI", "BIES"])
def test_entities_equal_those_of_seqeval_also_for_tags_that_contradict_the_scheme(tags):
    metrics = pytest.importorskip("seqeval.metrics")
    right, predicted = (
        [["O" if one[0] not in tags else one for one in sentence] for sentence in sentences]
        for sentences in random_tags(len(tags))
    )
    expected = metrics.classification_report(right, predicted, output_dict=True, zero_division=0)
    labels = sorted({tag for one in [*right, *predicted] for tag in one})
    numbers = [[labels.index(tag) for one in sentences for tag in one] for sentences in (right, predicted)]
    ends = np.cumsum([len(one) for one in right]).tolist()
    report = TaggingReport(labels, *numbers, None, [True] * ends[-1], ends)
    found = {name: values for name, *values in report.of_entities()}
    assert found.keys() == {"PER", "A-B", "all"}
    for name, values in found.items():
        theirs = expected["micro avg" if name == "all" else name]
        np.testing.assert_allclose(values, [theirs[key] for key in ("precision", "recall", "f1-score", "support")])


@pytest.mark.parametrize(
    "tags, expected",
    [
        ("B-X I-X I-X O B-X", [(0, 3, "X"), (4, 5, "X")]),
        ("B-X B-X", [(0, 1, "X"), (1, 2, "X")]),
        ("I-X I-Y E-Y I-Y", [(0, 1, "X"), (1, 3, "Y"), (3, 4, "Y")]),
        ("S-X S-X I-X", [(0, 1, "X"), (1, 2, "X"), (2, 3, "X")]),
        ("B-X E-X E-X", [(0, 2, "X"), (2, 3, "X")]),
        ("B-X-Y I-X-Y B-X", [(0, 2, "X-Y"), (2, 3, "X")]),
        ("O O", []),
        ("", []),
    ],
)
def test_entities_are_those_that_conlleval_finds(tags, expected):
    assert list(entities_of(tags.split())) == expected


def test_an_entity_counts_only_if_both_ends_and_its_type_are_right():
    right = [["B-X", "I-X", "O", "B-Y"], ["B-Y", "O"]]
    predicted = [["B-X", "O", "O", "B-X"], ["B-Y", "O"]]
    assert count_entities(predicted, right) == {"X": (0, 2, 1), "Y": (1, 1, 2)}


@pytest.mark.parametrize(
    "labels, expected",
    [
        (["B-X", "I-X", "O"], True),
        (["S-X"], True),
        (["O"], False),
        (["B-X", "NN"], False),
        (["B", "I"], False),
        (["B-"], False),
    ],
)
def test_entities_are_counted_for_bio_and_iobes_tags_alone(labels, expected):
    assert are_entity_tags(labels) is expected


def test_the_report_of_tags_shows_unknown_words_and_entities():
    report = TaggingReport(["B-X", "O"], [0, 1, 0, 1], [0, 1, 1, 1], 0.25, [True, False, False, True], [2, 4])
    assert report.unknown_words == (1, 2)
    lines = report.lines()
    assert lines[0] == "accuracy 75.00 % (3 of 4), loss 0.2500 nats"
    assert lines[1] == "unknown words: accuracy 50.00 % (1 of 2)"
    assert [line.split() for line in lines[3:5]] == [
        ["X", "100.00", "50.00", "66.67", "2"], ["all", "100.00", "50.00", "66.67", "2"],
    ]  # fmt: skip
    figures = json.loads(json.dumps(report.figures()))
    assert figures["unknown_words"] == {"accuracy": 0.5, "number": 2}
    assert figures["entities"]["X"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "number": 2}


def test_a_report_without_unknown_words_and_entities_says_so():
    report = TaggingReport(["DET", "NOUN"], [0, 1], [0, 1], 0.0, [True, True], [2])
    assert report.entities is None and "entities" not in report.figures()
    assert report.figures()["unknown_words"] == {"accuracy": None, "number": 0}
    assert report.lines()[1] == "unknown words: none"
    empty = TaggingReport(["B-X", "O"], [1], [1], 0.0, [True], [1])
    assert empty.of_entities() == [("all", 0.0, 0.0, 0.0, 0)]
