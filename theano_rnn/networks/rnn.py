"""The tutorial's network as a class, with the tutorial's methods. Knows word ids, not words."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_bptt_truncate, check_choice, check_ids, check_pair, check_real
from theano_rnn.engines.blas_threads import one_blas_thread
from theano_rnn.engines.engine import (
    CompiledFunction,
    as_numpy,
    compile_function,
    device_name,
    float_type,
    require_usable_process,
)
from theano_rnn.engines.tensor_types import DeviceArray, SharedVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks import network_graphs
from theano_rnn.networks.architecture import Architecture
from theano_rnn.networks.forward import all_log_probabilities, next_state
from theano_rnn.networks.gradient_check import GradientCheck, check_gradients
from theano_rnn.networks.network_file import LATER_SETTINGS, StoredNetwork
from theano_rnn.networks.parameters import initial_values
from theano_rnn.text.minibatches import column, column_mask, padded_minibatches

FLOAT_TYPES = ("float32", "float64")

# Steps of a long text per call. Without this limit, its states would fill the memory.
STEPS_AT_ONCE = 1280


class RNN(StoredNetwork):
    """A recurrent network language model: s_t = f(U x_t + W s_{t-1}), o_t = softmax(V s_t), s_{-1} = 0.

    Parameters
    ----------
    word_dim : int
        Size of the vocabulary.
    hidden_dim : int
        Size of the state s_t of each layer.
    bptt_truncate : int or None
        Number of steps beyond its own through which the error of an output flows back (tutorial parts 2 and 3), at most
        1000. None or -1 means the whole sentence.
    activation : {"tanh", "relu"}
        The function f of the simple cell.
    seed : int, optional
        Seed of the initial values. They are drawn uniformly from ±sqrt(1/n), where n is the number of incoming
        connections. See `theano_rnn.networks.parameters.initial_values` for cells with gates.
    dtype : {"float32", "float64"}, optional
        Type of the parameters. The default is ``theano.config.floatX`` if it was set in flags, in a file or in code,
        and float32 otherwise.
    cell : {"simple", "gru", "lstm"}
        The formula of s_t. The formula above is that of the tutorial's cell, "simple".
    layers : int
        Number of recurrent layers, at most 100. Each reads the states s_t of the layer below.
    embedding_dim : int or None
        Size of the embeddings that the first layer reads. With None, it reads one-hot words, as in the tutorial.
    bias : bool
        Whether the layers and the output have biases. The tutorial's formulas have none.
    tied : bool
        Whether V is also the embedding matrix. `embedding_dim` is then `hidden_dim`.
    dropout : float
        Fraction of the embeddings' and states' values that training sets to zero, in [0, 1). The methods of `RNN`
        ignore it.

    Attributes
    ----------
    U : Theano shared variable (hidden_dim, word_dim)
    V : Theano shared variable (word_dim, hidden_dim)
    W : Theano shared variable (hidden_dim, hidden_dim)
        The parameters of the tutorial's network, of type `dtype`. Use them in symbolic formulas and updates like any
        other shared variable. `theano_rnn.networks.architecture` lists the names and shapes of other networks.

    Notes
    -----
    Each function is compiled when it is first used, once for each length in a small fixed set to which sequences are
    padded. Word ids are checked before every call, because XLA would silently use the nearest valid id.

    Several threads may use a network at the same time, but not while one of them trains it, because training overwrites
    the parameters in place. A network can be pickled and copied. A process forked after the first use of a network
    cannot use it (`ForkedProcessError`); a spawned process can.

    Examples
    --------
    >>> rnn = RNN(word_dim=20, hidden_dim=8, seed=10)
    >>> rnn
    RNN(word_dim=20, hidden_dim=8, cell='simple', activation='tanh', bptt_truncate=4, dtype='float32')
    >>> rnn.forward_propagation([0, 4, 7]).shape
    (3, 20)
    >>> RNN(word_dim=20, hidden_dim=8, cell="lstm", layers=2, bias=True).parameter_names
    ('U', 'V', 'W', 'b', 'U2', 'W2', 'b2', 'c')
    """

    U: SharedVariable
    V: SharedVariable
    W: SharedVariable
    bptt_truncate: int | None

    def __init__(
        self,
        word_dim: int,
        hidden_dim: int = 100,
        bptt_truncate: int | None = 4,
        activation: str = "tanh",
        seed: int | None = None,
        dtype: str | None = None,
        *,
        cell: str = "simple",
        layers: int = 1,
        embedding_dim: int | None = None,
        bias: bool = False,
        tied: bool = False,
        dropout: float = 0.0,
    ) -> None:
        architecture = Architecture(word_dim, hidden_dim, cell, activation, layers, embedding_dim, bias, tied, dropout)
        self.bptt_truncate = check_bptt_truncate(bptt_truncate)
        dtype = float_type() if dtype is None else check_choice("dtype", dtype, FLOAT_TYPES)
        super().__init__(architecture, initial_values(architecture, dtype, np.random.default_rng(seed)), dtype)
        self._functions: dict[Callable[..., Any], CompiledFunction] = {}

    def __repr__(self) -> str:
        names = ["word_dim", "hidden_dim", "cell"]
        names += [name for name, value in LATER_SETTINGS.items() if name != "cell" and getattr(self, name) != value]
        names += [*(["activation"] if self.cell == "simple" else []), "bptt_truncate", "dtype"]
        return f"RNN({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the settings and values, for pickle and copy. A copy compiles its functions again on first use."""
        settings = {**self.architecture.settings(), "bptt_truncate": self.bptt_truncate, "dtype": self.dtype}
        return settings, self.get_values()

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, np.ndarray]]) -> None:
        settings, values = dict(state[0]), state[1]
        self.bptt_truncate = settings.pop("bptt_truncate")
        dtype = settings.pop("dtype")
        super().__init__(Architecture(**settings), values, dtype)
        self._functions = {}

    # The tutorial's methods, for one sentence

    def _function(self, graph: Callable[["RNN"], network_graphs.Graph]) -> CompiledFunction:
        """Return the compiled function of a graph in `network_graphs`. It is compiled on first use."""
        if graph not in self._functions:
            function = compile_function(lambda: graph(self), self.dtype)
            self._functions.setdefault(graph, function)  # another thread may have compiled it meanwhile
        return self._functions[graph]

    def forward_propagation(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the probabilities o_t for all t.

        Parameters
        ----------
        x : sequence of n >= 1 word ids

        Returns
        -------
        array (n, word_dim)
            Row t is the distribution over the word that follows x[t].

        Raises
        ------
        TypeError, ValueError
            If the ids are not integers, the sequence is empty or nested, or an id is outside 0 … word_dim-1. This
            applies to all methods that take word ids.
        """
        ids = check_ids("x", x, self.word_dim)
        return as_numpy(self._function(network_graphs.forward_propagation)(column(ids)))[: len(ids)]

    def hidden_states(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return s_t of the top layer for all t: array (n, hidden_dim)."""
        ids = check_ids("x", x, self.word_dim)
        top = self.architecture.top_columns
        return as_numpy(self._function(network_graphs.states)(column(ids)))[: len(ids), 0, top]

    def state_after(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the packed state after the last word of x: array (state_dim,). See `zero_states`."""
        ids = check_ids("x", x, self.word_dim)
        state = self.zero_states(1)
        for start in range(0, len(ids), STEPS_AT_ONCE):
            part = ids[start : start + STEPS_AT_ONCE]
            state = as_numpy(self._function(network_graphs.states_after)(column(part), state))[len(part) - 1]
        return state[0]

    def predict(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the id of the most probable next word after each word: integer array (n,).

        Examples
        --------
        >>> RNN(word_dim=5, hidden_dim=3, seed=10).predict([0, 1, 2]).shape
        (3,)
        """
        ids = check_ids("x", x, self.word_dim)
        return as_numpy(self._function(network_graphs.predict)(column(ids)))[: len(ids)]

    def ce_error(self, x: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """Return the cross-entropy -Σ ln o_t[y_t] in nats, summed over the sentence.

        Parameters
        ----------
        x, y : sequences of n >= 1 word ids
            The words of a sentence, and the words that follow them.

        Examples
        --------
        An untrained network predicts all words with nearly the same probability. Its loss is about n ln(word_dim), here
        3 · 8.987.

        >>> loss = RNN(word_dim=8000, hidden_dim=100, seed=10).ce_error([0, 1, 2], [1, 2, 3])
        >>> round(loss, 1)
        27.0
        """
        ids, next_ids = check_pair(x, y, self.word_dim)
        values = self.log_probabilities(column(ids), column(next_ids))[0]
        return -float(values[: len(ids)].sum(dtype=np.float64))

    def bptt(self, x: npt.ArrayLike, y: npt.ArrayLike) -> list[npt.NDArray[Any]]:
        """Return the gradients of `ce_error`, truncated to `bptt_truncate` steps, in the order of `parameter_names`.

        For the tutorial's network these are [dU, dV, dW].
        """
        ids, next_ids = check_pair(x, y, self.word_dim)
        gradients = self._function(network_graphs.bptt)(column(ids), column(next_ids), column_mask(ids))
        return [as_numpy(gradient) for gradient in gradients]

    def sgd_step(self, x: npt.ArrayLike, y: npt.ArrayLike, learning_rate: float) -> float:
        """Take one step of gradient descent on one sentence: θ ← θ - learning_rate · ∂L/∂θ.

        Returns
        -------
        float
            The summed loss of the sentence before the step, in nats.
        """
        ids, next_ids = check_pair(x, y, self.word_dim)
        rate = np.asarray(check_real("learning_rate", learning_rate), self.dtype)
        return float(self._function(network_graphs.sgd_step)(column(ids), column(next_ids), column_mask(ids), rate))

    def calculate_total_loss(self, X: Iterable[npt.ArrayLike], Y: Iterable[npt.ArrayLike]) -> float:
        """Return the cross-entropy in nats, summed over all words of all sentences (tutorial part 2).

        Parameters
        ----------
        X, Y : iterables of sequences of word ids
            As for `ce_error`, one sequence per sentence.

        Raises
        ------
        TypeError, ValueError
            If there are no sentences, X and Y differ in length, or the ids of a sentence are invalid.
        """
        return self._total_loss(X, Y)[0]

    def calculate_loss(self, X: Iterable[npt.ArrayLike], Y: Iterable[npt.ArrayLike]) -> float:
        """Return the mean cross-entropy per word in nats. For an untrained network it is about ln(word_dim).

        Parameters and errors are those of `calculate_total_loss`.
        """
        total, words = self._total_loss(X, Y)
        return total / words

    def _total_loss(self, X: Iterable[npt.ArrayLike], Y: Iterable[npt.ArrayLike]) -> tuple[float, int]:
        X, Y = list(X), list(Y)
        if len(X) != len(Y):
            raise ArgumentValueError(f"X and Y: expected the same number of sentences, got {len(X)} and {len(Y)}")
        if not X:
            raise ArgumentValueError("X: expected at least one sentence, got none")
        sentences = enumerate(zip(X, Y, strict=True))
        pairs = [check_pair(x, y, self.word_dim, f"X[{i}]", f"Y[{i}]") for i, (x, y) in sentences]
        total = 0.0
        for xs, ys, mask in padded_minibatches(pairs):
            total -= float(self.log_probabilities(xs, ys)[0][mask].sum(dtype=np.float64))
        return total, sum(len(x) for x, _ in pairs)

    def gradient_check(
        self, x: npt.ArrayLike, y: npt.ArrayLike, h: float = 0.001, error_threshold: float = 0.01
    ) -> GradientCheck:
        """Compare every element of the untruncated gradients with central differences, in float64.

        Parameters
        ----------
        x, y : sequences of n >= 1 word ids
        h : float
            Step of the central differences.
        error_threshold : float
            Largest allowed relative error.

        Returns
        -------
        GradientCheck
            The number of elements, and the element with the largest relative error.

        Raises
        ------
        GradientCheckError
            If an element exceeds the threshold. The message gives its parameter, index, both gradients and relative
            error.

        Examples
        --------
        >>> rnn = RNN(word_dim=5, hidden_dim=3, seed=10)
        >>> rnn.gradient_check([0, 1, 2], [1, 2, 3]).elements
        39
        """
        ids, next_ids = check_pair(x, y, self.word_dim)
        h, error_threshold = check_real("h", h, above=0), check_real("error_threshold", error_threshold, above=0)
        return check_gradients(self.get_values(), self.architecture, ids, next_ids, h, error_threshold)

    # Methods for minibatches. The caller must check the ids.

    def zero_states(self, batch_size: int) -> npt.NDArray[Any]:
        """Return the packed states before the first step of a minibatch: zeros (batch_size, state_dim).

        A packed state has the state matrices of all layers side by side. For the tutorial's network it is s_t, and
        `state_dim` is `hidden_dim`.
        """
        return np.zeros((batch_size, self.architecture.state_dim), dtype=self.dtype)

    def log_probabilities(
        self, x: npt.NDArray[np.int32], y: npt.NDArray[np.int32], s_init: DeviceArray | None = None
    ) -> tuple[npt.NDArray[Any], DeviceArray]:
        """Return ln o_t[y_t] in nats for a minibatch, and the packed states after its last step.

        Parameters
        ----------
        x, y : int32 arrays (steps, batch_size), steps >= 2
        s_init : array (batch_size, state_dim), optional
            The packed states before the first step. The default is zero.

        Returns
        -------
        log_probabilities : array (steps, batch_size)
        s_last : array (batch_size, state_dim)
        """
        s_init = self.zero_states(x.shape[1]) if s_init is None else s_init
        values, s_last = self._function(network_graphs.target_log_probabilities)(x, y, s_init)
        return np.asarray(values), s_last

    def next_log_probabilities(
        self, word: npt.NDArray[np.int32], s_prev: DeviceArray
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Compute one step of the recurrence.

        Parameters
        ----------
        word : int32 array (batch_size,)
            The words x_t.
        s_prev : array (batch_size, state_dim)

        Returns
        -------
        log_probabilities : array (batch_size, word_dim)
            ln o_t of all words, in nats.
        s_t : array (batch_size, state_dim)
            The packed states at t.
        """
        if len(word) == 1 and device_name() is None:
            # NumPy takes half the time of a compiled function, which is made for larger work.
            require_usable_process()
            network = self.on_host
            with one_blas_thread:
                output, s = next_state(word, s_prev, network)
                values = all_log_probabilities(output, network)
            values.flags.writeable = s.flags.writeable = False  # as are the results of compiled functions
            return values, s
        values, s = self._function(network_graphs.next_log_probabilities)(word, s_prev)
        return np.asarray(values), np.asarray(s)

    def chosen_log_probabilities(
        self,
        word: npt.NDArray[np.int32],
        s_prev: npt.NDArray[Any],
        rows: npt.NDArray[np.int32],
        chosen: npt.NDArray[np.int32],
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Compute one step of the recurrence, and the log-probabilities of chosen next words only.

        Parameters
        ----------
        word : int32 array (batch_size,)
            The words x_t.
        s_prev : array (batch_size, state_dim)
        rows, chosen : int32 arrays (n,)
            A row of the minibatch, and a word that may follow there. A row may occur any number of times.

        Returns
        -------
        log_probabilities : array (n,)
            ln o_t[chosen] in nats.
        s_t : array (batch_size, state_dim)
            The packed states at t.
        """
        values, s = self._function(network_graphs.chosen_log_probabilities)(word, s_prev, rows, chosen)
        return np.asarray(values), np.asarray(s)

    def states(self, x: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
        """Return the packed states of a minibatch x (steps, batch_size): array (steps, batch_size, state_dim)."""
        return np.asarray(self._function(network_graphs.states)(x))


RNNTheano = RNN
