"""Exchange of parameters with PyTorch: arrays under the names of a PyTorch module. Does not need PyTorch.

The module has the usual parts of a language model, with `nn.RNN`, `nn.GRU` or `nn.LSTM` as its layers:

    encoder  nn.Embedding        E        absent if the first layer reads one-hot words
    rnn      weight_ih_l0, …     U, U2, …
             weight_hh_l0, …     W, W2, …
             bias_ih_l0, …       b, b2, …
             bias_hh_l0, …       zero, except r, r2, … in the last block of a GRU
    decoder  nn.Linear           V and c

PyTorch's layers have two biases, which are only used as a sum, except in the last block of a GRU. Networks here have
a single bias, so reading adds PyTorch's two.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.networks.architecture import Architecture, layer_name
from theano_rnn.networks.cells import CELLS

FloatArray = npt.NDArray[np.floating[Any]]

ENCODER, DECODER, DECODER_BIAS = "encoder.weight", "decoder.weight", "decoder.bias"
FIRST_W = "rnn.weight_hh_l0"
LAYER_ARRAYS = {"U": "rnn.weight_ih_l", "W": "rnn.weight_hh_l", "b": "rnn.bias_ih_l", "r": "rnn.bias_hh_l"}
"""Prefixes of PyTorch's names, by this package's names. The number of the layer, counted from 0, follows."""


def to_torch(values: Mapping[str, FloatArray], architecture: Architecture) -> dict[str, FloatArray]:
    """Return the parameters of a network under PyTorch's names.

    Parameters
    ----------
    values : dict of str to array
        The parameters by name.
    architecture : Architecture

    Returns
    -------
    dict of str to array
    """
    arrays: dict[str, FloatArray] = {}
    if architecture.has_embedding:
        arrays[ENCODER] = values["V"].copy() if architecture.tied else values["E"]
    for layer in range(architecture.layers):
        layer_values = {kind: values[name] for kind in LAYER_ARRAYS if (name := layer_name(kind, layer)) in values}
        if architecture.bias:
            bias_hh = np.zeros(architecture.parameter_shapes[layer_name("b", layer)], values["V"].dtype)
            if "r" in layer_values:
                bias_hh[-architecture.hidden_dim :] = layer_values["r"]
            layer_values["r"] = bias_hh
        arrays |= {f"{LAYER_ARRAYS[kind]}{layer}": value for kind, value in layer_values.items()}
    arrays[DECODER] = values["V"]
    if architecture.bias:
        arrays[DECODER_BIAS] = values["c"]
    return arrays


def from_torch(
    arrays: Mapping[str, npt.ArrayLike], activation: str = "tanh", dropout: float = 0.0
) -> tuple[Architecture, dict[str, FloatArray]]:
    """Return the architecture and the parameters of a network, given arrays under PyTorch's names.

    The arrays determine everything except the activation and the dropout. The number of rows of rnn.weight_hh_l0
    determines the cell. The network is tied if encoder.weight and decoder.weight are equal.

    Parameters
    ----------
    arrays : dict of str to array
        NumPy arrays, or tensors that NumPy can read.
    activation : {"tanh", "relu"}
        The nonlinearity of an `nn.RNN`.
    dropout : float

    Returns
    -------
    architecture : Architecture
    values : dict of str to array
        The parameters by name.

    Raises
    ------
    TypeError, ValueError
        If an array is missing, unknown, of a wrong shape, or does not contain finite floating-point numbers.
    """
    if not isinstance(arrays, Mapping):
        raise ArgumentTypeError(f"arrays: expected a dict of arrays by name, got {type(arrays).__name__}")
    checked = {name: as_array(name, value) for name, value in arrays.items()}
    architecture = architecture_of(checked, activation, dropout)
    check_torch_arrays(checked, architecture)
    values = {"V": checked[DECODER]}
    if ENCODER in checked:
        values["E"] = checked[ENCODER]
    if architecture.bias:
        values["c"] = checked[DECODER_BIAS]
    for layer in range(architecture.layers):
        for kind in ("U", "W"):
            values[layer_name(kind, layer)] = checked[f"{LAYER_ARRAYS[kind]}{layer}"]
        if architecture.bias:
            bias_ih, bias_hh = (checked[f"{LAYER_ARRAYS[kind]}{layer}"] for kind in ("b", "r"))
            last = slice(-architecture.hidden_dim, None)
            b = bias_ih + bias_hh
            if architecture.recurrent_cell.has_recurrent_bias:
                b[last] = bias_ih[last]
            values[layer_name("b", layer)], values[layer_name("r", layer)] = b, bias_hh[last]
    return architecture, {name: values[name] for name in architecture.parameter_shapes}


def as_array(name: str, value: npt.ArrayLike) -> FloatArray:
    """Convert `value` to an array, and check that it contains finite floating-point numbers."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ArgumentTypeError(f"{name}: expected an array, got {type(value).__name__}, of which {reason}") from error
    if array.dtype.kind != "f":
        raise ArgumentTypeError(f"{name}: expected floating-point numbers, got {array.dtype}")
    if not np.isfinite(array).all():
        raise ArgumentValueError(f"{name}: expected finite numbers, got infinite ones or NaN")
    return array


def architecture_of(arrays: Mapping[str, FloatArray], activation: str, dropout: float) -> Architecture:
    """Return the architecture of a network with these arrays. `check_torch_arrays` checks most of them later."""
    for name in (FIRST_W, DECODER):
        if name not in arrays:
            raise ArgumentValueError(f"arrays: {name} is missing")
        if arrays[name].ndim != 2 or 0 in arrays[name].shape:
            raise ArgumentValueError(f"{name}: expected a matrix, got shape {arrays[name].shape}")
    rows, hidden_dim = arrays[FIRST_W].shape
    by_rows = {len(make("tanh").gates) * hidden_dim: cell for cell, make in CELLS.items()}
    if rows not in by_rows:
        expected = " or ".join(f"{count} ({cell})" for count, cell in by_rows.items())
        raise ArgumentValueError(f"{FIRST_W}: expected a number of rows of {expected}, got shape {(rows, hidden_dim)}")
    embeddings, decoder = arrays.get(ENCODER), arrays[DECODER]
    if embeddings is not None and embeddings.ndim != 2:
        raise ArgumentValueError(f"{ENCODER}: expected a matrix, got shape {embeddings.shape}")
    return Architecture(
        word_dim=len(decoder),
        hidden_dim=hidden_dim,
        cell=by_rows[rows],
        activation=activation,
        layers=sum(re.fullmatch(r"rnn\.weight_hh_l\d+", str(name)) is not None for name in arrays),
        embedding_dim=None if embeddings is None else embeddings.shape[1],
        bias=any("bias" in str(name) for name in arrays),
        tied=embeddings is not None and np.array_equal(embeddings, decoder),
        dropout=dropout,
    )


def torch_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the expected shapes of all arrays, by PyTorch's names."""
    empty = {name: np.broadcast_to(np.float32(0), shape) for name, shape in architecture.parameter_shapes.items()}
    return {name: array.shape for name, array in to_torch(empty, architecture).items()}


def check_torch_arrays(arrays: Mapping[str, FloatArray], architecture: Architecture) -> None:
    """Raise ValueError if an array is missing, unknown, or of a shape that does not fit the architecture."""
    shapes = torch_shapes(architecture)
    for name in arrays:
        if name not in shapes:
            raise ArgumentValueError(f"arrays: {name!r} is not known; expected {', '.join(shapes)}")
    for name, shape in shapes.items():
        if name not in arrays:
            raise ArgumentValueError(f"arrays: {name} is missing; expected {', '.join(shapes)}")
        if arrays[name].shape != shape:
            raise ArgumentValueError(f"{name}: expected shape {shape}, got {arrays[name].shape}")
