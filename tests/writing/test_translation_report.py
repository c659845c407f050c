"""The figures of an evaluation are sacrebleu's own, and the perplexity follows from the loss."""

import importlib.util
import json

import numpy as np
import pytest

from theano_rnn.errors import OptionError
from theano_rnn.writing.translation_report import TranslationReport

WORDS = ["the", "The", "dog", "cat,", "isn't", "1,000", "x-y", "sees", "a", "."]


@pytest.fixture(scope="module")
def metrics():
    return pytest.importorskip("sacrebleu.metrics")


@pytest.fixture(scope="module")
def sentences():
    draw = np.random.default_rng(4)
    references = [list(draw.choice(WORDS, draw.integers(1, 12))) for _ in range(60)]
    found = [[word if draw.random() < 0.8 else "?" for word in one] for one in references]
    found[3] = []
    return [" ".join(one) for one in found], [" ".join(one) for one in references]


@pytest.mark.parametrize("tokenized", [False, True])
@pytest.mark.parametrize("lowercase", [False, True])
def test_bleu_and_chrf_are_those_of_sacrebleu_with_its_signature(metrics, sentences, tokenized, lowercase):
    found, references = sentences
    report = TranslationReport(found, references, 1.5, 7, is_tokenized=tokenized, is_lowercase=lowercase)
    bleu = metrics.BLEU(tokenize="none" if tokenized else "13a", lowercase=lowercase)
    assert 20 < report.bleu == bleu.corpus_score(found, [references]).score < 90
    assert report.chrf == metrics.CHRF(lowercase=lowercase).corpus_score(found, [references]).score
    assert report.signature == str(bleu.get_signature())
    assert f"tok:{'none' if tokenized else '13a'}" in report.signature
    assert f"case:{'lc' if lowercase else 'mixed'}" in report.signature


def test_the_lines_and_the_figures_say_the_same(metrics):
    report = TranslationReport(["a b c d e"] * 2, ["a b c d e"] * 2, np.log(3), 1200)
    figures = json.loads(json.dumps(report.figures()))
    assert figures["bleu"] == pytest.approx(100) and figures["chrf"] == pytest.approx(100)
    assert figures["perplexity"] == pytest.approx(3) and (figures["tokens"], figures["number"]) == (1200, 2)
    assert report.lines() == [
        f"BLEU 100.00 ({report.signature})",
        "chrF2 100.00",
        "perplexity 3.000 per token (1,200 tokens of 2 translations)",
    ]
    assert np.isfinite(TranslationReport(["a"], ["b"], 1e6, 1).perplexity)


def test_an_evaluation_has_no_picture(metrics, tmp_path):
    with pytest.raises(OptionError, match="plot: draws the attention of one translation; leave `evaluate` out"):
        TranslationReport(["a"], ["b"], 1.0, 1).draw(tmp_path / "p.png")


def test_without_the_library_the_extra_is_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "sacrebleu" else find(name))
    with pytest.raises(OptionError, match=r"needs the library sacrebleu.*pip install \"\.\[translate\]\""):
        TranslationReport(["a"], ["b"], 1.0, 1)
