"""States, cell states and gates of every layer, compared with a plain NumPy loop."""

from typing import Any

import numpy as np
import pytest

from theano_rnn.errors import ArgumentValueError
from theano_rnn.inspection.unit_values import QUANTITIES, available_quantities, check_quantity, unit_values
from theano_rnn.networks.rnn import RNN

SEQUENCES = [np.array([0, 4, 2, 7, 5], np.int32), np.array([0, 6], np.int32)]


def σ(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def by_loop(rnn: RNN, ids: np.ndarray) -> list[dict[str, np.ndarray]]:
    """For each layer, the quantities by name, after each word."""
    values, H = rnn.get_values(), rnn.hidden_dim
    s, c = np.zeros((2, rnn.layers, H))
    found: list[list[dict[str, Any]]] = [[] for _ in range(rnn.layers)]
    for word in ids:
        x = values["E"][word] if "E" in values else np.eye(rnn.word_dim)[word]
        for layer in range(rnn.layers):
            suffix = str(layer + 1) if layer else ""
            a = values[f"U{suffix}"] @ x + values.get(f"b{suffix}", 0)
            q = values[f"W{suffix}"] @ s[layer]
            if rnn.cell == "gru":
                q[2 * H :] += values.get(f"r{suffix}", 0)
                r, z = σ((a + q)[:H]), σ((a + q)[H : 2 * H])
                n = np.tanh(a[2 * H :] + r * q[2 * H :])
                s[layer] = (1 - z) * n + z * s[layer]
                gates = {"reset-gate": r, "update-gate": z}
            elif rnn.cell == "lstm":
                i, f, g, o = np.split(a + q, 4)
                c[layer] = σ(f) * c[layer] + σ(i) * np.tanh(g)
                s[layer] = σ(o) * np.tanh(c[layer])
                gates = {"input-gate": σ(i), "forget-gate": σ(f), "output-gate": σ(o), "cell": c[layer].copy()}
            else:
                s[layer], gates = np.tanh(a + q), {}
            x = s[layer].copy()
            found[layer].append({"state": x, **gates})
    return [{name: np.array([one[name] for one in steps]) for name in steps[0]} for steps in found]


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "simple", "layers": 2, "embedding_dim": 3},
        pytest.param({"cell": "gru"}, marks=pytest.mark.slow),
        {"cell": "lstm"},
        pytest.param({"cell": "gru", "layers": 2, "bias": True}, marks=pytest.mark.slow),
        pytest.param({"cell": "lstm", "layers": 2, "bias": True, "embedding_dim": 3}, marks=pytest.mark.slow),
    ],
)
def test_all_quantities_of_all_layers_agree_with_a_loop(settings: dict[str, Any]) -> None:
    rnn = RNN(9, 4, **settings, seed=2, dtype="float64")
    rnn.set_values({name: 2 * value + 0.1 for name, value in rnn.get_values().items()})
    for layer in range(1, rnn.layers + 1):
        expected = [by_loop(rnn, ids)[layer - 1] for ids in SEQUENCES]
        assert set(available_quantities(rnn)) == set(expected[0])
        for of in expected[0]:
            for values, one in zip(unit_values(rnn, SEQUENCES, of, layer), expected, strict=True):
                np.testing.assert_allclose(values, one[of], rtol=1e-8, atol=1e-12)


def test_by_default_the_states_of_the_top_layer_are_computed() -> None:
    rnn = RNN(9, 4, cell="lstm", layers=2, seed=2)
    (found,) = unit_values(rnn, SEQUENCES[:1])
    np.testing.assert_array_equal(found, rnn.hidden_states(SEQUENCES[0]))


def test_each_cell_has_its_own_quantities() -> None:
    assert available_quantities(RNN(4, 3)) == ["state"]
    assert available_quantities(RNN(4, 3, cell="gru")) == ["state", "reset-gate", "update-gate"]
    assert available_quantities(RNN(4, 3, cell="lstm")) == list(QUANTITIES)[:5]


@pytest.mark.parametrize(
    "settings, of, layer, message",
    [
        ({}, "forget-gate", None, "of: expected one of state with the cell simple, got forget-gate"),
        ({"cell": "gru"}, "cell", 1, "of: expected one of state, reset-gate, update-gate with the cell gru, got cell"),
        ({"cell": "lstm"}, "none", 1, "of: expected one of state, cell, input-gate, .* with the cell lstm, got none"),
        ({"layers": 2}, "state", 3, "layer: expected at most 2, the number of layers of the network, got 3"),
        ({}, "state", 0, "layer: expected at least 1, got 0"),
    ],
)
def test_a_quantity_or_layer_that_a_network_lacks_is_rejected(
    settings: dict[str, Any], of: str, layer: int | None, message: str
) -> None:
    with pytest.raises(ArgumentValueError, match=message):
        check_quantity(RNN(4, 3, **settings), of, layer)
