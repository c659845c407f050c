"""The initial values and the memory layout of every kind of parameter."""

import numpy as np
import pytest

from theano_rnn import RNN
from theano_rnn.engines.chunked_softmax import FEW_WORDS
from theano_rnn.networks.architecture import Architecture
from theano_rnn.networks.parameters import is_stored_transposed, orthogonal_matrix

WORD_DIM, HIDDEN_DIM = 40, 6


def initial(**settings):
    return RNN(WORD_DIM, HIDDEN_DIM, seed=1, dtype="float64", **settings).get_values()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_recurrent_weights_of_each_gate_are_orthogonal(cell):
    values = initial(cell=cell, layers=2)
    for name in ("W", "W2"):
        for block in np.split(values[name], len(values[name]) // HIDDEN_DIM):
            np.testing.assert_allclose(block @ block.T, np.eye(HIDDEN_DIM), atol=1e-12)


def test_an_orthogonal_matrix_has_no_preferred_signs():
    generator = np.random.default_rng(0)
    matrices = np.array([orthogonal_matrix(3, generator) for _ in range(4000)])
    assert np.abs(matrices.mean(axis=0)).max() < 0.05
    np.testing.assert_allclose((matrices**2).mean(axis=0), np.full((3, 3), 1 / 3), atol=0.03)


def test_biases_are_zero_except_those_of_forget_gates():
    lstm, gru = initial(cell="lstm", bias=True, layers=2), initial(cell="gru", bias=True)
    i, f, g, o = np.split(lstm["b2"], 4)
    np.testing.assert_array_equal(f, 1)
    assert not any(one.any() for one in (i, g, o, lstm["c"], gru["b"], gru["r"], gru["c"]))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_input_weights_of_cells_with_gates_fill_the_interval_of_pytorch(cell):
    U, bound = initial(cell=cell)["U"], HIDDEN_DIM**-0.5
    assert 0.95 * bound < np.abs(U).max() <= bound
    assert abs(U.mean()) < 0.1 * bound


def test_further_settings_do_not_change_the_initial_values_of_the_tutorials_network():
    tutorial, other = initial(), initial(bias=True)
    for name, value in tutorial.items():
        np.testing.assert_array_equal(other[name], value)


def test_input_weights_are_stored_transposed_only_if_they_read_one_hot_words():
    assert is_stored_transposed("U", Architecture(WORD_DIM, HIDDEN_DIM))
    assert not is_stored_transposed("U", Architecture(WORD_DIM, HIDDEN_DIM, tied=True))
    assert not is_stored_transposed("U2", Architecture(WORD_DIM, HIDDEN_DIM, layers=2))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"tied": True}, marks=pytest.mark.slow),
        pytest.param({"layers": 2}, marks=pytest.mark.slow),
        pytest.param({"embedding_dim": 4, "cell": "gru"}, marks=pytest.mark.slow),
    ],
)
def test_a_large_vocabulary_gives_the_same_gradients(settings):
    """Above FEW_WORDS, V is stored transposed. Words that never occur do not change the gradients."""
    large = RNN(FEW_WORDS + 1, HIDDEN_DIM, None, seed=2, dtype="float64", bias=True, **settings)
    small = RNN(FEW_WORDS, HIDDEN_DIM, None, seed=2, dtype="float64", bias=True, **settings)
    values = large.get_values()
    values["c"][-1] = -1e4  # the last word has no probability
    large.set_values(values)
    cut = {name: value[:FEW_WORDS] if name in "VEc" else value for name, value in values.items()}
    small.set_values({**cut, "U": values["U"][:, :FEW_WORDS]})
    x, y = [1, 5, 1, 7], [5, 1, 7, 2]
    assert large.ce_error(x, y) == pytest.approx(small.ce_error(x, y), abs=1e-10)
    for name, found, expected in zip(large.parameter_names, large.bptt(x, y), small.bptt(x, y), strict=True):
        if name in "VEc":
            assert not found[-1].any()
            found = found[:FEW_WORDS]
        found = found[:, :FEW_WORDS] if name == "U" else found
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12, err_msg=name)


def test_views_have_the_values_before_and_after_an_update():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=1)
    for _ in range(2):
        views, values = rnn.views(), rnn.get_values()
        assert list(views) == list(values)
        for name, value in values.items():
            np.testing.assert_array_equal(views[name], value)
        rnn.sgd_step([0, 1, 2], [1, 2, 3], 0.1)


def test_rows_can_be_stored_one_after_the_other_without_changing_values():
    rnn = RNN(1000, HIDDEN_DIM, seed=1)
    assert "V" in rnn.transposed
    before = rnn.get_values()
    rnn.store_rows_of("V")
    assert rnn.transposed == {"U"}
    for name, value in rnn.get_values().items():
        np.testing.assert_array_equal(value, before[name])
    expected = RNN(1000, HIDDEN_DIM, seed=1).bptt([0, 5, 7], [5, 7, 1])
    for found, gradient in zip(rnn.bptt([0, 5, 7], [5, 7, 1]), expected, strict=True):
        np.testing.assert_allclose(found, gradient, atol=1e-6)
