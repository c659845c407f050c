"""Sampled softmax in PyTorch, equal to `theano_rnn.large_vocabularies.sampled_optimizer`, with sparse gradients.

Only this module and the other modules of PyTorch's workloads need torch, and only when they run.
"""

from typing import Any

import numpy as np

from theano_rnn.benchmarks.workloads import LEARNING_RATE, Workload
from theano_rnn.large_vocabularies.candidates import SMOOTHING


def build_sampled_network(workload: Workload) -> Any:
    """Build a network whose embedding and output layer have sparse gradients, for workloads with embeddings.

    Parameters
    ----------
    workload : Workload

    Returns
    -------
    torch.nn.Module
        Maps word ids, the words that follow and the words drawn at random to the loss; all word ids (steps,
        batch_size). `draw` draws words.
    """
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    V, H, E, bias = workload.word_dim, workload.hidden_dim, workload.embedding_dim, workload.bias
    cell = {"simple": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[workload.cell]
    frequencies = 1 / np.arange(1.0, V + 1)
    unigram, smoothed = frequencies / frequencies.sum(), frequencies**SMOOTHING
    drawn_share = smoothed / smoothed.sum()

    class SampledNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(V, E or H, sparse=True)
            self.recurrence = cell(E or H, H, workload.layers, bias=bias)
            self.rows = nn.Embedding(V, H, sparse=True)
            self.biases = nn.Embedding(V, 1, sparse=True) if bias else None
            for name, array in (("unigram", unigram), ("share", drawn_share), ("cumulative", np.cumsum(drawn_share))):
                self.register_buffer(name, torch.tensor(array, dtype=torch.float32), persistent=False)

        def draw(self) -> Any:
            places = torch.rand(workload.samples, device=self.cumulative.device) * self.cumulative[-1]
            return torch.searchsorted(self.cumulative, places, right=True).clamp_(max=V - 1)

        def forward(self, x: Any, y: Any, drawn: Any) -> Any:
            words, targets = torch.unique(torch.cat([y.flatten(), drawn]), return_inverse=True)
            expected = workload.samples * self.share[words] + y.numel() * self.unigram[words]
            states, _ = self.recurrence(self.embedding(x))
            logits = states.view(-1, H) @ self.rows(words).T - torch.log(-torch.expm1(-expected))
            if self.biases is not None:
                logits = logits + self.biases(words)[:, 0]
            return cross_entropy(logits, targets[: y.numel()])

    return SampledNetwork()


class SampledAdam:
    """Adam for a network of `build_sampled_network`: of rows with sparse gradients, and of all other parameters."""

    def __init__(self, network: Any) -> None:
        import torch

        dense = list(network.recurrence.parameters())
        sparse = [
            one for part in (network.embedding, network.rows, network.biases) if part for one in part.parameters()
        ]
        self.optimizers = [
            torch.optim.Adam(dense, lr=LEARNING_RATE, fused=True),
            torch.optim.SparseAdam(sparse, lr=LEARNING_RATE),
        ]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        """Update all parameters that have gradients."""
        for optimizer in self.optimizers:
            optimizer.step()
