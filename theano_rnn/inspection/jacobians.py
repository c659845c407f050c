"""Norms of ∂s_t/∂s_k, the product of Jacobians through which errors flow back in time.

∂s_t/∂s_k = Π_{j=k+1..t} ∂s_j/∂s_{j-1} = Π_{j=k+1..t} diag(f'(j)) W      (tutorial part 3, the vanishing gradient)
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_choice
from theano_rnn.engines.engine import Apply, Op, T, as_numpy, compile_function, jnp, scan, xla_version
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.simple_cell import ACTIVATIONS

DTYPE = "float64"  # whatever the network's type: many small factors are multiplied


class SpectralNorms(Op):
    """The largest singular value of each matrix of a tensor (n, hidden_dim, hidden_dim)."""

    __props__ = ()

    def make_node(self, matrices: TensorVariable) -> Any:
        """Apply the operation to a symbolic tensor."""
        matrices = T.as_tensor_variable(matrices)
        return Apply(self, [matrices], [T.vector(dtype=matrices.dtype)])

    def perform(self, node: Any, inputs: list[np.ndarray], output_storage: list[list[np.ndarray | None]]) -> None:
        """Compute the operation with NumPy."""
        output_storage[0][0] = np.linalg.svd(inputs[0], compute_uv=False).max(axis=1)


@xla_version(SpectralNorms)
def _xla_spectral_norms(op: SpectralNorms, **kwargs: Any) -> Callable[[Any], Any]:
    return lambda matrices: jnp.linalg.svd(matrices, compute_uv=False).max(axis=1)


spectral_norms = SpectralNorms()


def jacobian_products(s: TensorVariable, W: TensorVariable, activation: str) -> tuple[TensorVariable, TensorVariable]:
    """Build the graph of ∂s_t/∂s_k and its norm for t = k+1, k+2, …, for many starts k side by side.

    Parameters
    ----------
    s : tensor (steps, starts, hidden_dim)
        The states s_{k+1}, s_{k+2}, … after each start k, which give the slopes f'.
    W : matrix (hidden_dim, hidden_dim)
    activation : {"tanh", "relu"}

    Returns
    -------
    products : tensor (steps, starts, hidden_dim, hidden_dim)
        Each matrix is transposed, so that one product with Wᵀ takes all of them a step further.
    norms : matrix (steps, starts)
        A function that returns only the norms never holds more than one step's products.
    """
    _, slope = ACTIVATIONS[activation]
    starts, hidden_dim = s.shape[1], s.shape[2]

    def step(slope_t: TensorVariable, previous: TensorVariable, W: TensorVariable) -> tuple[Any, Any]:
        times_W = previous.reshape((-1, previous.shape[2])).dot(W.T).reshape(previous.shape)
        products = times_W * slope_t[:, None, :]
        return products, spectral_norms(products)

    return scan(
        step,
        sequences=slope(s),
        outputs_info=[T.tile(T.eye(hidden_dim, dtype=s.dtype)[None, :, :], (starts, 1, 1)), None],
        non_sequences=[W],
        n_steps=s.shape[0],
        strict=True,
    )


@functools.cache
def _compiled_norms(activation: str) -> Callable[..., Any]:
    def build() -> tuple[list[TensorVariable], TensorVariable, None]:
        s, W = T.tensor3("s"), T.matrix("W")
        return [s, W], jacobian_products(s, W, activation)[1], None

    return compile_function(build, DTYPE)


def jacobian_norms(s: npt.ArrayLike, W: npt.ArrayLike, activation: str) -> npt.NDArray[np.float64]:
    """Compute ‖∂s_t/∂s_k‖₂ for t = k+1, k+2, …: the largest factor by which a change of s_k arrives at s_t.

    Parameters
    ----------
    s : array_like of shape (steps, starts, hidden_dim)
        The states after each start k.
    W : array_like of shape (hidden_dim, hidden_dim)
    activation : {"tanh", "relu"}

    Returns
    -------
    float64 array of shape (steps, starts)

    Raises
    ------
    ArgumentValueError
        If the shapes do not fit each other, or for another activation.

    Examples
    --------
    One hidden unit whose state stays at 0, where the slope of tanh is 1:

    >>> jacobian_norms([[[0.0]], [[0.0]], [[0.0]]], [[0.5]], "tanh")
    array([[0.5  ],
           [0.25 ],
           [0.125]])
    """
    check_choice("activation", activation, ACTIVATIONS)
    s, W = np.asarray(s, DTYPE), np.asarray(W, DTYPE)
    if W.ndim != 2 or W.shape[0] != W.shape[1] or not len(W):
        raise ArgumentValueError(f"W: expected a square matrix, got shape {W.shape}")
    if s.ndim != 3 or s.shape[2] != len(W) or 0 in s.shape:
        raise ArgumentValueError(f"s: expected states of shape (steps, starts, {len(W)}), got {s.shape}")
    return as_numpy(_compiled_norms(activation)(s, W))
