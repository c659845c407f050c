"""glibc's allocator is tuned where it is used, and nothing happens elsewhere."""

import pytest

from theano_rnn.commands import run_command
from theano_rnn.engines import malloc_settings


def test_three_settings_of_glibc_are_changed(monkeypatch):
    settings = []

    class Library:
        @staticmethod
        def mallopt(parameter, value):
            settings.append((parameter, value))
            return 1

    monkeypatch.setattr(malloc_settings.ctypes, "CDLL", lambda name: Library)
    monkeypatch.setattr(malloc_settings.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(malloc_settings.sys, "platform", "linux")
    malloc_settings.keep_freed_memory()
    assert {parameter for parameter, _ in settings} == {-1, -3, -8}


def test_nothing_happens_without_glibc(monkeypatch):
    monkeypatch.setattr(malloc_settings.ctypes, "CDLL", lambda name: pytest.fail("not with another C library"))
    monkeypatch.setattr(malloc_settings.platform, "libc_ver", lambda: ("musl", "1.2"))
    malloc_settings.keep_freed_memory()
    monkeypatch.setattr(malloc_settings.sys, "platform", "darwin")
    malloc_settings.keep_freed_memory()


def test_the_process_is_tuned_unless_it_is_switched_off(monkeypatch):
    settings = []
    monkeypatch.setattr(malloc_settings, "keep_freed_memory", lambda: settings.append("tuned"))
    monkeypatch.delenv("THEANO_RNN_MALLOC", raising=False)
    malloc_settings.tune_process()
    assert settings == ["tuned"]
    monkeypatch.setenv("THEANO_RNN_MALLOC", "off")
    malloc_settings.tune_process()
    assert settings == ["tuned"]


def test_a_command_tunes_its_process_before_it_starts(monkeypatch):
    done = []
    monkeypatch.setattr(run_command, "tune_process", lambda: done.append("tuned"))
    assert run_command.run("script.py", done.append, "begun") == 0
    assert done == ["tuned", "begun"]
