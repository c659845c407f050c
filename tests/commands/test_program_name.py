"""Usage, messages and printed commands have the name by which the user called the command."""

import shlex
import sys
from pathlib import Path

import pytest

from theano_rnn.commands.program_name import command_line, example_name, program_name

CALLS = {
    "script": ("scripts/train.py", "train.py", "python scripts/train.py"),
    "script elsewhere": ("/home/a b/scripts/train.py", "train.py", "python scripts/train.py"),
    "installed": ("/usr/local/bin/theano-rnn-train", "theano-rnn-train", "theano-rnn-train"),
    "installed on Windows": ("/Scripts/theano-rnn-train.exe", "theano-rnn-train", "theano-rnn-train"),
    "module": ("/lib/theano_rnn/__main__.py", "python -m theano_rnn train", "python -m theano_rnn train"),
    "other module": ("/lib/pytest/__main__.py", "train.py", "python scripts/train.py"),
    "from Python": ("", "train.py", "python scripts/train.py"),
}


@pytest.mark.parametrize("call", CALLS)
def test_the_name_is_that_by_which_the_user_called_the_command(call, monkeypatch):
    called, name, example = CALLS[call]
    monkeypatch.setattr(sys, "argv", [called, "--help"])
    assert (program_name("train"), example_name("train")) == (name, example)


def test_an_installed_command_is_not_taken_for_another_one(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/theano-rnn-score"])
    assert program_name("train") == "train.py"


def test_the_printed_command_runs_a_script_with_its_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["my scripts/train.py"])
    words = shlex.split(command_line("train", ["--data", "my text.txt"]))
    assert words[1:] == ["my scripts/train.py", "--data", "my text.txt"]
    assert words[0] in (sys.executable, Path(sys.executable).name)


def test_the_printed_command_runs_a_module_as_a_module(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/lib/theano_rnn/__main__.py", "train"])
    assert shlex.split(command_line("train", ["--resume"]))[1:] == ["-m", "theano_rnn", "train", "--resume"]


def test_the_printed_command_has_the_name_of_an_installed_command_if_the_shell_finds_it(tmp_path, monkeypatch):
    command = tmp_path / "theano-rnn-train"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(command)])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_line("train", ["--resume"]) == "theano-rnn-train --resume"
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert shlex.split(command_line("train", ["--resume"])) == [str(command), "--resume"]
