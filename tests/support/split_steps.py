"""Training steps of all kinds of networks on one device, on several, and in several processes; for new processes."""

import hashlib

import numpy as np

from theano_rnn.decoders.writer import Writer, WriterOptimizer
from theano_rnn.decoders.writer_settings import Source, WriterSettings
from theano_rnn.devices.process_group import ProcessGroup
from theano_rnn.encoders.reader import Reader, ReaderOptimizer
from theano_rnn.encoders.reader_graph import ReaderInputs, ReaderSettings
from theano_rnn.engines.engine import connected, first_sum, gathered, select_device
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer
from theano_rnn.large_vocabularies.sampled_reader import SampledReaderOptimizer
from theano_rnn.large_vocabularies.sampled_writer import SampledWriterOptimizer
from theano_rnn.networks.optimizer import Optimizer, draw_dropout_mask
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.minibatches import Batch

RATE = 0.004  # the default; in float32, a higher one amplifies differences of rounding
WORDS, STEPS, COLUMNS = 30, 6, 5  # columns that neither two nor four devices share equally
SAMPLER = CandidateSampler(1 / np.arange(1.0, WORDS + 1), 6)
LANGUAGE_MODELS = {
    "tutorial's network": {"bptt_truncate": 2},
    "LSTM": {"cell": "lstm", "layers": 2, "embedding_dim": 5, "dropout": 0.3, "bias": True},
    "GRU, tied": {"cell": "gru", "tied": True},
    "sampled words": {"bias": True, "dropout": 0.3, "bptt_truncate": None},
    "sampled words, tied": {"cell": "gru", "tied": True, "embedding_dim": 7},
}
READERS = {
    "labels of texts": {"labels": 3, "embeddings": ((WORDS, 4),), "dropout": 0.3},
    "tags": {"labels": 3, "embeddings": ((WORDS, 4), (9, 2)), "head": "steps", "cell": "gru", "layers": 2},
    "tags of frames": {"labels": 3, "frame_dim": 2, "head": "steps", "cell": "simple", "dropout": 0.3},
    "missing words": {"labels": WORDS, "embeddings": ((WORDS, 4),), "head": "gap", "mixed": False, "tied": True},
    "sampled missing words": {"labels": WORDS, "embeddings": ((WORDS, 4),), "head": "gap", "mixed": False},
}
WRITERS = {
    "translation": {"source_words": 9, "dropout": 0.3, "cell": "lstm"},
    "translation without attention": {"source_words": WORDS, "shared": True, "attention": False, "repeats_z": True},
    "descriptions": {"feature_dim": 4, "attention": False, "dropout": 0.3},
    "sampled translation": {"source_words": 9, "tied": False},
}
KINDS = [*LANGUAGE_MODELS, *READERS, *WRITERS]


def optimizer(kind, dtype, devices):
    settings = {"rule": "adam", "clip": 1.0, "devices": devices}
    sampled = kind.startswith("sampled")
    if kind in LANGUAGE_MODELS:
        rnn = RNN(WORDS, 7, seed=1, dtype=dtype, **LANGUAGE_MODELS[kind])
        return SampledOptimizer(rnn, SAMPLER, **settings) if sampled else Optimizer(rnn, **settings)
    if kind in READERS:
        reader = Reader(ReaderSettings(hidden_dim=3, **READERS[kind]), seed=1, dtype=dtype)
        return SampledReaderOptimizer(reader, SAMPLER, **settings) if sampled else ReaderOptimizer(reader, **settings)
    writer = Writer(WriterSettings(words=WORDS, hidden_dim=3, embedding_dim=4, **WRITERS[kind]), seed=1, dtype=dtype)
    return SampledWriterOptimizer(writer, SAMPLER, **settings) if sampled else WriterOptimizer(writer, **settings)


def ids_and_lengths(generator, words=WORDS):
    """Arbitrary ids, also on the padding, and lengths. One column may be empty."""
    lengths = generator.integers(0, STEPS + 1, COLUMNS).astype(np.int32)
    lengths[0] = STEPS
    return generator.integers(0, words, (STEPS, COLUMNS)).astype(np.int32), lengths


def steps_of(kind, dtype, devices, count):
    """Losses, all parameters, all accumulators and the last states after some steps on random minibatches."""
    taken, generator = optimizer(kind, dtype, devices), np.random.default_rng(5)
    network, losses, states = taken.network, [], None
    for number in range(count):
        (x, lengths), (y, _) = ids_and_lengths(generator), ids_and_lengths(generator)
        mask = draw_dropout_mask(network.layout, COLUMNS, generator) if network.layout.dropout else None
        rest = [RATE, float(lengths.sum()), mask]
        drawn = [np.random.default_rng(number)] if kind.startswith("sampled") else []
        if kind in LANGUAGE_MODELS:
            batch = Batch(x, y, np.arange(STEPS)[:, None] < lengths, np.arange(COLUMNS))
            arguments = (batch, *([taken.draw(batch, *drawn)] if drawn else []), RATE, states, *rest[1:])
        elif kind in READERS:
            frames, labels = None, network.settings.labels
            if network.settings.frame_dim:
                frames = generator.normal(size=(STEPS, COLUMNS, 2)).astype(dtype)
            ids = np.stack([x, x % 9][: max(len(network.settings.embeddings), 1)])
            y = y % labels if network.settings.label_head.per_step else y[0] % labels
            arguments = (ReaderInputs(ids, frames, lengths), y, *rest, *drawn)
        else:
            source = Source(*ids_and_lengths(generator, network.settings.source_words or WORDS), None)
            if network.settings.feature_dim:
                source = Source(None, None, generator.normal(size=(COLUMNS, 4)).astype(dtype))
            arguments = (source, [x, y, lengths], *rest, *drawn)
        loss = (taken.step_on_candidates if drawn else taken.step)(*arguments)
        if kind in LANGUAGE_MODELS:
            loss, states = loss
        losses.append(float(loss))
    return [
        np.array(losses),
        *(np.concatenate([*map(np.ravel, arrays.values())]) for arrays in (network.get_values(), taken.get_state())),
        *([] if states is None else [gathered(states)[:COLUMNS]]),
    ]


def largest_difference(kind, dtype, devices, count, device="cpu"):
    """The largest difference between one device and several: its norm, relative to that of the values."""
    select_device(device, devices)
    return difference_of_runs(*(steps_of(kind, dtype, number, count) for number in (1, devices)))


def difference_of_runs(run, other):
    """The largest difference between two results of `steps_of`: its norm, relative to that of the values."""
    return max(float(np.linalg.norm(b - a) / np.linalg.norm(a)) for a, b in zip(run, other, strict=True))


def steps_of_processes(kinds, dtype, count, place):
    """Steps in several processes, of which this is one.

    Returns
    -------
    differences : list of float
        In process 0 the largest difference to one process for each kind; in the others empty.
    digest : str
        Of all results: it is the same in processes that have found exactly the same.
    """
    group = ProcessGroup.of_run(place, {}, 120)
    with group.ending_together(), connected(group):
        select_device("cpu")
        first_sum(1)
        together = [steps_of(kind, dtype, 1, count) for kind in kinds]
    digest = hashlib.sha256(b"".join(array.tobytes() for found in together for array in found)).hexdigest()
    if not group.leads:
        return [], digest
    alone = [steps_of(kind, dtype, 1, count) for kind in kinds]
    return [*map(difference_of_runs, alone, together)], digest
