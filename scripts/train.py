#!/usr/bin/env python3
"""Train a recurrent neural network on text or recordings: a language model, or with --task another network.

Without --data, it trains on the sample of a checkout, for a language model data/comments.csv. The model goes to
--model; a checkpoint beside it allows you to continue an interrupted run with --resume.
"""

import argparse
import functools
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser, command_parser
from theano_rnn.commands.next_command import next_command, resume_command
from theano_rnn.commands.option_names import flag
from theano_rnn.commands.run_command import run_command
from theano_rnn.commands.terminal import say
from theano_rnn.errors import OptionError, TrainingInterrupted

SHIPPED = {
    "language-model": ("comments.csv",),
    "classify": ("reviews.tsv",),
    "tag": ("tags.tsv",),
    "fill": ("comments.csv",),
    "translate": ("translations.tsv",),
    "describe": ("scenes/captions.tsv", "scenes/features.npz"),
}
TASKS = tuple(SHIPPED)


def make_parser() -> ArgumentParser:
    example = "--data my.txt --epochs 20 --model models/my.npz"
    parser = command_parser("train", __doc__ or "", "[options]", example)

    # fmt: off
    add = parser.add_argument_group("task").add_argument
    add("--task", choices=TASKS,
        help="what the network learns; classify: the label of a text; tag: the tag of each word; fill: the word in a "
        "gap, from both sides; translate: the translation of a sentence; describe: the description of an image. On "
        "recordings, tag learns labelled segments, such as phones, and classify one label per recording, such as a "
        "word or a speaker (default: language-model)")
    add("--bidirectional", action=argparse.BooleanOptionalAction,
        help="whether each layer reads in both directions (default: yes)")
    add("--attention", action=argparse.BooleanOptionalAction,
        help="translate: whether each step reads all states of the source, not only the last ones (default: yes)")
    add("--repeat-source", action=argparse.BooleanOptionalAction,
        help="translate: whether each step reads the source's last states, not only the first step (default: yes "
        "with --no-attention)")
    add("--pooling", choices=("max", "mean", "last"),
        help="what the output reads of the states: the maximum or the mean over the text, or the last (default: max)")
    add("--word-dropout", type=float, metavar="X",
        help="replace a word that occurs N times by the unknown word with probability X/(X+N) while training "
        "(default: 0.25; tag: 1); fill: replace this share of all words (default: 0.05)")
    add("--criterion", choices=("accuracy", "loss"),
        help="what decides on held-out data which parameters are the best (default: accuracy)")

    add = parser.add_argument_group("data").add_argument
    add("--data", nargs="+", metavar="FILE",
        help="text files, or CSV files (.csv, .tsv); .gz of these too (default: data/comments.csv, or another sample "
        "for another --task). classify: tables with the columns label and text, or two columns. tag: lines with a "
        "token, a tab and its tag, and a blank line between sentences. Recordings, for tag and classify: .wav files, "
        "folders of them, or .npz files of acoustic frames; with tables (name, start, end, label, or for classify "
        "name, label), TextGrids or .phn files")
    add("--target", metavar="FILE",
        help="translate: text with the translations of the lines of --data (default: --data has both, separated by a "
        "tab)")
    add("--column", metavar="NAME",
        help="column of the CSV files that holds the text (default: body, else text, else the only column)")
    add("--lines", action="store_true", default=None,
        help="treat each line or CSV cell as one item; do not split it into sentences")
    add("--tokenized", action="store_true", default=None,
        help="the text is tokenized: one sentence per line, spaces between tokens")
    add("--keep-case", action="store_true", default=None, help="do not convert words to lower case")
    add("--features", choices=("log-mel", "mfcc"),
        help="what to compute from .wav files, 25 ms every 10 ms: 40 log-mel energies or 13 MFCC (default: log-mel)")
    add("--tier", metavar="NAME", help="tier of the TextGrids that holds the labels (default: the only one)")
    add("--level", choices=("word", "char"), help="train on words or on characters (default: word)")
    add("--vocabulary-size", type=int, metavar="N",
        help="largest number of vocabulary entries, including the special tokens (default: 8000; classify: 20000; "
        "tag: 50000; translate and describe: 30000)")
    add("--min-count", type=int, metavar="N",
        help="tokens that occur less often count as unknown (default: 1; translate: 2)")
    add("--shared-vocabulary", action="store_true", default=None,
        help="translate: one vocabulary, with the same word vectors, for source and target")
    add("--subwords", type=int, metavar="N",
        help="translate: split words into N subwords (byte-pair encoding) that are learned from the text "
        "(default: whole words)")
    add("--valid", metavar="FILE",
        help="file, or folder of recordings, to use as held-out data (default: part of --data)")
    add("--valid-fraction", type=float, metavar="X",
        help="share of the text or the recordings to hold out (default: 0.05; up to 0.1 of a small text; 0.1 with tag "
        "and classify)")

    add = parser.add_argument_group("network").add_argument
    add("--cell", choices=("simple", "gru", "lstm"),
        help="recurrent cell; simple: the tutorial's (default: simple; with --task: gru; tag and fill, on text: lstm)")
    add("--layers", type=int, metavar="N", help="number of recurrent layers (default: 1)")
    add("--hidden-dim", type=int, metavar="N",
        help="size of the hidden state of each layer (default: 100; classify, tag and fill: 128; translate and "
        "describe: 192)")
    add("--activation", choices=("tanh", "relu"), help="activation of the simple cell (default: tanh)")
    add("--embedding-dim", type=int, metavar="N",
        help="size of word vectors between the words and the first layer (default: none; classify, tag and fill: 100; "
        "translate: 192; describe: 128)")
    add("--tied", action=argparse.BooleanOptionalAction,
        help="whether the rows of the output matrix are the word vectors, of the size --hidden-dim, or with --task of "
        "the size --embedding-dim (default: no; fill, translate and describe: yes)")
    add("--bias", action=argparse.BooleanOptionalAction,
        help="whether the network has biases (default: only with --cell gru and lstm)")
    add("--dropout", type=float, metavar="X",
        help="share of the values between layers that each training step sets to zero (default: 0; classify and tag: "
        "0.5; fill, describe and recordings with tag: 0.3; translate: 0.35)")
    add("--continuous", action="store_true", default=None,
        help="read the words as one stream: carry the state over the ends of sentences")
    add("--init-from", metavar="MODEL",
        help="start from the parameters of this model, and use its vocabulary (fine-tuning)")

    add = parser.add_argument_group("optimization").add_argument
    add("--epochs", type=int, metavar="N",
        help="number of passes over the data (default: 10; recordings: 20; translate: 14; describe: 24)")
    add("--batch-size", type=int, metavar="N",
        help="sentences per step, or streams with --continuous (default: 32), or streams of characters (default: 50); "
        "less for a small text; translate: 64; describe: 32; recordings with tag: 4")
    add("--sequence-length", type=int, metavar="N",
        help="characters, or with --continuous words, per step and stream (default: 50)")
    add("--bptt-truncate", type=int, metavar="K",
        help="number of steps that errors are propagated back; -1: through the whole sentence (default: -1)")
    add("--optimizer", choices=("sgd", "momentum", "adagrad", "rmsprop", "adam"), help="update rule (default: adam)")
    add("--learning-rate", type=float, metavar="X",
        help="initial learning rate (default: depends on --optimizer, 0.004 with adam; translate and describe: 0.003)")
    add("--rate-decay", type=float, metavar="X",
        help="the learning rate of epoch e is rate / (1 + X e), for e = 0, 1, ... (default: 0.2; recordings with tag: "
        "0.1; translate: --rate-schedule linear)")
    add("--rate-schedule", choices=("inverse", "linear"),
        help="how the learning rate falls; inverse: with --rate-decay; linear: from step to step, to 0 at the end of "
        "the last epoch (default: inverse; translate: linear)")
    add("--samples", type=number_or_auto, metavar="{auto,N}",
        help="sampled softmax: each training step compares the next word with N words drawn at random instead of the "
        "whole vocabulary, which is faster if the vocabulary is large; 0: exact softmax; auto: 500 for at least 5,000 "
        "words (default: auto; fill, translate and describe: 0)")
    add("--clip", type=float, metavar="X", help="limit on the gradient norm; 0: no limit (default: 1)")
    add("--seed", type=int, metavar="N",
        help="seed of the initial parameters and of the order of the sentences (default: 1)")
    add("--device", choices=("auto", "cpu", "gpu"), help="where to compute (default: auto)")
    add("--devices", type=number_or_auto, metavar="{auto,N}",
        help="split each minibatch over N cores of the CPU, or over N GPUs; auto: where this is faster (default: 1)")
    add("--tutorial", action="store_true", default=None,
        help="train exactly as the tutorial does: SGD, one sentence per step")

    add = parser.add_argument_group("several processes").add_argument
    add("--coordinator", metavar="HOST:PORT",
        help="where process 0 runs and a free port there; start the same command once for each process, with another "
        "--process (default: what Slurm, Open MPI or Kubernetes says, else one process)")
    add("--processes", type=int, metavar="N",
        help="how many processes, perhaps on several machines, train the network together (default: as --coordinator)")
    add("--process", type=int, metavar="K",
        help="the number of this one, from 0; process 0 writes the files and shows the progress (default: as "
        "--coordinator)")
    add("--join-timeout", type=float, metavar="SECONDS",
        help="how long to wait for the other processes (default: 300)")

    add = parser.add_argument_group("evaluation and saving").add_argument
    add("--evaluate-every", type=int, metavar="N", help="evaluate every N epochs (default: 1)")
    add("--baselines", action=argparse.BooleanOptionalAction, default=True,
        help="whether to measure simple models on the held-out data, too, at the end: n-gram models of the training "
        "text, or the most frequent labels")
    add("--patience", type=int, metavar="N",
        help="stop early after N evaluations without a lower loss; 0: never (default: 0)")
    add("--max-minutes", type=float, metavar="X",
        help="stop after this many minutes; continue with --resume (default: no limit)")
    add("--save-every", type=float, metavar="MINUTES",
        help="save a checkpoint this often, in addition to each evaluation (default: 5)")
    add("--resume", action="store_true", help="continue the interrupted or finished run of this --model")
    add("--overwrite", action="store_true", default=None,
        help="replace an existing model and its checkpoint, instead of keeping them")

    add = parser.add_argument_group("output").add_argument
    add("--model", default="models/rnn.npz", metavar="FILE", help="file of the model (default: %(default)s)")
    add("--log", metavar="FILE.jsonl", help="write one JSON object per evaluation")
    add("--plot", metavar="FILE.png", help="plot the losses while training")
    add("--tensorboard", metavar="DIR",
        help="write event files of losses, learning rate, gradient norm and samples to this folder while training")
    add("--sample-every", type=int, metavar="STEPS",
        help="show a sampled text this often, in addition to each evaluation; 0: never (default: only then)")
    # fmt: on
    return parser


def number_or_auto(text: str) -> int | str:
    """Convert the value of --samples or --devices to an int if it is one. The package checks it."""
    try:
        return int(text)
    except ValueError:
        return text


def default_data(task: str) -> list[str]:
    """The sample for a task in a checkout: in the current folder, or beside this script in a checkout."""
    sample = [Path("data") / name for name in SHIPPED[task]]
    for folder in (Path(), Path(__file__).resolve().parents[1]):
        if all((folder / path).is_file() for path in sample):
            return [str(folder / path) for path in sample]
    raise OptionError(f"{sample[0]}: not found here; name your text with `data`")


def work(argv: Sequence[str], arguments: argparse.Namespace) -> None:
    settings = {name: value for name, value in vars(arguments).items() if value is not None}
    data, model, resume = settings.pop("data", None), settings.pop("model"), settings.pop("resume")
    places = {name: settings.pop(name, None) for name in ("log", "plot", "tensorboard")}
    baselines = settings.pop("baselines")
    if data is None and not resume:
        data = default_data(settings.get("task", TASKS[0]))
    from theano_rnn.training.progress import ProgressReporter
    from theano_rnn.training.train_model import train

    to_continue = f"To continue:\n  {resume_command(argv)}"

    def after_training(trained: Any, path: Path, changes: Mapping[str, Any]) -> str:
        task = trained.training["options"].get("task", TASKS[0])
        return next_command(argv, task, str(path), data or [], changes)

    progress = ProgressReporter(
        option_name=flag, to_continue=to_continue, wants_baselines=baselines, next_command=after_training
    )
    try:
        train(data, model=model, resume=resume, reporter=progress, **places, **settings)
    except TrainingInterrupted:
        say(f"\ninterrupted; progress is saved. {to_continue}")
        raise


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    return run_command(make_parser(), functools.partial(work, argv), argv)


if __name__ == "__main__":
    sys.exit(main())
