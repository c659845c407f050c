"""The methods of `RNN` with every cell and depth: one step at a time, minibatches, padding, checks and training."""

import functools
import pickle

import numpy as np
import pytest
from support import numpy_networks

from theano_rnn import RNN
from theano_rnn.networks.optimizer import Optimizer, draw_dropout_mask
from theano_rnn.text.minibatches import Batch, pad

WORD_DIM, HIDDEN_DIM, K = 7, 3, 2
NETWORKS = {
    "simple of 2": {"layers": 2, "embedding_dim": 4, "bias": True},
    "gru of 1": {"cell": "gru", "layers": 1, "bias": True},
    "gru of 2": {"cell": "gru", "layers": 2, "embedding_dim": 4, "bias": True},
    "lstm of 3": {"cell": "lstm", "layers": 3, "tied": True, "bias": False},
}
# Compiling takes seconds with XLA and half a minute with Theano, so that the other networks are left to the slow tests.
QUICK = {"gru of 1"}
every_network = pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]
)
X, Y = [0, 3, 6, 3, 1], [3, 6, 3, 1, 5]


def make(name, bptt_truncate=K, **settings):
    rnn = RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate, seed=3, dtype="float64", **NETWORKS[name], **settings)
    generator = np.random.default_rng(0)
    rnn.set_values({name: value + generator.normal(size=value.shape) / 2 for name, value in rnn.get_values().items()})
    return rnn


@functools.cache
def shared(name):
    """A network that tests do not change."""
    return make(name)


def loops(rnn):
    """The arguments of the NumPy loops that describe a network."""
    return rnn.get_values(), rnn.cell, rnn.layers


def zero_state(rnn):
    return np.zeros(rnn.architecture.state_dim)


@every_network
def test_the_methods_for_one_sentence_equal_the_loops(name):
    rnn = shared(name)
    o, states = numpy_networks.forward(*loops(rnn), X, zero_state(rnn))
    np.testing.assert_allclose(rnn.forward_propagation(X), o, rtol=0, atol=1e-12)
    np.testing.assert_allclose(rnn.hidden_states(X), states[:, rnn.architecture.top_columns], rtol=0, atol=1e-12)
    np.testing.assert_allclose(rnn.state_after(X[:3]), states[2], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(rnn.predict(X), o.argmax(axis=1))
    assert rnn.ce_error(X, Y) == pytest.approx(-np.log(o[np.arange(len(Y)), Y]).sum(), abs=1e-12, rel=0)
    expected = numpy_networks.truncated_gradients(*loops(rnn), X, Y, zero_state(rnn), K)
    for gradient, parameter in zip(rnn.bptt(X, Y), rnn.parameter_names, strict=True):
        np.testing.assert_allclose(gradient, expected[parameter], rtol=0, atol=1e-12, err_msg=parameter)


def test_the_state_after_a_long_text_is_computed_in_parts(monkeypatch):
    rnn = shared("gru of 1")
    expected = rnn.state_after(X)
    monkeypatch.setattr("theano_rnn.networks.rnn.STEPS_AT_ONCE", 2)
    np.testing.assert_allclose(rnn.state_after(X), expected, rtol=0, atol=1e-12)


@every_network
def test_the_gradient_check_passes_for_every_parameter(name):
    rnn = shared(name)
    found = rnn.gradient_check(X, Y)
    assert found.elements == sum(value.size for value in rnn.get_values().values())
    assert found.relative_error < 1e-3  # central differences with h = 0.001 are not more accurate


@every_network
def test_one_step_at_a_time_equals_the_whole_sentence(name):
    rnn = shared(name)
    x = np.array([X, Y], np.int32).T
    _, states = numpy_networks.forward(*loops(rnn), X, zero_state(rnn))
    state, other = rnn.zero_states(2), [np.log(rnn.forward_propagation(ids)) for ids in (X, Y)]
    for t, words in enumerate(x):
        values, state = rnn.next_log_probabilities(words, state)
        for b in range(2):
            np.testing.assert_allclose(values[b], other[b][t], rtol=0, atol=1e-12)
        np.testing.assert_allclose(state[0], states[t], rtol=0, atol=1e-12)
    np.testing.assert_allclose(rnn.states(x)[-1], state, rtol=0, atol=1e-12)
    first, middle = rnn.log_probabilities(x[:2], x[:2])
    second, last = rnn.log_probabilities(x[2:], x[2:], middle)
    whole, last_of_whole = rnn.log_probabilities(x, x)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=0, atol=1e-12)
    np.testing.assert_allclose(last, last_of_whole, rtol=0, atol=1e-12)
    np.testing.assert_allclose(last, state, rtol=0, atol=1e-12)


@every_network
def test_a_step_of_one_text_equals_that_of_several(name):
    """One text is computed with NumPy, several by a compiled function."""
    rnn = shared(name)
    words, states = np.array([2, 5], np.int32), np.random.default_rng(0).normal(size=rnn.zero_states(2).shape)
    both = rnn.next_log_probabilities(words, states)
    for b in range(2):
        for found, expected in zip(rnn.next_log_probabilities(words[b : b + 1], states[b : b + 1]), both, strict=True):
            assert found.dtype == expected.dtype and not found.flags.writeable
            np.testing.assert_allclose(found, expected[b : b + 1], rtol=0, atol=1e-12)


def test_a_step_of_one_text_uses_the_current_parameters():
    rnn, word = RNN(WORD_DIM, HIDDEN_DIM, seed=3, dtype="float64"), np.array([2], np.int32)

    def check():
        found, _ = rnn.next_log_probabilities(word, rnn.zero_states(1))
        values = rnn.get_values()
        o = np.exp(values["V"] @ np.tanh(values["U"][:, 2]))
        np.testing.assert_allclose(found[0], np.log(o / o.sum()), rtol=0, atol=1e-12)

    check()
    rnn.sgd_step(X, Y, 0.5)
    check()
    rnn.set_values({name: 2 * value for name, value in rnn.get_values().items()})
    check()
    rnn.V.get_value(borrow=True)[:] = 0  # a copy
    check()
    storage = rnn.V.container.storage
    storage[0][:] *= 3  # as a function that a user compiles may find and change it
    check()


@pytest.mark.slow
@every_network
@pytest.mark.parametrize("bptt_truncate", [None, K])
def test_a_sentence_alone_equals_the_same_sentence_in_a_padded_minibatch(name, bptt_truncate):
    """The neighbors, the ids of the padding and the dropout masks of other sentences have no effect."""
    rnn = make(name, bptt_truncate, dropout=0.5)
    optimizer = Optimizer(rnn, "sgd")
    values = rnn.get_values()

    def step(batch, masks):
        loss, last = optimizer.step(batch, 1.0, tokens=1, dropout_mask=masks)
        gradients = {name: values[name] - value for name, value in rnn.get_values().items()}
        rnn.set_values(values)
        return float(loss), np.array(last), gradients

    for seed in range(2):
        generator = np.random.default_rng(seed)
        lengths = [3, *generator.integers(1, 9, 2)]  # XLA compiles for each length of the sentence alone
        sentences = [generator.integers(0, WORD_DIM, length + 1) for length in lengths]
        masks = draw_dropout_mask(rnn.architecture, 3, generator)
        padded = pad(sentences, 3, length=8)
        for array in (padded.x, padded.y):
            array[~padded.mask] = generator.integers(0, WORD_DIM, (~padded.mask).sum())
        alone = pad(sentences[:1], 1, length=lengths[0])
        only_first = Batch(padded.x, padded.y, padded.mask & (np.arange(3) == 0), padded.sentences)
        loss, _, gradients = step(alone, masks[:1])
        other_loss, _, other_gradients = step(only_first, masks)
        assert other_loss == pytest.approx(loss, abs=1e-12, rel=0)
        for parameter, gradient in gradients.items():
            np.testing.assert_allclose(other_gradients[parameter], gradient, rtol=0, atol=1e-12, err_msg=parameter)
        states, ids = rnn.states(padded.x), sentences[0][:-1].astype(np.int32)[:, None]
        np.testing.assert_allclose(states[:3, 0], rnn.states(ids)[:, 0], rtol=0, atol=1e-12)
        # Without a mask, because `states` never applies dropout.
        without, last_without, _ = step(alone, None)
        np.testing.assert_allclose(states[2, 0], last_without[0], rtol=0, atol=1e-12)
        targets = rnn.log_probabilities(padded.x, padded.y)[0]
        assert -targets[:3, 0].sum() == pytest.approx(without, abs=1e-12, rel=0)


@pytest.mark.slow
@every_network
def test_an_optimizer_lowers_the_loss(name):
    rnn = make(name)
    optimizer = Optimizer(rnn, "adam", clip=5.0)
    losses = [float(optimizer.step(pad([[*X, Y[-1]]], 1), 0.01)[0]) for _ in range(5)]
    assert all(after < before for before, after in zip(losses, losses[1:], strict=False))


@every_network
def test_sgd_step_subtracts_the_gradient_of_every_parameter(name):
    rnn, still = make(name), shared(name)
    assert rnn.sgd_step(X, Y, 0.25) == pytest.approx(still.ce_error(X, Y), abs=1e-12, rel=0)
    for (parameter, value), gradient in zip(rnn.get_values().items(), still.bptt(X, Y), strict=True):
        expected = still.get_values()[parameter] - 0.25 * gradient
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-12, err_msg=parameter)


@every_network
def test_files_and_pickles_keep_a_network(name, tmp_path):
    rnn = make(name, dropout=0.25)
    rnn.save(tmp_path / "rnn.npz")
    with np.load(tmp_path / "rnn.npz") as archive:
        assert set(rnn.parameter_names) < set(archive.files)
    for found in (RNN.load(tmp_path / "rnn.npz"), pickle.loads(pickle.dumps(rnn))):
        assert found.settings() == rnn.settings()
        assert repr(found).replace("float32", "float64") == repr(rnn)
        for parameter, value in rnn.get_values().items():
            np.testing.assert_allclose(found.get_values()[parameter], value, rtol=1e-6)
