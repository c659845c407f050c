"""The tutorial's network: owns U, V and W and compiles what is done with them. Knows ids, not words."""

import functools

import numpy as np

from theano_rnn.checks import check_bptt_truncate, check_choice, check_count, check_ids, check_pair, check_real
from theano_rnn.engines.engine import T, as_numpy, compile_function, float_type, shared_array
from theano_rnn.errors import ArgumentValueError, ModelFileError
from theano_rnn.files.archive import one_line, read_archive, read_document, write_archive
from theano_rnn.networks import graph
from theano_rnn.networks.cells import ACTIVATIONS, simple_step
from theano_rnn.networks.gradient_check import check_gradients
from theano_rnn.networks.softmax import FEW_WORDS
from theano_rnn.text import minibatches

PARAMETERS = ("U", "V", "W")
FLOAT_TYPES = ("float32", "float64")
STATE_OF_A_RUN = "run"  # what only a training run's own file has among its entries
SETTINGS = ("word_dim", "hidden_dim", "bptt_truncate", "activation", "dtype")


class RNN:
    """A recurrent network language model: s_t = f(U x_t + W s_{t-1}), o_t = softmax(V s_t), s_{-1} = 0.

    Parameters
    ----------
    word_dim : int
        Size of the vocabulary.
    hidden_dim : int
        Size of the state s_t.
    bptt_truncate : int or None
        The error of each output flows back through at most this many steps beyond its own (tutorial parts 2 and 3);
        None or -1: through the whole sentence; otherwise at most 1000.
    activation : {"tanh", "relu"}
        The function f.
    seed : int, optional
        Of the initial values, which are uniform in ±sqrt(1/n), n = number of incoming connections.
    dtype : {"float32", "float64"}, optional
        The default is ``theano.config.floatX`` where it has been set, in flags, in a file or in code, and else float32.

    Attributes
    ----------
    U : Theano shared variable (hidden_dim, word_dim)
    V : Theano shared variable (word_dim, hidden_dim)
    W : Theano shared variable (hidden_dim, hidden_dim)
        All of type `dtype`. They can be used in symbolic formulas and updates like any other shared variable.

    Notes
    -----
    Each function is compiled when it is first used, once for each length of a small fixed set to which sequences are
    padded. Word ids are checked before every call: XLA would take the nearest valid id in silence. Several threads may
    use a network; learning writes over the parameters in place, so none may while another trains it. A network can be
    pickled and copied; a process forked after it was used cannot use it (`ForkedProcessError`), a spawned one can.

    Examples
    --------
    >>> rnn = RNN(word_dim=20, hidden_dim=8, seed=10)
    >>> rnn.forward_propagation([0, 4, 7]).shape
    (3, 20)
    """

    def __init__(self, word_dim, hidden_dim=100, bptt_truncate=4, activation="tanh", seed=None, dtype=None):
        self.word_dim = check_count("word_dim", word_dim)
        self.hidden_dim = check_count("hidden_dim", hidden_dim)
        self.bptt_truncate = check_bptt_truncate(bptt_truncate)
        self.activation = check_choice("activation", activation, ACTIVATIONS)
        self.dtype = float_type() if dtype is None else check_choice("dtype", dtype, FLOAT_TYPES)
        generator = np.random.default_rng(seed)
        bounds = {name: np.sqrt(1.0 / shape[1]) for name, shape in self.parameter_shapes.items()}
        self._share(
            {
                name: generator.uniform(-bounds[name], bounds[name], shape).astype(self.dtype)
                for name, shape in self.parameter_shapes.items()
            }
        )

    def _share(self, values):
        for name in PARAMETERS:
            setattr(self, name, shared_array(values[name], name, self.lies_transposed(name)))

    def __getstate__(self):
        """For pickle and copy: settings and values. Functions are compiled anew where they are used."""
        return {name: getattr(self, name) for name in SETTINGS}, self.get_values()

    def __setstate__(self, state):
        settings, values = state
        self.__dict__.update(settings)
        self._share(values)

    def lies_transposed(self, name):
        """Whether a parameter lies transposed in memory: U, whose columns are words, and a large V (for products)."""
        return name == "U" or (name == "V" and self.word_dim > FEW_WORDS)

    def as_it_lies(self, name, array):
        """An expression of a parameter's shape as the parameter lies in memory; the same call turns it back."""
        return array.T if self.lies_transposed(name) else array

    @property
    def parameter_shapes(self):
        return shapes_of_parameters(self.word_dim, self.hidden_dim)

    @property
    def parameters(self):
        """[U, V, W], the order of gradients, updates and files."""
        return [getattr(self, name) for name in PARAMETERS]

    def get_values(self):
        """The parameters' values by name, as NumPy arrays of the caller's own."""
        return {name: as_numpy(getattr(self, name).get_value(borrow=True)) for name in PARAMETERS}

    def set_values(self, values):
        """Set U, V and W from a mapping of arrays; nothing is set unless all have the right shape.

        Raises
        ------
        ValueError
            For a missing array or a wrong shape.
        """
        check_shapes(values, self.parameter_shapes)
        checked = {name: np.array(values[name], dtype=self.dtype) for name in PARAMETERS}
        for name, value in checked.items():
            getattr(self, name).set_value(value, borrow=True)

    @classmethod
    def from_values(cls, values, bptt_truncate=4, activation="tanh", dtype=None):
        """A network with the given U, V and W; the sizes are theirs."""
        U = np.asarray(values["U"])
        if U.ndim != 2:
            raise ArgumentValueError(f"U: expected a matrix (hidden_dim, word_dim), got shape {U.shape}")
        hidden_dim, word_dim = U.shape
        # A file could say anything: W is not made as large as U claims unless it is there.
        check_shapes(values, shapes_of_parameters(word_dim, hidden_dim))
        rnn = cls(word_dim, hidden_dim, bptt_truncate=bptt_truncate, activation=activation, seed=0, dtype=dtype)
        rnn.set_values(values)
        return rnn

    @classmethod
    def from_entries(cls, path, entries, bptt_truncate, activation):
        """A network from the entries of a file, each checked before anything is made.

        Raises
        ------
        ModelFileError
            For a parameter that is missing, of a wrong type or shape, or not finite.
        """
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
        try:
            return cls.from_values(entries, bptt_truncate, activation)
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: {one_line(error)}") from error

    @classmethod
    def load(cls, path):
        """Read a network from a language model's file, one that `save` wrote, or a bare .npz of U, V and W.

        A bare file (the tutorial's own) says nothing of activation and truncation: they are tanh and 4.

        Raises
        ------
        ModelFileError
            For a file that is missing, damaged or holds something else.
        """
        entries = read_archive(path)
        if STATE_OF_A_RUN in entries:
            raise ModelFileError(f"{path}: is the state of a training run, not a model; name the model that it trains")
        network = {"bptt_truncate": 4, "activation": "tanh"}
        if "configuration" in entries:
            configuration = read_document(path, entries, "configuration")
            network = configuration.get("network") if isinstance(configuration, dict) else None
            if not isinstance(network, dict):
                raise ModelFileError(f"{path}: damaged configuration: it holds no settings of a network")
        return cls.from_entries(path, entries, network.get("bptt_truncate"), network.get("activation"))

    def save(self, path):
        """Write U, V, W and the settings as one .npz, atomically."""
        network = {"bptt_truncate": self.bptt_truncate, "activation": self.activation}
        write_archive(path, self.get_values(), {"configuration": {"network": network}})

    # Compiled functions. Inputs have shape (steps, batch_size); XLA specialises them for each shape that occurs.

    def _forward_graph(self):
        U, _, W = self.parameters
        x = T.imatrix("x")
        a = graph.input_activations(x, U)
        s_init = T.zeros((x.shape[1], self.hidden_dim), dtype=self.dtype)
        return x, a, s_init, graph.hidden_states(a, W, s_init, self.activation)

    def _loss_graph(self, bptt_truncate):
        """The inputs x, y, mask, the loss and what the gradients are made from."""
        _, V, W = self.parameters
        x, a, s_init, s = self._forward_graph()
        y, mask = T.imatrix("y"), T.bmatrix("mask")
        loss, ds, dV = graph.cross_entropy(s, V, y, mask)
        delta = graph.backpropagation_through_time(ds, s, W, self.activation, bptt_truncate)
        return x, y, mask, loss, s, s_init, delta, dV

    @functools.cached_property
    def _forward_propagation(self):
        def build():
            x, _, _, s = self._forward_graph()
            return [x], graph.output_probabilities(s, self.V), None

        return compile_function(build, self.dtype)

    @functools.cached_property
    def _hidden_states(self):
        def build():
            x, _, _, s = self._forward_graph()
            return [x], s, None

        return compile_function(build, self.dtype)

    @functools.cached_property
    def _predict(self):
        def build():
            x, _, _, s = self._forward_graph()
            return [x], graph.most_probable(s, self.V), None

        return compile_function(build, self.dtype)

    @functools.cached_property
    def _log_probabilities(self):
        def build():
            x, a, _, _ = self._forward_graph()
            y, s_init = T.imatrix("y"), T.matrix("s_init", dtype=self.dtype)
            s = graph.hidden_states(a, self.W, s_init, self.activation)
            return [x, y, s_init], [graph.log_probabilities(s, self.V, y), s[-1]], None

        return compile_function(build, self.dtype)

    @functools.cached_property
    def _next_log_probabilities(self):
        def build():
            word, s_prev = T.ivector("word"), T.matrix("s_prev", dtype=self.dtype)
            U, V, W = self.parameters
            s = simple_step(U.T[word], s_prev, W, self.activation)
            return [word, s_prev], [graph.all_log_probabilities(s, V), s], None

        return compile_function(build, self.dtype)

    @functools.cached_property
    def _bptt(self):
        def build():
            x, y, mask, _, s, s_init, delta, dV = self._loss_graph(self.bptt_truncate)
            dU, dW = graph.recurrence_gradients(delta, x, s, s_init, self.U)
            return [x, y, mask], [dU, dV, dW], None

        return compile_function(build, self.dtype)

    @functools.cached_property
    def _sgd_step(self):
        def build():
            x, y, mask, loss, s, s_init, delta, dV = self._loss_graph(self.bptt_truncate)
            learning_rate = T.scalar("learning_rate", dtype=self.dtype)
            U, V, W = self.parameters
            _, dW = graph.recurrence_gradients(delta, x, s, s_init, U)
            updates = [
                (U, graph.plus_columns(U, x, -learning_rate * delta)),
                (V, V - learning_rate * dV),
                (W, W - learning_rate * dW),
            ]
            return [x, y, mask, learning_rate], loss, updates

        return compile_function(build, self.dtype)

    # The tutorial's methods, for one sentence.

    def forward_propagation(self, x):
        """o_t for all t: array (n, word_dim) of probabilities; x: n >= 1 word ids.

        Raises
        ------
        TypeError, ValueError
            Here and in all methods below: for ids that are no integers, none at all, or outside 0 … word_dim-1.
        """
        x = check_ids("x", x, self.word_dim)
        return as_numpy(self._forward_propagation(column(x)))[: len(x)]

    def hidden_states(self, x):
        """s_t for all t: array (n, hidden_dim)."""
        x = check_ids("x", x, self.word_dim)
        return as_numpy(self._hidden_states(column(x)))[: len(x), 0]

    def predict(self, x):
        """The most probable next word after each word: array (n,) of ids."""
        x = check_ids("x", x, self.word_dim)
        return as_numpy(self._predict(column(x)))[: len(x)]

    def ce_error(self, x, y):
        """Summed cross-entropy -Σ ln o_t[y_t] in nats, a float."""
        x, y = check_pair(x, y, self.word_dim)
        values = self.log_probabilities(column(x), column(y))[0]
        return -float(values[: len(x)].sum(dtype=np.float64))

    def bptt(self, x, y):
        """[dU, dV, dW]: the gradients of `ce_error`, truncated as `bptt_truncate` says; shapes of U, V, W."""
        x, y = check_pair(x, y, self.word_dim)
        return [as_numpy(gradient) for gradient in self._bptt(column(x), column(y), column_mask(x))]

    def sgd_step(self, x, y, learning_rate):
        """θ ← θ - learning_rate · ∂L/∂θ for one sentence; returns its loss before the step, in nats (summed)."""
        x, y = check_pair(x, y, self.word_dim)
        learning_rate = np.asarray(check_real("learning_rate", learning_rate), self.dtype)
        loss = self._sgd_step(column(x), column(y), column_mask(x), learning_rate)
        return float(loss)

    def calculate_total_loss(self, X, Y):
        """Cross-entropy in nats, summed over all words of all sentences (tutorial part 2)."""
        return self._total_loss(X, Y)[0]

    def calculate_loss(self, X, Y):
        """Cross-entropy in nats, mean per word."""
        total, words = self._total_loss(X, Y)
        return total / words

    def _total_loss(self, X, Y):
        X, Y = list(X), list(Y)
        if len(X) != len(Y):
            raise ArgumentValueError(f"X and Y: expected as many sentences, got {len(X)} and {len(Y)}")
        if not X:
            raise ArgumentValueError("X: expected at least one sentence, got none")
        pairs = [
            check_pair(x, y, self.word_dim, f"X[{i}]", f"Y[{i}]") for i, (x, y) in enumerate(zip(X, Y, strict=True))
        ]
        total = 0.0
        for length, columns, members in minibatches.plan_batches([len(x) for x, _ in pairs], min(32, len(pairs))):
            ids = np.zeros((2, length, columns), np.int32)
            mask = np.zeros((length, columns), bool)
            for b, i in enumerate(members):
                steps = len(pairs[i][0])
                ids[:, :steps, b] = pairs[i]
                mask[:steps, b] = True
            total -= float(self.log_probabilities(*ids)[0][mask].sum(dtype=np.float64))
        return total, sum(len(x) for x, _ in pairs)

    def gradient_check(self, x, y, h=0.001, error_threshold=0.01):
        """Hold every element of the full gradients against central differences, in float64 whatever the network's type.

        Returns
        -------
        GradientCheck
            The number of elements, and the one with the largest relative error.

        Raises
        ------
        GradientCheckError
            With parameter, index, both gradients and the relative error, for the first that exceeds the threshold.
        """
        x, y = check_pair(x, y, self.word_dim)
        h, error_threshold = check_real("h", h, above=0), check_real("error_threshold", error_threshold, above=0)
        return check_gradients(self.get_values(), self.activation, x, y, h, error_threshold)

    # For minibatches, with ids that the caller has checked.

    def zero_states(self, batch_size):
        """s_{-1} = 0 for each text of a minibatch: (batch_size, hidden_dim)."""
        return np.zeros((batch_size, self.hidden_dim), dtype=self.dtype)

    def log_probabilities(self, x, y, s_init=None):
        """ln o_t[y_t] in nats for a minibatch, and its last states.

        Parameters
        ----------
        x, y : int32 arrays (steps, batch_size), steps >= 2
        s_init : array (batch_size, hidden_dim), optional
            The states before the first step; default zero.

        Returns
        -------
        array (steps, batch_size), array (batch_size, hidden_dim)
        """
        s_init = self.zero_states(x.shape[1]) if s_init is None else s_init
        values, s_last = self._log_probabilities(x, y, s_init)
        return np.asarray(values), s_last

    def next_log_probabilities(self, word, s_prev):
        """One step of the recurrence: ln o_t for all words, and s_t.

        Parameters
        ----------
        word : int32 array (batch_size,)
            The words x_t.
        s_prev : array (batch_size, hidden_dim)

        Returns
        -------
        array (batch_size, word_dim) in nats, array (batch_size, hidden_dim)
        """
        values, s = self._next_log_probabilities(word, s_prev)
        return np.asarray(values), np.asarray(s)

    def states(self, x):
        """s_t for a minibatch x (steps, batch_size): array (steps, batch_size, hidden_dim)."""
        return np.asarray(self._hidden_states(x))


RNNTheano = RNN


def shapes_of_parameters(word_dim, hidden_dim):
    return {"U": (hidden_dim, word_dim), "V": (word_dim, hidden_dim), "W": (hidden_dim, hidden_dim)}


def check_shapes(values, shapes):
    """Raise ValueError for an array that is missing or has another shape."""
    for name, shape in shapes.items():
        if name not in values:
            raise ArgumentValueError(f"{name} is missing; expected arrays named {', '.join(shapes)}")
        if np.shape(values[name]) != shape:
            raise ArgumentValueError(f"{name}: expected shape {shape}, got {np.shape(values[name])}")


def column(ids):
    """Ids as a minibatch of one, zero-padded to one of the fixed lengths: int32 (steps, 1)."""
    padded = np.zeros((minibatches.bucket_length(len(ids)), 1), dtype=np.int32)
    padded[: len(ids), 0] = ids
    return padded


def column_mask(ids):
    """int8 (steps, 1): 1 where `column` holds a word."""
    return (np.arange(minibatches.bucket_length(len(ids))) < len(ids)).astype(np.int8)[:, None]
