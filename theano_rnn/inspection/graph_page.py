"""The forward graph as an HTML page: pictures in SVG, with the text of each graph below its picture."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from theano_rnn.inspection.forward_graph import Box, ForwardGraph, input_name
from theano_rnn.inspection.graph_layout import Point, lay_out
from theano_rnn.networks.parameters import PARAMETERS
from theano_rnn.networks.rnn import RNN
from theano_rnn.results.pages import escaped, write_page

PROGRAM_STEPS = 10
CHARACTER_WIDTH, LINE_HEIGHT, MARGIN = 7.3, 16, 10  # font size and margin of a picture, in pixels
STYLE = """
.picture { overflow-x: auto; border: 1px solid #ccc; border-radius: 6px; margin: 0.5rem 0 1.5rem; padding: 0.5rem; }
.picture svg { display: block; margin: 0 auto; max-width: none; }
svg text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1a1a1a; }
svg .name { font-weight: bold; }
svg path { fill: none; stroke: #555; stroke-width: 1.2; }
svg rect { fill: #fff; stroke: #777; }
svg .input rect { fill: #ffe9c2; stroke: #b37400; }
svg .parameter rect { fill: #cfe6f5; stroke: #0072b2; }
svg .loop rect { fill: #d3efe4; stroke: #00795a; stroke-width: 2; }
svg .output rect { fill: #f6d9c9; stroke: #d55e00; }
.key span { display: inline-block; padding: 0 0.5rem; margin: 0.1rem 0.3rem 0.1rem 0; border: 1px solid;
  border-radius: 4px; }
pre { overflow-x: auto; overflow-wrap: normal; background: #f6f6f6; padding: 0.7rem; font-size: 0.8rem;
  line-height: 1.35; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.3rem; }
dt { font-family: ui-monospace, monospace; font-size: 0.9rem; }
dd { margin: 0 0 0.3rem 1rem; }
summary { cursor: pointer; }
"""
LEGEND = (
    '<p class="key"><span style="background:#ffe9c2;border-color:#b37400">input</span>'
    '<span style="background:#cfe6f5;border-color:#0072b2">parameter</span>'
    '<span style="border-color:#777">operation</span>'
    '<span style="background:#d3efe4;border-color:#00795a">loop over t</span>'
    '<span style="background:#f6d9c9;border-color:#d55e00">output</span></p>\n'
)
CELL_FORMULAS = {
    "simple": "s_t = f(a_t + W s_{t-1})",
    "gru": "q_t = W s_{t-1}, r, z = σ(a_t + q_t), n = tanh(a_t + r q_t), s_t = (1 - z) n + z s_{t-1}",
    "lstm": "i, f, o = σ(a_t + W s_{t-1}), g = tanh(a_t + W s_{t-1}), c_t = f c_{t-1} + i g, s_t = o tanh(c_t)",
}
GLOSSARY = {
    "AdvancedSubtensor": "selects the columns of U that belong to the words in x: U times one-hot x_t, for all t",
    "MatrixTranspose": "Uᵀ, Vᵀ, Wᵀ",
    "AllocEmpty, Alloc, SetSubtensor": "memory for all states, with s_{-1} = 0 at the beginning",
    "Scan": "the loop: computes s_t from s_{t-1}, step by step",
    "Subtensor": "a part of an array; after the loop, the states without s_{-1}",
    "Reshape, ExpandDims": "the same numbers in another shape",
    "Dot": "a matrix product; after the loop, V s_t for all t at once",
    "Max, Sub, Exp, Sum, True_div": "softmax: exp(z) / Σ exp(z), after subtracting the largest z (or a single Softmax)",
    "Composite": "several elementwise operations fused into one",
}


@dataclass(frozen=True)
class Section:
    """One graph on the page.

    Attributes
    ----------
    heading, description : str
    text : str or None
        Shown below the picture.
    boxes : list of theano_rnn.inspection.forward_graph.Box or None
        The boxes of the picture; None for no picture.
    """

    heading: str
    description: str
    text: str | None = None
    boxes: list[Box] | None = None


def graph_sections(forward: ForwardGraph, with_program: bool = False) -> list[Section]:
    """List the sections of the page about a forward graph.

    Parameters
    ----------
    forward : theano_rnn.inspection.forward_graph.ForwardGraph
    with_program : bool
        Whether to include XLA's program.

    Returns
    -------
    list of Section
    """
    parameters = ["U", "W", "V", *(name for name in forward.rnn.parameter_names if name not in PARAMETERS)]
    symbolic = f"as theano_rnn builds it from x, {', '.join(parameters[:-1])} and {parameters[-1]}"
    compiled = "after Theano's rewrites, as the compiler receives it"
    sections = [
        Section("The symbolic graph", symbolic, *forward.symbolic()),
        *_loop_sections(forward.rnn, forward.step),
        Section("The compiled graph", compiled, *forward.compiled()),
        *_loop_sections(forward.rnn, forward.compiled_step, is_compiled=True),
    ]
    if with_program:
        description = f"the program that XLA compiles for a sentence of {PROGRAM_STEPS} words (optimized HLO)"
        sections.append(Section("XLA's program", description, forward.program(PROGRAM_STEPS)))
    return sections


def _loop_sections(rnn: RNN, step: Callable[[int], Sequence[Box]], is_compiled: bool = False) -> Iterator[Section]:
    """Yield one section per layer, about one step of its loop."""
    names = rnn.recurrent_cell.state_names
    after = " and ".join(f"{name}_t" for name in names)
    for layer in range(1, rnn.layers + 1):
        heading = f"One step of the loop of layer {layer}" if rnn.layers > 1 else "One step of its loop"
        before = [input_name(rnn, layer), *(f"{name}_{{t-1}}" for name in names)]
        description = f"what scan repeats: {after} from {', '.join(before[:-1])} and {before[-1]}"
        if is_compiled:
            heading, description = f"{heading}, compiled", "after the same rewrites"
        yield Section(heading, description, None, list(step(layer)))


def formulas(rnn: RNN) -> str:
    """Return the formulas of a network as a single line.

    Examples
    --------
    >>> formulas(RNN(4, 3))
    's_t = f(U x_t + W s_{t-1}), o_t = softmax(V s_t)'
    """
    if rnn.cell == "simple" and rnn.layers == 1 and not rnn.bias:
        return "s_t = f(U x_t + W s_{t-1}), o_t = softmax(V s_t)"
    a_t = "U x_t + b" if rnn.bias else "U x_t"
    output = "V s_t + c" if rnn.bias else "V s_t"
    layers = ". Each layer reads s_t of the layer below in place of x_t" if rnn.layers > 1 else ""
    return f"a_t = {a_t}, {CELL_FORMULAS[rnn.cell]}, o_t = softmax({output}){layers}"


def write_graph_page(path: Path, title: str, sections: Sequence[Section], formula: str = "") -> None:
    """Write the page.

    Parameters
    ----------
    path : pathlib.Path
    title : str
    sections : sequence of Section
    formula : str
        The formulas that the graph computes.

    Raises
    ------
    OutputFileError
        If the page cannot be written.
    """
    write_page(path, title, _page_parts(sections, formula), STYLE)


def _page_parts(sections: Sequence[Section], formula: str) -> Iterator[str]:
    yield f"<p>{escaped(formula)}.</p>\n" if formula else ""
    yield (
        "<p>The pictures leave out arithmetic on sizes, and show constants inside the operations that use them. A ? "
        "stands for a size that depends on the text. The texts below the pictures are complete.</p>\n"
    )
    yield LEGEND
    for section in sections:
        description = section.description[0].upper() + section.description[1:]
        yield f"<h2>{escaped(section.heading)}</h2>\n<p>{escaped(description)}.</p>\n"
        if section.boxes is not None:
            yield f'<div class="picture" tabindex="0">{draw_boxes(section.boxes, section.heading)}</div>\n'
        if section.text is not None:
            lines = "\n".join(escaped(line) for line in section.text.splitlines())
            yield f"<details><summary>As text</summary><pre>{lines}</pre></details>\n"
    yield "<h2>Operations</h2>\n<dl>\n"
    for operation, meaning in GLOSSARY.items():
        yield f"<dt>{escaped(operation)}</dt><dd>{escaped(meaning)}</dd>\n"
    yield "</dl>\n"


def draw_boxes(boxes: Sequence[Box], title: str) -> str:
    """Draw a graph.

    Parameters
    ----------
    boxes : list of theano_rnn.inspection.forward_graph.Box
    title : str

    Returns
    -------
    str
        An SVG element.
    """
    texts = [_box_texts(box) for box in boxes]
    sizes = [
        (CHARACTER_WIDTH * max(len(text) for text, _ in lines) + 16, LINE_HEIGHT * len(lines) + 8) for lines in texts
    ]
    layout = lay_out(sizes, [box.inputs for box in boxes])
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{-MARGIN} {-MARGIN} {width:.1f} {height:.1f}"><title>{escaped(title)}</title>'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<polygon points="0 0.5 8 4 0 7.5" fill="#555"/></marker></defs>'
    ]
    parts += [f'<path marker-end="url(#tip)" d="{svg_path(points)}"/>' for _, _, points in layout.lines]
    for box, size, lines, (x, y) in zip(boxes, sizes, texts, layout.boxes, strict=True):
        parts.append(
            f'<g class="{box.kind}"><rect x="{x:.1f}" y="{y:.1f}" rx="5" width="{size[0]:.1f}" height="{size[1]}"/>'
        )
        for number, (text, css_class) in enumerate(lines):
            place = f'x="{x + size[0] / 2:.1f}" y="{y + 4 + LINE_HEIGHT * (number + 0.75):.1f}"'
            parts.append(f'<text text-anchor="middle" class="{css_class}" {place}>{escaped(text)}</text>')
        parts.append("</g>")
    return "".join([*parts, "</svg>"])


def _box_texts(box: Box) -> list[tuple[str, str]]:
    """Return the lines of text in a box, each with its CSS class."""
    if box.kind in ("operation", "loop"):
        result = f"{box.name}: {box.shape}" if box.name else box.shape
        return [(box.label, ""), (result, "name" if box.name else "")]
    return [(box.label, "name"), (box.shape, "")]


def svg_path(points: Sequence[Point]) -> str:
    """Return an SVG path through points. The path is vertical at each point.

    Parameters
    ----------
    points : sequence of (x, y)

    Returns
    -------
    str
        The value of the attribute ``d``.

    Examples
    --------
    >>> svg_path([(0, 0), (10, 20)])
    'M0.0 0.0C0.0 10.0 10.0 10.0 10.0 20.0'
    """
    (x, y), *others = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in others:
        middle = (y + next_y) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return "".join(parts)
