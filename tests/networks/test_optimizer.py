"""A training step applies its update rule to the mean gradient per token."""

import functools

import numpy as np
import pytest

from theano_rnn import RNN
from theano_rnn.engines.engine import compiled_shapes, jax, precision
from theano_rnn.networks.architecture import Architecture
from theano_rnn.networks.optimizer import Optimizer, draw_dropout_mask
from theano_rnn.networks.updates import UPDATE_RULES
from theano_rnn.text.minibatches import Batch, pad

WORD_DIM, HIDDEN_DIM = 12, 5
PARAMETERS = ("U", "V", "W")


def double_rnn(seed=3):
    with precision("float64"):
        return RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate=1, seed=seed)


@functools.cache
def probe():
    """A network that only computes gradients. Its parameters are set before each use."""
    return double_rnn()


@functools.cache
def shared_optimizer(rule, clip=None):
    """An optimizer whose compiled step several tests share. `fresh` resets it."""
    return Optimizer(double_rnn(), rule, clip)


def fresh(rule, clip=None):
    optimizer = shared_optimizer(rule, clip)
    optimizer.rnn.set_values(double_rnn().get_values())
    optimizer.reset()
    return optimizer


def sentences(seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(0, WORD_DIM, length + 1) for length in (5, 2, 4)]


def batch(seed=0):
    return pad(sentences(seed), 4)


def mean_gradients(values, seed=0):
    probe().set_values(values)
    ids = sentences(seed)
    sums = [sum(parts) for parts in zip(*(probe().bptt(one[:-1], one[1:]) for one in ids), strict=True)]
    return dict(zip(PARAMETERS, (total / sum(len(one) - 1 for one in ids) for total in sums), strict=True))


def summed_loss(values, seed=0):
    probe().set_values(values)
    return sum(probe().ce_error(one[:-1], one[1:]) for one in sentences(seed))


# θ, state, g, rate, t -> θ; the state is a dict of one parameter
def numpy_step(rule, theta, state, g, rate, t):
    if rule == "sgd":
        return theta - rate * g
    if rule == "momentum":
        state["v"] = 0.9 * state.get("v", 0) - rate * g
        return theta + state["v"]
    if rule == "adagrad":
        state["r"] = state.get("r", 0) + g**2
        return theta - rate * g / (np.sqrt(state["r"]) + 1e-8)
    if rule == "rmsprop":
        state["r"] = 0.9 * state.get("r", 0) + 0.1 * g**2
        return theta - rate * g / (np.sqrt(state["r"]) + 1e-8)
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    state["r"] = 0.999 * state.get("r", 0) + 0.001 * g**2
    return theta - rate * (state["m"] / (1 - 0.9**t)) / (np.sqrt(state["r"] / (1 - 0.999**t)) + 1e-8)


def clipped(gradients, clip):
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    return {name: g * min(1, clip / norm) for name, g in gradients.items()} if clip else gradients


# test_updates.py tries the formula of each rule.
@pytest.mark.parametrize(
    ("rule", "clip"),
    [
        ("sgd", 0.05),
        ("adam", None),
        *(pytest.param(rule, None, marks=pytest.mark.slow) for rule in UPDATE_RULES if rule != "adam"),
    ],
)
def test_steps_apply_the_rule_to_the_mean_gradient_per_token(rule, clip):
    optimizer = fresh(rule, clip)
    values = optimizer.rnn.get_values()
    states = {name: {} for name in PARAMETERS}
    for t in (1, 2, 3):
        expected_loss = summed_loss(values, seed=t)
        gradients = mean_gradients(values, seed=t)
        if clip:
            assert np.sqrt(sum((g**2).sum() for g in gradients.values())) > clip
        gradients = clipped(gradients, clip)
        values = {name: numpy_step(rule, values[name], states[name], gradients[name], 0.02, t) for name in PARAMETERS}
        loss, _ = optimizer.step(batch(seed=t), 0.02)
        assert float(loss) == pytest.approx(expected_loss, abs=1e-9)
        for name, value in optimizer.rnn.get_values().items():
            np.testing.assert_allclose(value, values[name], atol=1e-9, rtol=0)
    assert optimizer.step_number == 3


@pytest.mark.parametrize("clip", [None, 0.05])
def test_gradient_norm_is_the_norm_before_clipping(clip):
    optimizer = fresh("sgd", clip) if clip else Optimizer(double_rnn(), "sgd", measures_norm=True)
    for seed in (1, 2):
        gradients = mean_gradients(optimizer.rnn.get_values(), seed)
        optimizer.step(batch(seed), 0.1)
        expected = np.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
        assert expected > 0.05
        assert float(optimizer.gradient_norm) == pytest.approx(expected, abs=1e-10)


def test_without_clipping_the_norm_is_measured_only_on_request():
    optimizer = fresh("sgd")
    optimizer.step(batch(1), 0.1)
    assert optimizer.gradient_norm is None


def test_an_optimizer_continues_bit_for_bit_from_a_saved_state():
    optimizer = fresh("adam")
    for t in (1, 2):
        optimizer.step(batch(seed=t), 0.01)
    values, state, step_number = optimizer.rnn.get_values(), optimizer.get_state(), optimizer.step_number
    kept = {name: value.copy() for name, value in state.items()}
    optimizer.step(batch(seed=3), 0.01)
    for name, value in state.items():
        np.testing.assert_array_equal(value, kept[name])  # the state was copied
    successor = Optimizer(double_rnn(seed=8), "adam")
    successor.rnn.set_values(values)
    successor.set_state(state, step_number)
    successor.step(batch(seed=3), 0.01)
    for name in PARAMETERS:
        np.testing.assert_array_equal(successor.rnn.get_values()[name], optimizer.rnn.get_values()[name])
    assert successor.step_number == optimizer.step_number == 3
    for name, value in successor.get_state().items():
        np.testing.assert_array_equal(value, optimizer.get_state()[name])


@pytest.mark.parametrize("rule", UPDATE_RULES)
def test_new_accumulators_are_zero_with_the_shapes_of_their_parameters(rule):
    optimizer = Optimizer(double_rnn(), rule)
    state = optimizer.get_state()
    slots = UPDATE_RULES[rule].accumulators
    assert set(state) == {f"{slot}.{name}" for slot in slots for name in PARAMETERS}
    for name, value in state.items():
        assert value.shape == optimizer.rnn.parameter_shapes[name.split(".")[1]]
        assert value.dtype == np.float64 and not value.any()
    assert optimizer.step_number == 0


def test_reset_forgets_all_past_gradients():
    optimizer = fresh("adam")
    optimizer.step(batch(), 0.01)
    assert all(value.any() for value in optimizer.get_state().values())
    optimizer.reset()
    assert optimizer.step_number == 0
    assert not any(value.any() for value in optimizer.get_state().values())


def test_carried_states_join_chunks_to_one_long_text():
    optimizer = fresh("sgd")
    ids = np.random.default_rng(5).integers(0, WORD_DIM, 11)
    probe().set_values(optimizer.rnn.get_values())
    first, second = pad([ids[:6]] * 4, 4), pad([ids[5:]] * 4, 4)
    loss, states = optimizer.step(first, 0.0)
    carried, states = optimizer.step(second, 0.0, states)
    expected = probe().ce_error(ids[:-1], ids[1:])
    assert float(loss) + float(carried) == pytest.approx(4 * expected, abs=1e-9)
    np.testing.assert_allclose(np.array(states), [probe().hidden_states(ids[:-1])[-1]] * 4, atol=1e-10)
    forgotten, _ = optimizer.step(second, 0.0)
    assert abs(float(forgotten) - float(carried)) > 1e-6


def test_an_unknown_rule_is_rejected_and_the_known_ones_are_named():
    with pytest.raises(
        ValueError, match=r"^optimizer: expected one of sgd, momentum, adagrad, rmsprop, adam, got 'lion'"
    ):
        Optimizer(double_rnn(), "lion")


def test_with_a_common_number_of_tokens_every_token_has_the_same_weight():
    ids = np.arange(1, 7)
    one, other = (pad([ids], 1) for _ in range(2))
    changes = []
    for tokens in (None, 10.0):
        optimizer = fresh("sgd")
        rnn = optimizer.rnn
        before = rnn.V.get_value()
        optimizer.step(one if tokens is None else other, 0.1, tokens=tokens)
        changes.append(rnn.V.get_value() - before)
    np.testing.assert_allclose(changes[1] * 10, changes[0] * one.tokens, atol=1e-12)


@pytest.mark.xla
@pytest.mark.parametrize(
    "rule", [rule if rule == "adam" else pytest.param(rule, marks=pytest.mark.slow) for rule in UPDATE_RULES]
)
def test_steps_of_one_shape_are_compiled_once_even_with_carried_states(rule):
    optimizer = fresh(rule)
    x = np.random.default_rng(0).integers(0, WORD_DIM, (6, 3)).astype(np.int32)
    batch = Batch(x, x, np.ones((6, 3), bool), np.arange(3))
    before = compiled_shapes(optimizer._step)
    _, states = optimizer.step(batch, 0.1)
    compilations = []

    def listener(event, duration, **details):
        if "compile" in event:
            compilations.append(event)

    jax.monitoring.register_event_duration_secs_listener(listener)
    try:
        for _ in range(3):
            _, states = optimizer.step(batch, 0.1, states)
        assert not compilations
        optimizer.step(Batch(x[1:], x[1:], batch.mask[1:], batch.sentences), 0.1)
        assert compilations  # the listener works
    finally:
        jax.monitoring.unregister_event_duration_listener(listener)
    assert compiled_shapes(optimizer._step) == before + 2


def test_a_dropout_mask_keeps_the_expected_size_of_every_value():
    architecture = Architecture(12, 50, layers=2, embedding_dim=20, dropout=0.25)
    mask = draw_dropout_mask(architecture, 200, np.random.default_rng(0))
    assert mask.shape == (200, architecture.dropout_dim) == (200, 120) and mask.dtype == np.float32
    assert set(np.unique(mask)) == {0, np.float32(1 / 0.75)}
    assert mask.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(mask, draw_dropout_mask(architecture, 200, np.random.default_rng(0)))
    assert len(np.unique(mask, axis=0)) == 200


def test_without_a_mask_a_step_with_dropout_drops_nothing():
    batch = pad([[0, 3, 7, 3, 11, 1], [2, 5, 1]], 2)
    found = []
    with_dropout = RNN(WORD_DIM, HIDDEN_DIM, 1, seed=3, dtype="float64", dropout=0.5)
    for optimizer in (fresh("sgd"), Optimizer(with_dropout, "sgd")):
        loss, _ = optimizer.step(batch, 0.1)
        found.append([float(loss), *optimizer.rnn.get_values().values()])
    for value, expected in zip(*found, strict=True):
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-12)
