"""Bytes that training steps sum over devices, counted in the compiled step."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fresh_python import python

from theano_rnn.benchmarks.package_workloads import random_minibatches, step_optimizer
from theano_rnn.benchmarks.summed_bytes import ByteCounter
from theano_rnn.benchmarks.workloads import Workload
from theano_rnn.errors import OptionError
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer

pytestmark = pytest.mark.xla
BYTES = 4
H, STEPS, TEXTS, SAMPLES = 8, 5, 6, 20
TOKENS = STEPS * TEXTS
DENSE = Workload("dense", "step", 10_000, H, STEPS, TEXTS, "small", cell="gru", bias=True, optimizer="adam")
SAMPLED = dataclasses.replace(DENSE, samples=SAMPLES, embedding_dim=4)
SIZES = (10_000, 100_000)


@pytest.fixture(scope="module")
def counter() -> Iterator[ByteCounter]:
    with ByteCounter() as counter:
        yield counter


def summed(counter: ByteCounter, workload: Workload, words: int) -> int:
    return counter.count(dataclasses.replace(workload, word_dim=words))["summed_bytes"]


def test_of_the_exact_softmax_they_are_the_gradients_of_all_parameters_and_the_loss(counter: ByteCounter) -> None:
    counted = counter.count(DENSE)
    assert counted["parameter_bytes"] == BYTES * (10_000 * (3 * H + H + 1) + 3 * H * H + 4 * H)
    assert counted["summed_bytes"] == counted["parameter_bytes"] + BYTES
    assert summed(counter, DENSE, 100_000) > 9.9 * counted["summed_bytes"]


def bytes_of_rows(candidates: int) -> int:
    """Rows of E for each token, rows of V and c for each candidate, the recurrent layer and the loss."""
    return BYTES * (TOKENS * 4 + candidates * (H + 1) + 3 * H * (4 + H) + 4 * H + 1)


def test_of_sampled_softmax_they_are_the_rows_that_a_step_reads_however_many_words_there_are(
    counter: ByteCounter,
) -> None:
    found = []
    for words in SIZES:
        optimizer = step_optimizer(dataclasses.replace(SAMPLED, word_dim=words))
        assert isinstance(optimizer, SampledOptimizer)
        found.append(summed(counter, SAMPLED, words))
        assert found[-1] == bytes_of_rows(optimizer.sampler.usual_count(TOKENS))
    # In a text with more different words, a step reads a few more of them.
    assert found[0] <= found[1] < 1.1 * found[0]


SAME_TEXT = """
import numpy as np
from theano_rnn import RNN
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.text.minibatches import Batch

x = np.random.default_rng(0).geometric(0.01, (5, 6)).astype(np.int32)
batch = Batch(x, x, np.ones(x.shape, bool), np.arange(6))
for words in (10_000, 100_000):
    frequencies = np.zeros(words)
    frequencies[:10_000] = 1 / np.arange(1.0, 10_001)
    optimizer = SampledOptimizer(RNN(words, 8, seed=1, bias=True), CandidateSampler(frequencies, 20), devices=2)
    drawn = optimizer.draw(batch, np.random.default_rng(1))
    dense = Optimizer(RNN(words, 8, seed=1, bias=True), devices=2)
    print(optimizer.summed_bytes(optimizer.inputs_on_candidates(batch, drawn)))
    print(dense.summed_bytes(dense.step_inputs(batch)))
"""


def test_words_that_do_not_occur_add_bytes_to_the_exact_softmax_only(tmp_path: Path) -> None:
    sampled, dense, sampled_of_more, dense_of_more = map(int, python(SAME_TEXT, tmp_path, JAX_NUM_CPU_DEVICES="2"))
    assert sampled == sampled_of_more < 10_000
    assert dense_of_more - dense == BYTES * 90_000 * (8 + 8 + 1)


ALL_REDUCES = """
import re
import numpy as np
from theano_rnn import RNN
from theano_rnn.engines.engine import xla_program
from theano_rnn.networks.optimizer import Optimizer
from theano_rnn.text.minibatches import Batch

x = np.zeros((5, 6), np.int32)
optimizer = Optimizer(RNN(30, 7, seed=1, bias=True, dtype="float32"), devices=2)
inputs = optimizer.step_inputs(Batch(x, x, np.ones(x.shape, bool), np.arange(6)))
numbers = [np.float32(1)] * 3
total = 0
for line in xla_program(optimizer._step, [*numbers, *inputs]).splitlines():
    if re.search(r" all-reduce(-start)?\\(", line):
        results = line.split(" all-reduce")[0].partition("=")[2]
        for shape in re.findall(r"f32\\[([0-9,]*)\\]", results):
            total += 4 * int(np.prod([int(length) for length in shape.split(",") if length] or [1]))
print(optimizer.summed_bytes(inputs), total)
"""


def test_they_are_those_of_the_all_reduce_operations_in_xlas_program(tmp_path: Path) -> None:
    counted, in_program = python(ALL_REDUCES, tmp_path, JAX_NUM_CPU_DEVICES="2")
    assert counted == in_program == str(BYTES * (2 * 30 * 7 + 7 * 7 + 30 + 7 + 1))


def test_on_one_device_nothing_is_summed() -> None:
    optimizer = step_optimizer(dataclasses.replace(DENSE, word_dim=30))
    batch = next(random_minibatches(dataclasses.replace(DENSE, word_dim=30)))
    assert optimizer.summed_bytes(optimizer.step_inputs(batch)) == 0 == optimizer.step_number


def test_the_original_theano_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("theano_rnn.benchmarks.summed_bytes.engine_name", lambda: "theano")
    with pytest.raises(OptionError, match="^scaling: the original Theano computes on one device"):
        ByteCounter()
