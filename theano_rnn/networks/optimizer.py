"""Training steps on minibatches. Owns the accumulators of an update rule and compiles the step.

Must not know files or epochs.
"""

import abc
import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_choice
from theano_rnn.engines.device_sums import sum_over_devices
from theano_rnn.engines.engine import (
    CompiledFunction,
    T,
    as_numpy,
    compile_function,
    in_all_processes,
    shared_array,
    split_along,
    summed_bytes,
)
from theano_rnn.engines.tensor_types import DeviceArray, SharedVariable, TensorVariable, Updates
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.bptt import loss_and_gradients
from theano_rnn.networks.network_graphs import Graph
from theano_rnn.networks.parameters import ParameterStore
from theano_rnn.networks.rnn import RNN
from theano_rnn.networks.updates import UPDATE_RULES, UpdateRule, clip_by_norm, global_norm
from theano_rnn.text.minibatches import Batch


class StepGraph(NamedTuple):
    """What is minimized: the inputs of a step, the summed loss, further outputs, and the summed gradients by name.

    In inputs and further outputs, `split_along` has marked the axis of the minibatch's columns. A column of zeros must
    add nothing to the loss and to the gradients.
    """

    inputs: list[TensorVariable]
    loss: TensorVariable
    others: list[TensorVariable]
    gradients: Mapping[str, TensorVariable]


class MinibatchOptimizer(abc.ABC):
    """Minimizes the mean loss of a network, one minibatch at a time. Subclasses say what the loss is.

    Parameters
    ----------
    network : ParameterStore
    rule : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
    clip : float or None
        Maximum of the global norm, the Euclidean norm of all gradients together. Larger gradients are scaled down.
    measures_norm : bool
        Whether to measure the global norm even if `clip` is None.
    devices : int
        The number of devices, in each process, that each minibatch is split over:
        `theano_rnn.engines.engine.select_device` has chosen them. Except for rounding, the results are the same for any
        number.

    Attributes
    ----------
    step_number : int
        Number of steps since the last reset.
    gradient_norm : scalar array or None
        The global norm of the last step's gradients before clipping; None if it is not measured. It may still be
        computing.
    accumulators : dict of str to Theano shared variable
        Accumulators of the update rule by name, such as ``"mean.U"``.
    """

    gradient_norm: DeviceArray | None = None

    def __init__(
        self,
        network: ParameterStore,
        rule: str = "adam",
        clip: float | None = None,
        measures_norm: bool = False,
        devices: int = 1,
    ) -> None:
        self.network: ParameterStore = network
        self.rule: UpdateRule = UPDATE_RULES[check_choice("optimizer", rule, UPDATE_RULES)]
        self.clip: float | None = clip
        self.measures_norm: bool = measures_norm or clip is not None
        self.devices: int = devices
        self.step_number: int = 0
        self.accumulators: dict[str, SharedVariable] = {
            f"{name}.{parameter}": shared_array(np.zeros(shape, network.dtype), name, parameter in network.transposed)
            for parameter, shape in network.parameter_shapes.items()
            for name in self.rule.accumulators
        }

    @abc.abstractmethod
    def step_graph(self) -> StepGraph:
        """The loss and its gradients."""

    def get_state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of the accumulators by name, as NumPy arrays, without `step_number`."""
        return {name: as_numpy(shared.get_value(borrow=True)) for name, shared in self.accumulators.items()}

    def views(self) -> dict[str, npt.NDArray[Any]]:
        """Return the accumulators by name without copying them, to be read before the next step."""
        return {name: shared.view() for name, shared in self.accumulators.items()}

    def set_state(self, arrays: Mapping[str, npt.ArrayLike], step_number: int) -> None:
        """Set the accumulators and the number of steps. If an array is missing or has a wrong shape, nothing is set.

        Raises
        ------
        KeyError
            If an array is missing.
        ValueError
            If an array has a wrong shape.
        """
        for name, shared in self.accumulators.items():
            expected = shared.get_value(borrow=True).shape
            if np.shape(arrays[name]) != expected:
                raise ArgumentValueError(f"{name}: expected shape {expected}, got {np.shape(arrays[name])}")
        for name, shared in self.accumulators.items():
            shared.set_value(np.array(arrays[name], dtype=self.network.dtype), borrow=True)
        self.step_number = step_number

    def reset(self) -> None:
        """Forget all past gradients."""
        self.set_state({name: np.zeros_like(value) for name, value in self.get_state().items()}, 0)

    @functools.cached_property
    def _step(self) -> CompiledFunction:
        return compile_function(self._compiled_graph, self.network.dtype, in_all_processes(self.devices))

    def _compiled_graph(self) -> Graph:
        network = self.network
        inputs, loss, others, sums = self.step_graph()
        if in_all_processes(self.devices) > 1:
            loss, *summed = sum_over_devices([loss, *sums.values()])
            sums = dict(zip(sums, summed, strict=True))
        learning_rate = T.scalar("learning_rate", dtype=network.dtype)
        step_number = T.scalar("step_number", dtype=network.dtype)
        count = T.scalar("count", dtype=network.dtype)
        # Update rules are elementwise. In the parameters' storage layout, they need no transpositions.
        gradients = [network.in_storage_layout(name, gradient) / count for name, gradient in sums.items()]
        norm = [global_norm(gradients)] if self.measures_norm else []
        if self.clip is not None:
            gradients = clip_by_norm(gradients, np.asarray(self.clip, network.dtype), *norm)
        updates = self._updates(gradients, learning_rate, step_number)
        return [learning_rate, step_number, count, *inputs], [loss, *others, *norm], updates

    def _updates(
        self, gradients: list[TensorVariable], learning_rate: TensorVariable, step_number: TensorVariable
    ) -> Updates:
        """New values of all parameters and accumulators, from gradients in the parameters' storage layout."""
        network = self.network
        updates: list[tuple[SharedVariable, TensorVariable]] = []
        for name, parameter, gradient in zip(network.parameter_names, network.parameters, gradients, strict=True):
            shared = [parameter, *(self.accumulators[f"{slot}.{name}"] for slot in self.rule.accumulators)]
            value, *slots = (self._current(name, array) for array in shared)
            value, slots = self.rule.formula(value, gradient, slots, learning_rate, step_number)
            new = [T.cast(array, network.dtype) for array in (value, *slots)]
            updates += [(array, self._changed(name, array, value)) for array, value in zip(shared, new, strict=True)]
        return updates

    def _current(self, name: str, array: SharedVariable) -> TensorVariable:
        """What a step reads of a parameter or one of its accumulators, in the parameter's storage layout."""
        return self.network.in_storage_layout(name, array)

    def _changed(self, name: str, array: SharedVariable, value: TensorVariable) -> TensorVariable:
        """The whole parameter or accumulator after what `_current` read has been replaced by `value`."""
        return self.network.in_storage_layout(name, value)

    def update(self, inputs: Sequence[Any], learning_rate: float, count: float) -> list[DeviceArray]:
        """One update on a minibatch.

        Parameters
        ----------
        inputs : sequence of arrays
            In the order of `step_graph`.
        learning_rate : float
        count : float
            What the summed gradients are divided by.

        Returns
        -------
        list of arrays
            The summed loss before the update in nats, and the other outputs of `step_graph`. They may still be
            computing.
        """
        self.step_number += 1
        results: list[DeviceArray] = list(self._step(*self._arguments(inputs, learning_rate, count)))
        self.gradient_norm = results.pop() if self.measures_norm else None
        return results

    def _arguments(self, inputs: Sequence[Any], learning_rate: float, count: float) -> list[Any]:
        """The arguments of the compiled step."""
        dtype = self.network.dtype
        return [*(np.asarray(number, dtype) for number in (learning_rate, self.step_number, count)), *inputs]

    def summed_bytes(self, inputs: Sequence[Any]) -> int:
        """Return the size in bytes of what each device adds to the sums over devices in a step; 0 for one device.

        It is counted in the compiled step. Nothing is computed or changed.

        Parameters
        ----------
        inputs : sequence of arrays
            In the order of `step_graph`.
        """
        return int(summed_bytes(self._step, self._arguments(inputs, 0.0, 1.0)))


class Optimizer(MinibatchOptimizer):
    """Minimizes the mean cross-entropy per token of a language model, one minibatch at a time.

    Parameters and attributes are those of `MinibatchOptimizer`.

    Parameters
    ----------
    rnn : RNN
    rule, clip, measures_norm, devices
    """

    def __init__(
        self,
        rnn: RNN,
        rule: str = "adam",
        clip: float | None = None,
        measures_norm: bool = False,
        devices: int = 1,
    ) -> None:
        super().__init__(rnn, rule, clip, measures_norm, devices)
        self.rnn: RNN = rnn

    def step_graph(self) -> StepGraph:
        """The summed cross-entropy, the last states, and the gradients."""
        rnn = self.rnn
        x, y, mask, s_init, *masks = inputs = symbolic_batch(rnn)
        found = loss_and_gradients(x, y, mask, s_init, rnn.symbolic, rnn.bptt_truncate, *masks)
        return StepGraph(inputs, found.loss, [split_along(0, found.s_last)], found.gradients)

    def step(
        self,
        batch: Batch,
        learning_rate: float,
        s_init: DeviceArray | None = None,
        tokens: float | None = None,
        dropout_mask: npt.NDArray[Any] | None = None,
    ) -> tuple[DeviceArray, DeviceArray]:
        """Update the parameters with a minibatch.

        Parameters
        ----------
        batch : theano_rnn.text.minibatches.Batch
        learning_rate : float
        s_init : array (batch_size, state_dim), optional
            The packed states before the first step. The default is zero.
        tokens : float, optional
            Divisor of the summed gradients. The default is the number of tokens in the minibatch. If it is the same
            for all minibatches of a corpus, every token has the same weight, regardless of the size of its minibatch.
        dropout_mask : array (batch_size, dropout_dim), optional
            For a network with dropout; see `draw_dropout_mask`. The default is no dropout.

        Returns
        -------
        loss : scalar array
            The loss before the update, in nats, summed over the minibatch's tokens. It may still be computing.
        s_last : array (batch_size, state_dim)
            The packed states after the last step.
        """
        inputs = self.step_inputs(batch, s_init, dropout_mask)
        loss, s_last = self.update(inputs, learning_rate, batch.tokens if tokens is None else tokens)
        return loss, s_last

    def step_inputs(
        self, batch: Batch, s_init: DeviceArray | None = None, dropout_mask: npt.NDArray[Any] | None = None
    ) -> list[Any]:
        """The inputs of `step_graph`; parameters are those of `step`."""
        s_init = self.rnn.zero_states(batch.x.shape[1]) if s_init is None else s_init
        inputs = [batch.x, batch.y, batch.mask.view(np.int8), s_init]
        if self.rnn.dropout:
            inputs.append(self._dropout_mask(dropout_mask, batch.x.shape[1]))
        return inputs

    def _dropout_mask(self, mask: npt.NDArray[Any] | None, batch_size: int) -> npt.NDArray[Any]:
        shape = (batch_size, self.rnn.architecture.dropout_dim)
        return np.ones(shape, self.rnn.dtype) if mask is None else np.asarray(mask, self.rnn.dtype)


class DropoutSettings(Protocol):
    """What a dropout mask depends on: `Architecture`, or the settings of another network."""

    @property
    def dropout(self) -> float: ...

    @property
    def dropout_dim(self) -> int: ...


def symbolic_batch(rnn: RNN) -> list[TensorVariable]:
    """x, y, mask, the packed states before the first step and, for a network with dropout, the dropout mask."""
    by_step = [split_along(1, matrix) for matrix in (T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask"))]
    return [
        *by_step,
        split_along(0, T.matrix("s_init", dtype=rnn.dtype)),
        *symbolic_dropout_mask(rnn.architecture, rnn.dtype),
    ]


def symbolic_dropout_mask(settings: DropoutSettings, dtype: str) -> list[TensorVariable]:
    """The dropout mask of a network with dropout; nothing for another network."""
    return [split_along(0, T.matrix("dropout_mask", dtype=dtype))] if settings.dropout else []


def draw_dropout_mask(
    architecture: DropoutSettings, batch_size: int, generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Draw the dropout mask of a minibatch: 0 with probability `dropout`, else 1 / (1 - dropout).

    Each text has one row, which is used for all its steps (Gal and Ghahramani 2016).

    Returns
    -------
    float32 array (batch_size, dropout_dim)
    """
    kept = generator.random((batch_size, architecture.dropout_dim), np.float32) >= architecture.dropout
    return kept * np.float32(1 / (1 - architecture.dropout))
