"""Backpropagation through time: the gradients of the loss (tutorial part 3). Symbolic expressions only.

δ_t is ∂L/∂a_t with a_t = U x_t; for the tutorial's cell it is also ∂L/∂q_t with q_t = W s_{t-1}:

    ∂L/∂s_t = ∂L_t/∂s_t + Wᵀ δ_{t+1}
    δ_t     = ∂L/∂s_t · f'(U x_t + W s_{t-1})
    dU = Σ δ_t x_tᵀ      dW = Σ δ_t s_{t-1}ᵀ

Other cells have formulas of their own for δ_t and ∂L/∂q_t. The sums are the same, with ∂L/∂q_t in place of δ_t in dW.
In a stack of layers, Uᵀ δ_t is the error that reaches the layer below.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from theano_rnn.engines.engine import T, scan
from theano_rnn.engines.outer_products import sum_of_outer_products
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.architecture import Layer, SymbolicNetwork, layer_name
from theano_rnn.networks.cells import Cell
from theano_rnn.networks.forward import (
    LayerStates,
    by_step,
    cross_entropy,
    dropped,
    forward_pass,
    last_states,
    layer_masks,
    rows,
)


class Delta(NamedTuple):
    """∂L/∂a_t and ∂L/∂q_t of one layer for all t: two tensors (steps, batch_size, gates * hidden_dim).

    If `is_reversed` is True, the last step comes first. `initial` has the derivatives of L with respect to the matrices
    of the state before the first step; it is empty if errors are truncated.
    """

    a: TensorVariable
    q: TensorVariable
    is_reversed: bool = False
    initial: Sequence[TensorVariable] = ()

    def ordered(self, array: TensorVariable) -> TensorVariable:
        """Put the steps of an array in the order of this δ. A second call undoes the first."""
        return array[::-1] if self.is_reversed else array


class LossAndGradients(NamedTuple):
    """The summed loss of a minibatch in nats, the packed states after its last step, and gradients of the loss.

    `delta` is ∂L/∂a_t of the first layer, (steps, batch_size, gates * hidden_dim). `gradients` has the order of
    `Architecture.parameter_shapes`.
    """

    loss: TensorVariable
    s_last: TensorVariable
    delta: TensorVariable
    gradients: dict[str, TensorVariable]


def loss_and_gradients(
    x: TensorVariable,
    y: TensorVariable,
    mask: TensorVariable,
    s_init: TensorVariable,
    network: SymbolicNetwork,
    bptt_truncate: int | None,
    dropout_mask: TensorVariable | None = None,
) -> LossAndGradients:
    """Build the forward and the backward pass over a minibatch.

    Parameters
    ----------
    x, y, mask : matrices (steps, batch_size)
        Word ids, the ids of the words that follow them, and a mask that is 1 for words and 0 for padding.
    s_init : matrix (batch_size, state_dim)
        The packed states before the first step.
    network : SymbolicNetwork
    bptt_truncate : int or None
        Number of steps beyond its own through which the error of an output flows back; None for the whole sentence.
    dropout_mask : matrix (batch_size, dropout_dim), optional

    Returns
    -------
    LossAndGradients
    """
    forward = forward_pass(x, s_init, network, dropout_mask)
    loss, ds, dV, dc = cross_entropy(forward.output, network, y, mask)
    masks = layer_masks(dropout_mask, network.architecture)
    deltas = backpropagation_through_time(x, ds, forward.layers, masks, network, bptt_truncate)
    gradients = {"V": dV} if dc is None else {"V": dV, "c": dc}
    for number, (delta, states, layer) in enumerate(zip(deltas, forward.layers, network.layers, strict=True)):
        by_name = layer_gradients(x, delta, states, layer, network.architecture.has_few_words)
        gradients |= {layer_name(name, number): gradient for name, gradient in by_name.items()}
    if network.E is not None:
        error = dropped(error_below(x, deltas[0], network.layers[0]), masks[0])
        dE = add_by_word(T.zeros_like(network.E), x, error)
        gradients |= {"V": dV + dE} if network.architecture.tied else {"E": dE}
    ordered = {name: gradients[name] for name in network.architecture.parameter_shapes}
    return LossAndGradients(loss, last_states(forward.layers), deltas[0].ordered(deltas[0].a), ordered)


def backpropagation_through_time(
    x: TensorVariable,
    ds: TensorVariable,
    layers: Sequence[LayerStates],
    masks: Sequence[TensorVariable | None],
    network: SymbolicNetwork,
    bptt_truncate: int | None,
) -> list[Delta]:
    """Return δ of each layer, given ∂L_t/∂s_t of the top layer and the dropout masks from `layer_masks`."""
    if bptt_truncate is not None:
        return truncated_deltas(x, ds, layers, masks, network, bptt_truncate)
    deltas: list[Delta] = []
    for number in reversed(range(len(layers))):
        error = error_below(x, deltas[0], network.layers[number + 1]) if deltas else ds
        error = dropped(error, masks[number + 1])
        deltas.insert(0, full_delta(x, error, layers[number], network.layers[number], network.cell))
    return deltas


def full_delta(x: TensorVariable, ds: TensorVariable, states: LayerStates, layer: Layer, cell: Cell) -> Delta:
    """Return δ of one layer, with errors that flow back through the whole sentence. The last step comes first.

    The tests compare it with `theano.grad` of the forward scan, which gives the same result but needs more memory.
    """
    # The loop indexes arrays by t, because reversing large sequences or results would copy them.
    arrays = [ds, *cell.saved(states.kept, states.previous, states.state)]

    def step(t: TensorVariable, *others: TensorVariable) -> list[TensorVariable]:
        from_next, (ds, *saved, W) = others[:count], others[count:]
        da, dq, direct = cell.backward([ds[t] + from_next[0], *from_next[1:]], [array[t] for array in saved])
        return [*errors_of_previous(dq, direct, W), da, *([dq] if separate else [])]

    count, separate = len(cell.state_names), cell.has_recurrent_bias
    found = scan(
        step,
        sequences=[T.arange(np.int64(0), x.shape[0], np.int64(1))],  # Python's integers would become int8
        outputs_info=[*(T.zeros_like(array[0]) for array in states.previous), None, *([None] if separate else [])],
        non_sequences=[*arrays, layer.W],
        n_steps=x.shape[0],
        go_backwards=True,
        strict=True,
    )
    return Delta(found[count], found[-1], is_reversed=True, initial=[errors[-1] for errors in found[:count]])


def errors_of_previous(
    dq: TensorVariable, direct: Sequence[TensorVariable | None], W: TensorVariable
) -> list[TensorVariable]:
    """Return the errors of the state at t-1: ∂L/∂s_{t-1} = Wᵀ ∂L/∂q_t, plus those that do not flow through q_t."""
    error = dq.dot(W)
    return [error if direct[0] is None else error + direct[0], *direct[1:]]


def truncated_deltas(
    x: TensorVariable,
    ds: TensorVariable,
    layers: Sequence[LayerStates],
    masks: Sequence[TensorVariable | None],
    network: SymbolicNetwork,
    bptt_truncate: int,
) -> list[Delta]:
    """Return δ of each layer, with errors that flow back at most K steps beyond their own output (tutorial parts 2, 3).

    For each output t, the tutorial's inner loop runs over the steps max(0, t-K) … t. Here the errors of all outputs
    move back one step at a time, together: at level k, row t holds the error of output t+k at step t, in all layers.
    `scan(truncate_gradient=K)` is different: it differentiates only the last K steps of the whole sentence.
    """
    cell = network.cell
    saved = [[rows(array) for array in cell.saved(states.kept, states.previous, states.state)] for states in layers]
    zero = T.zeros_like(ds)
    errors: list[list[TensorVariable]] = [[zero] * len(cell.state_names) for _ in layers]
    totals: list[list[TensorVariable]] = [[0, 0] for _ in layers]
    above = ds  # the error that a layer receives from above, at this level
    for level in range(bptt_truncate + 1):
        for i in reversed(range(len(layers))):
            if level == 0 or i < len(layers) - 1:
                errors[i][0] = errors[i][0] + dropped(above, masks[i + 1])
            da, dq, direct = cell.backward([rows(error) for error in errors[i]], saved[i])
            totals[i] = [totals[i][0] + da, totals[i][1] + dq]
            previous = errors_of_previous(dq, direct, network.layers[i].W)
            errors[i] = [T.concatenate([by_step(error, x)[1:], zero[:1]], axis=0) for error in previous]
            if i:
                above = by_step(da.dot(network.layers[i].U), x)
    return [Delta(*(by_step(total, x) for total in pair)) for pair in totals]


def error_below(x: TensorVariable, delta: Delta, layer: Layer) -> TensorVariable:
    """∂L/∂x_t = Uᵀ δ_t for all t, the error of the inputs of a layer: (steps, batch_size, n)."""
    return delta.ordered(by_step(rows(delta.a).dot(layer.U), x))


def layer_gradients(
    x: TensorVariable, delta: Delta, states: LayerStates, layer: Layer, has_few_words: bool
) -> dict[str, TensorVariable]:
    """Return dU = Σ δ_t x_tᵀ, dW = Σ ∂L/∂q_t s_{t-1}ᵀ and the gradients of the biases, under the names of `Layer`."""
    da, dq = rows(delta.a), rows(delta.q)
    if states.vectors is None:  # x_t is one-hot, so δ_t is added to column x_t
        dU = add_by_word(T.zeros_like(layer.U.T), delta.ordered(x), delta.a).T
    else:
        dU = sum_of_outer_products(da, rows(delta.ordered(states.vectors)))
    gradients = {"U": dU, "W": sum_of_outer_products(dq, rows(delta.ordered(states.previous[0])))}
    if layer.b is not None:
        # Σ δ_t; column w of dU is the sum over the steps with word w. A small vocabulary has fewer words than steps.
        summands = dU if states.vectors is None and has_few_words else da.T
        gradients["b"] = summands.sum(axis=1, acc_dtype=da.dtype)
    if layer.r is not None:
        gradients["r"] = dq.sum(axis=0, acc_dtype=dq.dtype)[-layer.r.shape[0] :]
    return gradients


def add_by_word(matrix: TensorVariable, x: TensorVariable, vectors: TensorVariable) -> TensorVariable:
    """Add `vectors` (steps, batch_size, n) to the rows x of a matrix."""
    return T.inc_subtensor(matrix[x.reshape((-1,))], rows(vectors))


def add_to_columns(U: TensorVariable, x: TensorVariable, change: TensorVariable) -> TensorVariable:
    """Add `change` (steps, batch_size, n) to the columns x of U, without touching the other columns."""
    return add_by_word(U.T, x, change).T
