#!/usr/bin/env python3
"""Score sentences with a trained model: log-probability (natural), tokens, unknown words, perplexity, sentence.

One input line, or one row of a CSV file (.csv, .tsv), gives one output line. A line that holds several sentences gets
their total, if the model was trained on text that was split into sentences. Each sentence's end is one of its tokens
and counts in log-probability and perplexity; so do unknown words, as UNKNOWN_TOKEN, unless they are excluded. The
figures of the whole text go to standard error, with both perplexities.
"""

import contextlib
import os
import runpy
import sys
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser
from theano_rnn.commands.run_command import run
from theano_rnn.commands.terminal import flush, say, show
from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.corpus_formats import line_batches, open_inputs
from theano_rnn.files.output_files import check_output
from theano_rnn.files.printable import printable
from theano_rnn.results.pictures import check_picture


def parse(argv):
    parser = ArgumentParser(prog="score.py", description=__doc__)
    add = parser.add_argument
    add(
        "files",
        nargs="*",
        metavar="FILE",
        help="one sentence a line, or CSV; or .gz of these (default: standard input)",
    )
    column_help = "column of CSV to read (default: body, else text, else the only one); standard input is CSV then"
    add("--column", metavar="NAME", help=column_help)
    add("--model", default="models/rnn.npz", metavar="FILE", help="(default: %(default)s)")
    add("--no-split", dest="split", action="store_false", default=None,
        help="score each line as one sentence (default: split it into sentences if the training text was; lines of "
        "--nbest and --mix are always one sentence)")  # fmt: skip
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--words", action="store_true", help="a line a token: log-probability, known or unknown, token")
    output.add_argument("--summary", action="store_true", help="only the figures of the whole text")
    add("--format", choices=("tsv", "json", "srilm"), default="tsv",
        help="json: an object a sentence; srilm: what `ngram -ppl -debug 1` prints (0 with --summary, 2 with --words), "
        "ppl over words and sentence ends, ppl1 over words, blank lines left out (default: %(default)s)")  # fmt: skip
    add(
        "--log-base", choices=("e", "2", "10"), help="of log-probabilities, not of perplexities (default: e; srilm: 10)"
    )
    add("--unknown", choices=("include", "exclude"),
        help="whether unknown words count in log-probability and perplexity; the columns of tokens and unknown words "
        "count them always (default: include; exclude for srilm, where they are OOVs)")  # fmt: skip
    add("--nbest", action="store_true",
        help="lines are id<TAB>text, id<TAB>text<TAB>score or Moses' id ||| text ||| features ||| score; our score is "
        "added")  # fmt: skip
    add("--weight", type=float, metavar="W", help="of n-best lines: score (1-W) x the given score + W x ours")
    add("--best", action="store_true", help="of n-best lines: only the best of each id, by that score, or by ours")
    add("--ids", choices=("auto", "exact"),
        help="of the best n-best lines: whether utt-1, utt-2, … are the n-best list of utt, as Kaldi numbers them, or "
        "only equal ids belong together (default: auto: Kaldi's, if no id occurs twice)")  # fmt: skip
    add("--mix", metavar="FILE",
        help="log10 probabilities of the same tokens by another model: output of KenLM's query or of SRILM's ngram "
        "-debug 2, a token a line (number first), or a sentence a line")  # fmt: skip
    add("--lambda", type=float, dest="mix_weight", metavar="L",
        help="with --mix: P is L x our P + (1-L) x the other's (default: 0.5)")  # fmt: skip
    add("--html", type=Path, metavar="FILE", help="write a page of the text, each token coloured by its surprisal")
    add("--plot", type=Path, metavar="FILE.png", help="draw a histogram of surprisal and the worst sentences")
    return vars(parser.parse_args(argv))


def check_places(page, picture, inputs):
    """Raise where a page or a picture could not be written."""
    if page:
        check_output(page, inputs)
    if picture:
        check_picture(picture, inputs)
    if page and picture and page.resolve() == picture.resolve():
        raise OptionError("--html and --plot name the same file; name two")


def surprisal_sinks(page, picture, files, model, mix):
    """What takes the scored sentences to show them in a page and in a picture."""
    from theano_rnn.results.surprisal_page import SurprisalPage
    from theano_rnn.results.surprisal_plot import SurprisalPlot

    text = ", ".join(files) or "standard input"
    model = model if mix is None else f"{model}, mixed with {mix}"
    if page:
        yield SurprisalPage(page, "Surprisal", {"text": text, "model": model})
    if picture:
        yield SurprisalPlot(picture, f"{text}, scored by {model}")


def score_file(lm, reader, output, takers, mixture):
    """Score one file and hand on its sentences, as soon as they come."""
    number, name = reader.header_rows, reader.name
    for batch in line_batches(output.texts(reader.lines(), name), reader.is_waiting):
        for line, sentences in zip(batch, lm.scored_sentences(batch, output.options.split), strict=True):
            number += 1
            is_blank = len(sentences[0].tokens) == 1
            if is_blank and output.leaves_out_blank_lines:
                if mixture:
                    mixture.pass_over(name, number)
                continue
            if mixture:
                [one] = sentences
                values = mixture.mixed(one.values, name, number, one.tokens)
                sentences = [replace(one, values=values)]
            output.text(line, sentences)
            for taker in takers:
                for one in sentences:
                    text = line if len(sentences) == 1 else one.text
                    taker.sentence(text, one.tokens, one.values, one.known)
        flush()
    output.end_of_file(name)


def say_training_perplexity(lm, files, column, statistics):
    """The figure that train.py would report of these files, where it is another one."""
    from theano_rnn.training.evaluation import training_perplexity

    perplexity = training_perplexity(lm, files, column, statistics.sentences) if statistics.words else None
    if perplexity is not None:
        kind = "one continuous text" if lm.tokenizer.level == "char" else "paragraphs, without blank lines"
        say(f"as {kind}, as train.py measures it: perplexity {perplexity:.4f} per token")


def work(argv):
    arguments = parse(argv)
    files, column, model, page, picture = map(arguments.pop, ("files", "column", "model", "html", "plot"))
    from theano_rnn.language_models.unknown_words import UnknownWords
    from theano_rnn.results.mixture import Mixture
    from theano_rnn.results.nbest import NbestOutput
    from theano_rnn.results.score_formats import OUTPUTS, summary
    from theano_rnn.results.scoring_options import ScoringOptions

    options = ScoringOptions(**arguments)
    if options.nbest and column is not None:
        raise OptionError("nbest and column exclude each other; an n-best list has columns of its own")
    inputs = list(open_inputs(files, sys.stdin and sys.stdin.buffer, column, is_text=options.nbest))
    check_places(page, picture, [*files, model, *([] if options.mix is None else [options.mix])])
    output = (NbestOutput if options.nbest else OUTPUTS[options.format])(options, show)
    with contextlib.ExitStack() as stack:
        mixture = None
        if options.mix is not None:
            mixture = stack.enter_context(Mixture(options.mix, options.mix_weight))
        from theano_rnn.language_models.language_model import load

        lm = load(model)
        unknown_words = UnknownWords(lm.vocabulary, lm.tokenizer, lm.unknown_in_training)
        drawn = list(surprisal_sinks(page, picture, files, model, options.mix))
        for sink in drawn:
            stack.callback(sink.discard)
        for reader in inputs:
            score_file(lm, reader, output, [*drawn, unknown_words], mixture)
        if not output.statistics.sentences:
            raise CorpusError("no sentences to score; give one a line")
        if mixture:
            mixture.finish()
        for sink in (output, *drawn):
            sink.finish()
    say(summary(output.statistics, options))
    if options.summary and options.split is None and files and all(map(os.path.isfile, files)):
        say_training_perplexity(lm, files, column, output.statistics)
    for note in (output.note, unknown_words.warning()):
        if note:
            say(f"score.py: {printable(note)}")


def main(argv=None):
    return run("score.py", work, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
