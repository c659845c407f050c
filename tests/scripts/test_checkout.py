"""Scripts use the package of their own checkout, whatever the current folder and whatever is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = [path.stem for path in (ROOT / "scripts").glob("*.py") if path.stem not in ("__init__", "checkout")]


@pytest.fixture
def installed(tmp_path):
    """A folder on the path with another theano_rnn that raises on import."""
    package = tmp_path / "site-packages" / "theano_rnn"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('another theano_rnn')\n")
    return package.parent


def run(script, path, cwd, **environment):
    environment = {**os.environ, "PYTHONPATH": str(path), **environment}
    return subprocess.run(
        [sys.executable, script, "--help"], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_in_a_checkout_ignores_an_installed_package(installed, tmp_path, name):
    done = run(ROOT / "scripts" / f"{name}.py", installed, tmp_path)
    assert done.returncode == 0 and f"{name}.py" in done.stdout, done.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python has no safe path")
def test_a_script_finds_its_checkout_without_its_folder_on_the_path(installed, tmp_path):
    done = run(ROOT / "scripts" / "score.py", installed, tmp_path, PYTHONSAFEPATH="1")
    assert done.returncode == 0, done.stderr


def test_edits_in_the_checkout_take_effect_in_its_scripts(installed, tmp_path):
    checkout = tmp_path / "checkout"
    for folder in ("scripts", "theano_rnn"):
        shutil.copytree(ROOT / folder, checkout / folder, ignore=shutil.ignore_patterns("__pycache__"))
    with (checkout / "theano_rnn" / "commands" / "run_command.py").open("a") as file:
        file.write("\nraise SystemExit('edited')\n")
    done = run(checkout / "scripts" / "score.py", installed, tmp_path)
    assert (done.returncode, done.stderr) == (1, "edited\n")


def test_a_script_without_a_checkout_uses_the_installed_package(installed, tmp_path):
    shutil.copytree(ROOT / "scripts", tmp_path / "elsewhere" / "scripts")
    done = run(tmp_path / "elsewhere" / "scripts" / "train.py", installed, tmp_path)
    assert done.stderr == "another theano_rnn\n"
