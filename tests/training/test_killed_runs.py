"""Training runs that are killed repeatedly at random moments end with the results of an uninterrupted run.

The environment variable THEANO_RNN_KILLS changes the number of kills per run.
"""

import itertools
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import read_archive, read_document
from theano_rnn.language_models.language_model import load
from theano_rnn.training.training_state import TIMES

pytestmark = pytest.mark.slow
logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("THEANO_RNN_KILLS", 30))
FEWER_KILLS = -(-KILLS // 3)
TEXT = "\n\n".join(
    f"The {a} {b} the {c}."
    for a, b, c in itertools.product(["dog", "cat", "bird"], ["sees", "likes", "eats"], ["dog", "cat", "bird"])
)
LSTM = "--cell lstm --layers 2 --hidden-dim 20 --dropout 0.3 --batch-size 4"
# The first case saves after each step, which takes most of its time. The others save about every 20 ms.
RUNS = {
    "words": "--batch-size 4 --epochs 100 --hidden-dim 60 --save-every 1e-9",
    "characters": "--level char --batch-size 4 --sequence-length 20 --optimizer momentum --epochs 99 --save-every 3e-4",
    "nothing held out": "--batch-size 2 --valid-fraction 0 --epochs 150 --evaluate-every 3 --save-every 3e-4",
    "LSTM words": f"{LSTM} --continuous --tied --samples 3 --sequence-length 10 --epochs 150 --save-every 3e-4",
    "LSTM characters": f"{LSTM} --level char --sequence-length 20 --epochs 99 --save-every 3e-4",
    "tutorial": "--tutorial --epochs 150 --evaluate-every 5 --save-every 3e-4",
    "tags": "--task tag --data tags.tsv --hidden-dim 20 --batch-size 4 --epochs 60 --save-every 3e-4",
    "missing words": "--task fill --hidden-dim 20 --batch-size 4 --epochs 60 --save-every 3e-4",
    "labels": "--task classify --data labels.tsv --hidden-dim 20 --batch-size 4 --epochs 60 --save-every 3e-4",
    "recordings": "--task tag --data speech --hidden-dim 8 --epochs 20 --save-every 3e-4",
    "translations": "--task translate --data pairs.tsv --hidden-dim 20 --batch-size 4 --epochs 50 --save-every 3e-4",
    "descriptions": "--task describe --data captions.tsv features.npz --hidden-dim 20 --batch-size 4 --epochs 50 "
    "--save-every 3e-4",
}


class Run:
    """A training run in a folder that several processes carry out in turn."""

    def __init__(self, folder, options):
        self.folder = folder
        (folder / "text.txt").write_text(TEXT, encoding="utf-8")
        labelled = [f"{len(line) % 2}\t{line}\n" for line in TEXT.split("\n\n")]
        (folder / "labels.tsv").write_text("".join(labelled), encoding="utf-8")
        tagged = "".join(f"{word}\t{word[-1]}\n" if word else "\n" for word in TEXT.replace("\n", " ").split(" "))
        (folder / "tags.tsv").write_text(tagged, encoding="utf-8")
        pairs = "".join(f"{line}\t{line[::-1]}\n" for line in TEXT.split("\n\n"))
        (folder / "pairs.tsv").write_text(pairs, encoding="utf-8")
        captions = "".join(f"image{i}\t{line}\n" for i, line in enumerate(TEXT.split("\n\n")))
        (folder / "captions.tsv").write_text(captions, encoding="utf-8")
        np.savez(folder / "features.npz", names=[f"image{i}" for i in range(27)], features=np.eye(27, 5))
        (folder / "speech").symlink_to(ROOT / "data" / "speech")
        self.model = folder / "rnn.npz"
        self.checkpoint = folder / "rnn.checkpoint.npz"
        self.options = [
            "--data",
            "text.txt",
            "--model",
            "rnn.npz",
            "--log",
            "log.jsonl",
            "--seed",
            "3",
            *options.split(),
        ]

    def start(self):
        resume = ["--resume"] if self.checkpoint.exists() else []
        return subprocess.Popen(
            [sys.executable, str(ROOT / "scripts" / "train.py"), *self.options, *resume],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def finish(self):
        process = self.start()
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0, said.decode()

    def written(self):
        """When the checkpoint was last written; None if never."""
        return self.checkpoint.stat().st_mtime_ns if self.checkpoint.exists() else None

    def is_writing(self):
        return any(name.endswith(".partial") for name in os.listdir(self.folder))

    def kill_one(self, generator):
        """Start and kill at a random moment; False if the run had ended.

        A fifth of the kills come at a random time after the start of the process, two fifths after it has saved, and
        two fifths while it is writing a file.
        """
        before = self.written()
        process = self.start()
        try:
            kind = generator.random()
            if kind < 0.2:
                time.sleep(generator.uniform(0, 2))
            else:
                while self.written() == before and process.poll() is None:
                    time.sleep(0.001)
                time.sleep(generator.uniform(0, 0.15))
            if kind > 0.6:
                while not self.is_writing() and process.poll() is None:
                    pass
                time.sleep(generator.uniform(0, 0.001))
            process.send_signal(signal.SIGKILL)
        finally:
            process.kill()
            _, said = process.communicate()
        assert process.returncode in (-signal.SIGKILL, 0), said.decode()
        return process.returncode == -signal.SIGKILL

    def check(self):
        """Check that all files that exist can be read."""
        for path, read in ((self.model, load), (self.checkpoint, read_archive)):
            if path.exists():
                read(path)

    def result(self):
        """All results of a run except times."""
        entries = read_archive(self.checkpoint)
        state = read_document(self.checkpoint, entries, "run")["state"]
        log = [json.loads(line) for line in (self.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        baselines = [record.pop("baselines", None) for record in log]  # added after the last checkpoint
        assert log == state["history"]
        for record in [state, *state["history"]]:
            for name in TIMES:
                record.pop(name, None)
        del entries["run"]
        return {
            "state": state,
            "baselines": json.dumps(baselines),
            **entries,
            "model": np.frombuffer(self.model.read_bytes(), np.uint8),
        }


def assert_same(result, expected):
    assert result.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(result[name], value, err_msg=name)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_killed_at_random_moments_ends_bit_identical_to_an_uninterrupted_one(name, tmp_path):
    if name == "recordings":
        pytest.importorskip("soundfile")
        pytest.importorskip("kaldi_native_fbank")
    (tmp_path / "unbroken").mkdir()
    (tmp_path / "killed").mkdir()
    unbroken, run = Run(tmp_path / "unbroken", RUNS[name]), Run(tmp_path / "killed", RUNS[name])
    unbroken.finish()
    generator = random.Random(name)
    kills = while_saving = 0
    ended = False
    wanted = KILLS if name in ("words", "characters") else FEWER_KILLS
    while kills < wanted and not ended:
        ended = not run.kill_one(generator)
        kills += not ended
        while_saving += run.is_writing()
        run.check()
    logger.info("%s: killed %d times, %d of them while a file was being written", name, kills, while_saving)
    assert kills < 30 or while_saving > 0
    assert not ended, f"the run had ended after {kills} kills: it is too short for this test"
    run.finish()
    assert_same(run.result(), unbroken.result())
    assert not run.is_writing()


def test_a_damaged_checkpoint_is_refused_and_the_model_stays(tmp_path):
    """Kills do not damage files; a disk may."""
    run = Run(tmp_path, "--epochs 1 --hidden-dim 5")
    run.finish()
    content, model = bytearray(run.checkpoint.read_bytes()), run.model.read_bytes()
    content[len(content) // 3] ^= 1
    run.checkpoint.write_bytes(content)
    with pytest.raises(ModelFileError, match="damaged"):
        read_archive(run.checkpoint)
    process = run.start()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and said.count(b"\n") == 1 and b"checkpoint.npz: damaged" in said
    assert run.model.read_bytes() == model
