"""Several processes on this machine that train one network together."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

from support.fresh_python import ROOT

LIMIT = 240  # seconds: a process that takes longer hangs


def free_port():
    """A port that no program uses at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environment(**more):
    """The environment without the user's settings, and with no cluster."""
    kept = {name: value for name, value in os.environ.items() if not re.match("SLURM|OMPI|KUBERNETES", name)}
    return {**kept, "PYTHONPATH": str(ROOT), "THEANO_RNN_CACHE": os.environ.get("THEANO_RNN_CACHE", "on"), **more}


class Processes:
    """Several processes with the same command and other numbers, which end with the test.

    Parameters
    ----------
    folder : path
        Where they run.
    """

    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, command, **more):
        """Start a process, and return it."""
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=self.folder,
            env=environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def train(self, options, numbers, count, port=None):
        """Start the processes of a training run, and return them."""
        port = port or free_port()
        script = [ROOT / "scripts" / "train.py", *options, "--coordinator", f"127.0.0.1:{port}", "--processes", count]
        return [self.start([*script, "--process", number]) for number in numbers]

    def close(self):
        """End all of them."""
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.communicate()


def outcome(process, limit=LIMIT):
    """The exit status of a process, and what it printed on standard error."""
    _, text = process.communicate(timeout=limit)
    return process.returncode, text


def wait_until(condition, limit=LIMIT):
    """Wait until something is true."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it has not become true"
        time.sleep(0.05)


def freeze(process):
    """Stop a process without ending it."""
    process.send_signal(signal.SIGSTOP)
