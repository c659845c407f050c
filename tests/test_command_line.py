"""What the scripts share: one line for what the user can mend, and the exit statuses."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from theano_rnn.command_line import BY_SIGNAL, OK, WRONG, ArgumentParser, run
from theano_rnn.errors import CorpusError, DivergenceError, ModelFileError, OptionError, TrainingInterrupted

ROOT = Path(__file__).resolve().parents[1]


def raising(error):
    def main(arguments):
        raise error

    return main


def test_the_statuses_are_those_of_the_interface():
    assert (OK, WRONG, BY_SIGNAL + signal.SIGINT) == (0, 2, 130)


def test_success_passes_the_arguments_on_and_says_nothing(capsys):
    seen = []
    assert run("tool.py", seen.append, ["-n", "3"]) == 0
    assert seen == [["-n", "3"]]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [CorpusError, DivergenceError, ModelFileError, OptionError])
def test_what_the_user_can_mend_is_one_line_on_standard_error(capsys, kind):
    assert run("tool.py", raising(kind("a.txt: wrong; mend it")), []) == 2
    assert capsys.readouterr() == ("", "tool.py: a.txt: wrong; mend it\n")


def test_an_interruption_whose_work_is_saved_has_been_told_already(capsys):
    assert run("tool.py", raising(TrainingInterrupted("m.checkpoint.npz")), []) == 130
    assert capsys.readouterr() == ("", "")


def test_another_interruption_is_told(capsys):
    assert run("tool.py", raising(KeyboardInterrupt()), []) == 130
    out, err = capsys.readouterr()
    assert out == "" and err.strip() == "tool.py: interrupted"


def test_an_error_of_our_own_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run("tool.py", raising(ZeroDivisionError()), [])


def test_a_reader_that_has_gone_is_no_error():
    """In a process of its own: standard output is given up."""
    code = (
        "import sys; from theano_rnn.command_line import run\n"
        "def main(arguments):\n    for i in range(100_000): print(i)\n"
        "sys.exit(run('tool.py', main, []))"
    )
    reader, writer = os.pipe()
    os.close(reader)
    try:
        finished = subprocess.run(
            [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, timeout=60, check=False
        )
    finally:
        os.close(writer)
    assert (finished.returncode, finished.stderr) == (0, b"")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--count", "x"], "argument --count: invalid int value: 'x'"),
        (["--colour", "red"], "unrecognized arguments: --colour red"),
        (["--level", "foo"], "argument --level: invalid choice: 'foo'"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(capsys, arguments, message):
    parser = ArgumentParser(prog="tool.py")
    parser.add_argument("--count", type=int)
    parser.add_argument("--level", choices=("word", "char"))
    with pytest.raises(SystemExit) as error:
        parser.parse_args(arguments)
    assert error.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"tool.py: {message}") and err.endswith("; see tool.py --help\n")
