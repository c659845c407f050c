"""The command that train.py suggests at the end of a run."""

import shlex
import sys

import pytest

from theano_rnn.commands.next_command import next_command, resume_command

CALLS = {
    "script": ["scripts/train.py"],
    "installed": ["/nowhere/bin/theano-rnn-train"],
    "module": ["/lib/theano_rnn/__main__.py"],
}


@pytest.fixture(params=CALLS)
def called(request, monkeypatch):
    monkeypatch.setattr(sys, "argv", CALLS[request.param])
    return request.param


def test_a_language_model_generates(called):
    command = next_command(["--data", "a.txt"], "language-model", "my models/rnn.npz", ["a.txt"])
    expected = ["--model", "my models/rnn.npz", "-n", "5"]
    if called == "installed":
        assert shlex.split(command) == ["/nowhere/bin/theano-rnn-generate", *expected]
    elif called == "module":
        assert shlex.split(command)[1:] == ["-m", "theano_rnn", "generate", *expected]
    else:  # in the checkout, where this file runs, there is scripts/generate.py
        assert shlex.split(command)[-4:] == expected
        assert shlex.split(command)[1:2] in (["scripts/generate.py"], ["-m"])


@pytest.mark.parametrize(
    "task, data, expected",
    [
        ("classify", ["a.tsv"], []),
        ("translate", ["a.tsv"], []),
        ("tag-frames", ["my speech", "b.tsv"], ["my speech"]),
        ("describe", ["captions.tsv", "features.npz"], ["features.npz"]),
        ("classify-frames", [], []),
    ],
)
def test_other_models_predict_and_read_what_cannot_be_typed_from_a_file(called, task, data, expected):
    command = next_command([], task, "m.npz", data)
    assert shlex.split(command)[-2 - len(expected) :] == ["--model", "m.npz", *expected]
    assert "predict" in command


@pytest.mark.parametrize("epochs", [["--epochs", "3"], ["--epochs=3"], []])
def test_more_epochs_continue_the_run(called, epochs):
    argv = ["--data", "my text.txt", *epochs, "--overwrite"]
    command = next_command(argv, "language-model", "m.npz", ["my text.txt"], {"epochs": 6})
    expected = ["--data", "my text.txt", "--resume", "--epochs", "6"]
    assert shlex.split(command)[-5:] == expected and "3" not in shlex.split(command)
    resumed = next_command(["--resume", "--model", "m.npz"], "language-model", "m.npz", [], {"epochs": 6})
    assert shlex.split(resumed)[-5:] == ["--model", "m.npz", "--resume", "--epochs", "6"]


def test_other_options_begin_a_new_run(called):
    argv = ["--data", "my text.txt"]
    command = next_command(argv, "language-model", "m.npz", ["my text.txt"], {"learning_rate": 0.001})
    assert shlex.split(command)[-4:] == ["--data", "my text.txt", "--learning-rate", "0.001"]


def test_the_options_of_a_resumed_run_are_not_known_so_the_model_is_used(called):
    command = next_command(["--resume"], "language-model", "m.npz", [], {"learning_rate": 0.001})
    assert shlex.split(command)[-4:] == ["--model", "m.npz", "-n", "5"]


def test_the_command_that_resumes_does_not_overwrite(called):
    assert shlex.split(resume_command(["--ov", "--seed", "1"]))[-3:] == ["--seed", "1", "--resume"]
