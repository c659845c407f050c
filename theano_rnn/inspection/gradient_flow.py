"""How errors fade on their way back through a network: ‖∂s_t/∂s_k‖ by distance t - k, over texts it reads."""

from dataclasses import dataclass

import numpy as np

from theano_rnn.checks import check_count
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.inspection.jacobians import jacobian_norms

LENGTH, STARTS, SEED = 30, 32, 1
LONGEST = 500  # steps; a product of more factors may leave the range of floating-point numbers
LOW, HIGH = 10, 90  # percentiles


@dataclass(frozen=True)
class Curve:
    """The norms of one network.

    Attributes
    ----------
    name : str
    activation : {"tanh", "relu"}
    trained : bool
    norms : float64 array (length, starts)
        Row d - 1 holds ‖∂s_{k+d}/∂s_k‖₂ for each start k, NaN where the text ends before.
    """

    name: str
    activation: str
    trained: bool
    norms: np.ndarray

    def percentile(self, share):
        """Over the starts, at each distance: array (length,)."""
        return np.nanpercentile(self.norms, share, axis=1)

    @property
    def median(self):
        return self.percentile(50)

    @property
    def factor(self):
        """By what the median is multiplied per step, on average from its first value to its last; NaN of one value."""
        first, last = self.median[[0, -1]]
        steps = len(self.norms) - 1
        return (last / first) ** (1 / steps) if steps and first > 0 else np.nan


def measure(rnn, sequences, length=LENGTH, starts=STARTS, seed=SEED):
    """‖∂s_{k+d}/∂s_k‖₂ for d = 1 … length from places k that are drawn from sequences of word ids.

    Parameters
    ----------
    rnn : RNN
    sequences : sequence of int arrays
        What the network reads, each from s_{-1} = 0.
    length : int
        The greatest distance.
    starts : int
        How many places k are drawn, without repetition; those with the full length after them first.
    seed : int
        The same seed gives the same places, whatever the network.

    Returns
    -------
    float64 array (reached length, reached starts)
        NaN where a sequence ends before.

    Raises
    ------
    CorpusError
        If no sequence has two ids.
    ValueError
        For a length outside 1 … 500, or no starts.
    """
    if check_count("length", length) > LONGEST:
        raise ArgumentValueError(f"length: expected at most {LONGEST}, got {length}")
    chosen = draw_starts([len(sequence) for sequence in sequences], length, check_count("starts", starts), seed)
    reached = max(steps for _, _, steps in chosen)
    following = np.zeros((reached, len(chosen), rnn.hidden_dim))
    norms_known = np.zeros((reached, len(chosen)), dtype=bool)
    for index in sorted({index for index, _, _ in chosen}):
        s = rnn.hidden_states(sequences[index])
        for column, (sequence, k, steps) in enumerate(chosen):
            if sequence == index:
                following[:steps, column] = s[k + 1 : k + 1 + steps]
                norms_known[:steps, column] = True
    norms = jacobian_norms(following, rnn.get_values()["W"], rnn.activation)
    return np.where(norms_known, norms, np.nan)


def draw_starts(lengths, length, count, seed):
    """[(sequence, k, steps from there, at most `length`)] of places k with a step after them, the longest first."""
    lengths = np.asarray(lengths, dtype=np.int64)
    places = np.maximum(lengths - 1, 0)
    if not places.sum():
        raise CorpusError("the text is too short; it needs at least two tokens in a row")
    sequence = np.repeat(np.arange(len(lengths)), places)
    k = np.arange(len(sequence)) - np.repeat(np.cumsum(places) - places, places)
    steps = np.minimum(lengths[sequence] - 1 - k, length)
    order = np.random.default_rng(seed).permutation(len(sequence))
    order = order[np.argsort(-steps[order], kind="stable")][:count]
    return [(int(sequence[i]), int(k[i]), int(steps[i])) for i in order]
