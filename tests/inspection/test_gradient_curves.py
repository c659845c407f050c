"""Trained and untrained networks are compared on the same text."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.inspection import gradient_curves as module
from theano_rnn.inspection.gradient_curves import (
    MAX_TOKENS,
    _choose_texts,
    gradient_curves,
    trained_names,
    untrained_networks,
)
from theano_rnn.inspection.gradient_flow import gradient_norms
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two language models, tanh and ReLU, and a bare network."""
    folder = tmp_path_factory.mktemp("curves")
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "."])
    for activation in ("tanh", "relu"):
        lm = LanguageModel(RNN(6, 4, activation=activation, seed=2), vocabulary, Tokenizer())
        lm.save(folder / f"{activation}.npz")
    np.savez(folder / "bare.npz", **RNN(9, 4, seed=3).get_values())
    return folder


def test_trained_and_untrained_networks_read_the_same_text(models: Path) -> None:
    names: list[str] = []
    lines = ["the dog the the dog .", "dog dog dog"]
    curves = gradient_curves([models / "tanh.npz", models / "relu.npz"], lines, 4, 5, 1, names.append)
    assert names == [curve.name for curve in curves]
    assert [curve.name for curve in curves] == ["trained tanh", "trained ReLU", "untrained tanh", "untrained ReLU"]
    assert [curve.trained for curve in curves] == [True, True, False, False]
    sequences = [[0, 3, 4, 3, 3, 4, 5], [0, 4, 4, 4]]
    for curve, rnn in (  # the other two differ only in the activation
        (curves[0], load(models / "tanh.npz").rnn),
        (curves[3], RNN(6, 4, activation="relu", seed=1)),
    ):
        assert curve.kind == rnn.activation
        np.testing.assert_array_equal(curve.norms, gradient_norms(rnn, sequences, 4, 5, 1))


@pytest.mark.slow
def test_without_a_text_the_model_generates_one_that_is_long_enough(models: Path) -> None:
    curves = gradient_curves([models / "tanh.npz"], None, 6, 5, 1)
    assert [curve.norms.shape for curve in curves] == [(6, 5)] * 3
    assert not any(np.isnan(curve.norms).any() for curve in curves)
    again = gradient_curves([models / "tanh.npz"], None, 6, 5, 1)
    np.testing.assert_array_equal(curves[0].norms, again[0].norms)


@pytest.mark.slow
def test_bare_networks_read_random_ids_and_networks_of_one_activation_are_named_by_file(models: Path) -> None:
    curves = gradient_curves([models / "bare.npz", models / "tanh.npz"], None, 3, 4, 1)
    names = [curve.name for curve in curves]
    assert names == ["trained tanh (bare.npz)", "trained tanh (tanh.npz)", "untrained tanh", "untrained ReLU"]
    assert all(curve.norms.shape == (3, 4) for curve in curves)


def test_files_of_one_name_in_several_folders_are_named_by_path() -> None:
    networks: list[Any] = [(RNN(4, 3, activation=activation), None) for activation in [*["tanh"] * 3, "relu"]]
    assert trained_names(["a/m.npz", "b/m.npz", "c/n.npz", "m.npz"], networks) == [
        "trained tanh (a/m.npz)",
        "trained tanh (b/m.npz)",
        "trained tanh (n.npz)",
        "trained ReLU",
    ]


@pytest.mark.slow
def test_networks_with_gates_are_drawn_beside_untrained_tanh_gru_and_lstm(models: Path, tmp_path: Path) -> None:
    rnn = RNN(6, 4, cell="lstm", layers=2, bias=True, seed=2)
    LanguageModel(rnn, load(models / "tanh.npz").vocabulary, Tokenizer()).save(tmp_path / "lstm.npz")
    curves = gradient_curves([tmp_path / "lstm.npz", models / "tanh.npz"], ["the dog the the dog ."], 4, 5, 1)
    assert [(curve.name, curve.kind, curve.trained) for curve in curves] == [
        ("trained 2-layer LSTM", "lstm", True),
        ("trained tanh", "tanh", True),
        ("untrained 2-layer tanh", "tanh", False),
        ("untrained 2-layer GRU", "gru", False),
        ("untrained 2-layer LSTM", "lstm", False),
    ]
    np.testing.assert_array_equal(curves[0].norms, gradient_norms(rnn, [[0, 3, 4, 3, 3, 4, 5]], 4, 5, 1))


def test_untrained_networks_have_the_sizes_of_the_first_and_the_biases_of_their_own_kind() -> None:
    networks = [RNN(6, 4, seed=1), RNN(6, 5, cell="gru", layers=2, bias=True, tied=True), RNN(6, 5, activation="relu")]
    tanh, gru, lstm = [rnn for _, rnn in untrained_networks(networks, 1)]
    assert [one.bias for one in (tanh, gru, lstm)] == [False, True, False]
    assert [one.tied for one in (tanh, gru, lstm)] == [False, True, False]
    assert {(one.word_dim, one.hidden_dim, one.layers) for one in (tanh, gru, lstm)} == {(6, 4, 1)}
    embedded = untrained_networks([RNN(6, 4, cell="lstm", embedding_dim=3)], 1)
    assert [rnn.embedding_dim for _, rnn in embedded] == [3, 3, 3]
    assert [name for name, _ in untrained_networks([networks[0], networks[2]], 1)] == [
        "untrained tanh",
        "untrained ReLU",
    ]


def test_large_networks_have_fewer_starts_by_default(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def norms(rnn: RNN, sequences: Any, length: int, starts: int, seed: int) -> np.ndarray:
        asked.append(starts)
        return np.ones((1, 1))

    monkeypatch.setattr(module, "gradient_norms", norms)
    monkeypatch.setattr(module, "LARGE_STATE", 10)
    for name, settings in (("gru", {}), ("lstm", {"layers": 2})):
        RNN(9, 4, cell=name, **settings).save(tmp_path / f"{name}.npz")
        gradient_curves([tmp_path / f"{name}.npz"], None, 3, None, 1)
    gradient_curves([tmp_path / "lstm.npz"], None, 3, 5, 1)
    assert asked == [*[32] * 4, *[8] * 4, *[5] * 4]


@pytest.mark.parametrize(
    "names, lines, numbers, error, message",
    [
        (["tanh"], [], (3, 4, 1), CorpusError, "the text is empty; give at least one line"),
        (["tanh"], ["", " "], (3, 4, 1), CorpusError, "the text is empty; give at least one line"),
        (["bare"], ["the dog"], (3, 4, 1), CorpusError, "a bare network has no vocabulary to read a text with"),
        (["none"], None, (501, 4, 1), ArgumentValueError, "length: expected at most 500, got 501"),
        (["none"], None, (0, 4, 1), ArgumentValueError, "length: expected at least 1, got 0"),
        (["none"], None, (3, 0, 1), ArgumentValueError, "starts: expected at least 1, got 0"),
        (["none"], None, (3, 4, -1), ArgumentValueError, "seed: expected at least 0, got -1"),
    ],
)
def test_wrong_arguments_are_rejected_and_numbers_before_any_file_is_read(
    models: Path,
    names: list[str],
    lines: list[str] | None,
    numbers: tuple[int, int, int],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        gradient_curves([models / f"{name}.npz" for name in names], lines, *numbers)


def test_only_the_beginning_of_an_endless_text_is_read(models: Path) -> None:
    lm = load(models / "tanh.npz")
    lines = _choose_texts(itertools.repeat("the dog ."), [(lm.rnn, lm)], 3, 1)
    assert lines is not None and 10 * MAX_TOKENS < sum(map(len, lines)) < 50 * MAX_TOKENS
