"""What the original Theano is told before it is imported, and what it says that users need not see. Knows no graphs.

Theano reads $THEANO_FLAGS and ~/.theanorc once, when it is imported; what a user has set there stays.
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
from pathlib import Path

logger = logging.getLogger(__name__)

# In the order of their speed; the last is whatever a system calls its BLAS.
LIBRARIES = ("-lopenblas", "-lmkl_rt", "-lblas")
PROGRAM = 'extern "C" void sgemm_(); int main() { sgemm_(); }'
NO_COMPILER = (
    "Theano finds no C++ compiler and is slow without one; install g++ (Debian, Ubuntu: apt install g++; Fedora: "
    "dnf install gcc-c++)"
)
NO_BLAS = (
    "Theano finds no BLAS library for its matrix products, and takes NumPy's, which is slower for short sentences; "
    "install one with its development files (Debian, Ubuntu: apt install libopenblas-dev; Fedora: dnf install "
    "openblas-devel)"
)


@contextlib.contextmanager
def applied():
    """While active, Theano may be imported: it finds its settings, and says nothing that is said here already.

    Theano reads $THEANO_FLAGS only once, so afterwards it is as it was.

    Yields
    ------
    str or None
        What makes it slower than it could be, and the remedy.
    """
    compiler = setting("cxx")
    compiler = shutil.which("g++") if compiler is None else compiler
    before = os.environ.get("THEANO_FLAGS")
    if setting("blas.ldflags") is None:
        add_flag("blas.ldflags", blas_flags(compiler) if compiler else "")
    problem = NO_COMPILER if not compiler else NO_BLAS if not setting("blas.ldflags") else None
    for name, hidden in (("theano.tensor.blas", "Using NumPy C-API"), ("theano.configdefaults", r"g\+\+ not")):
        logging.getLogger(name).addFilter(lambda record, hidden=hidden: not re.search(hidden, record.getMessage()))
    logging.getLogger("theano.gof.compilelock").addFilter(LockMessages())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of NumPy's, about what Theano took from it in 2020
            yield problem
    finally:
        if before is None:
            os.environ.pop("THEANO_FLAGS", None)
        else:
            os.environ["THEANO_FLAGS"] = before


def tell_once(problem, folder):
    """Log a problem, unless that was done before: a mark in the folder, where Theano keeps what it compiles, tells."""
    if problem is None:
        return
    mark = Path(folder) / f"theano_rnn-told-{zlib.crc32(problem.encode()):08x}"
    if not mark.exists():
        with contextlib.suppress(OSError):
            mark.touch()
        logger.warning(problem)


def setting(name):
    """What the user has set: in $THEANO_FLAGS, else in the files of $THEANORC or ~/.theanorc; None if nothing."""
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


def add_flag(name, value):
    """Set what the user has not set."""
    os.environ["THEANO_FLAGS"] = f"{os.environ.get('THEANO_FLAGS', '')},{name}={value}".lstrip(",")


def blas_flags(compiler):
    """How to link the system's BLAS library: the flag of the first that can be linked; "" if there is none."""
    return next((library for library in LIBRARIES if can_link(compiler, library)), "")


def can_link(compiler, library):
    command = [compiler, "-x", "c++", "-", "-o", os.devnull, library]
    try:
        return subprocess.run(command, input=PROGRAM.encode(), capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class UndisturbedProcesses:
    """Of the module subprocess what starts processes; in a group of their own, where signals to ours do not come."""

    PIPE, STDOUT = subprocess.PIPE, subprocess.STDOUT
    Popen = functools.partial(subprocess.Popen, start_new_session=True)


class LockMessages(logging.Filter):
    """In place of what Theano says of its compile directory's lock, one line when another process holds it."""

    def __init__(self):
        super().__init__()
        self.told = False

    def filter(self, record):
        if not self.told and record.getMessage().startswith("Waiting for existing lock"):
            self.told = True
            logger.warning("another process is compiling with Theano; waiting for it")
        return False
