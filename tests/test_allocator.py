"""glibc's allocator is tuned where it is, and nothing happens elsewhere."""

import pytest

from theano_rnn import allocator


def test_glibc_is_told_three_things_and_takes_them(monkeypatch):
    told = []

    class Library:
        @staticmethod
        def mallopt(parameter, value):
            told.append((parameter, value))
            return 1

    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: Library)
    monkeypatch.setattr(allocator.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    allocator.keep_freed_memory()
    assert {parameter for parameter, _ in told} == {-1, -3, -8}


def test_memory_is_only_tuned_where_glibc_is(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: pytest.fail("not with another C library"))
    monkeypatch.setattr(allocator.platform, "libc_ver", lambda: ("musl", "1.2"))
    allocator.keep_freed_memory()
    monkeypatch.setattr(allocator.sys, "platform", "darwin")
    allocator.keep_freed_memory()
