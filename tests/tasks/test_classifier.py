"""Training a classifier, its file, and what it predicts: as for language models, by the same loop."""

import itertools
import pickle
import signal

import numpy as np
import pytest
from support.training_runs import Interrupter, assert_same_run_of_a_task, run_state

import theano_rnn
from theano_rnn.encoders.reader import Reader
from theano_rnn.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    CorpusError,
    ModelFileError,
    OptionError,
    TrainingInterrupted,
)
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.tasks.classifier import Classifier
from theano_rnn.tasks.tagger import Tagger
from theano_rnn.training import timing
from theano_rnn.training.train_model import train

GOOD, BAD = ("lovely", "great"), ("awful", "sad")
TEXTS = [
    (label, f"The {noun} {verb} {word}.")
    for (label, words), noun, verb in itertools.product(
        (("good", GOOD), ("bad", BAD)), ("dog", "cat", "bird", "end", "plot"), ("is", "was", "looks")
    )
    for word in words
]
SETTINGS = {
    "task": "classify", "hidden_dim": 4, "embedding_dim": 5, "cell": "simple", "batch_size": 8, "seed": 3,
    "dropout": 0.2, "learning_rate": 0.1, "valid_fraction": 0.2, "epochs": 4,
}  # fmt: skip


def write_table(path, texts=TEXTS, header="label\ttext"):
    path.write_text("".join(f"{line}\n" for line in [header, *("\t".join(one) for one in texts)] if line), "utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("classifier")


@pytest.fixture(scope="module")
def table(folder):
    return write_table(folder / "texts.tsv")


@pytest.fixture(scope="module")
def trained(folder, table):
    return train(table, model=folder / "unbroken.npz", log=folder / "log.jsonl", **SETTINGS)


def test_training_returns_the_saved_classifier_which_has_learned(trained, folder):
    assert isinstance(trained, Classifier) and "2 labels" in repr(trained)
    assert trained.labels == ["bad", "good"]
    assert trained.predict(["The bird was lovely.", "The cat looks awful."]) == ["good", "bad"]
    history = trained.training["history"]
    assert [record["epoch"] for record in history] == [1, 2, 3, 4]
    assert all(0 <= record["accuracy"] <= 1 and record["error"] == 1 - record["accuracy"] for record in history)
    assert len((folder / "log.jsonl").read_text().splitlines()) == 4


def test_probabilities_of_the_labels_sum_to_1_also_for_an_empty_text_and_unknown_words(trained):
    found = trained.probabilities(["", "zebra", "The dog is great.", "one " * 6000])
    assert found.shape == (4, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert trained.probabilities([]).shape == (0, 2)


def test_averaged_models_give_the_mean_of_their_probabilities_and_influences_follow_from_it(trained):
    other = Classifier(Reader(trained.reader.settings, seed=9), trained.labels, trained.vocabulary, trained.tokenizer)
    both, text = trained.averaged_with([other]), "The bird was lovely."
    np.testing.assert_allclose(
        both.probabilities([text]), (trained.probabilities([text]) + other.probabilities([text])) / 2
    )
    tokens, influences = both.influences(text)
    without_last = both.probabilities([text.removesuffix(".")])[0]
    label = both.probabilities([text])[0].argmax()
    assert tokens[-1] == "."
    assert influences[-1] == pytest.approx(np.log(both.probabilities([text])[0, label] / without_last[label]), abs=1e-5)
    assert not trained.members and trained.averaged_with([trained]).predict([text]) == trained.predict([text])


def test_only_equals_are_averaged_and_each_is_saved_by_itself(trained, folder):
    with pytest.raises(ArgumentValueError, match="others: expected models with the same labels"):
        trained.averaged_with([Classifier(trained.reader, ["x", "y"], trained.vocabulary, trained.tokenizer)])
    with pytest.raises(ArgumentValueError, match="others: expected models for the task 'classify', got one for 'tag'"):
        trained.averaged_with([Tagger.__new__(Tagger)])
    with pytest.raises(ArgumentValueError, match="expected one model, got the average of 2; save each by itself"):
        trained.averaged_with([trained]).save(folder / "both.npz")


def test_a_text_has_the_same_probabilities_alone_and_among_others(trained):
    texts = [text for _, text in TEXTS] + ["A longer text that has many more words than all of the others have."]
    together = trained.probabilities(texts)
    for text, row in list(zip(texts, together, strict=True))[::20]:
        np.testing.assert_allclose(trained.probabilities([text])[0], row, atol=1e-6)


@pytest.mark.parametrize(
    "copy",
    [lambda model, path: pickle.loads(pickle.dumps(model)), lambda model, path: (model.save(path), load(path))[1]],
)
def test_a_copy_predicts_the_same(trained, tmp_path, copy):
    other = copy(trained, tmp_path / "copy.npz")
    assert type(other) is Classifier
    texts = [text for _, text in TEXTS[::7]]
    np.testing.assert_array_equal(other.probabilities(texts), trained.probabilities(texts))
    assert other.training == trained.training and other.labels == trained.labels


@pytest.mark.parametrize("moment", [pytest.param((0, 3), marks=pytest.mark.slow), (2, 1)])
def test_an_interrupted_run_continues_bit_for_bit(trained, folder, table, tmp_path, monkeypatch, moment):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    with pytest.raises(TrainingInterrupted):
        train(table, model=tmp_path / "m.npz", reporter=Interrupter(*moment), **SETTINGS)
    _, document = run_state(tmp_path / "m.npz")
    assert (document["state"]["epoch"], document["state"]["step"]) == moment
    train(None, model=tmp_path / "m.npz", resume=True)
    assert_same_run_of_a_task(tmp_path / "m.npz", folder / "unbroken.npz")


def test_a_run_is_not_resumed_with_other_texts(table, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    with pytest.raises(TrainingInterrupted):
        train(table, model=tmp_path / "m.npz", reporter=Interrupter(0, 2, signal.SIGTERM), **SETTINGS)
    other = write_table(tmp_path / "other.tsv", TEXTS[:-1])
    with pytest.raises(OptionError, match="data: the text, or how .*, has changed since the interrupted run"):
        train(other, model=tmp_path / "m.npz", resume=True)


def test_the_loss_can_decide_and_all_texts_can_be_learned(table, tmp_path):
    settings = {**SETTINGS, "criterion": "loss", "valid_fraction": 0.0, "epochs": 1, "word_dropout": 0.0}
    model = train(table, model=tmp_path / "m.npz", **settings)
    (record,) = model.training["history"]
    assert record["valid_loss"] is None and record["train_loss"] > 0 and "error" not in record


def test_held_out_texts_can_be_given(table, tmp_path):
    held_out = write_table(tmp_path / "valid.tsv", TEXTS[:4], header="")
    model = train(table, model=tmp_path / "m.npz", valid=held_out, **{**SETTINGS, "epochs": 1})
    report = model.evaluate([held_out])
    assert model.training["history"][0]["accuracy"] == report.accuracy
    assert model.training["history"][0]["valid_loss"] == pytest.approx(report.loss, rel=1e-4)


# Starting from a language model


@pytest.fixture(scope="module")
def language_model(folder):
    text = folder / "text.txt"
    text.write_text("\n".join(text for _, text in TEXTS), "utf-8")
    settings = {"cell": "gru", "hidden_dim": 4, "embedding_dim": 5, "epochs": 1, "sample_every": 0}
    train(text, model=folder / "lm.npz", **settings)
    return folder / "lm.npz"


def test_embeddings_and_forward_layers_start_from_a_language_model(table, language_model, tmp_path):
    settings = {name: SETTINGS[name] for name in ("task", "batch_size", "seed", "valid_fraction")}
    tiny = {**settings, "learning_rate": 1e-12, "epochs": 1}
    model = train(table, model=tmp_path / "m.npz", init_from=language_model, **tiny)
    lm = load(language_model)
    assert model.vocabulary.index_to_word == lm.vocabulary.index_to_word
    ours, theirs = model.reader.get_values(), lm.rnn.get_values()
    for name in ("E", "U", "W", "b", "r"):
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-6, err_msg=name)
    assert not np.allclose(ours["U_back"], theirs["U"], atol=1e-3)


@pytest.mark.slow
def test_a_run_that_started_from_a_language_model_is_resumed_without_it(table, language_model, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    settings = {name: SETTINGS[name] for name in ("task", "batch_size", "seed", "valid_fraction")} | {"epochs": 2}
    start = tmp_path / "start.npz"
    start.write_bytes(language_model.read_bytes())
    train(table, model=tmp_path / "whole.npz", init_from=start, **settings)
    with pytest.raises(TrainingInterrupted):
        train(table, model=tmp_path / "m.npz", init_from=start, reporter=Interrupter(1, 2), **settings)
    start.unlink()
    train(None, model=tmp_path / "m.npz", resume=True)
    assert_same_run_of_a_task(tmp_path / "m.npz", tmp_path / "whole.npz")


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"hidden_dim": 7}, "hidden_dim: the model to start from has 4, got 7; leave it out"),
        ({"vocabulary_size": 100}, "vocabulary_size: the vocabulary is that of .*lm.npz; leave it out"),
    ],
)
def test_options_that_a_language_model_decides_cannot_be_chosen(table, language_model, tmp_path, settings, message):
    with pytest.raises(OptionError, match=message):
        train(table, task="classify", model=tmp_path / "m.npz", init_from=language_model, **settings)


@pytest.mark.parametrize(
    "settings, message",
    [({"level": "char"}, "reads characters; expected a language model"), ({}, "has no embeddings to start from")],
)
def test_language_models_without_word_vectors_are_rejected(folder, table, language_model, tmp_path, settings, message):
    train(folder / "text.txt", model=tmp_path / "lm.npz", epochs=1, hidden_dim=3, sample_every=0, **settings)
    with pytest.raises(OptionError, match=f"init_from: .*lm.npz {message}"):
        train(table, task="classify", model=tmp_path / "m.npz", init_from=tmp_path / "lm.npz")


# Wrong use


def test_a_model_of_one_task_is_not_taken_for_another(trained, language_model, table, folder, tmp_path):
    path = folder / "unbroken.npz"
    message = "unbroken.npz: is a model for the task 'classify', not 'language-model'; use predict.py or theano_rnn"
    for use in (LanguageModel.load, RNN.load, lambda one: theano_rnn.score(one, "Hello.")):
        with pytest.raises(ModelFileError, match=message):
            use(path)
    with pytest.raises(ModelFileError, match=message):
        train(folder / "text.txt", model=tmp_path / "m.npz", init_from=path)
    with pytest.raises(ModelFileError, match=r"lm.npz: is a model for the task 'language-model', not 'classify'"):
        Classifier.load(language_model)


@pytest.mark.parametrize(
    "texts, header, message",
    [
        (TEXTS, "name\ttext", r"t.tsv, line 1: there is no column label; .* the columns are 'name', 'text'"),
        (TEXTS, "label\tcontent", r"t.tsv, line 1: there is no column text or body; "),
        ([("good", "One."), ("good", "Two.")], "label\ttext", "at least two labels to learn from; found only 'good'"),
        ([], "label\ttext", "at least two labels to learn from; found no text"),
        ([("good", "One."), ("bad", " ")], "label\ttext", "t.tsv, line 3: the text is empty; remove the row"),
        ([("good", "One."), ("", "Two.")], "label\ttext", "t.tsv, line 3: the label is empty"),
        ([("good", "One."), ("bad",)], "label\ttext", "t.tsv, line 3: expected 2 columns, got 1"),
        ([("1", "2", "3")], "", r"t.tsv, line 1: there is no column label; expected a header"),
    ],
)
def test_tables_that_cannot_be_learned_are_rejected(tmp_path, texts, header, message):
    table = write_table(tmp_path / "t.tsv", texts, header)
    with pytest.raises(CorpusError, match=message):
        train(table, model=tmp_path / "m.npz", **SETTINGS)
    assert not (tmp_path / "m.npz").exists()


def test_held_out_texts_with_a_label_of_their_own_are_rejected(table, tmp_path):
    held_out = write_table(tmp_path / "valid.tsv", [("good", "One."), ("fair", "Two.")])
    message = "valid.tsv, line 3: the label 'fair' does not occur in training; its labels are 'bad', 'good'"
    with pytest.raises(CorpusError, match=message):
        train(table, model=tmp_path / "m.npz", valid=held_out, **SETTINGS)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"task": "sing"}, "task: expected .*, got 'sing'"),
        ({"task": "classify", "tied": True}, "tied: has no effect with `task=classify`; leave it out"),
        ({"task": "classify", "level": "char"}, "level: has no effect with `task=classify`; leave it out"),
        ({"task": "classify", "pooling": "sum"}, "pooling: expected .*, got 'sum'"),
        ({"task": "classify", "criterion": "luck"}, "criterion: expected .*, got 'luck'"),
        ({"task": "classify", "word_dropout": -1.0}, "word_dropout: expected .*, got -1.0"),
        ({"task": "classify", "bidirectional": 2}, "bidirectional: expected .*, got 2"),
        ({"bidirectional": True}, "bidirectional: has no effect with `task=language-model`; leave it out"),
    ],
)
def test_options_that_do_not_suit_the_task_are_rejected(table, tmp_path, settings, message):
    with pytest.raises(OptionError, match=message):
        train(table, model=tmp_path / "m.npz", **settings)


@pytest.mark.parametrize("texts", ["one text", None, [1], [None]])
def test_what_is_no_sequence_of_texts_is_rejected(trained, texts):
    with pytest.raises(ArgumentTypeError, match="texts: expected a sequence of str, got "):
        trained.predict(texts)


def test_evaluation_needs_known_labels_and_at_least_one_text(trained, tmp_path):
    with pytest.raises(CorpusError, match="line 2: the label 'fair' does not occur in training"):
        trained.evaluate([write_table(tmp_path / "t.tsv", [("fair", "One.")])])
    with pytest.raises(CorpusError, match="there are no texts to evaluate"):
        trained.evaluate([write_table(tmp_path / "u.tsv", [])])


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.update(labels=["bad"]), "labels: expected 2, got 1"),
        (lambda c: c.update(labels="bad"), "labels: expected a list of str"),
        (lambda c: c.update(training=[]), "training: expected a dict, got list"),
        (lambda c: c.pop("reader"), "damaged or inconsistent: 'reader'"),
        (lambda c: c["reader"].update(hidden_dim=10**9), "U: expected shape"),
        (lambda c: c["reader"].update(head="feet"), "head: expected"),
        (lambda c: c["reader"].update(wings=2), "damaged or inconsistent: .*wings"),
        (lambda c: c.update(task="sing"), "is a model for the unknown task 'sing'"),
    ],
)
def test_damaged_files_are_rejected_in_one_line(folder, trained, tmp_path, change, message):
    entries = read_archive(folder / "unbroken.npz")
    documents = {name: read_document("m", entries, name) for name in ("configuration", "vocabulary")}
    change(documents["configuration"])
    arrays = {name: value for name, value in entries.items() if name not in documents}
    write_archive(tmp_path / "m.npz", arrays, documents)
    with pytest.raises(ModelFileError, match=message) as error:
        load(tmp_path / "m.npz")
    assert "\n" not in str(error.value)


def test_a_classifier_needs_as_many_labels_as_its_network(trained):
    with pytest.raises(ArgumentValueError, match="labels: expected 2, got 3"):
        Classifier(trained.reader, ["a", "b", "c"], trained.vocabulary, trained.tokenizer)
