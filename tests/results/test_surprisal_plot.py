"""The histogram of surprisal and the table of the worst sentences."""

import math

import numpy as np
import pytest

from theano_rnn.results.surprisal_plot import BINS_PER_BIT, LONGEST_TEXT, MOST_BITS, WORST_SENTENCES, SurprisalPlot
from theano_rnn.text.vocabulary import SENTENCE_END


def sentence(line, bits, known=None):
    """A sentence whose tokens, including the end, have these bits."""
    values = -np.array(bits, dtype=np.float64) * math.log(2)
    known = np.ones(len(bits), bool) if known is None else np.array(known)
    return line, [*["x"] * (len(bits) - 1), SENTENCE_END], values, known


def plotted(sentences, path=None):
    plot = SurprisalPlot(path)
    for one in sentences:
        plot.add_sentence(*one)
    return plot


def random_sentences(count, seed, scale=6.0):
    generator = np.random.default_rng(seed)
    for i in range(count):
        bits = generator.exponential(scale, generator.integers(1, 12))
        yield sentence(f"sentence {i}", bits, generator.random(len(bits)) < 0.8)


@pytest.mark.parametrize("scale", [0.05, 0.5, 6.0, 40.0])
def test_the_bars_count_every_token_once(scale):
    sentences = list(random_sentences(200, 1, scale))
    plot = plotted(sentences)
    values = np.concatenate([values for _, _, values, _ in sentences])
    known = np.concatenate([known for *_, known in sentences])
    edges, counts = plot.bars()
    assert counts.sum() == len(values) == plot.statistics.tokens
    assert counts.sum(axis=1).tolist() == [known.sum(), (~known).sum()]
    bits = np.minimum(-values / math.log(2), MOST_BITS - 1e-6)
    fine = np.floor(bits * BINS_PER_BIT) / BINS_PER_BIT + 0.5 / BINS_PER_BIT
    for found, chosen in zip(counts, (known, ~known), strict=True):
        np.testing.assert_array_equal(found, np.histogram(fine[chosen], edges)[0])
    assert len(edges) <= 61 and counts[:, -1].any()


def test_the_figure_shows_the_counts():
    plot = plotted(random_sentences(50, 2))
    panel, of_unknown, _ = plot.figure().axes
    drawn = [[bar.get_height() for bar in axes.containers[0]] for axes in (panel, of_unknown)]
    assert drawn == plot.bars()[1].tolist()
    # The panel of the few unknown tokens has its own scale, so that they are visible.
    assert of_unknown.get_ylim()[1] == pytest.approx(1.05 * max(drawn[1])) and max(drawn[1]) < max(drawn[0])
    assert panel.get_xlim() == of_unknown.get_xlim()
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert f"mean {plot.statistics.with_unknown.bits_per_token:.2f} bits" in labels
    assert f"median {plot.median:.2f} bits" in labels


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_mean_and_median_equal_those_of_the_tokens(count):
    sentences = list(random_sentences(count, count))
    plot = plotted(sentences)
    bits = np.concatenate([values for _, _, values, _ in sentences]) / -math.log(2)
    assert plot.median == pytest.approx(np.median(bits), abs=0.5001 / BINS_PER_BIT)
    assert plot.statistics.with_unknown.bits_per_token == pytest.approx(bits.mean(), abs=1e-9)


def test_worst_sentences_are_sorted_by_bits_per_token():
    sentences = list(random_sentences(500, 3))
    expected = sorted(
        ((-values.mean() / math.log(2), i + 1, line) for i, (line, _, values, _) in enumerate(sentences)), reverse=True
    )[:WORST_SENTENCES]
    worst = plotted(sentences).worst
    assert [(number, text) for number, text, _ in worst] == [(number, line) for _, number, line in expected]
    np.testing.assert_allclose(
        [figures.with_unknown.bits_per_token for *_, figures in worst], [bits for bits, *_ in expected]
    )


def test_a_repeated_sentence_is_among_the_worst_once():
    sentences = [sentence("", [9]), sentence("", [9]), *[sentence(f"line {i}", [2, 2]) for i in range(30)]]
    worst = plotted([*sentences, sentence("", [9.00001])]).worst
    assert [(number, text) for number, text, _ in worst] == [(1, ""), *[(i + 3, f"line {i}") for i in range(9)]]


def test_the_table_shows_figures_and_shortened_texts(tmp_path):
    long = "W" * 5000
    plot = plotted([sentence(long, [4, 2, 3], [False, True, True]), sentence("", [1.5]), sentence("$a 猫$", [1, 1])])
    figure = plot.figure()
    upper, _, lower = figure.axes
    texts = [text.get_text() for text in lower.texts][6:]
    assert [texts[i : i + 6] for i in range(0, 18, 6)] == [
        ["3.00", "8.00", "3", "1", "1", texts[5]],
        ["1.50", "2.83", "1", "0", "2", "(a blank line)"],
        ["1.00", "2.00", "2", "0", "3", "$a □$"],
    ]
    assert texts[5].rstrip("…") == long[: len(texts[5]) - 1] and len(texts[5]) < LONGEST_TEXT
    figure.draw_without_rendering()
    assert all(text.get_window_extent().x1 <= figure.bbox.x1 for text in lower.texts)
    assert upper.get_title() == "3 sentences, 6 tokens, 1 unknown, perplexity 4.24 per token"


@pytest.mark.parametrize(
    "line, bits",
    [("", [0.0]), ("a", [700.0, 3]), ("a", [math.inf, 3]), ("نص שלום \U0001f469\u200d\U0001f467 \x00\u202e", [5, 6])],
    ids=["a blank line that is certain", "beyond the bins", "impossible", "other scripts"],
)
def test_a_picture_is_written_for_any_text(tmp_path, line, bits):
    plot = plotted([sentence(line, bits)], tmp_path / "a.png")
    plot.finish()
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_median_above_the_bins_is_infinite():
    plot = plotted([sentence("a", [80.0, 90.0, 100.0])])
    assert plot.median == math.inf
    labels = [text.get_text() for text in plot.figure().axes[0].get_legend().get_texts()]
    assert "median over 64 bits" in labels
    assert plotted([sentence("a", [80.0, 3.0, 2.0])]).median == pytest.approx(3, abs=0.01)


def test_without_unknown_tokens_there_is_one_histogram():
    assert len(plotted([sentence("a", [1.0, 2.0])]).figure().axes) == 2


def test_the_label_mentions_values_above_the_bins():
    label = plotted([sentence("a", [700.0, 3])]).figure().axes[0].get_xlabel()
    assert label == "surprisal of a token, bits (bars of 2; the last bar includes all larger values)"


def test_at_character_level_the_picture_shows_bits_per_character(tmp_path):
    plot = SurprisalPlot(tmp_path / "a.png", level="char")
    plot.add_sentence("a", ["a", "SENTENCE_END"], np.log([0.5, 0.25]), np.array([True, True]))
    assert plot.figure().axes[0].get_title() == "1 sentence, 2 tokens, 0 unknown, 1.50 bits/char"


def test_a_run_that_fails_leaves_no_picture(tmp_path):
    plotted([sentence("a", [1, 2])], tmp_path / "a.png").discard()
    assert list(tmp_path.iterdir()) == []
