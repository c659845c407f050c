"""Networks on a GPU, and on the CPU, have the tutorial's own results and those of plain loops in NumPy."""

import numpy as np
import pytest
from support import numpy_networks, numpy_readers
from support.devices import EVERY_DEVICE, on_device

from theano_rnn import RNN
from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderInputs, ReaderSettings
from theano_rnn.engines.engine import precision
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer
from theano_rnn.text.minibatches import pad

pytestmark = pytest.mark.xla

WORD_DIM, HIDDEN_DIM = 7, 3
PARAMETERS = ("U", "V", "W")
NETWORKS = {
    "simple": {},
    "GRU": {"cell": "gru", "bias": True},
    "LSTM, two layers": {"cell": "lstm", "bias": True, "layers": 2, "embedding_dim": 4},
}
LENGTHS, STEPS = (6, 3, 1), 6
READER = ReaderSettings(
    labels=3, embeddings=((9, 4),), head="text", pooling="mean", cell="gru", hidden_dim=HIDDEN_DIM, bias=True
)


@pytest.fixture(params=EVERY_DEVICE)
def device(request):
    with on_device(request.param):
        yield request.param


def without_zeros(values):
    generator = np.random.default_rng(0)
    return {name: value + generator.normal(size=value.shape) / 2 for name, value in values.items()}


def assert_all_close(found, expected, tolerance):
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
def test_the_tutorials_network_has_its_loss_and_gradients(device, golden, dtype, tolerance):
    with precision(dtype):
        rnn = RNN.from_values({name: golden[name] for name in PARAMETERS}, 4)
    assert rnn.dtype == dtype
    x, y = golden["x1"], golden["y1"]
    assert rnn.ce_error(x, y) == pytest.approx(float(golden["ce1"]), rel=tolerance)
    assert_all_close(rnn.bptt(x, y), [golden[f"trunc4_d{name}1"] for name in PARAMETERS], tolerance)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_loss_and_gradients_of_the_loops(device, name):
    rnn = RNN(WORD_DIM, HIDDEN_DIM, bptt_truncate=None, seed=1, dtype="float64", **NETWORKS[name])
    rnn.set_values(without_zeros(rnn.get_values()))
    values, start = rnn.get_values(), rnn.zero_states(1)[0]
    x, y = np.random.default_rng(1).integers(0, WORD_DIM, (2, 6))
    network = (rnn.cell, rnn.layers, x, y, start)
    assert rnn.ce_error(x, y) == pytest.approx(numpy_networks.loss(values, *network), rel=1e-10)
    expected = numpy_networks.gradients(values, *network)
    assert_all_close(rnn.bptt(x, y), [expected[parameter] for parameter in rnn.parameter_names], 1e-10)


def rounded(values):
    """What TF32 leaves of float32 values: 10 bits after the first."""
    return {
        name: np.ldexp(np.round(np.ldexp(m, 11)), e - 11)
        for name, (m, e) in zip(values, map(np.frexp, values.values()), strict=True)
    }


def test_factors_of_float32_products_are_not_rounded_to_tf32(device):
    rnn = RNN(500, 256, seed=1, dtype="float32", cell="lstm", embedding_dim=256)
    values = {name: 3 * value for name, value in rnn.get_values().items()}
    rnn.set_values(values)
    x, y = np.random.default_rng(2).integers(0, 500, (2, 30))
    exact = {name: value.astype(float) for name, value in values.items()}
    expected, coarse = (
        np.log(numpy_networks.forward(one, "lstm", 1, x, np.zeros(2 * 256))[0][np.arange(30), y])
        for one in (exact, rounded(exact))
    )
    found, _ = rnn.log_probabilities(x[:, None].astype(np.int32), y[:, None].astype(np.int32))
    np.testing.assert_allclose(found[:, 0], expected, atol=2e-5, rtol=0)
    assert np.abs(coarse - expected).max() > 1e-4


def loss_over_candidates(values, batch, words, log_expected):
    """The loss of the tutorial's network over candidates, word by word; words are ids."""
    total = 0.0
    for column in range(batch.x.shape[1]):
        s = np.zeros(HIDDEN_DIM)
        for x, y in zip(*(ids[batch.mask[:, column], column] for ids in (batch.x, batch.y)), strict=True):
            s = np.tanh(values["U"][:, x] + values["W"] @ s)
            z = values["V"][words] @ s - log_expected
            total -= z[words.tolist().index(y)] - np.log(np.exp(z).sum())
    return total


def test_a_step_of_sampled_softmax_is_that_of_the_loops(device):
    rnn = RNN(60, HIDDEN_DIM, bptt_truncate=None, seed=1, dtype="float64")
    rnn.set_values(without_zeros(rnn.get_values()))
    values = rnn.get_values()
    batch = pad([np.array([0, 9, 4, 30, 1]), np.array([0, 59, 1])], 2)
    optimizer = SampledOptimizer(rnn, CandidateSampler(1 / np.arange(1.0, 61), 12), "sgd")
    drawn = optimizer.draw(batch, np.random.default_rng(4))
    words, log_expected = optimizer.sampler.draw(batch.y[batch.mask], np.random.default_rng(4))
    assert len(words) < 60
    loss, _ = optimizer.step_on_candidates(batch, drawn, 0.5, tokens=1)
    sampled = (batch, words, log_expected)
    assert float(loss) == pytest.approx(loss_over_candidates(values, *sampled), rel=1e-10)
    gradients = numpy_networks.derivatives(lambda changed: loss_over_candidates(changed, *sampled), values)
    expected = [values[name] - 0.5 * gradients[name] for name in PARAMETERS]
    assert_all_close([rnn.get_values()[name] for name in PARAMETERS], expected, 1e-10)


def reader_loss(values, inputs, y):
    columns = [(inputs.ids[:, :length, column], y[column]) for column, length in enumerate(LENGTHS)]
    return -sum(numpy_readers.log_probabilities(values, READER, ids)[label] for ids, label in columns)


def test_a_network_that_reads_in_both_directions_has_the_loss_and_gradients_of_the_loops(device):
    reader = Reader(READER, seed=1, dtype="float64")
    reader.set_values(without_zeros(reader.get_values()))
    generator = np.random.default_rng(1)
    ids = generator.integers(0, 9, (1, STEPS, len(LENGTHS))).astype(np.int32)
    inputs = ReaderInputs(ids, None, np.array(LENGTHS, np.int32))
    y = generator.integers(0, READER.labels, len(LENGTHS)).astype(np.int32)
    values = reader.get_values()
    assert reader.loss(inputs, y) == pytest.approx(reader_loss(values, inputs, y), rel=1e-10)
    expected = numpy_networks.derivatives(lambda changed: reader_loss(changed, inputs, y), values)
    found = reader.gradients(inputs, y)
    assert_all_close(list(found.values()), [expected[name] for name in found], 1e-10)
