"""How errors shrink or grow on their way back through a network: ‖∂s_t/∂s_k‖ by distance t - k, over a text.

s_t is that of the top layer, which the outputs read. s_k stands for the whole state at k: that of all layers, and with
c_k in an LSTM.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.inspection.jacobians import jacobian_norms
from theano_rnn.inspection.state_jacobians import state_jacobian_norms
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.minibatches import column

LENGTH, STARTS, SEED = 30, 32, 1
MAX_LENGTH = 500  # steps; a product of more factors may leave the range of floating-point numbers
BAND = (10, 90)  # percentiles


@dataclass(frozen=True)
class GradientCurve:
    """Gradient norms of one network, by distance.

    Attributes
    ----------
    name : str
    kind : {"tanh", "relu", "gru", "lstm"}
        The cell, or the activation of the simple cell.
    trained : bool
    norms : float64 array of shape (length, starts)
        Row d - 1 holds ‖∂s_t/∂s_{t-d}‖₂ at each place; NaN where the text is too short.
    """

    name: str
    kind: str
    trained: bool
    norms: npt.NDArray[np.float64]

    def percentile(self, q: float) -> npt.NDArray[np.float64]:
        """Compute a percentile over the starts, at each distance.

        Parameters
        ----------
        q : float
            From 0 to 100.

        Returns
        -------
        float64 array of shape (length,)
        """
        return np.nanpercentile(self.norms, q, axis=1)

    @property
    def median(self) -> npt.NDArray[np.float64]:
        """The median over the starts, at each distance: float64 array of shape (length,)."""
        return self.percentile(50)

    @property
    def factor_per_step(self) -> float:
        """The mean factor per step from the first median to the last; NaN if there is only one, or the first is 0.

        Examples
        --------
        >>> curve = GradientCurve("tanh", "tanh", True, norms=np.array([[1.0], [0.3], [0.25]]))
        >>> float(curve.factor_per_step)
        0.5
        """
        first, last = self.median[[0, -1]]
        steps = len(self.norms) - 1
        return (last / first) ** (1 / steps) if steps and first > 0 else np.nan


def is_tutorials(rnn: RNN) -> bool:
    """Whether a network has the tutorial's formula for the state: one layer of the simple cell."""
    return rnn.cell == "simple" and rnn.layers == 1


def gradient_norms(
    rnn: RNN, sequences: Sequence[npt.ArrayLike], length: int = LENGTH, starts: int = STARTS, seed: int = SEED
) -> npt.NDArray[np.float64]:
    """Compute ‖∂s_t/∂s_k‖₂ for t - k = 1 … length at places drawn from sequences of word ids.

    A place is a stretch of `length` steps. With one layer of the simple cell, k is the beginning of the stretch; with
    all other networks, t is its end.

    Parameters
    ----------
    rnn : RNN
    sequences : sequence of integer arrays
        What the network reads, each from s_{-1} = 0.
    length : int
        The greatest distance t - k, from 1 to 500.
    starts : int
        How many places are drawn, without replacement. Places that have all their `length` steps come first.
    seed : int
        The same seed draws the same places, whatever the network.

    Returns
    -------
    float64 array of shape (length, starts)
        NaN where a stretch is shorter than t - k, because a sequence ends. Smaller than asked for if the sequences are
        too short for so great a distance or so many places.

    Raises
    ------
    CorpusError
        If no sequence has at least two ids.
    ArgumentValueError
        If `length` is outside 1 … 500 or `starts` is below 1.
    """
    if check_count("length", length) > MAX_LENGTH:
        raise ArgumentValueError(f"length: expected at most {MAX_LENGTH}, got {length}")
    arrays = [np.asarray(sequence) for sequence in sequences]
    chosen = draw_starts([len(array) for array in arrays], length, check_count("starts", starts), seed)
    longest = max(steps for _, _, steps in chosen)
    shape = longest, len(chosen)
    states = np.zeros((*shape, rnn.architecture.state_dim))  # s_{k+1}, s_{k+2}, …; or those before t, t-1, …
    words = np.zeros(shape, np.int32)  # x_t, x_{t-1}, …
    is_within_text = np.zeros(shape, dtype=bool)
    for index in sorted({index for index, _, _ in chosen}):
        ids = arrays[index].astype(np.int32)
        s = rnn.states(column(ids))[: len(ids), 0]
        for place, (sequence, k, steps) in enumerate(chosen):
            if sequence != index:
                continue
            is_within_text[:steps, place] = True
            if is_tutorials(rnn):
                states[:steps, place] = s[k + 1 : k + 1 + steps]
            else:
                states[:steps, place] = s[k : k + steps][::-1]
                words[:steps, place] = ids[k + 1 : k + 1 + steps][::-1]
    if is_tutorials(rnn):
        norms = jacobian_norms(states, rnn.get_values()["W"], rnn.activation)
    else:
        norms = state_jacobian_norms(words, states, rnn.get_values(), rnn.architecture)
    return np.where(is_within_text, norms, np.nan)


def draw_starts(lengths: Sequence[int], length: int, count: int, seed: int) -> list[tuple[int, int, int]]:
    """Draw places k that have at least one token after them.

    Parameters
    ----------
    lengths : sequence of int
        Length of each sequence.
    length : int
        The greatest distance of interest.
    count : int
        At most how many places.
    seed : int

    Returns
    -------
    list of (sequence, k, steps)
        Index of the sequence, the place in it, and how many of the next `length` places the sequence has. Places with
        the most steps come first.

    Raises
    ------
    CorpusError
        If there is no such place.

    Examples
    --------
    >>> draw_starts([2, 1], length=30, count=5, seed=1)
    [(0, 0, 1)]
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    places = np.maximum(sizes - 1, 0)
    if not places.sum():
        raise CorpusError("the text is too short; it needs at least two tokens in a row")
    sequence = np.repeat(np.arange(len(sizes)), places)
    k = np.arange(len(sequence)) - np.repeat(np.cumsum(places) - places, places)
    steps = np.minimum(sizes[sequence] - 1 - k, length)
    order = np.random.default_rng(seed).permutation(len(sequence))
    order = order[np.argsort(-steps[order], kind="stable")][:count]
    return [(int(sequence[i]), int(k[i]), int(steps[i])) for i in order]
