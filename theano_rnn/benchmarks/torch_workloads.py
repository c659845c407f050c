"""The benchmark's workloads in PyTorch, as its users would write them. Run as a process of its own, see `main`.

Needs torch, and imports it only there: theano_rnn itself does without.
"""

import functools
import json
import sys
import time

from theano_rnn.benchmarks.workloads import LEARNING_RATE, Workload
from theano_rnn.engines import malloc_settings


@functools.cache
def network(word_dim, hidden_dim, sparse, device):
    """Embedding, recurrence and output layer, without biases."""
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(word_dim, hidden_dim, sparse=sparse)
            self.recurrence = nn.RNN(hidden_dim, hidden_dim, bias=False)
            self.output = nn.Linear(hidden_dim, word_dim, bias=False)

        def forward(self, x, state=None):
            states, state = self.recurrence(self.embedding(x), state)
            return self.output(states), state

    return Network().to(device)


def train_once(workload, rnn, optimizer, x, y):
    from torch.nn.functional import cross_entropy

    optimizer.zero_grad()
    z, _ = rnn(x)
    loss = cross_entropy(z.view(-1, workload.word_dim), y.view(-1), reduction="sum")
    loss.backward()
    optimizer.step()
    return loss.item()


def score_once(workload, rnn, x, y):
    from torch.nn.functional import cross_entropy

    z, _ = rnn(x)
    losses = cross_entropy(z.view(-1, workload.word_dim), y.view(-1), reduction="none")
    return losses.view(x.shape).sum(0).cpu().numpy()


def generate_once(workload, rnn, start):
    import torch

    words, state, texts = start, None, []
    for _ in range(workload.steps):
        z, state = rnn(words, state)
        words = torch.multinomial(torch.softmax(z[0], dim=-1), 1).T
        texts.append(words)
    return torch.cat(texts).cpu().numpy()


def seconds(workload, sparse, device, repeats):
    """Times of `repeats` runs of a workload.

    Parameters
    ----------
    workload : Workload
    sparse : bool
        Whether the embedding's gradient is sparse; of no effect where nothing is learnt.
    device : str
        As PyTorch names it.
    repeats : int

    Returns
    -------
    list of float
    """
    import torch

    rnn = network(workload.word_dim, workload.hidden_dim, sparse, device)
    optimizer = torch.optim.SGD(rnn.parameters(), lr=LEARNING_RATE)
    times = []
    for _ in range(repeats):
        x, y = (
            torch.randint(0, workload.word_dim, (workload.steps, workload.batch_size), device=device) for _ in range(2)
        )
        start = time.perf_counter()
        if workload.learns:
            train_once(workload, rnn, optimizer, x, y)
        else:
            with torch.no_grad():
                if workload.kind == "score":
                    score_once(workload, rnn, x, y)
                else:
                    generate_once(workload, rnn, x[:1])
        times.append(time.perf_counter() - start)
    return times


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main():
    """Answer requests until the input ends: a JSON object a line in, a JSON list of seconds a line out.

    The first line out tells the version; a request has the attributes of a `Workload`, sparse, device and repeats.
    The first argument "allocator" turns on the setting of `allocator`.
    """
    if "allocator" in sys.argv[1:]:
        malloc_settings.keep_freed_memory()
    import torch

    torch.manual_seed(0)
    answer({"torch": torch.__version__, "gpu": torch.cuda.is_available()})
    for line in sys.stdin:
        request = json.loads(line)
        workload = Workload(**request.pop("workload"))
        answer(seconds(workload, **request))


if __name__ == "__main__":
    main()
