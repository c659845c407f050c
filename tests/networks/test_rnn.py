"""The network against the tutorial's own results, and against its loops written in NumPy."""

import functools
import math
import pickle
import zipfile

import numpy as np
import pytest

import theano_rnn
from theano_rnn import RNN, ModelFileError, RNNTheano
from theano_rnn.engines.chunked_softmax import FEW_WORDS
from theano_rnn.engines.engine import T, compiled_shapes, precision, theano
from theano_rnn.networks import network_graphs
from theano_rnn.networks import rnn as rnn_module
from theano_rnn.text.minibatches import BUCKETS

WORD_DIM, HIDDEN_DIM = 12, 5
PARAMETERS = ("U", "V", "W")
EXAMPLES = range(5)


# The tutorial's loops (parts 2 and 3), for both activations.


def numpy_forward(values, x, activation):
    U, V, W = (values[name] for name in PARAMETERS)
    s = np.zeros((len(x) + 1, len(W)))  # the last row is s_{-1}
    o = np.zeros((len(x), len(V)))
    for t in range(len(x)):
        z = U[:, x[t]] + W.dot(s[t - 1])
        s[t] = np.tanh(z) if activation == "tanh" else np.maximum(z, 0)
        e = np.exp(V.dot(s[t]))
        o[t] = e / e.sum()
    return o, s


def numpy_loss(values, x, y, activation):
    o, _ = numpy_forward(values, x, activation)
    return -sum(math.log(o[t, y[t]]) for t in range(len(x)))


def numpy_bptt(values, x, y, activation, bptt_truncate):
    U, V, W = (values[name] for name in PARAMETERS)
    truncate = len(x) if bptt_truncate is None else bptt_truncate
    dU, dV, dW = np.zeros_like(U), np.zeros_like(V), np.zeros_like(W)

    def slope(s_t):
        return 1 - s_t**2 if activation == "tanh" else (s_t > 0) * 1.0

    do, s = numpy_forward(values, x, activation)
    do[np.arange(len(y)), y] -= 1
    for t in reversed(range(len(x))):
        dV += np.outer(do[t], s[t])
        delta = V.T.dot(do[t]) * slope(s[t])
        for step in reversed(range(max(0, t - truncate), t + 1)):
            dW += np.outer(delta, s[step - 1])
            dU[:, x[step]] += delta
            delta = W.T.dot(delta) * slope(s[step - 1])
    return [dU, dV, dW]


# Networks that tests share. A test that changes parameters creates its own.


@functools.cache
def network(activation="tanh", bptt_truncate=4):
    with precision("float64"):
        return RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate, activation, seed=3)


@functools.cache
def golden_network(path, bptt_truncate):
    with np.load(path) as archive, precision("float64"):
        return RNN.from_values({name: archive[name] for name in PARAMETERS}, bptt_truncate)


@pytest.fixture
def golden_rnn(request):
    return lambda bptt_truncate: golden_network(
        request.path.parents[1] / "support" / "tutorial_golden.npz", bptt_truncate
    )


def sentence(length, seed=0):
    ids = np.random.default_rng([length, seed]).integers(0, WORD_DIM, length + 1)
    return ids[:-1], ids[1:]


def assert_all_close(found, expected, atol):
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, atol=atol, rtol=0)


# Golden values


@pytest.mark.parametrize("i", EXAMPLES)
def test_probabilities_and_loss_equal_the_tutorials(golden, golden_rnn, i):
    rnn = golden_rnn(4)
    o = rnn.forward_propagation(golden[f"x{i}"])
    assert o.dtype == np.float64
    np.testing.assert_allclose(o, golden[f"o{i}"], atol=1e-10, rtol=0)
    assert rnn.ce_error(golden[f"x{i}"], golden[f"y{i}"]) == pytest.approx(float(golden[f"ce{i}"]), abs=1e-10)


@pytest.mark.parametrize(
    ("i", "bptt_truncate", "kind"),
    [
        *((i, 4, "trunc4") for i in EXAMPLES),
        # XLA compiles for each bucket of lengths.
        *(
            pytest.param(i, truncate, kind, marks=() if i == EXAMPLES[-1] else pytest.mark.slow)
            for i in EXAMPLES
            for truncate, kind in ((-1, "full"), (0, "trunc0"), (1, "trunc1"))
        ),
    ],
)
def test_gradients_equal_the_tutorials(golden, golden_rnn, i, bptt_truncate, kind):
    found = golden_rnn(bptt_truncate).bptt(golden[f"x{i}"], golden[f"y{i}"])
    assert_all_close(found, [golden[f"{kind}_d{name}{i}"] for name in PARAMETERS], 1e-10)


def test_the_golden_gradients_distinguish_truncations(golden):
    assert not np.allclose(golden["trunc4_dW4"], golden["full_dW4"], atol=1e-6)
    assert not np.allclose(golden["trunc4_dW4"], golden["trunc1_dW4"], atol=1e-6)


def test_the_tutorials_trained_model_has_its_losses(shared_data):
    rnn = RNN.load(shared_data("tutorial-trained-model.npz"))
    assert rnn.dtype == "float32" and rnn.U.get_value().shape == (50, 8000)
    assert (rnn.activation, rnn.bptt_truncate) == ("tanh", 4)
    with np.load(shared_data("tutorial-trained-golden.npz")) as expected:
        count = sum(name.startswith("trained_x") for name in expected.files)
        assert count > 0
        for i in range(count):
            x, y = expected[f"trained_x{i}"], expected[f"trained_y{i}"]
            assert rnn.ce_error(x, y) == pytest.approx(float(expected[f"trained_ce{i}"]), rel=1e-4)
            np.testing.assert_array_equal(rnn.predict(x), expected[f"trained_argmax{i}"])


# The NumPy loops

LENGTHS = [1, 2, 4, 5, BUCKETS[-1] + 15]  # 1, 2, K, K+1, and one beyond every bucket


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("length", LENGTHS)
def test_states_probabilities_and_loss_equal_the_loops(activation, length):
    rnn = network(activation)
    x, y = sentence(length)
    o, s = numpy_forward(rnn.get_values(), x, activation)
    np.testing.assert_allclose(rnn.forward_propagation(x), o, atol=1e-10, rtol=0)
    np.testing.assert_allclose(rnn.hidden_states(x), s[:-1], atol=1e-10, rtol=0)
    assert rnn.ce_error(x, y) == pytest.approx(numpy_loss(rnn.get_values(), x, y, activation), abs=1e-10)


@pytest.mark.parametrize(
    ("activation", "bptt_truncate"),
    [
        ("tanh", None),
        ("relu", 4),
        pytest.param("tanh", 4, marks=pytest.mark.slow),
        pytest.param("relu", None, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("length", LENGTHS)
def test_gradients_equal_the_loops(activation, bptt_truncate, length):
    rnn = network(activation, bptt_truncate)
    x, y = sentence(length)
    expected = numpy_bptt(rnn.get_values(), x, y, activation, bptt_truncate)
    assert_all_close(rnn.bptt(x, y), expected, 1e-10)


@pytest.mark.parametrize("bptt_truncate", [3, pytest.param(None, marks=pytest.mark.slow)])
def test_results_with_a_large_vocabulary_equal_the_loops(float64, bptt_truncate):
    # Above FEW_WORDS, V is stored transposed and the softmax gathers and scatters.
    rnn = RNN(FEW_WORDS + 9, HIDDEN_DIM, bptt_truncate=bptt_truncate, seed=4)
    values = rnn.get_values()
    x, y = np.random.default_rng(5).integers(0, rnn.word_dim, (2, 7))
    x[4] = x[1]
    o, s = numpy_forward(values, x, "tanh")
    np.testing.assert_allclose(rnn.forward_propagation(x), o, atol=1e-12)
    np.testing.assert_allclose(rnn.hidden_states(x), s[:-1], atol=1e-12)
    np.testing.assert_array_equal(rnn.predict(x), o.argmax(axis=1))
    assert rnn.ce_error(x, y) == pytest.approx(numpy_loss(values, x, y, "tanh"), abs=1e-10)
    gradients = numpy_bptt(values, x, y, "tanh", bptt_truncate)
    for found, expected in zip(rnn.bptt(x, y), gradients, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-10)
    rnn.sgd_step(x, y, 0.1)
    for name, gradient in zip(PARAMETERS, gradients, strict=True):
        np.testing.assert_allclose(rnn.get_values()[name], values[name] - 0.1 * gradient, atol=1e-10)


def test_single_precision_agrees_with_double_precision_to_a_millionth():
    double = network()
    single = RNN(WORD_DIM, HIDDEN_DIM, 4, "tanh", seed=3)
    assert single.dtype == "float32"
    x, y = sentence(5)
    for value, other in zip(single.get_values().values(), double.get_values().values(), strict=True):
        np.testing.assert_array_equal(value, other.astype("float32"))
    assert single.ce_error(x, y) == pytest.approx(double.ce_error(x, y), rel=1e-6)
    gradients = single.bptt(x, y)
    assert {gradient.dtype for gradient in gradients} == {np.dtype("float32")}
    assert_all_close(gradients, double.bptt(x, y), 5e-6)


# The tutorial's methods


def test_sgd_step_subtracts_the_gradient_and_returns_the_loss_before(float64):
    rnn, still = RNN(WORD_DIM, HIDDEN_DIM, 4, "tanh", seed=3), network()
    x, y = sentence(5)
    assert len(set(x)) < len(x), "a word should occur twice, so that two errors are added to its column of U"
    gradients, loss = still.bptt(x, y), still.ce_error(x, y)
    assert rnn.sgd_step(x, y, 0.25) == pytest.approx(loss, abs=1e-10)
    expected = [value - 0.25 * g for value, g in zip(still.get_values().values(), gradients, strict=True)]
    assert_all_close(rnn.get_values().values(), expected, 1e-10)
    losses = [rnn.sgd_step(x, y, 0.05) for _ in range(20)]
    assert all(after < before for before, after in zip(losses, losses[1:], strict=False))


def test_probabilities_of_each_word_sum_to_one_and_predict_is_the_most_probable():
    rnn = network()
    x, _ = sentence(5)
    o = rnn.forward_propagation(x)
    assert o.shape == (5, WORD_DIM) and (o > 0).all()
    np.testing.assert_allclose(o.sum(axis=1), 1, atol=1e-12)
    predicted = rnn.predict(x)
    assert predicted.shape == (5,) and predicted.dtype.kind == "i"
    np.testing.assert_array_equal(predicted, o.argmax(axis=1))


def test_losses_over_many_sentences_are_sums_of_ce_error():
    rnn = network()
    lengths = np.random.default_rng(0).integers(1, 11, 40)
    pairs = [sentence(length, seed) for seed, length in enumerate(lengths)]
    X, Y = zip(*pairs, strict=True)
    total = sum(rnn.ce_error(x, y) for x, y in pairs)
    assert rnn.calculate_total_loss(X, Y) == pytest.approx(total, abs=1e-9)
    assert rnn.calculate_loss(X, Y) == pytest.approx(total / lengths.sum(), abs=1e-11)
    assert (
        type(rnn.calculate_total_loss(X, Y)) is type(rnn.calculate_loss(X, Y)) is type(rnn.ce_error(*pairs[0])) is float
    )


def test_losses_accept_one_shot_iterators():
    rnn = network()
    pairs = [sentence(3, seed) for seed in range(4)]
    X, Y = zip(*pairs, strict=True)
    assert rnn.calculate_loss(iter(X), iter(Y)) == rnn.calculate_loss(X, Y)


def test_a_sequence_can_be_a_list_a_tuple_or_any_integer_array():
    rnn = network()
    expected = rnn.forward_propagation([3, 1, 4])
    for x in ((3, 1, 4), np.array([3, 1, 4], np.uint8), np.array([3, 1, 4], np.int64)):
        np.testing.assert_array_equal(rnn.forward_propagation(x), expected)


def test_log_probabilities_carry_states_from_chunk_to_chunk():
    rnn = network()
    x, y = (ids.astype(np.int32).reshape(2, 5).T.copy() for ids in sentence(10))
    first, states = rnn.log_probabilities(x, y)
    second, _ = rnn.log_probabilities(x, y, states)
    for b in range(2):
        o, s = numpy_forward(rnn.get_values(), [*x[:, b], *x[:, b]], "tanh")
        np.testing.assert_allclose(np.array(states)[b], s[4], atol=1e-10)
        np.testing.assert_allclose(np.concatenate([first, second])[:, b], np.log(o[np.arange(10), [*y[:, b]] * 2]))
        np.testing.assert_allclose(rnn.states(x)[:, b], s[:5], atol=1e-10)
    np.testing.assert_array_equal(rnn.zero_states(2), np.zeros((2, HIDDEN_DIM)))


# Parameters


def test_parameters_are_shared_variables_in_the_tutorials_shapes():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0)
    shapes = {"U": (HIDDEN_DIM, WORD_DIM), "V": (WORD_DIM, HIDDEN_DIM), "W": (HIDDEN_DIM, HIDDEN_DIM)}
    for name, shape in shapes.items():
        shared = getattr(rnn, name)
        assert isinstance(shared, type(theano.shared(np.zeros((2, 2)))))
        assert shared.name == name and shared.get_value().shape == shape
        assert shared.get_value().dtype == rnn.dtype == "float32"
    assert rnn.parameters == [rnn.U, rnn.V, rnn.W]
    assert rnn.parameter_names == tuple(rnn.get_values()) == ("U", "V", "W")


def test_gradients_updates_and_files_have_one_order(path):
    rnn = network()
    gradients = rnn.bptt([1, 2], [2, 3])
    assert [gradient.shape for gradient in gradients] == [value.shape for value in rnn.get_values().values()]
    rnn.save(path)
    with np.load(path) as archive:
        assert tuple(archive.files)[:3] == rnn.parameter_names


def test_repr_is_one_line_with_the_sizes_and_settings():
    assert repr(RNN(8000, 3)) == (
        "RNN(word_dim=8000, hidden_dim=3, cell='simple', activation='tanh', bptt_truncate=4, dtype='float32')"
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_can_be_chosen_per_network(dtype):
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0, dtype=dtype)
    assert rnn.dtype == dtype and rnn.forward_propagation([1, 2]).dtype == dtype
    assert RNN.from_values(rnn.get_values(), dtype=dtype).W.get_value().dtype == dtype
    assert pickle.loads(pickle.dumps(rnn)).dtype == dtype
    with pytest.raises(ValueError, match="^dtype: expected one of float32, float64, got 'float'$"):
        RNN(WORD_DIM, HIDDEN_DIM, dtype="float")


# NumPy deprecates what the original Theano uses; Numba, which compiles at the first call, prefers contiguous arrays.
@pytest.mark.filterwarnings("ignore")
def test_parameters_have_their_documented_shapes_in_formulas_of_the_user():
    rnn = RNN(600, HIDDEN_DIM, seed=0, dtype="float64")  # V is stored transposed too
    x, h = T.vector("x", dtype="float64"), T.vector("h", dtype="float64")
    outputs = [rnn.U.dot(x), rnn.V.dot(h), rnn.W.dot(h), rnn.U.shape, rnn.V.shape]
    products = theano.function([x, h], outputs, mode="FAST_COMPILE")
    gradient = theano.function([x], T.grad((rnn.U.dot(x) ** 2).sum(), rnn.U), mode="FAST_COMPILE")
    generator = np.random.default_rng(1)
    x, h = generator.normal(size=600), generator.normal(size=HIDDEN_DIM)
    for _ in range(2):
        values = rnn.get_values()
        Ux, Vh, Wh, of_U, of_V = products(x, h)
        np.testing.assert_allclose(Ux, values["U"] @ x, atol=1e-12)
        np.testing.assert_allclose(Vh, values["V"] @ h, atol=1e-12)
        np.testing.assert_allclose(Wh, values["W"] @ h, atol=1e-12)
        assert tuple(of_U) == (HIDDEN_DIM, 600) and tuple(of_V) == (600, HIDDEN_DIM)
        np.testing.assert_allclose(gradient(x), 2 * np.outer(values["U"] @ x, x), atol=1e-12)
        rnn.sgd_step([1, 2, 599], [2, 599, 0], 0.1)


@pytest.mark.filterwarnings("ignore")
def test_a_function_of_the_user_can_update_the_parameters_between_steps():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0, dtype="float64")
    updates = [(shared, shared / 2) for shared in rnn.parameters]
    halve = theano.function([], [], updates=updates, mode="FAST_COMPILE")
    expected = RNN.from_values(rnn.get_values(), dtype="float64")
    for _ in range(2):
        rnn.sgd_step([1, 2], [2, 3], 0.1)
        halve()
        expected.sgd_step([1, 2], [2, 3], 0.1)
        expected.set_values({name: value / 2 for name, value in expected.get_values().items()})
    for name, value in rnn.get_values().items():
        np.testing.assert_allclose(value, expected.get_values()[name], atol=1e-15)
    np.testing.assert_allclose(rnn.hidden_states([5, 6]), expected.hidden_states([5, 6]), atol=1e-15)


def test_initial_values_fill_the_interval_of_the_tutorial():
    rnn = RNN(400, 16, seed=0)
    for name, incoming in (("U", 400), ("V", 16), ("W", 16)):
        value, bound = getattr(rnn, name).get_value(), math.sqrt(1 / incoming)
        assert np.abs(value).max() <= bound
        assert np.abs(value).max() > 0.95 * bound
        assert abs(value.mean()) < 0.15 * bound


def test_the_seed_determines_the_initial_values():
    one, same, other = (RNN(WORD_DIM, HIDDEN_DIM, seed=seed).get_values() for seed in (1, 1, 2))
    for name in PARAMETERS:
        np.testing.assert_array_equal(one[name], same[name])
        assert not np.array_equal(one[name], other[name])


def test_without_a_seed_two_networks_differ():
    one, other = (RNN(WORD_DIM, HIDDEN_DIM).get_values() for _ in range(2))
    assert not np.array_equal(one["W"], other["W"])


def test_rnn_theano_accepts_the_positional_arguments_of_the_tutorial():
    assert RNNTheano is RNN is theano_rnn.RNN is theano_rnn.RNNTheano
    rnn = RNNTheano(WORD_DIM, 7, 2)
    assert (rnn.word_dim, rnn.hidden_dim, rnn.bptt_truncate) == (WORD_DIM, 7, 2)
    default = RNNTheano(WORD_DIM)
    assert (default.hidden_dim, default.bptt_truncate, default.activation) == (100, 4, "tanh")


def test_setting_a_shared_variable_takes_effect_after_compilation():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0)
    assert rnn.forward_propagation([1, 2]).std() > 1e-3
    rnn.V.set_value(np.zeros((WORD_DIM, HIDDEN_DIM), rnn.dtype))
    np.testing.assert_allclose(rnn.forward_propagation([1, 2]), 1 / WORD_DIM, atol=1e-7)


def test_get_value_returns_a_numpy_copy_before_and_after_a_step():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0)
    for _ in range(2):
        for shared in rnn.parameters:
            value = shared.get_value()
            assert isinstance(value, np.ndarray)
            value[0, 0] = 17  # as the tutorial's gradient check does
            assert shared.get_value()[0, 0] != 17
        rnn.sgd_step([1, 2], [2, 3], 0.1)


def test_get_values_and_set_values_copy():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0)
    values = rnn.get_values()
    values["W"][:] = 0
    assert rnn.W.get_value().any()
    rnn.set_values(values)
    values["U"][:] = 0
    assert not rnn.W.get_value().any() and rnn.U.get_value().any()


def test_nothing_is_set_if_one_array_is_wrong():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0)
    before = rnn.get_values()
    wrong = {name: np.zeros_like(value) for name, value in before.items()}
    wrong["W"] = np.zeros((2, 2))
    with pytest.raises(ValueError, match=r"^W: expected shape \(5, 5\), got \(2, 2\)$"):
        rnn.set_values(wrong)
    del wrong["W"]
    with pytest.raises(ValueError, match=r"^W is missing; expected arrays named U, V, W$"):
        rnn.set_values(wrong)
    for name in PARAMETERS:
        np.testing.assert_array_equal(rnn.get_values()[name], before[name])


def test_values_without_u_are_rejected():
    with pytest.raises(ValueError, match=r"^U is missing; expected arrays named U, V, W$"):
        RNN.from_values({"V": np.zeros((3, 1)), "W": np.zeros((1, 1))})


def test_values_whose_u_is_not_a_matrix_are_rejected():
    with pytest.raises(ValueError, match=r"^U: expected a matrix \(hidden_dim, word_dim\), got shape \(3,\)$"):
        RNN.from_values({"U": np.zeros(3), "V": np.zeros((3, 1)), "W": np.zeros((1, 1))})


# Compilation


def test_the_recurrence_is_a_scan():
    from theano_rnn.engines.engine import Scan

    nodes = network()._function(network_graphs.forward_propagation).function.maker.fgraph.toposort()
    assert [node for node in nodes if isinstance(node.op, Scan)]


def test_functions_are_compiled_once_when_first_used(monkeypatch):
    compiled = []

    def counting(build, dtype):
        compiled.append(dtype)
        return compile_function(build, dtype)

    compile_function = rnn_module.compile_function
    monkeypatch.setattr(rnn_module, "compile_function", counting)
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0)
    assert compiled == []
    rnn.predict([1, 2])
    assert compiled == [rnn.dtype]
    rnn.predict([3, 4, 5])
    assert compiled == [rnn.dtype]


@pytest.mark.xla
def test_lengths_of_one_bucket_are_compiled_once():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=0)
    for length in (1, 2, 3, 5):
        rnn.predict([0] * length)
    assert compiled_shapes(rnn._function(network_graphs.predict)) == 1
    rnn.predict([0] * 6)
    assert compiled_shapes(rnn._function(network_graphs.predict)) == 2


# Files


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rnn.npz"


def arrays(**changes):
    values = {
        "U": np.zeros((HIDDEN_DIM, WORD_DIM)),
        "V": np.zeros((WORD_DIM, HIDDEN_DIM)),
        "W": np.zeros((HIDDEN_DIM, HIDDEN_DIM)),
    }
    values.update(changes)
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize(("activation", "bptt_truncate"), [("relu", None), ("tanh", 0), ("tanh", 7)])
def test_loading_restores_the_settings_of_a_saved_network(path, activation, bptt_truncate):
    rnn = RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate, activation, seed=0)
    rnn.save(path)
    loaded = RNN.load(path)
    assert (loaded.activation, loaded.bptt_truncate) == (activation, bptt_truncate)
    assert (loaded.word_dim, loaded.hidden_dim) == (WORD_DIM, HIDDEN_DIM)
    for name in PARAMETERS:
        np.testing.assert_array_equal(loaded.get_values()[name], rnn.get_values()[name])


def test_saving_in_double_precision_is_lossless(path, float64):
    network().save(path)
    loaded = RNN.load(path)
    assert loaded.dtype == "float64"
    for name, value in network().get_values().items():
        np.testing.assert_array_equal(loaded.get_values()[name], value)


def test_saving_replaces_an_older_file(path):
    for seed in (0, 1):
        RNN(WORD_DIM, HIDDEN_DIM, seed=seed).save(path)
    np.testing.assert_array_equal(RNN.load(path).get_values()["W"], RNN(WORD_DIM, HIDDEN_DIM, seed=1).get_values()["W"])
    assert [entry.name for entry in path.parent.iterdir()] == ["rnn.npz"]


def test_a_bare_file_of_three_arrays_is_loaded_as_the_tutorials_network(path):
    np.savez(path, **arrays())
    rnn = RNN.load(path)
    assert (rnn.activation, rnn.bptt_truncate, rnn.word_dim, rnn.hidden_dim) == ("tanh", 4, WORD_DIM, HIDDEN_DIM)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"W": None}, r"rnn\.npz: contains no W; a model has the arrays U, V, W$"),
        ({"V": np.zeros((WORD_DIM + 1, HIDDEN_DIM))}, r"rnn\.npz: V: expected shape \(12, 5\), got \(13, 5\)$"),
        ({"W": np.zeros((HIDDEN_DIM, 2))}, r"rnn\.npz: W: expected shape \(5, 5\), got \(5, 2\)$"),
        (
            {"U": np.zeros(3)},
            r"rnn\.npz: U should be a matrix of floating-point numbers, is float64 of shape \(3,\)$",
        ),
        (
            {name: np.zeros((0, 0)) for name in ("U", "V", "W")},
            r"rnn\.npz: word_dim: expected at least 1, got 0$",
        ),
        # W would take 40 GB if it had the size that the shape of U implies.
        ({"U": np.zeros((100_000, 1))}, r"rnn\.npz: V: expected shape \(1, 100000\), got \(12, 5\)$"),
        ({"W": np.zeros((5, 5), int)}, r"rnn\.npz: W should be a matrix of floating-point numbers, is int64 of shape"),
        ({"W": np.full((5, 5), np.nan)}, r"rnn\.npz: W contains values that are not finite in float32$"),
        ({"V": np.full((12, 5), np.inf)}, r"rnn\.npz: V contains values that are not finite in float32$"),
    ],
)
def test_a_file_of_wrong_arrays_is_rejected(path, changes, message):
    np.savez(path, **arrays(**changes))
    with pytest.raises(ModelFileError, match=message):
        RNN.load(path)


def test_values_too_large_for_single_precision_are_rejected(path):
    np.savez(path, **arrays(W=np.full((5, 5), 1e300)))
    with pytest.raises(ModelFileError, match=r"rnn\.npz: W contains values that are not finite"):
        RNN.load(path)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"network": {"bptt_truncate": 4, "activation": "sin"}}, r"activation: expected one of tanh, relu, got 'sin'$"),
        ({"network": {"bptt_truncate": "x", "activation": "tanh"}}, r"bptt_truncate: expected an integer, got 'x'$"),
        ({"network": {"bptt_truncate": 4, "activation": ["tanh"]}}, r"rnn\.npz: .*"),
        ({"network": None}, r"rnn\.npz: .*configuration"),
        ({"network": [1]}, r"rnn\.npz: .*configuration"),
        ([1, 2], r"rnn\.npz: .*configuration"),
    ],
)
def test_a_file_of_wrong_settings_is_rejected(path, configuration, message):
    from theano_rnn.files.archive import write_archive

    write_archive(path, arrays(), {"configuration": configuration})
    with pytest.raises(ModelFileError, match=message):
        RNN.load(path)


def test_a_missing_file_is_reported(path):
    with pytest.raises(ModelFileError, match=r"rnn\.npz: no such file; train a model first, or name another file$"):
        RNN.load(path)


def test_a_file_that_is_not_an_archive_is_rejected(path):
    path.write_text("U, V, W")
    with pytest.raises(ModelFileError, match=r"rnn\.npz: not a model file \(no \.npz archive\)"):
        RNN.load(path)


def test_an_archive_with_a_broken_array_is_rejected(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("U.npy", b"\x93NUMPY and no more")
    with pytest.raises(ModelFileError, match=r"rnn\.npz: damaged, or not a model file: \S"):
        RNN.load(path)


def test_python_objects_are_not_unpickled(path):
    np.savez(path, **arrays(W=np.array([print], dtype=object)))
    with pytest.raises(
        ModelFileError, match=r"rnn\.npz: damaged, or not a model file: W holds object instead of plain numbers"
    ):
        RNN.load(path)


def test_a_path_that_cannot_be_written_is_reported(path):
    path.write_text("a file, no folder")
    with pytest.raises(ModelFileError, match=r"x\.npz: cannot be written: .*; choose another place$"):
        RNN(WORD_DIM, HIDDEN_DIM, seed=0).save(path / "x.npz")
