"""The summary of a model file that is complete, or whose parts are missing or malformed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theano_rnn.inspection.model_summary import summarize_model, summary_lines
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.coverage import Coverage
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

WORDS = [f"word{i}" for i in range(24)]
HISTORY: list[dict[str, Any]] = [
    {"epoch": 1, "train_loss": 3.5, "valid_loss": 3.0, "perplexity": 20.0855, "learning_rate": 0.004},
    {"epoch": 2, "train_loss": 2.5, "valid_loss": 2.0, "perplexity": 7.3891, "learning_rate": 0.00333},
    {"epoch": 3, "train_loss": 2.0, "valid_loss": 2.1, "perplexity": 8.1662, "learning_rate": 0.0025},
]


def save_model(
    folder: Path, words: Sequence[str] = WORDS, training: dict[str, Any] | None = None, level: str = "word"
) -> Path:
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *words], level == "char")
    lm = LanguageModel(RNN(len(vocabulary), 5, bptt_truncate=4, seed=1), vocabulary, Tokenizer(level=level), training)
    lm.save(folder / "a.npz")
    return folder / "a.npz"


def test_a_trained_model_has_sizes_settings_history_and_words(tmp_path: Path) -> None:
    path = save_model(
        tmp_path, training={"options": {"epochs": 3, "activation": "tanh", "valid": None}, "history": HISTORY}
    )
    summary = summarize_model(path)
    assert summary["bytes"] == path.stat().st_size
    sizes = {"word_dim": 27, "hidden_dim": 5, "activation": "tanh", "bptt_truncate": 4}
    others = {"cell": "simple", "layers": 1, "embedding_dim": None, "bias": False, "tied": False, "dropout": 0.0}
    assert summary["network"] == sizes | others
    assert summary["parameters"]["total"] == 27 * 5 * 2 + 25 and summary["parameters"]["dtype"] == "float32"
    assert summary["vocabulary"]["most_frequent"] == WORDS[:10]
    assert summary["vocabulary"]["least_frequent"] == WORDS[-10:]
    assert (summary["history"], summary["best_epoch"]) == (HISTORY, 2)
    assert json.loads(json.dumps(summary)) == summary
    lines = list(summary_lines(summary))
    for expected in (
        "network       word_dim 27, hidden_dim 5, activation tanh",
        "cell          simple, layers 1, embedding_dim null, bias false, tied false, dropout 0.0",
        "bptt          truncated after 4 steps",
        "parameters    295 of float32: U 5 × 27, V 27 × 5, W 5 × 5",
        "tokenizer     lowercase true, tokenized false, lines false",
        "vocabulary    27 entries, 3 of them special",
        'options       epochs 3, activation "tanh", valid null',
        "      1         3.5000         3.0000     20.0855          0.004",
        "      2         2.5000         2.0000      7.3891        0.00333  best",
        "quality       perplexity 7.39 on the held-out text, after epoch 2",
    ):
        assert expected in lines


def test_every_network_has_its_settings_and_all_shapes(tmp_path: Path) -> None:
    rnn = RNN(27, 50, cell="lstm", layers=2, embedding_dim=30, bias=True, dropout=0.25, seed=1)
    rnn.save(tmp_path / "a.npz")
    summary = summarize_model(tmp_path / "a.npz")
    assert summary["parameters"]["total"] == sum(value.size for value in rnn.get_values().values())
    assert {name: tuple(shape) for name, shape in summary["parameters"]["shapes"].items()} == rnn.parameter_shapes
    lines = list(summary_lines(summary))
    assert lines[1:3] == [
        "network       word_dim 27, hidden_dim 50",
        "cell          lstm, layers 2, embedding_dim 30, bias true, tied false, dropout 0.25",
    ]
    total = f"parameters    {summary['parameters']['total']:,} of float32: U 200 × 30"
    text = ", ".join(line.removeprefix(" " * 14) for line in lines[4:6])
    assert text == f"{total}, V 27 × 50, W 200 × 50, b 200, U2 200 × 50, W2 200 × 50, b2 200, c 27, E 27 × 30"
    tied = RNN(27, 5, cell="gru", tied=True, seed=1)
    tied.save(tmp_path / "b.npz")
    assert "cell          gru, layers 1, embedding_dim 5, bias false, tied true, dropout 0.0" in list(
        summary_lines(summarize_model(tmp_path / "b.npz"))
    )


def test_a_model_without_a_history_says_that_it_is_not_recorded(tmp_path: Path) -> None:
    summary = summarize_model(save_model(tmp_path, words=[" ", "a", "\t"], level="char"))
    assert (summary["history"], summary["best_epoch"], summary["options"]) == ([], None, {})
    text = "\n".join(summary_lines(summary))
    assert "history       not recorded" in text and "options       not recorded" in text
    assert "quality       not recorded" in text and "tokenizer     each character is a token" in text
    assert "character-level language model" in text
    assert "most frequent   ' ' a '\\t'" in text and "least frequent" not in text


def test_no_word_is_both_most_and_least_frequent(tmp_path: Path) -> None:
    vocabulary = summarize_model(save_model(tmp_path, words=WORDS[:13]))["vocabulary"]
    assert vocabulary["most_frequent"] + vocabulary["least_frequent"] == WORDS[:13]


def test_a_bare_network_has_only_sizes(tmp_path: Path) -> None:
    rnn = RNN(6, 3, seed=1)
    np.savez(tmp_path / "b.npz", **{name: value.astype(float) for name, value in rnn.get_values().items()})
    summary = summarize_model(tmp_path / "b.npz")
    assert summary["parameters"]["dtype"] == "float64"
    assert "vocabulary" not in summary
    assert "bare network without a vocabulary" in next(summary_lines(summary))


@pytest.mark.parametrize(
    "training",
    [
        {"options": [], "history": "x"},
        {"history": [1, {"epoch": None, "train_loss": "x"}, {"perplexity": float("nan")}]},
        {"options": {"seed": 2**70}, "history": [{"epoch": True, "valid_loss": 10**400}]},
    ],
)
def test_a_model_with_a_malformed_history_can_be_summarized(training: dict[str, Any], tmp_path: Path) -> None:
    summary = summarize_model(save_model(tmp_path, training=training))
    assert summary["best_epoch"] is None
    assert len(list(summary_lines(summary))) > 5


def test_coverage_is_shown_if_the_file_records_it(tmp_path: Path) -> None:
    coverage = Coverage(1234, 1000, 105, 0, 80, 20)
    summary = summarize_model(save_model(tmp_path, training={"coverage": coverage.to_configuration()}))
    assert summary["coverage"] == coverage.to_configuration()
    assert f"coverage      {coverage.summary('words')}" in list(summary_lines(summary))
    for training in ({}, {"coverage": None}, {"coverage": {"words": 3}}, {"coverage": 5}):
        summary = summarize_model(save_model(tmp_path, training=training))
        assert summary["coverage"] is None
        assert "coverage      not recorded" in list(summary_lines(summary))


def test_quality_is_in_bits_per_character_at_character_level(tmp_path: Path) -> None:
    summary = summarize_model(save_model(tmp_path, words=["a", "b"], level="char", training={"history": HISTORY}))
    assert summary["quality"] == {
        "loss": 2.0,
        "text": "held-out",
        "perplexity": pytest.approx(7.3890561),
        "bits_per_character": pytest.approx(2.8853901),
    }
    lines = list(summary_lines(summary))
    assert "quality       2.89 bits/char on the held-out text, after epoch 2" in lines
    assert "  epoch  training loss  held-out loss  bits/char  learning rate" in lines
    assert "      2         2.5000         2.0000     2.8854        0.00333  best" in lines


def test_quality_names_the_training_text_if_it_decided(tmp_path: Path) -> None:
    training = {"history": HISTORY, "options": {"tutorial": True}}
    summary = summarize_model(save_model(tmp_path, training=training))
    assert summary["quality"]["bits_per_character"] is None
    assert "quality       perplexity 7.39 on the training text, after epoch 3" in list(summary_lines(summary))


def test_long_lists_of_options_are_wrapped_between_options(tmp_path: Path) -> None:
    options = {f"setting_{i}": i for i in range(30)}
    lines = list(summary_lines(summarize_model(save_model(tmp_path, training={"options": options}))))
    assert max(len(line) for line in lines[1:]) <= 110
    assert ", ".join(line[14:] for line in lines if "setting" in line) == ", ".join(
        f"{k} {v}" for k, v in options.items()
    )
