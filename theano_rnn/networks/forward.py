"""Forward propagation: from word ids to states, probabilities and the loss (tutorial part 2).

Symbolic expressions only. Word ids have the shape (steps, batch_size), vectors (steps, batch_size, n). A single
sentence is a minibatch of size one. `mask` is 1 for words and 0 for the padding after the end of a sentence.

    x_t                                  word ids
     |   gather columns of U, all t at once
    a_t = U[:, x_t]
     |   the only loop: scan
    s_t = f(a_t + W s_{t-1})             a second layer reads s_t in place of x_t: a_t = U2 s_t
     |   one product for all t
    o_t = softmax(V s_t + c)
"""

from collections.abc import Sequence
from typing import NamedTuple

from theano_rnn.engines.array_functions import concatenate, repeated
from theano_rnn.engines.engine import T, axis_length, scan, with_last_axis_length
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.architecture import Architecture, Layer, SymbolicNetwork
from theano_rnn.networks.cells import Cell
from theano_rnn.networks.softmax import log_softmax, softmax, softmax_cross_entropy, softmax_log_probability


class LayerStates(NamedTuple):
    """The forward pass of one layer, for all t.

    Attributes
    ----------
    vectors : tensor (steps, batch_size, n) or None
        The inputs of the layer; None if it reads one-hot words.
    a : tensor (steps, batch_size, gates * hidden_dim)
        U x_t + b.
    kept : list of tensors (steps, batch_size, hidden_dim)
        What the backward pass needs besides the states; see `Cell.kept`.
    previous, state : lists of tensors (steps, batch_size, hidden_dim)
        The matrices of the states at t-1 and at t. The first is s.
    """

    vectors: TensorVariable | None
    a: TensorVariable
    kept: list[TensorVariable]
    previous: list[TensorVariable]
    state: list[TensorVariable]


class ForwardPass(NamedTuple):
    """The layers from the bottom to the top, and the input of the softmax: tensor (steps, batch_size, hidden_dim)."""

    layers: list[LayerStates]
    output: TensorVariable


def rows(array: TensorVariable) -> TensorVariable:
    """(steps, batch_size, n) -> (steps * batch_size, n)."""
    return array.reshape((-1, axis_length(array, -1)))


def by_step(matrix: TensorVariable, x: TensorVariable) -> TensorVariable:
    """The inverse of `rows`, with steps and batch_size from the word ids x."""
    # The lengths are taken from x, because XLA knows the shapes of inputs when it compiles, but not always those of
    # computed arrays.
    return matrix.reshape((x.shape[0], x.shape[1], axis_length(matrix, -1)))


def with_bias(array: TensorVariable, bias: TensorVariable | None) -> TensorVariable:
    """array + bias, or the array if there is no bias."""
    return array if bias is None else array + bias


def columns(x: TensorVariable, U: TensorVariable) -> TensorVariable:
    """U x_t for one-hot x_t, which is column x_t of U: word ids (steps, batch_size) -> (steps, batch_size, n)."""
    return by_step(U.T[x.reshape((-1,))], x)


def input_activations(x: TensorVariable, vectors: TensorVariable | None, layer: Layer) -> TensorVariable:
    """a_t = U x_t + b for all t, as (steps, batch_size, gates * hidden_dim).

    x_t is a vector if `vectors` (steps, batch_size, n) are given, else a one-hot word.
    """
    if vectors is None:
        return with_bias(columns(x, layer.U), layer.b)
    return by_step(with_bias(rows(vectors).dot(layer.U.T), layer.b), x)


def recurrent_activations(s_prev: TensorVariable, WT: TensorVariable, r: TensorVariable | None) -> TensorVariable:
    """q_t = W s_{t-1} + r, where r is added to the block of the last gate: (batch_size, gates * hidden_dim)."""
    q = s_prev.dot(WT)
    if r is None:
        return q
    return q + concatenate([repeated((0,), axis_length(WT, 1) - axis_length(WT, 0), like=r), r])


def layer_states(
    x: TensorVariable,
    vectors: TensorVariable | None,
    initial: Sequence[TensorVariable],
    layer: Layer,
    cell: Cell,
) -> LayerStates:
    """Compute the states of a layer for all t. For the tutorial's cell, s_t = f(U x_t + W s_{t-1}).

    Parameters
    ----------
    x : matrix (steps, batch_size)
        Word ids.
    vectors : tensor (steps, batch_size, n), optional
        The inputs of the layer. By default it reads one-hot words.
    initial : sequence of matrices (batch_size, hidden_dim)
        The state before the first step.
    layer : Layer
    cell : Cell

    Returns
    -------
    LayerStates
    """
    count = len(cell.state_names)

    def step(a_t: TensorVariable, *others: TensorVariable) -> list[TensorVariable]:
        previous, (WT, *r) = others[:count], others[count:]
        q_t = recurrent_activations(previous[0], WT, r[0] if r else None)
        return [*cell.next_state(a_t, q_t, *previous), *cell.kept(a_t, q_t)]

    a = input_activations(x, vectors, layer)
    found = scan(
        step,
        sequences=[a],
        outputs_info=[*initial, *([None] * len(cell.kept(a, a)))],
        # Transposing W inside the loop makes it up to a quarter slower.
        non_sequences=[layer.W.T] if layer.r is None else [layer.W.T, layer.r],
        n_steps=x.shape[0],
        strict=True,
    )
    arrays = found if isinstance(found, list) else [found]
    arrays = [with_last_axis_length(array, axis_length(layer.W, 1)) for array in arrays]
    state, kept = arrays[:count], arrays[count:]
    previous = [T.concatenate([first[None, :, :], s[:-1]], axis=0) for first, s in zip(initial, state, strict=True)]
    return LayerStates(vectors, a, kept, previous, state)


def forward_pass(
    x: TensorVariable, s_init: TensorVariable, network: SymbolicNetwork, dropout_mask: TensorVariable | None = None
) -> ForwardPass:
    """Compute all layers, one after the other.

    Parameters
    ----------
    x : matrix (steps, batch_size)
        Word ids.
    s_init : matrix (batch_size, state_dim)
        The packed states before the first step.
    network : SymbolicNetwork
    dropout_mask : matrix (batch_size, dropout_dim), optional
        Factors of the embeddings and of each layer's states, the same for all t. The default is no dropout.
    """
    below, *masks = layer_masks(dropout_mask, network.architecture)
    vectors = None if network.E is None else dropped(columns(x, network.E.T), below)
    layers = []
    for initial, layer, mask in zip(unpacked(s_init, network.architecture), network.layers, masks, strict=True):
        layers.append(layer_states(x, vectors, initial, layer, network.cell))
        vectors = dropped(layers[-1].state[0], mask)
    return ForwardPass(layers, vectors)


def dropped(vectors: TensorVariable, mask: TensorVariable | None) -> TensorVariable:
    """Multiply vectors by the dropout mask of their text (Gal and Ghahramani 2016)."""
    return vectors if mask is None else vectors * mask


def layer_masks(dropout_mask: TensorVariable | None, architecture: Architecture) -> list[TensorVariable | None]:
    """Split a dropout mask: the part for the embeddings, if any, then those for the states of each layer."""
    if dropout_mask is None:
        return [None] * (architecture.layers + 1)
    start, parts = architecture.embedding_dim or 0, []
    parts.append(dropout_mask[:, :start] if start else None)
    for layer in range(architecture.layers):
        begin = start + layer * architecture.hidden_dim
        parts.append(dropout_mask[:, begin : begin + architecture.hidden_dim])
    return parts


def unpacked(state: TensorVariable, architecture: Architecture) -> list[list[TensorVariable]]:
    """Split packed states (batch_size, state_dim) into the state matrices of each layer, (batch_size, hidden_dim)."""
    count, width = len(architecture.recurrent_cell.state_names), architecture.hidden_dim
    if architecture.state_dim == width:
        return [[state]]
    matrices = [state[:, begin : begin + width] for begin in range(0, architecture.state_dim, width)]
    return [matrices[begin : begin + count] for begin in range(0, len(matrices), count)]


def packed(states: Sequence[TensorVariable]) -> TensorVariable:
    """Join state matrices side by side, the inverse of `unpacked`."""
    return states[0] if len(states) == 1 else concatenate(states, axis=-1)


def all_states(layers: Sequence[LayerStates]) -> TensorVariable:
    """The packed states of all layers for all t: (steps, batch_size, state_dim)."""
    return packed([matrix for layer in layers for matrix in layer.state])


def last_states(layers: Sequence[LayerStates]) -> TensorVariable:
    """The packed states after the last step: (batch_size, state_dim)."""
    return packed([matrix[-1] for layer in layers for matrix in layer.state])


def next_state(
    word: TensorVariable, s_prev: TensorVariable, network: SymbolicNetwork
) -> tuple[TensorVariable, TensorVariable]:
    """Compute one step of all layers.

    Parameters
    ----------
    word : vector (batch_size,)
        The words x_t.
    s_prev : matrix (batch_size, state_dim)
        The packed states at t-1.
    network : SymbolicNetwork

    Returns
    -------
    output : matrix (batch_size, hidden_dim)
        s_t of the top layer, which the softmax reads.
    s : matrix (batch_size, state_dim)
        The packed states at t.
    """
    states: list[TensorVariable] = []
    vector: TensorVariable | None = None if network.E is None else network.E[word]
    for previous, layer in zip(unpacked(s_prev, network.architecture), network.layers, strict=True):
        a_t = with_bias(layer.U.T[word] if vector is None else vector.dot(layer.U.T), layer.b)
        state = network.cell.next_state(a_t, recurrent_activations(previous[0], layer.W.T, layer.r), *previous)
        states += state
        vector = state[0]
    return vector, packed(states)


def output_of_states(states: TensorVariable, network: SymbolicNetwork) -> TensorVariable:
    """The part of packed states (steps, batch_size, state_dim) that the softmax reads: s of the top layer.

    Returns
    -------
    tensor (steps, batch_size, hidden_dim)
    """
    return states[:, :, network.architecture.top_columns]


def outputs(s: TensorVariable, network: SymbolicNetwork) -> TensorVariable:
    """V s_t + c for rows s (n, hidden_dim): (n, word_dim)."""
    return with_bias(s.dot(network.V.T), network.c)


def output_probabilities(s: TensorVariable, network: SymbolicNetwork) -> TensorVariable:
    """o_t = softmax(V s_t + c), as (steps * batch_size, word_dim)."""
    return softmax(outputs(rows(s), network))


def most_probable(s: TensorVariable, network: SymbolicNetwork) -> TensorVariable:
    """argmax o_t, which is argmax V s_t + c, as (steps * batch_size,)."""
    return T.argmax(outputs(rows(s), network), axis=1)


def all_log_probabilities(s: TensorVariable, network: SymbolicNetwork) -> TensorVariable:
    """ln o_t for all words in nats, for rows s (n, hidden_dim): (n, word_dim)."""
    return log_softmax(outputs(s, network))


def log_probabilities(s: TensorVariable, network: SymbolicNetwork, y: TensorVariable) -> TensorVariable:
    """ln o_t[y_t] in nats, as (steps, batch_size)."""
    values = softmax_log_probability(rows(s), network.V, network.c, y.reshape((-1,)))
    return values.reshape((y.shape[0], y.shape[1]))


class OutputGradients(NamedTuple):
    """The loss and its gradients with respect to s, V and c.

    Attributes
    ----------
    loss : scalar
        L in nats, summed.
    ds : tensor (steps, batch_size, hidden_dim)
        ∂L_t/∂s_t, without the error that flows back from later steps.
    dV : matrix (word_dim, hidden_dim)
    dc : vector (word_dim,) or None
    """

    loss: TensorVariable
    ds: TensorVariable
    dV: TensorVariable
    dc: TensorVariable | None


def cross_entropy(
    s: TensorVariable, network: SymbolicNetwork, y: TensorVariable, mask: TensorVariable
) -> OutputGradients:
    """L = -Σ ln o_t[y_t] over all words of the minibatch, with its gradients with respect to s, V and c."""
    weights = T.cast(mask, s.dtype).reshape((-1,))
    loss, ds, dV, dc = softmax_cross_entropy(rows(s), network.V, network.c, y.reshape((-1,)), weights)
    return OutputGradients(loss, by_step(ds, y), dV, dc)
