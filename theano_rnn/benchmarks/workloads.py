"""The workloads of the benchmark: which model, what is done with it. Knows neither Theano nor any peer."""

from dataclasses import dataclass

from theano_rnn.errors import OptionError

LEARNING_RATE = 0.005
SECONDS_PER_ROUND = 1.0
FEWEST_REPEATS, MOST_REPEATS = 5, 400


@dataclass(frozen=True)
class Workload:
    """One thing to time, in float32, without biases, by plain SGD where it learns.

    Attributes
    ----------
    name : str
    kind : {"sentence", "step", "score", "generate"}
        One sentence by `RNN.sgd_step`; a step of the training loop; scoring without gradients; generating.
    word_dim, hidden_dim : int
    steps, batch_size : int
        Words of a sentence or text, and how many side by side.
    what : str
    """

    name: str
    kind: str
    word_dim: int
    hidden_dim: int
    steps: int
    batch_size: int
    what: str

    @property
    def tokens(self):
        return self.steps * self.batch_size

    @property
    def learns(self):
        return self.kind in ("sentence", "step")


STANDARD = (
    Workload("W1", "sentence", 8000, 100, 20, 1, "one sentence a step"),
    Workload("W2", "step", 8000, 100, 20, 32, "a minibatch of sentences"),
    Workload("W2p", "step", 10000, 200, 35, 20, "the shape of the Penn Treebank"),
    Workload("W3", "step", 65, 128, 50, 50, "characters"),
    Workload("W3x", "step", 65, 512, 50, 50, "characters, wider"),
    Workload("S1", "score", 8000, 100, 20, 256, "scoring"),
    Workload("G1", "generate", 8000, 100, 100, 1, "generating one text"),
    Workload("G32", "generate", 8000, 100, 100, 32, "generating 32 texts"),
)
GRID = tuple(
    Workload(f"H{hidden_dim}-B{batch_size}", "step", 8000, hidden_dim, 20, batch_size, "a minibatch of sentences")
    for hidden_dim in (100, 512, 1024)
    for batch_size in (32, 256)
)
GROWTH = tuple(
    [Workload(f"V={word_dim}", "step", word_dim, 100, 20, 32, "") for word_dim in (1_000, 8_000, 50_000, 100_000)]
    + [Workload(f"H={hidden_dim}", "step", 8_000, hidden_dim, 20, 32, "") for hidden_dim in (50, 100, 200, 500, 1000)]
)


def choose(workloads, names):
    """Those of the workloads that have the given names; all if None.

    Raises
    ------
    OptionError
        For a name that none has.
    """
    if names is None:
        return list(workloads)
    known = {workload.name: workload for workload in workloads}
    for name in names:
        if name not in known:
            raise OptionError(f"workload: expected one of {', '.join(known)}, got {name!r}")
    return [known[name] for name in names]


def repeats_for(seconds):
    """How often to repeat something in one round."""
    return int(min(max(SECONDS_PER_ROUND / seconds, FEWEST_REPEATS), MOST_REPEATS))
