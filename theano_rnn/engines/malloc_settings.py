"""A setting of glibc's memory allocator that programs with large temporary arrays profit from, in any library.

It acts on the whole process. The scripts make it; importing or using the library does not.
"""

import ctypes
import os
import platform
import sys


def tune_process() -> None:
    """Call `keep_freed_memory` unless ``THEANO_RNN_MALLOC=off``, as each script does when it starts."""
    if os.environ.get("THEANO_RNN_MALLOC", "on") != "off":
        keep_freed_memory()


def keep_freed_memory() -> None:
    """Let glibc keep large freed blocks: mapping them anew every step costs up to a third of its time."""
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8
    mallopt(mmap_threshold, 1 << 30)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(arena_max, 1)
