"""Figures of a classification equal scikit-learn's, and are shown as text and picture."""

import numpy as np
import pytest

from theano_rnn.tasks.classification_report import ClassificationReport


def random_report(labels=4, n=200, seed=0):
    generator = np.random.default_rng(seed)
    right = generator.integers(0, labels - 1, n)  # the last label never occurs
    predicted = np.where(generator.random(n) < 0.6, right, generator.integers(0, labels, n))
    return right, predicted, ClassificationReport([f"label {i}" for i in range(labels)], right, predicted)


def test_figures_equal_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    right, predicted, report = random_report()
    labels = range(4)
    np.testing.assert_array_equal(report.confusion, metrics.confusion_matrix(right, predicted, labels=labels))
    expected = metrics.precision_recall_fscore_support(right, predicted, labels=labels, zero_division=0)
    np.testing.assert_allclose(report.of_labels().T, expected[:3])
    assert report.accuracy == pytest.approx(metrics.accuracy_score(right, predicted))
    figures = report.figures()
    assert figures["macro_f1"] == pytest.approx(expected[2].mean())
    assert [one["number"] for one in figures["labels"].values()] == expected[3].tolist()


def test_a_large_confusion_matrix_is_not_shown_as_text_and_long_names_are_cut():
    labels = ["a" * 100, *(f"b{i}" for i in range(40))]
    report = ClassificationReport(labels, [0, 1], [0, 2])
    lines = report.lines()
    assert len(lines) == 1 + 1 + len(labels) + 1
    assert lines[2].startswith("a" * 23 + "…  ")


@pytest.mark.parametrize("labels", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_the_picture_of_a_confusion_matrix_is_a_png(tmp_path, labels):
    pytest.importorskip("matplotlib")
    report = random_report(labels)[2]
    report.draw(tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
