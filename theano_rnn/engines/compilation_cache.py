"""The folder in which XLA's machine code is kept between runs. Knows no compiler."""

import contextlib
import hashlib
import logging
import os
import platform
import time
import zlib
from pathlib import Path

logger = logging.getLogger(__name__)

ENTRY_ENDING = "-cache"
CHECKED = "theano_rnn-checked"  # when it was last looked for damaged entries
ZLIB_START = b"\x78"


def folder():
    """$THEANO_RNN_CACHE, else a folder in the user's cache that is named after this processor's features.

    Machine code made for another processor would not run.

    Returns
    -------
    pathlib.Path or None
        None where there is no folder that can be written.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    chosen = os.environ.get("THEANO_RNN_CACHE") or "on"
    path = home / "theano_rnn" / processor_key() if chosen == "on" else Path(chosen)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        logger.info("compiled functions are not kept between runs: %s", error)
        return None
    if not os.access(path, os.W_OK):
        logger.info("compiled functions are not kept between runs: %s is not writable", path)
        return None
    return path


def processor_key():
    """A short name that differs between processors with different instruction sets."""
    description = platform.machine() + platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        description += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        pass
    return hashlib.sha256(description.encode()).hexdigest()[:16]


def remove_damaged(path):
    """Remove entries that a full disk, or a process killed while it wrote, has left cut off.

    JAX would find them unreadable at every start, and never replace them. Only entries since the last look are looked
    at.

    Parameters
    ----------
    path : pathlib.Path
        The folder.
    """
    checked = path / CHECKED
    started = time.time_ns()
    with contextlib.suppress(OSError):
        since = checked.stat().st_mtime_ns if checked.exists() else 0
        for entry in path.glob(f"*{ENTRY_ENDING}"):
            if entry.stat().st_mtime_ns >= since and not is_whole(entry):
                logger.info("%s: cut off; compiled anew", entry)
                entry.unlink()
        checked.touch()
        os.utime(checked, ns=(started, started))


def is_whole(entry):
    """Whether a packed file can be unpacked to its end; True also for what is packed in another way than zlib's."""
    with open(entry, "rb") as file:
        packed = file.read()
    if packed and not packed.startswith(ZLIB_START):
        return True
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(packed)
    except zlib.error:
        return False
    return unpacking.eof
