"""Filling gaps: training by the same loop as language models, the model's file, what it predicts, and its report."""

import copy
import io
import itertools
import pickle
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.training_runs import Interrupter, assert_same_run_of_a_task

from theano_rnn.encoders.reader_graph import ReaderInputs
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, OptionError, TrainingInterrupted
from theano_rnn.files.corpus_formats import open_inputs
from theano_rnn.language_models.language_model import load
from theano_rnn.tasks.gap_lines import gap_sentences
from theano_rnn.tasks.missing_words import MissingWords, gap_noise
from theano_rnn.tasks.missing_words_report import Answer, MissingWordReport
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.training import timing
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.train_model import train

# The verb depends on the word before it and on the word after it.
VERBS = {("dog", "bones"): "eats", ("dog", "cats"): "chases", ("man", "bones"): "buries", ("man", "cats"): "feeds"}
SENTENCES = [
    f"The {size} {subject} {verb} {size_of_object} {what}."
    for (subject, what), verb in VERBS.items()
    for size, size_of_object in itertools.product(("old", "big", "sad"), ("white", "fat", "old", "big"))
]
SETTINGS = {
    "task": "fill", "hidden_dim": 8, "embedding_dim": 8, "cell": "simple", "batch_size": 8, "seed": 3, "dropout": 0.0,
    "learning_rate": 0.05, "valid_fraction": 0.1, "epochs": 20, "word_dropout": 0.1,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("missing_words")


@pytest.fixture(scope="module")
def text(folder):
    path = folder / "text.txt"
    path.write_text(" ".join(SENTENCES), "utf-8")
    return path


@pytest.fixture(scope="module")
def trained(folder, text):
    return train(text, model=folder / "unbroken.npz", **SETTINGS)


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return str(path)


def rows(model, path, **options):
    (reader,) = open_inputs([path])
    return list(model.results(reader, PredictionOptions(**options)))


def test_the_word_in_a_gap_is_found_from_both_sides(trained):
    assert isinstance(trained, MissingWords) and isinstance(trained.predict(["The ___ ."]), list)
    texts = [f"The big {subject} ___ fat {what}." for subject, what in VERBS]
    assert trained.predict(texts) == list(VERBS.values())
    history = trained.training["history"]
    assert history[-1]["perplexity"] == pytest.approx(np.exp(history[-1]["valid_loss"]))
    assert history[-1]["perplexity"] < history[0]["perplexity"] / 1.5


def test_probabilities_over_the_vocabulary_sum_to_1(trained):
    found = trained.probabilities(["___", "The dog ______ it.", "zebra ___ zebra ___", "one " * 600 + "___ two" * 2])
    assert found.shape == (6, len(trained.vocabulary)) and (found > 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_the_word_in_the_gap_changes_nothing(trained):
    ((ids, place),) = trained.encode("The old dog ___ fat cats.")
    padded, lengths = np.zeros((1, 10, 1), np.int32), np.array([ids.shape[1]], np.int32)
    padded[0, : ids.shape[1], 0] = ids
    found = set()
    for word in range(len(trained.vocabulary)):
        padded[0, place, 0] = word
        inputs = ReaderInputs(padded, None, lengths)
        found.add(trained.reader.log_probabilities_at(inputs, np.array([place], np.int32)).tobytes())
    assert len(found) == 1


def test_a_gap_has_the_same_probabilities_alone_and_among_others(trained):
    texts = [sentence.replace(" old ", " ___ ", 1) for sentence in SENTENCES if " old " in sentence][:20]
    together = trained.probabilities([*texts, "___ " + "the " * 30])
    np.testing.assert_allclose(trained.probabilities(texts[3:4])[0], together[3], atol=1e-6)


def test_several_gaps_are_filled_one_at_a_time_with_unknown_words_in_the_others(trained):
    both = trained.probabilities(["The ___ dog eats ____ bones."])
    first = trained.probabilities(["The ___ dog eats zebra bones."])
    np.testing.assert_allclose(both[0], first[0], atol=1e-6)


@pytest.mark.parametrize(
    "text, tokenizer, expected",
    [
        ("It ___. She ____ too.", Tokenizer(), [["it", None, "."], ["she", None, "too", "."]]),
        ('"___ is", he said', Tokenizer(), [["``", None, "is", "''", ",", "he", "said"]]),
        ("___n't a__b gapgapgap", Tokenizer(), [[None, "n't", "a__b", "gapgapgap"]]),
        ("A___. b", Tokenizer(tokenized=True), [["A", None, ".", "b"]]),
        ("x-___-y", Tokenizer(), [["x-", None, "-y"]]),
    ],
)
def test_a_gap_is_a_token_of_its_own(text, tokenizer, expected):
    assert gap_sentences(text, tokenizer) == expected


def test_a_row_has_the_best_words_of_a_gap_with_probabilities(trained, tmp_path):
    path = write(tmp_path / "t.txt", "The big dog ___ ___ bones.", "The big man ___ fat cats.")
    found = rows(trained, path, nbest=2)
    assert [row[:2] for row in found] == [[1, 1], [1, 2], [2, 1]] and {len(row) for row in found} == {6}
    assert found[2][2] == "feeds" and found[2][3] > found[2][5]
    assert trained.result_columns(PredictionOptions(nbest=1)) == ["line", "gap", "word_1", "probability_1"]
    with pytest.raises(OptionError, match="probabilities: has no effect on missing words"):
        trained.result_columns(PredictionOptions(probabilities=True))
    shown = {word for row in rows(trained, path, nbest=100) for word in row[2::2]}
    assert len(shown) == len(trained.vocabulary) - 3


def test_the_probabilities_of_several_models_are_averaged(trained):
    other = copy.deepcopy(trained)
    other.reader.set_values({name: 2 * value for name, value in other.reader.get_values().items()})
    texts = ["The ___ dog ___.", "The big man ___ fat cats."]
    expected = (trained.probabilities(texts) + other.probabilities(texts)) / 2
    np.testing.assert_allclose(trained.averaged_with([other]).probabilities(texts), expected)


def test_candidates_are_ranked_with_probabilities_that_sum_to_1(trained, tmp_path):
    ((_, _, *found),) = rows(trained, write(tmp_path / "t.txt", "The big man ___ fat cats.\tBones\tfeeds\teats"))
    assert found[0] == "feeds" and set(found[::2]) == {"Bones", "feeds", "eats"}
    assert sum(found[1::2]) == pytest.approx(1) and found[1::2] == sorted(found[1::2], reverse=True)
    (ranked,) = trained.rank("The big man ___ fat cats.", ["eats", "feeds"])
    all_words = trained.probabilities(["The big man ___ fat cats."])[0]
    eats, feeds = (all_words[trained.vocabulary.find(word)] for word in ("eats", "feeds"))
    assert dict(ranked)["eats"] == pytest.approx(eats / (eats + feeds), rel=1e-4)


def test_candidates_outside_the_vocabulary_come_last_with_probability_0(trained):
    (ranked,) = trained.rank("The big man ___ fat cats.", ["zebra", "eats", "the dog", "feeds"])
    assert [word for word, _ in ranked] == ["feeds", "eats", "zebra", "the dog"]
    assert sum(value for _, value in ranked) == pytest.approx(1) and ranked[2][1] == ranked[3][1] == 0
    assert trained.rank("The ___.", ["zebra", "ibex"]) == [[("zebra", 0.0), ("ibex", 0.0)]]


def test_an_evaluation_counts_right_words(trained, tmp_path):
    path = write(
        tmp_path / "t.txt", "The big man ___ fat cats.\tfeeds\teats", "The big dog ___ fat cats.\teats\tchases"
    )
    figures = trained.evaluate([path]).figures()
    assert (figures["accuracy"], figures["chance"], figures["unknown"]) == (0.5, 0.5, 0)
    standard_input = io.BytesIO(b"The big man ___ fat cats.\tfeeds\nThe ___.\tzebra\n")
    report = trained.evaluate([], None, standard_input)
    assert [answer.rank for answer in report.answers] == [0, None]
    assert report.figures()["accuracy"] == 0.5 and "chance" not in report.figures()
    assert "1 right word is not in the vocabulary and counts as wrong" in report.lines()


def test_the_report_of_unknown_words_only_has_no_perplexity(tmp_path):
    report = MissingWordReport([Answer(None, 2, float("nan"))] * 2)
    assert "perplexity" not in report.figures()
    assert report.lines()[-1] == "2 right words are not in the vocabulary and count as wrong"
    with pytest.raises(OptionError, match="plot: shows a confusion matrix, which missing words do not have"):
        report.draw(tmp_path / "p.png")


# Files and runs


@pytest.mark.slow
@pytest.mark.parametrize(
    "copied",
    [lambda model, path: pickle.loads(pickle.dumps(model)), lambda model, path: (model.save(path), load(path))[1]],
)
def test_a_copy_predicts_the_same(trained, tmp_path, copied):
    other = copied(trained, tmp_path / "copy.npz")
    assert type(other) is MissingWords and other.training == trained.training
    texts = ["The ___ dog.", "___ cats"]
    np.testing.assert_array_equal(other.probabilities(texts), trained.probabilities(texts))


def test_an_interrupted_run_continues_bit_for_bit(trained, folder, text, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    with pytest.raises(TrainingInterrupted):
        train(text, model=tmp_path / "m.npz", reporter=Interrupter(1, 2, signal.SIGTERM), **SETTINGS)
    train(None, model=tmp_path / "m.npz", resume=True)
    assert_same_run_of_a_task(tmp_path / "m.npz", folder / "unbroken.npz")


@pytest.mark.slow
def test_embeddings_and_forward_layers_start_from_a_language_model(text, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    network = {"cell": "gru", "hidden_dim": 4, "embedding_dim": 5}
    lm = train(text, model=tmp_path / "lm.npz", epochs=1, sample_every=0, **network)
    settings = {"task": "fill", "init_from": tmp_path / "lm.npz", "batch_size": 8, "learning_rate": 1e-12, "epochs": 2}
    model = train(text, model=tmp_path / "whole.npz", **settings)
    ours, theirs = model.reader.get_values(), lm.rnn.get_values()
    for name in ("U", "W", "b", "r"):
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-6, err_msg=name)
    np.testing.assert_allclose(ours["V"], theirs["E"], atol=1e-6)
    separate = train(text, model=tmp_path / "separate.npz", tied=False, **settings).reader.get_values()
    np.testing.assert_allclose(separate["E"], theirs["E"], atol=1e-6)
    assert np.abs(separate["V"][:, :5] - theirs["E"]).max() > 1e-3
    with pytest.raises(TrainingInterrupted):
        train(text, model=tmp_path / "m.npz", reporter=Interrupter(1, 2), **settings)
    (tmp_path / "lm.npz").unlink()
    train(None, model=tmp_path / "m.npz", resume=True)
    assert_same_run_of_a_task(tmp_path / "m.npz", tmp_path / "whole.npz")


def test_the_output_weights_are_the_embeddings(trained, folder):
    values = trained.reader.get_values()
    assert "E" not in values and values["P"].shape == (8, 16) and values["V"].shape == (len(trained.labels), 8)
    line = ["the old dog ___ white bones ."]
    np.testing.assert_array_equal(load(folder / "unbroken.npz").probabilities(line), trained.probabilities(line))


@pytest.mark.slow
def test_output_weights_and_embeddings_may_be_learned_apart(text, trained, tmp_path):
    model = train(text, model=tmp_path / "m.npz", tied=False, **SETTINGS)
    values = model.reader.get_values()
    assert "P" not in values and values["E"].shape == (len(model.labels), 8) and values["V"].shape[1] == 16
    losses = [one.training["history"][-1]["valid_loss"] for one in (model, trained)]
    assert losses[0] < 1.5 * losses[1]
    line = ["the old dog ___ white bones ."]
    np.testing.assert_array_equal(load(tmp_path / "m.npz").probabilities(line), model.probabilities(line))
    with pytest.raises(OptionError, match="tied: the interrupted run has False, got True"):
        train(None, model=tmp_path / "m.npz", resume=True, tied=True)
    again = train(None, model=tmp_path / "m.npz", resume=True, tied=False, epochs=21)
    assert not again.reader.settings.tied and len(again.training["history"]) == 21


def test_only_networks_for_missing_words_are_tied_by_default():
    assert TrainingOptions.from_settings({"task": "fill"}).tied
    assert not TrainingOptions.from_settings({"task": "fill", "tied": False}).tied
    assert not TrainingOptions.from_settings({}).tied
    # Runs of versions without tied weights do not mention them. They are resumed with the defaults of TrainingOptions.
    assert not TrainingOptions(task="fill", embedding_dim=5).tied


@pytest.mark.slow
def test_both_sides_predict_a_word_of_the_sample_better_than_a_language_model_does(tmp_path):
    comments = Path(__file__).resolve().parents[2] / "data" / "comments.csv"
    header, *cells = comments.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "train.csv").write_text("".join([header, *cells[:3000]]), "utf-8")
    (tmp_path / "valid.csv").write_text("".join([header, *cells[-300:]]), "utf-8")
    settings = {
        "cell": "lstm", "hidden_dim": 48, "embedding_dim": 48, "bias": True, "learning_rate": 0.006, "epochs": 2,
        "valid": tmp_path / "valid.csv",
    }  # fmt: skip
    lm = train(tmp_path / "train.csv", model=tmp_path / "lm.npz", sample_every=0, **settings)
    model = train(tmp_path / "train.csv", model=tmp_path / "m.npz", task="fill", **settings)
    (reader,) = open_inputs([str(tmp_path / "valid.csv")])
    sentences = [one for text in lm.scored_sentences(reader.lines(), split=True) for one in text]
    of_lm = np.exp(-np.concatenate([one.values[:-1] for one in sentences]).mean())  # without the end of each sentence
    assert min(record["perplexity"] for record in model.training["history"]) < 0.8 * of_lm


@pytest.mark.slow
def test_one_direction_and_no_held_out_text_suffice(text, tmp_path):
    settings = {**SETTINGS, "bidirectional": False, "valid_fraction": 0.0, "word_dropout": 0.0, "epochs": 1}
    model = train(text, model=tmp_path / "m.npz", vocabulary_size=8, **settings)
    one, other = model.probabilities(["The dog ___ cats.", "The dog ___ the bones."])
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_output_biases_start_from_the_frequencies_of_words(text):
    options = TrainingOptions.from_settings({**SETTINGS, "valid_fraction": 0.0})
    task = MissingWords.training_task([str(text)], options, lambda line: None)
    c, vocabulary = task.network.get_values()["c"], task.model(task.network.get_values(), []).vocabulary
    assert np.exp(c).sum() == pytest.approx(1, abs=1e-5)
    assert c[vocabulary.find("the")] - c[vocabulary.find("feeds")] == pytest.approx(np.log(4), abs=1e-5)
    assert c[vocabulary.end] == pytest.approx(c.min())


def test_noise_replaces_words_but_no_markers():
    ids = np.array([[0, 3, 4, 1]], np.int32)
    corpus = SimpleNamespace(seen_once=np.arange(5) == 4, vocabulary=SimpleNamespace(unknown=2))
    noise, generator = gap_noise(0.0, corpus), np.random.default_rng(0)
    found = {tuple(noise(ids, generator)[0]) for _ in range(50)}
    assert found == {(0, 3, 4, 1), (0, 3, 2, 1)}
    corpus.seen_once = None
    assert gap_noise(0.0, corpus) is None
    assert {tuple(gap_noise(0.999, corpus)(ids, generator)[0]) for _ in range(9)} == {(0, 2, 2, 1)}


# Wrong use


@pytest.mark.parametrize(
    "line, message",
    [
        ("No gap.", "t.txt, line 2: there is no gap; write ___ for the missing word"),
        ("A short __ one.", "t.txt, line 2: there is no gap"),
        ("", "t.txt, line 2: the text is empty"),
        ("The ___.\t", "t.txt, line 2: expected a word after each tab, got ''"),
    ],
)
def test_lines_that_cannot_be_filled_are_rejected(trained, tmp_path, line, message):
    with pytest.raises(CorpusError, match=message):
        rows(trained, write(tmp_path / "t.txt", "The ___.", line))


@pytest.mark.parametrize(
    "lines, message",
    [
        ([], "there are no texts to evaluate"),
        (["The ___."], "t.txt, line 1: there is no right word; expected it after a tab"),
        (["The ___ ___.\tdog"], "t.txt, line 1: there are several gaps; an evaluation needs exactly one"),
    ],
)
def test_lines_that_cannot_be_evaluated_are_rejected(trained, tmp_path, lines, message):
    with pytest.raises(CorpusError, match=message):
        trained.evaluate([write(tmp_path / "t.txt", *lines)])


def test_wrong_arguments_are_rejected(trained):
    for texts in ("one ___ text", [1]):
        with pytest.raises(ArgumentTypeError, match="texts: expected a sequence of str, got "):
            trained.probabilities(texts)
    with pytest.raises(ArgumentValueError, match="texts: expected a gap ___ in each, got 'No gap.'"):
        trained.predict(["No gap."])
    with pytest.raises(ArgumentValueError, match="labels: expected the words of the vocabulary"):
        MissingWords(trained.reader, trained.labels[::-1], trained.vocabulary, trained.tokenizer)


@pytest.mark.parametrize("name, value", [("pooling", "max"), ("criterion", "loss"), ("continuous", True)])
def test_options_without_effect_are_rejected(text, tmp_path, name, value):
    with pytest.raises(OptionError, match=f"{name}: has no effect with `task=fill`; leave it out"):
        train(text, model=tmp_path / "m.npz", task="fill", **{name: value})


def test_an_empty_text_is_rejected(tmp_path):
    with pytest.raises(CorpusError, match=r"t\.txt"):
        train(write(tmp_path / "t.txt", ""), model=tmp_path / "m.npz", **SETTINGS)
