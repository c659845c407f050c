"""The benchmark's workloads in PyTorch, written as PyTorch users would. Runs in a separate process (see `main`).

Only this module, `torch_sampled` and `torch_writer` need torch, and only when they run.
"""

import functools
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from theano_rnn.benchmarks.contender_process import answer_requests
from theano_rnn.benchmarks.torch_sampled import SampledAdam, build_sampled_network
from theano_rnn.benchmarks.torch_writer import beam_search, build_writer
from theano_rnn.benchmarks.workloads import LEARNING_RATE, Workload
from theano_rnn.engines import malloc_settings


@functools.cache
def build_network(workload: Workload, sparse: bool, device: str) -> Any:
    """Build a network: an embedding or one-hot words, recurrent layers, and an output layer.

    Parameters
    ----------
    workload : Workload
    sparse : bool
        Whether the embedding's gradient is sparse. Of a workload with sampled softmax: whether PyTorch samples, too.
    device : str
        Name of a device in PyTorch.

    Returns
    -------
    torch.nn.Module
        Maps word ids (steps, batch_size) to logits (steps, batch_size, word_dim), or states for an adaptive softmax,
        and the last state.
    """
    from torch import nn

    if workload.reads:
        return build_reader(workload).to(device)
    if workload.kind in ("translate", "decode"):
        V, H = workload.word_dim, workload.hidden_dim
        E, bias = workload.embedding_dim or H, workload.bias
        return build_writer(V, V, E, H, workload.cell, workload.layers, bias=bias).to(device)
    if workload.samples and sparse:
        return build_sampled_network(workload).to(device)
    V, H, bias = workload.word_dim, workload.hidden_dim, workload.bias
    cell = {"simple": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[workload.cell]

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            width = V if workload.one_hot else workload.embedding_dim or H
            self.embedding = None if workload.one_hot else nn.Embedding(V, width, sparse=sparse)
            self.recurrence = cell(width, H, workload.layers, bias=bias)
            self.output = nn.Linear(H, V, bias=bias)
            if workload.adaptive:  # clusters of the most frequent words, as in the paper (Grave et al. 2017)
                cutoffs = [V // 20, V // 5]
                self.output = nn.AdaptiveLogSoftmaxWithLoss(H, V, cutoffs, head_bias=bias)

        def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
            vectors = nn.functional.one_hot(x, V).float() if self.embedding is None else self.embedding(x)
            states, state = self.recurrence(vectors, state)
            return states if workload.adaptive else self.output(states), state

    return Network().to(device)


def build_reader(workload: Workload) -> Any:
    """Build a network that reads in both directions: an embedding, recurrent layers on packed texts, an output layer.

    Parameters
    ----------
    workload : Workload

    Returns
    -------
    torch.nn.Module
        Maps word ids (steps, batch_size), or frames (steps, batch_size, frame_dim), and the lengths of the texts, the
        longest first, to logits: one row per text, from the maximum over its states, or one per step, padding included.
    """
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    H, width = workload.hidden_dim, workload.frame_dim or workload.embedding_dim or workload.hidden_dim
    cell = {"simple": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[workload.cell]

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Identity() if workload.frame_dim else nn.Embedding(workload.word_dim, width)
            self.recurrence = cell(width, H, workload.layers, bias=workload.bias, bidirectional=True)
            self.output = nn.Linear(2 * H, workload.labels, bias=workload.bias)

        def forward(self, x: Any, lengths: Any) -> Any:
            packed, _ = self.recurrence(pack_padded_sequence(self.embedding(x), lengths))
            if workload.kind == "tag":
                return self.output(pad_packed_sequence(packed)[0])
            states, _ = pad_packed_sequence(packed, padding_value=-torch.inf)
            return self.output(states.max(dim=0).values)

    return Reader()


@functools.cache
def build_optimizer(workload: Workload, sparse: bool, device: str) -> Any:
    """Build the optimizer of a workload's network, in its fastest implementation."""
    import torch

    network = build_network(workload, sparse, device)
    if workload.samples and sparse:
        return SampledAdam(network)
    parameters = network.parameters()
    if workload.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    return torch.optim.SGD(parameters, lr=LEARNING_RATE)


def train_step(workload: Workload, network: Any, optimizer: Any, x: Any, y: Any) -> float:
    """Take one step on the mean cross-entropy, wait for the loss, and return it in nats per token.

    Parameters
    ----------
    workload : Workload
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
    x, y : tensor (steps, batch_size)
        Word ids.
    """
    from torch.nn.functional import cross_entropy

    if isinstance(optimizer, SampledAdam):
        return learn(optimizer, network(x, y, network.draw()))
    outputs, _ = network(x)
    if workload.adaptive:
        return learn(optimizer, network.output(outputs.view(-1, workload.hidden_dim), y.view(-1)).loss)
    return learn(optimizer, cross_entropy(outputs.view(-1, workload.word_dim), y.view(-1)))


def learn(optimizer: Any, loss: Any) -> float:
    """Update the parameters once, wait for the loss, and return it."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.item())


def read_step(workload: Workload, network: Any, optimizer: Any, x: Any, y: Any) -> float:
    """Take one step on the mean cross-entropy of the labels, wait for the loss, and return it in nats per label.

    Parameters
    ----------
    workload : Workload
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
    x : tensor (steps, batch_size) or (steps, batch_size, frame_dim)
        Word ids, or frames.
    y : tensor (steps, batch_size)
        Numbers from which the labels are made.
    """
    import torch
    from torch.nn.functional import cross_entropy

    lengths = torch.tensor(workload.lengths)
    labels = y % workload.labels
    if workload.kind == "classify":
        labels = labels[0]
    else:
        is_padding = torch.arange(workload.steps)[:, None] >= lengths
        labels = labels.masked_fill(is_padding.to(labels.device), -100)  # which cross_entropy ignores
    return learn(optimizer, cross_entropy(network(x, lengths).view(-1, workload.labels), labels.reshape(-1)))


def translation_step(workload: Workload, network: Any, optimizer: Any, x: Any, y: Any) -> float:
    """Take one step on the mean cross-entropy of targets, wait for the loss, and return it in nats per word.

    Parameters
    ----------
    workload : Workload
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
    x, y : tensors (steps, batch_size)
        The ids of the sources and of the targets. The words before those of the targets are made from `y`.
    """
    import torch
    from torch.nn.functional import cross_entropy

    lengths = torch.tensor(workload.lengths)
    before = torch.cat([torch.zeros_like(y[:1]), y[:-1]])
    is_padding = torch.arange(workload.steps) >= lengths[:, None]
    labels = y.T.masked_fill(is_padding.to(y.device), -100)  # which cross_entropy ignores
    logits = network(x, lengths, before)
    return learn(optimizer, cross_entropy(logits.view(-1, workload.word_dim), labels.reshape(-1)))


def decode(workload: Workload, network: Any, optimizer: Any, x: Any, y: Any) -> None:
    """Search the best targets of sources.

    Parameters
    ----------
    workload : Workload
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
        Not used.
    x, y : tensors (steps, batch_size)
        The ids of the sources; `y` is not used.
    """
    import torch

    lengths = torch.tensor(workload.lengths)
    beam_search(network, x, lengths, workload.beam, workload.steps, length_penalty=1.0, start=0, end=1)


def score(workload: Workload, network: Any, optimizer: Any, x: Any, y: Any) -> None:
    """Compute the summed cross-entropy of each sentence, without gradients.

    Parameters
    ----------
    workload : Workload
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
        Not used.
    x, y : tensor (steps, batch_size)
        Word ids.
    """
    import torch
    from torch.nn.functional import cross_entropy

    with torch.no_grad():
        logits, _ = network(x)
        losses = cross_entropy(logits.view(-1, workload.word_dim), y.view(-1), reduction="none")
        losses.view(x.shape).sum(0).cpu().numpy()


def generate(workload: Workload, network: Any, optimizer: Any, x: Any, y: Any) -> None:
    """Sample texts word by word, each starting with a word of the first row of `x`.

    Parameters
    ----------
    workload : Workload
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
        Not used.
    x, y : tensor (steps, batch_size)
        Word ids.
    """
    import torch

    with torch.no_grad():
        words, state, texts = x[:1], None, []
        for _ in range(workload.steps):
            logits, state = network(words, state)
            words = torch.multinomial(torch.softmax(logits[0], dim=-1), 1).T
            texts.append(words)
        torch.cat(texts).cpu().numpy()


def advance(workload: Workload, network: Any, optimizer: Any, x: Any, y: Any) -> float:
    """Score one text word by word, as a decoder does, and return the sum of the log-probabilities in nats.

    Parameters
    ----------
    workload : Workload
    network : torch.nn.Module
    optimizer : torch.optim.Optimizer
        Not used.
    x, y : tensor (steps, batch_size)
        Word ids, and the ids of the words that follow them.
    """
    import torch

    with torch.no_grad():
        state, total = None, 0.0
        for t in range(workload.steps):
            logits, state = network(x[t : t + 1], state)
            total += torch.log_softmax(logits[0, 0], dim=-1)[y[t, 0]].item()
        return total


RUN: dict[str, Callable[[Workload, Any, Any, Any, Any], float | None]] = {
    "sentence": train_step,
    "step": train_step,
    "classify": read_step,
    "tag": read_step,
    "translate": translation_step,
    "decode": decode,
    "score": score,
    "generate": generate,
    "advance": advance,
}


def seconds(workload: Workload, sparse: bool, device: str, repeats: int) -> list[float]:
    """Time runs of a workload.

    Parameters
    ----------
    workload : Workload
    sparse : bool
        Whether the embedding's gradient is sparse. Has no effect on workloads without gradients.
    device : str
        Name of a device in PyTorch.
    repeats : int

    Returns
    -------
    list of float
        Time of each run in seconds, until its results are computed. Random input is drawn, on the device, outside
        the measured time.
    """
    import torch

    network, optimizer = build_network(workload, sparse, device), build_optimizer(workload, sparse, device)
    times, generator = [], np.random.default_rng(0)
    for _ in range(repeats):
        shape = (workload.steps, workload.batch_size)
        x, y = (torch.randint(0, workload.word_dim or workload.labels, shape, device=device) for _ in range(2))
        if workload.samples:
            x, y = (torch.as_tensor(workload.draw_words(generator), device=device).long() for _ in range(2))
        if workload.frame_dim:
            x = torch.randn(*shape, workload.frame_dim, device=device)
        wait_for(device)
        start = time.perf_counter()
        RUN[workload.kind](workload, network, optimizer, x, y)
        wait_for(device)
        times.append(time.perf_counter() - start)
    return times


def wait_for(device: str) -> None:
    """Wait until a GPU has computed everything. A CPU has when a call returns."""
    import torch

    if device != "cpu":
        torch.cuda.synchronize(device)


def use_full_precision() -> None:
    """Switch off TF32, which rounds the factors of float32 products to 10 bits: theano_rnn does not use it either.

    PyTorch does by default in cuDNN, which computes the recurrent layers on a GPU.
    """
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def describe_torch() -> dict[str, Any]:
    """Return the greeting: the version of PyTorch, whether it finds a GPU, and the versions of CUDA and cuDNN."""
    import torch

    finds_gpu = torch.cuda.is_available()
    libraries = f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}" if finds_gpu else ""
    return {"torch": torch.__version__, "gpu": finds_gpu, "libraries": libraries}


def main() -> None:
    """Answer requests until standard input ends.

    The greeting is that of `describe_torch`. A request has the attributes of a
    `Workload`, and ``sparse``, ``device`` and ``repeats``; the answer is a list of seconds. If the first argument is
    ``malloc``, the process uses the malloc settings of `theano_rnn.engines.malloc_settings`.
    """
    if "malloc" in sys.argv[1:]:
        malloc_settings.keep_freed_memory()
    import torch

    def answer(workload: dict[str, Any], sparse: bool, device: str, repeats: int) -> list[float]:
        return seconds(Workload(**workload), sparse, device, repeats)

    torch.manual_seed(0)
    use_full_precision()
    answer_requests(describe_torch(), answer)


if __name__ == "__main__":
    main()
