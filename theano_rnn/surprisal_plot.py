"""A histogram of the tokens' surprisal and the worst sentences, as a picture; in bounded memory."""

import heapq
import math

import numpy as np

from theano_rnn.pictures import BLUE, GREY, ORANGE, TEXT, drawable, new_figure, write_picture
from theano_rnn.surprisal import CorpusFigures, readable, surprisal

BINS_A_BIT, MOST_BITS = 100, 64  # counted so finely for the median; what is above comes into the last bin
BAR_WIDTHS = (0.1, 0.25, 0.5, 1, 2)  # bits
MOST_BARS = 50
WORST_SENTENCES = 10
LONGEST_TEXT = 100  # characters of a sentence
COLUMNS = {"bits per\ntoken": 0.06, "perplexity": 0.15, "tokens": 0.21, "unknown": 0.28, "line": 0.33}  # right ends
TEXT_COLUMN = 0.35


class SurprisalPlot:
    """Takes sentences one by one as they are scored and draws what it counted when `finish` is called.

    Parameters
    ----------
    path : pathlib.Path
    title : str

    Attributes
    ----------
    figures : CorpusFigures
    counts : int64 array
        (2, bins): tokens of the vocabulary and others, by surprisal; sentence ends counted among the first.
    """

    def __init__(self, path, title=""):
        self.path, self.title = path, title
        self.figures = CorpusFigures()
        self.counts = np.zeros((2, BINS_A_BIT * MOST_BITS), np.int64)
        self._worst = []  # a heap whose first entry is the least bad

    def sentence(self, line, words, values, known):
        """Count a sentence: its line, tokens with the end, ln P of each token, whether it is known."""
        self.figures.add(values, known)
        bins = np.minimum(surprisal(values) * BINS_A_BIT, self.counts.shape[1] - 1).astype(np.intp)
        np.add.at(self.counts, ((~known).astype(np.intp), bins), 1)
        figures = CorpusFigures.of(values, known)
        entry = (figures.bits_per_token, -self.figures.sentences)
        if len(self._worst) == WORST_SENTENCES and entry <= self._worst[0][:2]:
            return
        shown = drawable(line, LONGEST_TEXT)
        if (entry[0], shown) in [(other[0], other[2]) for other in self._worst]:
            return  # the same sentence once more
        add = heapq.heappush if len(self._worst) < WORST_SENTENCES else heapq.heappushpop
        add(self._worst, (*entry, shown, figures))

    def finish(self):
        """Draw and write the picture. Raises OutputFileError where that is impossible."""
        write_picture(self.path, self.figure())

    def discard(self):
        """Leave no picture: for a run that fails."""

    @property
    def worst(self):
        """[(number of its line, its text as it is drawn, its CorpusFigures)], the worst sentence first."""
        return [(-number, text, figures) for _, number, text, figures in sorted(self._worst, reverse=True)]

    @property
    def median(self):
        """The median of the tokens' surprisal in bits, to half a bin."""
        totals = self.counts.sum(axis=0).cumsum()
        middle = (totals[-1] - 1) / 2
        low, high = np.searchsorted(totals, [math.floor(middle), math.ceil(middle)], side="right")
        return (low + high + 1) / 2 / BINS_A_BIT

    def bars(self):
        """(edges in bits, counts of known and of unknown tokens between them): bins put together for the eye."""
        filled = np.flatnonzero(self.counts.any(axis=0))
        most = (filled[-1] + 1) / BINS_A_BIT
        width = next((width for width in BAR_WIDTHS if most <= width * MOST_BARS), BAR_WIDTHS[-1])
        number = math.ceil(most / width)
        counts = np.zeros((2, number), np.int64)
        places = np.arange(self.counts.shape[1]) // round(width * BINS_A_BIT)
        for row, found in zip(counts, self.counts, strict=True):
            row += np.bincount(places, found, minlength=number)[:number].astype(np.int64)
        return width * np.arange(number + 1), counts

    def figure(self):
        """The figure that `finish` writes."""
        worst = self.worst
        figure = new_figure(11, 5.2 + 0.24 * len(worst))
        upper, lower = figure.subplots(2, height_ratios=(4, 0.7 + 0.24 * len(worst)))
        if self.title:
            figure.suptitle(drawable(self.title, LONGEST_TEXT), parse_math=False)
        self.draw_histogram(upper)
        texts = draw_sentences(lower, worst)
        figure.draw_without_rendering()  # only now is known how wide the panels are
        for text in texts:
            shorten(text, lower)
        return figure

    def draw_histogram(self, panel):
        edges, (known, unknown) = self.bars()
        figures = self.figures
        style = {"width": np.diff(edges), "align": "edge", "edgecolor": "white", "linewidth": 0.4}
        panel.bar(edges[:-1], known, color=BLUE, label="in the vocabulary, sentence ends counted", **style)
        if figures.unknown:
            panel.bar(edges[:-1], unknown, bottom=known, color=ORANGE, label="unknown", **style)
        mean, median = figures.bits_per_token, self.median
        panel.axvline(mean, color=TEXT, linewidth=1.4, label=f"mean {mean:.2f} bits")
        panel.axvline(median, color=TEXT, linewidth=1.4, linestyle="--", label=f"median {median:.2f} bits")
        panel.set_title(
            f"{figures.sentences:,} sentences, {figures.tokens:,} tokens, {figures.unknown:,} unknown "
            f"({figures.unknown_share:.2%}), perplexity {readable(figures.perplexity)} per token",
            fontsize="medium",
        )
        last = ", the last bar with all above" * bool(self.counts[:, -1].any())
        panel.set_xlabel(f"surprisal of a token, bits (bars of {edges[1]:g}{last})")
        panel.set_ylabel("tokens")
        panel.set_xlim(0, edges[-1])
        panel.set_ylim(0, 1.05 * (known + unknown).max())
        panel.grid(axis="y", color="#dddddd", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.legend(fontsize="small")


def draw_sentences(panel, worst):
    """A table of the worst sentences; returns their texts, which may be too long."""
    panel.set_axis_off()
    panel.set_title("The worst sentences: most bits per token, each text once", loc="left", fontsize="medium")
    panel.set_ylim(len(worst) + 1, 0)
    texts = []
    for name, right in COLUMNS.items():
        panel.text(right, 0.5, name, ha="right", va="center", color=GREY, fontsize="small")
    panel.text(TEXT_COLUMN, 0.5, "sentence", va="center", color=GREY, fontsize="small")
    for row, (number, text, figures) in enumerate(worst, 1):
        cells = (
            f"{figures.bits_per_token:.2f}",
            readable(figures.perplexity),
            f"{figures.tokens:,}",
            f"{figures.unknown:,}",
            f"{number:,}",
        )
        for cell, right in zip(cells, COLUMNS.values(), strict=True):
            panel.text(right, row + 0.5, cell, ha="right", va="center", fontsize="small")
        texts.append(panel.text(TEXT_COLUMN, row + 0.5, text, va="center", fontsize="small", parse_math=False))
        texts[-1].set_in_layout(False)
        if not text:
            texts[-1].set(text="(a blank line)", color=GREY)
    return texts


def shorten(text, panel):
    """Shorten a text until it ends within its panel."""
    while text.get_window_extent().x1 > panel.get_window_extent().x1:
        text.set_text(text.get_text()[:-2].rstrip() + "…")
