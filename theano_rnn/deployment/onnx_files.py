"""Writes a language model as ONNX files: one step, whole sequences, and the vocabulary as JSON."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from theano_rnn.deployment.onnx_graphs import IR_VERSION, OPSET, sequence_graph, step_graph
from theano_rnn.deployment.optional_packages import require_package
from theano_rnn.deployment.vocabulary_file import vocabulary_document, vocabulary_path, write_vocabulary
from theano_rnn.errors import OptionError
from theano_rnn.files.output_files import check_output_path, write_output
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

SUFFIX = ".onnx"
LARGEST_FILE = 2**31 - 2**20  # bytes; protobuf's limit is 2**31 - 1, and the graph needs some of them


def onnx_paths(path: str | os.PathLike[str]) -> tuple[Path, Path, Path]:
    """Return the three files of an export: whole sequences, one step, vocabulary.

    Raises
    ------
    OptionError
        If the name does not end in .onnx.

    Examples
    --------
    >>> [path.name for path in onnx_paths("models/rnn.onnx")]
    ['rnn.onnx', 'rnn.step.onnx', 'rnn.vocabulary.json']
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise OptionError(f"onnx: expected the name of a file that ends in {SUFFIX}, got {os.fspath(path)!r}")
    return path, path.with_suffix(f".step{SUFFIX}"), vocabulary_path(path)


def check_onnx(path: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Check that a model can be exported to this place, before it is loaded.

    Parameters
    ----------
    path : str or path-like
    inputs : iterable of str or path-like
        Files that must not be overwritten.

    Raises
    ------
    OptionError
        If the package onnx is not installed, or the name does not end in .onnx.
    OutputFileError
        If a file cannot be written.
    """
    require_package("onnx", "onnx")
    for place in onnx_paths(path):
        check_output_path(place, inputs)


def write_onnx(path: str | os.PathLike[str], rnn: RNN, vocabulary: Vocabulary, tokenizer: Tokenizer) -> list[Path]:
    """Write the files of an export; see `theano_rnn.deployment.onnx_graphs` for inputs and outputs.

    Parameters
    ----------
    path : str or path-like
        The file of whole sequences; its name ends in .onnx. Missing folders are created.
    rnn : RNN
    vocabulary : Vocabulary
    tokenizer : Tokenizer

    Returns
    -------
    list of pathlib.Path
        The files of whole sequences, of one step, and of the vocabulary.

    Raises
    ------
    OptionError
        If the package onnx is not installed, the name does not end in .onnx, or the network is larger than an ONNX file
        can be (2 GB).
    OutputFileError
        If a file cannot be written.
    """
    require_package("onnx", "onnx")
    paths = onnx_paths(path)
    values = rnn.get_values()
    size = sum(value.nbytes for value in values.values())
    if size > LARGEST_FILE:
        raise OptionError(
            f"onnx: the network has {size / 2**30:.1f} GB, and an ONNX file at most 2 GB; "
            "use `safetensors`, or train a smaller network"
        )
    document = vocabulary_document(rnn, vocabulary, tokenizer)
    graphs: tuple[Callable[..., Any], ...] = (sequence_graph, step_graph)
    for place, make_graph in zip(paths, graphs, strict=False):
        write_output(place, [onnx_bytes(make_graph(values, rnn.architecture), document)])
    write_vocabulary(paths[2], document)
    return list(paths)


def onnx_bytes(graph: Any, document: dict[str, Any]) -> bytes:
    """Return a model as the bytes of an ONNX file, which ONNX's own checker has checked.

    Parameters
    ----------
    graph : onnx.GraphProto
    document : dict
        See `vocabulary_document`. Everything except the words becomes metadata of the model.
    """
    import onnx
    from onnx import helper

    version = sys.modules[__name__.partition(".")[0]].__version__  # nothing imports the package root
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="theano_rnn",
        producer_version=version,
    )
    metadata = {name: value for name, value in document.items() if name != "words"}
    helper.set_model_props(model, {name: _as_text(value) for name, value in metadata.items()})
    data: bytes = model.SerializeToString()
    onnx.checker.check_model(data, full_check=True)
    return data


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
