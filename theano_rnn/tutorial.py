"""The names that part 2 of the WildML tutorial uses, so that its cells run with only their imports changed.

Replace the tutorial's import cell with ``from theano_rnn.tutorial import *``. The functions print to standard output
what the tutorial's functions print. Nothing else in the package uses this module, and it must not be needed to use
the package: ``theano_rnn.RNN`` has the same methods without the printing.
"""

from __future__ import annotations

import collections
import csv
import functools
import itertools
import operator
import os
import sys
import types
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import numpy
import numpy.typing as npt

from theano_rnn.checks import check_count, check_pair
from theano_rnn.errors import ArgumentValueError, ModelFileError
from theano_rnn.files.archive import write_archive
from theano_rnn.networks.parameters import PARAMETERS
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.sentence_splitter import SentenceSplitter
from theano_rnn.text.sentences import split_sentences
from theano_rnn.text.word_tokenizer import WordTokenizer

__all__ = [
    "RNNTheano",
    "csv",
    "datetime",
    "gradient_check_theano",
    "itertools",
    "load_model_parameters_theano",
    "nltk",
    "np",
    "operator",
    "save_model_parameters_theano",
    "sent_tokenize",
    "softmax",
    "sys",
    "train_with_sgd",
    "word_tokenize",
]


class RNNTheano(RNN):
    """The tutorial's network with the tutorial's defaults: float64, and initial values from NumPy's global generator.

    With the same ``np.random.seed``, the initial values are those of the tutorial's own class. float64 is Theano's
    default; it also keeps ``np.random.multinomial`` from refusing probabilities whose sum exceeds 1 by a rounding error
    of float32.

    Parameters
    ----------
    word_dim : int
        Size of the vocabulary.
    hidden_dim : int, default 100
        Size of the hidden state.
    bptt_truncate : int or None, default 4
        As in `theano_rnn.RNN`.
    activation : {"tanh", "relu"}, default "tanh"
    seed : int, optional
        Draws the initial values as `theano_rnn.RNN` does with this seed. By default they come from NumPy's global
        generator, which ``np.random.seed`` sets.
    dtype : {"float32", "float64"}, optional
        The default is float64.

    Examples
    --------
    >>> np.random.seed(10)
    >>> model = RNNTheano(50, hidden_dim=10)
    >>> model.forward_propagation([0, 1, 2, 3]).shape
    (4, 50)
    """

    def __init__(
        self,
        word_dim: int,
        hidden_dim: int = 100,
        bptt_truncate: int | None = 4,
        activation: Literal["tanh", "relu"] = "tanh",
        seed: int | None = None,
        dtype: Literal["float32", "float64"] | None = None,
    ) -> None:
        own_seed = 0 if seed is None else seed
        super().__init__(word_dim, hidden_dim, bptt_truncate, activation, own_seed, dtype or "float64")
        if seed is None:
            shapes = {"U": (hidden_dim, word_dim), "V": (word_dim, hidden_dim), "W": (hidden_dim, hidden_dim)}
            bounds = {name: numpy.sqrt(1.0 / incoming) for name, (_, incoming) in shapes.items()}
            self.set_values(
                {name: numpy.random.uniform(-bounds[name], bounds[name], shape) for name, shape in shapes.items()}
            )


def gradient_check_theano(
    model: RNN, x: npt.ArrayLike, y: npt.ArrayLike, h: float = 0.001, error_threshold: float = 0.01
) -> None:
    """Compare backpropagation with central differences, for every element of U, V and W.

    The check always uses the gradients through the whole sentence, in float64. The network itself does not change.

    Parameters
    ----------
    model : RNN
    x, y : sequence of int
        Word ids of one sentence and the ids of the words that follow.
    h : float, default 0.001
        The step of the central differences.
    error_threshold : float, default 0.01
        The largest relative error allowed.

    Raises
    ------
    GradientCheckError
        If the relative error of an element exceeds `error_threshold`. The message has the tutorial's figures.

    Examples
    --------
    >>> gradient_check_theano(RNNTheano(5, 10), [0, 1, 2, 3], [1, 2, 3, 4])
    Performing gradient check for parameter U with size 50.
    Gradient check for parameter U passed.
    Performing gradient check for parameter V with size 50.
    Gradient check for parameter V passed.
    Performing gradient check for parameter W with size 100.
    Gradient check for parameter W passed.
    """
    announcements = [
        f"Performing gradient check for parameter {name} with size {value.size}."
        for name, value in model.get_values().items()
    ]
    _print(announcements[0])  # before the check, which covers all parameters at once and takes a while
    model.gradient_check(x, y, h, error_threshold)
    for name, announcement in zip(model.get_values(), announcements, strict=True):
        if announcement is not announcements[0]:
            _print(announcement)
        _print(f"Gradient check for parameter {name} passed.")


def train_with_sgd(
    model: RNN,
    X_train: Sequence[npt.ArrayLike],
    y_train: Sequence[npt.ArrayLike],
    learning_rate: float = 0.005,
    nepoch: int = 1,
    evaluate_loss_after: int = 5,
) -> list[tuple[int, float]]:
    """Train with plain stochastic gradient descent, one sentence per step, in the order given.

    Before every `evaluate_loss_after`-th epoch the function measures the loss on all sentences and prints it. If the
    loss has risen since the last measurement, the learning rate is halved. The last epoch is not followed by a
    measurement; call ``model.calculate_loss`` for it.

    Parameters
    ----------
    model : RNN
        Trained in place.
    X_train, y_train : sequence of sequence of int
        Word ids of each sentence, and the ids of the words that follow.
    learning_rate : float, default 0.005
        The first learning rate, of gradients of a sentence's summed loss.
    nepoch : int, default 1
        Number of passes over the sentences.
    evaluate_loss_after : int, default 5
        Number of epochs from one measurement of the loss to the next.

    Returns
    -------
    list of (int, float)
        For each measurement: the number of sentences seen before it, and the mean loss per word in nats.

    Raises
    ------
    ValueError
        If `X_train` and `y_train` differ in length or are empty, if a sentence holds an id that the model does not
        have, or if `nepoch` or `evaluate_loss_after` is not positive.

    Examples
    --------
    >>> np.random.seed(10)
    >>> model = RNNTheano(10, hidden_dim=5)
    >>> losses = train_with_sgd(model, [[0, 1, 2]], [[1, 2, 3]], nepoch=2, evaluate_loss_after=1)  # doctest: +ELLIPSIS
    20...: Loss after num_examples_seen=0 epoch=0: 2.2457...
    20...: Loss after num_examples_seen=1 epoch=1: 2.2428...
    >>> [examples for examples, _ in losses]
    [0, 1]
    """
    check_count("nepoch", nepoch)
    check_count("evaluate_loss_after", evaluate_loss_after)
    X_train, y_train = list(X_train), list(y_train)
    _check_sentences(X_train, y_train, model.word_dim)
    losses: list[tuple[int, float]] = []
    num_examples_seen = 0
    for epoch in range(nepoch):
        if epoch % evaluate_loss_after == 0:
            loss = model.calculate_loss(X_train, y_train)
            losses.append((num_examples_seen, loss))
            time = datetime.now().strftime("%Y-%m-%d %H:%M:%S")
            _print(f"{time}: Loss after num_examples_seen={num_examples_seen} epoch={epoch}: {loss:f}")
            if len(losses) > 1 and loss > losses[-2][1]:
                learning_rate *= 0.5
                _print(f"Setting learning rate to {learning_rate:f}")
        for x, y in zip(X_train, y_train, strict=True):
            model.sgd_step(x, y, learning_rate)
            num_examples_seen += 1
    return losses


def _check_sentences(X_train: Sequence[npt.ArrayLike], y_train: Sequence[npt.ArrayLike], word_dim: int) -> None:
    """Raise ArgumentTypeError or ArgumentValueError, with the names of these arguments, if they are not valid."""
    if len(X_train) != len(y_train):
        raise ArgumentValueError(
            f"X_train and y_train: expected the same number of sentences, got {len(X_train)} and {len(y_train)}"
        )
    if not X_train:
        raise ArgumentValueError("X_train: expected at least one sentence, got none")
    for i, (x, y) in enumerate(zip(X_train, y_train, strict=True)):
        check_pair(x, y, word_dim, f"X_train[{i}]", f"y_train[{i}]")


def save_model_parameters_theano(outfile: str | os.PathLike[str], model: RNN) -> None:
    """Write U, V and W to an .npz file in the tutorial's format: the three arrays and nothing else.

    `model.save` also records the settings of the network, which this format cannot.

    Parameters
    ----------
    outfile : path
        The file to write. If it exists, it is replaced in one step.
    model : RNN

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    write_archive(outfile, model.get_values(), {})
    _print(f"Saved model parameters to {os.fspath(outfile)}.")


def load_model_parameters_theano(path: str | os.PathLike[str], model: RNN) -> None:
    """Set U, V and W of a network from an .npz file; the network takes on the sizes in the file.

    If the sizes differ from those of the network, it gets new shared variables. Truncation, activation and dtype stay
    as they are.

    Parameters
    ----------
    path : path
        A file in the tutorial's format, or any model file of this package.
    model : RNN
        Changed in place.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, lacks U, V and W of matching shapes, or contains a network that the tutorial
        does not have. The network is then unchanged.
    """
    loaded = RNN.load(path)
    if loaded.cell != "simple" or loaded.parameter_names != PARAMETERS:
        found = f"a {loaded.cell} network with {', '.join(loaded.parameter_names)}"
        raise ModelFileError(
            f"{os.fspath(path)}: expected the tutorial's network, got {found}; load it with theano_rnn.RNN.load"
        )
    values = RNNTheano.load(path).get_values()  # in float64
    hidden_dim, word_dim = values["U"].shape
    if (hidden_dim, word_dim) == (model.hidden_dim, model.word_dim):
        model.set_values(values)
    else:
        # Compiled functions know the sizes. Pickling leaves them out, so its protocol makes a network without them.
        resized = RNN.from_values(values, model.bptt_truncate, model.activation, model.dtype)
        state = resized.__getstate__()
        model.__dict__.clear()
        model.__setstate__(state)
    _print(f"Loaded model parameters from {os.fspath(path)}. hidden_dim={hidden_dim} word_dim={word_dim}")


def softmax(x: npt.ArrayLike) -> np.ndarray:
    """Compute exp(x) / Σ exp(x) of a vector without overflow, for the tutorial's NumPy class.

    Parameters
    ----------
    x : array_like
        (n,) real numbers.

    Returns
    -------
    numpy.ndarray
        (n,) probabilities.

    Examples
    --------
    >>> softmax([0.0, 0.0])
    array([0.5, 0.5])
    """
    values = numpy.asarray(x)
    exponentials = numpy.exp(values - values.max())
    return exponentials / exponentials.sum()


@functools.cache
def _splitter() -> SentenceSplitter:
    return SentenceSplitter()


@functools.cache
def _word_tokenizer() -> WordTokenizer:
    return WordTokenizer(str, _splitter())


def sent_tokenize(text: str) -> list[str]:
    """Split a text into sentences with the package's own rules instead of NLTK's downloaded model.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Whitespace within a sentence becomes a single space.

    Examples
    --------
    >>> sent_tokenize("mr. smith came. he left at once!")
    ['mr. smith came.', 'he left at once!']
    """
    return [sentence for _, sentence in split_sentences([text], _splitter())]


def word_tokenize(text: str) -> list[str]:
    """Split a text into sentences and these into the words of NLTK's tokenizer, without any downloaded data.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Words and punctuation marks.

    Examples
    --------
    >>> word_tokenize("SENTENCE_START i don't know. SENTENCE_END")
    ['SENTENCE_START', 'i', 'do', "n't", 'know', '.', 'SENTENCE_END']
    """
    return [token for sentence in sent_tokenize(text) for token in _word_tokenizer().tokenize(sentence)]


def _download(*_: object, **__: object) -> bool:
    """Do nothing: no NLTK data are needed."""
    return True


nltk = types.SimpleNamespace(
    download=_download, sent_tokenize=sent_tokenize, word_tokenize=word_tokenize, FreqDist=collections.Counter
)
"""What the tutorial uses of NLTK, none of which needs a download."""


class _NumPy(types.ModuleType):
    """NumPy, but `asarray` accepts sentences of different lengths, as NumPy did when the tutorial was written."""

    def __getattr__(self, name: str) -> Any:
        return getattr(numpy, name)

    @staticmethod
    def asarray(a: Any, *args: Any, **options: Any) -> Any:
        """Convert to an array; a list of lists of different lengths becomes a 1-D array of lists."""
        is_ragged = isinstance(a, list) and all(isinstance(row, list) for row in a) and len(set(map(len, a))) > 1
        if is_ragged and not args and "dtype" not in options:
            options["dtype"] = object
        return numpy.asarray(a, *args, **options)


np: Any = _NumPy("numpy")
"""NumPy for the tutorial's cells; see `_NumPy`."""


def _print(line: str) -> None:
    """Print a line at once. Printing is the purpose of this module; the rest of the library logs."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
