"""Settings of the original Theano, made before it is imported, and filters for its messages.

Theano reads ``$THEANO_FLAGS`` and ``~/.theanorc`` once, when it is imported. Settings that the user has made there are
kept. Must not know graphs.
"""

import contextlib
import functools
import logging
import os
import re
import shutil
import subprocess
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

# Fastest first. The last is whatever the system calls its BLAS.
LIBRARIES = ("-lopenblas", "-lmkl_rt", "-lblas")
PROGRAM = 'extern "C" void sgemm_(); int main() { sgemm_(); }'
NO_COMPILER = (
    "Theano finds no C++ compiler and is slow without one; install g++ (Debian, Ubuntu: apt install g++; Fedora: "
    "dnf install gcc-c++)"
)
NO_BLAS = (
    "Theano finds no BLAS library for its matrix products and uses NumPy's, which is slower for short sentences; "
    "install one with its development files (Debian, Ubuntu: apt install libopenblas-dev; Fedora: dnf install "
    "openblas-devel)"
)


@contextlib.contextmanager
def theano_configured() -> Iterator[str | None]:
    """Provide Theano with its settings while it is imported, and hide messages that this package logs itself.

    Theano reads ``$THEANO_FLAGS`` only once, so the variable is restored at the end.

    Yields
    ------
    str or None
        What makes Theano slower than it could be, and the remedy.
    """
    compiler = setting("cxx")
    compiler = shutil.which("g++") if compiler is None else compiler
    before = os.environ.get("THEANO_FLAGS")
    if setting("blas.ldflags") is None:
        add_flag("blas.ldflags", blas_flags(compiler) if compiler else "")
    problem = NO_COMPILER if not compiler else NO_BLAS if not setting("blas.ldflags") else None
    logging.getLogger("theano.tensor.blas").addFilter(lambda record: "Using NumPy C-API" not in record.getMessage())
    logging.getLogger("theano.configdefaults").addFilter(lambda record: "g++ not" not in record.getMessage())
    logging.getLogger("theano.gof.compilelock").addFilter(CompileLockFilter())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy deprecates what Theano used in 2020
            yield problem
    finally:
        if before is None:
            os.environ.pop("THEANO_FLAGS", None)
        else:
            os.environ["THEANO_FLAGS"] = before


def warn_once(problem: str | None, folder: str | os.PathLike[str]) -> None:
    """Log a problem, unless it was logged before. A file in the folder, Theano's compile directory, records this."""
    if problem is None:
        return
    marker = Path(folder) / f"theano_rnn-told-{zlib.crc32(problem.encode()):08x}"
    if not marker.exists():
        with contextlib.suppress(OSError):
            marker.touch()
        logger.warning(problem)


def setting(name: str) -> str | None:
    """Return the user's setting in ``$THEANO_FLAGS``, else in the files of ``$THEANORC``, else None."""
    flags = dict(flag.partition("=")[::2] for flag in os.environ.get("THEANO_FLAGS", "").split(",") if flag)
    if name in flags:
        return flags[name]
    section, _, option = name.rpartition(".")
    for path in reversed(os.environ.get("THEANORC", "~/.theanorc").split(os.pathsep)):
        with contextlib.suppress(OSError):
            text = Path(path).expanduser().read_text(errors="replace")
            block = re.search(rf"^\[{section or 'global'}\]$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
            found = block and re.search(rf"^{option}\s*[=:]\s*(.*?)\s*$", block[1], re.MULTILINE)
            if found:
                return found[1]
    return None


def add_flag(name: str, value: str) -> None:
    """Add a setting to ``$THEANO_FLAGS``."""
    os.environ["THEANO_FLAGS"] = f"{os.environ.get('THEANO_FLAGS', '')},{name}={value}".lstrip(",")


def blas_flags(compiler: str) -> str:
    """Find the flag that links the system's BLAS library: the first of `LIBRARIES` that works, or "" if none does."""
    return next((library for library in LIBRARIES if can_link(compiler, library)), "")


def can_link(compiler: str, library: str) -> bool:
    """Tell whether a program that calls a BLAS product can be linked."""
    command = [compiler, "-x", "c++", "-", "-o", os.devnull, library]
    try:
        return subprocess.run(command, input=PROGRAM.encode(), capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class SubprocessInNewSession:
    """What Theano uses of the module `subprocess`. Processes start in a session of their own, which gets no Ctrl-C."""

    PIPE, STDOUT = subprocess.PIPE, subprocess.STDOUT
    Popen: Callable[..., Any] = functools.partial(subprocess.Popen, start_new_session=True)


class CompileLockFilter(logging.Filter):
    """Replaces Theano's messages about the lock of its compile directory by one line if another process holds it."""

    def __init__(self) -> None:
        super().__init__()
        self.has_warned: bool = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop every message."""
        if not self.has_warned and record.getMessage().startswith("Waiting for existing lock"):
            self.has_warned = True
            logger.warning("another process is compiling with Theano; waiting for it")
        return False
