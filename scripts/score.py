#!/usr/bin/env python3
"""Score sentences with a trained model: log-probability (natural), tokens, unknown words, perplexity, sentence.

One input line gives one output line. Each sentence's end is one of its tokens.
"""

import contextlib
import sys
from pathlib import Path

from theano_rnn.command_line import ArgumentParser, run, say, show
from theano_rnn.corpus_files import blocks, read_lines
from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.output_files import check_output
from theano_rnn.pictures import check_picture


def parse(argv):
    parser = ArgumentParser(prog="score.py", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="one sentence a line (default: standard input)")
    parser.add_argument("--model", default="models/rnn.npz", metavar="FILE", help="(default: %(default)s)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--words", action="store_true", help="a line a token: log-probability, known or unknown, token")
    output.add_argument("--summary", action="store_true", help="only the corpus figures, on standard error as always")
    parser.add_argument("--html", metavar="FILE", help="write a page of the text, each token coloured by its surprisal")
    parser.add_argument(
        "--plot", metavar="FILE.png", help="draw a histogram of the tokens' surprisal and the worst sentences"
    )
    return parser.parse_args(argv)


def check_places(arguments):
    """Raise for a page and a picture that could not be written, before the model is loaded."""
    inputs = [*arguments.files, arguments.model]
    if arguments.html is not None:
        check_output(arguments.html, inputs)
    if arguments.plot is not None:
        check_picture(arguments.plot, inputs)
        if arguments.html is not None and Path(arguments.html).resolve() == Path(arguments.plot).resolve():
            raise OptionError("--html and --plot name the same file; name two")


def sinks(arguments):
    """What takes the scored sentences to write them to files."""
    from theano_rnn.surprisal_page import SurprisalPage
    from theano_rnn.surprisal_plot import SurprisalPlot

    if arguments.html is not None:
        about = {"text": ", ".join(arguments.files) or "standard input", "model": arguments.model}
        yield SurprisalPage(Path(arguments.html), "Surprisal", about)
    if arguments.plot is not None:
        yield SurprisalPlot(Path(arguments.plot))


def work(argv):
    arguments = parse(argv)
    check_places(arguments)
    from theano_rnn.language_model import load
    from theano_rnn.scoring import perplexity

    lm = load(arguments.model)
    with contextlib.ExitStack() as stack:
        writers = list(sinks(arguments))
        for writer in writers:
            stack.callback(writer.discard)
        sentences = tokens = unknown_words = 0
        total = 0.0
        for block in blocks(read_lines(arguments.files, sys.stdin and sys.stdin.buffer)):
            for line, (words, values, known) in zip(block, lm.scored_tokens(block), strict=True):
                logp, unknown = float(values.sum()), int((~known).sum())
                sentences, tokens = sentences + 1, tokens + len(words)
                total, unknown_words = total + logp, unknown_words + unknown
                for writer in writers:
                    writer.sentence(line, words, values, known)
                if arguments.words:
                    for token, value, is_known in zip(words, values, known, strict=True):
                        show(f"{value:.6f}", "known" if is_known else "unknown", token)
                elif not arguments.summary:
                    show(f"{logp:.6f}", len(words), unknown, f"{perplexity(logp, len(words)):.4f}", line)
        if not sentences:
            raise CorpusError("no sentences to score; give one a line")
        for writer in writers:
            writer.finish()
    words = tokens - sentences
    say(
        f"{sentences} sentences, {words} words, {unknown_words} unknown ({unknown_words / max(words, 1):.2%}), "
        f"log-probability {total:.4f}, perplexity {perplexity(total, tokens):.4f} per token (sentence ends counted)"
    )


def main(argv=None):
    return run("score.py", work, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
