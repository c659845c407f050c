"""Norms of ∂s_t/∂s_k for networks with any cell and any number of layers.

Errors flow back from s_t of the top layer, which the output reads, to the whole state at step k: s_k of all layers,
including c_k in an LSTM. The factor of each step is the Jacobian of the whole state with respect to the previous state,
as in Pascanu, Mikolov and Bengio (2013). The first factor selects s_t of the top layer from the last state:

    ∂s_t/∂s_k = [0 … 1 … 0] Π_{j=k+1..t} ∂(state at j)/∂(state at j-1)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import (
    Apply,
    Op,
    T,
    as_numpy,
    axis_length,
    compile_function,
    jnp,
    scan,
    typed_tensor,
    xla_version,
)
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.inspection.jacobians import DTYPE, spectral_norms
from theano_rnn.networks.architecture import Architecture, SymbolicNetwork
from theano_rnn.networks.forward import packed, recurrent_activations, unpacked, with_bias

ELEMENTS_AT_ONCE = 4_000_000  # maximum size of the products of one step


class BatchedProduct(Op):
    """The products of n pairs of matrices: tensors (n, rows, m) and (n, m, columns)."""

    # The original Theano's own operation does not compile without a BLAS library.
    __props__ = ()

    def make_node(self, left: TensorVariable, right: TensorVariable) -> Any:
        """Apply the operation to two symbolic tensors."""
        return Apply(self, [left, right], [T.tensor3(dtype=left.dtype)])

    def perform(self, node: Any, inputs: list[np.ndarray], output_storage: list[list[np.ndarray | None]]) -> None:
        """Compute the operation with NumPy."""
        output_storage[0][0] = np.matmul(*inputs)


@xla_version(BatchedProduct)
def _xla_batched_product(op: BatchedProduct, **kwargs: Any) -> Callable[[Any, Any], Any]:
    return lambda left, right: jnp.matmul(left, right)


batched_product = BatchedProduct()


class StepSlopes(NamedTuple):
    """The elementwise derivatives of a layer's state at t with respect to the inputs of its cell.

    In the shapes, `states` is the number of matrices in a layer's state.

    Attributes
    ----------
    a, q : tensors (steps, ends, states, gates * hidden_dim)
        Derivatives with respect to a_t and q_t.
    previous : tensor (steps, ends, states, states, hidden_dim)
        Derivatives with respect to the matrices of the state at t-1, without the part through q_t.
    """

    a: TensorVariable
    q: TensorVariable
    previous: TensorVariable


def step_slopes(x: TensorVariable, s_prev: TensorVariable, network: SymbolicNetwork) -> list[StepSlopes]:
    """Build the graph of the slopes of many separate steps, from the backward pass of the cell.

    Parameters
    ----------
    x : matrix (steps, ends)
        The word that each step reads.
    s_prev : tensor (steps, ends, state_dim)
        The packed states before each step.
    network : SymbolicNetwork

    Returns
    -------
    list of StepSlopes
        One for each layer.
    """
    cell, all_slopes = network.cell, []
    gates, hidden_dim = len(cell.gates), network.architecture.hidden_dim
    words, shape = x.reshape((-1,)), (x.shape[0], x.shape[1])
    states = s_prev.reshape((-1, network.architecture.state_dim))
    vectors = None if network.E is None else network.E[words]
    for previous, layer in zip(unpacked(states, network.architecture), network.layers, strict=True):
        a = with_bias(layer.U.T[words] if vectors is None else vectors.dot(layer.U.T), layer.b)
        q = recurrent_activations(previous[0], layer.W.T, layer.r)
        state = cell.next_state(a, q, *previous)
        saved = cell.saved(cell.kept(a, q), previous, state)
        one, zero = T.ones_like(state[0]), T.zeros_like(state[0])
        # The cell is elementwise, so the backward pass of a matrix of ones gives the derivative of each element.
        results = [
            cell.backward([one if i == j else zero for j in range(len(state))], saved) for i in range(len(state))
        ]
        by_state = [[da, dq, *(zero if slope is None else slope for slope in direct)] for da, dq, direct in results]
        widths = [gates * hidden_dim, gates * hidden_dim, *[hidden_dim] * len(state)]
        columns = [
            T.stack([array.reshape((*shape, width)) for array in arrays], axis=2)
            for width, arrays in zip(widths, zip(*by_state, strict=True), strict=True)
        ]
        all_slopes.append(StepSlopes(columns[0], columns[1], T.stack(columns[2:], axis=3)))
        vectors = state[0]
    return all_slopes


def previous_errors(
    errors: Sequence[TensorVariable], slopes: Sequence[StepSlopes], network: SymbolicNetwork
) -> list[TensorVariable]:
    """Propagate errors back by one step through all layers, by multiplying them by the Jacobian of the step.

    Parameters
    ----------
    errors : list of tensors (ends, n, states * hidden_dim)
        For each layer, n errors with respect to its part of the packed state at t.
    slopes : list of StepSlopes
        The slopes of this step, without the axis of steps.
    network : SymbolicNetwork

    Returns
    -------
    list of tensors
        The errors with respect to the state at t-1, in the same form as `errors`.
    """
    states, width = range(len(network.cell.state_names)), network.architecture.hidden_dim
    before: list[TensorVariable] = []
    from_above = None
    for own, (a, q, previous), layer in reversed(list(zip(errors, slopes, network.layers, strict=True))):
        parts = [own[:, :, i * width : (i + 1) * width] for i in states]
        if from_above is not None:
            parts[0] = parts[0] + from_above
            own = packed(parts)
        direct = [sum(parts[i] * previous[:, i, j][:, None, :] for i in states) for j in states]
        direct[0] = direct[0] + batched_product(own, _jacobian(q, layer.W, network))
        before.insert(0, packed(direct))
        if len(before) < len(errors):
            from_above = batched_product(own, _jacobian(a, layer.U, network))
    return before


def _jacobian(slopes: TensorVariable, weights: TensorVariable, network: SymbolicNetwork) -> TensorVariable:
    """Return Σ diag(slope) (weights) over the gates: (ends, states * hidden_dim, columns of the weights)."""
    gates, width = len(network.cell.gates), network.architecture.hidden_dim
    states, columns = len(network.cell.state_names), axis_length(weights, 1)
    by_gate = slopes.reshape((-1, states, gates, width, 1)) * weights.reshape((1, 1, gates, width, columns))
    return by_gate.sum(axis=2).reshape((-1, states * width, columns))


def state_jacobian_products(
    x: TensorVariable, s_prev: TensorVariable, network: SymbolicNetwork
) -> tuple[list[TensorVariable], TensorVariable]:
    """Build the graph of ∂s_t/∂(state at k) and its norm for k = t-1, t-2, …, for many ends t at once.

    Parameters
    ----------
    x : matrix (steps, ends)
        The words that the network reads at t, t-1, ….
    s_prev : tensor (steps, ends, state_dim)
        The packed states before these words.
    network : SymbolicNetwork

    Returns
    -------
    products : list of tensors (steps, ends, hidden_dim, states * hidden_dim)
        One tensor per layer, for its part of the state at k. The rows are the units of s_t of the top layer.
    norms : matrix (steps, ends)
        If a compiled function returns only the norms, the products of a single step are in memory at a time.
    """
    architecture, names = network.architecture, list(network.parameters)
    slopes = [array for layer_slopes in step_slopes(x, s_prev, network) for array in layer_slopes]

    def step(*arguments: TensorVariable) -> list[TensorVariable]:
        step_arrays, rest = arguments[: len(slopes)], arguments[len(slopes) :]
        errors, values = rest[: architecture.layers], rest[architecture.layers :]
        inner = SymbolicNetwork(architecture, dict(zip(names, values, strict=True)))
        by_layer = [StepSlopes(*step_arrays[i : i + 3]) for i in range(0, len(step_arrays), 3)]
        products = previous_errors(errors, by_layer, inner)
        return [*products, spectral_norms(packed(products))]

    # The size is symbolic, because scan rejects an initial value whose known length is 1, as for a single unit.
    width = architecture.state_dim // architecture.layers
    identity = T.eye(x.shape[1] * 0 + architecture.state_dim, dtype=DTYPE)[architecture.top_columns]
    parts = [identity[None, :, i : i + width] for i in range(0, architecture.state_dim, width)]
    at_t = [T.tile(part, (x.shape[1], 1, 1)) for part in parts]
    *products, norms = scan(
        step,
        sequences=slopes,
        outputs_info=[*at_t, None],
        non_sequences=[network.parameters[name] for name in names],
        n_steps=x.shape[0],
        strict=True,
    )
    return products, norms


def state_jacobian_norms(
    x: npt.ArrayLike, s_prev: npt.ArrayLike, values: Mapping[str, npt.NDArray[Any]], architecture: Architecture
) -> npt.NDArray[np.float64]:
    """Compute ‖∂s_t/∂(state at k)‖₂ for k = t-1, t-2, …: the largest factor by which
    an error of s_t is multiplied on its way back to k.

    s_t is the state of the top layer. The state at k is the packed state: s_k of all layers, including c_k in an LSTM.

    Parameters
    ----------
    x : array_like of int, shape (steps, ends)
        The words that the network reads at t, t-1, …, for each end t.
    s_prev : array_like of shape (steps, ends, state_dim)
        The packed states before these words.
    values : dict of str to array
        The parameters by name.
    architecture : Architecture

    Returns
    -------
    float64 array of shape (steps, ends)

    Examples
    --------
    One unit whose state stays at 0, where the slope of tanh is 1, and whose input is 0:

    >>> values = {"U": np.zeros((1, 2)), "V": np.zeros((2, 1)), "W": np.array([[0.5]])}
    >>> state_jacobian_norms([[0], [0], [0]], np.zeros((3, 1, 1)), values, Architecture(2, 1))
    array([[0.5  ],
           [0.25 ],
           [0.125]])
    """
    words, states = np.asarray(x, np.int32), np.asarray(s_prev, DTYPE)

    def build() -> tuple[list[TensorVariable], TensorVariable, None]:
        network = symbolic_network(architecture)
        x, s_prev = T.imatrix("x"), typed_tensor("s_prev", DTYPE, (None, None, architecture.state_dim))
        return [x, s_prev, *network.parameters.values()], state_jacobian_products(x, s_prev, network)[1], None

    function = compile_function(build, DTYPE)
    arrays = [np.asarray(values[name], DTYPE) for name in architecture.parameter_shapes]
    at_once = max(1, ELEMENTS_AT_ONCE // (architecture.hidden_dim * architecture.state_dim))
    parts = [slice(begin, begin + at_once) for begin in range(0, words.shape[1], at_once)]
    norms = [as_numpy(function(words[:, part], states[:, part], *arrays)) for part in parts]
    return np.concatenate(norms, axis=1)


def symbolic_network(architecture: Architecture) -> SymbolicNetwork:
    """Create a network whose parameters are inputs of a graph, in float64."""
    shapes = architecture.parameter_shapes.items()
    return SymbolicNetwork(architecture, {name: typed_tensor(name, DTYPE, shape) for name, shape in shapes})
