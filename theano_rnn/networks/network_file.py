"""A network's part of a model file: its arrays, and its settings in the configuration."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from theano_rnn.engines.engine import float_type
from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import read_archive, read_document, write_archive

RUN_ENTRY = "run"  # only a training run's checkpoint has an entry of this name
MATRICES = "UVWE"  # first letters of the names of matrices; the other parameters are vectors
# Of a file without a configuration, such as the tutorial's own.
TUTORIAL_SETTINGS: dict[str, Any] = {"bptt_truncate": 4, "activation": "tanh"}
# Settings that the files of version 0.1 do not name.
LATER_SETTINGS: dict[str, Any] = {
    "cell": "simple", "layers": 1, "embedding_dim": None, "bias": False, "tied": False, "dropout": 0.0
}  # fmt: skip


def network_settings(path: str | os.PathLike[str], settings: Any) -> dict[str, Any]:
    """The settings of a network as a file names them. Their values are not checked yet.

    Raises
    ------
    ModelFileError
        If they are not a dict, or one is missing that all files have.
    """
    if not isinstance(settings, dict):
        found = type(settings).__name__
        raise ModelFileError(f"{path}: damaged or inconsistent: expected the network's settings as a dict, got {found}")
    for name in TUTORIAL_SETTINGS:
        if name not in settings:
            raise ModelFileError(f"{path}: damaged or inconsistent: the network's settings lack {name}")
    return {name: settings.get(name, default) for name, default in (TUTORIAL_SETTINGS | LATER_SETTINGS).items()}


def read_network(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a language model's file, one that `write_network` wrote, or a bare .npz of U, V and W.

    Returns
    -------
    entries : dict of str to array
    settings : dict
        The network's settings as the file has them.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged or holds something else.
    """
    entries = read_archive(path)
    if RUN_ENTRY in entries:
        raise ModelFileError(f"{path}: is the state of a training run, not a model; name the model that it trains")
    settings: Any = TUTORIAL_SETTINGS
    if "configuration" in entries:
        configuration = read_document(path, entries, "configuration")
        settings = configuration.get("network") if isinstance(configuration, dict) else None
        if not isinstance(settings, dict):
            raise ModelFileError(f"{path}: damaged configuration: it holds no settings of a network")
    return entries, settings


def check_parameter_entries(
    path: str | os.PathLike[str], entries: Mapping[str, np.ndarray], names: Sequence[str]
) -> None:
    """Raise ModelFileError if a parameter is missing, is not an array of floating-point numbers, or is not finite."""
    for name in names:
        if name not in entries:
            raise ModelFileError(f"{path}: holds no {name}; a model has the arrays {', '.join(names)}")
        kind, axes = ("matrix", 2) if name[0] in MATRICES else ("vector", 1)
        if entries[name].dtype.kind != "f" or entries[name].ndim != axes:
            found = f"{entries[name].dtype} of shape {entries[name].shape}"
            raise ModelFileError(f"{path}: {name} should be a {kind} of floating-point numbers, is {found}")
        with np.errstate(over="ignore"):
            finite = np.isfinite(entries[name].astype(float_type())).all()
        if not finite:
            raise ModelFileError(f"{path}: {name} holds values that are not finite in {float_type()}")


def write_network(path: str | os.PathLike[str], values: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
    """Write a network without a vocabulary as one .npz, atomically.

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    write_archive(path, values, {"configuration": {"network": settings}})
