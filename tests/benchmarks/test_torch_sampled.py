"""Sampled softmax in PyTorch is that of theano_rnn."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from theano_rnn.benchmarks import torch_workloads  # noqa: E402
from theano_rnn.benchmarks.package_workloads import random_minibatches, step_optimizer  # noqa: E402
from theano_rnn.benchmarks.torch_sampled import SampledAdam  # noqa: E402
from theano_rnn.benchmarks.workloads import LEARNING_RATE, Workload  # noqa: E402
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer  # noqa: E402

STEP = Workload("step", "step", 30, 4, 6, 3, "small")


@pytest.mark.parametrize(("cell", "bias"), [("simple", False), ("lstm", True)])
def test_torchs_sampled_softmax_has_the_same_loss_and_takes_the_same_steps(cell: str, bias: bool) -> None:
    settings = {"cell": cell, "embedding_dim": 5, "bias": bias}
    workload = dataclasses.replace(STEP, **settings, word_dim=600, optimizer="adam", samples=20)
    network = torch_workloads.build_network(workload, True, "cpu")
    optimizer = torch_workloads.build_optimizer(workload, True, "cpu")
    values = {"E": network.embedding.weight, "V": network.rows.weight}
    values |= {"U": network.recurrence.weight_ih_l0, "W": network.recurrence.weight_hh_l0}
    if bias:
        values |= {"c": network.biases.weight[:, 0], "b": network.recurrence.bias_ih_l0 + network.recurrence.bias_hh_l0}
    ours = step_optimizer(workload)
    assert isinstance(ours, SampledOptimizer)
    ours.network.set_values({name: value.detach().numpy().copy() for name, value in values.items()})
    batches = random_minibatches(workload)
    # With biases, PyTorch has two of each and changes their sum twice as much: only the first losses are equal.
    for number in range(1 if bias else 3):
        batch = next(batches)
        x, y = torch.tensor(batch.x, dtype=torch.int64), torch.tensor(batch.y, dtype=torch.int64)
        cumulative = network.cumulative.numpy()
        random = np.random.default_rng(number).random(workload.samples) * cumulative[-1]
        drawn = torch.tensor(np.searchsorted(cumulative, random, side="right"))
        theirs = torch_workloads.learn(optimizer, network(x, y, drawn))
        loss, _ = ours.step_on_candidates(batch, ours.draw(batch, np.random.default_rng(number)), LEARNING_RATE)
        assert float(loss) / workload.tokens == pytest.approx(theirs, rel=1e-5)


def test_torch_draws_words_as_often_as_theano_rnn() -> None:
    workload = dataclasses.replace(STEP, embedding_dim=5, samples=20_000)
    network = torch_workloads.build_network(workload, True, "cpu")
    shares = np.bincount(network.draw().numpy(), minlength=30) / 20_000
    expected = np.arange(1.0, 31) ** -0.75  # as `CandidateSampler` draws words of these frequencies
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.02)


def test_a_timed_step_changes_only_rows_of_its_words() -> None:
    workload = dataclasses.replace(STEP, embedding_dim=5, word_dim=5000, optimizer="adam", samples=20, bias=True)
    network = torch_workloads.build_network(workload, True, "cpu")
    optimizer = torch_workloads.build_optimizer(workload, True, "cpu")
    assert isinstance(optimizer, SampledAdam)
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    x, y = torch.randint(0, 5000, (2, workload.steps, workload.batch_size))
    assert torch_workloads.train_step(workload, network, optimizer, x, y) > 0
    changed = {
        name: (value != before[name]).reshape(len(value), -1).any(1) for name, value in network.named_parameters()
    }
    assert set(changed["embedding.weight"].nonzero().flatten().tolist()) == set(x.flatten().tolist())
    assert set(y.flatten().tolist()) <= set(changed["rows.weight"].nonzero().flatten().tolist())
    assert changed["rows.weight"].sum() <= y.numel() + 20 and changed["biases.weight"].any()
    assert changed["recurrence.weight_hh_l0"].all()
