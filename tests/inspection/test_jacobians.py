"""The product of Jacobians, compared with plain NumPy loops, finite differences and theano.grad, in float64."""

from typing import Any

import numpy as np
import pytest

from theano_rnn.engines.engine import T, compile_function, theano, typed_tensor
from theano_rnn.inspection.jacobians import jacobian_norms, jacobian_products, largest_singular_values, spectral_norms
from theano_rnn.networks.architecture import Layer
from theano_rnn.networks.forward import layer_states
from theano_rnn.networks.rnn import RNN
from theano_rnn.networks.simple_cell import SimpleCell

STEPS, HIDDEN_DIM = 6, 4
both_activations = pytest.mark.parametrize("activation", ["tanh", "relu"])


def network(activation: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs a (STEPS, HIDDEN_DIM), W and the states s_0, s_1, …; ReLU sets some of the states to zero, not all."""
    generator = np.random.default_rng(5)
    a, W = generator.normal(0.8, 1, (STEPS, HIDDEN_DIM)), generator.normal(size=(HIDDEN_DIM, HIDDEN_DIM))
    return a, W, states(a, W, np.zeros(HIDDEN_DIM), activation)


def states(a: np.ndarray, W: np.ndarray, s: np.ndarray, activation: str) -> np.ndarray:
    f: Any = np.tanh if activation == "tanh" else lambda z: np.maximum(z, 0)
    found = []
    for a_t in a:
        s = f(a_t + W @ s)
        found.append(s)
    return np.array(found)


def products_by_loop(s: np.ndarray, W: np.ndarray, activation: str) -> np.ndarray:
    """∂s_t/∂s_0 for t = 1, 2, …, as the product of Jacobians in the tutorial."""
    product, found = np.eye(HIDDEN_DIM), []
    for s_t in s[1:]:
        slope = 1 - s_t**2 if activation == "tanh" else (s_t > 0).astype(float)
        product = np.diag(slope) @ W @ product
        found.append(product)
    return np.array(found)


def compiled_products(activation: str) -> Any:
    def build() -> Any:
        s, W = T.tensor3("s"), T.matrix("W")
        return [s, W], jacobian_products(s, W, activation)[0], None

    return compile_function(build, "float64")


@both_activations
def test_products_agree_with_finite_differences_of_the_forward_pass(activation: str) -> None:
    a, W, s = network(activation)
    found = np.asarray(compiled_products(activation)(s[1:, None], W))[:, 0].transpose(0, 2, 1)
    h = 1e-6
    for k in range(HIDDEN_DIM):
        change = h * np.eye(HIDDEN_DIM)[k]
        up, down = (states(a[1:], W, s[0] + sign * change, activation) for sign in (1, -1))
        np.testing.assert_allclose(found[:, :, k], (up - down) / (2 * h), rtol=1e-8, atol=1e-8)
    assert np.abs(found[-1]).max() > 1e-3  # not only zeros were compared


@pytest.mark.parametrize("activation", ["tanh", pytest.param("relu", marks=pytest.mark.slow)])
def test_products_agree_with_theano_grad_of_the_forward_scan(activation: str) -> None:
    a, W, s = network(activation)

    def build() -> Any:
        a = typed_tensor("a", "float64", (None, 1, HIDDEN_DIM))
        W = typed_tensor("W", "float64", (HIDDEN_DIM, HIDDEN_DIM))
        s_init = T.matrix("s_init")
        layer, x = Layer(np.eye(HIDDEN_DIM), W, None, None), T.zeros((a.shape[0], 1), dtype="int32")
        s_last = layer_states(x, a, [s_init], layer, SimpleCell(activation)).state[0][-1, 0]
        rows = [theano.grad(s_last[i], s_init) for i in range(HIDDEN_DIM)]
        return [a, W, s_init], T.concatenate(rows, axis=0), None

    jacobian = np.asarray(compile_function(build, "float64")(a[1:, None], W, s[:1]))
    found = np.asarray(compiled_products(activation)(s[1:, None], W))[-1, 0].T
    np.testing.assert_allclose(found, jacobian, rtol=1e-8, atol=1e-12)


@both_activations
def test_norms_are_the_largest_singular_values_for_each_start(activation: str) -> None:
    _, W, s = network(activation)
    starts = np.stack([s, s[::-1]], axis=1)
    found = jacobian_norms(starts[1:], W, activation)
    for column in range(2):
        expected = [np.linalg.norm(one, 2) for one in products_by_loop(starts[:, column], W, activation)]
        np.testing.assert_allclose(found[:, column], expected, rtol=1e-8)
    assert found.dtype == np.float64 and found.shape == (STEPS - 1, 2)


def test_largest_singular_values_are_exact_even_if_others_are_nearly_as_large() -> None:
    generator = np.random.default_rng(1)
    q, _ = np.linalg.qr(generator.normal(size=(6, 6)))
    close = q @ np.diag([1, 1 - 1e-9, 1 - 1e-6, 0.5, 1e-20, 0])
    wide = generator.normal(size=(6, 15))
    for matrices in (np.stack([q, 1e-200 * q, close, 1e150 * wide[:, :6], np.zeros((6, 6))]), wide[None]):
        expected = np.linalg.svd(matrices, compute_uv=False).max(axis=1)
        np.testing.assert_allclose(largest_singular_values(matrices), expected, rtol=1e-13)

        def build() -> Any:
            symbolic = T.tensor3("matrices")
            return [symbolic], spectral_norms(symbolic), None

        np.testing.assert_allclose(np.asarray(compile_function(build, "float64")(matrices)), expected, rtol=1e-13)


def test_norms_can_be_computed_from_the_states_of_a_network() -> None:
    rnn = RNN(9, HIDDEN_DIM, seed=2)
    s = rnn.hidden_states([0, 4, 2, 7])
    W = rnn.get_values()["W"]
    expected = [np.linalg.norm(one, 2) for one in products_by_loop(s.astype(float), W.astype(float), "tanh")]
    np.testing.assert_allclose(jacobian_norms(s[1:, None], W, "tanh")[:, 0], expected, rtol=1e-8)


@pytest.mark.parametrize(
    "s, W, activation, message",
    [
        (np.zeros((2, 1, 3)), np.zeros((4, 4)), "tanh", r"s: expected states of shape .*, 4\), got \(2, 1, 3\)"),
        (np.zeros((0, 1, 4)), np.zeros((4, 4)), "tanh", r"s: expected states .* got \(0, 1, 4\)"),
        (np.zeros((2, 1, 4)), np.zeros((4, 3)), "tanh", r"W: expected a square matrix, got shape \(4, 3\)"),
        (np.zeros((2, 1, 4)), np.zeros((4, 4)), "sigmoid", "activation: expected one of tanh, relu, got 'sigmoid'"),
    ],
)
def test_arrays_of_wrong_shapes_are_rejected(s: np.ndarray, W: np.ndarray, activation: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        jacobian_norms(s, W, activation)
