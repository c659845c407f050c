"""A text as an HTML page, once for each of some hidden units, each token coloured by the unit's value after it."""

import itertools

import numpy as np

from theano_rnn.inspection.token_sequences import listed
from theano_rnn.results.pages import escaped, write_page
from theano_rnn.text.token_positions import token_places

UNITS_SHOWN = 5
BLUE, WHITE, ORANGE = (94, 174, 230), (255, 255, 255), (245, 150, 60)  # the text is readable on each
SHADES = 10  # on each side of white
END_MARK = "↵"

STYLE = f"""
.text p {{ margin: 0; white-space: pre-wrap; }}
.text {{ border-left: 3px solid #ccc; padding-left: 0.8rem; }}
h2 {{ font-size: 1.15rem; margin: 2.5rem 0 0; }}
h2 + p {{ margin-top: 0; }}
table {{ display: block; overflow-x: auto; }}
th, td {{ white-space: nowrap; }}
.legend span {{ padding: 0 0.5em; white-space: nowrap; }}
.legend .v0 {{ box-shadow: inset 0 0 0 1px #ccc; }}
sub {{ line-height: 0; }}
.u {{ text-decoration: underline dotted 0.15em; text-underline-offset: 0.15em; }}
.e::before {{ content: "{END_MARK}"; font-size: 0.8em; }}
#values:checked ~ .text span[title]::after {{ content: "\\2009" attr(title) "\\2009"; font-size: 0.65em;
  vertical-align: super; }}
#values:checked ~ .text {{ line-height: 2.2; }}
"""


def write_units_page(path, title, observed):
    """Write the page.

    Parameters
    ----------
    path : pathlib.Path
    title : str
    observed : theano_rnn.inspection.hidden_units.Observed
        Of its figures the first five, or all if they were asked for.

    Raises
    ------
    OutputFileError
        Where that is impossible.
    """
    write_page(path, title, page_parts(observed), STYLE + shade_styles())


def shade_styles():
    """A class for each shade: v-10 … v10."""
    rules = []
    for shade in range(-SHADES, SHADES + 1):
        end, share = (ORANGE if shade > 0 else BLUE), abs(shade) / SHADES
        mixed = (round(white + (colour - white) * share) for white, colour in zip(WHITE, end, strict=True))
        rules.append(f".v{shade} {{ background: #{''.join(f'{part:02x}' for part in mixed)}; }}")
    return "\n".join(rules)


def page_parts(observed):
    figures = observed.figures if observed.are_chosen else observed.figures[:UNITS_SHOWN]
    yield introduction(observed)
    yield table(figures)
    yield '<input type="checkbox" id="values"><label for="values"> show every value beside its token</label>\n'
    for one in figures:
        largest = scale_of(one, observed.lm.rnn.activation)
        yield f'<h2 id="unit{one.unit}">Unit {one.unit}</h2>\n<p class="legend">{legend(largest, one)}</p>\n'
        yield '<div class="text">\n'
        for reading, values in zip(observed.readings, observed.values, strict=True):
            known = (reading.ids[1:] != observed.lm.vocabulary.unknown).tolist()
            yield from paragraphs(observed.lm, reading, values[:, one.unit], known, largest)
        yield "</div>\n"


def introduction(observed):
    tokens = sum(len(reading.tokens) for reading in observed.readings)
    extent = f"The text has {tokens:,} tokens." if observed.is_whole else f"The first {tokens:,} tokens of the text."
    start = "The state is carried on from line to line."
    if observed.lm.tokenizer.level == "word":
        start = "The state starts anew, from zero, with each line."
    choice = "" if observed.are_chosen else ("Of all units, these vary much and yet keep their values longest. ")
    return (
        f"<p>Each token has the colour of the unit's value in s<sub>t</sub>, the state after reading it. {start} "
        f"{choice}{extent} Point at a token for its value, or let all values be shown. "
        '<span class="u">Underlined</span>: not in the vocabulary.</p>\n'
    )


def table(figures):
    head = "".join(
        f"<th>{name}</th>" for name in ("unit", "from", "to", "deviation", "persistence", "high after", "low after")
    )
    rows = [f"<table>\n<tr>{head}</tr>\n"]
    for one in figures:
        numbers = "".join(
            f"<td>{shown(value)}</td>" for value in (one.lowest, one.highest, one.deviation, one.persistence)
        )
        words = "".join(f"<td>{escaped(listed(words))}</td>" for words in (one.high_after, one.low_after))
        rows.append(f'<tr><td><a href="#unit{one.unit}">{one.unit}</a></td>{numbers}{words}</tr>\n')
    return "".join([*rows, "</table>\n<p>Persistence: the correlation of the value with that one token later.</p>\n"])


def scale_of(figures, activation):
    """The value of the darkest shade: 1 for tanh; for ReLU, which has no bound, the largest that occurs."""
    return 1.0 if activation == "tanh" else max(figures.highest, np.finfo(np.float32).tiny)


def legend(largest, figures):
    shades = range(-SHADES, SHADES + 1, SHADES // 2) if figures.lowest < 0 else range(0, SHADES + 1, SHADES // 2)
    return " ".join(f'<span class="v{shade}">{shown(shade / SHADES * largest)}</span>' for shade in shades)


def paragraphs(lm, reading, values, known, largest):
    """The lines of a reading, a paragraph each: as they were written, or their tokens with blanks between them."""
    shades = np.rint(np.clip(values / largest, -1, 1) * SHADES).astype(int).tolist()
    colours = list(zip(shades, values.tolist(), known, strict=True))
    if lm.tokenizer.level == "char":
        marked = [marked_token(token, *colour) for token, colour in zip(reading.tokens, colours, strict=True)]
        ends = [i + 1 for i, token in enumerate(reading.tokens) if token == "\n"]
        lines = [
            "".join(marked[begin:end]) for begin, end in itertools.pairwise([0, *ends, len(marked)]) if end > begin
        ]
    else:
        lines = [marked_line(reading, colours)]
    for line in lines:
        yield f'<p dir="auto">{line}</p>\n'


def marked_line(reading, colours):
    """A line of words, each token's stretch of it marked."""
    places = None if reading.line is None else token_places(reading.line, reading.tokens)
    if places is None:
        return " ".join(marked_token(token, *colour) for token, colour in zip(reading.tokens, colours, strict=True))
    parts, position = [], 0
    for (begin, end), colour in zip(places, colours, strict=True):
        parts += escaped(reading.line[position:begin]), marked_token(reading.line[begin:end], *colour)
        position = end
    return "".join([*parts, escaped(reading.line[position:])])


def marked_token(text, shade, value, is_known):
    classes = f"v{shade}" + " u" * (not is_known) + " e" * (text == "\n")
    quoted = f'"{classes}"' if " " in classes else classes
    return f'<span class={quoted} title="{shown(value)}">{escaped(text) if text != chr(10) else ""}</span>'


def shown(value):
    """A value with two digits after the point, never a negative zero."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")
