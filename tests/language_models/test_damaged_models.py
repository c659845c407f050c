"""Thousands of damaged and edited model files: each is rejected with one line or gives a valid model.

The environment variable THEANO_RNN_MUTATIONS sets how many of each kind are tried.
"""

import json
import math
import os
import random
import tracemalloc

import numpy as np
import pytest
from support.mutations import edited

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import FORMAT_VERSION, read_archive, write_archive
from theano_rnn.files.checksum import CHECKSUM_LENGTH
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

MUTATIONS = int(os.environ.get("THEANO_RNN_MUTATIONS", 100))
MEMORY = 64 * 2**20  # several times what a compressed file may expand to without being suspicious
WORDS = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "cat", "é", "\0", "."]


NETWORKS = {
    "tutorial": {},
    "GRU": {"cell": "gru", "bias": True, "embedding_dim": 4},
    "tied LSTM": {"cell": "lstm", "layers": 2, "tied": True, "bias": True, "dropout": 0.5},
}


@pytest.fixture(scope="module", params=NETWORKS)
def lm(request):
    history = [{"epoch": 1, "perplexity": 2.0, "seconds": 1.0}]
    rnn = RNN(len(WORDS), 5, seed=3, **NETWORKS[request.param])
    return LanguageModel(rnn, Vocabulary(WORDS), Tokenizer(), {"history": history})


@pytest.fixture(scope="module")
def content(lm, tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "m.npz"
    lm.save(path)
    return path.read_bytes()


@pytest.fixture
def mutations(lm):
    """The number of files to try, which is smaller for networks other than the tutorial's."""
    return MUTATIONS if lm.rnn.parameter_names == ("U", "V", "W") else MUTATIONS // 4


@pytest.fixture(autouse=True)
def little_memory():
    """Checks that reading a file of a few kilobytes does not allocate megabytes."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY


def refused_or_loaded(path, read=load):
    """The model, or None if the file was rejected with one line that names it. Anything else fails the test."""
    try:
        return read(path)
    except ModelFileError as error:
        message = str(error)
        assert message.startswith(f"{path}: ") and "\n" not in message and len(message) < len(str(path)) + 400
        return None


def same(lm, other):
    values, others = lm.rnn.get_values(), other.rnn.get_values()
    return all(np.array_equal(values[name], others[name]) for name in values) and lm.documents() == other.documents()


def mutated(content, generator):
    """The bytes of a file after one random corruption."""
    changed = bytearray(content)
    place, length = generator.randrange(len(content)), generator.randrange(1, 200)
    kind = generator.randrange(8)
    if kind == 0:
        changed[place] ^= 1 << generator.randrange(8)
    elif kind == 1:
        del changed[place:]
    elif kind == 2:
        changed[place : place + length] = generator.randbytes(length)
    elif kind == 3:
        changed[place : place + length] = bytes(length)
    elif kind == 4:
        del changed[place : place + length]
    elif kind == 5:
        changed[place:place] = generator.randbytes(length)
    elif kind == 6:
        changed[place:place] = changed[:length]
    else:
        other = generator.randrange(len(content))
        changed[place : place + length], changed[other : other + length] = (
            changed[other : other + length],
            changed[place : place + length],
        )
    return bytes(changed)


def test_every_corruption_of_a_model_file_is_detected(content, mutations, tmp_path):
    generator, path = random.Random(1), tmp_path / "m.npz"
    refused = 0
    while refused < mutations:
        changed = mutated(content, generator)
        if changed == content:
            continue
        path.write_bytes(changed)
        assert refused_or_loaded(path) is None
        refused += 1


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_without_a_checksum_a_damaged_file_is_rejected_or_loads_as_the_saved_model(lm, content, mutations, tmp_path):
    """The checksums of the archive cover only the arrays; damage elsewhere can be harmless."""
    unsealed = content[: -CHECKSUM_LENGTH - 2] + b"\0\0"
    generator, path = random.Random(2), tmp_path / "m.npz"
    path.write_bytes(unsealed)
    assert same(load(path), lm)
    loaded = 0
    for _ in range(mutations):
        path.write_bytes(mutated(unsealed, generator))
        found = refused_or_loaded(path)
        if found is not None:
            loaded += 1
            assert same(found, lm)
    assert loaded < mutations / 4


def with_another_document(entries, generator):
    """The entries of a file with an edited document."""
    name = generator.choice(["configuration", "vocabulary"])
    return {**entries, name: edited(entries[name], generator)}


def with_other_arrays(entries, generator):
    """The entries of a file with arrays that have other shapes, types, values or names, or are missing."""
    changed = dict(entries)
    name = generator.choice(list(entries))
    array = entries[name]
    spoilt = array.astype(float)
    spoilt.reshape(-1)[generator.randrange(array.size)] = generator.choice([math.nan, math.inf, -math.inf, 1e300])
    choices = [
        None,
        array[:-1],
        array.T,
        array.reshape(-1),
        array[None],
        array.astype(generator.choice(["f2", "f4", "f8", ">f4", "i4", "u1", "?", "c8", "U9"])),
        array.astype(object),
        spoilt,
        np.zeros(generator.choice([(), (0,), (0, 5), (5, 0), (5, 5), (9, 5), (1, 1), (3000, 1), (1, 3000)])),
        np.concatenate([array, array]),
    ]
    changed[name] = choices[generator.randrange(len(choices))]
    if changed[name] is None:
        del changed[name]
        if generator.random() < 0.5:
            changed[generator.choice(["u", "W", "U2", "b", "E", "extra", "configuration"])] = array
    return changed


@pytest.mark.parametrize("change", [with_another_document, with_other_arrays])
def test_an_edited_model_file_is_rejected_or_gives_a_usable_model(change, content, mutations, tmp_path):
    """With and without a checksum, which detects only accidental damage."""
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    entries = read_archive(path)
    generator = random.Random(3)
    refused = used = 0
    for i in range(mutations):
        changed = change(entries, generator)
        if i % 2 and not any(array.dtype.kind in "OcU" for array in changed.values()):
            write_archive(path, changed, {})
        else:
            np.savez(path, **changed)
        found = refused_or_loaded(path)
        refused += found is None
        if found is not None:
            used += 1
            rnn, values = found.rnn, found.rnn.get_values()
            assert rnn.word_dim == len(found.vocabulary) == values["V"].shape[0]
            assert all(np.isfinite(value).all() for value in values.values())
            assert found.encode("the dog").max() < rnn.word_dim
            found.save(path)
            assert same(load(path), found)
    assert refused > mutations / 2 and used > 0


@pytest.mark.parametrize("lm", ["GRU", "tied LSTM"], indirect=True)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": "elman"}, r"cell: expected one of simple, gru, lstm, got 'elman'$"),
        ({"cell": ["lstm"]}, r"cell: expected one of simple, gru, lstm, got \['lstm'\]$"),
        ({"cell": "simple"}, r"U: expected shape \(5, [45]\), got \((15, 4|20, 5)\)$|U should be"),
        (
            {"activation": "relu"},
            r"activation: expected tanh with cell '(gru|lstm)', whose formulas contain it, got 'relu'$",
        ),
        ({"layers": 0}, r"layers: expected at least 1, got 0$"),
        ({"layers": "2"}, r"layers: expected an integer, got '2'$"),
        ({"layers": 3}, r"contains no U[23]; a model has the arrays U, V, W, .*"),
        ({"layers": 10**9}, r"layers: expected at most 100, got 1000000000$"),
        ({"layers": 100}, r"contains no U[23]; a model has the arrays U, V, W, .*"),
        (
            {"embedding_dim": 3},
            r"U: expected shape \(15, 3\), got \(15, 4\)$|tied: expected `embedding_dim` equal to .*",
        ),
        ({"embedding_dim": 10**12}, r"U: expected shape .*|tied: expected `embedding_dim` equal to `hidden_dim`, .*"),
        ({"embedding_dim": True}, r"embedding_dim: expected an integer, got True$"),
        ({"bias": False}, r"contains entries that no model has: b, .*"),
        ({"bias": 1}, r"bias: expected True or False, got 1$"),
        ({"tied": None}, r"tied: expected True or False, got None$"),
        ({"dropout": 1}, r"dropout: expected a number of at least 0 and below 1, got 1$"),
        ({"dropout": None}, r"dropout: expected a number, got None$"),
    ],
)
def test_settings_that_contradict_the_arrays_are_named(lm, content, settings, message, tmp_path):
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    entries = read_archive(path)
    document = json.loads(entries["configuration"].tobytes())
    document["content"]["network"].update(settings)
    entries["configuration"] = np.frombuffer(json.dumps(document).encode(), np.uint8)
    write_archive(path, entries, {})
    with pytest.raises(ModelFileError, match=message) as found:
        load(path)
    assert "\n" not in str(found.value)


def test_a_newer_format_version_is_rejected(content, tmp_path):
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    entries = read_archive(path)
    document = json.loads(entries["configuration"].tobytes())
    document["version"] = FORMAT_VERSION + 1
    entries["configuration"] = np.frombuffer(json.dumps(document).encode(), np.uint8)
    write_archive(path, entries, {})
    with pytest.raises(ModelFileError, match="has format version 2, this theano_rnn reads 1; install a newer one"):
        load(path)


@pytest.mark.parametrize("shape", [(10**6, 1), (1, 10**6)])
def test_a_small_file_that_claims_a_huge_matrix_allocates_nothing(shape, content, tmp_path):
    """U with a million rows and one column is 4 MB; W would be 4 TB."""
    path = tmp_path / "m.npz"
    np.savez_compressed(path, U=np.zeros(shape, np.float32), V=np.zeros((1, 1)), W=np.zeros((1, 1)))
    assert path.stat().st_size < 10_000
    assert refused_or_loaded(path, RNN.load) is None
    np.savez_compressed(path, U=np.zeros(shape, np.float32), V=np.zeros(shape[::-1]), W=np.zeros((1, 1)))
    if shape[0] > 1:
        assert refused_or_loaded(path, RNN.load) is None


def test_a_path_that_is_not_a_regular_file_is_rejected_without_blocking(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    for path in (tmp_path / "pipe.npz", "/dev/zero", "/dev/null"):
        with pytest.raises(ModelFileError, match=f"{path}: is not a regular file"):
            load(path)
