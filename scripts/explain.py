#!/usr/bin/env python3
"""Look inside a trained network: gradients through time, its graph, hidden units, its errors, its size and history."""

import argparse
import json
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.checks import check_count
from theano_rnn.commands.arguments import ArgumentParser, HelpFormatter, add_version, command_parser
from theano_rnn.commands.program_name import example_name
from theano_rnn.commands.run_command import run_command
from theano_rnn.commands.standard_input import announce_standard_input, is_typed, standard_input
from theano_rnn.commands.status_line import no_status, status
from theano_rnn.commands.terminal import say, show
from theano_rnn.errors import OptionError
from theano_rnn.files.corpus_formats import check_column, open_inputs, read_lines
from theano_rnn.files.output_files import check_output_path
from theano_rnn.results.pictures import check_picture

MODEL = "models/rnn.npz"
# As in theano_rnn.inspection, which is not imported for --help.
QUANTITY_NAMES = ("state", "cell", "input-gate", "forget-gate", "output-gate", "reset-gate", "update-gate")
PROPERTY_NAMES = ("line-position", "quotes", "brackets")
MODEL_HELP = f"file of the model (default: {MODEL})"
COLUMN_HELP = "column of a CSV file that holds the text (default: body, else text, else the only column)"


def make_parser() -> ArgumentParser:
    parser = command_parser("explain", __doc__ or "", "[options] PART [options of the part]",
        "gradients --model models/my.npz --plot my.png")  # fmt: skip
    parser.add_argument("--model", default=MODEL, metavar="FILE", help=MODEL_HELP)
    parts = parser.add_subparsers(
        title="parts", dest="part", metavar="PART", prog=parser.prog,
        description=f"{example_name('explain')} PART --help shows the options of a part.",
    )  # fmt: skip

    def add_part(
        name: str, work: Callable[[argparse.Namespace], None], text: str, example: str, usage: str = "[options]"
    ) -> ArgumentParser:
        part = parts.add_parser(
            name, usage=f"%(prog)s {usage}", help=text, description=text[0].upper() + text[1:] + ".",
            epilog=f"example:\n  {example_name('explain')} {name} {example}", formatter_class=HelpFormatter,
        )  # fmt: skip
        add_version(part)
        part.set_defaults(work=work)
        return part

    def add_data_group(part: ArgumentParser) -> Any:
        group = part.add_argument_group("data")
        group.add_argument("--model", default=argparse.SUPPRESS, metavar="FILE", help=MODEL_HELP)
        return group.add_argument

    # fmt: off
    part = add_part("gradients", explain_gradients,
        "how gradients ∂s_t/∂s_k shrink or grow with the distance t - k: a table and a picture",
        "--text my.txt --plot gradients.png")
    add = add_data_group(part)
    add("--text", metavar="FILE", help="text that the network reads (default: texts that it generates)")
    add("--column", metavar="NAME", help=f"with --text: {COLUMN_HELP}")
    add("--compare", nargs="+", default=[], metavar="FILE", help="other models to draw beside this one")
    add = part.add_argument_group("measurement").add_argument
    add("--length", type=int, default=30, metavar="N", help="largest distance t - k (default: %(default)s)")
    add("--starts", type=int, metavar="N",
        help="number of positions to measure (default: 32; 8 in large networks with gates or several layers)")
    add("--seed", type=int, default=1, metavar="N",
        help="seed of the positions, the generated texts and the untrained networks (default: %(default)s)")
    add = part.add_argument_group("output").add_argument
    add("--plot", default="gradients.png", metavar="FILE.png", help="file of the picture (default: %(default)s)")

    part = add_part("graph", explain_graph, "the forward graph as built and as compiled: text, and pictures on a page",
        "--html graph.html")
    add_data_group(part)
    add = part.add_argument_group("output").add_argument
    add("--html", metavar="FILE.html", help="write a page with pictures")
    add("--hlo", action="store_true", help="also print XLA's program for a sentence of 10 words")

    part = add_part("units", explain_units,
        "what hidden units do while the network reads a text: a table, and the text colored on a page",
        "my.txt --unit 3 --html units.html", "[options] [FILE ...]")
    add = add_data_group(part)
    add("files", nargs="*", metavar="FILE",
        help="text files with one sentence per line, or CSV files (default: standard input)")
    add("--column", metavar="NAME", help=COLUMN_HELP)
    add("--tokens", type=int, default=5000, metavar="N",
        help="read at most this many tokens of the text (default: %(default)s)")
    add = part.add_argument_group("units").add_argument
    add("--of", default="state", choices=QUANTITY_NAMES, metavar="QUANTITY",
        help="state s_t; cell, input-gate, forget-gate or output-gate of an LSTM; reset-gate or update-gate of a GRU "
             "(default: state)")
    add("--layer", type=int, metavar="N", help="layer, counted from 1 (default: the top layer)")
    add("--by", choices=PROPERTY_NAMES, metavar="PROPERTY",
        help="sort units by how well they follow line-position, quotes or brackets in the text")
    add = part.add_argument_group("output").add_argument
    add("--unit", type=int, action="append", metavar="N",
        help="show this unit, counted from 0; repeat it for several (default: all in the table, 5 on the page)")
    add("--html", metavar="FILE.html", help="write a page that colors the text by each unit")

    part = add_part("errors", explain_errors,
        "where a language model loses most on a text: by frequency, by position, unknown words, worst sentences",
        "my.txt --plot errors.png", "[options] [FILE ...]")
    add = add_data_group(part)
    add("files", nargs="*", metavar="FILE",
        help="text files with one sentence per line, or CSV files (default: standard input)")
    add("--column", metavar="NAME", help=COLUMN_HELP)
    add("--train", action="append", default=[], metavar="FILE",
        help="training text of the model; repeat it for several. Tokens are then grouped by their number of "
        "occurrences in it instead of their rank, and its n-grams are compared with the network")
    add = part.add_argument_group("output").add_argument
    add("--most", type=int, default=10, metavar="N",
        help="number of words and sentences to show in each table (default: %(default)s)")
    add("--json", action="store_true", help="print one JSON object")
    add("--plot", metavar="FILE.png", help="draw the losses")

    part = add_part("info", explain_info, "sizes, settings, history and vocabulary of the model", "--json")
    add_data_group(part)
    part.add_argument_group("output").add_argument("--json", action="store_true", help="print one JSON object")
    # fmt: on
    return parser


def explain_gradients(arguments: argparse.Namespace) -> None:
    models = [arguments.model, *arguments.compare]
    if arguments.column is not None and arguments.text is None:
        raise OptionError("column: is for a text in a CSV file; name one with `text`, or leave `column` out")

    def begun(name: str) -> None:
        say(f"{name} …")

    with status("measuring gradients"):
        plot = check_picture(arguments.plot, [*models, *([arguments.text] if arguments.text else [])])
        from theano_rnn.inspection.gradient_curves import gradient_curves
        from theano_rnn.inspection.gradient_plot import draw_gradients

        lines = None if arguments.text is None else read_lines([arguments.text], None, arguments.column)
        curves = gradient_curves(models, lines, arguments.length, arguments.starts, arguments.seed, begun)
        draw_gradients(plot, curves)
    show("distance", *(curve.name for curve in curves))
    medians = [curve.median for curve in curves]
    longest = max(map(len, medians))
    for row in range(longest):
        show(row + 1, *(f"{median[row]:.4g}" if row < len(median) else "" for median in medians))
    if longest < arguments.length:
        say(f"the text has no more than {longest} steps in a row; name a longer one with --text")
    say(f"medians over up to {max(curve.norms.shape[1] for curve in curves)} positions; the picture is in {plot}")


def explain_graph(arguments: argparse.Namespace) -> None:
    page = None if arguments.html is None else check_output_path(arguments.html, [arguments.model])
    with status("compiling the graph"):
        from theano_rnn.inspection.forward_graph import ForwardGraph
        from theano_rnn.inspection.graph_page import formulas, graph_sections, write_graph_page
        from theano_rnn.inspection.network_loading import load_network

        rnn, _ = load_network(arguments.model)
        sections = graph_sections(ForwardGraph(rnn), arguments.hlo)
        if page:
            write_graph_page(page, f"The forward graph of {Path(arguments.model).name}", sections, formulas(rnn))
            say(f"the pictures are in {page}")
    for section in sections:
        if section.text is not None:
            show(f"# {section.heading}: {section.description}\n\n{section.text.rstrip()}\n")


def explain_units(arguments: argparse.Namespace) -> None:
    page = None if arguments.html is None else check_output_path(arguments.html, [arguments.model, *arguments.files])
    with status(f"loading {arguments.model}"):
        from theano_rnn.inspection.hidden_units import hidden_activity
        from theano_rnn.inspection.hidden_units_page import write_units_page
        from theano_rnn.inspection.input_sequences import visible_tokens
        from theano_rnn.inspection.text_properties import STRONGEST_SHOWN
        from theano_rnn.inspection.unit_values import QUANTITIES
        from theano_rnn.language_models.language_model import LanguageModel

        lm = LanguageModel.load(arguments.model)
    lines = read_lines(arguments.files, standard_input(), arguments.column)
    if not arguments.files:
        announce_standard_input()
    with no_status() if not arguments.files and is_typed() else status("reading the text"):
        activity = hidden_activity(
            lm, lines, arguments.unit, arguments.tokens, arguments.of, arguments.layer, arguments.by
        )
        if page:
            title = f"{QUANTITIES[arguments.of].title.capitalize()} of {Path(arguments.model).name}"
            write_units_page(page, title, activity)
            say(f"the colored text is in {page}")
    if not activity.is_complete:
        say(f"only the first {arguments.tokens:,} tokens were read; --tokens N reads more")
    show("unit", "lowest", "highest", "deviation", "persistence", "high after", "low after")
    for unit in activity.statistics:
        numbers = (f"{number:.4f}" for number in (unit.lowest, unit.highest, unit.deviation, unit.persistence))
        show(unit.unit, *numbers, visible_tokens(unit.high_after), visible_tokens(unit.low_after))
    for name, units in activity.properties:
        found = ", ".join(f"{unit} ({correlation:.2f})" for unit, correlation in units[:STRONGEST_SHOWN])
        say(f"units that follow {name} best, with their correlation: {found}")


def explain_errors(arguments: argparse.Namespace) -> None:
    files, column = arguments.files, arguments.column
    check_count("most", arguments.most)
    check_column(column, [*files, *arguments.train])
    picture = None
    if arguments.plot is not None:
        picture = check_picture(arguments.plot, [arguments.model, *files, *arguments.train])
    with status(f"loading {arguments.model}"):
        from theano_rnn.error_analysis.plot import draw_errors
        from theano_rnn.error_analysis.scored_files import analyzed_files, ngrams_of
        from theano_rnn.error_analysis.tables import document, tables
        from theano_rnn.language_models.language_model import LanguageModel
        from theano_rnn.results.score_formats import ScoringOptions
        from theano_rnn.results.score_output import summary

        lm = LanguageModel.load(arguments.model)
    inputs = list(open_inputs(files, standard_input(), column))
    with status("counting n-grams"):
        ngrams = ngrams_of(lm, arguments.train, column)
    if not files:
        announce_standard_input()
    with no_status() if not files and is_typed() else status("scoring"):
        analysis = analyzed_files(lm, inputs, ngrams, arguments.most)
    if picture is not None:
        title = f"{', '.join(files) or 'standard input'}, scored by {arguments.model}"
        draw_errors(picture, title, analysis, lm.tokenizer.level)
    if arguments.json:
        show(json.dumps(document(analysis), ensure_ascii=False))
    else:
        for number, rows in enumerate(tables(analysis)):
            for row in [()] * (number > 0) + rows:
                show(*row)
    say(summary(analysis.statistics, ScoringOptions(), lm.tokenizer.level))
    if picture is not None:
        say(f"the picture is in {picture}")


def explain_info(arguments: argparse.Namespace) -> None:
    from theano_rnn.inspection.model_summary import summarize_model, summary_lines

    summary = summarize_model(arguments.model)
    if arguments.json:
        show(json.dumps(summary))
        return
    for line in summary_lines(summary):
        show(line)


def work(arguments: argparse.Namespace) -> None:
    if arguments.part is None:
        raise OptionError("name a PART: gradients, graph, units, errors or info; --help describes them")
    arguments.work(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
