"""How far a state reaches: the norm of ∂s_t/∂s_k, the product of Jacobians along which errors flow back.

∂s_t/∂s_k = Π_{j=k+1..t} ∂s_j/∂s_{j-1} = Π_{j=k+1..t} diag(f'(j)) W      (tutorial part 3, the vanishing gradient)
"""

import functools

import numpy as np

from theano_rnn.checks import check_choice
from theano_rnn.engines.engine import Apply, Op, T, as_numpy, compile_function, jnp, scan, xla_version
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.simple_cell import ACTIVATIONS

DTYPE = "float64"  # whatever the network's type: products of many small factors


class SpectralNorms(Op):
    """The largest singular value of each of (n, hidden_dim, hidden_dim): by how much it can lengthen a vector."""

    __props__ = ()

    def make_node(self, matrices):
        matrices = T.as_tensor_variable(matrices)
        return Apply(self, [matrices], [T.vector(dtype=matrices.dtype)])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = np.linalg.svd(inputs[0], compute_uv=False).max(axis=1)


@xla_version(SpectralNorms)
def xla_spectral_norms(op, **kwargs):
    return lambda matrices: jnp.linalg.svd(matrices, compute_uv=False).max(axis=1)


spectral_norms = SpectralNorms()


def jacobian_products(s, W, activation):
    """∂s_t/∂s_k and its norm for t = k+1, k+2, …, from many starts k side by side, by `scan`.

    Parameters
    ----------
    s : tensor (steps, starts, hidden_dim)
        s_{k+1}, s_{k+2}, … of each start k; they tell the slopes f'.
    W : matrix (hidden_dim, hidden_dim)
    activation : {"tanh", "relu"}

    Returns
    -------
    products : tensor (steps, starts, hidden_dim, hidden_dim)
        Each transposed, so that one product with Wᵀ takes all of them a step on.
    norms : matrix (steps, starts)
        A function that gives only these never holds more than one step's products.
    """
    _, slope = ACTIVATIONS[activation]
    starts, hidden_dim = s.shape[1], s.shape[2]

    def step(slope_t, previous, W):
        onwards = previous.reshape((-1, previous.shape[2])).dot(W.T).reshape(previous.shape)
        products = onwards * slope_t[:, None, :]
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
def compiled_norms(activation):
    def build():
        s, W = T.tensor3("s"), T.matrix("W")
        return [s, W], jacobian_products(s, W, activation)[1], None

    return compile_function(build, DTYPE)


def jacobian_norms(s, W, activation):
    """‖∂s_t/∂s_k‖₂ for t = k+1, k+2, …: the largest factor by which a change of s_k comes out at s_t.

    Parameters
    ----------
    s : array (steps, starts, hidden_dim)
        The states that follow each start k.
    W : array (hidden_dim, hidden_dim)
    activation : {"tanh", "relu"}

    Returns
    -------
    float64 array (steps, starts)

    Raises
    ------
    ValueError
        For shapes that do not fit, and another activation.
    """
    check_choice("activation", activation, ACTIVATIONS)
    s, W = np.asarray(s, DTYPE), np.asarray(W, DTYPE)
    if W.ndim != 2 or W.shape[0] != W.shape[1] or not len(W):
        raise ArgumentValueError(f"W: expected a square matrix, got shape {W.shape}")
    if s.ndim != 3 or s.shape[2] != len(W) or 0 in s.shape:
        raise ArgumentValueError(f"s: expected states of shape (steps, starts, {len(W)}), got {s.shape}")
    return as_numpy(compiled_norms(activation)(s, W))
