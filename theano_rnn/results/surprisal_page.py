"""An HTML page that shows a text with each token colored by its surprisal.

Sentences are added as they are scored, and memory use is bounded.
"""

import bisect
import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import OutputFileError
from theano_rnn.files.signals import handling_signals, raise_signal_received
from theano_rnn.language_models.scoring import format_perplexity
from theano_rnn.results.pages import escaped, write_page
from theano_rnn.results.text_statistics import TextStatistics, plural, surprisal
from theano_rnn.text.token_spans import token_spans

TEXT_COLOR = "#1a1a1a"
# From light to dark, so that the order is visible even without colors. Text is readable on all of them.
SHADES = ("#ffffff", "#fff9dc", "#ffefb0", "#fedf86", "#fec964", "#fdae4b", "#f99045", "#ef7350")
EDGES = (1, 2, 3, 5, 7, 10, 14)  # bits at which the shade changes; low edges suit characters, high edges words
END_MARK = "↵"
BLOCK_SIZE = 2**16
LARGEST_NUMBER = 1e9  # sort key of infinite values, because the script cannot parse "inf"

STYLE = f"""
.s p {{ margin: 0; }}
.s p:last-child {{ margin: 0 0 1rem; white-space: pre-wrap; }}
.s p:first-child {{ color: #595959; font-size: 0.8rem; line-height: 1.5; }}
.s {{ content-visibility: auto; contain-intrinsic-size: auto 6rem; }}
span {{ border-radius: 0.2em; }}
[title] {{ cursor: pointer; }}
th {{ white-space: nowrap; }}
.legend span {{ white-space: nowrap; }}
.legend [class^="c"] {{ padding: 0 0.3em; }}
.u {{ text-decoration: underline dotted 0.15em; text-underline-offset: 0.15em; }}
.b {{ padding: 0 0.15em; }}
.b.u {{ border-bottom: 0.15em dotted; }}
.e::before {{ content: "{END_MARK}"; margin: 0 0.3em; font-size: 0.8em; }}
.chosen {{ outline: 2px solid {TEXT_COLOR}; }}
output {{ position: fixed; bottom: 0; left: 0; right: 0; padding: 0.5rem 1rem; background: {TEXT_COLOR};
  color: #fff; }}
main {{ padding-bottom: 3rem; }}
{"".join(f".c{i} {{ background: {shade}; }} " for i, shade in enumerate(SHADES))}
.legend .c0 {{ box-shadow: inset 0 0 0 1px #ccc; }}
"""

# A touch screen has no hover, so a tap shows the value at the bottom of the page. Arrow keys move to other tokens.
SCRIPT = """<output hidden></output>
<script>
const main = document.querySelector("main"), bar = document.querySelector("output");
const box = document.querySelector("input"), sentences = [...main.children];
let chosen = null;
function choose(token) {
  if (chosen) chosen.classList.remove("chosen");
  chosen = token;
  bar.hidden = !token;
  if (!token) return;
  token.classList.add("chosen");
  bar.textContent = (token.textContent ? `“\\u2068${token.textContent}\\u2069”: ` : "") + token.title;
}
document.addEventListener("click", event => choose(event.target.closest("main [title]")));
document.addEventListener("keydown", event => {
  const sibling = {ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling"}[event.key];
  if (chosen && sibling && chosen[sibling]) { choose(chosen[sibling]); event.preventDefault(); }
});
box.addEventListener("change", () => {
  const worst = [...sentences].sort((a, b) => b.dataset.bits - a.dataset.bits);
  for (const sentence of box.checked ? worst : sentences) main.append(sentence);
});
box.parentElement.hidden = false;
</script>
"""


class SurprisalPage:
    """Collects scored sentences and writes the page in `finish`.

    Until then, the sentences are kept in an unnamed temporary file in the folder of the page. It disappears with the
    process, even after a crash.

    Parameters
    ----------
    path : pathlib.Path
    title : str
    about : dict of str to str
        Rows for the table at the top of the page, such as the names of the text and the model.
    level : {"word", "char"}
        The page shows bits per character at character level, and bits per token at word level, with the perplexity.

    Attributes
    ----------
    statistics : TextStatistics
        Totals of the sentences so far.

    Raises
    ------
    OutputFileError
        If the temporary file cannot be created. The methods raise it if they cannot write.
    """

    def __init__(self, path: Path, title: str, about: Mapping[str, str], level: str = "word") -> None:
        self.path, self.title, self.about, self.level = path, title, about, level
        self.statistics = TextStatistics()
        try:
            self._body = tempfile.TemporaryFile(dir=path.resolve().parent)
        except OSError as error:
            raise self._cannot_write(error) from error

    def add_sentence(
        self, line: str, tokens: Sequence[str], values: npt.NDArray[np.floating], known: npt.NDArray[np.bool_]
    ) -> None:
        """Add a sentence.

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
        section = (
            f'<div class="s" data-bits="{min(totals.with_unknown.bits_per_token, LARGEST_NUMBER):.4f}">'
            f"<p>{self.statistics.sentences} · {_figures(totals, self.level)}</p>\n"
            f'<p dir="auto">{marked_line(line, tokens, surprisal(values).tolist(), known.tolist())}</p></div>\n'
        )
        try:
            self._body.write(section.encode("utf-8"))
        except OSError as error:
            raise self._cannot_write(error) from error

    def finish(self) -> None:
        """Write the page of at least one sentence, atomically, also if a signal ends the process."""
        with handling_signals(raise_signal_received), contextlib.closing(self):
            write_page(self.path, self.title, self._parts(), STYLE)

    def discard(self) -> None:
        """Delete the temporary file without writing a page, because the run failed."""
        with contextlib.suppress(OSError):  # the disk may be full
            self._body.close()

    close = discard

    def _parts(self) -> Iterator[str | bytes]:
        yield _summary_table(self.about, self.statistics, self.level)
        yield _legend()
        yield '<p><label hidden><input type="checkbox"> worst sentences first</label></p>\n<main>\n'
        self._body.seek(0)
        while block := self._body.read(BLOCK_SIZE):
            yield block
        yield "</main>\n"
        yield SCRIPT

    def _cannot_write(self, error: OSError) -> OutputFileError:
        return OutputFileError(f"{self.path}: cannot be written: {error.strerror or error}; choose another place")


def _summary_table(about: Mapping[str, str], statistics: TextStatistics, level: str) -> str:
    unknown_fraction = statistics.unknown / max(statistics.words, 1)
    all_tokens, known_tokens = statistics.with_unknown, statistics.without_unknown
    is_char = level == "char"
    rows = {
        **about,
        "sentences": f"{statistics.sentences:,}",
        "tokens": f"{statistics.tokens:,}, sentence ends counted",
        "perplexity": f"{format_perplexity(all_tokens.perplexity)} per {'character' if is_char else 'token'}",
        "surprisal": f"{all_tokens.bits_per_token:.4f} {'bits/char' if is_char else 'bits per token'}",
        "unknown": f"{statistics.unknown:,} ({unknown_fraction:.2%} without sentence ends)",
    }
    if statistics.unknown:
        rows["without them"] = (
            f"perplexity {format_perplexity(known_tokens.perplexity)}, {known_tokens.bits_per_token:.4f} "
            f"{'bits/char' if is_char else 'bits per token'}"
        )
    cells = (f"<tr><th>{escaped(name)}</th><td>{escaped(value)}</td></tr>\n" for name, value in rows.items())
    return f"<table>\n{''.join(cells)}</table>\n"


def _legend() -> str:
    names = [f"under {EDGES[0]}", *(f"{low}–{high}" for low, high in zip(EDGES, EDGES[1:], strict=False))]
    names.append(f"{EDGES[-1]} and more")
    shades = " ".join(f'<span class="c{i}">{name}</span>' for i, name in enumerate(names))
    return (
        f'<p class="legend">Surprisal, −log<sub>2</sub> P(token | the tokens before it), in bits: {shades}<br>\n'
        'Hover over a token, or tap it, to see its value. <span class="u">Underlined</span>: not in the vocabulary, '
        f"so its value is that of UNKNOWN_TOKEN. {END_MARK} is the end of the sentence.</p>\n"
    )


def _figures(totals: TextStatistics, level: str) -> str:
    """Return the figures of a sentence as text."""
    tokens = totals.with_unknown
    unknown = f" · {totals.unknown} unknown" if totals.unknown else ""
    return (
        f"{tokens.bits_per_token:.2f} {'bits/char' if level == 'char' else 'bits per token'} · "
        f"perplexity {format_perplexity(tokens.perplexity)} · "
        f"{tokens.number} {plural('token', tokens.number)}{unknown}"
    )


def marked_line(line: str, tokens: Sequence[str], bits: Sequence[float], known: Sequence[bool]) -> str:
    """Return a line as HTML, with a colored span for each token and for the end of the sentence.

    Parameters
    ----------
    line : str
    tokens : sequence of str
        The tokens of the line, followed by SENTENCE_END.
    bits : sequence of float
        The surprisal of each token.
    known : sequence of bool
        Whether the vocabulary has each token.
    """
    line, spans = line_and_spans(line, tokens[:-1])
    parts: list[str] = []
    position = 0
    for (begin, end), value, is_known in zip(spans, bits[:-1], known[:-1], strict=True):
        parts += escaped(line[position:begin]), _marked_token(line[begin:end], value, is_known)
        position = end
    end_mark = f'<span class="c{shade(bits[-1])} e" title="{bits[-1]:.2f} bits, end of the sentence"></span>'
    return "".join([*parts, escaped(line[position:]), end_mark])


def line_and_spans(line: str, tokens: Sequence[str]) -> tuple[str, Sequence[tuple[int, int]]]:
    """Return a line and the spans of its tokens, or if they are not found in it, the tokens joined with spaces."""
    found = token_spans(line, tokens)
    if found is not None:
        return line, found
    spans, end = [], 0
    for token in tokens:
        spans.append((end, end + len(token)))
        end += len(token) + 1
    return " ".join(tokens), spans


def _marked_token(text: str, bits: float, known: bool) -> str:
    classes = f"c{shade(bits)}" + " b" * text.isspace() + " u" * (not known)
    quoted = f'"{classes}"' if " " in classes else classes
    return f'<span class={quoted} title="{bits:.2f} bits{"" if known else ", unknown"}">{escaped(text)}</span>'


def shade(bits: float) -> int:
    """Return the index of the shade for a surprisal in bits."""
    return bisect.bisect_right(EDGES, bits)
