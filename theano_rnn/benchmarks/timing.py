"""Timing: the package's own workloads, PyTorch's in turn with them, and the bare matrix products as the floor.

What is timed is what a user calls: `RNN.sgd_step`, the training loop's `Optimizer.step`, `LanguageModel.score`,
`LanguageModel.generate`.
"""

import contextlib
import dataclasses
import multiprocessing
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from theano_rnn.benchmarks.workloads import LEARNING_RATE, repeats_for
from theano_rnn.engines.engine import compile_function, finished, scan, select_device, shared_array
from theano_rnn.engines.malloc_settings import tune_process
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.minibatches import Batch
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

# Our side


def minibatches(workload, generator):
    """Endless random minibatches; ids are drawn outside of what is timed."""
    shape = (workload.steps, workload.batch_size)
    mask, columns = np.ones(shape, bool), np.arange(workload.batch_size)
    while True:
        x, y = (generator.integers(0, workload.word_dim, shape).astype(np.int32) for _ in range(2))
        yield Batch(x, y, mask, columns)


def random_model(workload):
    """An untrained language model whose text is words divided by blanks, so that finding words costs little."""
    words = [f"word{i}" for i in range(workload.word_dim - 3)]
    vocabulary = Vocabulary([SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN, *words])
    rnn = RNN(workload.word_dim, workload.hidden_dim, bptt_truncate=-1, seed=1)
    return LanguageModel(rnn, vocabulary, Tokenizer(tokenized=True))


def prepare_ours(workload):
    """A function without arguments that does the workload once and returns the seconds it took."""
    generator = np.random.default_rng(0)
    if workload.learns:
        rnn = RNN(workload.word_dim, workload.hidden_dim, bptt_truncate=-1, seed=1)
        optimizer = Optimizer(rnn, "sgd")
        batches = minibatches(workload, generator)

        def once():
            batch = next(batches)
            start = time.perf_counter()
            if workload.kind == "sentence":
                rnn.sgd_step(batch.x[:, 0], batch.y[:, 0], LEARNING_RATE)
            else:
                float(optimizer.step(batch, LEARNING_RATE)[0])
            return time.perf_counter() - start

        return once
    lm = random_model(workload)
    words = lm.vocabulary.index_to_word[3:]

    def once():
        if workload.kind == "generate":
            length, seed = workload.steps, int(generator.integers(2**31))
            start = time.perf_counter()
            lm.generate(workload.batch_size, min_words=length, max_words=length, seed=seed)
        else:
            # The end of a sentence is one of its tokens.
            sentences = [" ".join(generator.choice(words, workload.steps - 1)) for _ in range(workload.batch_size)]
            start = time.perf_counter()
            lm.score(sentences)
        return time.perf_counter() - start

    return once


# The floor


ROWS_AT_ONCE = 640  # of states in scoring: the outputs of more would not stay in the processor's cache


def matrix_products(workload):
    """Shapes (m, k, n) of the products that learning or scoring cannot do without, each with how often it is done.

    The recurrence is counted as if all its steps could be one product.
    """
    V, H, n = workload.word_dim, workload.hidden_dim, workload.tokens
    if workload.learns:
        # V s; e V; eᵀ s; then W s, Wᵀ δ, δ sᵀ
        return [((n, H, V), 1), ((n, V, H), 1), ((V, n, H), 1), ((n, H, H), 2), ((H, n, H), 1)]
    rows = min(n, ROWS_AT_ONCE)
    return [((rows, H, V), n / rows), ((rows, H, H), n / rows)]


def random_matrix(name, *shape):
    return shared_array(np.random.default_rng(0).random(shape, dtype=np.float32), name)


def shortest_seconds(function, repeats=20):
    """Shortest time of a compiled function without inputs."""
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        finished(function())
        times.append(time.perf_counter() - start)
    return min(times[2:])


def product_seconds(shape):
    """Time of one product of two matrices in float32, compiled and called as the package's own functions are."""
    m, k, n = shape
    a, b = random_matrix("a", m, k), random_matrix("b", k, n)
    return shortest_seconds(compile_function(lambda: ([], a.dot(b), None), "float32"))


def generation_seconds(workload):
    """Time of generation's products, W s and V s in turn, each step waiting for the one before."""
    s = random_matrix("s", workload.batch_size, workload.hidden_dim)
    WT = random_matrix("WT", workload.hidden_dim, workload.hidden_dim)
    VT = random_matrix("VT", workload.hidden_dim, workload.word_dim)

    def build():
        states = scan(
            # The maximum makes use of all outputs: of a part, only that part would be computed.
            lambda s, WT, VT: s.dot(WT) + s.dot(VT).max(axis=1, keepdims=True),
            outputs_info=[s],
            non_sequences=[WT, VT],
            n_steps=workload.steps,
            strict=True,
        )
        return [], states[-1], None

    return shortest_seconds(compile_function(build, "float32"))


def floor_seconds(workload):
    """Time of a workload's bare matrix products, without the calls themselves."""
    if workload.kind == "generate":
        return generation_seconds(workload)
    call = product_seconds((1, 1, 1))
    return sum(count * max(product_seconds(shape) - call, 0) for shape, count in matrix_products(workload))


# Both


@dataclasses.dataclass
class Result:
    """What was measured of one workload, in seconds; `theirs`, `ratios` and `form` are empty without a peer."""

    workload: object
    ours: list
    floor: float
    theirs: list
    form: str

    @property
    def over_products(self):
        """Our time over that of the bare products; None if these are too small to be timed."""
        return statistics.median(self.ours) / self.floor if self.floor else None

    @property
    def ratios(self):
        """Peer's time over ours, round by round."""
        return [theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=False)]

    def to_json(self):
        record = {
            **dataclasses.asdict(self.workload),
            "ours_s": statistics.median(self.ours),
            "ours_rounds_s": self.ours,
            "tokens_per_second": self.workload.tokens / statistics.median(self.ours),
            "products_s": self.floor,
            "ours_over_products": self.over_products,
        }
        if self.theirs:
            record |= {
                "peer_s": statistics.median(self.theirs),
                "peer_rounds_s": self.theirs,
                "peer_form": self.form,
                "ratio": statistics.median(self.ratios),
                "ratio_min": min(self.ratios),
                "ratio_max": max(self.ratios),
            }
        return record


def measure(workload, rounds, peer=None):
    """Time a workload in rounds, ours and each of the peer's forms in turn.

    Parameters
    ----------
    workload : Workload
    rounds : int
    peer : TorchPeer, optional

    Returns
    -------
    Result
        Of each round the median; of the peer's forms the one that is the fastest over all rounds.
    """
    ours, theirs = in_turn(workload, rounds, peer)
    best = min(theirs, key=lambda form: statistics.median(theirs[form]), default=None)
    name = describe(workload, best) if best else ""
    return Result(workload, ours, floor_seconds(workload), theirs.get(best, []), name)


def measure_engines(workload, rounds, peer):
    """Time a workload in rounds, ours on PyTensor and each form of a `TheanoPeer` in turn.

    Returns
    -------
    dict
        The workload's attributes; ``pytensor_s``, ``theano_ours_s`` and, where a sentence is learnt at a time,
        ``theano_tutorial_s``: medians over the rounds, which themselves are in ``…_rounds_s``.
    """
    ours, theirs = in_turn(workload, rounds, peer)
    record = dataclasses.asdict(workload)
    for name, seconds in {"pytensor": ours, **{f"theano_{form}": times for form, times in theirs.items()}}.items():
        record |= {f"{name}_s": statistics.median(seconds), f"{name}_rounds_s": seconds}
    return record


def in_turn(workload, rounds, peer=None):
    """Seconds of a workload, the median of each round: ours as a list, those of each of the peer's forms in a dict."""
    once = prepare_ours(workload)
    once()
    repeats = repeats_for(min(once() for _ in range(3)))
    forms = peer.forms(workload) if peer else []
    peer_repeats = {form: repeats_for(min(peer.seconds(workload, form, 3))) for form in forms}
    ours, theirs = [], {form: [] for form in forms}
    for _ in range(rounds):
        ours.append(statistics.median(once() for _ in range(repeats)))
        for form in forms:
            theirs[form].append(statistics.median(peer.seconds(workload, form, peer_repeats[form])))
    return ours, theirs


def describe(workload, form):
    setting, sparse = form
    parts = ["sparse" if sparse else "dense"] if workload.learns else []
    return ", ".join(parts + (["malloc"] if setting == "allocator" else []))


# Growth


def measure_growth(workload, device="auto"):
    """Speed and peak memory of a workload, in a process of its own.

    Returns
    -------
    dict
        word_dim, hidden_dim, tokens_per_second; peak_memory_mb of the whole process, parameters_mb of U, V and W.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_growth, (workload, device))


def _growth(workload, device):
    tune_process()  # as in the script's own process
    select_device(device)
    once = prepare_ours(workload)
    once()
    repeats = repeats_for(min(once() for _ in range(2)))
    seconds = statistics.median(once() for _ in range(repeats))
    parameters = workload.hidden_dim * (2 * workload.word_dim + workload.hidden_dim)
    return {
        "word_dim": workload.word_dim,
        "hidden_dim": workload.hidden_dim,
        "tokens_per_second": workload.tokens / seconds,
        "peak_memory_mb": peak_memory(),
        "parameters_mb": 4e-6 * parameters,
    }


def peak_memory():
    """The most memory that this process has held so far, in MB."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1e3
    import resource

    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
