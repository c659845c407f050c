"""Settings of glibc's memory allocator that speed up programs with large temporary arrays.

They apply to the whole process, whichever library allocates. The commands change them; importing or using the package
does not.
"""

import ctypes
import os
import platform
import sys


def tune_process() -> None:
    """Call `keep_freed_memory`, as each command does when it starts, unless ``THEANO_RNN_MALLOC=off``."""
    if os.environ.get("THEANO_RNN_MALLOC", "on") != "off":
        keep_freed_memory()


def keep_freed_memory() -> None:
    """Make glibc keep large freed blocks instead of returning them to the system. Does nothing without glibc.

    Mapping the blocks again at every training step takes up to a third of its time.
    """
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(arena_max, 1)
