"""The folder in which XLA's machine code is kept between runs. Must not know any compiler."""

import contextlib
import hashlib
import logging
import os
import platform
import time
import zlib
from pathlib import Path

logger = logging.getLogger(__name__)

ENTRY_SUFFIX = "-cache"
LAST_CHECK = "theano_rnn-checked"  # its modification time is when entries were last checked
ZLIB_START = b"\x78"


def cache_folder() -> Path | None:
    """Create and return the cache folder.

    It is the folder named by ``THEANO_RNN_CACHE``, else one in the user's cache, named after this processor's features.

    Each kind of processor has a folder of its own because machine code made for another one would not run.

    Returns
    -------
    pathlib.Path or None
        None if no folder is writable.
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


def processor_key() -> str:
    """Return a short name that differs between processors with different instruction sets."""
    description = platform.machine() + platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        description += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        pass
    return hashlib.sha256(description.encode()).hexdigest()[:16]


def remove_damaged_entries(path: Path) -> None:
    """Remove entries that are truncated because the disk was full or the process that wrote them was killed.

    JAX would fail to read such an entry at every start and never replace it. Only entries written since the last check
    are checked.

    Parameters
    ----------
    path : pathlib.Path
        The folder.
    """
    last_check = path / LAST_CHECK
    started = time.time_ns()
    with contextlib.suppress(OSError):
        since = last_check.stat().st_mtime_ns if last_check.exists() else 0
        for entry in path.glob(f"*{ENTRY_SUFFIX}"):
            if entry.stat().st_mtime_ns >= since and not is_complete(entry):
                logger.info("%s: truncated; it will be compiled again", entry)
                entry.unlink()
        last_check.touch()
        os.utime(last_check, ns=(started, started))


def is_complete(entry: Path) -> bool:
    """Tell whether a compressed file can be decompressed to its end. Files in other formats count as complete."""
    compressed = entry.read_bytes()
    if compressed and not compressed.startswith(ZLIB_START):
        return True
    decompressor = zlib.decompressobj()
    try:
        decompressor.decompress(compressed)
    except zlib.error:
        return False
    return decompressor.eof
