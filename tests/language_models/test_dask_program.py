"""The program of the manual that scores and labels large inputs with Dask, undisturbed and while a worker is killed."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from support.language_models import WORDS, make
from support.markdown import blocks
from support.script_modules import script

import theano_rnn

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "theano_rnn" / "README.md"
FILES, LINES = 60, 200
PARTS = FILES - 1 + 2  # one file is empty, one is divided into three
ODD = ["", "été 😀 the dog", "the dog " * 500, "zebra", "  ", "\ttab\tbed", "a\u2028b \u00a0 c", "Dog. The dog."]
RESTART = "Restarting worker"  # what Dask reports when a worker has died
DEADLINE = 500  # seconds

# Python runs this in each process: it writes down which process opens which file.
SITE = """
import os, sys

def note(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".npz") and "models" in str(arguments[0]):
        with open(os.path.join({folder!r}, str(os.getpid())), "a") as file:
            file.write(os.path.basename(arguments[0]) + "\\n")

sys.addaudithook(note)
"""

pytestmark = [pytest.mark.slow, pytest.mark.xla]


@pytest.fixture(scope="module")
def program():
    """The program of the manual."""
    for package in ("dask.dataframe", "distributed"):
        pytest.importorskip(package, reason=f"{package} is not installed; only large inputs need it")
    [text] = [block.text for block in blocks(MANUAL) if block.language == "python" and "LocalCluster" in block.text]
    return text


@pytest.fixture(scope="module")
def inputs(program, tmp_path_factory):
    """A folder with the files that the program reads."""
    folder, drawn = tmp_path_factory.mktemp("dask"), random.Random(1)
    for name in ("models", "texts", "tables"):
        (folder / name).mkdir()
    make(WORDS).save(folder / "models" / "rnn.npz")
    for i in range(FILES):
        lines = [" ".join(drawn.choices([*WORDS, "cat"], k=drawn.randint(0, 9))) for _ in range(LINES)]
        (folder / "texts" / f"{i:02}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    texts = folder / "texts"
    (texts / "10.txt").write_text("\n".join(ODD), encoding="utf-8")
    (texts / "20.txt").write_bytes("\ufeffthe dog\r\n\r\nsees the\r\nno line end".encode())
    (texts / "30.txt").write_bytes(b"")
    long = f"the {'x' * 4000} dog\n" * 1000  # almost 4 MiB, which the program divides
    (texts / "40.txt").write_text(long, encoding="utf-8")
    for i in range(3):
        with open(folder / "tables" / f"{i}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "text"])
            for j, text in enumerate(["The film is great.", "NA", "", "two\nlines, and a comma", "awful " * i]):
                writer.writerow([f"{i}-{j}", text])
    review = [["text", "label"], *([f"{word} film", word] for word in ("good", "bad") * 20)]
    (folder / "reviews.tsv").write_text("".join("\t".join(row) + "\n" for row in review), encoding="utf-8")
    options = {"task": "classify", "model": folder / "models" / "labels.npz", "epochs": 1, "hidden_dim": 4}
    theano_rnn.train(folder / "reviews.tsv", **options)
    return folder


def start(program, inputs, folder):
    """Start the program in a folder with the inputs, where processes note the models that they open in `opened`."""
    for name in ("models", "texts", "tables"):
        (folder / name).symlink_to(inputs / name)
    (folder / "program.py").write_text(program, encoding="utf-8")
    for name in ("opened", "site"):
        (folder / name).mkdir()
    (folder / "site" / "sitecustomize.py").write_text(SITE.format(folder=str(folder / "opened")))
    environment = {**os.environ, "PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}", "PYTHONWARNINGS": "ignore"}
    with open(folder / "messages.txt", "wb") as messages:
        return subprocess.Popen(
            [sys.executable, "program.py"], cwd=folder, env=environment, stdout=messages, stderr=subprocess.STDOUT
        )


def kill_a_worker(process, folder):
    """Send SIGKILL to a worker when the first results have been written. Return how many there were then."""
    end = time.monotonic() + DEADLINE
    while not list((folder / "scores").glob("*.tsv")):
        assert process.poll() is None and time.monotonic() < end, (folder / "messages.txt").read_text()
        time.sleep(0.002)
    victim = max(int(path.name) for path in (folder / "opened").iterdir())  # a process that has loaded the model
    os.kill(victim, signal.SIGKILL)
    return len(list((folder / "scores").glob("*.tsv")))


def finish(process, folder):
    try:
        status = process.wait(DEADLINE)
    finally:
        process.kill()
    messages = (folder / "messages.txt").read_text(encoding="utf-8")
    assert status == 0, messages
    return messages


@pytest.fixture(scope="module")
def undisturbed(program, inputs, tmp_path_factory):
    """The folder in which the program ran."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert RESTART not in finish(start(program, inputs, folder), folder)
    return folder


def results(folder, pattern):
    return "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob(pattern)))


def output_of(command, arguments, folder, capsys, monkeypatch):
    """The lines that a script prints, without its summary."""
    monkeypatch.chdir(folder)
    assert script(command).main(arguments) == 0
    return capsys.readouterr().out.split("\n")[:-1]


def test_scores_are_those_of_score_py_in_the_order_of_the_input(undisturbed, capsys, monkeypatch):
    names = [f"texts/{i:02}.txt" for i in range(FILES)]
    expected = [line.split("\t", 4) for line in output_of("score", names, undisturbed, capsys, monkeypatch)]
    found = [line.split("\t", 1) for line in results(undisturbed, "scores/*.tsv").split("\n")[:-1]]
    assert [text for _, text in found] == [line[4] for line in expected]
    assert [float(score) for score, _ in found] == pytest.approx([float(line[0]) for line in expected], rel=1e-6)
    assert len(list((undisturbed / "scores").iterdir())) == PARTS


def test_labels_are_those_of_predict_py_in_the_order_of_the_input(undisturbed, capsys, monkeypatch):
    tables = [f"tables/{i}.csv" for i in range(3)]
    arguments = ["--model", "models/labels.npz", "--format", "json", *tables]
    expected = [json.loads(line) for line in output_of("predict", arguments, undisturbed, capsys, monkeypatch)]
    given, found = [], []
    for i in range(3):
        for folder, rows in (("tables", given), ("labelled", found)):
            with open(undisturbed / folder / f"{i}.csv", encoding="utf-8", newline="") as file:
                rows += list(csv.DictReader(file))
    assert [{**row, "label": None} for row in found] == [{**row, "label": None} for row in given]
    assert [row["label"] for row in found] == [line["label"] for line in expected]


def test_each_worker_loads_each_model_once(undisturbed):
    opened = [Counter(path.read_text().split()) for path in (undisturbed / "opened").iterdir()]
    assert len(opened) == 2  # the program itself loads none
    for counts in opened:
        assert set(counts) <= {"rnn.npz", "labels.npz"} and set(counts.values()) == {1}


def test_after_kill_9_of_a_worker_the_results_are_complete_and_the_same(program, inputs, undisturbed, tmp_path):
    for attempt in range(5):  # if the program has ended before the signal
        folder = tmp_path / str(attempt)
        folder.mkdir()
        process = start(program, inputs, folder)
        written = kill_a_worker(process, folder)
        messages = finish(process, folder)
        if RESTART in messages and written < PARTS:
            break
    assert RESTART in messages, messages
    assert results(folder, "scores/*.tsv") == results(undisturbed, "scores/*.tsv")
    assert results(folder, "labelled/*.csv") == results(undisturbed, "labelled/*.csv")
