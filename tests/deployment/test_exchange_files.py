"""safetensors and PyTorch's state dict: the same arrays as in the model, read by the libraries themselves."""

import json

import numpy as np
import pytest
from support import language_models

from theano_rnn.errors import OptionError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN


@pytest.fixture(scope="module")
def lm():
    small = language_models.make(language_models.WORDS)
    rnn = RNN(len(small.vocabulary), 4, seed=5, cell="lstm", layers=2, embedding_dim=3, bias=True)
    return LanguageModel(rnn, small.vocabulary, small.tokenizer)


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
        assert found[name].dtype == value.dtype


def test_safetensors_have_the_parameters_and_the_documents(lm, tmp_path):
    safetensors = pytest.importorskip("safetensors", reason="safetensors is not installed; only exports need it")
    path = lm.export_safetensors(tmp_path / "new" / "rnn.safetensors")
    with safetensors.safe_open(path, "numpy") as file:
        assert_same({name: file.get_tensor(name) for name in file.keys()}, lm.rnn.get_values())
        metadata = file.metadata()
    assert metadata["format"] == "theano_rnn"
    assert {name: json.loads(metadata[name]) for name in ("configuration", "vocabulary")} == lm.documents()


def test_a_transposed_parameter_is_written_as_it_is(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed; only exports need it")
    lm = language_models.make(language_models.WORDS)  # U is stored transposed
    assert_same(numpy.load_file(lm.export_safetensors(tmp_path / "a.safetensors")), lm.rnn.get_values())


def test_a_state_dict_as_npz_needs_no_library_and_gives_the_network_back(lm, tmp_path):
    path, vocabulary = lm.export_torch(tmp_path / "new" / "rnn.npz")
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    assert_same(arrays, lm.rnn.to_torch())
    assert_same(RNN.from_torch(arrays, None).get_values(), lm.rnn.get_values())
    document = json.loads(vocabulary.read_text())
    assert vocabulary.name == "rnn.vocabulary.json" and document["words"] == lm.vocabulary.index_to_word
    assert document["network"]["layers"] == 2


def test_a_state_dict_as_safetensors_has_pytorchs_names_and_format(lm, tmp_path):
    safetensors = pytest.importorskip("safetensors", reason="safetensors is not installed; only exports need it")
    path, _ = lm.export_torch(tmp_path / "rnn.safetensors")
    with safetensors.safe_open(path, "numpy") as file:
        assert_same({name: file.get_tensor(name) for name in file.keys()}, lm.rnn.to_torch())
        assert file.metadata() == {"format": "pt"}


@pytest.mark.parametrize("export", ["export_safetensors", "export_torch"])
def test_another_ending_is_an_error_and_writes_nothing(lm, tmp_path, export):
    with pytest.raises(OptionError, match="expected the name of a file that ends in .*safetensors"):
        getattr(lm, export)(tmp_path / "rnn.pt")
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_the_error_names_option_and_extra(lm, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for export, option in ((lm.export_safetensors, "safetensors"), (lm.export_torch, "torch")):
        with pytest.raises(OptionError, match=rf'{option}: needs the package safetensors.*"\.\[safetensors\]"'):
            export(tmp_path / "rnn.safetensors")


@pytest.mark.parametrize("name", ["rnn.npz", "rnn.safetensors"])
def test_a_module_of_pytorch_with_the_state_dict_computes_the_same(lm, tmp_path, name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; theano_rnn does not need it")
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors", reason="safetensors is not installed; only exports need it")
        from safetensors.torch import load_file
    else:

        def load_file(path):
            with np.load(path) as arrays:
                return {name: torch.from_numpy(array) for name, array in arrays.items()}

    path, vocabulary = lm.export_torch(tmp_path / name)
    network = json.loads(vocabulary.read_text())["network"]
    sizes = network["word_dim"], network["embedding_dim"], network["hidden_dim"]
    module = torch.nn.ModuleDict(
        {
            "encoder": torch.nn.Embedding(*sizes[:2]),
            "rnn": torch.nn.LSTM(*sizes[1:], network["layers"], bias=network["bias"]),
            "decoder": torch.nn.Linear(sizes[2], sizes[0]),
        }
    )
    module.load_state_dict(load_file(path))
    ids = lm.encode("The dog sees the zebra.")
    with torch.no_grad():
        output = module["decoder"](module["rnn"](module["encoder"](torch.from_numpy(ids).long()))[0])
        found = torch.log_softmax(output, dim=1).numpy()[np.arange(len(ids) - 1), ids[1:]]
    expected = [value for _, value, _ in lm.word_scores("The dog sees the zebra.")]
    np.testing.assert_allclose(found, expected, atol=1e-5)
