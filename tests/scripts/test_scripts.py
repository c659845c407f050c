"""train.py, score.py and generate.py as a user runs them: standard output, standard error and exit statuses."""

import io
import itertools
import json
import math
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.script_modules import SCRIPTS, script

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training import train_model
from theano_rnn.training.options import TrainingOptions

TOY = [
    f"The {a} {b} the {c}."
    for a, b, c in itertools.product(["dog", "cat", "bird"], ["sees", "likes", "eats"], ["dog", "cat", "bird"])
]
SMALL = ["--hidden-dim", "5", "--batch-size", "16", "--seed", "3", "--epochs", "2"]


train, score, generate = (script(name) for name in ("train", "score", "generate"))


def status(module, *arguments):
    """The exit status of a script's main function, also if argparse raises it."""
    try:
        return module.main([str(argument) for argument in arguments])
    except SystemExit as error:
        return error.code


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy.txt"
    path.write_text("\n\n".join(TOY) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def lm():
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "cat", "sees", "."])
    rnn = RNN(len(vocabulary), 5, seed=3)
    rnn.set_values({name: 2 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer())


@pytest.fixture(scope="module")
def model(lm, tmp_path_factory):
    path = tmp_path_factory.mktemp("scripts") / "rnn.npz"
    lm.save(path)
    return path


@pytest.fixture
def loaded(lm, model, monkeypatch):
    """The scripts load the model without compiling it again."""
    monkeypatch.setattr(LanguageModel, "load", lambda path: lm if Path(path) == model else load(path))


def assert_one_line(capsys, *parts):
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1, err
    for part in parts:
        assert part in lines[0]
    return lines[0]


# train.py


def test_training_writes_model_and_log_and_nothing_to_standard_output(toy, tmp_path, capsys):
    path, log = tmp_path / "new" / "rnn.npz", tmp_path / "log.jsonl"
    assert status(train, "--data", toy, "--model", path, "--log", log, *SMALL) == 0
    out, err = capsys.readouterr()
    assert out == ""
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2]
    lines = err.replace("\r", "\n").splitlines()
    assert [list(record.get("baselines", {"values": {}})["values"]) for record in records] == [
        [],
        ["unigram", "Kneser-Ney bigram", "trigram"],
    ]
    for record in records:
        (line,) = [line for line in lines if line.startswith(f"epoch {record['epoch']:>3}  training loss")]
        assert f"held-out loss {record['valid_loss']:.4f}  perplexity {record['perplexity']:.2f}" in line
        sample = lines[lines.index(line) + 1]
        assert sample.startswith(" " * 11) and sample.strip()
    best = min(records, key=lambda record: record["perplexity"])
    assert lines[-5] == (
        f"best perplexity {best['perplexity']:.2f} after epoch {best['epoch']}; the model is in {path}"
    )
    assert "loss " in err and "tokens/s" in err
    assert load(path).rnn.hidden_dim == 5


def test_without_data_the_shipped_corpus_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "comments.csv").write_text("body\nhello\n")
    assert train.default_data("language-model") == [str(Path("data") / "comments.csv")]


def test_without_data_and_without_the_shipped_corpus_the_option_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "__file__", str(tmp_path / "scripts" / "train.py"))
    assert status(train) == 2
    assert_one_line(capsys, "comments.csv: not found here; name your text with --data")


def test_every_training_option_of_the_package_is_a_flag_that_reaches_it(tmp_path, monkeypatch):
    arguments = {
        "level": "char",
        "vocabulary_size": 9,
        "min_count": 2,
        "hidden_dim": 8,
        "bptt_truncate": -1,
        "activation": "relu",
        "epochs": 3,
        "batch_size": 5,
        "sequence_length": 7,
        "optimizer": "sgd",
        "learning_rate": 0.25,
        "rate_decay": 0.125,
        "rate_schedule": "inverse",
        "samples": 9,
        "clip": 0.0,
        "valid": "valid.txt",
        "valid_fraction": 0.5,
        "evaluate_every": 2,
        "save_every": 0.5,
        "seed": 4,
        "device": "cpu",
        "devices": 2,
        "sample_every": 6,
        "patience": 2,
        "init_from": "start.npz",
        "column": "note",
        "cell": "gru",
        "layers": 3,
        "embedding_dim": 8,
        "dropout": 0.25,
        "task": "classify",
        "pooling": "mean",
        "criterion": "loss",
        "word_dropout": 0.5,
        "features": "mfcc",
        "tier": "phones",
        "subwords": 300,
        "target": "b.de",
    }
    flags = ("tutorial", "keep_case", "tokenized", "lines", "tied", "bias", "continuous", "bidirectional", "attention")
    flags = (*flags, "repeat_source", "shared_vocabulary", "resume", "overwrite")
    assert {*arguments, *flags[:11]} == {field.name for field in fields(TrainingOptions)}
    seen = {}

    def fake(data, *, reporter, **settings):
        seen.update(settings, data=data)
        return SimpleNamespace(
            training={
                "history": [{"perplexity": 1.0, "epoch": 1, "train_loss": 0.0, "valid_loss": None}],
                "options": {"tutorial": False},
            }
        )

    monkeypatch.setattr(train_model, "train", fake)
    argv = ["--data", "a.txt", "b.txt", "--model", "m.npz", "--log", "l.jsonl"]
    argv += ["--plot", "p.png", "--max-minutes", "1.5", "--tensorboard", "events"]
    argv += [part for name, value in arguments.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    argv += [f"--{name.replace('_', '-')}" for name in flags]
    assert status(train, *argv) == 0
    expected = {
        **arguments,
        **dict.fromkeys(flags, True),
        "model": "m.npz",
        "log": "l.jsonl",
        "plot": "p.png",
        "tensorboard": "events",
        "max_minutes": 1.5,
        "data": ["a.txt", "b.txt"],
    }
    assert seen == expected
    seen.clear()
    assert status(train, "--data", "a.txt") == 0
    places = dict.fromkeys(["log", "plot", "tensorboard"])
    assert seen == {"data": ["a.txt"], "model": "models/rnn.npz", **places, "resume": False}
    seen.clear()
    assert status(train, "--no-tied", "--no-bias", "--no-bidirectional") == 0
    assert {name: value for name, value in seen.items() if value is False and name != "resume"} == dict.fromkeys(
        ("tied", "bias", "bidirectional"), False
    )
    seen.clear()
    assert status(train, "--resume") == 0
    assert seen["data"] is None and seen["resume"] is True


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--hidden-dim", "0"], "--hidden-dim: expected at least 1, got 0"),
        (["--learning-rate", "-1"], "--learning-rate: expected a number above 0"),
        (["--tutorial", "--optimizer", "adam"], "--optimizer: --tutorial trains with sgd, got 'adam'"),
        (["--level", "foo"], "argument --level: invalid choice: 'foo'"),
        (["--epochs", "x"], "argument --epochs: invalid int value: 'x'"),
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["--level", "char", "--lines"], "--lines: has no effect at character level; leave it out"),
        (["--resume"], "no such file; there is no run to resume. Leave --resume out to start one"),
    ],
)
def test_wrong_settings_for_training_are_one_line_and_status_2(toy, tmp_path, capsys, arguments, part):
    assert status(train, "--data", toy, "--model", tmp_path / "m.npz", *arguments) == 2
    assert_one_line(capsys, "train.py: ", part)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy.txt"]


def test_a_missing_text_is_one_line_and_status_2(tmp_path, capsys):
    assert status(train, "--data", tmp_path / "absent.txt", "--model", tmp_path / "m.npz") == 2
    assert_one_line(capsys, "train.py: ", "absent.txt")


def error_line(capsys):
    """The one line of an error, after at most a note about what is being read."""
    out, err = capsys.readouterr()
    assert out == ""
    lines = [line for line in err.splitlines() if not line.startswith("reading ")]
    assert len(lines) == 1, err
    assert lines[0].startswith("train.py: ")
    return lines[0]


def test_a_text_that_is_not_utf_8_is_reported_with_file_and_line(tmp_path, capsys):
    (tmp_path / "latin.txt").write_bytes(b"one\ntwo\nna\xefve\n")
    assert status(train, "--data", tmp_path / "latin.txt", "--model", tmp_path / "m.npz") == 2
    assert re.search(r"latin\.txt.*line 3", error_line(capsys))


def test_an_empty_text_is_reported(tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("\n\n")
    assert status(train, "--data", tmp_path / "empty.txt", "--model", tmp_path / "m.npz") == 2
    assert "empty.txt" in error_line(capsys)


def test_a_divergence_is_reported_on_a_line_of_its_own(toy, tmp_path, capsys):
    arguments = ["--optimizer", "sgd", "--activation", "relu", "--learning-rate", "1e6", "--clip", "0", *SMALL]
    assert status(train, "--data", toy, "--model", tmp_path / "m.npz", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = [line for line in re.split("[\r\n]", err) if "train.py: " in line]
    assert line.startswith("train.py: the loss became ")


def test_training_ends_with_the_model_a_comparison_and_the_next_command(tmp_path, capsys, monkeypatch):
    """Held-out text that the training text repeats: the network learns it better than a bigram."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS / "train.py")])
    text, model = tmp_path / "my text.txt", tmp_path / "my models" / "rnn.npz"
    text.write_text("\n\n".join(TOY * 5), encoding="utf-8")
    arguments = ["--data", text, "--model", model, "--valid", text, *SMALL[:-1], 12, "--learning-rate", 0.05]
    assert status(train, *arguments) == 0
    where, comparison, intro, command = capsys.readouterr().err.splitlines()[-4:]
    assert where.endswith(f"; the model is in {model}")
    figures = re.fullmatch(
        r"perplexity on the held-out text: network (\S+), unigram (\S+), Kneser-Ney bigram (\S+), trigram (\S+)",
        comparison,
    )
    network, unigram, bigram, trigram = map(float, figures.groups())
    assert network < bigram < unigram and f"best perplexity {network:.2f}" in where and trigram < unigram
    assert intro == "Try next:"
    words = shlex.split(command)
    assert words[1:] == [str(SCRIPTS / "generate.py"), "--model", str(model), "-n", "5"]
    assert generate.main(words[2:]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_without_baselines_only_the_model_and_the_next_command_are_shown(tmp_path, toy, capsys):
    log = tmp_path / "log.jsonl"
    assert status(train, "--data", toy, "--model", tmp_path / "m.npz", "--no-baselines", "--log", log, *SMALL) == 0
    where, intro, command = capsys.readouterr().err.splitlines()[-3:]
    assert where.startswith("best perplexity ") and intro == "Try next:" and "generate" in command
    assert all("baselines" not in json.loads(line) for line in log.read_text().splitlines())


def test_a_line_at_the_end_names_the_file_of_the_model(tmp_path, toy, capsys, monkeypatch):
    monkeypatch.setattr(train_model.Trainer, "take_step", lambda self, batch: 1.0)
    monkeypatch.setattr(train_model.Trainer, "held_out_loss", lambda self: 1.0)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"])
    assert status(train, "--data", toy, "--model", tmp_path / "mine", *SMALL) == 0
    lines = capsys.readouterr().err.splitlines()
    [place] = [line.split("the model is in ")[1] for line in lines if "the model is in " in line]
    assert Path(place).is_file()


def environment():
    """The environment of an activated virtual environment, where `python` is this interpreter."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(SCRIPTS.parent)}


@pytest.mark.slow
def test_ctrl_c_saves_the_work_and_prints_the_command_that_continues_it(toy, tmp_path):
    arguments = [
        "--data",
        "toy.txt",
        "--model",
        "my model.npz",
        "--clip",
        "0",
        "--hidden-dim",
        "5",
        "--epochs",
        "100000",
    ]
    command = [sys.executable, str(SCRIPTS / "train.py"), *arguments]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            seen = ""
            while "training loss" not in seen:  # the first evaluation is done
                line = process.stderr.readline()
                assert line, seen
                seen += line
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == "" and "Traceback" not in err
    assert "interrupted; progress is saved. To continue:\n" in err
    printed = err.rstrip("\n").splitlines()[-1].strip()
    assert shlex.split(printed)[1:] == [str(SCRIPTS / "train.py"), *arguments, "--resume"]
    epochs = len(load(tmp_path / "my model.npz").training["history"])
    # The printed command, with fewer epochs.
    shorter = printed.replace("100000", str(epochs + 1))
    finished = subprocess.run(
        shorter, shell=True, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == ""
    history = load(tmp_path / "my model.npz").training["history"]
    assert [record["epoch"] for record in history] == list(range(1, epochs + 2))


def test_the_printed_command_names_an_interpreter_that_the_shell_finds(tmp_path, monkeypatch):
    """A link to the same binary elsewhere is another environment, which lacks this package."""
    monkeypatch.setattr(sys, "argv", ["scripts/train.py"])
    python = Path(sys.executable)
    (tmp_path / python.name).symlink_to(python.resolve())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert train.resume_command(["--seed", "1", "--resume"]) == f"{python} scripts/train.py --seed 1 --resume"
    monkeypatch.setenv("PATH", str(python.parent))
    assert train.resume_command(["--seed", "1"]) == f"{python.name} scripts/train.py --seed 1 --resume"


# score.py

LINES = ["The dog sees the cat.", "", "the zebra sees\tthe quagga", "  dog  ", "the"]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


def test_scoring_prints_one_line_per_line_including_blank_ones(lm, model, loaded, text, capsys):
    assert status(score, "--model", model, text) == 0
    out, err = capsys.readouterr()
    rows = [line.split("\t", 4) for line in out.removesuffix("\n").split("\n")]
    assert [row[4] for row in rows] == LINES
    assert [row[1] for row in rows] == ["7", "1", "6", "2", "2"]
    assert [row[2] for row in rows] == ["0", "0", "2", "0", "0"]
    logs = lm.score(LINES)
    np.testing.assert_allclose([float(row[0]) for row in rows], logs, atol=1e-5)
    for row, line in zip(rows, LINES, strict=True):
        assert float(row[3]) == pytest.approx(lm.perplexity(line), abs=1e-3)
    (summary,) = err.splitlines()
    assert summary.startswith("5 sentences, 13 words, 2 unknown (15.38%), ")
    total, perplexity = re.fullmatch(r".*, log-probability (\S+), perplexity (\S+) per token .*", summary).groups()
    assert float(total) == pytest.approx(logs.sum(), abs=1e-3)
    assert float(perplexity) == pytest.approx(math.exp(-logs.sum() / 18), abs=1e-3)


def test_summary_leaves_standard_output_empty(model, loaded, text, capsys):
    assert status(score, "--model", model, text) == 0
    summary = capsys.readouterr().err
    assert status(score, "--model", model, "--summary", text) == 0
    out, err = capsys.readouterr()
    first, second = err.splitlines(keepends=True)
    assert (out, first) == ("", summary)
    assert second.startswith("as paragraphs, without blank lines, as training measures it: perplexity ")


def test_words_print_one_line_per_token(lm, model, loaded, text, capsys):
    assert status(score, "--model", model, "--words", text) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    expected = [row for scores in lm.word_scores(LINES) for row in scores]
    assert [(token, known == "known") for _, known, token in rows] == [(token, known) for token, _, known in expected]
    assert {known for _, known, _ in rows} == {"known", "unknown"}
    np.testing.assert_allclose([float(row[0]) for row in rows], [value for _, value, _ in expected], atol=1e-5)


def test_words_and_summary_exclude_each_other(model, capsys):
    assert status(score, "--model", model, "--words", "--summary") == 2
    assert_one_line(capsys, "score.py: ", "not allowed with argument")


def with_input(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


def test_without_a_file_standard_input_is_scored(lm, model, loaded, monkeypatch, capsys):
    with_input(monkeypatch, b"\xef\xbb\xbfthe dog\r\nthe cat")
    assert status(score, "--model", model) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[4] for row in rows] == ["the dog", "the cat"]
    np.testing.assert_allclose([float(row[0]) for row in rows], lm.score(["the dog", "the cat"]), atol=1e-5)


def test_several_files_are_scored_in_order_and_in_batches(model, loaded, text, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("theano_rnn.files.corpus_formats._BATCH_LINES", 3)
    (tmp_path / "more.txt").write_text("the end\n", encoding="utf-8")
    assert status(score, "--model", model, text, tmp_path / "more.txt", text) == 0
    out, err = capsys.readouterr()
    assert [line.split("\t", 4)[4] for line in out.removesuffix("\n").split("\n")] == [*LINES, "the end", *LINES]
    assert err.startswith("11 sentences, ")


def test_a_line_that_is_not_utf_8_is_reported(model, loaded, tmp_path, monkeypatch, capsys):
    (tmp_path / "latin.txt").write_bytes(b"the dog\nna\xefve\n")
    assert status(score, "--model", model, tmp_path / "latin.txt") == 2
    assert_one_line(capsys, "score.py: ", "latin.txt, line 2: byte 0xef at position 3 is not UTF-8; convert")
    with_input(monkeypatch, b"\xff\n")
    assert status(score, "--model", model) == 2
    assert_one_line(capsys, "score.py: standard input, line 1: byte 0xff at position 1")


@pytest.mark.parametrize(
    "name, fault", [("absent.txt", ": no such file; check the path"), (".", ": is a directory; name a file in it")]
)
def test_a_file_that_cannot_be_read_is_reported(model, loaded, tmp_path, capsys, name, fault):
    assert status(score, "--model", model, tmp_path / name) == 2
    assert_one_line(capsys, f"score.py: {tmp_path / name}{fault}")


def test_a_text_without_sentences_is_reported(model, loaded, tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("")
    assert status(score, "--model", model, tmp_path / "empty.txt") == 2
    assert_one_line(capsys, "score.py: no sentences to score; give one per line")


def test_a_closed_pipe_ends_scoring_silently(model, tmp_path):
    (tmp_path / "long.txt").write_text("the dog sees the cat .\n" * 6000)
    command = shlex.join([sys.executable, str(SCRIPTS / "score.py"), "--model", str(model), "long.txt"])
    finished = subprocess.run(
        f"{command} | head -1", shell=True, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert finished.stdout.count("\n") == 1 and finished.stdout.endswith("\tthe dog sees the cat .\n")
    assert [line for line in finished.stderr.splitlines() if "with Theano" not in line] == []


# generate.py


def test_the_same_seed_gives_the_same_number_of_texts(lm, model, loaded, capsys):
    assert status(generate, "--model", model, "-n", "12", "--seed", "5", "--max-words", "9") == 0
    out, err = capsys.readouterr()
    assert err == "" and out.splitlines() == lm.generate(12, seed=5, max_words=9)
    assert status(generate, "--model", model, "-n", "12", "--seed", "5", "--max-words", "9") == 0
    assert capsys.readouterr().out == out
    assert status(generate, "--model", model, "-n", "12", "--seed", "6", "--max-words", "9") == 0
    assert capsys.readouterr().out != out


def test_ten_texts_are_the_default(model, loaded, capsys):
    assert status(generate, "--model", model) == 0
    assert capsys.readouterr().out.count("\n") == 10


def test_every_generation_option_reaches_the_model(lm, model, loaded, monkeypatch):
    seen = {}
    monkeypatch.setattr(lm, "generated", lambda **demands: seen.update(demands) or [])
    options = "-n 3 --temperature 0.5 --top-k 4 --top-p 0.9 --prompt".split()
    assert status(generate, "--model", model, *options, "the dog", *"--min-words 2 --max-words 8 --seed 1".split()) == 0
    assert seen == {
        "n": 3, "temperature": 0.5, "top_k": 4, "top_p": 0.9, "prompt": "the dog", "min_words": 2, "max_words": 8,
        "seed": 1, "no_repeat_ngram": None, "length": None, "stop": None,
    }  # fmt: skip
    assert status(generate, "--model", model, *"-n 1 --length 30 --stop cat --no-repeat-ngram 2".split()) == 0
    assert (seen["length"], seen["stop"], seen["no_repeat_ngram"]) == (30, "cat", 2)


def test_the_prompt_begins_every_line(model, loaded, capsys):
    assert status(generate, "--model", model, "--prompt", "The Zebra", "--seed", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10 and all(line.startswith("The Zebra") for line in lines)


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--temperature", "-1"], "temperature: expected a number above 0, got -1.0"),
        (["--top-p", "0"], "--top-p: expected a number above 0"),
        (["--top-k", "0"], "--top-k: expected at least 1, got 0"),
        (["--min-words", "5", "--max-words", "4"], "--min-words: expected at most --max-words (4), got 5"),
        (["-n", "-1"], "n: expected at least 0, got -1"),
        (["--seed", "-1"], "seed: "),
        (["-n", "many"], "argument -n: invalid int value: 'many'"),
    ],
)
def test_invalid_options_are_one_line_and_status_2(model, loaded, capsys, arguments, part):
    assert status(generate, "--model", model, *arguments) == 2
    assert_one_line(capsys, "generate.py: ", part)


@pytest.mark.parametrize("module", [score, generate], ids=["score", "generate"])
def test_a_missing_model_is_one_line_and_status_2(module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert status(module) == 2
    assert_one_line(capsys, "rnn.npz: no such file; train a model first")


@pytest.mark.parametrize("module", [score, generate], ids=["score", "generate"])
def test_a_damaged_model_is_one_line_and_status_2(module, model, tmp_path, capsys):
    content = model.read_bytes()
    (tmp_path / "half.npz").write_bytes(content[: len(content) // 2])
    assert status(module, "--model", tmp_path / "half.npz") == 2
    assert_one_line(capsys, "half.npz: not a model file")


@pytest.mark.parametrize("module", [train, score, generate], ids=["train", "score", "generate"])
def test_help_goes_to_standard_output(module, capsys):
    assert status(module, "--help") == 0
    out, err = capsys.readouterr()
    assert "--model" in out and err == ""
