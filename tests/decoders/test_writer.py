"""Networks that write, of any cell, depth and source, against loops in NumPy, derivatives and `theano.grad`."""

import copy
import functools
import pickle

import numpy as np
import pytest
from support import numpy_networks, numpy_writers

from theano_rnn.decoders.writer import Writer, WriterOptimizer, target_inputs
from theano_rnn.decoders.writer_graph import loss_and_gradients, read_source, write_target
from theano_rnn.decoders.writer_settings import Source, WriterSettings, symbolic_source
from theano_rnn.engines.engine import T, as_numpy, compile_function, engine_name
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.networks.forward import with_bias
from theano_rnn.networks.optimizer import draw_dropout_mask
from theano_rnn.networks.softmax import log_softmax

SIZES = {"words": 6, "source_words": 7, "embedding_dim": 4, "hidden_dim": 3}
FEATURES = {"source_words": 0, "feature_dim": 5, "attention": False}
# The last column is empty.
SOURCE_LENGTHS, SOURCE_STEPS = (4, 1, 6, 0), 6
LENGTHS, STEPS = (2, 5, 1, 0), 5
EXACT = 1e-10

CASES = {
    "GRU, attention": {},
    "LSTM, two layers, no attention, untied": {"cell": "lstm", "layers": 2, "attention": False, "tied": False},
    "GRU, features, two layers": {"layers": 2, **FEATURES},
    "simple, attention, shared, no bias": {"cell": "simple", "shared": True, "source_words": 6, "bias": False},
    "LSTM, attention, two layers, forward, shared, untied": {
        "cell": "lstm", "layers": 2, "bidirectional": False, "shared": True, "source_words": 6, "tied": False,
    },
    "GRU, attention, two layers, untied, no bias": {"layers": 2, "tied": False, "bias": False},
    "simple, attention, two layers, forward": {"cell": "simple", "layers": 2, "bidirectional": False},
    "LSTM, attention": {"cell": "lstm"},
    "GRU, no attention, forward, no bias": {"attention": False, "bidirectional": False, "bias": False},
    "simple, no attention, shared, untied": {
        "cell": "simple", "attention": False, "shared": True, "source_words": 6, "tied": False,
    },
    "GRU, z repeated": {"attention": False, "repeats_z": True},
    "LSTM, two layers, z repeated, forward, shared, untied": {
        "cell": "lstm", "layers": 2, "attention": False, "repeats_z": True, "bidirectional": False, "shared": True,
        "source_words": 6, "tied": False,
    },
    "simple, features repeated, no bias": {"cell": "simple", "bias": False, "repeats_z": True, **FEATURES},
    "LSTM, features, untied, no bias": {"cell": "lstm", "tied": False, "bias": False, **FEATURES},
    "simple, features": {"cell": "simple", **FEATURES},
}  # fmt: skip
# Compiling takes ten seconds with XLA and a minute with Theano.
QUICK = ["simple, features", "GRU, attention"] if engine_name() == "pytensor" else []


def cases(quick):
    return pytest.mark.parametrize(
        "case", [pytest.param(case, marks=() if case in quick else pytest.mark.slow) for case in CASES]
    )


@functools.cache
def writer_of(case):
    """A writer whose parameters have no zeros."""
    writer, generator = (
        Writer(WriterSettings(**{**SIZES, **CASES[case]}), seed=1, dtype="float64"),
        np.random.default_rng(0),
    )
    writer.set_values(
        {name: value + generator.normal(size=value.shape) / 2 for name, value in writer.get_values().items()}
    )
    return writer


def minibatch(settings):
    """A source, x, y and lengths, with arbitrary values on the padding."""
    generator, lengths = np.random.default_rng(1), np.array(LENGTHS, np.int32)
    x, y = (generator.integers(0, settings.words, (STEPS, len(LENGTHS))).astype(np.int32) for _ in range(2))
    if settings.feature_dim:
        return Source(None, None, generator.normal(size=(len(LENGTHS), settings.feature_dim))), x, y, lengths
    x_source = generator.integers(0, settings.source_words, (SOURCE_STEPS, len(LENGTHS))).astype(np.int32)
    return Source(x_source, np.array(SOURCE_LENGTHS, np.int32), None), x, y, lengths


def pairs(settings):
    """(column, source, x, y) of each pair, without padding."""
    source, x, y, _ = minibatch(settings)
    for column, length in enumerate(LENGTHS[:-1]):
        ids = source.features[column] if settings.feature_dim else source.x[: SOURCE_LENGTHS[column], column]
        yield column, ids, x[:length, column], y[:length, column]


def loss_of_loops(values, settings, mask=None):
    """The loss of the minibatch."""
    return -sum(
        numpy_writers.log_probabilities(values, settings, source, x, y, None if mask is None else mask[column]).sum()
        for column, source, x, y in pairs(settings)
    )


@functools.cache
def loss_and_gradients_of(case):
    writer = writer_of(case)
    return writer.loss(*minibatch(writer.settings)), writer.gradients(*minibatch(writer.settings))


@cases(QUICK[:1])
def test_each_target_of_a_minibatch_has_the_probabilities_of_the_loops(case):
    writer = writer_of(case)
    settings, values = writer.settings, writer.get_values()
    found = writer.log_probabilities(*minibatch(settings))
    expected = np.zeros((STEPS, len(LENGTHS)))
    for column, source, x, y in pairs(settings):
        expected[: len(x), column] = numpy_writers.log_probabilities(values, settings, source, x, y)
    np.testing.assert_allclose(found, expected, atol=EXACT)


@cases(QUICK or ["simple, features"])
def test_the_loss_and_all_gradients_equal_those_of_the_loops(case):
    writer = writer_of(case)
    settings, values = writer.settings, writer.get_values()
    loss, gradients = loss_and_gradients_of(case)
    assert loss == pytest.approx(loss_of_loops(values, settings), abs=EXACT)
    assert list(gradients) == list(settings.parameter_shapes)
    expected = numpy_networks.derivatives(lambda changed: loss_of_loops(changed, settings), values)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], atol=EXACT, err_msg=name)
        assert np.abs(gradient).max() > 1e-4, name


@cases([])
def test_gradients_equal_central_differences(case):
    writer = writer_of(case)
    arguments, (_, gradients) = minibatch(writer.settings), loss_and_gradients_of(case)
    values, generator, h = writer.get_values(), np.random.default_rng(2), 1e-5
    try:
        for name, value in values.items():
            index = tuple(generator.integers(0, size) for size in value.shape)
            losses = []
            for step in (h, -h):
                changed = value.copy()
                changed[index] += step
                writer.set_values({**values, name: changed})
                losses.append(writer.loss(*arguments))
            assert gradients[name][index] == pytest.approx((losses[0] - losses[1]) / (2 * h), abs=1e-8), name
    finally:
        writer.set_values(values)


@cases([])
def test_gradients_equal_those_of_theano(case):
    writer = writer_of(case)
    source, *target = minibatch(writer.settings)

    def build():
        symbols, (x, y, lengths) = symbolic_source(writer.settings, "float64"), target_inputs()
        network = writer.symbolic
        q = write_target(x, lengths, read_source(symbols, network), network).q
        log_p = log_softmax(with_bias(q.dot(network.V.T), network.c))[T.arange(STEPS * len(LENGTHS)), y.reshape((-1,))]
        within = (T.arange(STEPS)[:, None] < lengths[None, :]).reshape((-1,))
        loss = -T.sum(T.switch(within, log_p, T.zeros_like(log_p)))
        return [*symbols.arrays(), x, y, lengths], T.grad(loss, writer.parameters), None

    found = compile_function(build, "float64")(*source.arrays(), *target)
    _, gradients = loss_and_gradients_of(case)
    for expected, (name, gradient) in zip(found, gradients.items(), strict=True):
        np.testing.assert_allclose(gradient, as_numpy(expected), atol=EXACT, err_msg=name)


# XLA compiles the function for each length.
@cases([])
def test_one_pair_alone_equals_the_pair_in_a_padded_minibatch(case):
    writer = writer_of(case)
    source, x, y, lengths = minibatch(writer.settings)
    loss, gradients = loss_and_gradients_of(case)
    total, sums = 0.0, {name: np.zeros_like(value) for name, value in gradients.items()}
    for column, length in enumerate(LENGTHS[:-1]):
        steps, one = max(length, 2), [column]
        if source.features is not None:
            alone = Source(None, None, source.features[one])
        else:
            alone = Source(source.x[: max(SOURCE_LENGTHS[column], 2), one], source.lengths[one], None)
        target = x[:steps, one], y[:steps, one], lengths[one]
        total += writer.loss(alone, *target)
        for name, gradient in writer.gradients(alone, *target).items():
            sums[name] += gradient
    assert total == pytest.approx(loss, abs=EXACT)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, sums[name], atol=EXACT, err_msg=name)


@cases(QUICK or ["simple, features"])
def test_what_is_on_padding_and_in_empty_columns_has_no_effect(case):
    writer = writer_of(case)
    source, x, y, lengths = minibatch(writer.settings)
    loss, gradients = loss_and_gradients_of(case)
    x, y = x.copy(), y.copy()
    for column, length in enumerate(LENGTHS):
        x[length:, column] = y[length:, column] = 0
    if source.features is not None:
        features = source.features.copy()
        features[-1] = 0
        source = Source(None, None, features)
    else:
        x_source = source.x.copy()
        for column, length in enumerate(SOURCE_LENGTHS):
            x_source[length:, column] = 0
        source = Source(x_source, source.lengths, None)
    assert writer.loss(source, x, y, lengths) == loss
    for name, gradient in writer.gradients(source, x, y, lengths).items():
        np.testing.assert_array_equal(gradient, gradients[name], err_msg=name)


@cases([])
def test_a_minibatch_of_empty_columns_has_neither_loss_nor_gradients(case):
    writer = writer_of(case)
    source, x, y, lengths = minibatch(writer.settings)
    source = source._replace(lengths=None if source.lengths is None else np.zeros_like(source.lengths))
    assert writer.loss(source, x, y, np.zeros_like(lengths)) == 0
    for name, gradient in writer.gradients(source, x, y, np.zeros_like(lengths)).items():
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient), err_msg=name)


# Dropout


def with_mask(writer):
    """The function (source, target, mask) -> loss and gradients."""

    def build():
        symbols, labels = symbolic_source(writer.settings, "float64"), target_inputs()
        factors = T.matrix("factors", dtype="float64")
        loss, gradients = loss_and_gradients(symbols, *labels, writer.symbolic, factors)
        return [*symbols.arrays(), *labels, factors], [loss, *gradients.values()], None

    return compile_function(build, "float64")


@cases(QUICK[:1])
def test_dropout_multiplies_embeddings_states_and_q_of_each_pair(case):
    writer = writer_of(case)
    settings, values = writer.settings, writer.get_values()
    source, *target = minibatch(settings)
    mask = np.random.default_rng(3).integers(0, 2, (len(LENGTHS), settings.dropout_dim)) / 0.5
    function = with_mask(writer)
    loss, *gradients = function(*source.arrays(), *target, mask)
    assert float(loss) == pytest.approx(loss_of_loops(values, settings, mask), abs=EXACT)
    expected = numpy_networks.derivatives(lambda changed: loss_of_loops(changed, settings, mask), values)
    for name, gradient in zip(values, gradients, strict=True):
        np.testing.assert_allclose(as_numpy(gradient), expected[name], atol=EXACT, err_msg=name)
    loss, *gradients = function(*source.arrays(), *target, np.ones_like(mask))
    without, expected = loss_and_gradients_of(case)
    assert float(loss) == pytest.approx(without, abs=EXACT)
    for name, gradient in zip(values, gradients, strict=True):
        np.testing.assert_allclose(as_numpy(gradient), expected[name], atol=EXACT, err_msg=name)


# Word by word


@cases(QUICK[:1])
def test_words_one_by_one_have_the_probabilities_and_weights_of_whole_targets(case):
    writer = writer_of(case)
    settings = writer.settings
    source, x, y, lengths = minibatch(settings)
    expected = writer.log_probabilities(source, x, y, lengths)
    weights = writer.attention_weights(source, x, lengths) if settings.attention else None
    memory, states = writer.read(source)
    # Two hypotheses of each source: the target of the minibatch, and one of the same word again and again.
    states = np.repeat(as_numpy(states), 2, axis=0)
    bias = np.zeros(settings.words)
    bias[2] = -np.inf
    for t in range(STEPS):
        word = np.stack([x[t], np.full_like(x[t], 3)], axis=1)
        found = writer.best_words(memory, word, states, settings.words, bias)
        states = found.states
        assert found.ids.shape == (2 * len(LENGTHS), settings.words) and found.states.shape[1] == settings.state_dim
        assert (np.diff(found.log_probabilities[:, :-1]) <= 0).all() and (found.ids[:, -1] == 2).all()
        for column, length in enumerate(LENGTHS):
            by_word = dict(zip(found.ids[2 * column].tolist(), found.log_probabilities[2 * column], strict=True))
            assert by_word[2] == -np.inf
            if t < length and y[t, column] != 2:
                assert by_word[y[t, column]] == pytest.approx(expected[t, column], abs=EXACT)
            if t < length and weights is not None:
                np.testing.assert_allclose(found.weights[column, 0], weights[column, t], atol=EXACT)
    assert (found.weights is None) == (weights is None)


@cases([])
def test_weights_of_given_targets_equal_those_of_the_loops(case):
    writer = writer_of(case)
    if not writer.settings.attention:
        pytest.skip("no attention")
    source, x, _, lengths = minibatch(writer.settings)
    found = writer.attention_weights(source, x, lengths)
    for column, ids, words, _ in pairs(writer.settings):
        loop = numpy_writers.Loop(writer.get_values(), writer.settings, ids)
        for t, word in enumerate(words):
            np.testing.assert_allclose(found[column, t, : len(ids)], loop.step(word)[1], atol=EXACT)
            np.testing.assert_array_equal(found[column, t, len(ids) :], 0)


# Steps, files, settings


@pytest.mark.xla
def test_steps_learn_the_targets():
    settings = WriterSettings(
        6, feature_dim=3, attention=False, hidden_dim=6, embedding_dim=6, dropout=0.1, cell="simple"
    )
    writer = Writer(settings, seed=3)
    optimizer = WriterOptimizer(writer, "adam", clip=1.0)
    source = Source(None, None, np.eye(3, dtype=writer.dtype))
    x, y = np.array([[0, 0, 0], [3, 2, 4]], np.int32), np.array([[3, 2, 4], [1, 1, 1]], np.int32)
    lengths, generator = np.array([2, 2, 2], np.int32), np.random.default_rng(0)
    losses = []
    for _ in range(60):
        mask = draw_dropout_mask(settings, 3, generator)
        losses.append(float(optimizer.step(source, [x, y, lengths], 0.03, 6, mask)))
    assert losses[-1] < losses[0] / 5 and np.isfinite(float(optimizer.gradient_norm))
    assert all(value.dtype == writer.dtype for value in writer.get_values().values())


def test_a_pickled_or_copied_writer_has_the_same_values():
    writer = writer_of("GRU, attention")
    for other in (pickle.loads(pickle.dumps(writer)), copy.deepcopy(writer), copy.copy(writer)):
        assert other.settings == writer.settings and other.dtype == "float64" and "words=6" in repr(other)
        for name, value in writer.get_values().items():
            np.testing.assert_array_equal(other.get_values()[name], value)
        other.set_values({name: 0 * value for name, value in writer.get_values().items()})
        assert np.abs(writer.get_values()["V"]).min() > 0


def test_values_make_the_same_writer_and_wrong_ones_are_rejected_before_a_network_is_made():
    writer = writer_of("GRU, attention")
    other = Writer.from_values(writer.settings, writer.get_values(), "float64")
    for name, value in writer.get_values().items():
        np.testing.assert_array_equal(other.get_values()[name], value)
    settings = WriterSettings(words=10**12, source_words=10**12, hidden_dim=10**6)
    with pytest.raises(ArgumentValueError, match=r"U_source: expected shape .*, got \(1, 1\)"):
        Writer.from_values(settings, dict.fromkeys(settings.parameter_shapes, np.zeros((1, 1))))
    with pytest.raises(ArgumentValueError, match="U_source is missing; expected arrays named U_source, "):
        Writer.from_values(settings, {})
    with pytest.raises(ArgumentValueError, match="dtype: expected .*, got 'float16'"):
        Writer(writer.settings, dtype="float16")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"words": 0}, ArgumentValueError, "words: expected at least 1, got 0"),
        ({"words": 2.5}, ArgumentTypeError, "words: "),
        ({"source_words": -1}, ArgumentValueError, "source_words: expected at least 0, got -1"),
        ({"feature_dim": -1}, ArgumentValueError, "feature_dim: expected at least 0, got -1"),
        ({"embedding_dim": 0}, ArgumentValueError, "embedding_dim: expected at least 1, got 0"),
        ({"attention": 1}, ArgumentTypeError, "attention: "),
        ({"tied": "yes"}, ArgumentTypeError, "tied: "),
        ({"shared": None}, ArgumentTypeError, "shared: "),
        ({"repeats_z": True}, ArgumentValueError, "repeats_z: expected False with attention, got True"),
        ({"repeats_z": 0}, ArgumentTypeError, "repeats_z: "),
        ({"source_words": 0}, ArgumentValueError, "source_words: expected either .*, got 0 and 0"),
        ({"feature_dim": 5}, ArgumentValueError, "source_words: expected either .*, got 7 and 5"),
        (
            {"source_words": 0, "feature_dim": 5},
            ArgumentValueError,
            "attention: expected False with `feature_dim`, which has no steps, got True",
        ),
        ({"shared": True}, ArgumentValueError, "shared: expected `source_words` equal to `words`, got 7"),
        ({"hidden_dim": 0}, ArgumentValueError, "hidden_dim: "),
        ({"layers": 101}, ArgumentValueError, "layers: expected at most 100, got 101"),
        ({"cell": "feet"}, ArgumentValueError, "cell: expected .*, got 'feet'"),
        ({"activation": "relu"}, ArgumentValueError, "activation: expected tanh with cell 'gru'"),
        ({"bidirectional": 1}, ArgumentTypeError, "bidirectional: "),
        ({"bias": 0}, ArgumentTypeError, "bias: "),
        ({"dropout": 1.0}, ArgumentValueError, "dropout: "),
    ],
)
def test_wrong_settings_are_rejected(settings, error, message):
    with pytest.raises(error, match=message):
        WriterSettings(**{**SIZES, **settings})


def test_the_order_of_parameters_is_the_same_for_all_writers():
    settings = WriterSettings(**SIZES, tied=False)
    layers = [f"{name}{end}_source" for end in ("", "_back") for name in "UWbr"]
    decoder = ["U", "W", "b", "r"]
    assert list(settings.parameter_shapes) == [*layers, "E_source", "B", *decoder, *"AOVdacE"]
    assert settings.parameter_shapes["O"] == (4, 9) and settings.parameter_shapes["B"] == (3, 6)
    assert WriterSettings(**settings.to_configuration()) == settings
    of_features = WriterSettings(6, feature_dim=5, attention=False, layers=2, cell="lstm", bias=False)
    assert list(of_features.parameter_shapes) == ["B", "U", "W", "U2", "W2", "O", "V"]
    assert of_features.parameter_shapes["B"] == (4 * 128, 5)
