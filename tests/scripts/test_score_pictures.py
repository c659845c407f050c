"""The page and the picture that score.py writes in addition to its results."""

import importlib.util
import io
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.script_modules import SCRIPTS, script

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

TEXT = 'The dog  sees "the cat".\n\nThe <b>猫</b> sees.\n'

score = script("score")


@pytest.fixture(scope="module")
def lm():
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "cat", "sees", "."])
    rnn = RNN(len(vocabulary), 5, seed=3)
    rnn.set_values({name: 2 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer())


@pytest.fixture
def folder(lm, tmp_path, monkeypatch):
    """A folder with a text and a model, where the scripts run. The model is not compiled again."""
    lm.save(tmp_path / "rnn.npz")
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(LanguageModel, "load", lambda path: lm if Path(path).exists() else load(path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status(*arguments):
    return score.main(["--model", "rnn.npz", *arguments])


@pytest.mark.parametrize("output", [[], pytest.param(["--words"], marks=pytest.mark.slow), ["--summary"]], ids=str)
def test_page_and_picture_are_written_with_any_output(folder, output, capsys, lm):
    assert status("a.txt", *output) == 0
    alone = capsys.readouterr()
    assert status("a.txt", "--html", "a.html", "--plot", "a.png", *output) == 0
    assert capsys.readouterr() == alone
    page = (folder / "a.html").read_text(encoding="utf-8")
    found = [float(bits) for bits in re.findall(r'title="([0-9.]+) bits', page)]
    scores = [score for scores in lm.word_scores(TEXT.splitlines()) for score in scores]
    assert found == pytest.approx([-value / math.log(2) for _, value, _ in scores], abs=0.0051)
    assert page.count(", unknown") == sum(not known for *_, known in scores)
    assert f"{lm.perplexity(TEXT.splitlines()):.2f} per token" in page
    assert "<td>a.txt</td>" in page and "<td>rnn.npz</td>" in page
    assert (folder / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_standard_input_can_be_shown_on_a_page(folder, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"the dog\n")))
    assert status("--html", "a.html", "--summary") == 0
    assert "<td>standard input</td>" in (folder / "a.html").read_text()


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--html", "a.txt"], "a.txt: is one of the files that are read"),
        (["--html", "rnn.npz"], "rnn.npz: is one of the files that are read"),
        (["--html", "mix.txt", "--mix", "mix.txt"], "mix.txt: is one of the files that are read"),
        (["--html", "none/a.html"], "none/a.html: its folder does not exist"),
        (["--plot", "a.pdf"], "a.pdf: pictures are PNG files; choose a name that ends in .png"),
        (["--plot", "none/a.png"], "none/a.png: its folder does not exist"),
        (["--html", "x.png", "--plot", "./x.png"], "--html and --plot name the same file; name two"),
    ],
)
def test_impossible_output_paths_are_rejected_before_the_model_is_loaded(folder, monkeypatch, capsys, arguments, part):
    monkeypatch.setattr(LanguageModel, "load", lambda path: pytest.fail("the model was loaded"))
    assert status("a.txt", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and part in err and len(err.splitlines()) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "rnn.npz"]


def test_the_page_shows_mixed_probabilities(folder):
    (folder / "one.txt").write_text("the dog\n")
    (folder / "mix.txt").write_text("-1 -inf -2\n")
    assert status("one.txt", "--mix", "mix.txt", "--lambda", "0", "--html", "a.html", "--plot", "a.png") == 0
    page = (folder / "a.html").read_text(encoding="utf-8")
    assert re.findall(r'title="(.*?) bits', page) == [f"{math.log2(10):.2f}", "inf", f"{2 * math.log2(10):.2f}"]
    assert "inf per token" in page and "<td>rnn.npz, mixed with mix.txt</td>" in page


def test_the_page_shows_the_texts_of_an_n_best_list(folder):
    (folder / "list.txt").write_text("1\tthe dog\n1\tthe cat\n")
    assert status("list.txt", "--nbest", "--html", "a.html") == 0
    page = (folder / "a.html").read_text(encoding="utf-8")
    assert [re.sub("<.*?>", "", text) for text in re.findall('<p dir="auto">(.*)</p>', page)] == ["the dog", "the cat"]


def test_a_missing_matplotlib_is_reported_before_the_model_is_loaded(folder, monkeypatch, capsys):
    monkeypatch.setattr(LanguageModel, "load", lambda path: pytest.fail("the model was loaded"))
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    assert status("a.txt", "--plot", "a.png") == 2
    assert 'run pip install ".[plot]"' in capsys.readouterr().err


@pytest.mark.parametrize("text", [b"", b"the dog\n\xff\n"], ids=["empty", "not UTF-8"])
def test_a_text_that_cannot_be_scored_keeps_the_old_files(folder, text, capsys):
    (folder / "bad.txt").write_bytes(text)
    (folder / "a.html").write_text("old")
    assert status("bad.txt", "--html", "a.html", "--plot", "a.png") == 2
    assert (folder / "a.html").read_text() == "old"
    assert sorted(path.name for path in folder.iterdir()) == ["a.html", "a.txt", "bad.txt", "rnn.npz"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_signal_while_scoring_leaves_no_incomplete_page(folder):
    command = [sys.executable, SCRIPTS / "score.py", "--model", "rnn.npz", "--html", "a.html", "--plot", "a.png"]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS.parent)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        process.stdin.write(b"the dog sees\n" * 5000)  # one batch and the beginning of another
        process.stdin.flush()
        assert process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "rnn.npz"]
