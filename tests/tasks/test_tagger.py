"""Training a tagger, its file, what it predicts, and words that it has never seen: by the same loop as all tasks."""

import io
import itertools
import pickle

import numpy as np
import pytest
from support.training_runs import Interrupter, assert_same_run_of_a_task, run_state

from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    CorpusError,
    ModelFileError,
    OptionError,
    TrainingInterrupted,
)
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.language_models.language_model import load
from theano_rnn.tasks import tagger as tagger_module
from theano_rnn.tasks.classifier import Classifier
from theano_rnn.tasks.spelling import SPELLING, spelling_of
from theano_rnn.tasks.tagger import Tagger, dropout_of_words
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training import timing
from theano_rnn.training.train_model import train

# The ending tells the tags of nouns and verbs.
SENTENCES = [
    [("The", "DET"), (noun, "NOUN"), ("is", "AUX"), (verb, "VERB"), (".", "PUNCT")]
    for noun, verb in itertools.product(
        ("glimmer", "storver", "dorner", "banker", "runner"), ("barking", "losing", "mending", "asking", "going")
    )
] + [[("No", "INTJ")], [("No", "INTJ"), ("!", "PUNCT")]] * 3
SETTINGS = {
    "task": "tag", "cell": "simple", "hidden_dim": 5, "embedding_dim": 4, "batch_size": 8, "seed": 3, "dropout": 0.1,
    "learning_rate": 0.1, "valid_fraction": 0.2, "epochs": 5,
}  # fmt: skip
TAGS = ["AUX", "DET", "INTJ", "NOUN", "PUNCT", "VERB"]


def write_tags(path, sentences=SENTENCES):
    path.write_text("".join("".join(f"{token}\t{tag}\n" for token, tag in one) + "\n" for one in sentences), "utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tagger")


@pytest.fixture(scope="module")
def file(folder):
    return write_tags(folder / "tags.tsv")


@pytest.fixture(scope="module")
def trained(folder, file):
    return train(file, model=folder / "unbroken.npz", log=folder / "log.jsonl", **SETTINGS)


def rows_of(tagger, text, options=PredictionOptions(all_columns=True)):  # noqa: B008
    (reader,) = tagger.open_inputs([], io.BytesIO(text.encode()))
    return [list(row) for row in tagger.results(reader, options)]


def test_training_returns_the_saved_tagger_which_has_learned(trained, folder):
    assert isinstance(trained, Tagger) and trained.labels == TAGS
    assert trained.predict([["The", "banker", "is", "going", "."], ["No"]]) == [
        ["DET", "NOUN", "AUX", "VERB", "PUNCT"], ["INTJ"],
    ]  # fmt: skip
    history = trained.training["history"]
    assert [record["epoch"] for record in history] == [1, 2, 3, 4, 5]
    assert all(record["error"] == 1 - record["accuracy"] for record in history)
    assert len((folder / "log.jsonl").read_text().splitlines()) == 5


def test_averaged_taggers_give_the_mean_of_their_probabilities(trained):
    other = Tagger(
        Reader(trained.reader.settings, seed=9),
        *(trained.labels, trained.vocabulary, trained.tokenizer),
        spelling=trained.spelling,
    )
    sentences = [["The", "banker", "is", "going"], ["No"]]
    both = trained.averaged_with([other]).probabilities(sentences)
    for mean, one, two in zip(both, trained.probabilities(sentences), other.probabilities(sentences), strict=True):
        np.testing.assert_allclose(mean, (one + two) / 2)


def test_words_that_it_has_never_seen_get_the_tags_of_their_spelling(trained):
    unseen = [["The", "wander", "is", "quarding", "."], ["quarding"], ["wander"]]
    assert not {"wander", "quarding"} & set(trained.vocabulary.index_to_word)
    assert trained.predict(unseen)[0] == ["DET", "NOUN", "AUX", "VERB", "PUNCT"]
    ids = trained.encode(unseen).ids
    assert ids[1][0, 0] == ids[2][0, 0] == trained.vocabulary.unknown
    assert not np.array_equal(ids[1], ids[2])


def test_probabilities_sum_to_1_also_without_tokens(trained):
    found = trained.probabilities([["The", "dog"], [], ["é\u4e2d\U0001f600", "", " "]])
    assert [rows.shape for rows in found] == [(2, 6), (0, 6), (3, 6)]
    for rows in found:
        np.testing.assert_allclose(rows.sum(axis=1), 1)
    assert trained.probabilities([]) == []


def test_a_sentence_has_the_same_probabilities_alone_and_among_others(trained):
    sentences = [[token for token, _ in one] for one in SENTENCES] + [["The", "banker"] * 9]
    together = trained.probabilities(sentences)
    for sentence, rows in list(zip(sentences, together, strict=True))[::9]:
        np.testing.assert_allclose(trained.probabilities([sentence])[0], rows, atol=1e-6)


def test_a_long_sentence_is_read_in_parts(trained, monkeypatch):
    monkeypatch.setattr(tagger_module, "LONGEST_PART", 4)
    tokens = ["The", "banker", "is", "going", ".", "No", "!", "The", "runner"]
    (found,) = trained.probabilities([tokens])
    np.testing.assert_allclose(found, np.concatenate(trained.probabilities([tokens[:4], tokens[4:8], tokens[8:]])))


@pytest.mark.parametrize(
    "copy",
    [lambda model, path: pickle.loads(pickle.dumps(model)), lambda model, path: (model.save(path), load(path))[1]],
)
def test_a_copy_predicts_the_same(trained, tmp_path, copy):
    other = copy(trained, tmp_path / "copy.npz")
    assert type(other) is Tagger and other.labels == trained.labels and other.training == trained.training
    sentences = [["The", "wander", "is", "quarding", "."]]
    np.testing.assert_array_equal(other.probabilities(sentences)[0], trained.probabilities(sentences)[0])
    assert list(other.spelling) == list(trained.spelling) == list(SPELLING)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [(0, 2), (2, 1)])
def test_an_interrupted_run_continues_bit_for_bit(trained, folder, file, tmp_path, monkeypatch, moment):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    with pytest.raises(TrainingInterrupted):
        train(file, model=tmp_path / "m.npz", reporter=Interrupter(*moment), **SETTINGS)
    _, document = run_state(tmp_path / "m.npz")
    assert (document["state"]["epoch"], document["state"]["step"]) == moment
    train(None, model=tmp_path / "m.npz", resume=True)
    assert_same_run_of_a_task(tmp_path / "m.npz", folder / "unbroken.npz")


@pytest.mark.slow
def test_a_run_is_not_resumed_with_other_tags(file, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    with pytest.raises(TrainingInterrupted):
        train(file, model=tmp_path / "m.npz", reporter=Interrupter(0, 2), **SETTINGS)
    other = write_tags(tmp_path / "other.tsv", [[("No", "DET")], *SENTENCES[1:]])
    with pytest.raises(OptionError, match="data: the text, or how .*, has changed since the interrupted run"):
        train(other, model=tmp_path / "m.npz", resume=True)


def test_a_given_file_is_held_out_and_evaluated_as_predict_does(file, tmp_path):
    held_out = write_tags(tmp_path / "valid.tsv", [*SENTENCES[:4], [("Zebras", "NOUN")]])
    model = train(file, model=tmp_path / "m.npz", valid=held_out, **{**SETTINGS, "epochs": 1})
    report = model.evaluate([held_out])
    (record,) = model.training["history"]
    assert record["accuracy"] == report.accuracy and record["valid_loss"] == pytest.approx(report.loss, rel=1e-4)
    assert report.unknown_words[1] == 1 and report.entities is None
    assert report.confusion.sum() == 21


@pytest.mark.slow
def test_capitals_are_kept_on_request(file, tmp_path):
    settings = {**SETTINGS, "epochs": 1, "valid_fraction": 0.0, "word_dropout": 0.0, "keep_case": True}
    model = train(file, model=tmp_path / "m.npz", **settings)
    assert "The" in model.vocabulary and "the" not in model.vocabulary
    assert not load(tmp_path / "m.npz").lowercase


@pytest.mark.slow
def test_entities_are_evaluated_if_the_tags_are_bio(tmp_path):
    names = [[("Mr.", "B-PER"), (name, "I-PER"), ("left", "O")] for name in ("Fox", "Hill", "Stone", "Brook")] * 3
    path = write_tags(tmp_path / "t.tsv", names)
    model = train(path, model=tmp_path / "m.npz", **{**SETTINGS, "epochs": 8, "valid_fraction": 0.0})
    assert model.evaluate([path]).of_entities()[-1] == ("all", 1.0, 1.0, 1.0, 12)


@pytest.mark.slow  # the code is that of labels, which tests/tasks/test_classifier.py tries
def test_word_vectors_start_from_a_language_model_and_the_run_is_resumed_without_it(
    file, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    text, start = tmp_path / "text.txt", tmp_path / "lm.npz"
    text.write_text("The banker is going.\nThe runner is losing.\n" * 5, "utf-8")
    lm = train(text, model=start, cell="lstm", hidden_dim=5, embedding_dim=4, epochs=1, sample_every=0)
    settings = {name: SETTINGS[name] for name in ("task", "batch_size", "seed", "valid_fraction")} | {"epochs": 2}
    tiny = {**settings, "learning_rate": 1e-12, "epochs": 1}
    model = train(file, model=tmp_path / "tiny.npz", init_from=start, **tiny)
    assert model.vocabulary.index_to_word == lm.vocabulary.index_to_word and not model.tokenizer.lowercase
    np.testing.assert_allclose(model.reader.get_values()["E"], lm.rnn.get_values()["E"], atol=1e-6)
    train(file, model=tmp_path / "whole.npz", init_from=start, **settings)
    with pytest.raises(TrainingInterrupted):
        train(file, model=tmp_path / "m.npz", init_from=start, reporter=Interrupter(1, 2), **settings)
    start.unlink()
    train(None, model=tmp_path / "m.npz", resume=True)
    assert_same_run_of_a_task(tmp_path / "m.npz", tmp_path / "whole.npz")


# What predict.py shows


def test_columns_are_kept_and_the_tag_is_the_last(trained):
    rows = rows_of(trained, "The\tx\tD\nbanker\ty\tN\n\nNo\tz\tI\n")
    assert rows == [["The", "x", "D", "DET"], ["banker", "y", "N", "NOUN"], [], ["No", "z", "I", "INTJ"], []]
    assert rows_of(trained, "No\tz\n", PredictionOptions()) == [["No", "INTJ"], []]


def test_probabilities_replace_the_tag(trained):
    options = PredictionOptions(probabilities=True)
    assert trained.result_columns(options) == ["token", *TAGS]
    token, *values = rows_of(trained, "No\tz\n", options)[0]
    assert token == "No"
    np.testing.assert_allclose(values, trained.probabilities([["No"]])[0][0], atol=1e-6)


def test_plain_text_and_lines_of_one_token_give_the_same_tags(trained):
    text, tokens = "The banker is going. No!", "The\nbanker\nis\ngoing\n.\n\nNo\n!\n"
    assert rows_of(trained, text) == rows_of(trained, tokens)
    assert rows_of(trained, tokens)[:2] == [["The", "DET"], ["banker", "NOUN"]]
    assert rows_of(trained, "") == []


def test_straight_quotes_of_plain_text_stay_straight_if_the_tagger_knows_them():
    def tokens(known, tokenized=False):
        vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", known])
        reader = Reader(ReaderSettings(labels=2, embeddings=[(4, 2)], hidden_dim=2, head="steps"), seed=1)
        return Tagger(reader, ["A", "B"], vocabulary, Tokenizer(lowercase=False, tokenized=tokenized)).tokens('"No"')

    assert tokens('"') == [['"', "No", '"']]
    assert tokens("``") == [["``", "No", "''"]]
    assert tokens('"', tokenized=True) == [['"No"']]


@pytest.mark.parametrize(
    "options, message",
    [
        (PredictionOptions(nbest=3), "nbest: has no effect on tags; use `probabilities`"),
        (PredictionOptions(page=True), "html: has no effect with a model for the task 'tag'; leave it out"),
    ],
)
def test_options_without_effect_are_rejected(trained, options, message):
    with pytest.raises(OptionError, match=message):
        trained.result_columns(options)


def test_a_column_cannot_be_chosen_and_there_is_no_page(trained, file):
    message = "column: has no effect on tags; the first column is the token, the last the tag"
    for use in (lambda: trained.evaluate([file], "text"), lambda: trained.open_inputs([file], column="text")):
        with pytest.raises(OptionError, match=message):
            use()
    with pytest.raises(OptionError, match="html: has no effect"):
        trained.write_page("page.html", [], {})


# Spelling


def test_features_are_those_that_occur_twice_or_all():
    spelling = spelling_of(["Walking", "talking", "Dog"])
    assert spelling["ending 3"].index_to_word[3:] == ["ing"] and spelling["shape"].index_to_word[3:] == ["Xx"]
    assert spelling["beginning 3"].index_to_word[3:] == ["dog", "tal", "wal"]


@pytest.mark.parametrize(
    "name, token, expected",
    [
        ("shape", "McDonald's", "XxXx'x"),
        ("shape", "", ""),
        ("shape", "a-1" * 20, "x-0x-0x-0x"),
        ("ending 2", "Cats", "ts"),
        ("ending 4", "cats", "cats"),
        ("ending 4", "cat", "^cat"),
        ("ending 3", "1999", "000"),
        ("beginning 3", "To", "to$"),
    ],
)
def test_spelling(name, token, expected):
    assert SPELLING[name](token) == expected


def test_dropout_of_words_keeps_their_spelling(trained):
    items = trained.encode([["The", "banker", "is", "going", "."]])
    assert dropout_of_words(0.0, items, trained.vocabulary) is None
    noise = dropout_of_words(1e9, items, trained.vocabulary)
    found = noise(items.ids[0], np.random.default_rng(0))
    assert (found[0] == trained.vocabulary.unknown).all()
    np.testing.assert_array_equal(found[1:], items.ids[0][1:])


# Wrong use


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "t.tsv: holds no sentence"),
        ("The\ndog\n", "t.tsv, line 1: expected a token, a tab and its tag, got 'The'"),
        ("The\tDET\ndog\n", "t.tsv, line 2: expected a token, a tab and its tag, got 'dog'"),
        ("\nThe\tDET\na\tDET\n", "at least two tags to learn; found only 'DET' from .*t.tsv, line 2 on"),
    ],
)
def test_files_that_cannot_be_learned_are_rejected(tmp_path, text, message):
    (tmp_path / "t.tsv").write_text(text, "utf-8")
    with pytest.raises(CorpusError, match=message):
        train(tmp_path / "t.tsv", model=tmp_path / "m.npz", **SETTINGS)
    assert not (tmp_path / "m.npz").exists()


def test_an_unknown_tag_is_rejected_with_its_line(trained, file, tmp_path):
    other = write_tags(tmp_path / "valid.tsv", [SENTENCES[0], [("No", "INTJ"), ("way", "ADV")]])
    message = "valid.tsv, line 8: the tag 'ADV' does not occur in training; its tags are 'AUX', 'DET'"
    with pytest.raises(CorpusError, match=message):
        trained.evaluate([other])
    with pytest.raises(CorpusError, match=message):
        train(file, model=tmp_path / "m.npz", valid=other, **SETTINGS)


@pytest.mark.parametrize("name, value", [("pooling", "mean"), ("tied", True), ("level", "char"), ("column", "text")])
def test_options_that_do_not_suit_the_task_are_rejected(file, tmp_path, name, value):
    with pytest.raises(OptionError, match=f"{name}: has no effect with `task=tag`; leave it out"):
        train(file, model=tmp_path / "m.npz", task="tag", **{name: value})


@pytest.mark.parametrize("sentences", ["one text", None, ["one text"], [None], [["a", 1]], [[["a"]]]])
def test_what_is_no_sequence_of_sentences_is_rejected(trained, sentences):
    with pytest.raises(ArgumentTypeError, match="sentences: expected a sequence of sequences of str, got "):
        trained.predict(sentences)


def test_a_tagger_is_not_taken_for_a_classifier(folder, trained):
    message = "unbroken.npz: is a model for the task 'tag', not 'classify'; use theano_rnn.load"
    with pytest.raises(ModelFileError, match=message):
        Classifier.load(folder / "unbroken.npz")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.pop("spelling"), "damaged or inconsistent: 'spelling'"),
        (lambda c: c.update(spelling=[]), "damaged or inconsistent"),
        (lambda c: c["spelling"].pop("shape"), "spelling: expected features of .* values, got"),
        (
            lambda c: c["spelling"].update(wings=c["spelling"]["shape"]),
            r"spelling: expected names in .*, got \['wings'\]",
        ),
        (lambda c: c.update(lowercase="yes"), "lowercase: expected True or False, got 'yes'"),
        (lambda c: c.update(labels=TAGS[1:]), "labels: expected 6, got 5"),
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


def test_a_tagger_needs_the_features_of_its_network(trained):
    with pytest.raises(ArgumentValueError, match="spelling: expected features of .* values, got"):
        Tagger(trained.reader, TAGS, trained.vocabulary, trained.tokenizer)
