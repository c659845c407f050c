#!/usr/bin/env python3
"""Write a trained model for use in other programs, or as a smaller file.

Each written file is named on standard output, with its size in bytes.
"""

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser, command_parser
from theano_rnn.commands.run_command import run_command
from theano_rnn.commands.status_line import status
from theano_rnn.commands.terminal import show
from theano_rnn.errors import OptionError
from theano_rnn.files.output_files import check_output_path

MODEL = "models/rnn.npz"
FORMATS = ("onnx", "safetensors", "torch", "half_precision")
OF_LANGUAGE_MODELS = ("onnx", "torch")


def make_parser() -> ArgumentParser:
    parser = command_parser("export", __doc__ or "", "[options] [MODEL]", "models/rnn.npz --onnx rnn.onnx")
    parser.add_argument("place", nargs="?", metavar="MODEL", help=f"file of the model (default: {MODEL})")
    parser.add_argument("--model", metavar="FILE", help="the same, as in the other commands")

    # fmt: off
    add = parser.add_argument_group("formats, at least one").add_argument
    add("--onnx", metavar="FILE.onnx",
        help="ONNX: FILE.onnx for whole sequences, FILE.step.onnx for one step, and FILE.vocabulary.json; language "
        "models only")
    add("--safetensors", metavar="FILE.safetensors",
        help="the parameters as safetensors, with the configuration in the metadata")
    add("--torch", metavar="FILE",
        help="the parameters under PyTorch's names, as .npz or .safetensors, and FILE.vocabulary.json; language models "
        "only")
    add("--half-precision", metavar="FILE.npz", help="a model of half the size, with parameters in half precision")
    # fmt: on
    return parser


def check_places(arguments: argparse.Namespace, chosen: Sequence[str]) -> None:
    """Check all places, before the model is loaded."""
    from theano_rnn.deployment.exchange_files import check_safetensors, check_suffix, check_torch
    from theano_rnn.deployment.onnx_files import check_onnx

    def check_half_precision(path: str, inputs: Sequence[str]) -> None:
        check_suffix("half_precision", path, (".npz",))
        check_output_path(path, inputs)

    checks = dict(zip(FORMATS, (check_onnx, check_safetensors, check_torch, check_half_precision), strict=True))
    taken: dict[Path, str] = {}
    for name in chosen:
        path = getattr(arguments, name)
        checks[name](path, [arguments.model])
        other = taken.setdefault(Path(path).resolve(), name)
        if other != name:
            raise OptionError(f"{path}: is the place of both `{other}` and `{name}`; choose another one")


def choose_model(arguments: argparse.Namespace) -> None:
    """Set `model` to the file that is named as MODEL or with --model, or to the default."""
    if arguments.place is not None and arguments.model is not None:
        raise OptionError(f"{arguments.place}: the model is given twice; leave it or `model` out")
    arguments.model = arguments.place or arguments.model or MODEL


def work(arguments: argparse.Namespace) -> None:
    choose_model(arguments)
    chosen = [name for name in FORMATS if getattr(arguments, name) is not None]
    if not chosen:
        raise OptionError(f"choose a format: {', '.join(f'`{name}`' for name in FORMATS)}")
    check_places(arguments, chosen)
    with status(f"exporting {arguments.model}"):
        from theano_rnn.deployment.exchange_files import write_safetensors
        from theano_rnn.language_models.language_model import LanguageModel
        from theano_rnn.language_models.model_files import ModelFile

        file = ModelFile.read(arguments.model)
        model = file.model_class.from_file(file)  # checks the file as a whole
        for name in chosen:
            if name in OF_LANGUAGE_MODELS and not isinstance(model, LanguageModel):
                raise OptionError(
                    f"{name}: is for language models, and {arguments.model} is a model for the task {file.task!r}; "
                    "use `safetensors` or `half_precision`"
                )
        for name in chosen:
            path = Path(getattr(arguments, name))
            if name == "onnx":
                written = model.export_onnx(path)
            elif name == "torch":
                written = model.export_torch(path)
            elif name == "safetensors":
                written = [write_safetensors(path, file.parameters, file.documents)]
            else:
                file.save(path, "float16")
                written = [path]
            for place in written:
                show(place, place.stat().st_size)


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
