"""`python -m theano_rnn COMMAND`, in a checkout that is not installed and elsewhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.script_modules import COMMANDS

import theano_rnn
from theano_rnn import __main__ as module_call

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments, root=ROOT):
    """Run the package of a folder by the standard library alone (-S), so that no installed theano_rnn is found."""
    command = [sys.executable, "-S", "-m", "theano_rnn", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "80"}
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=60, check=False)


def test_without_a_command_one_line_lists_them():
    done = call()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "python -m theano_rnn: expected a command: train, score, generate, predict, explain, export, benchmark; "
        "see python -m theano_rnn --help\n"
    )


def test_an_unknown_command_is_one_line_that_lists_the_known_ones():
    done = call("trian", "--epochs", "3")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    expected = "train, score, generate, predict, explain, export, benchmark"
    assert f"unknown command 'trian'; expected one of {expected};" in done.stderr


def test_help_lists_the_commands_within_80_columns():
    done = call("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m theano_rnn COMMAND [options]\n")
    assert tuple(module_call.COMMANDS) == COMMANDS
    for name, text in module_call.COMMANDS.items():
        assert f"\n  {name:<10} {text}\n" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_version_is_shown():
    assert call("--version").stdout == f"theano_rnn {theano_rnn.__version__}\n"


def test_a_command_of_a_checkout_that_is_not_installed_is_found():
    done = call("train", "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m theano_rnn train [options]\n"), done.stderr


def test_messages_name_the_command_as_it_was_called():
    done = call("train", "--hidden-dim", "x")
    assert done.returncode == 2
    assert done.stderr == (
        "python -m theano_rnn train: argument --hidden-dim: invalid int value: 'x'; "
        "see python -m theano_rnn train --help\n"
    )


def test_without_the_scripts_one_line_says_what_to_do(tmp_path):
    shutil.copytree(ROOT / "theano_rnn", tmp_path / "theano_rnn", ignore=shutil.ignore_patterns("__pycache__"))
    done = call("score", root=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "the commands are not installed beside this package; install theano_rnn with pip" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_installed_scripts_are_found_inside_the_package(name, tmp_path, monkeypatch):
    monkeypatch.setattr(module_call, "CHECKOUT", tmp_path)
    imported = []
    monkeypatch.setattr(module_call.importlib, "import_module", imported.append)
    module_call.load_script(name)
    assert imported == [f"theano_rnn.scripts.{name}"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_checkout_is_a_module_with_a_main_function(name):
    assert callable(module_call.load_script(name).main)
