"""BLEU of descriptions: that of sacrebleu with the same references, and counted by hand."""

import math
from collections import Counter

import pytest

pytest.importorskip("sacrebleu")

from theano_rnn.errors import OptionError
from theano_rnn.writing.description_report import DescriptionReport

FOUND = ["a red ball is here .", "two cats sleep on a mat"]
REFERENCES = [
    ["a red ball lies here .", "the ball is red ."],
    ["two cats on the mat", "a cat sleeps", "cats sleep on a mat"],
]


def bleu_by_hand(order):
    """Papineni et al. 2002: clipped counts against the largest count in any reference, and the closest length."""
    logs = 0.0
    for n in range(1, order + 1):
        right = total = 0
        for text, references in zip(FOUND, REFERENCES, strict=True):
            grams = [
                Counter(zip(*(words[i:] for i in range(n)), strict=False))
                for words in map(str.split, [text, *references])
            ]
            right += sum(min(count, max(one[gram] for one in grams[1:])) for gram, count in grams[0].items())
            total += sum(grams[0].values())
        logs += math.log(right / total) / order
    lengths = [len(text.split()) for text in FOUND]
    closest = [
        min((len(one.split()) for one in references), key=lambda size: (abs(size - length), size))
        for length, references in zip(lengths, REFERENCES, strict=True)
    ]
    return 100 * math.exp(logs + min(0.0, 1 - sum(closest) / sum(lengths)))


def test_bleu_of_each_order_is_that_counted_by_hand():
    report = DescriptionReport(FOUND, REFERENCES, math.log(3.0), 20)
    assert report.bleu == pytest.approx([bleu_by_hand(order) for order in (1, 2, 3, 4)], abs=1e-9)
    assert report.perplexity == pytest.approx(3.0)
    figures = report.figures()
    assert figures["bleu_2"] == report.bleu[1] and figures["images"] == 2 and figures["sentences"] == 5
    assert report.lines()[0].startswith(f"BLEU-1 {report.bleu[0]:.1f}")


def test_a_missing_order_is_zero_without_smoothing():
    assert DescriptionReport(["a b"], [["a c"]], 1.0, 3).bleu[1:] == [0.0, 0.0, 0.0]


def test_there_is_no_picture(tmp_path):
    with pytest.raises(OptionError, match="plot: has no effect on descriptions of images"):
        DescriptionReport(FOUND, REFERENCES, 1.0, 1).draw(tmp_path / "a.png")
