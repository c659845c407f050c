"""The curves of one picture: trained networks beside untrained ones of the same size, on the same text."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.inspection.gradient_flow import MAX_LENGTH, STARTS, GradientCurve, gradient_norms, is_tutorials
from theano_rnn.inspection.input_sequences import read_input_sequences
from theano_rnn.inspection.network_loading import load_network
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.cells import CELLS
from theano_rnn.networks.rnn import RNN

KIND_NAMES = {"tanh": "tanh", "relu": "ReLU", "gru": "GRU", "lstm": "LSTM"}
LARGE_STATE, FEW_STARTS = 1000, 8  # so that large networks do not take many minutes
MAX_TOKENS = 20_000  # of the text; places are drawn from its beginning
TEXTS = 16  # texts to generate, or random sequences to draw

Networks = Sequence[tuple[RNN, LanguageModel | None]]


def gradient_curves(
    paths: Sequence[str | os.PathLike[str]],
    lines: Iterable[str] | None,
    length: int,
    starts: int | None,
    seed: int,
    on_start: Callable[[str], object] | None = None,
) -> list[GradientCurve]:
    """Compute the curves of the networks in files, and of untrained networks of the first one's size.

    The untrained networks are tanh and ReLU if all files have the simple cell, else tanh, GRU and LSTM.

    Parameters
    ----------
    paths : sequence of str or os.PathLike
        Files of language models, or of bare networks, which read random ids.
    lines : iterable of str or None
        The text that all of them read. With None, the first language model generates texts, all of them longer than
        `length`.
    length, starts, seed : int
        See `theano_rnn.inspection.gradient_flow.gradient_norms`. The seed also decides about generated texts, random
        ids and untrained networks. None for `starts` means 32, or 8 if the state of a network with gates or several
        layers has more than 1,000 elements.
    on_start : callable, optional
        Called with the name of each curve before it is computed, which takes a while for large networks.

    Returns
    -------
    list of GradientCurve

    Raises
    ------
    CorpusError
        If the text is empty, or if there is a text and no language model to read it.
    ModelFileError
        If a file is not a model.
    ArgumentValueError
        If a number is out of its range.
    """
    if check_count("length", length) > MAX_LENGTH:
        raise ArgumentValueError(f"length: expected at most {MAX_LENGTH}, got {length}")
    if starts is not None:
        check_count("starts", starts)
    check_count("seed", seed, 0)
    on_start = on_start or (lambda name: None)
    networks = [load_network(path) for path in paths]
    texts = _choose_texts(lines, networks, length, seed)
    inputs = [
        _random_sequences(rnn.word_dim, length, seed) if lm is None or texts is None else _sequences(lm, texts)
        for rnn, lm in networks
    ]
    trained = list(zip(trained_names(paths, networks), [rnn for rnn, _ in networks], inputs, strict=True))
    untrained = [(name, rnn, inputs[0]) for name, rnn in untrained_networks([rnn for rnn, _ in networks], seed)]
    if starts is None:
        is_large = [rnn.architecture.state_dim > LARGE_STATE and not is_tutorials(rnn) for _, rnn, _ in trained]
        starts = FEW_STARTS if any(is_large) else STARTS
    curves = []
    for number, (name, rnn, sequences) in enumerate([*trained, *untrained]):
        on_start(name)
        norms = gradient_norms(rnn, sequences, length, starts, seed)
        curves.append(GradientCurve(name, network_kind(rnn), number < len(trained), norms))
    return curves


def network_kind(rnn: RNN) -> str:
    """The key of a network in `KIND_NAMES`: its activation if it has the simple cell, else its cell."""
    return rnn.activation if rnn.cell == "simple" else rnn.cell


def untrained_networks(networks: Sequence[RNN], seed: int) -> list[tuple[str, RNN]]:
    """The untrained networks to draw beside others, and their names for the legend.

    They have the vocabulary and the sizes of the first network. Whether they have biases, an embedding and so on is
    taken from the first network of their kind, if there is one.
    """
    first = networks[0]
    only_simple = all(rnn.cell == "simple" for rnn in networks)
    found = []
    for kind in ("tanh", "relu") if only_simple else ("tanh", "gru", "lstm"):
        like = next((rnn for rnn in networks if network_kind(rnn) == kind), first)
        settings = {name: getattr(first, name) for name in ("word_dim", "hidden_dim", "layers")}
        settings |= {"cell": kind} if kind in CELLS else {"activation": kind}
        settings |= {name: getattr(like, name) for name in ("embedding_dim", "bias", "tied")}
        if like.tied:  # then it is hidden_dim
            settings["embedding_dim"] = None
        found.append((f"untrained {kind_name(kind, first.layers)}", RNN(**settings, seed=seed)))
    return found


def kind_name(kind: str, layers: int) -> str:
    """The name of a kind of network for the legend.

    Examples
    --------
    >>> kind_name("tanh", 1), kind_name("lstm", 2)
    ('tanh', '2-layer LSTM')
    """
    return KIND_NAMES[kind] if layers == 1 else f"{layers}-layer {KIND_NAMES[kind]}"


def _choose_texts(lines: Iterable[str] | None, networks: Networks, length: int, seed: int) -> list[str] | None:
    """The beginning of the text, or generated texts, or None if there are only bare networks."""
    lm = next((lm for _, lm in networks if lm is not None), None)
    if lm is None:
        if lines is not None:
            raise CorpusError("a bare network has no vocabulary to read a text with; leave the text out")
        return None
    if lines is None:
        # Somewhat longer than `length`, so that many places have the full length after them.
        return lm.generate(TEXTS, min_words=length + 10, max_words=2 * length + 10, seed=seed)
    kept, characters = [], 0
    for line in lines:
        kept.append(line)
        characters += len(line) + 1
        if characters > 20 * MAX_TOKENS:
            break
    return kept


def _sequences(lm: LanguageModel, lines: Iterable[str]) -> list[npt.NDArray[np.int32]]:
    sequences, _ = read_input_sequences(lm, lines, MAX_TOKENS)
    if not sequences:
        raise CorpusError("the text is empty; give at least one line with some words")
    return [sequence.ids for sequence in sequences]


def _random_sequences(word_dim: int, length: int, seed: int) -> list[npt.NDArray[np.int64]]:
    return list(np.random.default_rng(seed).integers(word_dim, size=(TEXTS, 2 * length + 1)))


def trained_names(paths: Sequence[str | os.PathLike[str]], networks: Networks) -> list[str]:
    """Name trained networks for the legend.

    Parameters
    ----------
    paths : sequence of str or os.PathLike
        The files.
    networks : sequence of (RNN, LanguageModel or None)
        The networks in these files.

    Returns
    -------
    list of str
        The kind of network, followed by the file's name if several networks are of that kind, or by its path if several
        files have that name.
    """
    kinds = [kind_name(network_kind(rnn), rnn.layers) for rnn, _ in networks]
    names = [Path(path).name for path in paths]
    files = [str(path) if names.count(name) > 1 else name for path, name in zip(paths, names, strict=True)]
    return [
        f"trained {kind}" + (f" ({file})" if kinds.count(kind) > 1 else "")
        for file, kind in zip(files, kinds, strict=True)
    ]
