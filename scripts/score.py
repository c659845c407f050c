#!/usr/bin/env python3
"""Score sentences with a trained model.

Each input line, or row of a CSV file (.csv, .tsv), gives one output line: log-probability (natural), tokens, unknown
words, perplexity, sentence. If the model was trained on text that was split into sentences, a line is split too and
gets the total of its sentences.

The end of each sentence counts as a token. Unknown words count as UNKNOWN_TOKEN unless they are excluded. A summary of
the whole text, with both perplexities, goes to standard error.
"""

import argparse
import contextlib
import math
import os
import runpy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser, command_parser
from theano_rnn.commands.option_names import flag
from theano_rnn.commands.program_name import program_name
from theano_rnn.commands.run_command import run_command
from theano_rnn.commands.standard_input import announce_standard_input, is_typed, standard_input
from theano_rnn.commands.status_line import no_status, status
from theano_rnn.commands.terminal import flush, say, show
from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.corpus_formats import line_batches, open_inputs
from theano_rnn.files.output_files import check_output_path
from theano_rnn.files.printable import printable
from theano_rnn.results.pictures import check_picture
from theano_rnn.results.score_formats import FORMATS, LOG_BASES, NBEST_FORMATS, NBEST_IDS, UNKNOWN_WORDS, ScoringOptions

if TYPE_CHECKING:
    from theano_rnn.files.corpus_reader import CorpusReader
    from theano_rnn.language_models.language_model import LanguageModel
    from theano_rnn.language_models.unknown_words import UnknownWords
    from theano_rnn.rescoring.mixture import Mixture
    from theano_rnn.results.score_output import ScoreOutput
    from theano_rnn.results.surprisal_page import SurprisalPage
    from theano_rnn.results.surprisal_plot import SurprisalPlot
    from theano_rnn.results.text_statistics import TextStatistics


def make_parser() -> ArgumentParser:
    parser = command_parser("score", __doc__ or "", "[options] [FILE ...]", "--model models/my.npz my.txt")
    # fmt: off
    add = parser.add_argument_group("data").add_argument
    add("files", nargs="*", metavar="FILE",
        help="text files with one sentence per line, or CSV files; .gz of these too (default: standard input)")
    add("--model", default="models/rnn.npz", metavar="FILE", help="file of the model (default: %(default)s)")
    add("--column", metavar="NAME",
        help="column of the CSV files that holds the text (default: body, else text, else the only column); "
        "standard input is read as CSV then")
    add("--no-split", dest="split", action="store_false", default=None,
        help="score each line as one sentence (default: split it if the training text was split; "
        "never with --nbest or --mix)")

    group = parser.add_argument_group("output")
    amount = group.add_mutually_exclusive_group()
    amount.add_argument("--words", action="store_true",
        help="print one line per token instead: log-probability, known or unknown, token")
    amount.add_argument("--summary", action="store_true",
        help="print only the summary of the whole text, with json and srilm to standard output")
    add = group.add_argument
    add("--format", choices=tuple(FORMATS), default="tsv",
        help="json: one object per sentence; srilm: what `ngram -ppl -debug 1` prints, or -debug 0 with --summary and "
        "-debug 2 with --words, without blank lines; ppl counts words and sentence ends, ppl1 counts words "
        "(default: %(default)s)")
    add("--log-base", choices=LOG_BASES, help="base of the log-probabilities (default: e; with srilm 10)")
    add("--unknown", choices=UNKNOWN_WORDS,
        help="whether unknown words count in log-probability and perplexity; the columns of tokens and unknown words "
        "always count them (default: include; with srilm exclude, which counts them as OOVs)")
    add("--html", type=Path, metavar="FILE", help="write a page that colors each token of the text by its surprisal")
    add("--plot", type=Path, metavar="FILE.png", help="plot a histogram of surprisal and the worst sentences")

    add = parser.add_argument_group("n-best lists").add_argument
    add("--nbest", action="store_true",
        help="add our score to an n-best list; lines are id<TAB>text, id<TAB>text<TAB>score, Moses' id ||| text ||| "
        "features ||| score, Kaldi's utt-1 words, or SRILM's nbest-format")
    add("--nbest-format", choices=NBEST_FORMATS, help="format of the list (default: auto, by its first line)")
    add("--weight", type=float, metavar="W",
        help="print the combined score (1-W) x the given score + W x ours (default: our score)")
    add("--best", action="store_true", help="print only the best line for each id, by that score")
    add("--ids", choices=NBEST_IDS,
        help="with --best: exact: only equal ids belong together; auto: utt-1, utt-2, ... are the n-best list of utt, "
        "as Kaldi numbers them, if no id occurs twice (default: auto)")
    add("--lm-scores", metavar="FILE", help="Kaldi: costs by the other language model, for --weight")
    add("--acoustic-scores", metavar="FILE", help="Kaldi: acoustic costs, for --best")
    add("--lm-weight", type=float, metavar="X",
        help="Kaldi, SRILM: --best has the highest acoustic log-probability + X x that of the language model "
        "(default: 10 for Kaldi, 8 for SRILM)")

    add = parser.add_argument_group("mixing with another model").add_argument
    add("--mix", metavar="FILE",
        help="log10 probabilities of the same tokens by another model: the output of KenLM's query or of SRILM's ngram "
        "-debug 2, one token per line (number first), or one sentence per line")
    add("--lambda", type=float, dest="mix_weight", metavar="L",
        help="with --mix: P = L x our P + (1-L) x the other model's P (default: 0.5)")
    # fmt: on
    return parser


def check_places(page: Path | None, picture: Path | None, inputs: Sequence[str]) -> None:
    """Raise an error if the page or the picture cannot be written."""
    if page:
        check_output_path(page, inputs)
    if picture:
        check_picture(picture, inputs)
    if page and picture and page.resolve() == picture.resolve():
        raise OptionError("`html` and `plot` name the same file; name two")


def surprisal_sinks(
    page: Path | None, picture: Path | None, files: Sequence[str], model: str, mix: str | None, level: str
) -> "Iterator[SurprisalPage | SurprisalPlot]":
    """The page and the picture that show the scored sentences, as far as they are asked for."""
    from theano_rnn.results.surprisal_page import SurprisalPage
    from theano_rnn.results.surprisal_plot import SurprisalPlot

    text = ", ".join(files) or "standard input"
    model = model if mix is None else f"{model}, mixed with {mix}"
    if page:
        yield SurprisalPage(page, "Surprisal", {"text": text, "model": model}, level)
    if picture:
        yield SurprisalPlot(picture, f"{text}, scored by {model}", level)


def score_file(
    lm: "LanguageModel",
    reader: "CorpusReader",
    output: "ScoreOutput",
    takers: "Sequence[SurprisalPage | SurprisalPlot | UnknownWords]",
    mixture: "Mixture | None",
) -> None:
    """Score one file and pass its sentences on as soon as they come."""
    number, name = reader.header_rows, reader.name
    for batch in line_batches(output.read_texts(reader.lines(), name), reader.is_waiting):
        for line, sentences in zip(batch, lm.scored_sentences(batch, output.options.split), strict=True):
            number += 1
            is_blank = len(sentences[0].tokens) == 1
            if is_blank and output.skips_blank_lines:
                if mixture:
                    mixture.skip(name, number)
                continue
            if mixture:
                [sentence] = sentences
                values = mixture.mixed(sentence.values, name, number, sentence.tokens)
                sentences = [replace(sentence, values=values)]
            output.add_line(line, sentences)
            for taker in takers:
                for sentence in sentences:
                    text = line if len(sentences) == 1 else sentence.text
                    taker.add_sentence(text, sentence.tokens, sentence.values, sentence.known)
        flush()
    output.end_of_file(name)


def say_training_perplexity(
    lm: "LanguageModel", files: Sequence[str], column: str | None, statistics: "TextStatistics"
) -> None:
    """Say the perplexity that train.py would report for these files, if it differs."""
    from theano_rnn.training.evaluation import training_perplexity

    perplexity = training_perplexity(lm, files, column, statistics.sentences) if statistics.words else None
    if perplexity is not None:
        if lm.tokenizer.level == "char":
            text, figure = "one continuous text", f"{math.log2(perplexity):.4f} bits/char, perplexity {perplexity:.4f}"
        else:
            text = "one continuous text" if lm.continuous else "paragraphs, without blank lines"
            figure = f"perplexity {perplexity:.4f} per token"
        say(f"as {text}, as training measures it: {figure}")


def work(namespace: argparse.Namespace) -> None:
    arguments = vars(namespace)
    files, column, model, page, picture = map(arguments.pop, ("files", "column", "model", "html", "plot"))
    from theano_rnn.language_models.unknown_words import UnknownWords
    from theano_rnn.rescoring.mixture import Mixture
    from theano_rnn.results.score_output import make_output, summary

    options = ScoringOptions(**arguments)
    if options.nbest and column is not None:
        raise OptionError("`nbest` and `column` exclude each other; an n-best list has columns of its own")
    inputs = list(open_inputs(files, standard_input(), column, is_text=options.nbest))
    others = (options.mix, options.lm_scores, options.acoustic_scores)
    check_places(page, picture, [*files, model, *(path for path in others if path is not None)])
    output = make_output(options, show)
    with contextlib.ExitStack() as stack:
        mixture = None
        if options.mix is not None and options.mix_weight is not None:
            mixture = stack.enter_context(Mixture(options.mix, options.mix_weight))
        with status(f"loading {model}"):
            from theano_rnn.language_models.language_model import LanguageModel

            lm = LanguageModel.load(model)
        unknown_words = UnknownWords(lm.vocabulary, lm.tokenizer, lm.unknown_in_training, flag)
        sinks = list(surprisal_sinks(page, picture, files, model, options.mix, lm.tokenizer.level))
        for sink in sinks:
            stack.callback(sink.discard)
        if not files:
            announce_standard_input()
        with no_status() if not files and is_typed() else status("scoring"):
            for reader in inputs:
                score_file(lm, reader, output, [*sinks, unknown_words], mixture)
        if not output.statistics.sentences:
            raise CorpusError("no sentences to score; give one per line")
        if mixture:
            mixture.finish()
        for finishing in (output, *sinks):
            finishing.finish()
    say(summary(output.statistics, options, lm.tokenizer.level))
    if options.summary and options.split is None and files and all(map(os.path.isfile, files)):
        with status("measuring the perplexity as in training"):
            say_training_perplexity(lm, files, column, output.statistics)
    for note in (output.note, unknown_words.warning()):
        if note:
            say(f"{program_name('score')}: {printable(note)}")


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
