"""Exchange of networks with PyTorch: the same outputs, loss and gradients, and one-line errors for invalid arrays."""

import itertools

import numpy as np
import pytest

from theano_rnn import RNN
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError

WORD_DIM, HIDDEN_DIM, EMBEDDING_DIM = 11, 4, 3
EMBEDDINGS = {"words": {}, "embedding": {"embedding_dim": EMBEDDING_DIM}, "tied": {"tied": True}}
CELLS = {"simple": {}, "relu": {"activation": "relu"}, "gru": {"cell": "gru"}, "lstm": {"cell": "lstm"}}
X, Y = [0, 3, 7, 3, 10, 1], [3, 7, 3, 10, 1, 5]


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed; theano_rnn does not need it")


def make(cell="lstm", layers=2, bias=True, embedding="embedding"):
    rnn = RNN(
        WORD_DIM, HIDDEN_DIM, None, seed=3, dtype="float64", layers=layers, bias=bias, **CELLS[cell],
        **EMBEDDINGS[embedding],
    )  # fmt: skip
    generator = np.random.default_rng(0)
    rnn.set_values({name: value + generator.normal(size=value.shape) / 2 for name, value in rnn.get_values().items()})
    return rnn


every_cell = pytest.mark.parametrize("cell", CELLS)
every_network = pytest.mark.parametrize(
    ("cell", "layers", "bias", "embedding"), list(itertools.product(CELLS, (1, 2, 3), (False, True), EMBEDDINGS))
)


@every_network
def test_a_network_survives_a_round_trip(cell, layers, bias, embedding):
    rnn = make(cell, layers, bias, embedding)
    found = RNN.from_torch(rnn.to_torch(), None, activation=rnn.activation, dtype="float64")
    assert found.settings() == rnn.settings()
    assert found.parameter_names == rnn.parameter_names
    for name, value in rnn.get_values().items():
        np.testing.assert_array_equal(found.get_values()[name], value)


def test_names_and_shapes_are_those_of_pytorch():
    assert {name: array.shape for name, array in make().to_torch().items()} == {
        "encoder.weight": (WORD_DIM, EMBEDDING_DIM),
        "rnn.weight_ih_l0": (4 * HIDDEN_DIM, EMBEDDING_DIM),
        "rnn.weight_hh_l0": (4 * HIDDEN_DIM, HIDDEN_DIM),
        "rnn.bias_ih_l0": (4 * HIDDEN_DIM,),
        "rnn.bias_hh_l0": (4 * HIDDEN_DIM,),
        "rnn.weight_ih_l1": (4 * HIDDEN_DIM, HIDDEN_DIM),
        "rnn.weight_hh_l1": (4 * HIDDEN_DIM, HIDDEN_DIM),
        "rnn.bias_ih_l1": (4 * HIDDEN_DIM,),
        "rnn.bias_hh_l1": (4 * HIDDEN_DIM,),
        "decoder.weight": (WORD_DIM, HIDDEN_DIM),
        "decoder.bias": (WORD_DIM,),
    }


def test_the_arrays_are_copies():
    rnn = make(embedding="tied")
    before = rnn.get_values()
    for array in rnn.to_torch().values():
        array[:] = 7
    for name, value in rnn.get_values().items():
        np.testing.assert_array_equal(value, before[name])


def test_embeddings_of_the_size_of_the_states_that_differ_from_the_decoder_are_not_tied():
    arrays = make(embedding="tied").to_torch()
    assert RNN.from_torch(arrays).tied
    arrays["encoder.weight"] = arrays["encoder.weight"] + 1
    found = RNN.from_torch(arrays)
    assert not found.tied and found.embedding_dim == HIDDEN_DIM


def test_the_type_and_the_settings_of_training_are_arguments():
    rnn = RNN.from_torch(make().to_torch(), 7, dtype="float32", dropout=0.5)
    assert (rnn.dtype, rnn.bptt_truncate, rnn.dropout) == ("float32", 7, 0.5)


# The same network in PyTorch

QUICK = {(1, False, "words"), (2, True, "embedding"), (3, True, "tied")}


def module(torch, cell, layers, bias, embedding):
    """A PyTorch module with the names of `to_torch`."""
    nn = torch.nn
    parts = {}
    width = {"words": WORD_DIM, "embedding": EMBEDDING_DIM, "tied": HIDDEN_DIM}[embedding]
    if embedding != "words":
        parts["encoder"] = nn.Embedding(WORD_DIM, width)
    kind = {"gru": nn.GRU, "lstm": nn.LSTM}.get(cell, nn.RNN)
    settings = {"nonlinearity": "relu"} if cell == "relu" else {}
    parts["rnn"] = kind(width, HIDDEN_DIM, layers, bias=bias, **settings)
    parts["decoder"] = nn.Linear(HIDDEN_DIM, WORD_DIM, bias=bias)
    if embedding == "tied":
        parts["decoder"].weight = parts["encoder"].weight
    return nn.ModuleDict(parts).double()


def torch_loss(torch, model, embedding):
    """The states of the top layer, the logarithms of the outputs, and the loss, of X and Y."""
    x, y = torch.tensor(X), torch.tensor(Y)
    one_hot = torch.nn.functional.one_hot(x, WORD_DIM).double()
    s, _ = model["rnn"](one_hot if embedding == "words" else model["encoder"](x))
    o = torch.log_softmax(model["decoder"](s), dim=1)
    return s, o, -o[torch.arange(len(X)), y].sum()


@pytest.mark.parametrize(
    ("cell", "layers", "bias", "embedding"),
    [
        pytest.param(*one, marks=() if one[1:] in QUICK else pytest.mark.slow)
        for one in itertools.product(CELLS, (1, 2, 3), (False, True), EMBEDDINGS)
    ],
)
def test_outputs_loss_and_all_gradients_equal_pytorchs(torch, cell, layers, bias, embedding):
    rnn = make(cell, layers, bias, embedding)
    model = module(torch, cell, layers, bias, embedding)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in rnn.to_torch().items()})
    s, o, loss = torch_loss(torch, model, embedding)
    loss.backward()
    np.testing.assert_allclose(rnn.hidden_states(X), s.detach().numpy(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.log(rnn.forward_propagation(X)), o.detach().numpy(), rtol=0, atol=1e-10)
    assert rnn.ce_error(X, Y) == pytest.approx(float(loss.detach()), abs=1e-10, rel=0)
    gradients = dict(zip(rnn.parameter_names, rnn.bptt(X, Y), strict=True))
    expected = {name: parameter.grad.numpy() for name, parameter in model.named_parameters()}
    names = {"V": "encoder.weight" if embedding == "tied" else "decoder.weight", "c": "decoder.bias"}
    names |= {"E": "encoder.weight"} if embedding == "embedding" else {}
    for layer in range(layers):
        number = "" if layer == 0 else str(layer + 1)
        names |= {f"U{number}": f"rnn.weight_ih_l{layer}", f"W{number}": f"rnn.weight_hh_l{layer}"}
        names |= {f"b{number}": f"rnn.bias_ih_l{layer}", f"r{number}": f"rnn.bias_hh_l{layer}"}
    for name, gradient in gradients.items():
        of_torch = expected[names[name]]
        of_torch = of_torch[-HIDDEN_DIM:] if name[0] == "r" else of_torch
        assert np.abs(of_torch).max() > 1e-4 or cell == "relu"
        np.testing.assert_allclose(gradient, of_torch, rtol=0, atol=1e-10, err_msg=name)


@every_cell
def test_a_module_of_pytorch_with_two_biases_is_read(torch, cell):
    torch.manual_seed(0)
    model = module(torch, cell, 2, True, "embedding")
    rnn = RNN.from_torch(model.state_dict(), None, activation=CELLS[cell].get("activation", "tanh"), dtype="float64")
    _, o, loss = torch_loss(torch, model, "embedding")
    np.testing.assert_allclose(np.log(rnn.forward_propagation(X)), o.detach().numpy(), rtol=0, atol=1e-10)
    assert rnn.ce_error(X, Y) == pytest.approx(float(loss.detach()), abs=1e-10, rel=0)


def test_tensors_that_numpy_cannot_read_are_named(torch):
    model = module(torch, "lstm", 1, True, "words")
    with pytest.raises(ArgumentTypeError, match=r"^rnn\.weight_ih_l0: expected an array, got Parameter, of which .*"):
        RNN.from_torch(dict(model.named_parameters()))


# Wrong use


def without(*names):
    return lambda arrays: [arrays.pop(name) for name in names]


def replaced(name, value):
    return lambda arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("rnn.weight_hh_l0"), r"^arrays: rnn\.weight_hh_l0 is missing"),
        (without("decoder.weight"), r"^arrays: decoder\.weight is missing"),
        (
            without("decoder.bias"),
            r"^arrays: decoder\.bias is missing; expected encoder\.weight, rnn\.weight_ih_l0, .*",
        ),
        (without("rnn.bias_hh_l1"), r"^arrays: rnn\.bias_hh_l1 is missing; expected .*"),
        (without("rnn.weight_hh_l1"), r"^arrays: 'rnn\.weight_ih_l1' is not known; expected .*"),
        (without("encoder.weight"), r"^rnn\.weight_ih_l0: expected shape \(16, 11\), got \(16, 3\)$"),
        (replaced("rnn.weight_hr_l0", np.zeros((2, 4))), r"^arrays: 'rnn\.weight_hr_l0' is not known; expected .*"),
        (replaced("rnn.weight_hh_l0_reverse", np.zeros((16, 4))), r"^arrays: 'rnn\.weight_hh_l0_reverse' is not known"),
        (replaced(3, np.zeros(2)), r"^arrays: 3 is not known; expected .*"),
        (
            replaced("rnn.weight_hh_l0", np.zeros((8, 4))),
            r"^rnn\.weight_hh_l0: expected a number of rows of 4 \(simple\) or 12 \(gru\) or 16 \(lstm\), got shape "
            r"\(8, 4\)$",
        ),
        (replaced("rnn.weight_hh_l0", np.zeros(4)), r"^rnn\.weight_hh_l0: expected a matrix, got shape \(4,\)$"),
        (replaced("rnn.weight_hh_l0", np.zeros((0, 0))), r"^rnn\.weight_hh_l0: expected a matrix, got shape \(0, 0\)$"),
        (replaced("decoder.weight", np.zeros((0, 4))), r"^decoder\.weight: expected a matrix, got shape \(0, 4\)$"),
        (replaced("encoder.weight", np.zeros(3)), r"^encoder\.weight: expected a matrix, got shape \(3,\)$"),
        (replaced("encoder.weight", np.zeros((11, 0))), r"^embedding_dim: expected at least 1, got 0$"),
        (replaced("encoder.weight", np.zeros((5, 3))), r"^encoder\.weight: expected shape \(11, 3\), got \(5, 3\)$"),
        (replaced("decoder.weight", np.zeros((11, 5))), r"^decoder\.weight: expected shape \(11, 4\), got \(11, 5\)$"),
        (
            replaced("rnn.weight_ih_l1", np.zeros((16, 5))),
            r"^rnn\.weight_ih_l1: expected shape \(16, 4\), got \(16, 5\)$",
        ),
        (replaced("rnn.bias_ih_l0", np.full(16, np.nan)), r"^rnn\.bias_ih_l0: expected finite numbers, got .*NaN$"),
    ],
)
def test_invalid_arrays_are_named(change, message):
    arrays = make().to_torch()
    change(arrays)
    with pytest.raises(ArgumentValueError, match=message) as found:
        RNN.from_torch(arrays)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(16, int), r"^rnn\.bias_ih_l0: expected floating-point numbers, got int64$"),
        (None, r"^rnn\.bias_ih_l0: expected floating-point numbers, got object$"),
    ],
)
def test_arrays_of_another_type_are_named(value, message):
    with pytest.raises(ArgumentTypeError, match=message):
        RNN.from_torch({**make().to_torch(), "rnn.bias_ih_l0": value})


def test_arrays_must_be_a_mapping():
    with pytest.raises(ArgumentTypeError, match=r"^arrays: expected a dict of arrays by name, got list$"):
        RNN.from_torch(list(make().to_torch().values()))


def test_relu_with_gates_is_rejected():
    with pytest.raises(ArgumentValueError, match=r"^activation: expected tanh with cell 'lstm'"):
        RNN.from_torch(make().to_torch(), activation="relu")
