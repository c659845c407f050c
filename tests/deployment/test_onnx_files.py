"""The files of an ONNX export: the model's own scores in onnxruntime alone, the vocabulary, one line for what fails."""

import json

import numpy as np
import pytest
from support import language_models

from theano_rnn.deployment import onnx_files
from theano_rnn.errors import OptionError, OutputFileError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed; only exports need it")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed; only these tests need it")

LINES = ["The dog sees the dog.", "", "the Žluťoučký kůň sees 🐕 .", "dog " * 60]


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A model of words with all kinds of parameters, and the files of its export."""
    small = language_models.make([*language_models.WORDS, "kůň", "\ud800", "</s>"])
    rnn = RNN(len(small.vocabulary), 4, seed=5, cell="gru", layers=2, tied=True, bias=True)
    rnn.set_values({name: 2 * value + 0.1 for name, value in rnn.get_values().items()})
    lm = LanguageModel(rnn, small.vocabulary, small.tokenizer)
    return lm, lm.export_onnx(tmp_path_factory.mktemp("onnx") / "new" / "rnn.onnx")


def padded(sentences):
    lengths = np.array([len(ids) for ids in sentences])
    ids = np.zeros((len(sentences), lengths.max()), np.int64)
    for row, sentence in enumerate(sentences):
        ids[row, : len(sentence)] = sentence
    return ids, lengths


def scores(lm, path, lines):
    session = onnxruntime.InferenceSession(path)
    ids, lengths = padded([lm.encode(line) for line in lines])
    inputs = {"ids": ids, "lengths": lengths, "states": lm.rnn.zero_states(len(lines))}
    return session.run(["token_log_probabilities"], inputs)[0], lengths


def test_whole_sequences_have_the_scores_of_the_model(words):
    lm, (path, _, _) = words
    found, lengths = scores(lm, path, LINES)
    for row, line in enumerate(LINES):
        expected = [value for _, value, _ in lm.word_scores(line, split=False)]
        np.testing.assert_allclose(found[row, : lengths[row] - 1], expected, atol=1e-5)


def test_a_model_of_characters_has_the_scores_of_the_model(tmp_path):
    lm = language_models.make(list("abc é"), "char")
    path, _, place = lm.export_onnx(tmp_path / "rnn.onnx")
    found, _ = scores(lm, path, ["abc é b", "x"])
    np.testing.assert_allclose(found.sum(axis=1), lm.score(["abc é b", "x"]), atol=1e-5)
    vocabulary = json.loads(place.read_text())
    assert vocabulary["newline_ends_sentence"] and vocabulary["start"] == vocabulary["end"] == lm.start
    assert vocabulary["level"] == "char"


def test_steps_have_the_distributions_of_the_model(words):
    lm, (_, path, _) = words
    session = onnxruntime.InferenceSession(path)
    state, states, token = lm.state(), lm.rnn.zero_states(1), lm.start
    for word in ["the", "dog", "sees"]:
        found, states = session.run(None, {"ids": np.array([token]), "states": states})
        np.testing.assert_allclose(found[0], lm.next_log_probabilities(state), atol=1e-5)
        state, _ = lm.advance(state, word)
        token = lm.vocabulary.find(word)


def test_the_vocabulary_is_json_in_the_order_of_the_ids(words):
    lm, (_, _, path) = words
    assert path.name == "rnn.vocabulary.json" and path.read_bytes().isascii()
    vocabulary = json.loads(path.read_text())
    assert vocabulary["words"] == lm.vocabulary.index_to_word
    assert [vocabulary[name] for name in ("start", "end", "unknown")] == [0, 1, 2]
    assert vocabulary["state_dim"] == 8 and vocabulary["dtype"] == "float32"
    assert vocabulary["network"]["cell"] == "gru" and vocabulary["tokenizer"] == lm.tokenizer.to_configuration()


def test_inputs_outputs_and_metadata_are_as_documented(words):
    _, paths = words
    shapes = [
        [{value.name: value.shape for value in values} for values in (session.get_inputs(), session.get_outputs())]
        for session in map(onnxruntime.InferenceSession, paths[:2])
    ]
    assert shapes == [
        [
            {"ids": ["batch", "time"], "lengths": ["batch"], "states": ["batch", 8]},
            {
                "token_log_probabilities": ["batch", "time_minus_1"],
                "log_probabilities": ["batch", "time", 10],
                "next_states": ["batch", 8],
            },
        ],
        [
            {"ids": ["batch"], "states": ["batch", 8]},
            {"log_probabilities": ["batch", 10], "next_states": ["batch", 8]},
        ],
    ]
    metadata = onnxruntime.InferenceSession(paths[0]).get_modelmeta().custom_metadata_map
    assert (metadata["level"], metadata["end"], metadata["state_dim"]) == ("word", "1", "8")
    model = onnx.load(paths[0])
    assert (model.producer_name, model.opset_import[0].version, model.ir_version) == ("theano_rnn", 17, 8)


@pytest.mark.parametrize("name", ["rnn", "rnn.npz", ".onnx", "rnn.ONNX "])
def test_another_ending_is_an_error_and_writes_nothing(words, tmp_path, name):
    with pytest.raises(OptionError, match=r"onnx: expected the name of a file that ends in \.onnx"):
        words[0].export_onnx(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_is_too_large_for_the_format_is_an_error(words, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_files, "LARGEST_FILE", 100)
    with pytest.raises(OptionError, match="an ONNX file at most 2 GB; use `safetensors`"):
        words[0].export_onnx(tmp_path / "rnn.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(words, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFileError, match="cannot be written"):
        words[0].export_onnx(tmp_path / "file" / "rnn.onnx")


def test_without_the_package_the_error_names_the_extra(words, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OptionError, match=r'onnx: needs the package onnx, .* pip install "\.\[onnx\]"'):
        words[0].export_onnx(tmp_path / "rnn.onnx")
