"""NumPy's products use one thread inside the block, and as many as before after it."""

import threading

import pytest

from theano_rnn.engines import blas_threads
from theano_rnn.engines.blas_threads import OneBlasThread


@pytest.fixture
def threads(monkeypatch):
    """The numbers of threads that have been set; the last is the current one."""
    numbers = [4]
    monkeypatch.setattr(blas_threads, "thread_functions", lambda: (lambda: numbers[-1], numbers.append))
    return numbers


def test_the_number_of_threads_is_restored_even_after_an_error(threads):
    with pytest.raises(ZeroDivisionError), OneBlasThread():
        assert threads == [4, 1]
        1 / 0  # noqa: B018
    assert threads == [4, 1, 4]


def test_overlapping_blocks_of_several_python_threads_restore_the_first_number(threads):
    block, is_inside, may_leave = OneBlasThread(), threading.Event(), threading.Event()

    def other():
        with block:
            is_inside.set()
            may_leave.wait()

    thread = threading.Thread(target=other)
    with block:
        thread.start()
        is_inside.wait()
    assert threads == [4, 1]
    may_leave.set()
    thread.join()
    assert threads == [4, 1, 4]


def test_the_functions_of_the_installed_blas_can_be_called():
    get, set_to = blas_threads.thread_functions()
    before = get()
    with blas_threads.one_blas_thread:
        assert get() == 1
    assert get() == before >= 1


def test_another_blas_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(blas_threads, "NAMES", ("no_such_name_{}",))
    get, set_to = blas_threads.thread_functions.__wrapped__()
    set_to(1)
    assert get() == 1
