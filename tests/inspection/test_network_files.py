import numpy as np
import pytest

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import write_archive
from theano_rnn.inspection.network_files import open_network
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary


@pytest.fixture
def rnn():
    return RNN(4, 3, activation="relu", seed=1)


def test_a_language_model_comes_with_its_network(rnn, tmp_path):
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "a"])
    LanguageModel(rnn, vocabulary, Tokenizer()).save(tmp_path / "a.npz")
    opened, lm = open_network(tmp_path / "a.npz")
    assert lm.rnn is opened and lm.vocabulary == vocabulary and opened.activation == "relu"


def test_bare_networks_come_without(rnn, tmp_path):
    rnn.save(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", **rnn.get_values())
    for name, activation in (("a.npz", "relu"), ("b.npz", "tanh")):
        opened, lm = open_network(tmp_path / name)
        assert lm is None and opened.activation == activation
        np.testing.assert_array_equal(opened.get_values()["W"], rnn.get_values()["W"])


def test_the_state_of_a_run_is_no_network(tmp_path):
    arrays = {"U": np.zeros((2, 3)), "V": np.zeros((3, 2)), "W": np.zeros((2, 2))}
    write_archive(tmp_path / "a.checkpoint.npz", arrays, {"run": {}})
    with pytest.raises(ModelFileError, match="is the state of a training run, not a model; name the model that it"):
        open_network(tmp_path / "a.checkpoint.npz")


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ModelFileError, match="no such file"):
        open_network(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", U=np.zeros((2, 2)))
    with pytest.raises(ModelFileError, match="holds no V"):
        open_network(tmp_path / "b.npz")
