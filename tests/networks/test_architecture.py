"""The settings of a network determine its parameters; invalid settings are named in one line."""

import json

import numpy as np
import pytest

from theano_rnn import RNN
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.networks.architecture import MAX_LAYERS, Architecture


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, "U V W"),
        ({"bias": True}, "U V W b c"),
        ({"embedding_dim": 4}, "U V W E"),
        ({"tied": True}, "U V W"),
        ({"layers": 3}, "U V W U2 W2 U3 W3"),
        ({"cell": "gru", "bias": True, "layers": 2}, "U V W b r U2 W2 b2 r2 c"),
        ({"cell": "lstm", "bias": True, "layers": 2, "embedding_dim": 4}, "U V W b U2 W2 b2 c E"),
    ],
)
def test_the_parameters_follow_from_the_settings(settings, names):
    rnn = RNN(7, 3, seed=1, **settings)
    assert rnn.parameter_names == tuple(names.split())
    assert {name: value.shape for name, value in rnn.get_values().items()} == rnn.parameter_shapes


def test_shapes_have_a_block_of_rows_for_each_gate():
    shapes = Architecture(7, 3, "lstm", layers=2, embedding_dim=4, bias=True).parameter_shapes
    assert shapes == {
        "U": (12, 4), "V": (7, 3), "W": (12, 3), "b": (12,), "U2": (12, 3), "W2": (12, 3), "b2": (12,),
        "c": (7,), "E": (7, 4),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "state_dim", "top", "dropout_dim"),
    [({}, 3, (0, 3), 3), ({"cell": "lstm", "layers": 2}, 12, (6, 9), 6), ({"layers": 2, "tied": True}, 6, (3, 6), 9)],
)
def test_a_packed_state_holds_the_states_of_all_layers(settings, state_dim, top, dropout_dim):
    architecture = Architecture(7, 3, **settings)
    assert architecture.state_dim == state_dim
    assert (architecture.top_columns.start, architecture.top_columns.stop) == top
    assert architecture.dropout_dim == dropout_dim


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"cell": "elman"}, ArgumentValueError, r"^cell: expected one of simple, gru, lstm, got 'elman'$"),
        ({"cell": None}, ArgumentValueError, r"^cell: expected one of simple, gru, lstm, got None$"),
        ({"activation": "sin"}, ArgumentValueError, r"^activation: expected one of tanh, relu, got 'sin'$"),
        ({"cell": "gru", "activation": "relu"}, ArgumentValueError, r"^activation: expected tanh with cell 'gru', .*"),
        ({"cell": "lstm", "activation": "relu"}, ArgumentValueError, r"^activation: expected tanh with cell 'lstm', "),
        ({"layers": 0}, ArgumentValueError, r"^layers: expected at least 1, got 0$"),
        ({"layers": 1.0}, ArgumentTypeError, r"^layers: expected an integer, got 1\.0$"),
        ({"layers": MAX_LAYERS + 1}, ArgumentValueError, r"^layers: expected at most 100, got 101$"),
        ({"embedding_dim": 0}, ArgumentValueError, r"^embedding_dim: expected at least 1, got 0$"),
        ({"bias": 1}, ArgumentTypeError, r"^bias: expected True or False, got 1$"),
        ({"tied": "yes"}, ArgumentTypeError, r"^tied: expected True or False, got 'yes'$"),
        (
            {"tied": True, "embedding_dim": 4},
            ArgumentValueError,
            r"^tied: expected `embedding_dim` equal to `hidden_dim`, because the rows of V are the embeddings, got "
            r"`embedding_dim=4` and `hidden_dim=3`$",
        ),
        ({"dropout": 1}, ArgumentValueError, r"^dropout: expected a number of at least 0 and below 1, got 1$"),
        ({"dropout": -0.1}, ArgumentValueError, r"^dropout: expected a number of at least 0 and below 1, got -0\.1$"),
        ({"dropout": float("nan")}, ArgumentValueError, r"^dropout: expected a number, got nan$"),
        ({"dropout": "half"}, ArgumentTypeError, r"^dropout: expected a number, got 'half'$"),
    ],
)
def test_invalid_settings_are_named(settings, error, message):
    with pytest.raises(error, match=message) as found:
        RNN(7, 3, **settings)
    assert "\n" not in str(found.value)


def test_settings_of_numpy_types_can_be_written_as_json():
    one = Architecture(
        np.int64(7), np.int32(3), layers=np.int8(2), embedding_dim=np.int64(4), bias=np.bool_(True),
        dropout=np.float32(0.5),
    )  # fmt: skip
    same = Architecture(7, 3, layers=2, embedding_dim=4, bias=True, dropout=0.5)
    assert json.loads(json.dumps(one.settings())) == same.settings() and one == same


def test_a_missing_parameter_is_named():
    values = RNN(7, 3, cell="gru", bias=True).get_values()
    del values["r"]
    with pytest.raises(ArgumentValueError, match=r"^r is missing; expected arrays named U, V, W, b, r, c$"):
        RNN.from_values(values, cell="gru", bias=True)
    with pytest.raises(ArgumentValueError, match=r"^V is missing; expected arrays named U, V, W$"):
        RNN.from_values({"U": values["U"]}, cell="gru")
