"""Whether the parameters of a network with a large vocabulary fit into memory, checked before training begins."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

from theano_rnn.engines.engine import device_name
from theano_rnn.errors import OptionError
from theano_rnn.networks.parameters import ParameterLayout
from theano_rnn.networks.updates import UPDATE_RULES

BYTES = 4  # of a number
COPIES = 2  # of the parameters, beside those in training: the best so far, and those that samples are generated from
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def bytes_needed(layout: ParameterLayout, rule: str, devices: int = 1) -> int:
    """Return about how many bytes the parameters of a network and their accumulators take up in training.

    Each device in this memory has its own parameters and accumulators.

    Examples
    --------
    >>> from theano_rnn.networks.architecture import Architecture
    >>> bytes_needed(Architecture(word_dim=1_000_000, hidden_dim=100), "adam")
    4000200000
    """
    parameters = sum(math.prod(shape) for shape in layout.parameter_shapes.values())
    return BYTES * parameters * (COPIES + devices * (1 + len(UPDATE_RULES[rule].accumulators)))


def check_memory(layout: ParameterLayout, rule: str, words: int | None, devices: int = 1) -> None:
    """Check that the parameters of a network fit into memory in training.

    Parameters
    ----------
    layout : ParameterLayout
    rule : str
        The optimizer.
    words : int or None
        Size of the vocabulary; None for a network on recordings.
    devices : int
        The number of devices that each minibatch is split over. Cores of a CPU share its memory.

    Raises
    ------
    OptionError
        If they need more memory than is available, as far as that is known.
    """
    if devices > 1 and device_name() is not None:
        devices = 1  # GPUs have their own memory
    needed, available = bytes_needed(layout, rule, devices), bytes_available()
    if available is None or needed <= available:
        return
    option, network, remedies = "hidden_dim", "", ["fewer `devices`"] if devices > 1 else []
    if words is not None:
        option, network = "vocabulary_size", f"{words:,} words and "
        remedies.append("a smaller vocabulary with `vocabulary_size` or `min_count`")
    remedies.append(f"{'or ' if remedies else ''}a smaller `hidden_dim`")
    raise OptionError(
        f"{option}: training a network with {network}`hidden_dim` {layout.hidden_dim:,} needs {needed:,} bytes of "
        f"memory, and {available:,} are available; choose {', '.join(remedies)}"
    )


def bytes_available() -> int | None:
    """Return how much memory this process can still get; None if the system does not say."""
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    """The memory of the machine that is free or can be freed, and what limits of the container and the user leave."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        yield 1024 * sum(int(lines[name].split()[0]) for name in ("MemAvailable", "SwapFree"))
    with contextlib.suppress(OSError, ValueError):  # "max" is no number
        yield int((CGROUP / "memory.max").read_text()) - int((CGROUP / "memory.current").read_text())
    with contextlib.suppress(ImportError):  # on Windows
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
        if limit != resource.RLIM_INFINITY:
            yield limit
