"""The picture of an error analysis: which tokens the loss comes from."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from theano_rnn.error_analysis.analysis import ErrorAnalysis, Group
from theano_rnn.error_analysis.groups import visible
from theano_rnn.language_models.scoring import format_loss
from theano_rnn.results.pictures import BLUE, GRAY, ORANGE, TEXT, drawable, new_figure, write_picture
from theano_rnn.results.text_statistics import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST_NAME, LONGEST_SENTENCE = 20, 120  # characters
LEGEND_HEIGHT = 22  # points
WIDTH, ROW, MARGIN = 11, 0.28, 1.5  # inches


def draw_errors(path: Path, title: str, analysis: ErrorAnalysis, level: str = "word") -> None:
    """Draw the picture as a PNG file; may raise OutputFileError.

    Parameters
    ----------
    path : pathlib.Path
    title : str
    analysis : ErrorAnalysis
        Of at least one sentence.
    level : {"word", "char"}
        The level of the model.
    """
    write_picture(path, errors_figure(title, analysis, level))


def errors_figure(title: str, analysis: ErrorAnalysis, level: str = "word") -> "Figure":
    """Return the figure that `draw_errors` writes."""
    bands, positions, words = analysis.by_frequency(), analysis.by_position(), analysis.costliest_words()
    sentences = analysis.worst_sentences()
    heights = [ROW * len(bands) + MARGIN, ROW * max(len(positions), len(words)) + MARGIN, 0.25 * len(sentences) + 0.5]
    figure = new_figure(WIDTH, sum(heights) + 0.8)
    axes: Any = figure.subplot_mosaic(
        [["shares", "bits"], ["positions", "words"], ["sentences", "sentences"]], height_ratios=heights
    )
    total, statistics = analysis.total, analysis.statistics
    figures = (
        f"{statistics.sentences:,} {plural('sentence', statistics.sentences)}, "
        f"{total.tokens:,} {plural('token', total.tokens)}, {statistics.unknown:,} unknown, "
        f"{format_loss(total.loss / total.tokens, level)}"
    )
    figure.suptitle(f"{drawable(title, LONGEST_SENTENCE)}\n{figures}", fontsize="medium", parse_math=False)
    _draw_shares(axes["shares"], analysis.bands.title, bands, total)
    _draw_bits(axes["bits"], analysis.bands.title, bands, total)
    _draw_bits(axes["positions"], "position in sentence", positions, total)
    _draw_costliest(axes["words"], words)
    _draw_sentences(axes["sentences"], analysis)
    return figure


def _bits(groups: Sequence[Group], other: bool = False) -> np.ndarray:
    losses = [(group.other_loss or 0.0) if other else group.loss for group in groups]
    return np.array(losses) / [group.tokens for group in groups] / math.log(2)


def _prepare(panel: Any, names: Sequence[str], title: str, label: str) -> np.ndarray:
    """Set up a panel of horizontal bars, the first at the top; return their places."""
    places = np.arange(len(names))
    panel.set_yticks(
        places, [drawable(visible(name), LONGEST_NAME) for name in names], fontsize="small", parse_math=False
    )
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.set_title(title, loc="left", fontsize="medium", pad=LEGEND_HEIGHT)
    panel.set_xlabel(label, fontsize="small")
    panel.grid(axis="x", color="#dddddd", linewidth=0.6)
    panel.set_axisbelow(True)
    return places


def _add_legend(panel: Any) -> None:
    """Add a legend between the title and the panel, where it covers no bar."""
    panel.legend(loc="lower left", bbox_to_anchor=(0, 0.985), ncols=3, fontsize="small", frameon=False)


def _draw_shares(panel: Any, title: str, groups: Sequence[Group], total: Group) -> None:
    names = [group.name for group in groups]
    places = _prepare(panel, names, f"Shares by {title}", "percent of the text")
    panel.barh(places - 0.2, [100 * group.tokens / total.tokens for group in groups], 0.38, color=GRAY, label="tokens")
    panel.barh(places + 0.2, [100 * group.share for group in groups], 0.38, color=BLUE, label="loss")
    _add_legend(panel)


def _draw_bits(panel: Any, title: str, groups: Sequence[Group], total: Group) -> None:
    places = _prepare(panel, [group.name for group in groups], f"Loss by {title}", "bits per token")
    compared = total.other_loss is not None
    offset, width = (0.2, 0.38) if compared else (0.0, 0.7)
    panel.barh(places - offset, _bits(groups), width, color=BLUE, label="network")
    if compared:
        panel.barh(places + offset, _bits(groups, other=True), width, color=ORANGE, label="n-gram model")
    mean = _bits([total])[0]
    panel.axvline(mean, color=TEXT, linewidth=1.2, linestyle="--", label=f"mean {mean:.2f}")
    _add_legend(panel)


def _draw_costliest(panel: Any, groups: Sequence[Group]) -> None:
    places = _prepare(panel, [group.name for group in groups], "Tokens with the highest loss", "percent of the loss")
    panel.barh(places, [100 * group.share for group in groups], 0.7, color=BLUE)


def _draw_sentences(panel: Any, analysis: ErrorAnalysis) -> None:
    panel.set_axis_off()
    panel.set_title("Worst sentences by bits per token", loc="left", fontsize="medium")
    sentences = analysis.worst_sentences()
    panel.set_ylim(len(sentences) + 1, 0)
    panel.text(0.09, 0.5, "bits per token", ha="right", va="center", color=GRAY, fontsize="small")
    for row, sentence in enumerate(sentences, start=1):
        bits = sentence.loss / sentence.tokens / math.log(2)
        panel.text(0.09, row + 0.5, f"{bits:.2f}", ha="right", va="center", fontsize="small")
        shown = drawable(sentence.text, LONGEST_SENTENCE) or "(a blank line)"
        panel.text(0.11, row + 0.5, shown, va="center", fontsize="small", parse_math=False).set_in_layout(False)
