#!/usr/bin/env python3
"""Predict with a model of a task: labels of texts or recordings, segments of recordings, tags of words, words in gaps,
translations, descriptions of images.

Each text, word, gap, recording, segment of a recording or image gives one output line. With --evaluate, the input has
the right answers, and the result is how well the predictions agree with them.
"""

import argparse
import json
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser, command_parser
from theano_rnn.commands.prediction_output import FORMATS
from theano_rnn.commands.run_command import run_command
from theano_rnn.commands.standard_input import announce_standard_input, is_typed, standard_input
from theano_rnn.commands.status_line import no_status, status
from theano_rnn.commands.terminal import flush, show
from theano_rnn.errors import ModelFileError, OptionError
from theano_rnn.files.output_files import check_can_be_read_again, check_output_path
from theano_rnn.results.pictures import check_picture
from theano_rnn.speech.frame_output import check_frames_path
from theano_rnn.speech.input_files import files_in
from theano_rnn.speech.segment_output import check_textgrids, textgrid_lines, write_textgrids
from theano_rnn.speech.segment_report import read_fold

if TYPE_CHECKING:
    from typing import TypeGuard

    from theano_rnn.tasks.frame_tagger import FrameTagger, Given
    from theano_rnn.tasks.task import PredictionOptions, Report, TaskModel
    from theano_rnn.writing.describer import Describer
    from theano_rnn.writing.translator import Translator

TEXTGRID = "textgrid"
WRITING = ("beam", "length_penalty", "max_length", "scores", "keep_unknown")
ONLY_FILES = "shows the texts of files; name one, because standard input can be read only once"
PLOT_OF_TEXTS = "plot: shows the result of an evaluation; give `evaluate` too"


def make_parser() -> ArgumentParser:
    parser = command_parser("predict", __doc__ or "", "[options] [FILE ...]", "--model models/reviews.npz my.txt")
    # fmt: off
    add = parser.add_argument_group("data").add_argument
    add("files", nargs="*", metavar="FILE",
        help="text files with one text per line, or CSV files; .gz of these too (default: standard input). Tags: plain "
        "text, or one token per line, perhaps with more columns after tabs, and blank lines between sentences. Missing "
        "words: a gap ___ in each line, perhaps candidates after tabs. Translation: one sentence per line; after tabs, "
        "given translations, which are ranked. Images: .npz files of features; with --evaluate also tables with image "
        "and sentence. Recordings: .wav files, folders of them, or "
        ".npz files of acoustic frames, like those of training; with --evaluate also their labels (tables, TextGrids, "
        ".phn)")
    add("--model", action="append", metavar="FILE",
        help="file of the model; give --model again to average the probabilities of several models (default: "
        "models/rnn.npz)")
    add("--column", metavar="NAME",
        help="column of the CSV files that holds the text (default: body, else text, else the only column)")

    add = parser.add_argument_group("output").add_argument
    add("--format", choices=(*FORMATS, TEXTGRID), default="tsv",
        help="csv: with a header; json: one object per line; textgrid: segments for Praat (default: %(default)s)")
    add("--probabilities", action="store_true",
        help="print the probability of each label, one column per label; with segments, one line per frame")
    add("--nbest", type=int, metavar="N",
        help="print the N best words of each gap (default: 5), or the N best texts of each line or image")
    add("--output", type=Path, metavar="FOLDER",
        help="with --format textgrid: write a TextGrid for each recording into this folder")
    add("--frames", type=Path, metavar="FILE",
        help="write the probability of each label in each frame of the recordings to this .npz or .csv, instead of "
        "printing segments")
    add("--html", type=Path, metavar="FILE",
        help="write a page that colors each word by how much it changes the prediction; of recordings: that plays them "
        "and shows their segments; of translations: that shows what each word was written from; of images: that "
        "shows them with their descriptions")

    add = parser.add_argument_group("writing (translations, descriptions)").add_argument
    add("--beam", type=int, metavar="N", help="width of the beam search; 1: greedy (default: 5)")
    add("--length-penalty", type=float, metavar="X",
        help="the best text has the highest ln P / n^X, where n is its number of tokens (default: 1)")
    add("--max-length", type=int, metavar="N",
        help="most tokens of a text (default: twice those of the source, plus 10; of a description: 40)")
    add("--scores", action="store_true", help="print the score and ln P (nats) before each text")
    add("--images", type=Path, metavar="FOLDER",
        help="with --html: the folder with the pictures of the images that are described")
    add("--keep-unknown", action="store_true",
        help="print UNKNOWN_TOKEN; by default it is replaced by the source word with the highest attention")
    add("--alignments", type=Path, metavar="FILE.tsv",
        help="write the weights of attention: line, position and token of the translation, of the source, weight")

    add = parser.add_argument_group("evaluation").add_argument
    add("--evaluate", action="store_true",
        help="the input has the right answers: print accuracy, precision, recall, F1 and the confusion matrix, and of "
        "BIO and IOBES tags those of the entities. Segments: print also the phone error rate and the boundaries found. "
        "Missing words: the right word follows each line after a tab; print accuracy and perplexity")
    add("--fold", type=Path, metavar="FILE",
        help="with --evaluate on recordings: lines with a label, a tab and the label that replaces it before comparing")
    add("--tier", metavar="NAME",
        help="tier of TextGrids that holds the right labels, for --evaluate, --plot and --html (default: that of "
        "training, else the only one)")
    add("--plot", type=Path, metavar="FILE.png",
        help="with --evaluate: draw the confusion matrix; of recordings, with or without it: draw the first ones with "
        "their segments; of translations: draw the attention of the first one")
    # fmt: on
    return parser


def check_arguments(arguments: argparse.Namespace) -> None:
    """Raise an error, before a model is loaded, for options that contradict each other or cannot be written."""
    inputs = [*files_in(arguments.files), *arguments.model]
    if arguments.plot is not None:
        check_picture(arguments.plot, inputs)
    if arguments.fold is not None and not arguments.evaluate:
        raise OptionError("fold: replaces labels in an evaluation; give `evaluate` too")
    if arguments.tier is not None and not (arguments.evaluate or arguments.plot or arguments.html):
        raise OptionError("tier: holds labels to compare or to show; give `evaluate`, `plot` or `html` too")
    for name in ("html", "nbest", "probabilities", "frames", "scores", "alignments"):
        if arguments.evaluate and getattr(arguments, name) not in (None, False):
            raise OptionError(f"{name}: has no effect with `evaluate`; leave one of them out")
    if arguments.output is not None and arguments.format != TEXTGRID:
        raise OptionError("output: TextGrids go there; give `format` textgrid too")
    if arguments.frames is not None:
        check_frames_path(arguments.frames, inputs)
        for name in ("html", "nbest", "plot", "probabilities", "output"):
            if getattr(arguments, name) not in (None, False):
                raise OptionError(f"{name}: has no effect with `frames`; leave one of them out")
    if arguments.evaluate and arguments.format in ("csv", TEXTGRID):
        raise OptionError("format: an evaluation is shown as text or json; leave `format` out, or choose json")
    if arguments.nbest is not None and arguments.nbest < 1:
        raise OptionError(f"nbest: expected an integer of at least 1, got {arguments.nbest}")
    for name in ("html", "alignments", *([] if arguments.evaluate else ["plot"])):
        if getattr(arguments, name) is not None:
            check_can_be_read_again(name, arguments.files)
    for name in ("html", "alignments"):
        if getattr(arguments, name) is not None:
            check_output_path(getattr(arguments, name), inputs)
            if not arguments.files:
                raise OptionError(f"{name}: {ONLY_FILES}")


def load_models(paths: Sequence[str]) -> "TaskModel":
    """The model in a file, or the average of those in several; an error if one is a language model."""
    models = []
    for path in paths:
        with status(f"loading {path}"):
            from theano_rnn.language_models.language_model import load
            from theano_rnn.tasks.task import TaskModel

            model = load(path)
        if not isinstance(model, TaskModel):
            raise ModelFileError(f"{path}: is a language model, which predicts no labels; use score.py or generate.py")
        models.append(model)
        if not model.can_be_averaged_with(models[0]):
            raise ModelFileError(f"{path}: cannot be averaged with {paths[0]}: its task or its labels are different")
    return models[0].averaged_with(models[1:]) if len(models) > 1 else models[0]


def evaluate(model: "TaskModel", arguments: argparse.Namespace) -> None:
    report: Report
    with status("evaluating"):
        if arguments.fold is None and arguments.tier is None:
            more = [prediction_options(arguments)] if writes(model) else []
            report = model.evaluate(arguments.files, arguments.column, standard_input(), *more)
        else:
            tagger = frame_tagger(model, "tier" if arguments.fold is None else "fold")
            fold = None if arguments.fold is None else read_fold(arguments.fold, tagger.labels)
            report = tagger.evaluate(arguments.files, arguments.column, fold=fold, tier=arguments.tier)
    if arguments.format == "json":
        show(json.dumps(report.figures(), ensure_ascii=False))
    else:
        for line in report.lines():
            show(line)
    if arguments.plot is not None:
        report.draw(arguments.plot)


def prediction_options(arguments: argparse.Namespace) -> "PredictionOptions":
    from theano_rnn.tasks.task import PredictionOptions

    names = ("probabilities", "nbest", "images", *WRITING)
    given = {name: getattr(arguments, name) for name in names}
    return PredictionOptions(all_columns=arguments.format == "tsv", page=arguments.html is not None, **given)


def writes(model: "TaskModel") -> "TypeGuard[Translator | Describer]":
    return model.writes


def translates(model: "TaskModel") -> "TypeGuard[Translator]":
    return model.task == "translate"


def check_writing(model: "Translator", arguments: argparse.Namespace) -> None:
    """Raise an error, before anything is translated, for what the model cannot show."""
    for name in ("alignments", "html", "plot"):
        if getattr(arguments, name) is not None:
            model.require_attention(name)


def finds_segments(model: "TaskModel") -> "TypeGuard[FrameTagger]":
    from theano_rnn.tasks.frame_tagger import FrameTagger

    return isinstance(model, FrameTagger)


def frame_tagger(model: "TaskModel", option: str) -> "FrameTagger":
    """The model, if it finds segments; otherwise an error about an option."""
    if not finds_segments(model):
        raise model.no_effect(option)
    return model


def write_frames(model: "TaskModel", arguments: argparse.Namespace) -> None:
    """Write the probabilities of labels in frames."""
    tagger = frame_tagger(model, "frames")
    with status(f"writing {arguments.frames}"):
        for recordings in tagger.open_inputs(arguments.files, column=arguments.column):
            tagger.write_frames(arguments.frames, recordings)


def show_textgrids(model: "TaskModel", arguments: argparse.Namespace) -> None:
    """Write a TextGrid for each recording, or show that of a single one."""
    tagger = frame_tagger(model, "format")
    with status("predicting"):
        for recordings in tagger.open_inputs(arguments.files, column=arguments.column):
            if arguments.output is not None:
                check_textgrids(arguments.output, recordings.names)
                write_textgrids(arguments.output, tagger.segments_of(recordings))
                continue
            if len(recordings) > 1:
                raise OptionError(
                    f"format: a TextGrid holds one recording, and there are {len(recordings)}; name a folder with "
                    "`output`"
                )
            for segments in tagger.segments_of(recordings):
                for line in textgrid_lines(segments):
                    show(line)


def predict(model: "TaskModel", arguments: argparse.Namespace, options: "PredictionOptions") -> None:
    show_row = FORMATS[arguments.format](model.result_columns(options))
    with no_status() if not arguments.files and is_typed() else status("predicting"):
        for reader in model.open_inputs(arguments.files, standard_input(), arguments.column):
            for row in model.results(reader, options):
                show_row(row)
            flush()


def given_segments(model: "TaskModel", arguments: argparse.Namespace) -> "Given":
    """The segments that pictures and pages show beside those that are found."""
    if not finds_segments(model) and arguments.tier is None:
        return {}
    tagger = frame_tagger(model, "tier")
    [recordings] = tagger.open_inputs(arguments.files, column=arguments.column)
    return tagger.given_segments(recordings, arguments.tier)


def write_page(model: "TaskModel", arguments: argparse.Namespace, given: "Given") -> None:
    about = {"text": ", ".join(arguments.files), "model": ", ".join(arguments.model)}
    with status(f"writing {arguments.html}"):
        readers = model.open_inputs(arguments.files, column=arguments.column)
        if finds_segments(model):
            model.write_page(arguments.html, readers, about, given)
        elif writes(model):
            model.write_page(arguments.html, readers, about, prediction_options(arguments))
        else:
            model.write_page(arguments.html, readers, about)


def show_alignments(model: "Translator", arguments: argparse.Namespace) -> None:
    """Write the weights of attention, or draw those of the first translation."""
    from theano_rnn.writing.alignments import draw_alignment, write_alignments

    for path, write in ((arguments.alignments, write_alignments), (arguments.plot, draw_alignment)):
        if path is not None:
            with status(f"writing {path}"):
                readers = model.open_inputs(arguments.files, standard_input(), arguments.column)
                write(path, model.alignments(readers, prediction_options(arguments)))


def draw_recordings(model: "TaskModel", arguments: argparse.Namespace, given: "Given") -> None:
    """Draw the first recordings with their segments."""
    tagger = frame_tagger(model, "plot")
    with status(f"drawing {arguments.plot}"):
        for recordings in tagger.open_inputs(arguments.files, column=arguments.column):
            tagger.draw(arguments.plot, recordings, given)


def work(arguments: argparse.Namespace) -> None:
    arguments.model = arguments.model or ["models/rnn.npz"]
    check_arguments(arguments)
    model = load_models(arguments.model)
    for names, has_effect in ((WRITING, writes(model)), (("alignments",), translates(model))):
        for name in names:
            if getattr(arguments, name) not in (None, False) and not has_effect:
                raise model.no_effect(name)
    if arguments.images is not None and (model.task != "describe" or arguments.html is None):
        raise OptionError("images: holds the pictures of a page of descriptions; leave it out, or give `html` too")
    if arguments.evaluate and arguments.plot is not None and model.evaluation_without_plot:
        raise OptionError(model.evaluation_without_plot)
    if translates(model):
        check_writing(model, arguments)
    if not arguments.files:
        announce_standard_input()
    if arguments.plot is not None and not arguments.evaluate:
        if not translates(model) and not finds_segments(model):
            raise OptionError(PLOT_OF_TEXTS)
        if not arguments.files:
            raise OptionError(f"plot: {ONLY_FILES}")
    if arguments.evaluate:
        evaluate(model, arguments)
        return
    given = {} if arguments.html is None and arguments.plot is None else given_segments(model, arguments)
    if arguments.frames is not None:
        write_frames(model, arguments)
    elif arguments.format == TEXTGRID:
        show_textgrids(model, arguments)
    else:
        predict(model, arguments, prediction_options(arguments))
    if arguments.html is not None:
        write_page(model, arguments, given)
    if translates(model):
        show_alignments(model, arguments)
    elif arguments.plot is not None:
        draw_recordings(model, arguments, given)


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
