"""export.py as a user runs it: files are named, models of all tasks are written, and wrong use is one line."""

import json

import numpy as np
import pytest
from support import language_models
from support.script_modules import script

from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.language_models.model_files import ModelFile
from theano_rnn.networks.rnn import RNN
from theano_rnn.tasks.classifier import Classifier
from theano_rnn.text.tokenizer import Tokenizer

export = script("export")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lm(folder):
    (folder / "models").mkdir()
    lm = language_models.make(language_models.WORDS)
    lm.save("models/rnn.npz")
    return lm


@pytest.fixture
def classifier(lm):
    settings = ReaderSettings(labels=2, embeddings=((len(lm.vocabulary), 4),), hidden_dim=3, cell="gru")
    classifier = Classifier(Reader(settings, seed=2), ["bad", "good"], lm.vocabulary, Tokenizer(lines=True))
    classifier.save("models/labels.npz")
    return classifier


def status(*arguments):
    try:
        return export.main([str(argument) for argument in arguments])
    except SystemExit as error:
        return error.code


def test_all_formats_are_written_and_named_with_their_sizes(lm, folder, capsys):
    pytest.importorskip("onnx", reason="the package onnx is not installed; only exports need it")
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed; only exports need it")
    places = ["--onnx", "a.onnx", "--safetensors", "a.safetensors", "--torch", "t.npz", "--half-precision", "h.npz"]
    assert status("models/rnn.npz", *places) == 0
    out, err = capsys.readouterr()
    rows = dict(line.split("\t") for line in out.splitlines())
    assert [*rows] == [
        "a.onnx", "a.step.onnx", "a.vocabulary.json", "a.safetensors", "t.npz", "t.vocabulary.json", "h.npz",
    ]  # fmt: skip
    assert {name: int(size) for name, size in rows.items()} == {name: (folder / name).stat().st_size for name in rows}
    assert err == ""
    assert numpy.load_file("a.safetensors").keys() == lm.rnn.get_values().keys()
    with np.load("t.npz") as arrays:
        np.testing.assert_array_equal(arrays["decoder.weight"], lm.rnn.get_values()["V"])
    np.testing.assert_allclose(load("h.npz").score("The dog."), lm.score("The dog."), rtol=2e-3)


def test_the_model_may_be_named_as_in_the_other_commands(lm, classifier, capsys):
    for arguments in (["--model", "models/labels.npz"], ["models/labels.npz"]):
        assert status(*arguments, "--half-precision", "h.npz") == 0
        assert capsys.readouterr().err == "" and load("h.npz").labels == ["bad", "good"]


def test_the_model_is_that_of_training_by_default(lm, capsys):
    assert status("--half-precision", "h.npz") == 0
    assert capsys.readouterr().out.startswith("h.npz\t")


def test_models_of_other_tasks_are_written_in_half_precision_and_as_safetensors(classifier, capsys):
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed; only exports need it")
    assert status("models/labels.npz", "--safetensors", "a.safetensors", "--half-precision", "h.npz") == 0
    for name, value in classifier.reader.get_values().items():
        np.testing.assert_array_equal(numpy.load_file("a.safetensors")[name], value)
    assert ModelFile.read("h.npz").parameters["V"].dtype == np.float16
    texts = ["The dog.", ""]
    half = load("h.npz")
    assert half.reader.dtype == "float32"
    np.testing.assert_allclose(half.probabilities(texts), classifier.probabilities(texts), atol=2e-3)


@pytest.mark.parametrize("option, name", [("--onnx", "a.onnx"), ("--torch", "a.npz")])
def test_a_model_of_another_task_is_refused_in_one_line_that_names_what_is_possible(
    classifier, folder, capsys, option, name
):
    pytest.importorskip("onnx", reason="the package onnx is not installed; only exports need it")
    assert status("models/labels.npz", option, name) == 2
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        f"export.py: {option}: is for language models, and models/labels.npz is a model for the task 'classify'; "
        "use --safetensors or --half-precision\n",
    )
    assert not (folder / name).exists()


def test_a_network_without_a_vocabulary_is_refused_in_one_line(folder, capsys):
    RNN(5, 3, seed=1).save("network.npz")
    np.savez("bare.npz", **RNN(5, 3, seed=1).get_values())
    for path in ("network.npz", "bare.npz"):
        assert status(path, "--torch", "a.npz") == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and path in err, err


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "choose a format: --onnx, --safetensors, --torch, --half-precision"),
        (["missing.npz", "--half-precision", "a.npz"], "missing.npz: no such file"),
        (["--torch", "a.pt"], "--torch: expected the name of a file that ends in .safetensors or .npz, got 'a.pt'"),
        (["--half-precision", "half"], "--half-precision: expected the name of a file that ends in .npz, got 'half'"),
        (["--half-precision", "models/rnn.npz"], "models/rnn.npz: is one of the files that are read"),
        (["--torch", "models/rnn.npz"], "models/rnn.npz: is one of the files that are read"),
        (
            ["--torch", "a.npz", "--half-precision", "a.npz"],
            "a.npz: is the place of both --torch and --half-precision; choose another one",
        ),
        (["--torch", "nowhere/a.npz"], "nowhere/a.npz: its folder does not exist"),
        (["--torch"], "--torch: expected one argument"),
        (
            ["models/rnn.npz", "--model", "models/rnn.npz", "--half-precision", "a.npz"],
            "models/rnn.npz: the model is given twice; leave it or --model out",
        ),
        (["--onxx", "a.onnx"], "unrecognized arguments: --onxx"),
    ],
)
def test_wrong_use_is_one_line(lm, folder, capsys, arguments, message):
    before = (folder / "models" / "rnn.npz").read_bytes()
    assert status(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err, err
    assert (folder / "models" / "rnn.npz").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["models"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--onnx", "a"], "--onnx: expected the name of a file that ends in .onnx, got 'a'"),
        (["--onnx", "nowhere/a.onnx"], "nowhere/a.onnx: its folder does not exist"),
    ],
)
def test_wrong_places_for_onnx_are_one_line(lm, folder, capsys, arguments, message):
    pytest.importorskip("onnx", reason="the package onnx is not installed; only exports need it")
    test_wrong_use_is_one_line(lm, folder, capsys, arguments, message)


def test_a_value_that_half_precision_does_not_have_is_one_line(lm, folder, capsys):
    values = lm.rnn.get_values()
    values["V"][0, 0] = 1e5
    LanguageModel(RNN.from_values(values), lm.vocabulary, lm.tokenizer).save("large.npz")
    assert status("large.npz", "--half-precision", "a.npz") == 2
    assert capsys.readouterr().err == (
        "export.py: V: expected numbers of at most 65504, the largest of float16, got 100000; save the model in a "
        "larger type\n"
    )
    assert not (folder / "a.npz").exists()


@pytest.mark.parametrize("option, name", [("--onnx", "a.onnx"), ("--safetensors", "a.safetensors")])
def test_a_missing_package_is_one_line_that_says_what_to_install(lm, folder, capsys, monkeypatch, option, name):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert status(option, name) == 2
    package = option.strip("-")
    assert capsys.readouterr().err == (
        f'export.py: {option}: needs the package {package}, which is not installed; run pip install ".[{package}]"\n'
    )


def test_documents_in_the_metadata_are_those_of_the_model(classifier):
    safetensors = pytest.importorskip("safetensors", reason="safetensors is not installed; only exports need it")
    assert status("models/labels.npz", "--safetensors", "a.safetensors") == 0
    with safetensors.safe_open("a.safetensors", "numpy") as file:
        assert json.loads(file.metadata()["configuration"])["labels"] == ["bad", "good"]
