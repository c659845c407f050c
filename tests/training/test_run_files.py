"""A run's files: one run at a time, the files of earlier runs, and failed writes."""

import errno
import itertools
import json
import multiprocessing
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from theano_rnn.errors import ModelFileError, OptionError
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.training import run_files
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.run_files import RunFiles

ROOT = Path(__file__).resolve().parents[2]


class Model:
    def __init__(self, number):
        self.number = number

    def save(self, path):
        write_archive(path, {"U": np.full(3, self.number)}, {})


def contents(number, epoch=1):
    return {"U": np.full(3, number)}, {"state": {"epoch": epoch, "step": 0}, "number": number}


def number(path):
    return int(read_archive(path)["U"][0]) if path.exists() else None


@pytest.fixture
def files(tmp_path):
    return RunFiles(tmp_path / "m.npz", tmp_path / "log.jsonl")


def numbers(files):
    """The model and checkpoint, and the kept ones, in the order in which they were made."""
    found = [number(files.model), number(files.checkpoint)]
    for one in itertools.count(1):
        kept = [number(path) for path in files.previous_files(one)]
        if kept == [None, None]:
            return found
        found += kept


# One run at a time


@pytest.mark.parametrize("name", ["a.checkpoint", "a.checkpoint.npz", "a.corpus.npz"])
def test_reserved_model_names_are_refused(name, tmp_path):
    stem = re.escape(name.removesuffix(".npz"))
    with pytest.raises(OptionError, match=f"{stem}.npz: names ending in .checkpoint or .corpus are reserved"):
        RunFiles(tmp_path / name, None)


def test_a_second_run_of_the_same_model_is_refused_until_the_first_has_ended(files, tmp_path):
    other = RunFiles(tmp_path / "m.npz", None)
    with files.locked():
        with (
            pytest.raises(ModelFileError, match="m.npz: another run is training this model .*m.lock.; wait"),
            other.locked(),
        ):
            pass
        with RunFiles(tmp_path / "n.npz", None).locked():
            pass
    with other.locked():
        pass


HOLD = """
import sys
from pathlib import Path
from theano_rnn.training.run_files import RunFiles
with RunFiles(Path(sys.argv[1]), None).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_is_gone_after_a_run_however_it_ends(files):
    with files.locked():
        assert files.lock.exists()
    assert not files.lock.exists()
    with pytest.raises(KeyboardInterrupt), files.locked():
        raise KeyboardInterrupt
    assert not files.lock.exists()
    with files.locked():
        with pytest.raises(ModelFileError, match="another run"), RunFiles(files.model, None).locked():
            pass
        assert files.lock.exists()  # the refused run does not remove the lock of its owner
    assert not files.lock.exists()


TURNS = """
import sys, time
from pathlib import Path
from theano_rnn.errors import ModelFileError
from theano_rnn.training.run_files import RunFiles
model, until = Path(sys.argv[1]), time.time() + 0.7
guard, turns = model.with_name("guard"), 0
while time.time() < until:
    try:
        with RunFiles(model, None).locked():
            guard.touch(exist_ok=False)  # fails if another process holds the lock
            turns += 1
            guard.unlink()
    except ModelFileError:
        pass
print(turns)
"""


@pytest.mark.slow
def test_two_processes_never_hold_the_lock_although_its_file_is_removed_each_time(files):
    command = [sys.executable, "-c", TURNS, str(files.model)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    turns = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert all(int(count) > 0 for count in turns)
    assert not files.lock.exists()


def test_a_name_that_another_run_has_locked_is_skipped(files):
    files.write(*contents(1), Model(1))
    with RunFiles(files.previous_files(1)[0], None).locked():
        RunFiles(files.model, None).write(*contents(2), Model(2))
    assert numbers(files) == [2, 2]
    assert [number(path) for path in (*files.previous_files(1), *files.previous_files(2))] == [None, None, 1, 1]


def test_a_killed_run_holds_no_lock(files):
    command = [sys.executable, "-c", HOLD, str(files.model)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ModelFileError, match="another run is training this model"), files.locked():
            pass
        process.kill()
    with files.locked():
        pass


def test_a_lock_that_cannot_be_created_is_reported(files):
    files.lock.mkdir()
    with pytest.raises(ModelFileError, match="m.lock: cannot be written: .*; choose another place"), files.locked():
        pass


def test_partial_files_of_killed_runs_are_removed(files):
    files.previous_files(1)[0].write_bytes(b"kept")
    for path in (files.model, files.checkpoint, files.corpus, *files.previous_files(1)):
        path.with_name(f".{path.name}.abc.partial").write_bytes(b"half")
    with files.locked():
        assert list(files.model.parent.glob(".*")) == []


# Files of earlier runs


def test_a_new_run_keeps_the_files_of_the_previous_one_ready_to_resume(files):
    files.write(*contents(1), Model(1))
    files.write(*contents(2), Model(2))
    assert numbers(files) == [2, 2]
    new = RunFiles(files.model, None)
    new.write(*contents(3, epoch=0))
    assert numbers(files) == [2, 3, 2, 2]
    new.write(*contents(4), Model(4))
    new.write(*contents(5), Model(5))
    assert numbers(files) == [5, 5, 2, 2]
    before = RunFiles(files.previous_files(1)[0], None)
    assert before.read_checkpoint().configuration["number"] == 2


def test_kept_models_are_never_replaced_and_their_paths_are_reported(files):
    notes = []
    for one in range(1, 5):
        RunFiles(files.model, None, note=notes.append).write(*contents(one), Model(one))
    assert numbers(files) == [4, 4, 1, 1, 2, 2, 3, 3]
    assert [path.name for path in (*files.previous_files(1), *files.previous_files(2))] == [
        "m.previous.npz",
        "m.previous.checkpoint.npz",
        "m.previous-2.npz",
        "m.previous-2.checkpoint.npz",
    ]
    kept = [files.previous_files(one)[0] for one in (1, 2, 3)]
    assert notes == [f"the model that was in {files.model} is kept as {path}" for path in kept]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_model_that_is_already_kept_is_not_kept_again(files, monkeypatch, has_links):
    """As after a run that ended before it wrote a model."""
    if not has_links:
        monkeypatch.setattr(os, "link", lambda *paths: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
    files.write(*contents(1), Model(1))
    for one in (2, 3):
        RunFiles(files.model, None).write(*contents(one, epoch=0))
    assert numbers(files) == [1, 3, 1, 1]


def test_a_model_is_kept_beside_its_kept_checkpoint(files):
    files.write(*contents(1), Model(1))
    checkpoint = files.checkpoint.read_bytes()
    files.previous_files(1)[1].write_bytes(checkpoint)  # the process was killed after this
    RunFiles(files.model, None).write(*contents(2), Model(2))
    assert numbers(files) == [2, 2, 1, 1]


def test_a_model_of_another_checkpoint_is_not_kept_beside_it(files):
    files.write(*contents(1), Model(1))
    files.previous_files(1)[1].write_bytes(b"another run's")
    RunFiles(files.model, None).write(*contents(2), Model(2))
    assert files.previous_files(1)[1].read_bytes() == b"another run's" and not files.previous_files(1)[0].exists()
    assert [number(path) for path in files.previous_files(2)] == [1, 1]


def test_a_name_that_is_taken_at_the_last_moment_is_skipped(files, monkeypatch):
    files.write(*contents(1), Model(1))
    link_or_copy = run_files.link_or_copy

    def late(path, other):
        if other == files.previous_files(1)[0]:
            other.write_bytes(b"another run's")
        link_or_copy(path, other)

    monkeypatch.setattr(run_files, "link_or_copy", late)
    RunFiles(files.model, None).write(*contents(2), Model(2))
    assert files.previous_files(1)[0].read_bytes() == b"another run's"
    assert [number(path) for path in (files.model, files.previous_files(2)[0])] == [2, 1]


def test_overwrite_replaces_the_files_of_the_previous_run(files):
    files.write(*contents(1), Model(1))
    RunFiles(files.model, None, overwrite=True).write(*contents(2), Model(2))
    assert numbers(files) == [2, 2]


def test_a_log_cannot_replace_a_kept_model(files):
    files.write(*contents(1), Model(1))
    RunFiles(files.model, None).write(*contents(2), Model(2))
    new = RunFiles(files.model, files.previous_files(1)[0])
    with pytest.raises(OptionError, match=r"m\.previous\.npz: is where the model goes"):
        new.check([], TrainingOptions())


def test_an_unreadable_checkpoint_is_kept(files):
    files.checkpoint.write_bytes(b"who knows")
    files.write(*contents(1), Model(1))
    assert files.previous_files(1)[1].read_bytes() == b"who knows"


def test_a_resumed_run_keeps_no_copy_of_itself(files):
    files.write(*contents(1), Model(1))
    again = RunFiles(files.model, None)
    assert again.read_checkpoint().configuration["number"] == 1
    again.model_is_ours = True
    again.write(*contents(2), Model(2))
    assert numbers(files) == [2, 2]


# Failed writes


@pytest.mark.parametrize("function", ["link", "replace", "fsync"])
def test_a_full_disk_leaves_the_old_files(files, monkeypatch, function):
    files.write(*contents(1), Model(1))
    new = RunFiles(files.model, None)

    def full(*arguments, **settings):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, function, full)
    if function == "link":
        monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(
        ModelFileError, match=r"m\.(checkpoint\.)?npz: .*: No space left on device; choose another place"
    ):
        new.write(*contents(2), Model(2))
    monkeypatch.undo()
    assert numbers(files)[:2] == [1, 1]
    assert list(files.model.parent.glob(".*")) == []


def limited(path, size, connection):
    """Write files in another process, with a file size limit of `size`."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        RunFiles(path, None).write({"U": np.zeros(100_000)}, {"state": {"epoch": 2, "step": 0}}, Model(2))
    except ModelFileError as error:
        connection.send(str(error))


def test_a_file_size_limit_leaves_the_old_files(files):
    pytest.importorskip("resource")
    files.write(*contents(1), Model(1))
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=limited, args=(files.model, 50_000, theirs))
    process.start()
    process.join()
    assert ours.poll(), "nothing was refused"
    message = ours.recv()
    assert message == f"{files.checkpoint}: cannot be written: File too large; choose another place"
    assert numbers(files)[:2] == [1, 1]
    assert list(files.model.parent.glob(".*")) == []


def test_a_checkpoint_that_cannot_be_written_is_saved_in_a_temporary_folder(files, tmp_path, monkeypatch):
    monkeypatch.setattr(run_files.tempfile, "tempdir", str(tmp_path))
    place = files.rescue(*contents(7))
    assert place.name == "m.checkpoint.npz" and place.parent.parent == tmp_path
    assert number(place) == 7
    assert read_document(place, read_archive(place), "run")["number"] == 7
    monkeypatch.setattr(run_files.tempfile, "tempdir", str(tmp_path / "absent"))
    assert files.rescue(*contents(7)) is None


# The log


def logged(files):
    return [json.loads(line)["epoch"] for line in files.log.read_text(encoding="utf-8").splitlines()]


def test_the_log_gets_one_line_per_evaluation_and_replaces_the_log_of_another_run(files):
    files.log.write_text("of another run\n")
    files.write_log([])
    assert files.log.read_text() == "of another run\n"
    history = [{"epoch": epoch} for epoch in (1, 2, 3)]
    for count in (1, 2, 2, 3):
        files.write_log(history[:count])
        assert logged(files) == [1, 2, 3][:count]


def test_a_log_that_a_killed_run_left_truncated_is_rewritten(files):
    files.log.write_text('{"epoch": 1}\n{"epo')
    files.write_log([{"epoch": 1}, {"epoch": 2}])
    assert logged(files) == [1, 2]


def test_log_lines_that_could_not_be_written_are_written_later(files):
    files.write_log([{"epoch": 1}])
    text = files.log.read_text()
    files.log.unlink()
    files.log.mkdir()
    with pytest.raises(ModelFileError, match="log.jsonl: cannot be written: Is a directory; choose another place"):
        files.write_log([{"epoch": 1}, {"epoch": 2}])
    files.log.rmdir()
    files.log.write_text(text)
    files.write_log([{"epoch": 1}, {"epoch": 2}, {"epoch": 3}])
    assert logged(files) == [1, 2, 3]


def test_without_a_log_nothing_is_written(tmp_path):
    RunFiles(tmp_path / "m.npz", None).write_log([{"epoch": 1}])
    assert list(tmp_path.iterdir()) == []
