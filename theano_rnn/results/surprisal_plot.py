"""A picture of a scored text: a histogram of the tokens' surprisal, and the worst sentences. Memory use is bounded."""

import heapq
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from theano_rnn.language_models.scoring import format_loss, format_perplexity
from theano_rnn.results.pictures import BLUE, GRAY, ORANGE, TEXT, drawable, new_figure, write_picture
from theano_rnn.results.text_statistics import TextStatistics, plural, surprisal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS_PER_BIT, MOST_BITS = 100, 64  # narrow bins give an exact median; larger values are counted in the last bin
BAR_WIDTHS = (0.1, 0.25, 0.5, 1, 2)  # bits
MOST_BARS = 60
WORST_SENTENCES = 10
LONGEST_TEXT = 100  # characters of a sentence
# The right edges of the columns of the table, as fractions of its width.
COLUMNS = {"bits per\ntoken": 0.06, "perplexity": 0.15, "tokens": 0.21, "unknown": 0.28, "number": 0.34}
TEXT_COLUMN = 0.36


class SurprisalPlot:
    """Collects statistics of scored sentences, and draws the picture in `finish`.

    Parameters
    ----------
    path : pathlib.Path
    title : str
    level : {"word", "char"}
        The picture shows bits per character at character level, and the perplexity per token at word level.

    Attributes
    ----------
    statistics : TextStatistics
        Totals of the sentences so far.
    counts : int64 array (2, bins)
        Histograms of the surprisal: of known tokens, including sentence ends, and of unknown tokens.
    """

    def __init__(self, path: Path, title: str = "", level: str = "word") -> None:
        self.path, self.title, self.level = path, title, level
        self.statistics = TextStatistics()
        self.counts: npt.NDArray[np.int64] = np.zeros((2, BINS_PER_BIT * MOST_BITS), np.int64)
        # A heap of (bits per token, -number, text, totals). Its first entry is the least bad of the worst sentences.
        self._worst: list[tuple[float, int, str, TextStatistics]] = []

    def add_sentence(
        self, line: str, tokens: Sequence[str], values: npt.NDArray[np.floating], known: npt.NDArray[np.bool_]
    ) -> None:
        """Add a sentence to the statistics.

        Parameters
        ----------
        line : str
            The sentence as it was written.
        tokens : sequence of str
            Its tokens, followed by SENTENCE_END.
        values : float array
            ln P of each token.
        known : bool array
            Whether the vocabulary has each token.
        """
        totals = TextStatistics.of_sentence(values, known)
        self.statistics.add(totals)
        bins = np.minimum(surprisal(values) * BINS_PER_BIT, self.counts.shape[1] - 1).astype(np.intp)
        np.add.at(self.counts, ((~known).astype(np.intp), bins), 1)
        entry = (totals.with_unknown.bits_per_token, -self.statistics.sentences)
        if len(self._worst) == WORST_SENTENCES and entry <= self._worst[0][:2]:
            return
        shown = drawable(line, LONGEST_TEXT)
        if any(shown == text and math.isclose(entry[0], bits, rel_tol=1e-4) for bits, _, text, _ in self._worst):
            return  # the same sentence, perhaps with rounding errors of another minibatch
        add = heapq.heappush if len(self._worst) < WORST_SENTENCES else heapq.heappushpop
        add(self._worst, (*entry, shown, totals))

    def finish(self) -> None:
        """Draw and write the picture. At least one sentence must have been added. May raise OutputFileError."""
        write_picture(self.path, self.figure())

    def discard(self) -> None:
        """Do nothing, because the run failed."""

    @property
    def worst(self) -> list[tuple[int, str, TextStatistics]]:
        """The worst sentences, worst first, as (number, text to draw, totals)."""
        return [(-number, text, totals) for _, number, text, totals in sorted(self._worst, reverse=True)]

    @property
    def median(self) -> float:
        """The median surprisal of a token in bits, accurate to half a bin; infinite if it is in the last bin."""
        totals = self.counts.sum(axis=0).cumsum()
        middle = (totals[-1] - 1) / 2
        low, high = np.searchsorted(totals, [math.floor(middle), math.ceil(middle)], side="right")
        return math.inf if high == len(totals) - 1 else (low + high + 1) / 2 / BINS_PER_BIT

    def bars(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Combine the bins into bars.

        Returns
        -------
        edges : float64 array (bars + 1,)
            The edges of the bars, in bits.
        counts : int64 array (2, bars)
            Numbers of known and unknown tokens in each bar.
        """
        filled = np.flatnonzero(self.counts.any(axis=0))
        most = (filled[-1] + 1) / BINS_PER_BIT
        width = next((width for width in BAR_WIDTHS if most <= width * MOST_BARS), BAR_WIDTHS[-1])
        number = math.ceil(most / width)
        counts = np.zeros((2, number), np.int64)
        bar_of_bin = np.arange(self.counts.shape[1]) // round(width * BINS_PER_BIT)
        for bars, bins in zip(counts, self.counts, strict=True):
            bars += np.bincount(bar_of_bin, bins, minlength=number)[:number].astype(np.int64)
        return width * np.arange(number + 1), counts

    def figure(self) -> "Figure":
        """Return the figure that `finish` writes."""
        worst, has_unknown = self.worst, bool(self.statistics.unknown)
        heights = [4, *[1.4] * has_unknown, 0.7 + 0.24 * len(worst)]
        figure = new_figure(11, 1.2 + sum(heights))
        upper, *middle, lower = figure.subplots(len(heights), height_ratios=heights)
        if self.title:
            figure.suptitle(drawable(self.title, LONGEST_TEXT), parse_math=False)
        self._draw_histograms(upper, *middle)
        texts = _draw_sentences(lower, worst)
        figure.draw_without_rendering()  # sets the widths of the panels
        for text in texts:
            _shorten(text, lower)
        return figure

    def _draw_histograms(self, panel: Any, unknown_panel: Any = None) -> None:
        """Draw histograms of the known tokens and, in a separate panel, of the unknown ones."""
        edges, (known, unknown) = self.bars()
        statistics = self.statistics
        _draw_bars(panel, edges, known, "tokens", color=BLUE, label="in the vocabulary, sentence ends counted")
        mean, median = statistics.with_unknown.bits_per_token, self.median
        panel.axvline(mean, color=TEXT, linewidth=1.4, label=f"mean {mean:.2f} bits")
        shown = f"{median:.2f}" if math.isfinite(median) else f"over {MOST_BITS}"
        panel.axvline(median, color=TEXT, linewidth=1.4, linestyle="--", label=f"median {shown} bits")
        panel.set_title(
            f"{statistics.sentences:,} {plural('sentence', statistics.sentences)}, "
            f"{statistics.tokens:,} {plural('token', statistics.tokens)}, {statistics.unknown:,} unknown, "
            f"{self._loss()}",
            fontsize="medium",
            pad=24,
        )
        handles, labels = panel.get_legend_handles_labels()
        if unknown_panel is not None:
            _draw_bars(
                unknown_panel, edges, unknown, "unknown\ntokens", color=ORANGE, label="unknown, in the lower panel"
            )
            more_handles, more_labels = unknown_panel.get_legend_handles_labels()
            handles, labels = handles + more_handles, labels + more_labels
        panel.legend(
            handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, fontsize="small", frameon=False
        )
        last = "; the last bar includes all larger values" if self.counts[:, -1].any() else ""
        (unknown_panel or panel).set_xlabel(f"surprisal of a token, bits (bars of {edges[1]:g}{last})")

    def _loss(self) -> str:
        if self.level == "char":
            return format_loss(self.statistics.with_unknown.bits_per_token * math.log(2), "char")
        return f"perplexity {format_perplexity(self.statistics.with_unknown.perplexity)} per token"


def _draw_bars(
    panel: Any, edges: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], name: str, **style: str
) -> None:
    panel.bar(edges[:-1], counts, width=np.diff(edges), align="edge", edgecolor="white", linewidth=0.4, **style)
    panel.set_ylabel(name)
    panel.set_xlim(0, edges[-1])
    panel.set_ylim(0, 1.05 * max(counts.max(), 1))
    panel.grid(axis="y", color="#dddddd", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.yaxis.get_major_locator().set_params(integer=True)


def _draw_sentences(panel: Any, worst: Sequence[tuple[int, str, TextStatistics]]) -> list[Any]:
    """Draw a table of the worst sentences, and return the text objects of the sentences, which may be too long."""
    panel.set_axis_off()
    panel.set_title("Worst sentences by bits per token, without duplicates", loc="left", fontsize="medium")
    panel.set_ylim(len(worst) + 1, 0)
    texts = []
    for name, right in COLUMNS.items():
        panel.text(right, 0.5, name, ha="right", va="center", color=GRAY, fontsize="small")
    panel.text(TEXT_COLUMN, 0.5, "sentence", va="center", color=GRAY, fontsize="small")
    for row, (number, text, totals) in enumerate(worst, 1):
        cells = (
            f"{totals.with_unknown.bits_per_token:.2f}",
            format_perplexity(totals.with_unknown.perplexity),
            f"{totals.tokens:,}",
            f"{totals.unknown:,}",
            f"{number:,}",
        )
        for cell, right in zip(cells, COLUMNS.values(), strict=True):
            panel.text(right, row + 0.5, cell, ha="right", va="center", fontsize="small")
        texts.append(panel.text(TEXT_COLUMN, row + 0.5, text, va="center", fontsize="small", parse_math=False))
        texts[-1].set_in_layout(False)
        if not text:
            texts[-1].set(text="(a blank line)", color=GRAY)
    return texts


def _shorten(text: Any, panel: Any) -> None:
    """Shorten a text until it fits in the panel."""
    while text.get_window_extent().x1 > panel.get_window_extent().x1:
        text.set_text(text.get_text()[:-2].rstrip() + "…")
