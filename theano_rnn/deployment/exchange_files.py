"""Writes arrays and documents for other programs: safetensors, and PyTorch's state dict as .npz or safetensors."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.deployment.optional_packages import require_package
from theano_rnn.deployment.vocabulary_file import vocabulary_document, vocabulary_path, write_vocabulary
from theano_rnn.errors import OptionError, OutputFileError
from theano_rnn.files.atomic_files import atomic_write
from theano_rnn.files.npz_writer import write_arrays
from theano_rnn.files.output_files import check_output_path, write_output
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

SAFETENSORS, NPZ = ".safetensors", ".npz"


def check_safetensors(path: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Check that a model can be written to this place as safetensors, before it is loaded.

    Parameters
    ----------
    path : str or path-like
    inputs : iterable of str or path-like
        Files that must not be overwritten.

    Raises
    ------
    OptionError
        If the package safetensors is not installed, or the name does not end in .safetensors.
    OutputFileError
        If the file cannot be written.
    """
    check_suffix("safetensors", path, (SAFETENSORS,))
    check_output_path(path, inputs)


def check_torch(path: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Check that a state dict can be written to this place. Parameters and errors are those of `check_safetensors`."""
    check_suffix("torch", path, (SAFETENSORS, NPZ))
    check_output_path(path, inputs)
    check_output_path(vocabulary_path(Path(path)), inputs)


def check_suffix(option: str, path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> str:
    """Return the ending of a file's name if it is allowed and its format can be written; raise OptionError if not."""
    suffix = Path(path).suffix
    if suffix not in suffixes:
        expected = " or ".join(suffixes)
        raise OptionError(f"{option}: expected the name of a file that ends in {expected}, got {os.fspath(path)!r}")
    if suffix == SAFETENSORS:
        require_package("safetensors", option)
    return suffix


def write_safetensors(
    path: str | os.PathLike[str], arrays: Mapping[str, npt.NDArray[Any]], documents: Mapping[str, Any]
) -> Path:
    """Write arrays by name as one safetensors file, atomically.

    Parameters
    ----------
    path : str or path-like
        The name ends in .safetensors. Missing folders are created.
    arrays : mapping of str to array
    documents : mapping of str to objects that `json` can write
        They are kept as JSON in the metadata of the file.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OptionError
        If the package safetensors is not installed, or the name does not end in .safetensors.
    OutputFileError
        If the file cannot be written.
    """
    check_suffix("safetensors", path, (SAFETENSORS,))
    metadata = {name: json.dumps(document) for name, document in documents.items()}
    _write_tensors(Path(path), arrays, {"format": "theano_rnn", **metadata})
    return Path(path)


def write_torch(path: str | os.PathLike[str], rnn: RNN, vocabulary: Vocabulary, tokenizer: Tokenizer) -> list[Path]:
    """Write the parameters of a language model under PyTorch's names, and the vocabulary as JSON beside them.

    The names are those of `theano_rnn.networks.torch_exchange`.

    Parameters
    ----------
    path : str or path-like
        The name ends in .npz or .safetensors, which decides the format. Missing folders are created.
    rnn : RNN
    vocabulary : Vocabulary
    tokenizer : Tokenizer

    Returns
    -------
    list of pathlib.Path
        The files of the parameters and of the vocabulary.

    Raises
    ------
    OptionError
        If the name has another ending, or the package safetensors is needed and not installed.
    OutputFileError
        If a file cannot be written.
    """
    suffix, path, arrays = check_suffix("torch", path, (SAFETENSORS, NPZ)), Path(path), rnn.to_torch()
    if suffix == SAFETENSORS:
        _write_tensors(path, arrays, {"format": "pt"})
    else:
        try:
            with atomic_write(path) as file:
                write_arrays(file, arrays)
        except OSError as error:
            reason = error.strerror or error
            raise OutputFileError(f"{path}: cannot be written: {reason}; choose another place") from error
    write_vocabulary(vocabulary_path(path), vocabulary_document(rnn, vocabulary, tokenizer))
    return [path, vocabulary_path(path)]


def _write_tensors(path: Path, arrays: Mapping[str, npt.NDArray[Any]], metadata: dict[str, str]) -> None:
    from safetensors.numpy import save

    # Its writer copies the memory of an array as it is, whatever the order of the axes.
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_output(path, [save(contiguous, metadata)])
