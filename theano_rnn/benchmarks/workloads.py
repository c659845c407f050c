"""The table of benchmark workloads: models and what to do with them.

To add a workload, add an entry to `STANDARD`. To add a kind of workload, name it in `KINDS` and write a function for it
in each of `package_workloads` (theano_rnn), `torch_workloads` (PyTorch) and `matrix_products` (the lower bound). Must
know neither Theano nor any contender.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import OptionError

READING_KINDS = ("classify", "tag")
LEARNING_KINDS = ("sentence", "step", *READING_KINDS, "translate")
KINDS = (*LEARNING_KINDS, "score", "generate", "advance", "decode")
LEARNING_RATE = 0.005
SECONDS_PER_ROUND = 1.0
MIN_REPEATS, MAX_REPEATS = 5, 400


@dataclass(frozen=True)
class Workload:
    """A model and a task to time. All computations are in float32.

    Attributes
    ----------
    name : str
        The name used by the option ``--only``.
    kind : {"sentence", "step", "classify", "tag", "translate", "score", "generate", "advance", "decode"}
        ``"sentence"`` trains on one sentence with `RNN.sgd_step`, ``"step"`` is one step of the training loop,
        ``"classify"`` and ``"tag"`` are such a step of a network that reads in both directions and predicts a label for
        each text or for each word, and ``"translate"`` of one that reads sources and writes targets with attention,
        ``"score"`` scores sentences without gradients, ``"generate"`` generates texts, ``"advance"`` scores one text
        word by word, ``"decode"`` searches the best targets of sources.
    word_dim, hidden_dim : int
        Sizes of the vocabulary, or of each of two, and of the state of each layer.
    steps, batch_size : int
        Number of words per sentence, text, source and target, and number of those processed in parallel.
    description : str
        A few words for the table of results.
    cell, layers, embedding_dim, bias
        Settings of the network, as for `RNN`.
    optimizer : {"sgd", "adam"}
        The update rule of training steps.
    one_hot : bool
        Whether PyTorch's network reads one-hot words, like theano_rnn's network without embeddings. Otherwise it reads
        embeddings of size `embedding_dim`, or `hidden_dim` if `embedding_dim` is None.
    labels : int
        Number of labels of a network that reads.
    frame_dim : int
        Size of the vectors that a network reads instead of words, such as acoustic features; 0 for words.
    beam : int
        Number of hypotheses of each source.
    samples : int
        Number of words drawn for each minibatch with sampled softmax; 0 for the exact softmax. The words are then not
        drawn with equal probability, but as in a text: the word of rank r in proportion to 1/r.
    adaptive : bool
        Whether PyTorch's output layer is an `AdaptiveLogSoftmaxWithLoss`, where ours is sampled.
    devices : int
        Number of devices that theano_rnn splits each minibatch over.
    aim : float
        PyTorch's time divided by theano_rnn's that the package aims at on a GPU; 0 for no aim.
    """

    name: str
    kind: str
    word_dim: int
    hidden_dim: int
    steps: int
    batch_size: int
    description: str
    cell: str = "simple"
    layers: int = 1
    embedding_dim: int | None = None
    bias: bool = False
    optimizer: str = "sgd"
    one_hot: bool = False
    labels: int = 0
    frame_dim: int = 0
    beam: int = 0
    samples: int = 0
    adaptive: bool = False
    devices: int = 1
    aim: float = 0.0

    def draw_words(self, generator: np.random.Generator) -> npt.NDArray[np.int32]:
        """Draw the words of a minibatch: (steps, batch_size)."""
        shape = (self.steps, self.batch_size)
        if not self.samples:
            return generator.integers(0, self.word_dim, shape).astype(np.int32)
        # The number of words up to rank r is in proportion to ln r.
        return np.exp(generator.random(shape) * np.log(self.word_dim)).astype(np.int32)

    @property
    def tokens(self) -> int:
        """Number of tokens that one run processes."""
        return sum(self.lengths)

    @property
    def lengths(self) -> list[int]:
        """Number of words of each text, source or target, the longest first.

        In training of networks that read, they are different, from `steps` down to half of it.
        """
        shortest = self.steps // 2 if self.reads or self.kind == "translate" else self.steps
        return [self.steps - (self.steps - shortest) * i // max(self.batch_size - 1, 1) for i in range(self.batch_size)]

    @property
    def reads(self) -> bool:
        """Whether a run reads texts in both directions to predict labels."""
        return self.kind in READING_KINDS

    @property
    def learns(self) -> bool:
        """Whether a run computes gradients and updates parameters."""
        return self.kind in LEARNING_KINDS

    @property
    def splits(self) -> bool:
        """Whether a run can be split over devices: a training step on a minibatch."""
        return self.learns and self.batch_size > 1


STANDARD = (
    Workload("W1", "sentence", 8000, 100, 20, 1, "one sentence per step"),
    Workload("W2", "step", 8000, 100, 20, 32, "a minibatch of sentences"),
    Workload("W2p", "step", 10000, 200, 35, 20, "the shape of the Penn Treebank"),
    Workload("W3", "step", 65, 128, 50, 50, "characters"),
    Workload("W3x", "step", 65, 512, 50, 50, "characters, wider"),
    Workload("S1", "score", 8000, 100, 20, 256, "scoring"),
    Workload("G1", "generate", 8000, 100, 100, 1, "generating one text"),
    Workload("G32", "generate", 8000, 100, 100, 32, "generating 32 texts"),
)
# Training steps of wide networks and large minibatches.
GRID = tuple(
    Workload(f"H{hidden_dim}-B{batch_size}", "step", 8000, hidden_dim, 20, batch_size, "a minibatch of sentences")
    for hidden_dim in (100, 512, 1024)
    for batch_size in (32, 256)
)
# Networks with gated cells and several layers, with biases and Adam, as used in practice.
NETWORKS = (
    *(
        Workload(
            f"{cell.upper()}-{hidden_dim}{f'x{layers}' if layers > 1 else ''}",
            *("step", 65, hidden_dim, 50, 50, "characters"),
            cell=cell,
            layers=layers,
            bias=True,
            optimizer="adam",
            one_hot=True,
        )
        for cell in ("gru", "lstm")
        for hidden_dim in (128, 512)
        for layers in (1, 2)
    ),
    *(
        Workload(
            f"{cell.upper()}-{hidden_dim}-E",
            *("step", 65, hidden_dim, 50, 50, "characters with embeddings"),
            cell=cell,
            embedding_dim=hidden_dim,
            bias=True,
            optimizer="adam",
        )
        for cell in ("gru", "lstm")
        for hidden_dim in (128, 512)
    ),
    Workload(
        *("LSTM-G1", "generate", 8000, 100, 100, 1, "generating one text"), cell="lstm", embedding_dim=100, bias=True
    ),
    Workload(
        *("LSTM-A1", "advance", 8000, 100, 100, 1, "scoring word by word"), cell="lstm", embedding_dim=100, bias=True
    ),
)
# Networks that read in both directions: a label for each text, or for each word.
TEXTS = tuple(
    Workload(
        f"{cell.upper()}-{name}",
        *(kind, 8000, 128, 32, 32, description),
        cell=cell,
        embedding_dim=100,
        bias=True,
        optimizer="adam",
        labels=labels,
    )
    for name, kind, labels, description in (
        ("C", "classify", 2, "labels of texts"),
        ("T", "tag", 17, "tags of words"),
    )
    for cell in ("gru", "lstm")
)
# The same for frames of recordings: 61 phones from 40 features per frame, in recordings of 2 to 4 seconds.
FRAMES = tuple(
    Workload(
        f"{cell.upper()}-F{batch_size}",
        *("tag", 0, 128, 400, batch_size, "labels of frames"),
        cell=cell,
        bias=True,
        optimizer="adam",
        labels=61,
        frame_dim=40,
    )
    for batch_size in (4, 16)
    for cell in ("gru", "lstm")
)
# Sources and targets of a translation.
PAIRS = tuple(
    Workload(
        *(name, kind, 6000, 256, 15, batch_size, description),
        cell="gru",
        embedding_dim=256,
        bias=True,
        optimizer="adam",
        beam=beam,
    )
    for name, kind, batch_size, beam, description in (
        ("translation", "translate", 64, 0, "sources and targets, attention"),
        ("decoding", "decode", 100, 5, "beam search, attention"),
    )
)
TASKS = (*TEXTS, *FRAMES, *PAIRS)
# Training steps with sampled softmax. PyTorch's is sampled or exact, whichever is faster, or else adaptive.
LARGE = tuple(
    Workload(
        f"{name}{'-A' if adaptive else ''}",
        *("step", word_dim, 100, 20, 64, "sampled softmax" + (" / adaptive softmax" if adaptive else "")),
        embedding_dim=100,
        bias=True,
        optimizer="adam",
        samples=300,
        adaptive=adaptive,
    )
    for name, word_dim in (("V17k", 17_000), ("V100k", 100_000))
    for adaptive in (False, True)
)
# What is compared on a GPU. The aims are about training steps.
_LSTM = next(workload for workload in NETWORKS if workload.name == "LSTM-512")
GPU = (
    *(replace(workload, aim=1.3 if workload.learns else 0.0) for workload in STANDARD),
    *(
        replace(_LSTM, name=f"LSTM-{size}", hidden_dim=size, description="characters, LSTM", aim=1.0)
        for size in (512, 1024)
    ),
    *(replace(workload, aim=1.3) for workload in LARGE if workload.name.startswith("V100k")),
)
# For computing how efficient several machines are. Gradients are dense, or with sampled softmax those of few rows.
_W2P8 = replace(STANDARD[2], name="W2p-8", batch_size=160, description="W2p, minibatch 8 times as large")
SCALING = (
    _W2P8,
    replace(_W2P8, name="W2p-8-N500", samples=500, description="the same, sampled softmax"),
    _LSTM,
    replace(LARGE[0], name="V10k", word_dim=10_000),
    *(workload for workload in LARGE if workload.name == "V100k"),
)
# For measuring the time until the end of the first training step.
STARTUP = (
    STANDARD[3],
    *(workload for workload in NETWORKS if workload.name in ("GRU-128", "LSTM-128", "LSTM-128x2")),
)
# For measuring speed and memory as functions of the sizes of the vocabulary and of the state.
GROWTH = tuple(
    [Workload(f"V={word_dim}", "step", word_dim, 100, 20, 32, "") for word_dim in (1_000, 8_000, 50_000, 100_000)]
    + [Workload(f"H={hidden_dim}", "step", 8_000, hidden_dim, 20, 32, "") for hidden_dim in (50, 100, 200, 500, 1000)]
    + [
        Workload(f"V={word_dim}-N500", "step", word_dim, 100, 20, 32, "", bias=True, optimizer="adam", samples=500)
        for word_dim in (10_000, 100_000, 1_000_000)
    ]
)


def select_workloads(workloads: Sequence[Workload], names: Iterable[str] | None) -> list[Workload]:
    """Select workloads by name.

    Parameters
    ----------
    workloads : sequence of Workload
        For example `STANDARD`.
    names : iterable of str or None
        The names, in the order of the result. None selects all workloads.

    Returns
    -------
    list of Workload

    Raises
    ------
    OptionError
        If no workload has one of the names.

    Examples
    --------
    >>> [workload.description for workload in select_workloads(STANDARD, ["S1", "W1"])]
    ['scoring', 'one sentence per step']
    """
    if names is None:
        return list(workloads)
    by_name = {workload.name: workload for workload in workloads}
    for name in names:
        if name not in by_name:
            raise OptionError(f"names: expected one of {', '.join(by_name)}, got {name!r}")
    return [by_name[name] for name in names]


def on_devices(workloads: Sequence[Workload], devices: int) -> list[Workload]:
    """Return the workloads with their minibatches split over so many devices.

    Raises
    ------
    OptionError
        If one of them is not a training step on a minibatch.
    """
    for workload in workloads:
        if devices > 1 and not workload.splits:
            raise OptionError(
                f"devices: {workload.name} is not a training step on a minibatch, so it cannot be split; choose others "
                "with `names`"
            )
    return [replace(workload, devices=devices) for workload in workloads]


def repeats_per_round(seconds: float) -> int:
    """Return the number of repetitions for a round of about one second, given the time of one run in seconds.

    Examples
    --------
    >>> repeats_per_round(0.02), repeats_per_round(30)
    (50, 5)
    """
    return int(min(max(SECONDS_PER_ROUND / seconds, MIN_REPEATS), MAX_REPEATS))
