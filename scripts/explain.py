#!/usr/bin/env python3
"""Look inside a trained network: how its gradients vanish, its graph, its hidden units, its sizes and history."""

import argparse
import json
import runpy
import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser
from theano_rnn.commands.run_command import run
from theano_rnn.commands.terminal import say, show
from theano_rnn.errors import OptionError
from theano_rnn.files.corpus_formats import read_lines
from theano_rnn.files.output_files import check_output
from theano_rnn.results.pictures import check_picture

MODEL = "models/rnn.npz"
COLUMN = "the column of a CSV file to read (default: body, else text, else the only one)"


def parse(argv):
    parser = ArgumentParser(prog="explain.py", description=__doc__)
    parser.add_argument("--model", default=MODEL, metavar="FILE", help="(default: %(default)s)")
    parts = parser.add_subparsers(dest="part", required=True, metavar="{gradients,graph,units,info}")

    def add_part(name, work, text):
        part = parts.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        part.set_defaults(work=work)
        part.add_argument("--model", default=argparse.SUPPRESS, metavar="FILE", help=f"(default: {MODEL})")
        return part.add_argument

    add = add_part(
        "gradients", gradients, "how the norm of ∂s_t/∂s_k shrinks or grows with t - k: a table and a picture"
    )
    add("--plot", default="gradients.png", metavar="FILE.png", help="the picture (default: %(default)s)")
    add("--text", metavar="FILE", help="what the network reads (default: texts that it writes itself)")
    add("--column", metavar="NAME", help=f"with --text: {COLUMN}")
    add("--compare", nargs="+", default=[], metavar="FILE", help="other models, to be drawn beside this one")
    add("--length", type=int, default=30, metavar="N", help="the greatest distance t - k (default: %(default)s)")
    add("--starts", type=int, default=32, metavar="N", help="places k that are measured (default: %(default)s)")
    add("--seed", type=int, default=1, metavar="N", help="of places, texts, initial values (default: %(default)s)")
    add = add_part(
        "graph", graph, "the forward graph, as it was built and as it was compiled: text, and pictures in a page"
    )
    add("--html", metavar="FILE.html", help="write a page with pictures")
    add("--hlo", action="store_true", help="show XLA's own program too, for a sentence of 10 words")
    add = add_part(
        "units", units, "what hidden units do while the network reads a text: a table, and the text coloured"
    )
    add("files", nargs="*", metavar="FILE", help="the text, as score.py takes it (default: standard input)")
    add("--column", metavar="NAME", help=COLUMN)
    add(
        "--unit",
        type=int,
        action="append",
        metavar="N",
        help="a unit, from 0; may be repeated (default: all in the table, 5 in the page)",
    )
    add("--html", metavar="FILE.html", help="write a page with the text coloured by each unit")
    add("--tokens", type=int, default=5000, metavar="N", help="read no more of the text (default: %(default)s)")
    add = add_part("info", info, "sizes, settings, history and vocabulary of the model")
    add("--json", action="store_true", help="as one JSON object")
    return parser.parse_args(argv)


def gradients(arguments):
    models = [arguments.model, *arguments.compare]
    plot = check_picture(arguments.plot, [*models, *([arguments.text] if arguments.text else [])])
    from theano_rnn.inspection.gradient_curves import gradient_curves
    from theano_rnn.inspection.gradient_plot import draw_gradients

    def begun(name):
        say(f"{name} …")

    if arguments.column is not None and arguments.text is None:
        raise OptionError("column: is for a text in a CSV file; name one with --text, or leave --column out")
    lines = None if arguments.text is None else read_lines([arguments.text], None, arguments.column)
    try:
        curves = gradient_curves(models, lines, arguments.length, arguments.starts, arguments.seed, begun)
    except ValueError as error:
        raise OptionError(str(error)) from error
    draw_gradients(plot, curves)
    show("distance", *(curve.name for curve in curves))
    medians = [curve.median for curve in curves]
    for row in range(max(map(len, medians))):
        show(row + 1, *(f"{median[row]:.4g}" if row < len(median) else "" for median in medians))
    if max(map(len, medians)) < arguments.length:
        say(f"the text has no more than {max(map(len, medians))} steps in a row; --text can name a longer one")
    say(f"medians over up to {max(curve.norms.shape[1] for curve in curves)} places; the picture is in {plot}")


def graph(arguments):
    page = None if arguments.html is None else check_output(arguments.html, [arguments.model])
    from theano_rnn.inspection.forward_graph import ForwardGraph
    from theano_rnn.inspection.graph_page import graph_sections, write_graph_page
    from theano_rnn.inspection.network_loading import load_network

    rnn, _ = load_network(arguments.model)
    sections = graph_sections(ForwardGraph(rnn), arguments.hlo)
    if page:
        write_graph_page(page, f"The forward graph of {Path(arguments.model).name}", sections)
        say(f"the page with the pictures is {page}")
    for section in sections:
        if section.text is not None:
            show(f"# {section.heading}: {section.description}\n\n{section.text.rstrip()}\n")


def units(arguments):
    page = None if arguments.html is None else check_output(arguments.html, [arguments.model, *arguments.files])
    from theano_rnn.inspection.hidden_units import hidden_activity
    from theano_rnn.inspection.hidden_units_page import write_units_page
    from theano_rnn.inspection.input_sequences import visible_tokens
    from theano_rnn.language_models.language_model import load

    lm = load(arguments.model)
    lines = read_lines(arguments.files, sys.stdin and sys.stdin.buffer, arguments.column)
    try:
        activity = hidden_activity(lm, lines, arguments.unit, arguments.tokens)
    except ValueError as error:
        raise OptionError(str(error)) from error
    if page:
        write_units_page(page, f"Hidden units of {Path(arguments.model).name}", activity)
        say(f"the page with the coloured text is {page}")
    if not activity.is_complete:
        say(f"only the first {arguments.tokens:,} tokens were read; --tokens N reads more")
    show("unit", "lowest", "highest", "deviation", "persistence", "high after", "low after")
    for one in activity.statistics:
        numbers = (f"{number:.4f}" for number in (one.lowest, one.highest, one.deviation, one.persistence))
        show(one.unit, *numbers, visible_tokens(one.high_after), visible_tokens(one.low_after))


def info(arguments):
    from theano_rnn.inspection.model_summary import summarize_model, summary_lines

    summary = summarize_model(arguments.model)
    if arguments.json:
        show(json.dumps(summary))
        return
    for line in summary_lines(summary):
        show(line)


def work(argv):
    arguments = parse(argv)
    arguments.work(arguments)


def main(argv=None):
    return run("explain.py", work, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
