"""Norms of ∂s_t/∂s_k, the product of Jacobians through which errors flow back in time.

∂s_t/∂s_k = Π_{j=k+1..t} ∂s_j/∂s_{j-1} = Π_{j=k+1..t} diag(f'(j)) W      (tutorial part 3, the vanishing gradient)

This holds for a single layer of the tutorial's cell. For all other networks, see `state_jacobians`.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_choice
from theano_rnn.engines.engine import Apply, Op, T, as_numpy, compile_function, jax, jnp, scan, xla_version
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.simple_cell import ACTIVATIONS

DTYPE = "float64"  # regardless of the network's type, because many small factors are multiplied
MAX_POWER, PRECISION = 2.0**50, 1e-14  # stopping criteria of `largest_singular_values`


def largest_singular_values(matrices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Compute the largest singular value of each matrix M: √λ with λ = lim trace((M Mᵀ)ⁿ)^(1/n) for n = 1, 2, 4, …

    This is Gelfand's formula. It is as accurate as a singular value decomposition, and much faster for matrices with
    few rows or on a busy machine, because it consists of large products.

    Parameters
    ----------
    matrices : array (n, rows, columns)

    Returns
    -------
    array (n,)

    Examples
    --------
    >>> largest_singular_values(np.array([[[3.0, 4.0], [0.0, 0.0]]]))
    array([5.])
    """
    state = _first_power(matrices, np)
    while _is_unfinished(state, np):
        state = _next_power(state, np)
    return state.scale * np.exp(state.log_lambda / 2)


class _Power(NamedTuple):
    """A step of `largest_singular_values`.

    Attributes
    ----------
    power : array (matrices, rows, rows)
        (M Mᵀ)ⁿ, scaled so that its trace is 1.
    n : float
    log_lambda, change : arrays (matrices,)
        The estimate of ln λ, and its last change.
    scale : array (matrices,)
        The factor by which each matrix was divided at the beginning.
    """

    power: Any
    n: Any
    log_lambda: Any
    change: Any
    scale: Any


def _first_power(matrices: Any, xp: Any) -> _Power:
    scale = xp.abs(matrices).max(axis=(1, 2))  # without scaling, squares of tiny numbers would underflow to zero
    scaled = matrices / xp.where(scale > 0, scale, 1)[:, None, None]
    zero = xp.zeros_like(scale)
    return _next_power(_Power(scaled @ scaled.swapaxes(1, 2), 0.5, zero, zero, scale), xp, squared=False)


def _next_power(state: _Power, xp: Any, squared: bool = True) -> _Power:
    power = state.power @ state.power if squared else state.power
    trace = xp.trace(power, axis1=1, axis2=2)
    trace, n = xp.where(trace > 0, trace, 1), 2 * state.n
    change = xp.log(trace) / n
    return _Power(power / trace[:, None, None], n, state.log_lambda + change, change, state.scale)


def _is_unfinished(state: _Power, xp: Any) -> Any:
    """Return whether to continue: n is not too large, and the last step changed an estimate of ln λ."""
    return (state.n < MAX_POWER) & (xp.abs(state.change).max() > PRECISION)


class SpectralNorms(Op):
    """The largest singular value of each matrix of a tensor (n, rows, columns)."""

    __props__ = ()

    def make_node(self, matrices: TensorVariable) -> Any:
        """Apply the operation to a symbolic tensor."""
        matrices = T.as_tensor_variable(matrices)
        return Apply(self, [matrices], [T.vector(dtype=matrices.dtype)])

    def perform(self, node: Any, inputs: list[np.ndarray], output_storage: list[list[np.ndarray | None]]) -> None:
        """Compute the operation with NumPy."""
        output_storage[0][0] = largest_singular_values(inputs[0])


@xla_version(SpectralNorms)
def _xla_spectral_norms(op: SpectralNorms, **kwargs: Any) -> Callable[[Any], Any]:
    def largest(matrices: Any) -> Any:
        state = _first_power(matrices, jnp)
        state = jax.lax.while_loop(
            lambda power: _is_unfinished(power, jnp), lambda power: _next_power(power, jnp), state
        )
        return state.scale * jnp.exp(state.log_lambda / 2)

    return largest


spectral_norms = SpectralNorms()


def jacobian_products(s: TensorVariable, W: TensorVariable, activation: str) -> tuple[TensorVariable, TensorVariable]:
    """Build the graph of ∂s_t/∂s_k and its norm for t = k+1, k+2, …, for many starts k at once.

    Parameters
    ----------
    s : tensor (steps, starts, hidden_dim)
        The states s_{k+1}, s_{k+2}, … after each start k, which determine the slopes f'.
    W : matrix (hidden_dim, hidden_dim)
    activation : {"tanh", "relu"}

    Returns
    -------
    products : tensor (steps, starts, hidden_dim, hidden_dim)
        Transposed Jacobians, so that a single product with Wᵀ advances all of them by one step.
    norms : matrix (steps, starts)
        If a compiled function returns only the norms, the products of a single step are in memory at a time.
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
    """Compute ‖∂s_t/∂s_k‖₂ for t = k+1, k+2, …: the largest factor by which a change of s_k is amplified in s_t.

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
        If the shapes do not match, or the activation is unknown.

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
