"""∂s_t/∂(state at k) of every cell and depth, compared with plain NumPy Jacobians and with finite differences."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from theano_rnn.engines.engine import T, compile_function, typed_tensor
from theano_rnn.inspection.jacobians import jacobian_norms
from theano_rnn.inspection.state_jacobians import (
    ELEMENTS_AT_ONCE,
    state_jacobian_norms,
    state_jacobian_products,
    symbolic_network,
)
from theano_rnn.networks.rnn import RNN

IDS = np.array([0, 4, 2, 7, 5, 1, 3], np.int32)
NETWORKS: list[dict[str, Any]] = [
    {"cell": "simple", "layers": 2},
    {"cell": "simple", "layers": 1, "activation": "relu", "bias": True},
    {"cell": "gru", "layers": 1},
    {"cell": "gru", "layers": 3, "bias": True, "embedding_dim": 3},
    {"cell": "lstm", "layers": 1, "bias": True},
    {"cell": "lstm", "layers": 2, "tied": True, "bias": True},
]
every_network = pytest.mark.parametrize(
    "settings",
    [one if i == 1 else pytest.param(one, marks=pytest.mark.slow) for i, one in enumerate(NETWORKS)],
)


def network(settings: dict[str, Any]) -> RNN:
    rnn = RNN(9, 4, **settings, seed=2, dtype="float64")
    generator = np.random.default_rng(3)
    values = {name: 1.5 * one + 0.1 * generator.normal(size=one.shape) for name, one in rnn.get_values().items()}
    rnn.set_values(values)
    return rnn


def σ(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 1 / (1 + np.exp(-z))


def numpy_step(rnn: RNN, values: dict[str, Any], word: int, state: npt.NDArray[Any]) -> tuple[Any, Any]:
    """The packed state after a word, and its Jacobian with respect to the packed state before."""
    H, per_layer = rnn.hidden_dim, len(rnn.recurrent_cell.state_names)
    new, jacobian = np.zeros_like(state), np.zeros((len(state), len(state)))
    table = values["V"] if rnn.tied else values.get("E")
    x, dx = np.eye(rnn.word_dim)[word] if table is None else table[word], None
    for layer in range(rnn.layers):
        suffix = "" if layer == 0 else str(layer + 1)
        U, W = values[f"U{suffix}"], values[f"W{suffix}"]
        b = values.get(f"b{suffix}", np.zeros(len(U)))
        r = np.concatenate([np.zeros(len(U) - H), values.get(f"r{suffix}", np.zeros(H))])
        at = layer * per_layer * H
        s = state[at : at + H]
        select = np.eye(len(state))[at : at + H]
        a, da = U @ x + b, np.zeros((len(U), len(state))) if dx is None else U @ dx
        q, dq = W @ s + r, W @ select
        A, Q, dA, dQ = (np.split(one, len(rnn.recurrent_cell.gates)) for one in (a, q, da, dq))
        if rnn.cell == "simple":
            z, dz = A[0] + Q[0], dA[0] + dQ[0]
            x, slope = (np.tanh(z), 1 - np.tanh(z) ** 2) if rnn.activation == "tanh" else (np.maximum(z, 0), z > 0)
            dx = slope[:, None] * dz
        elif rnn.cell == "gru":
            r_t, z = σ(A[0] + Q[0]), σ(A[1] + Q[1])
            n = np.tanh(A[2] + r_t * Q[2])
            dr = (r_t * (1 - r_t))[:, None] * (dA[0] + dQ[0])
            dz = (z * (1 - z))[:, None] * (dA[1] + dQ[1])
            dn = (1 - n**2)[:, None] * (dA[2] + r_t[:, None] * dQ[2] + Q[2][:, None] * dr)
            x = (1 - z) * n + z * s
            dx = (1 - z)[:, None] * dn + (s - n)[:, None] * dz + z[:, None] * select
        else:
            i, f, o = (σ(A[k] + Q[k]) for k in (0, 1, 3))
            g, c_prev = np.tanh(A[2] + Q[2]), state[at + H : at + 2 * H]
            di, df, do = ((v * (1 - v))[:, None] * (dA[k] + dQ[k]) for k, v in ((0, i), (1, f), (3, o)))
            dg = (1 - g**2)[:, None] * (dA[2] + dQ[2])
            c = f * c_prev + i * g
            select_c = np.eye(len(state))[at + H : at + 2 * H]
            dc = f[:, None] * select_c + c_prev[:, None] * df + i[:, None] * dg + g[:, None] * di
            x = o * np.tanh(c)
            dx = np.tanh(c)[:, None] * do + (o * (1 - np.tanh(c) ** 2))[:, None] * dc
            new[at + H : at + 2 * H], jacobian[at + H : at + 2 * H] = c, dc
        new[at : at + H], jacobian[at : at + H] = x, dx
    return new, jacobian


def numpy_products(rnn: RNN) -> tuple[npt.NDArray[Any], list[npt.NDArray[Any]]]:
    """The packed states, and ∂s_t/∂(state at k) for the last t and k = t-1, t-2, …, 0."""
    values, state = rnn.get_values(), np.zeros(rnn.architecture.state_dim)
    states, jacobians = [], []
    for word in IDS:
        state, jacobian = numpy_step(rnn, values, word, state)
        states.append(state)
        jacobians.append(jacobian)
    product, products = np.eye(len(state))[rnn.architecture.top_columns], []
    for jacobian in jacobians[:0:-1]:
        product = product @ jacobian
        products.append(product)
    return np.array(states), products


def windows(s: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """x_t, x_{t-1}, … and the states before them, for the last t."""
    return IDS[:0:-1, None], s[-2::-1, None]


@every_network
def test_products_and_norms_agree_with_numpy_jacobians(settings: dict[str, Any]) -> None:
    rnn = network(settings)
    s, products = numpy_products(rnn)
    np.testing.assert_allclose(rnn.states(IDS[:, None])[:, 0], s, atol=1e-12)
    x, s_prev = windows(s)

    def build() -> Any:
        symbolic = symbolic_network(rnn.architecture)
        words, states = T.imatrix("x"), typed_tensor("s_prev", "float64", (None, None, s.shape[1]))
        found = state_jacobian_products(words, states, symbolic)[0]
        return [words, states, *symbolic.parameters.values()], found, None

    found = compile_function(build, "float64")(x, s_prev, *rnn.get_values().values())
    together = np.concatenate([np.asarray(one) for one in found], axis=3)[:, 0]
    np.testing.assert_allclose(together, products, rtol=1e-10, atol=1e-13)
    norms = state_jacobian_norms(x, s_prev, rnn.get_values(), rnn.architecture)
    np.testing.assert_allclose(norms[:, 0], [np.linalg.norm(one, 2) for one in products], rtol=1e-10)
    assert norms[-1, 0] > 1e-4  # not only zeros were compared


@every_network
def test_norms_agree_with_finite_differences_of_the_network(settings: dict[str, Any]) -> None:
    rnn, h = network(settings), 1e-5
    s = rnn.states(IDS[:, None])[:, 0]
    norms = state_jacobian_norms(*windows(s), rnn.get_values(), rnn.architecture)[:, 0]
    for k in range(len(IDS) - 1):
        up, down = (s[k] + sign * h * np.eye(s.shape[1]) for sign in (1, -1))
        for word in IDS[k + 1 :]:
            words = np.full(len(up), word, np.int32)
            up, down = (rnn.next_log_probabilities(words, one)[1] for one in (up, down))
        jacobian = ((up - down) / (2 * h)).T[rnn.architecture.top_columns]
        assert norms[len(IDS) - 2 - k] == pytest.approx(np.linalg.norm(jacobian, 2), rel=1e-8)


@pytest.mark.slow
def test_the_tutorials_network_has_the_same_norms_as_with_its_own_formula() -> None:
    rnn = RNN(9, 4, seed=2, dtype="float64")
    s = rnn.states(IDS[:, None])[:, 0]
    x, s_prev = windows(s)
    found = [state_jacobian_norms(x[at:], s_prev[at:], rnn.get_values(), rnn.architecture)[-1] for at in (5, 3, 0)]
    expected = jacobian_norms(s[1:, None], rnn.get_values()["W"], "tanh")
    np.testing.assert_allclose(found, [expected[0], expected[2], expected[5]], rtol=1e-10)


@pytest.mark.parametrize("cell", [*(pytest.param(one, marks=pytest.mark.slow) for one in ("simple", "gru")), "lstm"])
def test_a_single_unit_is_enough(cell: str) -> None:
    rnn = RNN(9, 1, cell=cell, layers=2, seed=2, dtype="float64")
    s, products = numpy_products(rnn)
    norms = state_jacobian_norms(*windows(s), rnn.get_values(), rnn.architecture)
    np.testing.assert_allclose(norms[:, 0], [np.linalg.norm(one, 2) for one in products], rtol=1e-10)


def test_many_ends_are_processed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rnn = network({"cell": "simple", "layers": 2})
    x, s_prev = windows(rnn.states(IDS[:, None])[:, 0])
    x, s_prev = np.tile(x, (1, 3)), np.concatenate([s_prev, 2 * s_prev, -s_prev], axis=1)
    assert ELEMENTS_AT_ONCE > s_prev.size
    together = state_jacobian_norms(x, s_prev, rnn.get_values(), rnn.architecture)
    monkeypatch.setattr("theano_rnn.inspection.state_jacobians.ELEMENTS_AT_ONCE", 2 * 4 * 4)
    np.testing.assert_allclose(state_jacobian_norms(x, s_prev, rnn.get_values(), rnn.architecture), together)
