"""An HTML page that shows texts with their predicted labels, each word colored by how much it moves the decision.

Must not know models.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from theano_rnn.results.pages import escaped, write_page
from theano_rnn.text.token_spans import token_spans

# From strongly against the label to strongly for it. Words on all of them can be read.
SHADES = ("#f99045", "#fdc48a", "#fee7cf", "#ffffff", "#d5e8f5", "#9ccbe8", "#5facd8")
EDGES = (-1.5, -0.5, -0.1, 0.1, 0.5, 1.5)  # nats at which the shade changes
STYLE = f"""
.t {{ margin: 0 0 1rem; content-visibility: auto; contain-intrinsic-size: auto 5rem; }}
.t p {{ margin: 0; }}
.t p:first-child {{ color: #595959; font-size: 0.8rem; line-height: 1.5; }}
.t p:last-child {{ white-space: pre-wrap; }}
span {{ border-radius: 0.2em; }}
.legend span {{ padding: 0 0.3em; white-space: nowrap; }}
{"".join(f".c{i} {{ background: {shade}; }} " for i, shade in enumerate(SHADES))}
.legend .c3 {{ box-shadow: inset 0 0 0 1px #ccc; }}
"""


@dataclass(frozen=True)
class LabelledLine:
    """A text with its prediction.

    Attributes
    ----------
    text : str
    label : str
        The most probable one.
    probability : float
        Of this label.
    tokens : sequence of str
    influences : sequence of float
        ln P(label | text) - ln P(label | text without the token), in nats, for each token.
    """

    text: str
    label: str
    probability: float
    tokens: Sequence[str]
    influences: Sequence[float]


def write_label_page(
    path: str | os.PathLike[str], title: str, about: Mapping[str, str], lines: Iterable[LabelledLine]
) -> None:
    """Write the page.

    Parameters
    ----------
    path : str or path-like
    title : str
    about : dict of str to str
        Rows of the table at the top, such as the names of model and text.
    lines : iterable of LabelledLine

    Raises
    ------
    OutputFileError
        If the page cannot be written.
    """
    write_page(path, title, _parts(about, lines), STYLE)


def _parts(about: Mapping[str, str], lines: Iterable[LabelledLine]) -> Iterator[str]:
    cells = (f"<tr><th>{escaped(name)}</th><td>{escaped(value)}</td></tr>\n" for name, value in about.items())
    yield f"<table>\n{''.join(cells)}</table>\n"
    names = [f"under {EDGES[0]:g}", *(f"{low:g} to {high:g}" for low, high in zip(EDGES, EDGES[1:], strict=False))]
    names.append(f"over {EDGES[-1]:g}")
    shades = " ".join(f'<span class="c{i}">{name}</span>' for i, name in enumerate(names))
    yield (
        '<p class="legend">How much ln P(label) falls without the word, in nats: '
        f"{shades}<br>\nBlue words speak for the predicted label, orange ones against it. Hover over a word to see its "
        "value.</p>\n<main>\n"
    )
    for number, line in enumerate(lines, start=1):
        yield (
            f'<div class="t"><p>{number} · {escaped(line.label)} {line.probability:.3f}</p>\n'
            f'<p dir="auto">{marked_text(line)}</p></div>\n'
        )
    yield "</main>\n"


def marked_text(line: LabelledLine) -> str:
    """Return the text as HTML, as it was written, with a colored span for each token."""
    text, spans = line.text, token_spans(line.text, line.tokens)
    if spans is None:  # some tokens are not written as in the text, or the end of a long text was not read
        text = " ".join(line.tokens)
        spans = token_spans(text, line.tokens) or []
    parts, position = [], 0
    for (begin, end), value in zip(spans, line.influences, strict=False):
        parts.append(escaped(text[position:begin]))
        parts.append(f'<span class=c{shade(value)} title="{value:+.2f}">{escaped(text[begin:end])}</span>')
        position = end
    return "".join([*parts, escaped(text[position:])])


def shade(value: float) -> int:
    """Return the index of the shade for an influence in nats; the middle one if it is not a number.

    Examples
    --------
    >>> [shade(value) for value in (-9.0, 0.0, 0.2, 9.0)]
    [0, 3, 4, 6]
    """
    return 3 if math.isnan(value) else sum(value > edge for edge in EDGES)
