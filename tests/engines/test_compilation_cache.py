"""The folder of machine code: its name, and truncated entries."""

import os
import subprocess
import sys
import time
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from theano_rnn.engines import compilation_cache

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = zlib.compress(bytes(range(256)) * 20)


def test_the_processor_key_is_stable_and_differs_with_the_instruction_set(monkeypatch):
    key = compilation_cache.processor_key()
    assert key == compilation_cache.processor_key() and len(key) == 16 and key.isalnum()

    def machine(text):
        monkeypatch.setattr(compilation_cache, "Path", lambda path: SimpleNamespace(read_text=lambda errors: text))
        return compilation_cache.processor_key()

    fast, slow = "model: x\nflags: avx avx512\nMHz: 1\n", "model: x\nflags: avx\nMHz: 1\n"
    assert machine(fast) != machine(slow)
    assert machine(fast) == machine(fast.replace("MHz: 1", "MHz: 2"))


def test_the_processor_key_needs_no_description_of_the_processor(monkeypatch):
    def unreadable(errors):
        raise FileNotFoundError

    monkeypatch.setattr(compilation_cache, "Path", lambda path: SimpleNamespace(read_text=unreadable))
    assert len(compilation_cache.processor_key()) == 16


@pytest.mark.parametrize(
    ("content", "complete"),
    [
        (COMPLETE, True),
        (COMPLETE[:-1], False),
        (COMPLETE[:100], False),
        (b"", False),
        (COMPLETE[:50] + b"\0" * 50 + COMPLETE[100:], False),
        (b"\x28\xb5\x2f\xfd compressed by zstd", True),
    ],
    ids=["complete", "a byte short", "truncated", "empty", "overwritten", "of another kind"],
)
def test_only_truncated_entries_are_removed(tmp_path, content, complete):
    entry, other = tmp_path / "jit_f-0-cache", tmp_path / "notes"
    entry.write_bytes(content)
    other.write_bytes(b"")
    compilation_cache.remove_damaged_entries(tmp_path)
    assert entry.exists() is complete and other.exists()


def test_only_entries_since_the_last_check_are_checked(tmp_path):
    old, new = tmp_path / "old-cache", tmp_path / "new-cache"
    old.write_bytes(b"")
    os.utime(old, (1, 1))
    compilation_cache.remove_damaged_entries(tmp_path)
    assert not old.exists()
    old.write_bytes(b"")
    os.utime(old, (1, 1))
    time.sleep(0.01)
    new.write_bytes(b"")
    compilation_cache.remove_damaged_entries(tmp_path)
    assert old.exists() and not new.exists()


def test_a_missing_folder_is_ignored(tmp_path):
    compilation_cache.remove_damaged_entries(tmp_path / "absent")


PROGRAM = "from theano_rnn.networks.rnn import RNN; print(RNN(7, 3, seed=1).predict([1, 2]).tolist())"


@pytest.mark.slow
@pytest.mark.xla
def test_functions_with_truncated_machine_code_are_compiled_again_without_a_message(tmp_path):
    def run():
        finished = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, "THEANO_RNN_CACHE": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert finished.stderr == ""
        return finished.stdout, {path.name: path.read_bytes() for path in tmp_path.glob("*-cache")}

    first, entries = run()
    assert entries
    for name, content in entries.items():
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    second, again = run()
    assert second == first
    assert again.keys() == entries.keys()
    assert all(compilation_cache.is_complete(tmp_path / name) for name in again)
