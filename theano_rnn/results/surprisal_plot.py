"""A histogram of the tokens' surprisal and the worst sentences, as a picture; in bounded memory."""

import heapq
import math

import numpy as np

from theano_rnn.results.pictures import BLUE, GREY, ORANGE, TEXT, drawable, new_figure, write_picture
from theano_rnn.results.surprisal import bits_per_token, readable, surprisal
from theano_rnn.results.text_statistics import TextStatistics

BINS_A_BIT, MOST_BITS = 100, 64  # counted so finely for the median; what is above comes into the last bin
BAR_WIDTHS = (0.1, 0.25, 0.5, 1, 2)  # bits
MOST_BARS = 60
WORST_SENTENCES = 10
LONGEST_TEXT = 100  # characters of a sentence
COLUMNS = {"bits per\ntoken": 0.06, "perplexity": 0.15, "tokens": 0.21, "unknown": 0.28, "number": 0.34}  # right ends
TEXT_COLUMN = 0.36


class SurprisalPlot:
    """Takes sentences one by one as they are scored and draws what it counted when `finish` is called.

    Parameters
    ----------
    path : pathlib.Path
    title : str

    Attributes
    ----------
    statistics : TextStatistics
    counts : int64 array
        (2, bins): tokens of the vocabulary and others, by surprisal; sentence ends counted among the first.
    """

    def __init__(self, path, title=""):
        self.path, self.title = path, title
        self.statistics = TextStatistics()
        self.counts = np.zeros((2, BINS_A_BIT * MOST_BITS), np.int64)
        self._worst = []  # a heap whose first entry is the least bad

    def sentence(self, line, words, values, known):
        """Count a sentence: its line, tokens with the end, ln P of each token, whether it is known."""
        figures = TextStatistics.of(values, known)
        self.statistics.add(figures)
        bins = np.minimum(surprisal(values) * BINS_A_BIT, self.counts.shape[1] - 1).astype(np.intp)
        np.add.at(self.counts, ((~known).astype(np.intp), bins), 1)
        entry = (bits_per_token(figures.including), -self.statistics.sentences)
        if len(self._worst) == WORST_SENTENCES and entry <= self._worst[0][:2]:
            return
        shown = drawable(line, LONGEST_TEXT)
        if any(shown == text and math.isclose(entry[0], bits, rel_tol=1e-4) for bits, _, text, _ in self._worst):
            return  # the same sentence once more, but for rounding in another batch
        add = heapq.heappush if len(self._worst) < WORST_SENTENCES else heapq.heappushpop
        add(self._worst, (*entry, shown, figures))

    def finish(self):
        """Draw and write the picture of at least one sentence. Raises OutputFileError where that is impossible."""
        write_picture(self.path, self.figure())

    def discard(self):
        """Leave no picture: for a run that fails."""

    @property
    def worst(self):
        """[(its number, its text as it is drawn, its TextStatistics)], the worst sentence first."""
        return [(-number, text, figures) for _, number, text, figures in sorted(self._worst, reverse=True)]

    @property
    def median(self):
        """The median of the tokens' surprisal in bits, to half a bin; infinite if it is above the bins."""
        totals = self.counts.sum(axis=0).cumsum()
        middle = (totals[-1] - 1) / 2
        low, high = np.searchsorted(totals, [math.floor(middle), math.ceil(middle)], side="right")
        return math.inf if high == len(totals) - 1 else (low + high + 1) / 2 / BINS_A_BIT

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
        worst, has_unknown = self.worst, bool(self.statistics.unknown)
        heights = [4, *[1.4] * has_unknown, 0.7 + 0.24 * len(worst)]
        figure = new_figure(11, 1.2 + sum(heights))
        upper, *middle, lower = figure.subplots(len(heights), height_ratios=heights)
        if self.title:
            figure.suptitle(drawable(self.title, LONGEST_TEXT), parse_math=False)
        self.draw_histograms(upper, *middle)
        texts = draw_sentences(lower, worst)
        figure.draw_without_rendering()  # only now is known how wide the panels are
        for text in texts:
            shorten(text, lower)
        return figure

    def draw_histograms(self, panel, of_unknown=None):
        """Tokens of the vocabulary, and the few others in a panel of their own, where they can be seen."""
        edges, (known, unknown) = self.bars()
        statistics = self.statistics
        draw_bars(panel, edges, known, "tokens", color=BLUE, label="in the vocabulary, sentence ends counted")
        mean, median = bits_per_token(statistics.including), self.median
        panel.axvline(mean, color=TEXT, linewidth=1.4, label=f"mean {mean:.2f} bits")
        shown = f"{median:.2f}" if math.isfinite(median) else f"over {MOST_BITS}"
        panel.axvline(median, color=TEXT, linewidth=1.4, linestyle="--", label=f"median {shown} bits")
        panel.set_title(
            f"{statistics.sentences:,} sentences, {statistics.tokens:,} tokens, {statistics.unknown:,} unknown, "
            f"perplexity {readable(statistics.including.perplexity)} per token",
            fontsize="medium",
            pad=24,
        )
        handles, labels = panel.get_legend_handles_labels()
        if of_unknown is not None:
            draw_bars(of_unknown, edges, unknown, "unknown\ntokens", color=ORANGE, label="unknown, in the lower panel")
            more_handles, more_labels = of_unknown.get_legend_handles_labels()
            handles, labels = handles + more_handles, labels + more_labels
        panel.legend(
            handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, fontsize="small", frameon=False
        )
        last = ", the last bar with all above" * bool(self.counts[:, -1].any())
        (of_unknown or panel).set_xlabel(f"surprisal of a token, bits (bars of {edges[1]:g}{last})")


def draw_bars(panel, edges, counts, name, **style):
    panel.bar(edges[:-1], counts, width=np.diff(edges), align="edge", edgecolor="white", linewidth=0.4, **style)
    panel.set_ylabel(name)
    panel.set_xlim(0, edges[-1])
    panel.set_ylim(0, 1.05 * max(counts.max(), 1))
    panel.grid(axis="y", color="#dddddd", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.yaxis.get_major_locator().set_params(integer=True)


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
            f"{bits_per_token(figures.including):.2f}",
            readable(figures.including.perplexity),
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
