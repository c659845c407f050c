"""predict.py as a user runs it, with a model that fills gaps: rows, evaluation, and wrong use in one line."""

import functools
import json

import pytest
from support.script_modules import script

from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.language_models import language_model
from theano_rnn.tasks.missing_words import MissingWords
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

predict = script("predict")
loaded = functools.cache(language_model.load)  # so that its functions are compiled once


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    words = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "cat", "sees"]
    settings = ReaderSettings(
        labels=len(words), embeddings=((len(words), 3),), hidden_dim=2, cell="simple", head="gap", mixed=False
    )
    MissingWords(Reader(settings, seed=1), words, Vocabulary(words), Tokenizer()).save(folder / "m.npz")
    (folder / "lines.txt").write_text("The ___ sees ___.\nThe dog ___ it.\tsees\tcat\n", "utf-8")
    (folder / "answers.txt").write_text("The ___ sees.\tdog\tcat\n", "utf-8")
    return folder


@pytest.fixture
def run(folder, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(language_model, "load", loaded)
        status = predict.main(["--model", "m.npz", *arguments])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err

    return run


def test_each_gap_has_a_row(run):
    status, lines, _ = run("--nbest", "2", "lines.txt")
    fields = [line.split("\t") for line in lines]
    assert status == 0 and [row[:2] for row in fields] == [["1", "1"], ["1", "2"], ["2", "1"]]
    assert {fields[2][2], fields[2][4]} == {"sees", "cat"}
    assert float(fields[2][3]) + float(fields[2][5]) == pytest.approx(1, abs=1e-5)
    _, lines, _ = run("--format", "json", "lines.txt")
    assert len(json.loads(lines[0])) == 10


def test_an_evaluation_shows_figures(run):
    status, lines, _ = run("--evaluate", "answers.txt")
    assert status == 0 and lines[0].startswith("accuracy ") and lines[0].endswith(", by chance 50.00 %")
    _, lines, _ = run("--evaluate", "--format", "json", "answers.txt")
    assert json.loads(lines[0])["number"] == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--nbest", "0", "lines.txt"], "--nbest: expected an integer of at least 1, got 0"),
        (["--evaluate", "--nbest", "2", "lines.txt"], "--nbest: has no effect with --evaluate"),
        (["--probabilities", "lines.txt"], "--probabilities: has no effect on missing words"),
        (["--evaluate", "lines.txt"], "lines.txt, line 1: there is no right word; expected it after a tab"),
        (["answers.txt", "m.npz"], "m.npz"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(run, arguments, message):
    status, _, err = run(*arguments)
    assert status == 2 and message in err and len(err.strip().splitlines()) == 1
