"""The curves of one picture: trained networks beside untrained ones of the same size, reading the same texts."""

from pathlib import Path

import numpy as np

from theano_rnn.checks import check_count
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.inspection.gradient_flow import LONGEST, Curve, measure
from theano_rnn.inspection.network_files import open_network
from theano_rnn.inspection.token_sequences import read_tokens
from theano_rnn.networks.rnn import RNN

NAMES = {"tanh": "tanh", "relu": "ReLU"}
MOST_TOKENS = 20_000  # of a text: places are drawn from its beginning
TEXTS = 16


def measure_curves(paths, lines, length, starts, seed, begun=None):
    """Curves of the networks in files, then of untrained ones, tanh and ReLU, of the first one's size.

    Parameters
    ----------
    paths : sequence of paths
        Language models, or bare networks, which read random ids.
    lines : iterable of str or None
        What all of them read; None: texts that the first language model writes, none of them shorter than `length`.
    length, starts, seed
        As for `theano_rnn.inspection.gradient_flow.measure`; the seed is also that of what is random here.

    begun : callable, optional
        Called with the name of each curve before it is measured, which takes a while for large networks.

    Returns
    -------
    list of Curve

    Raises
    ------
    CorpusError
        If the text is empty.
    ModelFileError
    ValueError
        For numbers outside their range.
    """
    if check_count("length", length) > LONGEST:
        raise ArgumentValueError(f"length: expected at most {LONGEST}, got {length}")
    check_count("starts", starts)
    check_count("seed", seed, 0)
    begun = begun or (lambda name: None)
    networks = [open_network(path) for path in paths]
    lines = read_or_write(lines, networks, length, seed)
    curves, first = [], None
    for name, (rnn, lm) in zip(names_of(paths, networks), networks, strict=True):
        sequences = random_sequences(rnn.word_dim, length, seed) if lm is None else sequences_of(lm, lines)
        first = first or (rnn, sequences)
        begun(name)
        curves.append(Curve(name, rnn.activation, True, measure(rnn, sequences, length, starts, seed)))
    rnn, sequences = first
    for activation, name in NAMES.items():
        name = f"untrained {name}"
        begun(name)
        untrained = RNN(rnn.word_dim, rnn.hidden_dim, activation=activation, seed=seed)
        curves.append(Curve(name, activation, False, measure(untrained, sequences, length, starts, seed)))
    return curves


def read_or_write(lines, networks, length, seed):
    """The texts, as a list, or those that the first language model writes; None where there is none to read them."""
    lm = next((lm for _, lm in networks if lm is not None), None)
    if lm is None:
        if lines is not None:
            raise CorpusError("a bare network has no vocabulary to read a text with; leave the text out")
        return None
    if lines is None:
        # Some places more than the length, so that there are many with the full length after them.
        return lm.generate(TEXTS, min_words=length + 10, max_words=2 * length + 10, seed=seed)
    kept, characters = [], 0
    for line in lines:
        kept.append(line)
        characters += len(line) + 1
        if characters > 20 * MOST_TOKENS:
            break
    return kept


def sequences_of(lm, lines):
    readings, _ = read_tokens(lm, lines, MOST_TOKENS)
    if not readings:
        raise CorpusError("the text is empty; give at least one line with some words")
    return [reading.ids for reading in readings]


def random_sequences(word_dim, length, seed):
    return list(np.random.default_rng(seed).integers(word_dim, size=(TEXTS, 2 * length + 1)))


def names_of(paths, networks):
    """What each trained network is called: its activation, with the file's name where there is more than one of it.

    Where files of several folders have that name, with as much of their paths as they were given.
    """
    activations = [rnn.activation for rnn, _ in networks]
    files = [Path(path).name for path in paths]
    files = [str(path) if files.count(file) > 1 else file for path, file in zip(paths, files, strict=True)]
    return [
        f"trained {NAMES[activation]}" + (f" ({file})" if activations.count(activation) > 1 else "")
        for file, activation in zip(files, activations, strict=True)
    ]
