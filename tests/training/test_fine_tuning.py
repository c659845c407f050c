"""Runs that start from another model: what they inherit, what they refuse, and resuming without that model."""

import re

import numpy as np
import pytest
from support.script_modules import script
from support.training_runs import SENTENCES, Interrupter, assert_same_arrays, assert_same_run, run_state, share_compiled

from theano_rnn.errors import ModelFileError, OptionError, TrainingInterrupted
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training import timing, train_model
from theano_rnn.training.language_model_task import inherited_settings, unknown_share
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer

OTHER_WORDS = "The bird likes the cat. The zebra sees the dog. The cat eats the bird. A cat."
BASES = {
    "words": {"hidden_dim": 6, "seed": 3, "batch_size": 8, "learning_rate": 0.03, "valid_fraction": 0.1},
    "characters": {"hidden_dim": 6, "seed": 3, "level": "char", "batch_size": 4, "activation": "relu"},
}
CASES = ["words", pytest.param("characters", marks=pytest.mark.slow)]
FURTHER = {"words": {"batch_size": 8}, "characters": {"batch_size": 4}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuning")
    (folder / "toy.txt").write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    (folder / "other.txt").write_text("\n\n".join([OTHER_WORDS] * 6) + "\n", encoding="utf-8")
    (folder / "valid.txt").write_text(OTHER_WORDS + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def base(folder):
    """A function that returns a trained model to start from."""

    def find(case="words"):
        path = folder / f"{case}.npz"
        if not path.exists():
            train(folder / "toy.txt", model=path, epochs=2, **BASES[case])
        return path

    return find


def tuned(folder, base, model, case="words", **settings):
    chosen = {**FURTHER[case], "valid": folder / "valid.txt", "init_from": base, **settings}
    return train(folder / "other.txt", model=model, **chosen)


@pytest.mark.parametrize("case", CASES)
def test_the_first_loss_is_that_of_the_starting_model_and_its_settings_are_inherited(case, folder, base, tmp_path):
    lm, start = tuned(folder, base(case), tmp_path / "m.npz", case, epochs=1, learning_rate=1e-9), load(base(case))
    text = (folder / "valid.txt").read_text(encoding="utf-8")
    first, after = lm.training["history"]
    assert (first["epoch"], first["train_loss"], first["examples_seen"]) == (0, None, 0)
    assert first["valid_loss"] == pytest.approx(start.text_loss(text), rel=1e-6)
    assert after["valid_loss"] == pytest.approx(first["valid_loss"], rel=1e-4)
    assert after["train_loss"] == pytest.approx(start.text_loss((folder / "other.txt").read_text()), rel=0.05)
    assert lm.vocabulary == start.vocabulary and lm.tokenizer == start.tokenizer
    assert (lm.rnn.hidden_dim, lm.rnn.activation) == (start.rnn.hidden_dim, start.rnn.activation)
    assert lm.training["options"]["init_from"] == str(base(case))


@pytest.mark.parametrize("case", CASES)
def test_the_loss_on_the_new_text_falls(case, folder, base, tmp_path):
    lm = tuned(folder, base(case), tmp_path / "m.npz", case, epochs=4, learning_rate=0.03)
    losses = [record["valid_loss"] for record in lm.training["history"]]
    assert losses[-1] < losses[0] - 0.2
    text = (folder / "valid.txt").read_text(encoding="utf-8")
    assert lm.text_loss(text) == pytest.approx(min(losses), rel=1e-5)


def test_words_outside_the_vocabulary_are_unknown_and_the_others_keep_their_ids(folder, base, tmp_path, monkeypatch):
    corpora, init = [], Trainer.__init__

    def noting(run, task, *details):
        corpora.append(task.corpus)
        init(run, task, *details)

    monkeypatch.setattr(Trainer, "__init__", noting)
    lm = tuned(folder, base(), tmp_path / "m.npz", epochs=1)
    (corpus,) = corpora
    assert "zebra" not in lm.vocabulary
    expected = [lm.encode(s) for s in OTHER_WORDS.replace(".", ".\n").split("\n") if s] * 6
    assert [sentence.tolist() for sentence in corpus.train] == [ids.tolist() for ids in expected]
    assert corpus.seen_once is None  # not needed, because the text has unknown words
    ids = np.concatenate([sentence[1:] for sentence in corpus.train])
    assert unknown_share(corpus) == np.mean(ids == lm.vocabulary.unknown) > 0.02


def test_without_unknown_words_those_that_occur_once_are_used_to_learn_them(folder, base, tmp_path):
    text = tmp_path / "known.txt"
    text.write_text("The dog sees the cat.\n\nThe dog sees the bird.\n\nThe dog likes the cat.\n", encoding="utf-8")
    vocabulary = load(base()).vocabulary
    corpus = read_corpus(text, train_model.TrainingOptions(init_from=base(), valid_fraction=0.0), vocabulary=vocabulary)
    assert vocabulary.decode(np.flatnonzero(corpus.seen_once)) == ["bird", "likes"]


@pytest.mark.parametrize("case", CASES)
def test_a_resumed_run_does_not_need_the_starting_model_and_equals_an_uninterrupted_one(
    case, folder, base, tmp_path, monkeypatch
):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    start = tmp_path / "start.npz"
    for name, reporter in (("a", None), ("b", Interrupter(0, 1)), ("c", Interrupter(1, 1))):
        start.write_bytes(base(case).read_bytes())
        model = tmp_path / f"{name}.npz"
        if reporter is None:
            tuned(folder, start, model, case, epochs=3)
            continue
        with pytest.raises(TrainingInterrupted):
            tuned(folder, start, model, case, epochs=3, reporter=reporter)
        start.unlink()
        (tmp_path / f"{name}.corpus.npz").unlink(missing_ok=True)
        # With the same options again, as in the printed command.
        train(folder / "other.txt", model=model, resume=True, init_from=start)
        assert_same_run(tmp_path / "a.npz", model)


@pytest.mark.parametrize("level, share", [("word", 3 / 10), ("char", 4 / 12)])
def test_the_share_of_unknown_tokens_is_reported(tmp_path, level, share):
    text = tmp_path / "text.txt"
    text.write_text("A bb A.\nA c\n" if level == "char" else "dog b , dog .\ndog c .\n", encoding="utf-8")
    words = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *("A " if level == "char" else ["dog", "."])]
    options = train_model.TrainingOptions(level=level, tokenized=level == "word", valid_fraction=0.0)
    corpus = read_corpus(text, options, vocabulary=Vocabulary(words, level == "char"))
    assert unknown_share(corpus) == share


def test_without_held_out_text_there_is_no_evaluation_before_learning(folder, base, tmp_path):
    lm = tuned(folder, base(), tmp_path / "m.npz", valid=None, valid_fraction=0.0, epochs=1)
    assert [record["epoch"] for record in lm.training["history"]] == [1]


@pytest.mark.slow
def test_the_tutorials_training_may_start_from_a_model_too(folder, base, tmp_path):
    lm = train(folder / "other.txt", model=tmp_path / "m.npz", tutorial=True, epochs=1, init_from=base(), seed=3)
    losses = [record["train_loss"] for record in lm.training["history"]]
    assert losses[0] == pytest.approx(load(base()).text_loss((folder / "other.txt").read_text()), rel=1e-5)
    assert len(losses) == 2 and losses[1] < losses[0]


def test_a_model_that_only_gets_worse_stays_the_best(folder, base, tmp_path, monkeypatch):
    losses = iter([1.0, 2.0, 3.0, 1.5])
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: next(losses))
    lm = tuned(folder, base(), tmp_path / "m.npz", epochs=9, patience=3)
    assert_same_arrays(lm.rnn.get_values(), load(base()).rnn.get_values())
    assert [record["epoch"] for record in lm.training["history"]] == [0, 1, 2, 3]


def test_a_model_can_be_trained_further_under_its_own_name(folder, base, tmp_path):
    model = tmp_path / "m.npz"
    model.write_bytes(base().read_bytes())
    lm = tuned(folder, model, model, epochs=2, learning_rate=0.01)
    assert (tmp_path / "m.previous.npz").read_bytes() == base().read_bytes()
    assert not np.array_equal(load(model).rnn.get_values()["W"], load(base()).rnn.get_values()["W"])
    assert len(lm.training["history"]) == 3
    train(None, model=model, resume=True, epochs=3)
    assert len(load(model).training["history"]) == 4


def test_a_text_encoded_with_another_vocabulary_is_encoded_again(folder, base, tmp_path):
    start, model = tmp_path / "start.npz", tmp_path / "m.npz"
    words = load(base()).vocabulary.index_to_word
    swapped = Vocabulary([*words[:3], *reversed(words[3:])])
    values = load(base()).rnn.get_values()
    for vocabulary in (Vocabulary(words), swapped):
        LanguageModel(RNN.from_values(values), vocabulary, Tokenizer()).save(start)
        lm = tuned(folder, start, model, epochs=1, learning_rate=1e-9)
        text = (folder / "valid.txt").read_text(encoding="utf-8")
        assert lm.training["history"][0]["valid_loss"] == pytest.approx(load(start).text_loss(text), rel=1e-5)
    # A run without a starting model does not use it either.
    settings = {"batch_size": 8, "hidden_dim": 6, "vocabulary_size": len(words), "valid": folder / "valid.txt"}
    assert train(folder / "other.txt", model=model, epochs=1, **settings).vocabulary != swapped


# Refused runs


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"hidden_dim": 7}, "^hidden_dim: the model to start from has 6, got 7; leave it out$"),
        ({"vocabulary_size": 8000}, r"^vocabulary_size: the model to start from has \d+, got 8000; leave it out$"),
        ({"activation": "relu"}, "^activation: the model to start from has 'tanh', got 'relu'; leave it out$"),
        ({"level": "char"}, "^level: the model to start from has 'word', got 'char'; leave it out$"),
        ({"keep_case": True}, "^keep_case: the model to start from has False, got True; leave it out$"),
        ({"tokenized": True}, "^tokenized: the model to start from has False, got True; leave it out$"),
        ({"min_count": 2}, "^min_count: the vocabulary is that of .*words.npz; leave it out$"),
        ({"hiden_dim": 2}, r"^hiden_dim: unknown option; did you mean `hidden_dim`\?$"),
    ],
)
def test_inherited_options_cannot_be_chosen(folder, base, tmp_path, settings, message):
    with pytest.raises(OptionError, match=message):
        tuned(folder, base(), tmp_path / "m.npz", **settings)
    assert not list(tmp_path.iterdir())


def test_inherited_options_may_be_repeated(folder, base, tmp_path):
    start = load(base())
    given = inherited_settings(start)
    assert given["hidden_dim"] == 6 and given["vocabulary_size"] == len(start.vocabulary)
    tuned(folder, base(), tmp_path / "m.npz", epochs=1, **given)


@pytest.mark.parametrize(
    "tokenizer, expected",
    [
        (Tokenizer(lowercase=False), {"level": "word", "keep_case": True, "tokenized": False, "lines": False}),
        (Tokenizer(tokenized=True), {"level": "word", "keep_case": False, "tokenized": True, "lines": True}),
        (Tokenizer(level="char"), {"level": "char", "keep_case": False, "tokenized": False, "lines": False}),
        (
            Tokenizer(level="char", lowercase=False),
            {"level": "char", "keep_case": False, "tokenized": False, "lines": False},
        ),
    ],
)
def test_tokenizer_and_network_are_inherited(tokenizer, expected):
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "a"], tokenizer.level == "char")
    network = {"cell": "lstm", "layers": 2, "embedding_dim": 2, "bias": True, "tied": True, "activation": "tanh"}
    lm = LanguageModel(RNN(4, 2, seed=1, dropout=0.5, **network), vocabulary, tokenizer)
    assert inherited_settings(lm) == {**expected, "vocabulary_size": 4, "hidden_dim": 2, **network}


def test_files_that_are_not_language_models_are_refused(folder, base, tmp_path):
    bare, model = tmp_path / "bare.npz", tmp_path / "m.npz"
    np.savez(bare, **load(base()).rnn.get_values())
    with pytest.raises(ModelFileError, match="bare.npz: contains no configuration; it was not saved as a"):
        tuned(folder, bare, model)
    with pytest.raises(ModelFileError, match="absent.npz: no such file"):
        tuned(folder, tmp_path / "absent.npz", model)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.npz"]


def test_a_run_may_start_from_a_model_that_was_kept(folder, base, tmp_path):
    start, model = tmp_path / "m.previous.npz", tmp_path / "m.npz"
    start.write_bytes(base().read_bytes())
    model.write_bytes(b"another model")
    tuned(folder, start, model, epochs=1)
    assert start.read_bytes() == base().read_bytes()
    assert (tmp_path / "m.previous-2.npz").read_bytes() == b"another model"


def test_paths_that_would_overwrite_the_starting_model_are_refused(folder, base, tmp_path):
    start = tmp_path / "m.previous.npz"
    start.write_bytes(base().read_bytes())
    with pytest.raises(OptionError, match="m.previous.npz: is where the model goes; choose"):
        tuned(folder, start, tmp_path / "m.npz", log=start)
    other = tmp_path / "start.png"
    other.write_bytes(base().read_bytes())
    for name in ("log", "plot"):
        with pytest.raises(OptionError, match="start.png: is the model to start from; choose another place"):
            tuned(folder, other, tmp_path / "n.npz", **{name: other})
    assert start.read_bytes() == other.read_bytes() == base().read_bytes()


def test_a_run_cannot_be_resumed_from_another_model(folder, base, tmp_path):
    tuned(folder, base(), tmp_path / "m.npz", epochs=1)
    with pytest.raises(
        OptionError, match="^init_from: the interrupted run has .*words.npz', got .*x.npz'; leave it out"
    ):
        train(None, model=tmp_path / "m.npz", resume=True, init_from=tmp_path / "x.npz")


@pytest.mark.parametrize("damage", [None, {"words": [], "newline_ends_sentence": False}, 5])
def test_a_checkpoint_whose_vocabulary_is_damaged_is_refused(folder, base, tmp_path, damage):
    model = tmp_path / "m.npz"
    tuned(folder, base(), model, epochs=1)
    arrays, document = run_state(model)
    document["vocabulary"] = damage
    if damage is None:
        del document["vocabulary"]
    train_model.RunFiles(model, None).write(arrays, document)
    with pytest.raises(ModelFileError, match=re.escape("m.checkpoint.npz: damaged or inconsistent: ")):
        train(None, model=model, resume=True)


def test_the_script_shows_the_loss_before_learning(folder, base, tmp_path, capsys):
    arguments = ["--data", folder / "other.txt", "--valid", folder / "valid.txt", "--init-from", base(), "--epochs", 2]
    arguments += ["--batch-size", 8]
    assert script("train").main([*map(str, arguments), "--model", str(tmp_path / "m.npz")]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if " loss " in line and " rate " in line]
    assert re.match(r"epoch   0  held-out loss \d\.\d+  perplexity ", lines[0])
    assert re.match(r"epoch   1  training loss \d\.\d+  held-out loss ", lines[1])


def test_a_reporter_may_ignore_samples_and_times(caplog):
    with caplog.at_level("INFO"):
        state = type("State", (), {"epoch": 2, "step": 5})
        Reporter().sampled(state, "a text")
        Reporter().time_is_up(state, "m.checkpoint.npz")
    assert "after 2 epochs and 5 steps: a text" in caplog.text and "m.checkpoint.npz" in caplog.text
