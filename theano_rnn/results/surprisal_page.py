"""A text as an HTML page, each token coloured by its surprisal. Written while the text is scored, in bounded memory."""

import bisect
import contextlib
import tempfile

from theano_rnn.errors import OutputFileError
from theano_rnn.files.signals import handling_signals, raise_signal_received
from theano_rnn.results.pages import escaped, write_page
from theano_rnn.results.surprisal import bits_per_token, readable, surprisal
from theano_rnn.results.text_statistics import TextStatistics
from theano_rnn.text.token_spans import token_spans

TEXT_COLOUR = "#1a1a1a"
# From light to dark, so that the order shows without colours too; the text is readable on each.
SHADES = ("#ffffff", "#fff9dc", "#ffefb0", "#fedf86", "#fec964", "#fdae4b", "#f99045", "#ef7350")
EDGES = (1, 2, 3, 5, 7, 10, 14)  # bits between the shades: the lowest for characters, the highest for words
END_MARK = "↵"
BLOCK_SIZE = 2**16
LARGEST_NUMBER = 1e9  # to sort by: the script knows "inf" for no number

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
.chosen {{ outline: 2px solid {TEXT_COLOUR}; }}
output {{ position: fixed; bottom: 0; left: 0; right: 0; padding: 0.5rem 1rem; background: {TEXT_COLOUR};
  color: #fff; }}
main {{ padding-bottom: 3rem; }}
{"".join(f".c{i} {{ background: {shade}; }} " for i, shade in enumerate(SHADES))}
.legend .c0 {{ box-shadow: inset 0 0 0 1px #ccc; }}
"""

# Fingers cannot hover: a tap shows the value at the foot of the page, and arrow keys go on from there.
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
  const way = {ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling"}[event.key];
  if (chosen && way && chosen[way]) { choose(chosen[way]); event.preventDefault(); }
});
box.addEventListener("change", () => {
  const worst = [...sentences].sort((a, b) => b.dataset.bits - a.dataset.bits);
  for (const sentence of box.checked ? worst : sentences) main.append(sentence);
});
box.parentElement.hidden = false;
</script>
"""


class SurprisalPage:
    """Takes sentences one by one as they are scored; the page appears when `finish` is called, whole.

    Until then the sentences are in a file without a name in the page's folder, of which nothing stays however the
    process ends.

    Parameters
    ----------
    path : pathlib.Path
    title : str
    about : dict of str to str
        What else the page says on top, such as where text and model come from.

    Raises
    ------
    OutputFileError
        Where nothing can be written; from each method too.
    """

    def __init__(self, path, title, about):
        self.path, self.title, self.about = path, title, about
        self.statistics = TextStatistics()
        try:
            self.body = tempfile.TemporaryFile(dir=path.resolve().parent)
        except OSError as error:
            raise self.unwritable(error) from error

    def sentence(self, line, words, values, known):
        """Add a sentence.

        Parameters
        ----------
        line : str
            As it was written.
        words : list of str
            Its tokens, the last one its end.
        values : float array
            ln P of each token.
        known : bool array
            Whether the vocabulary has it.
        """
        figures = TextStatistics.of(values, known)
        self.statistics.add(figures)
        section = (
            f'<div class="s" data-bits="{min(bits_per_token(figures.including), LARGEST_NUMBER):.4f}">'
            f"<p>{self.statistics.sentences} · {described(figures)}</p>\n"
            f'<p dir="auto">{marked(line, words, surprisal(values).tolist(), known.tolist())}</p></div>\n'
        )
        try:
            self.body.write(section.encode("utf-8"))
        except OSError as error:
            raise self.unwritable(error) from error

    def finish(self):
        """Write the page of at least one sentence. A signal that ends the process leaves the old file, and no other."""
        with handling_signals(raise_signal_received), contextlib.closing(self):
            write_page(self.path, self.title, self.parts(), STYLE)

    def discard(self):
        """Leave no page: for a run that fails."""
        with contextlib.suppress(OSError):  # a full disk, once more
            self.body.close()

    close = discard

    def parts(self):
        yield summary(self.about, self.statistics)
        yield legend()
        yield '<p><label hidden><input type="checkbox"> worst sentences first</label></p>\n<main>\n'
        self.body.seek(0)
        while block := self.body.read(BLOCK_SIZE):
            yield block
        yield "</main>\n"
        yield SCRIPT

    def unwritable(self, error):
        return OutputFileError(f"{self.path}: cannot be written: {error.strerror or error}; choose another place")


def summary(about, statistics):
    including, excluding = statistics.including, statistics.excluding
    unknown_share = statistics.unknown / max(statistics.words, 1)
    rows = {
        **about,
        "sentences": f"{statistics.sentences:,}",
        "tokens": f"{statistics.tokens:,}, sentence ends counted",
        "perplexity": f"{readable(including.perplexity)} per token",
        "surprisal": f"{bits_per_token(including):.4f} bits per token",
        "unknown": f"{statistics.unknown:,} ({unknown_share:.2%} without sentence ends)",
    }
    if statistics.unknown:
        known = f"perplexity {readable(excluding.perplexity)}, {bits_per_token(excluding):.4f} bits per token"
        rows["without them"] = known
    cells = (f"<tr><th>{escaped(name)}</th><td>{escaped(value)}</td></tr>\n" for name, value in rows.items())
    return f"<table>\n{''.join(cells)}</table>\n"


def legend():
    names = [f"under {EDGES[0]}", *(f"{low}–{high}" for low, high in zip(EDGES, EDGES[1:], strict=False))]
    names.append(f"{EDGES[-1]} and more")
    shades = " ".join(f'<span class="c{i}">{name}</span>' for i, name in enumerate(names))
    return (
        f'<p class="legend">Surprisal, −log<sub>2</sub> P(token | the tokens before it), in bits: {shades}<br>\n'
        'Point at a token, or tap it, for its value. <span class="u">Underlined</span>: not in the vocabulary, '
        f"so its value is that of UNKNOWN_TOKEN. {END_MARK} is the end of the sentence.</p>\n"
    )


def described(figures):
    """A sentence's figures."""
    tokens = figures.including
    return (
        f"{bits_per_token(tokens):.2f} bits per token · perplexity {readable(tokens.perplexity)} · {tokens.number} "
        f"token{'s' * (tokens.number > 1)}{f' · {figures.unknown} unknown' * bool(figures.unknown)}"
    )


def marked(line, words, bits, known):
    """A line as it was written, with each token's stretch marked, and a mark for its end."""
    tokens = words[:-1]
    places = token_spans(line, tokens)
    if places is None:
        line, places = joined(tokens)
    parts, position = [], 0
    for (begin, end), value, is_known in zip(places, bits[:-1], known[:-1], strict=True):
        parts += escaped(line[position:begin]), marked_token(line[begin:end], value, is_known)
        position = end
    end = f'<span class="c{shade(bits[-1])} e" title="{bits[-1]:.2f} bits, end of the sentence"></span>'
    return "".join([*parts, escaped(line[position:]), end])


def joined(tokens):
    """(A line of these tokens, the places where they stand in it)."""
    places, end = [], 0
    for token in tokens:
        places.append((end, end + len(token)))
        end += len(token) + 1
    return " ".join(tokens), places


def marked_token(text, bits, known):
    classes = f"c{shade(bits)}" + " b" * text.isspace() + " u" * (not known)
    quoted = f'"{classes}"' if " " in classes else classes
    return f'<span class={quoted} title="{bits:.2f} bits{"" if known else ", unknown"}">{escaped(text)}</span>'


def shade(bits):
    """Which of the shades a surprisal has."""
    return bisect.bisect_right(EDGES, bits)
