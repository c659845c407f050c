"""One step of the network for many states at once, in batches of few different sizes, so that few are compiled."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from theano_rnn.language_models.score_minibatches import WIDTHS
from theano_rnn.language_models.states import State
from theano_rnn.networks.rnn import RNN

OUTPUTS_PER_CALL = 2**24  # 64 MB in single precision
PAIRS_FACTOR = 4


def chosen_steps(
    rnn: RNN, states: Sequence[State], places: Sequence[int], ids: Sequence[int]
) -> tuple[npt.NDArray[np.floating], list[npt.NDArray[np.floating]]]:
    """Compute ln P of one next token for each pair of a state and a token.

    Parameters
    ----------
    rnn : RNN
    states : sequence of m State
    places : sequence of n int
        Indices of states, in any order.
    ids : sequence of n int
        The next token for each of them.

    Returns
    -------
    log_probabilities : array (n,)
        In nats.
    after : list of m arrays (1, state_dim)
        The packed state after the last token of each state.
    """
    rows, chosen = np.asarray(places, np.int32), np.asarray(ids, np.int32)
    values = np.empty(len(ids), rnn.dtype)
    after: list[npt.NDArray[np.floating]] = []
    most = max(width for width in WIDTHS if width == 1 or width * rnn.word_dim <= OUTPUTS_PER_CALL)
    for begin in range(0, len(states), most):
        batch = states[begin : begin + most]
        pairs = np.flatnonzero((rows >= begin) & (rows < begin + most))
        values[pairs], s = _one_call(rnn, batch, rows[pairs] - begin, chosen[pairs])
        # A copy of each row: a row that remains in use would keep the memory of the whole batch.
        after += [s[i : i + 1].copy() for i in range(len(batch))]
    return values, after


def _one_call(
    rnn: RNN, states: Sequence[State], rows: npt.NDArray[np.int32], chosen: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Compute one batch, padded to a width in `WIDTHS`, and to as many pairs or 4, 16, … times as many."""
    width = next(width for width in WIDTHS if width >= len(states))
    pairs = width
    while pairs < len(rows):
        pairs *= PAIRS_FACTOR
    word = np.zeros(width, np.int32)
    word[: len(states)] = [state.word for state in states]
    s_prev = rnn.zero_states(width)
    np.concatenate([state.s_prev for state in states], out=s_prev[: len(states)])
    padding = np.zeros(pairs - len(rows), np.int32)
    values, s = rnn.chosen_log_probabilities(
        word, s_prev, np.concatenate([rows, padding]), np.concatenate([chosen, padding])
    )
    return values[: len(rows)], s
