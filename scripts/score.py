#!/usr/bin/env python3
"""Score sentences with a trained model: log-probability (natural), tokens, unknown words, perplexity, sentence.

One input line gives one output line. Each sentence's end is one of its tokens.
"""

import itertools
import math
import sys

from theano_rnn.command_line import ArgumentParser, run
from theano_rnn.corpus_files import read_lines
from theano_rnn.errors import CorpusError

LINES_AT_ONCE = 4096


def parse(argv):
    parser = ArgumentParser(prog="score.py", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="one sentence a line (default: standard input)")
    parser.add_argument("--model", default="models/rnn.npz", metavar="FILE", help="(default: %(default)s)")
    show = parser.add_mutually_exclusive_group()
    show.add_argument("--words", action="store_true", help="a line a token: log-probability, known or unknown, token")
    show.add_argument("--summary", action="store_true", help="only the corpus figures, on standard error as always")
    return parser.parse_args(argv)


def work(argv):
    arguments = parse(argv)
    from theano_rnn.language_model import load

    lm = load(arguments.model)
    sentences = tokens = unknown_words = 0
    total = 0.0
    lines = read_lines(arguments.files, sys.stdin.buffer)
    while block := list(itertools.islice(lines, LINES_AT_ONCE)):
        for line, scored in zip(block, lm.words_scores(block), strict=True):
            logp = sum(value for _, value, _ in scored)
            unknown = sum(not known for _, _, known in scored)
            sentences, tokens = sentences + 1, tokens + len(scored)
            total, unknown_words = total + logp, unknown_words + unknown
            if arguments.words:
                for token, value, known in scored:
                    print(f"{value:.6f}", "known" if known else "unknown", token, sep="\t")
            elif not arguments.summary:
                print(f"{logp:.6f}", len(scored), unknown, f"{math.exp(-logp / len(scored)):.4f}", line, sep="\t")
    if not sentences:
        raise CorpusError("no sentences to score; give one a line")
    words = tokens - sentences
    print(
        f"{sentences} sentences, {words} words, {unknown_words} unknown ({unknown_words / max(words, 1):.2%}), "
        f"log-probability {total:.4f}, perplexity {math.exp(-total / tokens):.4f} per token (sentence ends counted)",
        file=sys.stderr,
    )


def main(argv=None):
    return run("score.py", work, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
