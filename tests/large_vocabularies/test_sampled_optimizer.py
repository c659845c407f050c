"""Sampled softmax: the loss and its gradients over candidates, and updates of only the rows that a step reads."""

import numpy as np
import pytest

from theano_rnn.engines.engine import compiled_shapes
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer
from theano_rnn.networks.optimizer import Optimizer, draw_dropout_mask
from theano_rnn.networks.rnn import RNN
from theano_rnn.networks.updates import UPDATE_RULES
from theano_rnn.text.minibatches import pad

WORD_DIM, HIDDEN_DIM = 600, 4  # more words than the exact softmax treats as few
NETWORKS = {
    "tutorial": {},
    "truncated": {"bptt_truncate": 2},
    "biases": {"bias": True},
    "tied": {"tied": True},
    "lstm": {"cell": "lstm", "bias": True, "tied": True, "dropout": 0.4},
    "gru": {"cell": "gru", "bias": True, "layers": 2, "embedding_dim": 3, "dropout": 0.3},
}
FREQUENCIES = 1 / np.arange(1.0, WORD_DIM + 1)


def network(name="tutorial", seed=1):
    return RNN(WORD_DIM, HIDDEN_DIM, **{"bptt_truncate": None, "seed": seed, "dtype": "float64", **NETWORKS[name]})


def minibatch(seed=0):
    generator = np.random.default_rng(seed)
    return pad([np.concatenate([[0], generator.integers(3, WORD_DIM, n), [1]]) for n in (4, 8, 2)], 4)


def dropout_mask(rnn):
    return draw_dropout_mask(rnn.architecture, 4, np.random.default_rng(7)) if rnn.dropout else None


def steps(optimizer, count=3, rate=0.1):
    """Take steps with one minibatch and new candidates; return their losses."""
    losses = []
    for number in range(count):
        words = optimizer.draw(minibatch(), np.random.default_rng(number))
        mask = dropout_mask(optimizer.network)
        losses.append(float(optimizer.step_on_candidates(minibatch(), words, rate, dropout_mask=mask)[0]))
    return losses


@pytest.mark.parametrize(
    ("name", "rule"), [*((name, "adam") for name in NETWORKS), *(("biases", rule) for rule in UPDATE_RULES)]
)
def test_with_all_words_as_samples_a_run_is_that_of_the_exact_softmax(name, rule):
    exact = Optimizer(network(name), rule, 1.0)
    sampled = SampledOptimizer(network(name), CandidateSampler(FREQUENCIES, WORD_DIM), rule, 1.0)
    for loss in steps(sampled):
        expected, _ = exact.step(minibatch(), 0.1, dropout_mask=dropout_mask(exact.rnn))
        assert loss == pytest.approx(float(expected), rel=1e-12)
    for parameter, value in exact.rnn.get_values().items():
        np.testing.assert_allclose(sampled.rnn.get_values()[parameter], value, rtol=0, atol=1e-12, err_msg=parameter)
    for accumulator, value in exact.get_state().items():
        np.testing.assert_allclose(sampled.get_state()[accumulator], value, rtol=0, atol=1e-12, err_msg=accumulator)


def numpy_loss(values, batch, words, log_expected):
    """The loss of the tutorial's network over candidates, word by word; words are ids."""
    U, V, W = values["U"], values["V"], values["W"]
    total = 0.0
    for column in range(batch.x.shape[1]):
        s = np.zeros(HIDDEN_DIM)
        for t in range(int(batch.mask[:, column].sum())):
            s = np.tanh(U[:, batch.x[t, column]] + W @ s)
            z = V[words] @ s - log_expected
            target = words.tolist().index(batch.y[t, column])
            total -= z[target] - np.log(np.exp(z).sum())
    return total


def test_the_loss_and_its_gradients_are_those_of_a_plain_loop_over_the_candidates():
    rnn, batch, rate, h = network(), minibatch(), 1e-3, 1e-5
    values = rnn.get_values()
    optimizer = SampledOptimizer(rnn, CandidateSampler(FREQUENCIES, 30), "sgd")
    found = optimizer.draw(batch, np.random.default_rng(4))
    words, log_expected = optimizer.sampler.draw(batch.y[batch.mask], np.random.default_rng(4))
    loss, _ = optimizer.step_on_candidates(batch, found, rate, tokens=1)
    assert float(loss) == pytest.approx(numpy_loss(values, batch, words, log_expected), rel=1e-12)
    generator = np.random.default_rng(0)
    for name, value in values.items():
        gradient = (value - rnn.get_values()[name]) / rate
        places = np.argwhere(gradient)
        assert len(places)
        for place in map(tuple, places[generator.permutation(len(places))[:25]]):
            above, below = ({**values, name: value.copy()} for _ in range(2))
            above[name][place] += h
            below[name][place] -= h
            difference = (
                numpy_loss(above, batch, words, log_expected) - numpy_loss(below, batch, words, log_expected)
            ) / (2 * h)
            assert gradient[place] == pytest.approx(difference, rel=1e-5, abs=1e-7), (name, place)


@pytest.mark.parametrize(
    ("name", "rule"), [("tied", "adam"), ("gru", "adam"), *(("biases", rule) for rule in UPDATE_RULES)]
)
def test_only_rows_of_words_that_a_step_reads_change(name, rule):
    optimizer = SampledOptimizer(network(name), CandidateSampler(FREQUENCIES, 25), rule, 1.0)
    steps(optimizer, 1)
    before = {**optimizer.network.get_values(), **optimizer.get_state()}
    batch = minibatch(9)
    words = optimizer.draw(batch, np.random.default_rng(9))
    optimizer.step_on_candidates(batch, words, 0.1, dropout_mask=dropout_mask(optimizer.network))
    read = {"output": set(words.outputs.tolist()), "input": set(batch.x[batch.mask].tolist())}
    changed_rows = 0
    for key, new in {**optimizer.network.get_values(), **optimizer.get_state()}.items():
        parameter = key.rpartition(".")[2]
        if WORD_DIM not in new.shape:
            continue
        if parameter == "U":
            old, new = before[key].T, new.T
        else:
            old = before[key]
        changed = set(np.flatnonzero((old != new).reshape(WORD_DIM, -1).any(axis=1)).tolist())
        kind = "output" if parameter in "Vc" else "input"
        assert changed <= read[kind], key
        changed_rows += len(changed)
    assert changed_rows > 10


@pytest.mark.slow
def test_the_mean_gradient_of_many_draws_approaches_the_exact_one_as_samples_are_added():
    batch, values = minibatch(), network("biases", seed=5).get_values()
    generator = np.random.default_rng(0)
    values["V"] = generator.normal(size=values["V"].shape)
    values["c"] = np.log(FREQUENCIES / FREQUENCIES.sum())
    exact = Optimizer(network("biases"), "sgd")
    exact.rnn.set_values(values)
    exact.step(batch, 1.0, tokens=1)
    expected = {name: values[name] - value for name, value in exact.rnn.get_values().items()}
    errors = []
    for samples, draws in ((10, 150), (60, 150), (400, 40)):
        optimizer, mean = SampledOptimizer(network("biases"), CandidateSampler(FREQUENCIES, samples), "sgd"), 0.0
        for _ in range(draws):
            optimizer.network.set_values(values)
            optimizer.step_on_candidates(batch, optimizer.draw(batch, generator), 1.0, tokens=1)
            mean = mean + (values["W"] - optimizer.network.get_values()["W"]) / draws
        errors.append(np.linalg.norm(mean - expected["W"]) / np.linalg.norm(expected["W"]))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02


def test_minibatches_of_one_shape_share_one_compiled_function():
    optimizer = SampledOptimizer(network(), CandidateSampler(FREQUENCIES, 25))
    steps(optimizer, 3)
    assert compiled_shapes(optimizer._step) == 1


@pytest.mark.parametrize("name", ["tutorial", "tied"])
def test_padding_does_not_count(name):
    """A minibatch with empty columns and steps gives the same update as one without."""
    generator, results = np.random.default_rng(2), []
    sentence = np.concatenate([[0], generator.integers(3, WORD_DIM, 8), [1]])
    for columns, length in ((1, None), (3, 20)):
        optimizer = SampledOptimizer(network(name), CandidateSampler(FREQUENCIES, 25), "sgd")
        batch = pad([sentence], columns, length)
        words = optimizer.draw(batch, np.random.default_rng(1))
        loss, _ = optimizer.step_on_candidates(batch, words, 0.5)
        results.append((float(loss), optimizer.network.get_values()))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-12)
    for parameter, value in results[0][1].items():
        np.testing.assert_allclose(results[1][1][parameter], value, rtol=0, atol=1e-12)
