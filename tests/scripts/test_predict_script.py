"""predict.py as a user runs it: one line per text, formats, evaluation, pages, and one line for wrong use."""

import csv
import io
import json
import re

import numpy as np
import pytest
from support.script_modules import script

import theano_rnn
from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.tasks.classifier import Classifier
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

predict, train = script("predict"), script("train")
TEXTS = ["A good film.", "", "zebra \t tab", "It was not good, it was bad!"]
VOCABULARY = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "good", "bad", "not", "film", "."])


@pytest.fixture(scope="module")
def classifier():
    reader = Reader(ReaderSettings(labels=3, embeddings=((len(VOCABULARY), 4),), hidden_dim=3, cell="simple"), seed=2)
    return Classifier(reader, ["bad", "fair", "good"], VOCABULARY, Tokenizer(lines=True))


@pytest.fixture
def model(classifier, tmp_path, monkeypatch):
    """The path of a model, which is not compiled again in each test."""
    path = tmp_path / "model.npz"
    classifier.save(path)
    monkeypatch.setattr(Classifier, "from_file", lambda file: classifier)
    return path


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("label\ttext\ngood\tA good film.\nbad\tNot good.\nfair\tA film.\n", encoding="utf-8")
    return path


def run(*arguments):
    try:
        return predict.main([str(argument) for argument in arguments])
    except SystemExit as error:
        return error.code


def out_of(capsys, *arguments):
    assert run(*arguments) == 0
    return capsys.readouterr().out


def test_each_line_gives_one_line_with_label_probability_and_text(model, classifier, texts, capsys):
    lines = [line.split("\t") for line in out_of(capsys, "--model", model, texts).splitlines()]
    assert [line[0] for line in lines] == classifier.predict(TEXTS)
    expected = classifier.probabilities(TEXTS).max(axis=1)
    np.testing.assert_allclose([float(line[1]) for line in lines], expected, atol=1e-6)
    assert [line[2] for line in lines] == [text.replace("\t", " ") for text in TEXTS]


def test_several_models_give_the_mean_of_their_probabilities(classifier, texts, tmp_path, capsys):
    reader = Reader(ReaderSettings(labels=3, embeddings=((6, 4),), hidden_dim=2, cell="simple"), seed=4)
    smaller = Vocabulary(VOCABULARY.index_to_word[:6])
    other = Classifier(reader, classifier.labels, smaller, Tokenizer(lines=True))
    paths = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for model, path in zip((classifier, other), paths, strict=True):
        model.save(path)
    out = out_of(capsys, "--model", paths[0], "--model", paths[1], "--probabilities", texts)
    rows = [[float(value) for value in line.split("\t")[:3]] for line in out.splitlines()]
    expected = (classifier.probabilities(TEXTS) + other.probabilities(TEXTS)) / 2
    np.testing.assert_allclose(rows, expected, atol=1e-6)
    page = tmp_path / "page.html"
    out_of(capsys, "--model", paths[0], "--model", paths[1], "--html", page, texts)
    assert "one.npz" in page.read_text("utf-8") and "two.npz" in page.read_text("utf-8")


def test_models_with_other_labels_are_not_averaged(classifier, texts, tmp_path, capsys):
    other = Classifier(classifier.reader, ["a", "b", "c"], VOCABULARY, Tokenizer(lines=True))
    classifier.save(tmp_path / "one.npz")
    other.save(tmp_path / "two.npz")
    assert run("--model", tmp_path / "one.npz", "--model", tmp_path / "two.npz", texts) == 2
    _, err = capsys.readouterr()
    assert "two.npz: cannot be averaged with" in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("form", ["tsv", "csv", "json"])
def test_probabilities_have_a_column_for_each_label(model, classifier, texts, capsys, form):
    out = out_of(capsys, "--model", model, "--probabilities", "--format", form, texts)
    if form == "json":
        rows = [list(json.loads(line).values()) for line in out.splitlines()]
        assert list(json.loads(out.splitlines()[0])) == ["bad", "fair", "good", "text"]
    elif form == "csv":
        header, *rows = csv.reader(io.StringIO(out))
        assert header == ["bad", "fair", "good", "text"]
    else:
        rows = [line.split("\t") for line in out.splitlines()]
    found = np.array([[float(value) for value in row[:3]] for row in rows])
    np.testing.assert_allclose(found, classifier.probabilities(TEXTS), atol=1e-6)


def test_standard_input_and_columns_of_tables_are_read(model, texts, tmp_path, capsys, monkeypatch):
    expected = out_of(capsys, "--model", model, texts)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(texts.read_bytes())))
    assert out_of(capsys, "--model", model) == expected
    table = tmp_path / "t.csv"
    table.write_text("id,review\n1,A good film.\n", encoding="utf-8")
    assert out_of(capsys, "--model", model, "--column", "review", table) == expected.splitlines()[0] + "\n"


def test_an_evaluation_shows_the_report_as_text_or_json_and_draws_it(model, classifier, table, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    report = classifier.evaluate([table])
    out = out_of(capsys, "--model", model, "--evaluate", "--plot", tmp_path / "c.png", table)
    assert out.splitlines() == report.lines() and out.startswith("accuracy ")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(out_of(capsys, "--model", model, "--evaluate", "--format", "json", table))
    assert found == json.loads(json.dumps(report.figures()))
    assert found["loss"] == pytest.approx(report.loss)


def test_the_page_has_the_influence_of_each_word(model, classifier, texts, tmp_path, capsys):
    out_of(capsys, "--model", model, "--html", tmp_path / "p.html", texts)
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.count('<div class="t">') == len(TEXTS)
    tokens, influences = classifier.influences(TEXTS[0])
    first = re.search(r'<div class="t">.*?</div>', page, re.DOTALL)[0]
    found = re.findall(r'title="([^"]*)">([^<]*)<', first)
    assert found == [
        (f"{value:+.2f}", token) for value, token in zip(influences, ("A", "good", "film", "."), strict=True)
    ]
    without = classifier.probabilities(["A film."])[0]
    whole = classifier.probabilities([TEXTS[0]])[0]
    label = whole.argmax()
    assert influences[tokens.index("good")] == pytest.approx(np.log(whole[label]) - np.log(without[label]), abs=1e-5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--plot", "c.png"], "--plot: shows the result of an evaluation; give --evaluate too"),
        (["--evaluate", "--plot", "c.jpg"], "c.jpg: pictures are PNG files"),
        (["--evaluate", "--probabilities"], "--probabilities: has no effect with --evaluate"),
        (["--evaluate", "--html", "p.html"], "--html: has no effect with --evaluate"),
        (["--evaluate", "--format", "csv"], "--format: an evaluation is shown as text or json"),
        (["--html", "p.html"], "--html: shows the texts of files; name one"),
        (["--html", "MODEL", "TEXTS"], "model.npz: "),
        (["--column", "text", "TEXTS"], "--column: 'text' was given, but no file is a table"),
        (["--evaluate", "TEXTS"], "texts.txt, line 1: there is no column label"),
        (["--model", "none.npz", "TEXTS"], "none.npz: "),
    ],
)
def test_wrong_use_is_one_line(model, texts, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    names = {"MODEL": model, "TEXTS": texts}
    assert run("--model", model, *(names.get(one, one) for one in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err


def test_an_unknown_label_in_an_evaluation_is_one_line(model, tmp_path, capsys):
    table = tmp_path / "t.tsv"
    table.write_text("label\ttext\nterrible\tA film.\n", encoding="utf-8")
    assert run("--model", model, "--evaluate", table) == 2
    assert "t.tsv, line 2: the label 'terrible' does not occur in training; its labels are" in capsys.readouterr().err


def test_models_of_other_tasks_are_rejected_by_each_command(model, tmp_path, capsys):
    lm = tmp_path / "lm.npz"
    LanguageModel(RNN(len(VOCABULARY), 3, seed=1), VOCABULARY, Tokenizer()).save(lm)
    assert run("--model", lm) == 2
    assert (
        "lm.npz: is a language model, which predicts no labels; use score.py or generate.py" in capsys.readouterr().err
    )
    for name in ("score", "generate"):
        assert script(name).main(["--model", str(model)]) == 2
        assert "is a model for the task 'classify', not 'language-model'" in capsys.readouterr().err
    assert script("explain").main(["info", "--model", str(model)]) == 2
    assert "is a model for the task 'classify', not 'language-model'" in capsys.readouterr().err


def test_the_shipped_sample_is_the_default_of_training(monkeypatch):
    given = {}
    monkeypatch.setattr(
        "theano_rnn.training.train_model.train", lambda data, **options: given.update(data=data, **options)
    )
    assert train.main(["--task", "classify", "--no-bidirectional", "--pooling", "mean"]) == 0
    assert [path.replace("\\", "/").endswith("data/reviews.tsv") for path in given["data"]] == [True]
    assert given["task"] == "classify" and given["bidirectional"] is False and given["pooling"] == "mean"


def test_load_returns_the_classifier(model, classifier):
    assert theano_rnn.load(model) is classifier
