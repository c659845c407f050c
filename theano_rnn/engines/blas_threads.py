"""Run NumPy's matrix products on one thread, which is faster for small products on a busy machine."""

import contextlib
import ctypes
import functools
import importlib
import threading
from collections.abc import Callable

# The names in OpenBLAS as NumPy's wheels contain it (2 and later, before 2), and as systems package it.
NAMES = ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads")
MODULES_WITH_BLAS = ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath")


class OneBlasThread:
    """A context in which NumPy's products use one thread. Does nothing without OpenBLAS.

    Products of two threads wait for each other. While other processes use all cores, that can take milliseconds. The
    setting is that of the process: products in other Python threads use one thread meanwhile, too.
    """

    def __init__(self) -> None:
        self.lock: threading.Lock = threading.Lock()
        self.users: int = 0
        self.threads_before: int = 1

    def __enter__(self) -> None:
        with self.lock:
            if self.users == 0:
                get, set_to = thread_functions()
                self.threads_before = get()
                set_to(1)
            self.users += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0:
                _, set_to = thread_functions()
                set_to(self.threads_before)


@functools.cache
def thread_functions() -> tuple[Callable[[], int], Callable[[int], object]]:
    """Return OpenBLAS's functions that get and set the number of threads."""
    for module in MODULES_WITH_BLAS:
        with contextlib.suppress(ImportError, OSError):
            library = ctypes.PyDLL(
                importlib.import_module(module).__file__
            )  # the calls are too short to release the GIL
            for name in NAMES:
                with contextlib.suppress(AttributeError):
                    return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return (lambda: 1), (lambda threads: None)


one_blas_thread = OneBlasThread()
