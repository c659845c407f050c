"""The benchmark's workloads in theano_rnn, through the functions that users call.

These are `RNN.sgd_step`, the training loop's `Optimizer.step`, `SampledOptimizer.step_on_candidates`,
`ReaderOptimizer.step` and `WriterOptimizer.step`, the methods `score`, `generate` and `advance` of `LanguageModel`, and
`beam_search.search`. Time ends when the results, and the updated parameters, are computed.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from theano_rnn.benchmarks.workloads import LEARNING_RATE, Workload
from theano_rnn.decoders.beam_search import BeamSettings, search
from theano_rnn.decoders.writer import Writer, WriterOptimizer
from theano_rnn.decoders.writer_settings import Source, WriterSettings
from theano_rnn.encoders.reader import Reader, ReaderOptimizer
from theano_rnn.encoders.reader_graph import ReaderInputs, ReaderSettings
from theano_rnn.engines.engine import wait_for
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.networks.parameters import ParameterStore
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.minibatches import Batch
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

DTYPE = "float32"
READING_HEADS = {"classify": "text", "tag": "steps"}
# `draw()` returns the arguments of `run`, whose time is measured.
Preparation = tuple[Callable[[], tuple[Any, ...]], Callable[..., object]]


def prepare(workload: Workload) -> Callable[[], float]:
    """Build the model of a workload, and return a function that times one run.

    Parameters
    ----------
    workload : Workload

    Returns
    -------
    callable
        Runs the workload once on new random input, which is drawn outside the measured time, and returns the time in
        seconds. It takes no arguments. The first call includes compilation.

    Examples
    --------
    >>> run_once = prepare(Workload("tiny", "sentence", 30, 4, steps=6, batch_size=1, description=""))
    >>> run_once() > 0
    True
    """
    return stopwatch(*PREPARATIONS[workload.kind](workload))


def stopwatch(draw: Callable[[], tuple[Any, ...]], run: Callable[..., object]) -> Callable[[], float]:
    """Return a function that calls ``run(*draw())`` and returns the time of `run` in seconds.

    Parameters
    ----------
    draw : callable
        Returns a tuple of arguments. Its time is not measured.
    run : callable

    Returns
    -------
    callable
    """

    def run_once() -> float:
        arguments = draw()
        start = time.perf_counter()
        run(*arguments)
        return time.perf_counter() - start

    return run_once


def random_minibatches(workload: Workload) -> Iterator[Batch]:
    """Yield an endless sequence of random minibatches of a workload's shape. It is the same in each process.

    Parameters
    ----------
    workload : Workload

    Yields
    ------
    Batch
        ``x`` and ``y`` have shape (steps, batch_size).
    """
    generator = np.random.default_rng(0)
    mask, columns = np.ones((workload.steps, workload.batch_size), bool), np.arange(workload.batch_size)
    while True:
        x, y = (workload.draw_words(generator) for _ in range(2))
        yield Batch(x, y, mask, columns)


def random_language_model(workload: Workload) -> LanguageModel:
    """Create an untrained language model that splits text at spaces, so that tokenizing takes little time.

    Parameters
    ----------
    workload : Workload

    Returns
    -------
    LanguageModel
    """
    words = [f"word{i}" for i in range(workload.word_dim - 3)]
    vocabulary = Vocabulary([SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN, *words])
    return LanguageModel(_network(workload), vocabulary, Tokenizer(tokenized=True))


def _network(workload: Workload) -> RNN:
    return RNN(
        workload.word_dim,
        workload.hidden_dim,
        bptt_truncate=-1,
        seed=1,
        cell=workload.cell,
        layers=workload.layers,
        embedding_dim=workload.embedding_dim,
        bias=workload.bias,
        dtype=DTYPE,
    )


def _until_updated(network: ParameterStore, step: Callable[..., object]) -> Callable[..., object]:
    """Return a function that takes a step and waits for the new parameters, as the next step would."""

    def run(*arguments: Any) -> None:
        step(*arguments)
        wait_for(network.parameters)

    return run


def step_optimizer(workload: Workload) -> Optimizer:
    """Create what takes the training steps of a language model."""
    rnn, rule = _network(workload), workload.optimizer
    if not workload.samples:
        return Optimizer(rnn, rule, devices=workload.devices)
    sampler = CandidateSampler(1 / np.arange(1.0, workload.word_dim + 1), workload.samples)
    return SampledOptimizer(rnn, sampler, rule, devices=workload.devices)


def _prepare_sentence(workload: Workload) -> Preparation:
    """Prepare an SGD step on one sentence, as in the tutorial."""
    rnn, batches = _network(workload), random_minibatches(workload)

    def draw() -> tuple[np.ndarray, np.ndarray]:
        batch = next(batches)
        return batch.x[:, 0], batch.y[:, 0]

    return draw, _until_updated(rnn, lambda x, y: rnn.sgd_step(x, y, LEARNING_RATE))


def _prepare_step(workload: Workload) -> Preparation:
    """Prepare a step of the training loop on a minibatch."""
    batches, generator, optimizer = random_minibatches(workload), np.random.default_rng(1), step_optimizer(workload)

    def step(batch: Batch) -> float:
        if isinstance(optimizer, SampledOptimizer):
            loss, _ = optimizer.step_on_candidates(batch, optimizer.draw(batch, generator), LEARNING_RATE)
        else:
            loss, _ = optimizer.step(batch, LEARNING_RATE)
        return float(loss)

    return lambda: (next(batches),), _until_updated(optimizer.network, step)


def _prepare_reading(workload: Workload) -> Preparation:
    """Prepare a step of the training loop on a minibatch of padded texts with labels."""
    settings = ReaderSettings(
        workload.labels,
        () if workload.frame_dim else ((workload.word_dim, workload.embedding_dim or workload.hidden_dim),),
        workload.frame_dim,
        head=READING_HEADS[workload.kind],
        hidden_dim=workload.hidden_dim,
        cell=workload.cell,
        layers=workload.layers,
        bias=workload.bias,
    )
    optimizer = ReaderOptimizer(Reader(settings, seed=1, dtype=DTYPE), workload.optimizer, devices=workload.devices)
    generator, lengths = np.random.default_rng(0), np.array(workload.lengths, np.int32)
    shape = (workload.steps, workload.batch_size)
    labels = len(lengths) if workload.kind == "classify" else workload.tokens

    def draw() -> tuple[ReaderInputs, np.ndarray]:
        ids = generator.integers(0, workload.word_dim or 1, (1, *shape)).astype(np.int32)
        y = generator.integers(0, workload.labels, shape[1:] if workload.kind == "classify" else shape)
        frames = generator.standard_normal((*shape, workload.frame_dim), np.float32) if workload.frame_dim else None
        return ReaderInputs(ids, frames, lengths), y.astype(np.int32)

    def step(inputs: ReaderInputs, y: np.ndarray) -> float:
        return float(optimizer.step(inputs, y, LEARNING_RATE, labels))

    return draw, _until_updated(optimizer.network, step)


def random_writer(workload: Workload) -> Writer:
    """Create an untrained network that writes."""
    settings = WriterSettings(
        workload.word_dim,
        workload.word_dim,
        embedding_dim=workload.embedding_dim or workload.hidden_dim,
        hidden_dim=workload.hidden_dim,
        cell=workload.cell,
        layers=workload.layers,
        bias=workload.bias,
    )
    return Writer(settings, seed=1, dtype=DTYPE)


def random_ids(workload: Workload, count: int) -> Iterator[list[np.ndarray]]:
    """Yield an endless sequence of `count` arrays (steps, batch_size) of random words."""
    generator, shape = np.random.default_rng(0), (workload.steps, workload.batch_size)
    while True:
        yield [generator.integers(0, workload.word_dim, shape).astype(np.int32) for _ in range(count)]


def _prepare_translation(workload: Workload) -> Preparation:
    """Prepare a step of the training loop on a minibatch of padded sources and targets."""
    optimizer = WriterOptimizer(random_writer(workload), workload.optimizer, devices=workload.devices)
    lengths, ids = np.array(workload.lengths, np.int32), random_ids(workload, 3)

    def draw() -> tuple[Source, list[np.ndarray]]:
        source, x, y = next(ids)
        return Source(source, lengths, None), [x, y, lengths]

    def step(source: Source, target: list[np.ndarray]) -> float:
        return float(optimizer.step(source, target, LEARNING_RATE, workload.tokens))

    return draw, _until_updated(optimizer.network, step)


def _prepare_decoding(workload: Workload) -> Preparation:
    """Prepare a beam search for the targets of sources. Hardly any target of an untrained network ends early."""
    writer, lengths, ids = random_writer(workload), np.array(workload.lengths, np.int32), random_ids(workload, 1)
    settings = BeamSettings(workload.beam, length_penalty=1.0, start=0, end=1)

    def run(source: np.ndarray) -> None:
        search(writer, writer.read(Source(source, lengths, None)), workload.batch_size, workload.steps, settings)

    return lambda: tuple(next(ids)), run


def _prepare_scoring(workload: Workload) -> Preparation:
    """Prepare the scoring of a list of sentences."""
    lm, generator = random_language_model(workload), np.random.default_rng(0)
    words = lm.vocabulary.index_to_word[3:]

    def draw() -> tuple[list[str]]:
        # SENTENCE_END is the last of the `steps` tokens.
        return ([" ".join(generator.choice(words, workload.steps - 1)) for _ in range(workload.batch_size)],)

    return draw, lm.score


def _prepare_generation(workload: Workload) -> Preparation:
    """Prepare the sampling of texts of a fixed length."""
    lm, generator, length = random_language_model(workload), np.random.default_rng(0), workload.steps

    def run(seed: int) -> None:
        lm.generate(workload.batch_size, min_words=length, max_words=length, seed=seed)

    return lambda: (int(generator.integers(2**31)),), run


def _prepare_advance(workload: Workload) -> Preparation:
    """Prepare the scoring of one text word by word."""
    lm, generator = random_language_model(workload), np.random.default_rng(0)
    words = lm.vocabulary.index_to_word[3:]

    def run(text: list[str]) -> None:
        state = lm.state()
        for word in text:
            state, _ = lm.advance(state, word)

    return lambda: ([words[i] for i in generator.integers(len(words), size=workload.steps)],), run


PREPARATIONS: dict[str, Callable[[Workload], Preparation]] = {
    "sentence": _prepare_sentence,
    "step": _prepare_step,
    "classify": _prepare_reading,
    "tag": _prepare_reading,
    "translate": _prepare_translation,
    "decode": _prepare_decoding,
    "score": _prepare_scoring,
    "generate": _prepare_generation,
    "advance": _prepare_advance,
}
