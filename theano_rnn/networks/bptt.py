"""Backpropagation through time: the gradients of the loss (tutorial part 3). Symbolic expressions only.

δ_t is ∂L/∂(U x_t), for the tutorial's cell also ∂L/∂(W s_{t-1}):

    ∂L/∂s_t = ∂L_t/∂s_t + Wᵀ δ_{t+1}
    δ_t     = ∂L/∂s_t · f'(U x_t + W s_{t-1})
    dU = Σ δ_t x_tᵀ      dW = Σ δ_t s_{t-1}ᵀ
"""

from collections.abc import Sequence
from typing import NamedTuple

from theano_rnn.engines.engine import T, axis_length, scan
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.cells import Cell
from theano_rnn.networks.forward import cross_entropy, hidden_states, input_activations, previous_states, rows


class LossAndGradients(NamedTuple):
    """A minibatch's summed loss in nats, its states s, δ, and one gradient per parameter: [dU, dV, dW]."""

    loss: TensorVariable
    s: TensorVariable
    delta: TensorVariable
    gradients: list[TensorVariable]


def loss_and_gradients(
    x: TensorVariable,
    y: TensorVariable,
    mask: TensorVariable,
    s_init: TensorVariable,
    parameters: Sequence[TensorVariable],
    cell: Cell,
    bptt_truncate: int | None,
) -> LossAndGradients:
    """The forward and the backward pass over a minibatch.

    Parameters
    ----------
    x, y, mask : matrices (steps, batch_size)
        Word ids, the ids of the words that follow them, and 1 for words and 0 for padding.
    s_init : matrix (batch_size, hidden_dim)
        The states before the first step.
    parameters : sequence of matrices
        [U, V, W]; for another cell its weights in place of W.
    cell : Cell
    bptt_truncate : int or None
        The number of steps beyond its own through which the error of an output flows back; None for the whole sentence.

    Returns
    -------
    LossAndGradients
    """
    U, V, *weights = parameters
    a = input_activations(x, U)
    s = hidden_states(a, s_init, weights, cell)
    loss, ds, dV = cross_entropy(s, V, y, mask)
    s_prev = previous_states(s, s_init)
    slopes = cell.slopes(a, s_prev, s, *weights)
    delta = backpropagation_through_time(ds, slopes, weights, cell, bptt_truncate)
    dU, *weight_gradients = recurrence_gradients(delta, x, s_prev, slopes, U, cell)
    return LossAndGradients(loss, s, delta, [dU, dV, *weight_gradients])


def backpropagation_through_time(
    ds: TensorVariable, slopes: TensorVariable, weights: Sequence[TensorVariable], cell: Cell, bptt_truncate: int | None
) -> TensorVariable:
    """δ_t for all t, as (steps, batch_size, hidden_dim)."""
    if bptt_truncate is None:
        return full_delta(ds, slopes, weights, cell)
    return truncated_delta(ds, slopes, weights, cell, bptt_truncate)


def full_delta(
    ds: TensorVariable, slopes: TensorVariable, weights: Sequence[TensorVariable], cell: Cell
) -> TensorVariable:
    """δ_t for all t, from the last to the first, through the whole sentence.

    The tests compare it with `theano.grad` of the forward scan, which computes the same with more buffers.
    """

    def step(
        ds_t: TensorVariable, slope_t: TensorVariable, error_from_next: TensorVariable, *weights: TensorVariable
    ) -> TensorVariable:
        _, error_to_previous = cell.backward(ds_t + error_from_next, slope_t, *weights)
        return error_to_previous

    zero = T.zeros_like(ds[:1])
    errors = scan(
        step,
        sequences=[ds, slopes],
        outputs_info=[zero[0]],
        non_sequences=list(weights),
        n_steps=ds.shape[0],
        go_backwards=True,
        strict=True,
    )
    errors = T.concatenate([errors[::-1][1:], zero], axis=0)  # to each step, from the next one
    delta, _ = cell.backward(rows(ds + errors), rows(slopes), *weights)
    return delta.reshape((ds.shape[0], ds.shape[1], axis_length(weights[0], 0)))


def truncated_delta(
    ds: TensorVariable, slopes: TensorVariable, weights: Sequence[TensorVariable], cell: Cell, bptt_truncate: int
) -> TensorVariable:
    """δ_t for all t, where errors flow back through at most K steps beyond their own output (tutorial parts 2 and 3).

    For each output t the tutorial's inner loop runs over the steps max(0, t-K) … t. Here all outputs go back one step
    together: at level k, row t holds what the error of output t+k leaves at step t. `scan(truncate_gradient=K)` is
    something else: it differentiates only the last K steps of the whole sentence.
    """
    delta: TensorVariable = 0
    error = ds
    for _ in range(bptt_truncate + 1):
        level, error_to_previous = cell.backward(rows(error), rows(slopes), *weights)
        delta = delta + level
        error = T.concatenate([error_to_previous.reshape(ds.shape)[1:], T.zeros_like(ds[:1])], axis=0)
    return delta.reshape((ds.shape[0], ds.shape[1], axis_length(weights[0], 0)))


def recurrence_gradients(
    delta: TensorVariable,
    x: TensorVariable,
    s_prev: TensorVariable,
    slopes: TensorVariable,
    U: TensorVariable,
    cell: Cell,
) -> list[TensorVariable]:
    """[dU, dW]: dU = Σ δ_t x_tᵀ, which adds δ_t to column x_t, and dW = Σ δ_t s_{t-1}ᵀ."""
    dU = T.inc_subtensor(T.zeros_like(U).T[x.reshape((-1,))], rows(delta)).T
    return [dU, *cell.weight_gradients(rows(delta), rows(slopes), rows(s_prev))]


def add_to_columns(U: TensorVariable, x: TensorVariable, change: TensorVariable) -> TensorVariable:
    """U with `change` (steps, batch_size, hidden_dim) added to its columns x; the other columns are not touched."""
    return T.inc_subtensor(U.T[x.reshape((-1,))], rows(change)).T
