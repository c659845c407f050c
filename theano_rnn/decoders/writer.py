"""The class `Writer`: a network that writes, its compiled functions, and its training steps.

Works with ids and arrays and must not know text.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_choice
from theano_rnn.decoders.attention import Memory
from theano_rnn.decoders.writer_graph import (
    log_probabilities_of_targets,
    loss_and_gradients,
    next_word,
    read_source,
    write_target,
)
from theano_rnn.decoders.writer_settings import Source, SymbolicWriter, WriterSettings, symbolic_source
from theano_rnn.engines.engine import (
    CompiledFunction,
    T,
    as_numpy,
    compile_function,
    float_type,
    split_along,
    typed_tensor,
)
from theano_rnn.engines.tensor_types import DeviceArray, TensorVariable
from theano_rnn.engines.top_k import TopK
from theano_rnn.networks.forward import with_bias
from theano_rnn.networks.network_graphs import Graph
from theano_rnn.networks.optimizer import MinibatchOptimizer, StepGraph, symbolic_dropout_mask
from theano_rnn.networks.parameters import ParameterStore, check_shapes, initial_values
from theano_rnn.networks.rnn import FLOAT_TYPES
from theano_rnn.networks.softmax import log_normalizer


class SourceMemory(NamedTuple):
    """What a decoder needs of a minibatch of sources: arrays that may still be on the device.

    Attributes
    ----------
    memory : list of arrays
        The fields of `theano_rnn.decoders.attention.Memory`; without attention z, or nothing if z is not repeated.
    initial : array (batch_size, state_dim)
        The packed states before the first word.
    """

    memory: list[DeviceArray]
    initial: DeviceArray


class BestWords(NamedTuple):
    """The most probable next words of hypotheses.

    Attributes
    ----------
    log_probabilities : array (n, k)
        In nats, in descending order.
    ids : int32 array (n, k)
    states : array (n, state_dim)
        The packed states after the last words.
    weights : array (batch_size, hypotheses, source_steps) or None
        The attention that the words were chosen with.
    """

    log_probabilities: npt.NDArray[Any]
    ids: npt.NDArray[np.int32]
    states: npt.NDArray[Any]
    weights: npt.NDArray[Any] | None


class Writer(ParameterStore):
    """A network that reads a source and writes a target.

    Parameters
    ----------
    settings : WriterSettings
    seed : int, optional
        Seed of the initial values; see `theano_rnn.networks.parameters.initial_values`.
    dtype : {"float32", "float64"}, optional
        As for `RNN`.

    Attributes
    ----------
    settings : WriterSettings

    Notes
    -----
    Functions are compiled when they are first used. A writer can be pickled and copied.

    Examples
    --------
    >>> writer = Writer(WriterSettings(words=6, source_words=5, hidden_dim=4, embedding_dim=3), seed=1)
    >>> source = Source(np.array([[1, 2], [3, 0]], np.int32), np.array([2, 1], np.int32), None)  # "1 3" and "2"
    >>> y = np.array([[4, 3], [1, 1]], np.int32)
    >>> writer.log_probabilities(source, np.array([[0, 0], [4, 3]], np.int32), y, np.array([2, 2], np.int32)).shape
    (2, 2)
    """

    def __init__(self, settings: WriterSettings, seed: int | None = None, dtype: str | None = None) -> None:
        self.settings: WriterSettings = settings
        dtype = float_type() if dtype is None else check_choice("dtype", dtype, FLOAT_TYPES)
        super().__init__(settings, initial_values(settings, dtype, np.random.default_rng(seed)), dtype)
        self._functions: dict[Any, CompiledFunction] = {}

    def __repr__(self) -> str:
        changed = [f"{name}={value!r}" for name, value in self.settings.to_configuration().items()]
        return f"Writer({', '.join(changed)})"

    def __getstate__(self) -> tuple[WriterSettings, str, dict[str, npt.NDArray[Any]]]:
        """Settings and values, for pickle and copy. A copy compiles its functions anew when they are used."""
        return self.settings, self.dtype, self.get_values()

    def __setstate__(self, state: tuple[WriterSettings, str, dict[str, npt.NDArray[Any]]]) -> None:
        self.settings, dtype, values = state
        super().__init__(self.settings, values, dtype)
        self._functions = {}

    @property
    def symbolic(self) -> SymbolicWriter:
        """What graphs are built from."""
        return SymbolicWriter(self.settings, dict(zip(self.parameter_names, self.parameters, strict=True)))

    def _function(self, key: Any, graph: Callable[[], Graph]) -> CompiledFunction:
        """One of the functions below, compiled when it is first used."""
        if key not in self._functions:
            function = compile_function(graph, self.dtype)
            self._functions.setdefault(key, function)  # another thread may have been faster
        return self._functions[key]

    def log_probabilities(
        self, source: Source, x: npt.NDArray[np.int32], y: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]
    ) -> npt.NDArray[Any]:
        """ln P of the words of given targets, in nats.

        Parameters
        ----------
        source : Source of arrays
        x, y : int32 arrays (steps, batch_size), steps >= 2
            The words before those of the target, and those of the target.
        lengths : int32 array (batch_size,)

        Returns
        -------
        array (steps, batch_size)
            0 on padding.
        """
        function = self._function("log_probabilities", lambda: log_probability_graph(self))
        return as_numpy(function(*source.arrays(), x, y, lengths))

    def attention_weights(
        self, source: Source, x: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]
    ) -> npt.NDArray[Any]:
        """The weights α_tj of given targets: (batch_size, steps, source_steps). The network must have attention."""
        return as_numpy(self._function("weights", lambda: weights_graph(self))(*source.arrays(), x, lengths))

    def loss(
        self, source: Source, x: npt.NDArray[np.int32], y: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]
    ) -> float:
        """-Σ ln P over the words of given targets, in nats; the parameters are those of `log_probabilities`."""
        return float(self._function("loss", lambda: loss_graph(self))(*source.arrays(), x, y, lengths)[0])

    def gradients(
        self, source: Source, x: npt.NDArray[np.int32], y: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]
    ) -> dict[str, npt.NDArray[Any]]:
        """The gradients of `loss` by name."""
        _, *found = self._function("loss", lambda: loss_graph(self))(*source.arrays(), x, y, lengths)
        return dict(zip(self.parameter_names, map(as_numpy, found), strict=True))

    def read(self, source: Source) -> SourceMemory:
        """Read sources, steps >= 2, before their targets are written with `best_words`."""
        *found, initial = self._function("read", lambda: reading_graph(self))(*source.arrays())
        return SourceMemory(found, initial)

    def best_words(
        self,
        memory: list[DeviceArray],
        word: npt.NDArray[np.int32],
        states: npt.NDArray[Any],
        k: int,
        bias: npt.NDArray[Any],
    ) -> BestWords:
        """The k most probable next words of several hypotheses of each source.

        Parameters
        ----------
        memory : list of arrays
            From `read`.
        word : int32 array (batch_size, hypotheses)
            The last word of each hypothesis.
        states : array (batch_size * hypotheses, state_dim)
            The packed states before it.
        k : int
            At most the number of words.
        bias : array (words,)
            Added to ln P of each word, such as -inf for a word that may not be written.

        Returns
        -------
        BestWords
            ln P is that of the full softmax, plus the bias.
        """
        function = self._function(("best_words", k), lambda: best_words_graph(self, k))
        bias = np.asarray(bias, self.dtype)
        values, ids, new, *weights = map(as_numpy, function(*memory, word, states, bias))
        return BestWords(values, ids, new, weights[0] if weights else None)

    @classmethod
    def from_values(
        cls, settings: WriterSettings, values: Mapping[str, npt.ArrayLike], dtype: str | None = None
    ) -> "Writer":
        """A writer with these parameters; ValueError if an array is missing or has a wrong shape."""
        check_shapes(values, settings.parameter_shapes)  # before anything as large as the settings claim is made
        writer = cls(settings, seed=0, dtype=dtype)
        writer.set_values(values)
        return writer


def target_inputs() -> tuple[TensorVariable, TensorVariable, TensorVariable]:
    """x, y and the lengths of targets."""
    x, y = (split_along(1, T.imatrix(name)) for name in ("x", "y"))
    return x, y, split_along(0, T.ivector("lengths"))


def log_probability_graph(writer: Writer) -> Graph:
    """source, x, y, lengths -> ln P of y."""
    source, target = symbolic_source(writer.settings, writer.dtype), target_inputs()
    return [*source.arrays(), *target], log_probabilities_of_targets(source, *target, writer.symbolic), None


def weights_graph(writer: Writer) -> Graph:
    """source, x, lengths -> the weights of attention."""
    source, (x, _, lengths) = symbolic_source(writer.settings, writer.dtype), target_inputs()
    written = write_target(x, lengths, read_source(source, writer.symbolic), writer.symbolic)
    assert written.attention is not None
    return [*source.arrays(), x, lengths], written.attention.weights, None


def loss_graph(writer: Writer) -> Graph:
    """source, x, y, lengths -> the summed loss, and one gradient per parameter."""
    source, target = symbolic_source(writer.settings, writer.dtype), target_inputs()
    loss, gradients = loss_and_gradients(source, *target, writer.symbolic)
    return [*source.arrays(), *target], [loss, *gradients.values()], None


def reading_graph(writer: Writer) -> Graph:
    """source -> what attention reads, and the packed states before the first word."""
    source = symbolic_source(writer.settings, writer.dtype)
    read = read_source(source, writer.symbolic)
    memory = [read.z] if writer.settings.repeats_z else read.memory or ()
    return source.arrays(), [*memory, read.initial], None


def best_words_graph(writer: Writer, k: int) -> Graph:
    """memory, word, states, bias -> ln P and ids of the k best words, the new states, and the weights of attention."""
    memory: Memory | TensorVariable | None = None
    if writer.settings.repeats_z:
        memory = typed_tensor("z", writer.dtype, (None, writer.settings.source_dim))
    if writer.settings.attention:
        states = typed_tensor("h", writer.dtype, (None, None, writer.settings.source_dim))
        keys = typed_tensor("keys", writer.dtype, (None, None, writer.settings.hidden_dim))
        memory = Memory(states, keys, T.matrix("within", dtype="bool"))
    word, packed = T.imatrix("word"), T.matrix("states", dtype=writer.dtype)
    bias = T.vector("bias", dtype=writer.dtype)
    network = writer.symbolic
    step = next_word(word, packed, memory, network)
    z = with_bias(step.q.dot(network.V.T), network.c)
    largest, ids = TopK(k)(z + bias)  # ln P has the same order, and all of it would take as long as the product
    weights = [] if step.weights is None else [step.weights]
    read = [] if memory is None else [*memory] if isinstance(memory, Memory) else [memory]
    return [*read, word, packed, bias], [largest - log_normalizer(z), ids, step.states, *weights], None


class WriterOptimizer(MinibatchOptimizer):
    """Minimizes the mean cross-entropy per word. Parameters and attributes are those of `MinibatchOptimizer`."""

    network: Writer

    def step_graph(self) -> StepGraph:
        """The summed cross-entropy and the gradients."""
        writer = self.network
        source, target = symbolic_source(writer.settings, writer.dtype), target_inputs()
        masks = symbolic_dropout_mask(writer.settings, writer.dtype)
        loss, gradients = loss_and_gradients(source, *target, writer.symbolic, *masks)
        return StepGraph([*source.arrays(), *target, *masks], loss, [], gradients)

    def step(
        self,
        source: Source,
        target: list[npt.NDArray[np.int32]],
        learning_rate: float,
        count: float,
        dropout_mask: npt.NDArray[Any] | None = None,
    ) -> DeviceArray:
        """One update on a minibatch.

        Parameters
        ----------
        source : Source of arrays
        target : list of arrays
            x, y and lengths, as for `Writer.log_probabilities`.
        learning_rate : float
        count : float
            What the summed gradients are divided by.
        dropout_mask : array (batch_size, dropout_dim), optional
            From `draw_dropout_mask`, for a network with dropout.

        Returns
        -------
        scalar array
            The loss before the update, in nats, summed over all words. It may still be computing.
        """
        masks = [] if dropout_mask is None else [np.asarray(dropout_mask, self.network.dtype)]
        return self.update([*source.arrays(), *target, *masks], learning_rate, count)[0]
