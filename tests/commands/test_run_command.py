"""Errors and signals become one line on standard error and an exit status."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from theano_rnn.commands.run_command import BY_SIGNAL, OK, WRONG, run
from theano_rnn.commands.terminal import show
from theano_rnn.errors import CorpusError, DivergenceError, ModelFileError, OptionError, TrainingInterrupted

ROOT = Path(__file__).resolve().parents[2]


def raising(error):
    def main(arguments):
        raise error

    return main


def test_exit_statuses_are_those_that_users_rely_on():
    assert (OK, WRONG, BY_SIGNAL + signal.SIGINT) == (0, 2, 130)


def test_success_passes_the_arguments_and_prints_nothing(capsys):
    seen = []
    assert run("tool.py", seen.append, ["-n", "3"]) == 0
    assert seen == [["-n", "3"]]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [CorpusError, DivergenceError, ModelFileError, OptionError])
def test_an_error_of_the_package_is_one_line_on_standard_error(capsys, kind):
    assert run("tool.py", raising(kind("a.txt: wrong; mend it")), []) == 2
    assert capsys.readouterr() == ("", "tool.py: a.txt: wrong; mend it\n")


def test_an_interruption_of_training_is_not_reported_twice(capsys):
    assert run("tool.py", raising(TrainingInterrupted("m.checkpoint.npz")), []) == 130
    assert capsys.readouterr() == ("", "")


def test_any_other_interruption_is_reported(capsys):
    assert run("tool.py", raising(KeyboardInterrupt()), []) == 130
    out, err = capsys.readouterr()
    assert out == "" and err.strip() == "tool.py: interrupted"


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGPIPE, 141)])
def test_the_status_after_a_signal_is_128_plus_its_number(number, status, capsys):
    assert run("tool.py", raising(TrainingInterrupted("m.checkpoint.npz", number)), []) == status
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "error",
    [MemoryError("Unable to allocate 4 EiB"), RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes")],
)
def test_running_out_of_memory_is_one_line(capsys, error):
    assert run("tool.py", raising(error), []) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("tool.py: out of memory; ") and err.count("\n") == 1


def test_a_message_is_one_line_whatever_it_contains(capsys):
    assert run("tool.py", raising(CorpusError("a\nb\x1b[31m\ud800é: wrong")), []) == 2
    assert capsys.readouterr().err == "tool.py: a\\nb\\x1b[31m\\ud800é: wrong\n"


SHOWING = """
import sys
from theano_rnn.commands.run_command import run; from theano_rnn.commands.terminal import say, show
def main(arguments):
    for i in range(100_000): show(i, "\\u20ac", "\\udcff")
    say("done")
sys.exit(run('tool.py', main, []))
"""


def show_much(**streams):
    return subprocess.run([sys.executable, "-c", SHOWING], cwd=ROOT, timeout=60, check=False, **streams)


def test_results_are_utf_8_in_any_locale_and_undecodable_bytes_are_kept():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    finished = show_much(capture_output=True, env=environment)
    assert finished.returncode == 0 and finished.stderr == b"done\n"
    assert finished.stdout.startswith("0\t\u20ac\t".encode() + b"\xff\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_one_line():
    with open("/dev/full", "wb") as full:
        finished = show_much(stdout=full, stderr=subprocess.PIPE)
    assert finished.returncode == 2
    assert finished.stderr == (
        b"tool.py: standard output cannot be written: No space left on device; choose another place\n"
    )


def test_closed_streams_are_not_an_error():
    command = [sys.executable, "-c", SHOWING]
    for closing in (">&-", "2>&-", ">&- 2>&-"):
        finished = subprocess.run(
            ["sh", "-c", f'exec "$0" "$@" {closing}', *command], cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        assert finished.returncode == 0, finished.stderr
        assert finished.stderr == (b"" if "2>&-" in closing else b"done\n")


WAITING = """
import sys, time
from theano_rnn.commands.run_command import run; from theano_rnn.commands.terminal import show
def main(arguments):
    show("first")
    print("ready", file=sys.stderr, flush=True)
    try:
        time.sleep(60)
    except BaseException:  # like some libraries during their import
        time.sleep(60)
sys.exit(run('tool.py', main, []))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_at_once_with_its_results_so_far_and_one_line(number):
    command = [sys.executable, "-c", WAITING]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr.readline() == b"ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert (out, err) == (b"first\n", b"\ntool.py: interrupted\n")


@pytest.mark.parametrize("error", [ZeroDivisionError, RuntimeError])
def test_a_bug_is_not_hidden(error):
    with pytest.raises(error):
        run("tool.py", raising(error()), [])


def test_a_closed_pipe_is_not_an_error():
    """This needs another process, because standard output is discarded."""
    code = (
        "import sys; from theano_rnn.commands.run_command import run; from theano_rnn.commands.terminal import show\n"
        "def main(arguments):\n    for i in range(100_000): show(i)\n"
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


def test_a_closed_standard_error_before_there_is_work_to_save_is_a_failure(capsys):
    assert run("tool.py", raising(BrokenPipeError()), []) == 128 + signal.SIGPIPE
    assert capsys.readouterr() == ("", "")


def test_a_line_of_results_can_be_continued(capsys):
    show("a", 1, end="")
    show("b")
    assert capsys.readouterr().out == "a\t1b\n"
