#!/usr/bin/env python3
"""Train a recurrent-neural-network language model on text files."""

import runpy
import shlex
import shutil
import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser
from theano_rnn.commands.option_names import flag
from theano_rnn.commands.run_command import run
from theano_rnn.commands.terminal import say
from theano_rnn.errors import OptionError, TrainingInterrupted

SHIPPED = Path("data") / "comments.csv"


def parse(argv):
    parser = ArgumentParser(prog="train.py", description=__doc__, argument_default=None)
    add = parser.add_argument
    add("--data", nargs="+", metavar="FILE", help="text, or CSV (.csv, .tsv), or .gz of these")
    add("--column", metavar="NAME", help="column of CSV files to read (default: body, else text, else the only one)")
    add("--level", choices=("word", "char"), help="what a token is (default: word)")
    add("--vocabulary-size", type=int, metavar="N", help="entries, special tokens counted (default: 8000)")
    add("--min-count", type=int, metavar="N", help="what occurs less often is unknown (default: 1)")
    add("--hidden-dim", type=int, metavar="N", help="size of the hidden state (default: 100)")
    add("--bptt-truncate", type=int, metavar="K", help="steps that an error flows back; -1: all (default: -1)")
    add("--activation", choices=("tanh", "relu"), help="(default: tanh)")
    add("--epochs", type=int, metavar="N", help="passes over the text (default: 10)")
    add(
        "--batch-size",
        type=int,
        metavar="N",
        help="sentences, or streams of characters, a step (default: 32; 50; less for small texts)",
    )
    add("--sequence-length", type=int, metavar="N", help="characters a step and stream (default: 50)")
    add("--optimizer", choices=("sgd", "momentum", "adagrad", "rmsprop", "adam"), help="(default: adam)")
    add("--learning-rate", type=float, metavar="X", help="(default: one that suits the optimizer)")
    add("--rate-decay", type=float, metavar="X", help="in epoch e the rate is rate / (1 + X e) (default: 0.2)")
    add("--clip", type=float, metavar="X", help="limit of the gradients' norm; 0: none (default: 1)")
    add("--valid", metavar="FILE", help="held-out text")
    add(
        "--valid-fraction",
        type=float,
        metavar="X",
        help="share of the text to hold out (default: 0.05, and up to 0.1 of a small text)",
    )
    add("--evaluate-every", type=int, metavar="N", help="epochs between evaluations (default: 1)")
    add("--save-every", type=float, metavar="MINUTES", help="between saves, beside those at evaluations (default: 5)")
    add("--sample-every", type=int, metavar="STEPS", help="between sampled texts, beside those at evaluations; 0: none")
    add("--patience", type=int, metavar="N", help="end after N evaluations in a row without a better loss; 0: go on")
    add("--max-minutes", type=float, metavar="X", help="end for now after so long; --resume goes on")
    add("--init-from", metavar="MODEL", help="start from this model, with its vocabulary, on another text")
    add("--model", default="models/rnn.npz", metavar="FILE", help="where the model goes (default: %(default)s)")
    add(
        "--overwrite",
        action="store_true",
        default=None,
        help="replace the model and checkpoint that are there, instead of keeping them",
    )
    add("--resume", action="store_true", help="go on with an interrupted or finished run of this --model")
    add("--seed", type=int, metavar="N", help="(default: 1)")
    add("--device", choices=("auto", "cpu", "gpu"), help="(default: auto)")
    add("--tutorial", action="store_true", default=None, help="exactly the tutorial's training, one sentence a step")
    add("--keep-case", action="store_true", default=None, help="do not lower-case words")
    add("--tokenized", action="store_true", default=None, help="the text is one tokenized sentence a line: leave it")
    add(
        "--lines",
        action="store_true",
        default=None,
        help="each line, or CSV cell, is one item: do not look for sentences",
    )
    add("--log", metavar="FILE.jsonl", help="one JSON object an evaluation")
    add("--plot", metavar="FILE.png", help="a picture of the losses, drawn anew while it trains")
    return vars(parser.parse_args(argv))


def default_data():
    """The shipped corpus: in the current folder, or beside this script in a checkout."""
    for place in (SHIPPED, Path(__file__).resolve().parents[1] / SHIPPED):
        if place.is_file():
            return [str(place)]
    raise OptionError(f"{SHIPPED}: not found here; name your text with --data")


def command(argv):
    """The command that goes on with an interrupted run."""
    arguments = [argument for argument in argv if argument != "--resume" and not argument.startswith("--ov")]
    name = Path(sys.executable).name
    # Not the same file: a virtual environment's interpreter is a link to one that lacks its packages.
    interpreter = name if shutil.which(name) == sys.executable else sys.executable
    return shlex.join([interpreter, sys.argv[0], *arguments, "--resume"])


def work(argv):
    settings = {name: value for name, value in parse(argv).items() if value is not None}
    data, model, resume = settings.pop("data", None), settings.pop("model"), settings.pop("resume")
    places = {name: settings.pop(name, None) for name in ("log", "plot")}
    if data is None and not resume:
        data = default_data()
    from theano_rnn.training.progress import ProgressReporter
    from theano_rnn.training.run_files import RunFiles
    from theano_rnn.training.train_model import train

    progress = ProgressReporter(option_name=flag)
    try:
        lm = train(data, model=model, resume=resume, reporter=progress, **places, **settings)
    except TrainingInterrupted:
        progress.close()
        say(f"\ninterrupted; the work so far is saved. To go on:\n  {command(argv)}")
        raise
    finally:
        progress.close()
    if progress.stopped_after is not None:
        say(f"the time is up after {progress.stopped_after}; the work so far is saved. To go on:\n  {command(argv)}")
    progress.finished(lm, RunFiles(Path(model), None).model)


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    return run("train.py", work, argv)


if __name__ == "__main__":
    sys.exit(main())
