#!/usr/bin/env python3
"""Generate sentences with a trained model, one a line."""

import sys

from theano_rnn.command_line import ArgumentParser, run, show
from theano_rnn.errors import OptionError


def parse(argv):
    parser = ArgumentParser(prog="generate.py", description=__doc__)
    add = parser.add_argument
    add("--model", default="models/rnn.npz", metavar="FILE", help="(default: %(default)s)")
    add("-n", type=int, default=10, metavar="N", help="number of texts (default: %(default)s)")
    add("--temperature", type=float, default=1.0, metavar="X", help="below 1: less surprise (default: %(default)s)")
    add("--top-k", type=int, metavar="K", help="draw only from the K most probable words")
    add("--top-p", type=float, metavar="P", help="draw only from the likeliest words that together reach P")
    add("--prompt", default="", metavar="TEXT", help="how every text begins")
    add("--min-words", type=int, default=1, metavar="N", help="shortest length (default: %(default)s)")
    add("--max-words", type=int, default=100, metavar="N", help="greatest length (default: %(default)s)")
    add("--seed", type=int, metavar="N", help="the same seed gives the same texts")
    return vars(parser.parse_args(argv))


def work(argv):
    arguments = parse(argv)
    from theano_rnn.language_model import load

    lm = load(arguments.pop("model"))
    try:
        texts = lm.generated(**arguments)
    except ValueError as error:
        raise OptionError(str(error)) from error
    for text in texts:
        show(text)


def main(argv=None):
    return run("generate.py", work, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
