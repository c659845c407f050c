"""Reads and writes the arrays and settings of networks, and creates networks from arrays, files and PyTorch's names."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_choice
from theano_rnn.engines.engine import float_type
from theano_rnn.errors import ArgumentValueError, ModelFileError
from theano_rnn.files.archive import one_line, read_archive, read_document, write_archive
from theano_rnn.networks.architecture import Architecture
from theano_rnn.networks.parameters import PARAMETERS, NetworkParameters, check_shapes
from theano_rnn.networks.torch_exchange import from_torch, to_torch

RUN_ENTRY = "run"  # only the checkpoint of a training run has an entry of this name
STORED_TYPES = ("float16", "float32", "float64")
MATRICES = "ABEOPUVW"  # first letters of the names of matrices; the other parameters are vectors
# Settings of a network in a file without a configuration, such as the tutorial's own.
TUTORIAL_SETTINGS: dict[str, Any] = {"bptt_truncate": 4, "activation": "tanh"}
# Settings that files of version 0.1 do not contain, with the values of the tutorial's network.
LATER_SETTINGS: dict[str, Any] = {
    "cell": "simple", "layers": 1, "embedding_dim": None, "bias": False, "tied": False, "dropout": 0.0
}  # fmt: skip


def network_settings(path: str | os.PathLike[str], settings: Any) -> dict[str, Any]:
    """Return the settings of a network, with defaults for those that older files lack. Values are not checked here.

    Raises
    ------
    ModelFileError
        If `settings` is not a dict, or lacks a setting that every file has.
    """
    if not isinstance(settings, dict):
        found = type(settings).__name__
        raise ModelFileError(f"{path}: damaged or inconsistent: expected the network's settings as a dict, got {found}")
    for name in TUTORIAL_SETTINGS:
        if name not in settings:
            raise ModelFileError(f"{path}: damaged or inconsistent: the network's settings lack {name}")
    return {name: settings.get(name, default) for name, default in (TUTORIAL_SETTINGS | LATER_SETTINGS).items()}


def read_network(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a file of a language model, a file written by `write_network`, or a bare .npz of U, V and W.

    Returns
    -------
    entries : dict of str to array
    settings : dict
        The network's settings as stored in the file.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, or not a network's file.
    """
    entries = read_archive(path)
    if RUN_ENTRY in entries:
        raise ModelFileError(f"{path}: is the state of a training run, not a model; name the model that it trains")
    settings: Any = TUTORIAL_SETTINGS
    if "configuration" in entries:
        configuration = read_document(path, entries, "configuration")
        settings = configuration.get("network") if isinstance(configuration, dict) else None
        if isinstance(configuration, dict) and "reader" in configuration:
            task = f"{configuration.get('task')!r:.60}"
            raise ModelFileError(
                f"{path}: is a model for the task {task}, not 'language-model'; use predict.py or theano_rnn.load"
            )
        if not isinstance(settings, dict):
            raise ModelFileError(f"{path}: damaged configuration: it contains no network settings")
    return entries, settings


def check_parameter_entries(
    path: str | os.PathLike[str], entries: Mapping[str, np.ndarray], names: Sequence[str]
) -> None:
    """Raise ModelFileError if a parameter is missing, is not an array of floating-point numbers, or is not finite."""
    for name in names:
        if name not in entries:
            raise ModelFileError(f"{path}: contains no {name}; a model has the arrays {', '.join(names)}")
        kind, axes = ("matrix", 2) if name[0] in MATRICES else ("vector", 1)
        if entries[name].dtype.kind != "f" or entries[name].ndim != axes:
            found = f"{entries[name].dtype} of shape {entries[name].shape}"
            raise ModelFileError(f"{path}: {name} should be a {kind} of floating-point numbers, is {found}")
        with np.errstate(over="ignore"):
            finite = np.isfinite(entries[name].astype(float_type())).all()
        if not finite:
            raise ModelFileError(f"{path}: {name} contains values that are not finite in {float_type()}")


def stored_as(values: Mapping[str, npt.NDArray[Any]], dtype: str | None) -> dict[str, npt.NDArray[Any]]:
    """Return parameters as arrays of the type in which a file stores them. Reading converts them back.

    Parameters
    ----------
    values : dict of str to array
    dtype : {"float16", "float32", "float64"} or None
        None: each array keeps its type.

    Raises
    ------
    ValueError
        If the type is another one, or too small for a parameter.
    """
    if dtype is None:
        return dict(values)
    check_choice("dtype", dtype, STORED_TYPES)
    largest = float(np.finfo(dtype).max)
    for name, value in values.items():
        magnitude = float(np.abs(value).max(initial=0))
        if magnitude > largest:
            raise ArgumentValueError(
                f"{name}: expected numbers of at most {largest:g}, the largest of {dtype}, got {magnitude:g}; "
                "save the model in a larger type"
            )
    return {name: np.asarray(value, dtype) for name, value in values.items()}


def write_network(path: str | os.PathLike[str], values: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
    """Write a network without a vocabulary as one .npz, atomically.

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    write_archive(path, values, {"configuration": {"network": settings}})


N = TypeVar("N", bound="StoredNetwork")


class StoredNetwork(NetworkParameters):
    """Base class of `RNN`: creates networks from arrays, files and PyTorch's parameters, and writes them."""

    bptt_truncate: int | None

    @classmethod
    def from_values(
        cls: type[N],
        values: Mapping[str, npt.ArrayLike],
        bptt_truncate: int | None = 4,
        activation: str = "tanh",
        dtype: str | None = None,
        **settings: Any,
    ) -> N:
        """Create a network with the given parameters, which determine its sizes.

        Parameters
        ----------
        values : dict of str to array
            U, V, W and any other parameters of the network by name.
        bptt_truncate, activation, dtype
            As for `RNN`.
        **settings
            `cell`, `layers`, `embedding_dim`, `bias`, `tied` and `dropout`, as for `RNN`.

        Raises
        ------
        ValueError
            If an array is missing or has a wrong shape.
        """
        architecture = Architecture(*sizes_of(values, **settings), activation=activation, **settings)
        # A damaged file may contain arrays of any shape. Check them before parameters of that size are allocated.
        check_shapes(values, architecture.parameter_shapes)
        # Pass only settings that differ from the defaults: a subclass, such as the tutorial's, may not take them.
        settings = architecture.settings()
        chosen = {name: settings[name] for name, default in LATER_SETTINGS.items() if settings[name] != default}
        make: Any = cls
        rnn: N = make(
            architecture.word_dim, architecture.hidden_dim, bptt_truncate, activation, seed=0, dtype=dtype, **chosen
        )
        rnn.set_values(values)
        return rnn

    # Files

    @classmethod
    def from_entries(
        cls: type[N], path: str | os.PathLike[str], entries: Mapping[str, np.ndarray], settings: Mapping[str, Any]
    ) -> N:
        """Create a network from the entries of a file, which are checked first.

        Parameters
        ----------
        path : str or path-like
            The file, for error messages.
        entries : dict of str to array
        settings : dict
            The network's settings as stored in the file.

        Raises
        ------
        ModelFileError
            If a parameter is missing, of a wrong type or shape, or not finite, or if a setting is invalid.
        """
        checked = network_settings(path, settings)
        check_parameter_entries(path, entries, PARAMETERS)
        try:
            sizes = sizes_of(entries, **checked)
            names = Architecture(*sizes, **{name: checked[name] for name in checked if name != "bptt_truncate"})
            check_parameter_entries(path, entries, tuple(names.parameter_shapes))
            return cls.from_values(entries, **checked)
        except ModelFileError:
            raise
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: {one_line(error)}") from error

    @classmethod
    def load(cls: type[N], path: str | os.PathLike[str]) -> N:
        """Read a network from a file of a language model, a file written by `save`, or a bare .npz of U, V and W.

        A bare file, such as the tutorial's own, has no settings. The activation is then tanh, and `bptt_truncate` is 4.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, or not a network's file.
        """
        entries, settings = read_network(path)
        return cls.from_entries(path, entries, settings)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters and the settings as one .npz, atomically.

        Raises
        ------
        ModelFileError
            If the file cannot be written.
        """
        write_network(path, self.views(), self.settings())

    def settings(self) -> dict[str, Any]:
        """Return the settings that a file stores besides the arrays."""
        return {**self.architecture.settings(), "bptt_truncate": self.bptt_truncate}

    # Exchange with PyTorch

    def to_torch(self) -> dict[str, npt.NDArray[Any]]:
        """Return the parameters under PyTorch's names, such as "rnn.weight_ih_l0", as NumPy arrays.

        Convert them to tensors to load them with `load_state_dict` into a module with the parts `encoder`
        (`nn.Embedding`, only for a network with embeddings), `rnn` (`nn.RNN`, `nn.GRU` or `nn.LSTM`) and `decoder`
        (`nn.Linear`). See `theano_rnn.networks.torch_exchange` for the names.

        Examples
        --------
        >>> from theano_rnn import RNN
        >>> {name: array.shape for name, array in RNN(word_dim=5, hidden_dim=3, cell="gru").to_torch().items()}
        {'rnn.weight_ih_l0': (9, 5), 'rnn.weight_hh_l0': (9, 3), 'decoder.weight': (5, 3)}
        """
        return to_torch(self.get_values(), self.architecture)

    @classmethod
    def from_torch(
        cls: type[N],
        arrays: Mapping[str, npt.ArrayLike],
        bptt_truncate: int | None = 4,
        activation: str = "tanh",
        dtype: str | None = None,
        *,
        dropout: float = 0.0,
    ) -> N:
        """Create a network with the parameters of a PyTorch module, under the names that `to_torch` uses.

        The arrays determine the cell, the layers, the sizes and the biases. The network is tied if encoder.weight and
        decoder.weight are equal.

        Parameters
        ----------
        arrays : dict of str to array
            NumPy arrays or anything else that `numpy.asarray` accepts, such as `module.state_dict()`.
        bptt_truncate, activation, dtype, dropout
            As for `RNN`. An `nn.RNN` with ReLU needs ``activation="relu"``.

        Raises
        ------
        TypeError, ValueError
            If an array is missing, unknown, of a wrong shape, or does not contain finite floating-point numbers.

        Examples
        --------
        >>> from theano_rnn import RNN
        >>> rnn = RNN(word_dim=5, hidden_dim=3, cell="lstm", layers=2, bias=True)
        >>> RNN.from_torch(rnn.to_torch())
        RNN(word_dim=5, hidden_dim=3, cell='lstm', layers=2, bias=True, bptt_truncate=4, dtype='float32')
        """
        architecture, values = from_torch(arrays, activation, dropout)
        settings = {name: value for name, value in architecture.settings().items() if not name.endswith("_dim")}
        settings["embedding_dim"] = architecture.embedding_dim
        return cls.from_values(values, bptt_truncate, dtype=dtype, **settings)


def sizes_of(
    values: Mapping[str, npt.ArrayLike], cell: str = "simple", embedding_dim: int | None = None, **settings: Any
) -> tuple[int, int]:
    """Return (word_dim, hidden_dim) of a network with these parameters.

    They are read from U for the tutorial's network, from V for others.

    Raises
    ------
    ValueError
        If that parameter is missing or not a matrix.
    """
    is_the_tutorials = cell == "simple" and embedding_dim is None and not settings.get("tied")
    name, axes = ("U", "hidden_dim, word_dim") if is_the_tutorials else ("V", "word_dim, hidden_dim")
    if name not in values:
        raise ArgumentValueError(f"{name} is missing; expected arrays named {', '.join(PARAMETERS)}")
    shape = np.shape(values[name])
    if len(shape) != 2:
        raise ArgumentValueError(f"{name}: expected a matrix ({axes}), got shape {shape}")
    return (shape[1], shape[0]) if name == "U" else (shape[0], shape[1])
