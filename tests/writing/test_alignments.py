"""Where a translation looked: weights as a table, a picture and a page."""

import re

import numpy as np
import pytest
from support.translations import PAIRS

from theano_rnn.errors import CorpusError, OptionError, OutputFileError
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.writing.alignments import (
    COLUMNS,
    END,
    Alignment,
    draw_alignment,
    write_alignment_page,
    write_alignments,
)
from theano_rnn.writing.writer_model import Search


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text(f"{PAIRS[0][0]}\n\nThe <b>zebra</b> & the cat.\tLa kat.\n", "utf-8")
    return [str(path), str(path)]


@pytest.fixture
def found(trained, lines):
    return list(trained.alignments(trained.open_inputs(lines), PredictionOptions(beam=2)))


def of_words(source, target):
    weights = np.full((len(target) + 1, len(source) + 1), 1 / (len(source) + 1), np.float32)
    return Alignment(1, source, target, weights)


def test_the_weights_of_each_token_sum_to_1_over_the_source(trained, found):
    assert [one.line for one in found] == [1, 3, 4, 6]
    for one in found:
        assert one.weights.shape == (len(one.target) + 1, len(one.source) + 1) and (one.weights >= 0).all()
        np.testing.assert_allclose(one.weights.sum(axis=1), 1, atol=1e-5)
    assert found[0].source == ["the", "dog", "sees", "the", "dog", "."]
    assert trained.target.text(found[0].target) == trained.translate([PAIRS[0][0]], beam=2)[0]


def test_the_weights_do_not_depend_on_other_sentences(trained, found):
    ((best, *_),) = trained.hypotheses([PAIRS[0][0]], Search(beam=2), keep_weights=True)
    for one in (found[0], found[2]):
        np.testing.assert_allclose(one.weights, best.weights, atol=1e-5)


def test_the_table_has_a_row_for_each_token_of_both_sides(found, tmp_path):
    write_alignments(tmp_path / "a.tsv", found)
    header, *rows = [line.split("\t") for line in (tmp_path / "a.tsv").read_text("utf-8").splitlines()]
    assert tuple(header) == COLUMNS
    assert len(rows) == sum(one.weights.size for one in found)
    first = [row for row in rows if row[0] == "1"]
    np.testing.assert_allclose([float(row[5]) for row in first], found[0].weights.ravel(), atol=1e-6)
    assert {(row[1], row[2]) for row in first} == {(str(t), w) for t, w in enumerate([*found[0].target, END], 1)}
    assert [row[4] for row in first if row[1] == "1"] == [*found[0].source, END]


def test_the_picture_is_a_picture_of_the_first_translation(found, tmp_path):
    pytest.importorskip("matplotlib")
    draw_alignment(tmp_path / "a.png", iter(found))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    long = of_words(["$x^2$", "_", "word" * 30, "\x07", "語"] * 20, ["a"] * 70)
    draw_alignment(tmp_path / "long.png", [long])
    with pytest.raises(CorpusError, match="there are no sentences whose attention could be drawn"):
        draw_alignment(tmp_path / "none.png", [])
    assert not (tmp_path / "none.png").exists()


def test_the_page_has_a_block_for_each_translation_and_escapes_html(trained, found, lines, tmp_path):
    trained.write_page(tmp_path / "p.html", trained.open_inputs(lines), {"model": "<m>"}, PredictionOptions(beam=2))
    page = (tmp_path / "p.html").read_text("utf-8")
    blocks = re.findall(r'<div class="t">.*?</div>', page, re.DOTALL)
    assert len(blocks) == len(found) == 4
    assert "&lt;m&gt;" in page and "<m>" not in page and "<b>" not in page and "zebra" in blocks[1]
    for block, one in zip(blocks, found, strict=True):
        weights = re.findall(r'data-w="([^"]*)"', block)
        assert [len(row.split()) for row in weights] == [len(one.source) + 1] * (len(one.target) + 1)
        assert block.count("<span") == len(one.source) + len(one.target) + 2
    write_alignment_page(tmp_path / "q.html", {}, [of_words(["<script>", '"'], ["&", "'"])])
    assert "<span>&lt;script&gt;</span> <span>&quot;</span>" in (tmp_path / "q.html").read_text("utf-8")


def test_a_model_without_attention_has_no_alignments(without_attention, lines, tmp_path):
    with pytest.raises(
        OptionError, match="alignments: the model was trained without attention, which it would show; leave it out"
    ):
        list(without_attention.alignments(without_attention.open_inputs(lines)))
    with pytest.raises(OptionError, match="the model was trained without attention"):
        without_attention.write_page(tmp_path / "p.html", without_attention.open_inputs(lines), {})
    assert not (tmp_path / "p.html").exists()


def test_too_long_a_source_is_named_with_its_file_and_line(trained, tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("The dog.\n" + "dog " * 5000, "utf-8")
    with pytest.raises(CorpusError, match=r"long\.txt, line 2: a sentence has 5,000 tokens, and the most is 1,000"):
        list(trained.alignments(trained.open_inputs([str(path)])))


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    for write in (write_alignments, lambda path, found: write_alignment_page(path, {}, found)):
        with pytest.raises(OutputFileError, match="cannot be written: Is a directory"):
            write(tmp_path, [of_words(["a"], ["b"])])
