"""An HTML page that shows a text several times, each time colored by the value of one hidden unit."""

import itertools
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import numpy as np

from theano_rnn.inspection.hidden_units import HiddenActivity, UnitStatistics
from theano_rnn.inspection.input_sequences import InputSequence, visible_tokens
from theano_rnn.inspection.text_properties import STRONGEST_SHOWN
from theano_rnn.inspection.unit_values import QUANTITIES
from theano_rnn.results.pages import escaped, write_page
from theano_rnn.text.token_spans import token_spans

UNITS_SHOWN = 5
BLUE, WHITE, ORANGE = (94, 174, 230), (255, 255, 255), (245, 150, 60)  # black text is readable on each
SHADES = 10  # on each side of white
LINE_END_MARK = "↵"
PROPERTY_NAMES = {"line-position": "the position in the line", "quotes": "quotes", "brackets": "brackets"}

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
.e::before {{ content: "{LINE_END_MARK}"; font-size: 0.8em; }}
#values:checked ~ .text span[title]::after {{ content: "\\2009" attr(title) "\\2009"; font-size: 0.65em;
  vertical-align: super; }}
#values:checked ~ .text {{ line-height: 2.2; }}
"""


def write_units_page(path: Path, title: str, activity: HiddenActivity) -> None:
    """Write the page.

    Parameters
    ----------
    path : pathlib.Path
    title : str
    activity : theano_rnn.inspection.hidden_units.HiddenActivity
        The page shows the requested units, or the first five units of `statistics`.

    Raises
    ------
    OutputFileError
        If the page cannot be written.
    """
    write_page(path, title, _page_parts(activity), STYLE + shade_styles())


def shade_styles() -> str:
    """Return the CSS classes of the shades, from v-10 (blue) to v10 (orange).

    Returns
    -------
    str
        One rule per line.
    """
    rules = []
    for shade in range(-SHADES, SHADES + 1):
        end, fraction = (ORANGE if shade > 0 else BLUE), abs(shade) / SHADES
        mixed = (round(white + (color - white) * fraction) for white, color in zip(WHITE, end, strict=True))
        rules.append(f".v{shade} {{ background: #{''.join(f'{part:02x}' for part in mixed)}; }}")
    return "\n".join(rules)


def _page_parts(activity: HiddenActivity) -> Iterator[str]:
    shown = activity.statistics if activity.are_requested else activity.statistics[:UNITS_SHOWN]
    yield _introduction(activity)
    yield _table(shown)
    yield _property_list(activity, {unit.unit for unit in shown})
    yield '<input type="checkbox" id="values"><label for="values"> show all values beside the tokens</label>\n'
    for unit in shown:
        largest = _value_of_darkest_shade(unit, activity)
        yield f'<h2 id="unit{unit.unit}">Unit {unit.unit}</h2>\n<p class="legend">{_legend(unit, largest)}</p>\n'
        yield '<div class="text">\n'
        for sequence, states in zip(activity.sequences, activity.states, strict=True):
            known = (sequence.ids[1:] != activity.lm.vocabulary.unknown).tolist()
            yield from _paragraphs(activity, sequence, states[:, unit.unit], known, largest)
        yield "</div>\n"


def _introduction(activity: HiddenActivity) -> str:
    tokens = sum(len(sequence.tokens) for sequence in activity.sequences)
    if activity.is_complete:
        extent = f"The text has {tokens:,} tokens."
    else:
        extent = f"The page shows the first {tokens:,} tokens of the text."
    if activity.lm.tokenizer.level == "word":
        start = "The state is zero at the beginning of each sentence."
    else:
        start = "The state is carried from line to line."
    if activity.by is not None:
        choice = f"These are the units that follow {PROPERTY_NAMES[activity.by]} best. "
    else:
        choice = "These are the units that vary most and keep their values longest. "
    return (
        f"<p>The color of a token is {_quantity_text(activity)}. {start} "
        f"{'' if activity.are_requested else choice}{extent} Hover over a token to see its value, or show all values. "
        '<span class="u">Underlined</span> tokens are not in the vocabulary.</p>\n'
    )


def _quantity_text(activity: HiddenActivity) -> str:
    quantity = QUANTITIES[activity.of]
    layer = f" of layer {activity.layer}" if activity.lm.rnn.layers > 1 else ""
    symbol = f"{quantity.symbol}<sub>t</sub>{layer}"
    if quantity.is_gate:
        return f"the unit's value in {symbol}, the {activity.of.replace('-', ' ')} when the token is read"
    return f"the unit's value in {symbol}, the {'cell ' * (activity.of == 'cell')}state after reading the token"


def _property_list(activity: HiddenActivity, shown: Container[int]) -> str:
    """Return the units that follow each property best, with links to the units that the page shows."""
    if not activity.properties:
        return ""
    rows = []
    for found in activity.properties:
        units = ", ".join(
            f'<a href="#unit{unit}">{unit}</a> ({format_value(r)})' if unit in shown else f"{unit} ({format_value(r)})"
            for unit, r in found.units[:STRONGEST_SHOWN]
        )
        rows.append(f"<li>{PROPERTY_NAMES[found.name]}: {units}</li>\n")
    return (
        "<p>Units that follow a property of the text. They are chosen by its first half; their correlations are those "
        f"in its second half:</p>\n<ul>\n{''.join(rows)}</ul>\n"
    )


def _table(statistics: Sequence[UnitStatistics]) -> str:
    head = "".join(
        f"<th>{name}</th>" for name in ("unit", "from", "to", "deviation", "persistence", "high after", "low after")
    )
    rows = [f"<table>\n<tr>{head}</tr>\n"]
    for unit in statistics:
        values = unit.lowest, unit.highest, unit.deviation, unit.persistence
        numbers = "".join(f"<td>{format_value(value)}</td>" for value in values)
        words = "".join(f"<td>{escaped(visible_tokens(words))}</td>" for words in (unit.high_after, unit.low_after))
        rows.append(f'<tr><td><a href="#unit{unit.unit}">{unit.unit}</a></td>{numbers}{words}</tr>\n')
    explanation = (
        "Deviation: the standard deviation of the value. Persistence: the correlation of the value with the value one "
        "token later."
    )
    return "".join([*rows, f"</table>\n<p>{explanation}</p>\n"])


def _value_of_darkest_shade(unit: UnitStatistics, activity: HiddenActivity) -> float:
    """Return 1 for gates and for states between -1 and 1, else the largest absolute value that occurs."""
    if activity.of == "cell" or (activity.of == "state" and activity.lm.rnn.activation != "tanh"):
        return max(unit.highest, -unit.lowest, float(np.finfo(np.float32).tiny))
    return 1.0


def _legend(unit: UnitStatistics, largest: float) -> str:
    shades = range(-SHADES, SHADES + 1, SHADES // 2) if unit.lowest < 0 else range(0, SHADES + 1, SHADES // 2)
    return " ".join(f'<span class="v{shade}">{format_value(shade / SHADES * largest)}</span>' for shade in shades)


# The shade of a token, the value of the unit, and whether the vocabulary has the token.
Color = tuple[int, float, bool]


def _paragraphs(
    activity: HiddenActivity, sequence: InputSequence, values: np.ndarray, known: list[bool], largest: float
) -> Iterator[str]:
    """Yield the lines of a sequence as paragraphs."""
    shades = np.rint(np.clip(values / largest, -1, 1) * SHADES).astype(int).tolist()
    colors: list[Color] = list(zip(shades, values.tolist(), known, strict=True))
    if activity.lm.tokenizer.level == "char":
        marked = [mark_token(token, *color) for token, color in zip(sequence.tokens, colors, strict=True)]
        ends = [i + 1 for i, token in enumerate(sequence.tokens) if token == "\n"]
        lines = [
            "".join(marked[begin:end]) for begin, end in itertools.pairwise([0, *ends, len(marked)]) if end > begin
        ]
    else:
        lines = [_mark_words(sequence, colors)]
    for line in lines:
        yield f'<p dir="auto">{line}</p>\n'


def _mark_words(sequence: InputSequence, colors: Sequence[Color]) -> str:
    """Return a sentence with marked tokens: as it was written if possible, else its tokens separated by spaces."""
    text, tokens = sequence.text, sequence.tokens
    spans = None if text is None else token_spans(text, tokens)
    if text is None or spans is None:
        return " ".join(mark_token(token, *color) for token, color in zip(tokens, colors, strict=True))
    parts: list[str] = []
    position = 0
    for (begin, end), color in zip(spans, colors, strict=True):
        parts += escaped(text[position:begin]), mark_token(text[begin:end], *color)
        position = end
    return "".join([*parts, escaped(text[position:])])


def mark_token(text: str, shade: int, value: float, is_known: bool) -> str:
    """Return a token as an HTML element with a background color.

    Parameters
    ----------
    text : str
        The token as it appears in the text.
    shade : int
        From -10 to 10.
    value : float
        Shown when the reader hovers over the token.
    is_known : bool
        Whether the vocabulary has the token.

    Returns
    -------
    str
        An HTML element.

    Examples
    --------
    >>> mark_token("<i>", 3, 0.314, is_known=True)
    '<span class=v3 title="0.31">&lt;i&gt;</span>'
    """
    classes = f"v{shade}" + " u" * (not is_known) + " e" * (text == "\n")
    quoted = f'"{classes}"' if " " in classes else classes
    return f'<span class={quoted} title="{format_value(value)}">{"" if text == chr(10) else escaped(text)}</span>'


def format_value(value: float) -> str:
    """Format a value with two decimals and a typographic minus, but no negative zero.

    Examples
    --------
    >>> format_value(-0.5), format_value(-0.001)
    ('−0.50', '0.00')
    """
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")
