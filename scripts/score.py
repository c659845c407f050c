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
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser, command_parser, weighted_file
from theano_rnn.commands.option_names import flag
from theano_rnn.commands.program_name import program_name
from theano_rnn.commands.run_command import run_command
from theano_rnn.commands.standard_input import announce_standard_input, is_typed, standard_input
from theano_rnn.commands.status_line import no_status, status
from theano_rnn.commands.terminal import flush, say, show
from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.corpus_formats import open_inputs
from theano_rnn.files.output_files import check_output_path
from theano_rnn.files.printable import printable
from theano_rnn.files.text_files import without_byte_order_marks
from theano_rnn.results.pictures import check_picture
from theano_rnn.results.score_formats import (
    BEST,
    FORMATS,
    LOG_BASES,
    NBEST_FORMATS,
    NBEST_IDS,
    UNKNOWN_WORDS,
    ScoringOptions,
)

if TYPE_CHECKING:
    from theano_rnn.files.corpus_reader import CorpusReader
    from theano_rnn.language_models.language_model import LanguageModel
    from theano_rnn.language_models.reading_scores import ReadingScorer
    from theano_rnn.language_models.unknown_words import UnknownWords
    from theano_rnn.rescoring.line_scorer import LineScorer, LineScores
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
        "never with --nbest, --pairs or --mix)")
    add("--given", metavar="COLUMN|FILE",
        help="score each text after another one, as its continuation: from a column of the CSV files, or from the same "
        "line of a file")

    group = parser.add_argument_group("output")
    amount = group.add_mutually_exclusive_group()
    amount.add_argument("--words", action="store_true",
        help="print one line per token instead: log-probability, known or unknown, token")
    amount.add_argument("--summary", action="store_true",
        help="print only the summary of the whole text, with csv, json and srilm to standard output")
    add = group.add_argument
    add("--by-word", action="store_true",
        help="with --words: one line per whitespace-separated word, with the sum over its tokens")
    add("--format", choices=tuple(FORMATS), default="tsv",
        help="csv: with a header, for pandas and R; with --words also surprisal in bits, and the place of each token "
        "in its line; json: one object per sentence; srilm: what `ngram -ppl -debug 1` prints, or -debug 0 with "
        "--summary and -debug 2 with --words, without blank lines; ppl counts words and sentence ends, ppl1 counts "
        "words (default: %(default)s)")
    add("--log-base", choices=LOG_BASES, help="base of the log-probabilities (default: e; with srilm 10)")
    add("--unknown", choices=UNKNOWN_WORDS,
        help="whether unknown words count in log-probability and perplexity; the columns of tokens and unknown words "
        "always count them (default: include; with srilm exclude, which counts them as OOVs)")
    add("--html", type=Path, metavar="FILE", help="write a page that colors each token of the text by its surprisal")
    add("--plot", type=Path, metavar="FILE.png", help="plot a histogram of surprisal and the worst sentences")
    # fmt: on
    add_other_readings(parser)
    return parser


def add_other_readings(parser: ArgumentParser) -> None:
    """Add the options for n-best lists, minimal pairs and mixtures."""
    # fmt: off
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
    add("--lm-scores", metavar="FILE", help="Kaldi: costs by the other language model, for --weight (default: none)")
    add("--acoustic-scores", metavar="FILE", help="Kaldi: acoustic costs, for --best (default: none)")
    add("--lm-weight", type=float, metavar="X",
        help="Kaldi, SRILM: --best has the highest acoustic log-probability + X x that of the language model "
        "(default: 10 for Kaldi, 8 for SRILM)")

    add = parser.add_argument_group("minimal pairs").add_argument
    add("--pairs", action="store_true",
        help="compare two sentences per line: better<TAB>worse, or JSON lines with sentence_good and sentence_bad; the "
        "summary has the accuracy")
    add("--by", metavar="FIELD", help="also show the accuracy for each value of a field of the pairs")

    add = parser.add_argument_group("mixing with other models").add_argument
    add("--mix", metavar="FILE",
        help="log10 probabilities of the same tokens by another model: the output of KenLM's query or of SRILM's ngram "
        "-debug 2, one token per line (number first), or one sentence per line")
    add("--lambda", type=mixture_weight, dest="mix_weight", metavar="L",
        help="with --mix or one --mix-model: P = L x our P + (1-L) x the other model's P; best: the L with the lowest "
        "perplexity on this text (default: 0.5)")
    add("--mix-model", action="append", default=[], type=weighted_file, metavar="FILE [WEIGHT]",
        help="another of our models with the same vocabulary, and its weight; may be repeated; models without a "
        "weight, and --model, share the rest of 1 equally")
    parser.weighted_flags = ("--mix-model",)
    # fmt: on


def mixture_weight(text: str) -> float | str:
    """Return the value of --lambda: a number or "best"."""
    try:
        return text if text == BEST else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, or {BEST}, got {text!r}") from None


def check_places(page: Path | None, picture: Path | None, inputs: Sequence[str]) -> None:
    """Raise an error if the page or the picture cannot be written."""
    if page:
        check_output_path(page, inputs)
    if picture:
        check_picture(picture, inputs)
    if page and picture and page.resolve() == picture.resolve():
        raise OptionError("`html` and `plot` name the same file; name two")


def surprisal_sinks(
    page: Path | None, picture: Path | None, files: Sequence[str], model: str, level: str
) -> "Iterator[SurprisalPage | SurprisalPlot]":
    """The page and the picture that show the scored sentences, as far as they are asked for."""
    from theano_rnn.results.surprisal_page import SurprisalPage
    from theano_rnn.results.surprisal_plot import SurprisalPlot

    text = ", ".join(files) or "standard input"
    if page:
        yield SurprisalPage(page, "Surprisal", {"text": text, "model": model}, level)
    if picture:
        yield SurprisalPlot(picture, f"{text}, scored by {model}", level)


def load_models(path: str, options: ScoringOptions) -> "tuple[LanguageModel, ReadingScorer]":
    """Load the model, and mix it with others if the options name some."""
    with status(f"loading {path}"):
        from theano_rnn.language_models.language_model import LanguageModel

        lm = LanguageModel.load(path)
    if not options.mix_model:
        return lm, lm
    from theano_rnn.rescoring.model_mixture import ModelMixture

    paths = [path, *(other for other, _ in options.mix_model)]
    others = []
    for other in paths[1:]:
        with status(f"loading {other}"):
            others.append(LanguageModel.load(other))
    return lm, ModelMixture([lm, *others], options.weights, paths)


def show_file(
    name: str,
    batches: "Iterable[list[LineScores]]",
    output: "ScoreOutput",
    takers: "Sequence[SurprisalPage | SurprisalPlot | UnknownWords]",
) -> None:
    """Show the scores of one file as soon as they come."""
    for batch in batches:
        for line in batch:
            output.file, output.line_number = name, line.number
            output.add_line(line.text, line.sentences)
            for taker in takers:
                for sentence in line.sentences:
                    text = without_byte_order_marks(line.text) if len(line.sentences) == 1 else sentence.text
                    taker.add_sentence(text, sentence.tokens, sentence.values, sentence.known)
        flush()
    output.end_of_file(name)


def show_files(
    scorer: "LineScorer",
    inputs: "Iterable[CorpusReader]",
    output: "ScoreOutput",
    takers: "Sequence[SurprisalPage | SurprisalPlot | UnknownWords]",
    column: str | None,
) -> str | None:
    """Show the scores of all files. Return a line about the best weight if the options ask for it."""
    files: Iterable[tuple[str, Iterable[list[LineScores]]]]
    files = ((reader.name, scorer.batches(reader, output, column)) for reader in inputs)
    note = None
    if output.options.mix_weight == BEST:
        files, note = scorer.with_best_weight(files)
    for name, batches in files:
        show_file(name, batches, output, takers)
    return note


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
    options = ScoringOptions(**arguments)
    from theano_rnn.language_models.unknown_words import UnknownWords
    from theano_rnn.reading_studies.given_texts import GivenTexts
    from theano_rnn.rescoring.line_scorer import LineScorer
    from theano_rnn.rescoring.mixture import Mixture
    from theano_rnn.results.score_output import make_output

    is_text = options.nbest or options.pairs
    if is_text and column is not None:
        name, what = ("nbest", "an n-best list has") if options.nbest else ("pairs", "a list of pairs has")
        raise OptionError(f"`{name}` and `column` exclude each other; {what} columns of its own")
    # Positions in a line count every character in it.
    keeps_marks = options.by_word or (options.words and options.format == "csv")
    inputs = list(open_inputs(files, standard_input(), column, is_text, keeps_marks))
    given = None if options.given is None else GivenTexts(options.given, inputs)
    mixed_with = [*([] if options.mix is None else [options.mix]), *(path for path, _ in options.mix_model)]
    costs = [path for path in (options.lm_scores, options.acoustic_scores) if path is not None]
    check_places(page, picture, [*files, model, *mixed_with, *costs])
    output = make_output(options, show)
    output.names_files = len(files) > 1
    with contextlib.ExitStack() as stack:
        mixture = None if options.mix is None else stack.enter_context(Mixture(options.mix))
        lm, scoring_model = load_models(model, options)
        scorer = LineScorer(scoring_model, options, mixture, given)
        unknown_words = UnknownWords(lm.vocabulary, lm.tokenizer, lm.unknown_in_training, flag)
        label = ", mixed with ".join([model, *mixed_with])
        sinks = list(surprisal_sinks(page, picture, files, label, lm.tokenizer.level))
        for sink in sinks:
            stack.callback(sink.discard)
        if not files:
            announce_standard_input()
        with no_status() if not files and is_typed() else status("scoring"):
            weight = show_files(scorer, inputs, output, [*sinks, unknown_words], column)
        if not output.statistics.sentences:
            raise CorpusError("no sentences to score; give one per line")
        scorer.finish()
        for finishing in (output, *sinks):
            finishing.finish()
    say(output.summary(lm.tokenizer.level))
    if weight is not None:
        say(weight)
    is_plain = options.split is None and options.given is None and not options.mix_model
    if options.summary and is_plain and files and all(map(os.path.isfile, files)):
        with status("measuring the perplexity as in training"):
            say_training_perplexity(lm, files, column, output.statistics)
    for note in (output.note, *scorer.notes(), unknown_words.warning()):
        if note:
            say(f"{program_name('score')}: {printable(note)}")


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
