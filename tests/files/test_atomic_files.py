"""Atomic files are complete at any moment, even if the process is killed between any two of its file operations."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from theano_rnn.files.atomic_files import atomic_write, link_or_copy, remove_partial_files

ROOT = Path(__file__).resolve().parents[2]


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def write(path, content):
    with atomic_write(path) as file:
        file.write(content)


def test_a_new_file_replaces_the_old_one_only_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "a"
    write(path, b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old" and len(names(path.parent)) == 2
    assert path.read_bytes() == b"new" and names(path.parent) == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_exception_leaves_the_old_file_and_no_temporary_one(tmp_path, error):
    write(tmp_path / "a", b"old")
    with pytest.raises(error), atomic_write(tmp_path / "a") as file:
        file.write(b"half")
        raise error
    assert (tmp_path / "a").read_bytes() == b"old" and names(tmp_path) == ["a"]


def test_a_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "ordinary").write_bytes(b"")
    write(tmp_path / "a", b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_file_kept_under_a_second_name_survives_replacing_the_first(tmp_path):
    write(tmp_path / "a", b"first")
    link_or_copy(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "a", b"second")
    assert (tmp_path / "b").read_bytes() == b"first" and names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_second_name_that_exists_is_not_overwritten(tmp_path, monkeypatch, has_links):
    if not has_links:
        monkeypatch.setattr(os, "link", impossible)
    write(tmp_path / "a", b"second")
    write(tmp_path / "b", b"first")
    with pytest.raises(FileExistsError):
        link_or_copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"first" and names(tmp_path) == ["a", "b"]


def impossible(*arguments):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_without_hard_links_a_copy_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", impossible)
    write(tmp_path / "a", b"first")
    link_or_copy(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "a", b"second")
    assert (tmp_path / "b").read_bytes() == b"first" and names(tmp_path) == ["a", "b"]
    monkeypatch.setattr(shutil, "copyfile", impossible)
    with pytest.raises(OSError, match="not permitted"):
        link_or_copy(tmp_path / "a", tmp_path / "c")
    assert names(tmp_path) == ["a", "b"]


def test_a_symbolic_link_is_kept_and_its_target_is_replaced(tmp_path):
    (tmp_path / "large").mkdir()
    target, link = tmp_path / "large" / "a", tmp_path / "a"
    link.symlink_to(target)
    for content in (b"first", b"second"):
        if target.exists():
            link_or_copy(link, tmp_path / "b")
        write(link, content)
        assert link.is_symlink() and target.read_bytes() == content
    assert (tmp_path / "b").read_bytes() == b"first" and not (tmp_path / "b").is_symlink()
    assert names(tmp_path) == ["a", "b", "large"] and names(tmp_path / "large") == ["a"]
    (tmp_path / "large" / ".a.xyz.partial").write_bytes(b"")
    remove_partial_files(link)
    assert names(tmp_path / "large") == ["a"]


def test_only_the_partial_files_of_the_given_file_are_removed(tmp_path):
    others = ["a[1]", "a[1].partial", ".b.xyz.partial", ".a1.xyz.partial", ".a[1].xyz"]
    for name in [*others, ".a[1].xyz.partial", ".a[1].42.partial"]:
        (tmp_path / name).write_bytes(b"")
    remove_partial_files(tmp_path / "a[1]")
    assert names(tmp_path) == sorted(others)
    remove_partial_files(tmp_path / "absent" / "a")


KILLED = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from theano_rnn.files.archive import read_archive, write_archive
from theano_rnn.training.run_files import RunFiles

class Model:
    def __init__(self, number): self.number = number
    def save(self, path): write_archive(path, {"U": np.full(9, self.number)}, {})

def run(folder, last, number):
    files = RunFiles(folder / "m.npz", None)
    calls = 0

    def counted(function):
        def wrapper(*arguments, **settings):
            nonlocal calls
            if calls == last:
                os.kill(os.getpid(), signal.SIGKILL)
            calls += 1
            return function(*arguments, **settings)
        return wrapper

    for name in ("open", "link", "replace", "unlink", "fsync", "chmod", "close", "fdopen", "scandir"):
        setattr(os, name, counted(getattr(os, name)))
    configuration = {"state": {"epoch": 1, "step": 0}}
    with files.locked():
        files.write({"U": np.full(9, number)}, configuration, Model(number))

def in_process(*arguments):
    process = os.fork()
    if not process:
        run(*arguments)
        os._exit(0)
    return os.waitpid(process, 0)[1] == 0

def numbers(folder):
    paths = [folder / f"m{part}.npz" for part in ("", ".checkpoint", ".previous", ".previous.checkpoint")]
    return [int(read_archive(path)["U"][0]) if path.exists() else None for path in paths]

found, last, ended = [], 0, False
while not ended:
    folder = Path(sys.argv[1]) / str(last)
    folder.mkdir()
    assert in_process(folder, None, 1)
    ended = in_process(folder, last, 2)
    after = numbers(folder)
    assert in_process(folder, None, 3)
    hidden = [entry.name for entry in folder.iterdir() if entry.name.startswith(".")]
    found.append([after, numbers(folder), hidden])
    last += 1
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork processes")
def test_after_a_kill_at_any_point_the_files_of_both_runs_are_readable(tmp_path):
    """The model and the checkpoint are those of the old or the new run, and the old ones still exist under some name.

    Everything happens in a separate process that forks, because the process of the tests has threads.
    """
    finished = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(finished.stdout)
    for (model, checkpoint, old_model, old_checkpoint), next_run, hidden in found:
        assert {model, checkpoint} <= {1, 2} and checkpoint >= model
        assert {old_model, old_checkpoint} <= {None, 1}
        assert 1 in (model, old_model) and 1 in (checkpoint, old_checkpoint)
        # The next run works, and leaves no temporary file.
        assert next_run[:2] == [3, 3] and hidden == []
    assert found[-1][0] == [2, 2, 1, 1]
    assert len(found) > 15
