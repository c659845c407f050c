"""The class `Reader`: a network that reads with its parameters, the functions that it compiles, and its training steps.

Works with ids and arrays and must not know text.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_choice
from theano_rnn.encoders.reader_graph import (
    ReaderInputs,
    ReaderSettings,
    SymbolicReader,
    log_probabilities,
    log_probabilities_at,
    loss_and_gradients,
    loss_of_labels,
    symbolic_inputs,
    symbolic_labels,
)
from theano_rnn.engines.engine import CompiledFunction, T, as_numpy, compile_function, float_type
from theano_rnn.engines.tensor_types import DeviceArray
from theano_rnn.networks.network_graphs import Graph
from theano_rnn.networks.optimizer import MinibatchOptimizer, StepGraph, symbolic_dropout_mask
from theano_rnn.networks.parameters import ParameterStore, check_shapes, initial_values
from theano_rnn.networks.rnn import FLOAT_TYPES


class Reader(ParameterStore):
    """A network that reads texts or frames and predicts labels.

    Parameters
    ----------
    settings : ReaderSettings
    seed : int, optional
        Seed of the initial values; see `theano_rnn.networks.parameters.initial_values`.
    dtype : {"float32", "float64"}, optional
        As for `RNN`.

    Attributes
    ----------
    settings : ReaderSettings

    Notes
    -----
    Functions are compiled when they are first used. A reader can be pickled and copied.

    Examples
    --------
    >>> reader = Reader(ReaderSettings(labels=2, embeddings=[(20, 4)], hidden_dim=3), seed=1)
    >>> ids = np.array([[[5, 7], [3, 0]]], np.int32)  # two texts, "5 3" and "7"
    >>> reader.log_probabilities(ReaderInputs(ids, None, np.array([2, 1], np.int32))).shape
    (2, 2)
    """

    def __init__(self, settings: ReaderSettings, seed: int | None = None, dtype: str | None = None) -> None:
        self.settings: ReaderSettings = settings
        dtype = float_type() if dtype is None else check_choice("dtype", dtype, FLOAT_TYPES)
        super().__init__(settings, initial_values(settings, dtype, np.random.default_rng(seed)), dtype)
        self._functions: dict[Callable[..., Any], CompiledFunction] = {}

    def __repr__(self) -> str:
        changed = [f"{name}={value!r}" for name, value in self.settings.to_configuration().items()]
        return f"Reader({', '.join(changed)})"

    def __getstate__(self) -> tuple[ReaderSettings, str, dict[str, npt.NDArray[Any]]]:
        """Settings and values, for pickle and copy. A copy compiles its functions anew when they are used."""
        return self.settings, self.dtype, self.get_values()

    def __setstate__(self, state: tuple[ReaderSettings, str, dict[str, npt.NDArray[Any]]]) -> None:
        self.settings, dtype, values = state
        super().__init__(self.settings, values, dtype)
        self._functions = {}

    @property
    def symbolic(self) -> SymbolicReader:
        """What graphs are built from."""
        return SymbolicReader(self.settings, dict(zip(self.parameter_names, self.parameters, strict=True)))

    def _function(self, graph: Callable[["Reader"], Graph]) -> CompiledFunction:
        """One of the functions below, compiled when it is first used."""
        if graph not in self._functions:
            function = compile_function(lambda: graph(self), self.dtype)
            self._functions.setdefault(graph, function)  # another thread may have been faster
        return self._functions[graph]

    def log_probabilities(self, inputs: ReaderInputs) -> npt.NDArray[Any]:
        """ln P of all labels in nats for a minibatch.

        Parameters
        ----------
        inputs : ReaderInputs of arrays, steps >= 2

        Returns
        -------
        array (steps, batch_size, labels), or (batch_size, labels) for labels of whole texts
            The values of padding and of empty columns mean nothing.
        """
        found = as_numpy(self._function(log_probability_graph)(*inputs.arrays()))
        return found.reshape((*inputs.ids.shape[1:], -1)) if self.settings.label_head.per_step else found

    def log_probabilities_at(self, inputs: ReaderInputs, places: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
        """ln P of all labels in nats at one step of each text, for a head with a label for each step.

        Parameters
        ----------
        inputs : ReaderInputs of arrays, steps >= 2
        places : int32 array (batch_size,)

        Returns
        -------
        array (batch_size, labels)
        """
        return as_numpy(self._function(place_graph)(*inputs.arrays(), places))

    def measure(self, inputs: ReaderInputs, y: npt.NDArray[np.int32]) -> float:
        """The value of `loss`, from a function without gradients that suits many labels."""
        return float(self._function(measure_graph)(*inputs.arrays(), y))

    def loss(self, inputs: ReaderInputs, y: npt.NDArray[np.int32]) -> float:
        """-Σ ln P(label) in nats over all labels of a minibatch."""
        return float(self._function(loss_graph)(*inputs.arrays(), y)[0])

    def gradients(self, inputs: ReaderInputs, y: npt.NDArray[np.int32]) -> dict[str, npt.NDArray[Any]]:
        """The gradients of `loss` by name."""
        _, *found = self._function(loss_graph)(*inputs.arrays(), y)
        return dict(zip(self.parameter_names, map(as_numpy, found), strict=True))

    @classmethod
    def from_values(
        cls, settings: ReaderSettings, values: Mapping[str, npt.ArrayLike], dtype: str | None = None
    ) -> "Reader":
        """A reader with these parameters; ValueError if an array is missing or has a wrong shape."""
        check_shapes(values, settings.parameter_shapes)  # before anything as large as the settings claim is made
        reader = cls(settings, seed=0, dtype=dtype)
        reader.set_values(values)
        return reader


def log_probability_graph(reader: Reader) -> Graph:
    """ids, frames, lengths -> ln P of all labels."""
    inputs = symbolic_inputs(reader.settings, reader.dtype)
    return inputs.arrays(), log_probabilities(inputs, reader.symbolic), None


def place_graph(reader: Reader) -> Graph:
    """ids, frames, lengths, places -> ln P of all labels at one step of each text."""
    inputs, places = symbolic_inputs(reader.settings, reader.dtype), T.ivector("places")
    return [*inputs.arrays(), places], log_probabilities_at(places, inputs, reader.symbolic), None


def measure_graph(reader: Reader) -> Graph:
    """ids, frames, lengths, y -> the summed loss."""
    inputs, y = symbolic_inputs(reader.settings, reader.dtype), symbolic_labels(reader.settings)
    return [*inputs.arrays(), y], loss_of_labels(inputs, y, reader.symbolic), None


def loss_graph(reader: Reader) -> Graph:
    """ids, frames, lengths, y -> the summed loss, and one gradient per parameter."""
    inputs, y = symbolic_inputs(reader.settings, reader.dtype), symbolic_labels(reader.settings)
    loss, gradients = loss_and_gradients(inputs, y, reader.symbolic)
    return [*inputs.arrays(), y], [loss, *gradients.values()], None


class ReaderOptimizer(MinibatchOptimizer):
    """Minimizes the mean cross-entropy per label. Parameters and attributes are those of `MinibatchOptimizer`."""

    network: Reader

    def step_graph(self) -> StepGraph:
        """The summed cross-entropy and the gradients."""
        reader = self.network
        inputs, y = symbolic_inputs(reader.settings, reader.dtype), symbolic_labels(reader.settings)
        masks = symbolic_dropout_mask(reader.settings, reader.dtype)
        loss, gradients = loss_and_gradients(inputs, y, reader.symbolic, *masks)
        return StepGraph([*inputs.arrays(), y, *masks], loss, [], gradients)

    def step(
        self,
        inputs: ReaderInputs,
        y: npt.NDArray[np.int32],
        learning_rate: float,
        count: float,
        dropout_mask: npt.NDArray[Any] | None = None,
    ) -> DeviceArray:
        """One update on a minibatch.

        Parameters
        ----------
        inputs : ReaderInputs of arrays
        y : int32 array (steps, batch_size) or (batch_size,)
        learning_rate : float
        count : float
            What the summed gradients are divided by.
        dropout_mask : array (batch_size, dropout_dim), optional
            From `draw_dropout_mask`, for a network with dropout.

        Returns
        -------
        scalar array
            The loss before the update, in nats, summed over all labels. It may still be computing.
        """
        masks = [] if dropout_mask is None else [np.asarray(dropout_mask, self.network.dtype)]
        return self.update([*inputs.arrays(), y, *masks], learning_rate, count)[0]
