"""Where translations looked in their sources: the weights of attention as a table, a picture and a page."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError
from theano_rnn.files.output_files import write_output
from theano_rnn.results.pages import escaped, write_page
from theano_rnn.results.pictures import BLUE, drawable, new_figure, write_picture

COLUMNS = ("line", "target_position", "target", "source_position", "source", "weight")
END = "⟨end⟩"
LONGEST_WORD = 20  # characters, in a picture
MOST_WORDS = 60  # of either side, in a picture
SMALLEST_SHADE = 0.02  # weights below it are not shown on the page
STYLE = """
.t { margin: 0 0 1.2rem; content-visibility: auto; contain-intrinsic-size: auto 5rem; }
.t p { margin: 0; }
.t p:first-child { color: #595959; font-size: 0.8rem; line-height: 1.5; }
.t span { border-radius: 0.2em; padding: 0.05em 0.15em; }
.g span { cursor: pointer; }
.g span:hover, .g span:focus { background: #ffe2b8; outline: none; }
"""
# Shades the words of the source by the weights of the word of the translation that is pointed at.
SCRIPT = """<script>
document.querySelectorAll('.t').forEach(function (pair) {
  var source = pair.querySelectorAll('.s span');
  function show(weights) {
    source.forEach(function (word, i) {
      var weight = weights ? +weights[i] : 0;
      word.style.background = weight ? 'rgba(95, 172, 216, ' + Math.min(1, weight) + ')' : '';
      word.title = weights ? weight.toFixed(2) : '';
    });
  }
  pair.querySelectorAll('.g span').forEach(function (word) {
    var weights = word.dataset.w.split(' ');
    word.tabIndex = 0;
    ['mouseenter', 'focus'].forEach(function (name) { word.addEventListener(name, function () { show(weights); }); });
    ['mouseleave', 'blur'].forEach(function (name) { word.addEventListener(name, function () { show(null); }); });
  });
});
</script>
"""


@dataclass(frozen=True)
class Alignment:
    """A translation with the attention that it was written with.

    Attributes
    ----------
    line : int
        The number of the line, from 1.
    source, target : sequences of str
        Tokens.
    weights : array (target tokens + 1, source tokens + 1)
        The last row and the last column are the ends.
    """

    line: int
    source: Sequence[str]
    target: Sequence[str]
    weights: npt.NDArray[np.float32]


def alignment_rows(alignments: Iterable[Alignment]) -> Iterator[tuple[int, int, str, int, str, float]]:
    """Yield a row of `COLUMNS` for each token of each translation and each token of its source, the ends included."""
    for one in alignments:
        for t, target in enumerate([*one.target, END], start=1):
            for j, source in enumerate([*one.source, END], start=1):
                yield one.line, t, target, j, source, float(one.weights[t - 1, j - 1])


def write_alignments(path: str | os.PathLike[str], alignments: Iterable[Alignment]) -> None:
    """Write the weights as tab-separated values with a header.

    Raises
    ------
    OutputFileError
        If the file cannot be written. An existing file is then unchanged.
    """
    rows = (
        f"{line}\t{t}\t{target}\t{j}\t{source}\t{w:.6f}\n"
        for line, t, target, j, source, w in alignment_rows(alignments)
    )
    write_output(Path(path), ["\t".join(COLUMNS) + "\n", *rows])


def draw_alignment(path: str | os.PathLike[str], alignments: Iterable[Alignment]) -> None:
    """Draw the attention of the first translation as PNG: its tokens are rows, those of the source columns.

    Of long sentences, the first 60 tokens are shown.

    Raises
    ------
    CorpusError
        If there is no translation.
    OutputFileError
        If the picture cannot be written.
    """
    from matplotlib.colors import LinearSegmentedColormap

    one = next(iter(alignments), None)
    if one is None:
        raise CorpusError("there are no sentences whose attention could be drawn")
    sides = [
        [drawable(word, LONGEST_WORD) for word in [*words, END][:MOST_WORDS]] for words in (one.source, one.target)
    ]
    source, target = sides
    weights = one.weights[: len(target), : len(source)]
    figure = new_figure(min(2.2 + 0.36 * len(source), 24), min(1.6 + 0.3 * len(target), 20))
    panel = figure.subplots()
    panel.imshow(weights, cmap=LinearSegmentedColormap.from_list("weights", ["#ffffff", BLUE]), vmin=0, vmax=1)
    panel.set_xticks(range(len(source)), source, rotation=55, ha="left", rotation_mode="anchor", parse_math=False)
    panel.set_yticks(range(len(target)), target, parse_math=False)
    panel.xaxis.tick_top()
    panel.xaxis.set_label_position("top")
    panel.set_xlabel("source")
    panel.set_ylabel("translation")
    panel.tick_params(length=0)
    for spine in panel.spines.values():
        spine.set_color("#bbbbbb")
    write_picture(path, figure)


def write_alignment_page(
    path: str | os.PathLike[str], about: Mapping[str, str], alignments: Iterable[Alignment]
) -> None:
    """Write a page that shows sources with their translations; pointing at a word shows what it was read from.

    Parameters
    ----------
    path : str or path-like
    about : dict of str to str
        Rows of the table at the top, such as the names of model and text.
    alignments : iterable of Alignment

    Raises
    ------
    OutputFileError
        If the page cannot be written.
    """
    write_page(path, "Translations", _page_parts(about, alignments), STYLE)


def _page_parts(about: Mapping[str, str], alignments: Iterable[Alignment]) -> Iterator[str]:
    cells = (f"<tr><th>{escaped(name)}</th><td>{escaped(value)}</td></tr>\n" for name, value in about.items())
    yield f"<table>\n{''.join(cells)}</table>\n"
    yield (
        "<p>Hover over a word of a translation to see which words of the source it was written from: the darker, the "
        "higher the weight.</p>\n<main>\n"
    )
    for one in alignments:
        source = " ".join(f"<span>{escaped(word)}</span>" for word in [*one.source, END])
        words = []
        for word, row in zip([*one.target, END], one.weights, strict=True):
            weights = " ".join("0" if w < SMALLEST_SHADE else f"{w:.2f}" for w in row)
            words.append(f'<span data-w="{weights}">{escaped(word)}</span>')
        yield (
            f'<div class="t"><p>{one.line}</p>\n<p class="s" dir="auto">{source}</p>\n'
            f'<p class="g" dir="auto">{" ".join(words)}</p></div>\n'
        )
    yield f"</main>\n{SCRIPT}"
