"""A network's part of a model file: its arrays, and its settings in the configuration."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from theano_rnn.engines.engine import float_type
from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.networks.parameters import PARAMETERS

RUN_ENTRY = "run"  # only a training run's checkpoint has an entry of this name
TUTORIAL_SETTINGS = {"bptt_truncate": 4, "activation": "tanh"}


class SavedNetwork(NamedTuple):
    """The entries of a file, and the settings that it names, which are not checked yet."""

    entries: dict[str, np.ndarray]
    bptt_truncate: Any
    activation: Any


def read_network(path: str | os.PathLike[str]) -> SavedNetwork:
    """Read a language model's file, one that `write_network` wrote, or a bare .npz of U, V and W.

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
    return SavedNetwork(entries, settings.get("bptt_truncate"), settings.get("activation"))


def check_parameter_entries(path: str | os.PathLike[str], entries: Mapping[str, np.ndarray]) -> None:
    """Raise ModelFileError if a parameter is missing, is not a matrix of floating-point numbers, or is not finite."""
    for name in PARAMETERS:
        if name not in entries:
            raise ModelFileError(f"{path}: holds no {name}; a model has the arrays {', '.join(PARAMETERS)}")
        if entries[name].dtype.kind != "f" or entries[name].ndim != 2:
            found = f"{entries[name].dtype} of shape {entries[name].shape}"
            raise ModelFileError(f"{path}: {name} should be a matrix of floating-point numbers, is {found}")
        with np.errstate(over="ignore"):
            finite = np.isfinite(entries[name].astype(float_type())).all()
        if not finite:
            raise ModelFileError(f"{path}: {name} holds values that are not finite in {float_type()}")


def write_network(
    path: str | os.PathLike[str], values: Mapping[str, np.ndarray], bptt_truncate: int | None, activation: str
) -> None:
    """Write a network without a vocabulary as one .npz, atomically.

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    network = {"bptt_truncate": bptt_truncate, "activation": activation}
    write_archive(path, values, {"configuration": {"network": network}})
