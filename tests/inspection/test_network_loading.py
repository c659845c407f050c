"""A network can be loaded from a language model or from a bare file of parameters."""

from pathlib import Path

import numpy as np
import pytest

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import write_archive
from theano_rnn.inspection.network_loading import load_network
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary


@pytest.fixture
def rnn() -> RNN:
    return RNN(4, 3, activation="relu", seed=1)


def test_a_language_model_is_loaded_with_its_network(rnn: RNN, tmp_path: Path) -> None:
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "a"])
    LanguageModel(rnn, vocabulary, Tokenizer()).save(tmp_path / "a.npz")
    loaded, lm = load_network(tmp_path / "a.npz")
    assert lm is not None and lm.rnn is loaded and lm.vocabulary == vocabulary and loaded.activation == "relu"


def test_a_bare_network_has_no_language_model(rnn: RNN, tmp_path: Path) -> None:
    rnn.save(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", **rnn.get_values())
    for name, activation in (("a.npz", "relu"), ("b.npz", "tanh")):
        loaded, lm = load_network(tmp_path / name)
        assert lm is None and loaded.activation == activation
        np.testing.assert_array_equal(loaded.get_values()["W"], rnn.get_values()["W"])


def test_a_checkpoint_of_a_training_run_is_rejected(tmp_path: Path) -> None:
    arrays = {"U": np.zeros((2, 3)), "V": np.zeros((3, 2)), "W": np.zeros((2, 2))}
    write_archive(tmp_path / "a.checkpoint.npz", arrays, {"run": {}})
    with pytest.raises(ModelFileError, match="is the state of a training run, not a model; name the model that it"):
        load_network(tmp_path / "a.checkpoint.npz")


def test_other_files_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file"):
        load_network(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", U=np.zeros((2, 2)))
    with pytest.raises(ModelFileError, match="contains no V"):
        load_network(tmp_path / "b.npz")
