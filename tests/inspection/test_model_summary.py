import json

import numpy as np
import pytest

from theano_rnn.inspection.model_summary import best_epoch, summarise, summary_lines
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.coverage import Coverage
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

WORDS = [f"word{i}" for i in range(24)]
HISTORY = [
    {"epoch": 1, "train_loss": 3.5, "valid_loss": 3.0, "perplexity": 20.0855, "learning_rate": 0.004},
    {"epoch": 2, "train_loss": 2.5, "valid_loss": 2.0, "perplexity": 7.3891, "learning_rate": 0.00333},
    {"epoch": 3, "train_loss": 2.0, "valid_loss": 2.1, "perplexity": 8.1662, "learning_rate": 0.0025},
]


def saved(path, words=WORDS, training=None, level="word"):
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *words], level == "char")
    lm = LanguageModel(RNN(len(vocabulary), 5, bptt_truncate=4, seed=1), vocabulary, Tokenizer(level=level), training)
    lm.save(path / "a.npz")
    return path / "a.npz"


def test_a_trained_model_tells_sizes_settings_history_and_words(tmp_path):
    path = saved(tmp_path, training={"options": {"epochs": 3, "activation": "tanh", "valid": None}, "history": HISTORY})
    summary = summarise(path)
    assert summary["bytes"] == path.stat().st_size
    assert summary["network"] == {"word_dim": 27, "hidden_dim": 5, "activation": "tanh", "bptt_truncate": 4}
    assert summary["parameters"]["total"] == 27 * 5 * 2 + 25 and summary["parameters"]["dtype"] == "float32"
    assert summary["vocabulary"]["most_frequent"] == WORDS[:10]
    assert summary["vocabulary"]["least_frequent"] == WORDS[-10:]
    assert (summary["history"], summary["best_epoch"]) == (HISTORY, 2)
    assert json.loads(json.dumps(summary)) == summary
    lines = list(summary_lines(summary))
    for expected in (
        "network       word_dim 27, hidden_dim 5, activation tanh",
        "bptt          truncated after 4 steps",
        "parameters    295 of float32: U 5 × 27, V 27 × 5, W 5 × 5",
        "tokenizer     lowercase true, tokenized false, lines false",
        "vocabulary    27 entries, 3 of them special",
        'options       epochs 3, activation "tanh", valid null',
        "      1         3.5000         3.0000     20.0855    0.004",
        "      2         2.5000         2.0000      7.3891  0.00333  best",
    ):
        assert expected in lines


def test_a_model_without_a_history_and_with_few_words(tmp_path):
    summary = summarise(saved(tmp_path, words=[" ", "a", "\t"], level="char"))
    assert (summary["history"], summary["best_epoch"], summary["options"]) == ([], None, {})
    text = "\n".join(summary_lines(summary))
    assert "history       none" in text and "options       not told" in text and "of characters" in text
    assert "most frequent   ' ' a '\\t'" in text and "least frequent" not in text


def test_words_are_not_told_twice(tmp_path):
    vocabulary = summarise(saved(tmp_path, words=WORDS[:13]))["vocabulary"]
    assert vocabulary["most_frequent"] + vocabulary["least_frequent"] == WORDS[:13]


def test_a_bare_network_tells_its_sizes(tmp_path):
    rnn = RNN(6, 3, seed=1)
    np.savez(tmp_path / "b.npz", **{name: value.astype(float) for name, value in rnn.get_values().items()})
    summary = summarise(tmp_path / "b.npz")
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
def test_a_model_with_a_strange_history_is_told_all_the_same(training, tmp_path):
    summary = summarise(saved(tmp_path, training=training))
    assert summary["best_epoch"] is None
    assert len(list(summary_lines(summary))) > 5


def test_what_the_vocabulary_covers_is_shown_where_the_file_tells_it(tmp_path):
    coverage = Coverage(1234, 1000, 105, 0, 80, 20)
    summary = summarise(saved(tmp_path, training={"coverage": coverage.to_configuration()}))
    assert summary["coverage"] == coverage.to_configuration()
    assert f"coverage      {coverage.summary('words')}" in list(summary_lines(summary))
    for training in ({}, {"coverage": None}, {"coverage": {"words": 3}}, {"coverage": 5}):
        summary = summarise(saved(tmp_path, training=training))
        assert summary["coverage"] is None
        assert "coverage      not recorded" in list(summary_lines(summary))


def test_the_best_epoch_is_the_first_of_the_lowest_decisive_loss():
    assert best_epoch(HISTORY, is_tutorial=False) == 2
    assert best_epoch(HISTORY, is_tutorial=True) == 3
    assert best_epoch([record | {"valid_loss": None} for record in HISTORY], is_tutorial=False) == 3
    assert best_epoch([*HISTORY, {**HISTORY[1], "epoch": 4}], is_tutorial=False) == 2
    assert best_epoch([], is_tutorial=False) is None


def test_long_options_are_wrapped_between_settings(tmp_path):
    options = {f"setting_{i}": i for i in range(30)}
    lines = list(summary_lines(summarise(saved(tmp_path, training={"options": options}))))
    assert max(len(line) for line in lines[1:]) <= 110
    assert ", ".join(line[14:] for line in lines if "setting" in line) == ", ".join(
        f"{k} {v}" for k, v in options.items()
    )
