"""Scripts that get a signal at random moments: no traceback, the right exit status, no lost results.

Set THEANO_RNN_SIGNALS to change how often each script gets each signal.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from theano_rnn.files.archive import read_archive
from theano_rnn.language_models.language_model import load
from theano_rnn.training.train_model import train

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TIMES = int(os.environ.get("THEANO_RNN_SIGNALS", 3))
TEXT = "The dog sees the cat.\n\nThe bird likes the dog.\n\nA cat sees a bird.\n\n" * 20
TRAINING = [
    "--data",
    "text.txt",
    "--model",
    "new.npz",
    "--epochs",
    "5000",
    "--hidden-dim",
    "5",
    "--evaluate-every",
    "40",
]
COMMANDS = {
    "train.py": TRAINING,
    "score.py": ["--model", "m.npz", "long.txt"],
    "generate.py": ["--model", "m.npz", "-n", "100000"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    (folder / "long.txt").write_text("".join(f"The dog {i} sees the cat.\n" for i in range(300_000)), encoding="utf-8")
    train(folder / "text.txt", model=folder / "m.npz", epochs=1, hidden_dim=5)
    return folder


def start(name, folder, *arguments):
    return subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / name), *COMMANDS[name], *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def handles_signals(process):
    """Whether a script has installed its signal handlers. On a loaded machine, that takes a second or two."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = int(re.search(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)  # installed after that of SIGINT; Python itself has none


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_ends_a_script_without_a_traceback(name, number, folder):
    generator = random.Random(f"{name} {number}")
    for _ in range(TIMES):
        process = start(name, folder)
        while not handles_signals(process):
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.005)
        time.sleep(generator.uniform(0, 4))
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        said = err.decode()
        assert process.returncode == 128 + number, said
        assert "Traceback" not in said and "Exception" not in said and "interrupted" in said
        assert not out or out.endswith(b"\n")
        for path, read in ((folder / "new.npz", load), (folder / "new.checkpoint.npz", read_archive)):
            if path.exists():
                read(path)


@pytest.mark.parametrize("name", ["score.py", "generate.py"])
def test_a_closed_pipe_ends_a_script_silently(name, folder):
    process = start(name, folder)
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 0
    process.stderr.close()


def test_a_run_whose_standard_error_is_closed_saves_its_work_and_ends(folder):
    process = start("train.py", folder, "--model", "unwatched.npz")
    seen = b""
    while b"training loss" not in seen:
        seen = process.stderr.readline()
        assert seen
    process.stderr.close()
    assert process.stdout.read() == b""
    assert process.wait(timeout=60) == 128 + signal.SIGPIPE
    process.stdout.close()
    history = load(folder / "unwatched.npz").training["history"]
    assert 1 <= len(history) < 5000 / 40
    again = start(
        "train.py", folder, "--model", "unwatched.npz", "--resume", "--epochs", str(history[-1]["epoch"] + 40)
    )
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0, err.decode()
    assert b"resuming after" in err
