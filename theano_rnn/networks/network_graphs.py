"""The graphs of the functions that `RNN` compiles: the inputs, outputs and updates of each.

Inputs have the shape (steps, batch_size). XLA compiles a function anew for each shape that occurs.
"""

from typing import Protocol

from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import SharedVariable, TensorVariable, Updates
from theano_rnn.networks.architecture import SymbolicNetwork
from theano_rnn.networks.bptt import LossAndGradients, add_to_columns, loss_and_gradients
from theano_rnn.networks.forward import (
    ForwardPass,
    all_log_probabilities,
    all_states,
    forward_pass,
    last_states,
    log_probabilities,
    most_probable,
    next_state,
    output_probabilities,
    outputs,
)
from theano_rnn.networks.softmax import chosen_log_softmax

Graph = tuple[list[TensorVariable], TensorVariable | list[TensorVariable], Updates | None]
"""Inputs, an output or a list of outputs, and updates: what `compile_function` takes."""


class Network(Protocol):
    """The attributes of `RNN` that determine its graphs."""

    bptt_truncate: int | None
    dtype: str

    @property
    def parameters(self) -> list[SharedVariable]: ...

    @property
    def parameter_names(self) -> tuple[str, ...]: ...

    @property
    def symbolic(self) -> SymbolicNetwork: ...


def initial_states(rnn: Network, batch_size: TensorVariable) -> TensorVariable:
    """The packed states before the first step: s_{-1} = 0 for each text of a minibatch."""
    return T.zeros((batch_size, rnn.symbolic.architecture.state_dim), dtype=rnn.dtype)


def forward_graph(rnn: Network, s_init: TensorVariable | None = None) -> tuple[TensorVariable, ForwardPass]:
    """The input x and the forward pass."""
    x = T.imatrix("x")
    s_init = initial_states(rnn, x.shape[1]) if s_init is None else s_init
    return x, forward_pass(x, s_init, rnn.symbolic)


def loss_graph(rnn: Network) -> tuple[list[TensorVariable], LossAndGradients]:
    """The inputs x, y and mask, and the loss with its gradients."""
    x, y, mask = T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask")
    s_init = initial_states(rnn, x.shape[1])
    return [x, y, mask], loss_and_gradients(x, y, mask, s_init, rnn.symbolic, rnn.bptt_truncate)


def forward_propagation(rnn: Network) -> Graph:
    """x -> o_t."""
    x, forward = forward_graph(rnn)
    return [x], output_probabilities(forward.output, rnn.symbolic), None


def states(rnn: Network) -> Graph:
    """x -> the packed states of all layers."""
    x, forward = forward_graph(rnn)
    return [x], all_states(forward.layers), None


def states_after(rnn: Network) -> Graph:
    """x, the packed states before the first step -> the packed states of all layers."""
    s_init = T.matrix("s_init", dtype=rnn.dtype)
    x, forward = forward_graph(rnn, s_init)
    return [x, s_init], all_states(forward.layers), None


def predict(rnn: Network) -> Graph:
    """x -> argmax o_t."""
    x, forward = forward_graph(rnn)
    return [x], most_probable(forward.output, rnn.symbolic), None


def target_log_probabilities(rnn: Network) -> Graph:
    """x, y, the packed states before the first step -> ln o_t[y_t], the packed states after the last step."""
    y, s_init = T.imatrix("y"), T.matrix("s_init", dtype=rnn.dtype)
    x, forward = forward_graph(rnn, s_init)
    values = log_probabilities(forward.output, rnn.symbolic, y)
    return [x, y, s_init], [values, last_states(forward.layers)], None


def next_log_probabilities(rnn: Network) -> Graph:
    """x_t, the packed states at t-1 -> ln o_t, the packed states at t."""
    word, s_prev = T.ivector("word"), T.matrix("s_prev", dtype=rnn.dtype)
    output, s = next_state(word, s_prev, rnn.symbolic)
    return [word, s_prev], [all_log_probabilities(output, rnn.symbolic), s], None


def chosen_log_probabilities(rnn: Network) -> Graph:
    """x_t, the packed states at t-1, rows i, words w -> ln o_t[w] in the rows i, the packed states at t."""
    word, s_prev = T.ivector("word"), T.matrix("s_prev", dtype=rnn.dtype)
    rows, chosen = T.ivector("rows"), T.ivector("chosen")
    output, s = next_state(word, s_prev, rnn.symbolic)
    values = chosen_log_softmax(outputs(output, rnn.symbolic), rows, chosen)
    return [word, s_prev, rows, chosen], [values, s], None


def bptt(rnn: Network) -> Graph:
    """x, y, mask -> one gradient per parameter."""
    inputs, found = loss_graph(rnn)
    return inputs, list(found.gradients.values()), None


def sgd_step(rnn: Network) -> Graph:
    """x, y, mask, η -> the loss. Updates θ ← θ - η ∂L/∂θ; in U, only the columns of words that occur in x."""
    inputs, found = loss_graph(rnn)
    learning_rate = T.scalar("learning_rate", dtype=rnn.dtype)
    updates = []
    for name, theta in zip(rnn.parameter_names, rnn.parameters, strict=True):
        if name == "U" and rnn.symbolic.E is None:
            updates.append((theta, add_to_columns(theta, inputs[0], -learning_rate * found.delta)))
        else:
            updates.append((theta, theta - learning_rate * found.gradients[name]))
    return [*inputs, learning_rate], found.loss, updates
