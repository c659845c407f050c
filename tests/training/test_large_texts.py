"""Memory use hardly grows with the size of the text."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="this system does not report the peak memory of a process"
    ),
]

ROOT = Path(__file__).resolve().parents[2]
SIZE = 40_000_000  # bytes

TRAIN = """
import json, os, re, signal, sys
from theano_rnn.errors import TrainingInterrupted
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.train_model import train

class Watcher(Reporter):
    def progress(self, state, epochs, done, total, loss, tokens_per_second):
        if done >= 50:
            signal.raise_signal(signal.SIGINT)

text, model, level = sys.argv[1:]
try:
    train(text, model=model, level=level, hidden_dim=8, vocabulary_size=2000, reporter=Watcher())
except TrainingInterrupted:
    print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A large and a small text of sentences with many rare words and a few wide characters."""
    folder = tmp_path_factory.mktemp("texts")
    generator = random.Random(1)
    lines = []
    while sum(map(len, lines)) < 4_000_000 / 10:
        words = [f"w{int(generator.paretovariate(0.5)) % 300_000}" for _ in range(generator.randrange(4, 30))]
        lines.append("The " + " ".join(words) + ".\n")
    lines.append("A 😀 smiles.\n\n")
    number = re.compile(r"w\d{4,}")
    large, small = folder / "large.txt", folder / "small.txt"
    small.write_text("".join(lines), encoding="utf-8")
    with open(large, "w", encoding="utf-8") as file:
        while file.tell() < SIZE:
            text = "".join(generator.sample(lines, len(lines)))
            file.write(number.sub(lambda match: f"w{generator.randrange(10_000, 300_000)}", text))
    return large, small


def peak_memory(text, folder, level):
    """The peak memory in bytes of a process that encodes the text and trains some steps."""
    command = [sys.executable, "-c", TRAIN, str(text), str(folder / f"{text.stem}.npz"), level]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return 1024 * json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("level", ["word", "char"])
def test_memory_grows_by_no_more_than_mapped_ids_and_distinct_words(texts, tmp_path, level):
    large, small = texts
    (tmp_path / "first").mkdir()
    for text in texts:  # their steps have different shapes, and compiling takes memory of its own
        peak_memory(text, tmp_path / "first", level)
    base = peak_memory(small, tmp_path, level)
    # As a str, the text alone would take four times the size of the file.
    limit = base + (4 if level == "word" else 3) * SIZE  # the 300,000 distinct words are counted in memory
    assert peak_memory(large, tmp_path, level) < limit
    if level == "word":
        assert (tmp_path / "large.corpus.npz").exists()  # which the next run maps
        assert peak_memory(large, tmp_path, level) < limit
