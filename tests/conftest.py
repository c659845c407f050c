"""Fixtures that several test modules share."""

import gc
import gzip
import os
import signal
import tempfile
from pathlib import Path

import numpy as np
import pytest

# Compiled functions are kept for one test run only. The tests neither read nor write the user's cache.
_CACHE = tempfile.TemporaryDirectory(prefix="theano_rnn-tests-")
os.environ.setdefault("THEANO_RNN_CACHE", _CACHE.name)


def _set_default_flags(variable, **defaults):
    """Add flags to an environment variable of Theano or PyTensor, unless they are given."""
    # The workers inherit the folder of the first process.
    flags = [flag for flag in os.environ.get(variable, "").split(",") if flag and "theano_rnn-tests-" not in flag]
    for name, value in defaults.items():
        name = name.replace("__", ".")
        if not any(name in flag for flag in flags):
            flags.append(f"{name}={value}")
    os.environ[variable] = ",".join(flags)


# Each worker has a folder of its own, because a process that compiles with Theano locks it. The networks of the tests
# are small: with the compiler's optimization, compiling would take longer than computing.
_set_default_flags("THEANO_FLAGS", base_compiledir=_CACHE.name, gcc__cxxflags="-O0")
_set_default_flags("PYTENSOR_FLAGS", base_compiledir=_CACHE.name)

# On a GPU, each worker would take three quarters of its memory at the start.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def pytest_configure(config):
    """Let XLA compile the small networks of the quick tests without LLVM's optimization, a fifth of their time.

    The slow tests and the commands of .ci/run compile as for a user. XLA_FLAGS that are set already stay.
    """
    if "not slow" in config.option.markexpr:
        os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items):
    from theano_rnn.engines.engine import engine_name

    if engine_name() == "theano":
        for item in items:
            if item.get_closest_marker("xla"):
                item.add_marker(pytest.mark.skip(reason="for PyTensor and XLA only, not the original Theano"))


def pytest_runtest_setup(item):
    marker = item.get_closest_marker("gpu")
    if marker is not None:
        from support.devices import gpu_count

        cards = marker.kwargs.get("cards", 1)
        if gpu_count() < cards:
            pytest.skip("no GPU found here" if cards == 1 else f"fewer than {cards} GPUs found here")


@pytest.fixture(scope="session", autouse=True)
def default_signal_handlers():
    """Restore Ctrl-C, which is ignored in tests started in the background of a shell and in all their subprocesses."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def write(tmp_path):
    """Returns a function that writes bytes or UTF-8 text to a file, compressed if its name ends in .gz."""

    def write(name, content):
        data = content.encode("utf-8") if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.lower().endswith(".gz") else data)
        return path

    return write


@pytest.fixture
def float64():
    """Sets theano.config.floatX to float64."""
    from theano_rnn.engines.engine import precision

    with precision("float64"):
        yield


@pytest.fixture(scope="session")
def golden():
    """Results of the tutorial's own class on Theano 1.0.5 (word_dim 120, hidden_dim 24), by name."""
    with np.load(Path(__file__).with_name("support") / "tutorial_golden.npz") as archive:
        return dict(archive)


@pytest.fixture(scope="session")
def shared_data():
    """Returns a function that finds a file of the corpora that are not shipped, or skips the test."""

    def find(name):
        path = SHARED / name
        if not path.is_file():
            pytest.skip(f"{name} is not beside this checkout; it is not shipped with theano_rnn")
        return path

    return find


def pytest_collection_finish(session):
    """Exclude the collected tests and the imported modules, which live until the end, from garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
