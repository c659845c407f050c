"""The graphs of the functions that `RNN` compiles: inputs, outputs and updates of each.

Inputs have the shape (steps, batch_size). XLA specialises a function for each shape that occurs.
"""

from typing import Protocol

from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import SharedVariable, TensorVariable, Updates
from theano_rnn.networks.bptt import LossAndGradients, add_to_columns, loss_and_gradients
from theano_rnn.networks.cells import Cell
from theano_rnn.networks.forward import (
    all_log_probabilities,
    hidden_states,
    input_activations,
    log_probabilities,
    most_probable,
    output_probabilities,
)

Graph = tuple[list[TensorVariable], TensorVariable | list[TensorVariable], Updates | None]
"""Inputs, an output or a list of outputs, and updates, as `compile_function` takes them."""


class Network(Protocol):
    """The attributes of `RNN` that determine its graphs."""

    hidden_dim: int
    bptt_truncate: int | None
    dtype: str

    @property
    def parameters(self) -> list[SharedVariable]: ...

    @property
    def recurrent_cell(self) -> Cell: ...


def initial_states(rnn: Network, batch_size: TensorVariable) -> TensorVariable:
    """s_{-1} = 0 for each text of a minibatch."""
    return T.zeros(rnn.recurrent_cell.state_shape(batch_size, rnn.hidden_dim), dtype=rnn.dtype)


def states_graph(rnn: Network, s_init: TensorVariable | None = None) -> tuple[TensorVariable, TensorVariable]:
    """The input x and the states s_t that follow from it."""
    U, _, *weights = rnn.parameters
    x = T.imatrix("x")
    s_init = initial_states(rnn, x.shape[1]) if s_init is None else s_init
    return x, hidden_states(input_activations(x, U), s_init, weights, rnn.recurrent_cell)


def loss_graph(rnn: Network) -> tuple[list[TensorVariable], LossAndGradients]:
    """The inputs x, y and mask, and the loss with its gradients."""
    x, y, mask = T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask")
    s_init = initial_states(rnn, x.shape[1])
    found = loss_and_gradients(x, y, mask, s_init, rnn.parameters, rnn.recurrent_cell, rnn.bptt_truncate)
    return [x, y, mask], found


def forward_propagation(rnn: Network) -> Graph:
    """x -> o_t."""
    x, s = states_graph(rnn)
    return [x], output_probabilities(s, rnn.parameters[1]), None


def states(rnn: Network) -> Graph:
    """x -> s_t."""
    x, s = states_graph(rnn)
    return [x], s, None


def predict(rnn: Network) -> Graph:
    """x -> argmax o_t."""
    x, s = states_graph(rnn)
    return [x], most_probable(s, rnn.parameters[1]), None


def target_log_probabilities(rnn: Network) -> Graph:
    """x, y, s_{-1} -> ln o_t[y_t], the last states."""
    y, s_init = T.imatrix("y"), T.matrix("s_init", dtype=rnn.dtype)
    x, s = states_graph(rnn, s_init)
    return [x, y, s_init], [log_probabilities(s, rnn.parameters[1], y), s[-1]], None


def next_log_probabilities(rnn: Network) -> Graph:
    """x_t, s_{t-1} -> ln o_t, s_t."""
    U, V, *weights = rnn.parameters
    word, s_prev = T.ivector("word"), T.matrix("s_prev", dtype=rnn.dtype)
    s = rnn.recurrent_cell.next_state(U.T[word], s_prev, *weights)
    return [word, s_prev], [all_log_probabilities(s, V), s], None


def bptt(rnn: Network) -> Graph:
    """x, y, mask -> one gradient per parameter."""
    inputs, found = loss_graph(rnn)
    return inputs, found.gradients, None


def sgd_step(rnn: Network) -> Graph:
    """x, y, mask, η -> the loss; sets θ ← θ - η ∂L/∂θ, of U only in the columns of the words that occur."""
    inputs, found = loss_graph(rnn)
    learning_rate = T.scalar("learning_rate", dtype=rnn.dtype)
    U, *others = rnn.parameters
    _, *gradients = found.gradients
    updates = [(U, add_to_columns(U, inputs[0], -learning_rate * found.delta))]
    updates += [(theta, theta - learning_rate * gradient) for theta, gradient in zip(others, gradients, strict=True)]
    return [*inputs, learning_rate], found.loss, updates
