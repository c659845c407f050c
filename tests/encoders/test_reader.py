"""Networks that read, of any cell, depth, direction and head, against loops in NumPy, differences and `theano.grad`."""

import functools
import itertools
import pickle

import numpy as np
import pytest
from support import numpy_readers

from theano_rnn.encoders.items import Items
from theano_rnn.encoders.reader import Reader, ReaderOptimizer
from theano_rnn.encoders.reader_graph import (
    ReaderInputs,
    ReaderSettings,
    log_probabilities,
    loss_and_gradients,
    symbolic_inputs,
    symbolic_labels,
)
from theano_rnn.engines.engine import T, compile_function, engine_name
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError

LABELS, EMBEDDINGS, FRAME_DIM, HIDDEN_DIM = 3, ((9, 4), (5, 2)), 2, 3
LENGTHS, STEPS = (6, 3, 1, 0), 6  # the last column is empty
EXACT = 1e-10

CASES = {
    "LSTM, maximum": {"cell": "lstm"},
    "GRU, two layers, mean, frames": {"cell": "gru", "layers": 2, "pooling": "mean", "frame_dim": FRAME_DIM},
    "simple, two unmixed layers, last": {
        "cell": "simple", "layers": 2, "mixed": False, "pooling": "last", "bias": False,
    },
    "LSTM, two layers, steps, features of the same size": {
        "layers": 2, "head": "steps", "embeddings": (*EMBEDDINGS[:1], (4, 2), (6, 2), (3, 2)),
    },
    "simple, two unmixed layers, gap, frames": {
        "cell": "simple", "layers": 2, "mixed": False, "head": "gap", "frame_dim": FRAME_DIM,
    },
    "LSTM, forward, gap": {"bidirectional": False, "head": "gap"},
    "LSTM, gap, tied": {"mixed": False, "head": "gap", "labels": 9, "embeddings": EMBEDDINGS[:1], "tied": True},
    "GRU, forward, last": {"cell": "gru", "bidirectional": False, "pooling": "last"},
    "ReLU, forward, two layers, only frames": {
        "cell": "simple", "activation": "relu", "bidirectional": False, "layers": 2, "embeddings": (),
        "frame_dim": FRAME_DIM,
    },
}  # fmt: skip
# Compiling takes seconds with XLA and half a minute with Theano.
QUICK = ["LSTM, maximum"]
if engine_name() == "pytensor":
    QUICK += ["simple, two unmixed layers, gap, frames"]
every_reader = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES]
)


@functools.cache
def reader_of(case):
    """A reader whose parameters have no zeros."""
    settings = ReaderSettings(**{"labels": LABELS, "embeddings": EMBEDDINGS, "hidden_dim": HIDDEN_DIM, **CASES[case]})
    reader, generator = Reader(settings, seed=1, dtype="float64"), np.random.default_rng(0)
    reader.set_values(
        {name: value + generator.normal(size=value.shape) / 2 for name, value in reader.get_values().items()}
    )
    return reader


def minibatch(reader):
    """Inputs with arbitrary values on the padding, and labels."""
    settings, generator = reader.settings, np.random.default_rng(1)
    sizes = [size for size, _ in settings.embeddings] or [1]
    ids = np.stack([generator.integers(0, size, (STEPS, len(LENGTHS))) for size in sizes]).astype(np.int32)
    frames = generator.normal(size=(STEPS, len(LENGTHS), settings.frame_dim)) if settings.frame_dim else None
    y = generator.integers(0, settings.labels, (STEPS, len(LENGTHS))).astype(np.int32)
    return ReaderInputs(ids, frames, np.array(LENGTHS, np.int32)), y[0] if settings.head == "text" else y


def texts(inputs):
    """(column, length, ids, frames) of each text."""
    for column, length in enumerate(LENGTHS[:-1]):
        yield (
            column,
            length,
            inputs.ids[:, :length, column],
            None if inputs.frames is None else inputs.frames[:length, column],
        )


def labelled(reader, length):
    """The steps of a text that have labels."""
    return slice(1, max(length - 1, 1)) if reader.settings.head == "gap" else slice(length)


@functools.cache
def probabilities_and_gradients(case):
    reader = reader_of(case)
    inputs, y = minibatch(reader)
    return reader.log_probabilities(inputs), reader.loss(inputs, y), reader.gradients(inputs, y)


@every_reader
def test_each_text_of_a_minibatch_has_the_probabilities_of_the_loops(case):
    if "ReLU" in case:
        pytest.skip("the loops have tanh")
    reader = reader_of(case)
    inputs, y = minibatch(reader)
    found, loss, _ = probabilities_and_gradients(case)
    values, total = reader.get_values(), 0.0
    for column, length, ids, frames in texts(inputs):
        expected = numpy_readers.log_probabilities(values, reader.settings, ids, frames)
        if reader.settings.head != "text":
            steps = labelled(reader, length)
            np.testing.assert_allclose(found[steps, column], expected[steps], atol=EXACT)
            total -= expected[np.arange(length), y[:length, column]][steps].sum()
        else:
            np.testing.assert_allclose(found[column], expected, atol=EXACT)
            total -= expected[y[column]]
    assert loss == pytest.approx(total, abs=EXACT)


# XLA compiles two functions for each length. Each head and way of pooling, with and without frames, is here.
@pytest.mark.parametrize(
    "case",
    [
        *(
            pytest.param(case, marks=pytest.mark.slow)
            for case in (
                "LSTM, maximum",
                "GRU, two layers, mean, frames",
                "LSTM, two layers, steps, features of the same size",
                "LSTM, gap, tied",
                "GRU, forward, last",
            )
        ),
    ],
)
def test_one_text_alone_equals_the_text_in_a_padded_minibatch(case):
    reader = reader_of(case)
    inputs, y = minibatch(reader)
    found, _, gradients = probabilities_and_gradients(case)
    sums = {name: np.zeros_like(value) for name, value in gradients.items()}
    for column, length, _, _ in texts(inputs):
        steps = max(length, 3)
        alone = ReaderInputs(
            inputs.ids[:, :steps, [column]],
            None if inputs.frames is None else inputs.frames[:steps, [column]],
            inputs.lengths[[column]],
        )
        values = reader.log_probabilities(alone)
        if reader.settings.head != "text":
            of_labels = labelled(reader, length)
            np.testing.assert_allclose(values[of_labels, 0], found[of_labels, column], atol=EXACT)
            labels = y[:steps, [column]]
        else:
            np.testing.assert_allclose(values[0], found[column], atol=EXACT)
            labels = y[[column]]
        for name, gradient in reader.gradients(alone, labels).items():
            sums[name] += gradient
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, sums[name], atol=EXACT, err_msg=name)


@every_reader
def test_gradients_equal_central_differences(case):
    reader = reader_of(case)
    inputs, y = minibatch(reader)
    _, _, gradients = probabilities_and_gradients(case)
    values, generator, h = reader.get_values(), np.random.default_rng(2), 1e-5
    try:
        for name, value in values.items():
            index = tuple(generator.integers(0, size) for size in value.shape)
            losses = []
            for step in (h, -h):
                changed = value.copy()
                changed[index] += step
                reader.set_values({**values, name: changed})
                losses.append(reader.loss(inputs, y))
            assert gradients[name][index] == pytest.approx((losses[0] - losses[1]) / (2 * h), abs=1e-7), name
    finally:
        reader.set_values(values)


@pytest.mark.slow  # the quick tests compare them with differences
@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_those_of_theano(case):
    reader = reader_of(case)
    inputs, y = minibatch(reader)

    labels_in_all = y.size

    def build():
        symbols, labels = symbolic_inputs(reader.settings, "float64"), symbolic_labels(reader.settings)
        found = log_probabilities(symbols, reader.symbolic)
        if reader.settings.head != "text":
            margin, steps = int(reader.settings.head == "gap"), T.arange(STEPS)[:, None]
            counts = T.and_(T.ge(steps, margin), T.lt(steps, symbols.lengths[None, :] - margin))
        else:
            counts = T.gt(symbols.lengths, 0)
        chosen = found[T.arange(labels_in_all), labels.reshape((-1,))]
        loss = -T.sum(T.switch(counts.reshape((-1,)), chosen, T.zeros_like(chosen)))
        return [*symbols.arrays(), labels], T.grad(loss, reader.parameters), None

    found = compile_function(build, "float64")(*inputs.arrays(), y)
    _, _, gradients = probabilities_and_gradients(case)
    for expected, (name, gradient) in zip(found, gradients.items(), strict=True):
        np.testing.assert_allclose(gradient, np.asarray(expected), atol=EXACT, err_msg=name)


def test_a_word_has_no_effect_on_what_is_predicted_in_its_place_but_the_others_have():
    reader = reader_of("simple, two unmixed layers, gap, frames")
    inputs, _ = minibatch(reader)
    found, place = probabilities_and_gradients("simple, two unmixed layers, gap, frames")[0], 2
    for step in range(LENGTHS[0]):
        ids = inputs.ids.copy()
        ids[0, step, 0] = (ids[0, step, 0] + 1) % EMBEDDINGS[0][0]
        changed = reader.log_probabilities(inputs._replace(ids=ids))[place, 0]
        assert np.array_equal(changed, found[place, 0]) == (step == place)


def test_one_step_and_the_loss_alone_can_be_asked_for():
    reader = reader_of("simple, two unmixed layers, gap, frames")
    inputs, y = minibatch(reader)
    found, loss, _ = probabilities_and_gradients("simple, two unmixed layers, gap, frames")
    places = np.array([4, 1, 1, 1], np.int32)
    at_places = reader.log_probabilities_at(inputs, places)
    np.testing.assert_allclose(at_places[:2], found[places, np.arange(4)][:2], atol=EXACT)
    assert reader.measure(inputs, y) == pytest.approx(loss, abs=EXACT)


@pytest.mark.parametrize("case", ["simple, two unmixed layers, last"])
def test_dropout_multiplies_the_input_and_the_states_of_each_text(case):
    reader = reader_of(case)
    inputs, y = minibatch(reader)
    mask = np.random.default_rng(3).integers(0, 2, (len(LENGTHS), reader.settings.dropout_dim)) / 0.5

    def build():
        symbols, labels = symbolic_inputs(reader.settings, "float64"), symbolic_labels(reader.settings)
        factors = T.matrix("factors", dtype="float64")
        loss, gradients = loss_and_gradients(symbols, labels, reader.symbolic, factors)
        return [*symbols.arrays(), labels, factors], [loss, gradients["U_back"]], None

    function = compile_function(build, "float64")
    loss, gradient = function(*inputs.arrays(), y, mask)
    values = reader.get_values()
    expected = -sum(
        numpy_readers.log_probabilities(values, reader.settings, ids, frames, mask[column])[y[column]]
        for column, _, ids, frames in texts(inputs)
    )
    assert float(loss) == pytest.approx(expected, abs=EXACT)
    h, changed = 1e-5, values["U_back"].copy()
    losses = []
    for step in (h, -2 * h):
        changed[1, 2] += step
        reader.set_values({**values, "U_back": changed})
        losses.append(float(function(*inputs.arrays(), y, mask)[0]))
    reader.set_values(values)
    assert np.asarray(gradient)[1, 2] == pytest.approx((losses[0] - losses[1]) / (2 * h), abs=1e-7)


def test_steps_learn_the_labels():
    settings = ReaderSettings(labels=2, embeddings=((6, 4),), hidden_dim=4, cell="simple", dropout=0.2)
    reader = Reader(settings, seed=3)
    optimizer = ReaderOptimizer(reader, "adam", clip=1.0)
    items = Items([np.array([[2, 3, n]], np.int32) for n in (4, 5, 4, 5)], [0, 1, 0, 1])
    (batch,) = items.minibatches(4)
    mask = np.ones((4, settings.dropout_dim), np.float32)
    losses = [float(optimizer.step(batch.inputs, batch.y, 0.05, 4, mask)) for _ in range(30)]
    assert losses[-1] < losses[0] / 10 and np.isfinite(float(optimizer.gradient_norm))
    assert reader.log_probabilities(batch.inputs).argmax(axis=1)[:4].tolist() == batch.y[:4].tolist()


def test_a_pickled_reader_has_the_same_probabilities():
    reader = reader_of("LSTM, maximum")
    inputs, _ = minibatch(reader)
    copy = pickle.loads(pickle.dumps(reader))
    assert copy.settings == reader.settings and "labels=3" in repr(copy)
    np.testing.assert_array_equal(copy.log_probabilities(inputs), reader.log_probabilities(inputs))


def test_parameters_of_another_shape_are_rejected_before_a_network_is_made():
    settings = ReaderSettings(labels=2, embeddings=((10**12, 10**6),), hidden_dim=10**6)
    with pytest.raises(ArgumentValueError, match=r"U: expected shape .*, got \(1, 1\)"):
        Reader.from_values(settings, dict.fromkeys(settings.parameter_shapes, np.zeros((1, 1))))


@pytest.mark.parametrize(
    "settings, error, message",
    [
        ({"embeddings": ()}, ArgumentValueError, "embeddings: expected at least one, or a `frame_dim`, got neither"),
        ({"embeddings": ((3, 2, 1),)}, ArgumentValueError, "embeddings: expected pairs of two sizes"),
        ({"head": "feet"}, ArgumentValueError, "head: expected .*, got 'feet'"),
        ({"head": "gap"}, ArgumentValueError, "mixed: expected False with head 'gap', where no word may read itself"),
        ({"pooling": "sum"}, ArgumentValueError, "pooling: expected .*, got 'sum'"),
        ({"cell": "gru", "activation": "relu"}, ArgumentValueError, "activation: expected tanh with cell 'gru'"),
        ({"layers": 101}, ArgumentValueError, "layers: expected at most 100, got 101"),
        ({"hidden_dim": 0}, ArgumentValueError, "hidden_dim: "),
        ({"bidirectional": 1}, ArgumentTypeError, "bidirectional: "),
        ({"dropout": 1.0}, ArgumentValueError, "dropout: "),
        ({"tied": 1}, ArgumentTypeError, "tied: "),
        ({"tied": True}, ArgumentValueError, "tied: expected embeddings of the 2 labels, and no others, got True"),
    ],
)
def test_wrong_settings_are_rejected(settings, error, message):
    with pytest.raises(error, match=message):
        ReaderSettings(**{"labels": 2, "embeddings": ((3, 2),), **settings})


def test_the_order_of_parameters_is_the_same_for_all_readers():
    settings = ReaderSettings(labels=2, embeddings=EMBEDDINGS, hidden_dim=3, cell="gru", layers=2)
    layers = [[f"{n}{i}{end}" for n in "UWbr"] for i, end in itertools.product(("", "2"), ("", "_back"))]
    assert list(settings.parameter_shapes) == [*itertools.chain(*layers), "V", "c", "E", "E2"]
    assert settings.parameter_shapes["U2"] == (9, 6)
    assert settings.parameter_shapes["U"] == (9, 6)
    assert ReaderSettings(**settings.to_configuration()) == settings
    tied = ReaderSettings(labels=9, embeddings=EMBEDDINGS[:1], hidden_dim=3, tied=True)
    assert list(tied.parameter_shapes)[-3:] == ["P", "V", "c"]
    assert tied.parameter_shapes["P"] == (4, 6) and tied.parameter_shapes["V"] == (9, 4)
