"""Code in a new Python process, without the user's settings of Theano."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(code, tmp_path, **environment):
    """Run code in a new process and return the words that it prints on standard output."""
    flags = ("PYTENSOR", "THEANO_FLAGS", "THEANO_RNN_CACHE", "THEANO_RNN_MALLOC")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(flags)}
    none = str(tmp_path / "none")
    environment = {"PYTENSORRC": none, "THEANORC": none, "PYTHONPATH": str(ROOT), **environment}
    run = subprocess.run(
        [sys.executable, "-c", code], env={**inherited, **environment}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()
