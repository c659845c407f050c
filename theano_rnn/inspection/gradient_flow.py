"""Measures how errors shrink or grow as they flow back through time: ‖∂s_t/∂s_k‖ by distance t - k, over a text.

s_t is the state of the top layer, which the output reads. s_k denotes the whole state at k: that of all layers,
including c_k in an LSTM.
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
MAX_LENGTH = 500  # steps; longer products of Jacobians may overflow or underflow
BAND = (10, 90)  # percentiles shown as a band


@dataclass(frozen=True)
class GradientCurve:
    """The gradient norms of a network, by distance.

    Attributes
    ----------
    name : str
    kind : {"tanh", "relu", "gru", "lstm"}
        The cell, or the activation of the simple cell.
    trained : bool
    norms : float64 array of shape (length, starts)
        Row d - 1 is ‖∂s_t/∂s_{t-d}‖₂ for each start; NaN where a sequence is too short.
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
    """Return whether a network has the tutorial's formula for the state: one layer of the simple cell."""
    return rnn.cell == "simple" and rnn.layers == 1


def gradient_norms(
    rnn: RNN, sequences: Sequence[npt.ArrayLike], length: int = LENGTH, starts: int = STARTS, seed: int = SEED
) -> npt.NDArray[np.float64]:
    """Compute ‖∂s_t/∂s_k‖₂ for t - k = 1 … length, in segments of `length` steps drawn from sequences of word ids.

    With one layer of the simple cell, k is the start of a segment and t varies. With all other networks, t is the end
    of a segment and k varies.

    Parameters
    ----------
    rnn : RNN
    sequences : sequence of integer arrays
        The word ids to read. Each sequence starts from s_{-1} = 0.
    length : int
        The largest distance t - k, from 1 to 500.
    starts : int
        Number of segments, drawn without replacement. Segments of the full length are preferred.
    seed : int
        The same seed draws the same segments, regardless of the network.

    Returns
    -------
    float64 array of shape (length, starts)
        NaN where a segment is shorter than t - k, because a sequence ends. The array is smaller if the sequences are
        too short for this distance or this number of segments.

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
    states = np.zeros((*shape, rnn.architecture.state_dim))  # s_{k+1}, s_{k+2}, …; or s_{t-1}, s_{t-2}, …
    words = np.zeros(shape, np.int32)  # x_t, x_{t-1}, …
    is_within_text = np.zeros(shape, dtype=bool)
    for index in sorted({index for index, _, _ in chosen}):
        ids = arrays[index].astype(np.int32)
        s = rnn.states(column(ids))[: len(ids), 0]
        for start, (sequence, k, steps) in enumerate(chosen):
            if sequence != index:
                continue
            is_within_text[:steps, start] = True
            if is_tutorials(rnn):
                states[:steps, start] = s[k + 1 : k + 1 + steps]
            else:
                states[:steps, start] = s[k : k + steps][::-1]
                words[:steps, start] = ids[k + 1 : k + 1 + steps][::-1]
    if is_tutorials(rnn):
        norms = jacobian_norms(states, rnn.get_values()["W"], rnn.activation)
    else:
        norms = state_jacobian_norms(words, states, rnn.get_values(), rnn.architecture)
    return np.where(is_within_text, norms, np.nan)


def draw_starts(lengths: Sequence[int], length: int, count: int, seed: int) -> list[tuple[int, int, int]]:
    """Draw starts k that are followed by at least one token.

    Parameters
    ----------
    lengths : sequence of int
        Length of each sequence.
    length : int
        The largest number of steps after a start.
    count : int
        Maximum number of starts.
    seed : int

    Returns
    -------
    list of (sequence, k, steps)
        Index of the sequence, index k in it, and the number of steps that follow, at most `length`. Starts followed by
        the most steps come first.

    Raises
    ------
    CorpusError
        If there is no such start.

    Examples
    --------
    >>> draw_starts([2, 1], length=30, count=5, seed=1)
    [(0, 0, 1)]
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    counts = np.maximum(sizes - 1, 0)  # of possible starts in each sequence
    if not counts.sum():
        raise CorpusError("the text is too short; it needs at least two tokens in a row")
    sequence = np.repeat(np.arange(len(sizes)), counts)
    k = np.arange(len(sequence)) - np.repeat(np.cumsum(counts) - counts, counts)
    steps = np.minimum(sizes[sequence] - 1 - k, length)
    order = np.random.default_rng(seed).permutation(len(sequence))
    order = order[np.argsort(-steps[order], kind="stable")][:count]
    return [(int(sequence[i]), int(k[i]), int(steps[i])) for i in order]
