"""The devices of JAX that functions run on: the CPU, its cores as several devices, or GPUs.

Only `theano_rnn.engines.pytensor_engine` may import this module.
"""

import contextlib
import functools
import logging
import os
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from theano_rnn.errors import OptionError

JAX_LOGGER = "jax._src.xla_bridge"
DEVICE_AXIS = "devices"
"""The name of the axis of the mesh, which sums over devices refer to."""


def select_device(name: str, count: int = 1) -> None:
    """Choose the devices that functions run on; see `theano_rnn.engines.engine.select_device`."""
    cores_become_devices(count)
    if name == "auto":
        jax.config.update("jax_default_device", None)
    else:
        with messages_kept() as messages:
            try:
                device = jax.local_devices(backend=name)[0]
            except RuntimeError as error:
                reason = f" ({messages[-1]})" if messages else ""
                raise OptionError(
                    f"device: JAX finds no {name} on this machine{reason}; install theano_rnn with the extra 'gpu' on "
                    "a machine that has one, or choose cpu"
                ) from error
        jax.config.update("jax_default_device", device)
    if count > 1:
        check_count(count)


@contextlib.contextmanager
def messages_kept() -> Iterator[list[str]]:
    """Collect what JAX says when it looks for devices, such as why CUDA cannot be loaded.

    If the block raises no error, the messages are logged at its end. Otherwise they are not: they contain tracebacks.
    """
    logger, messages, records = logging.getLogger(JAX_LOGGER), [], []

    def keep(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        messages.append(" ".join(str(error or record.getMessage()).split()).rstrip("."))
        records.append(record)
        return False

    logger.addFilter(keep)
    try:
        yield messages
    except OptionError:
        records.clear()
        raise
    finally:
        logger.removeFilter(keep)
        for record in records:
            logger.handle(record)


def cores_become_devices(count: int) -> None:
    """Tell JAX to use CPU cores as devices, if it has not started yet and does not know enough devices already."""
    if 1 < count <= available_cores() and jax.config.jax_num_cpu_devices < count:
        with contextlib.suppress(RuntimeError):  # JAX has started; `check_count` finds out with how many devices
            jax.config.update("jax_num_cpu_devices", count)


def useful_devices(name: str) -> int:
    """Return how many devices it makes sense to use; see `theano_rnn.engines.engine.useful_devices`."""
    idle = available_cores() - round(load_average())
    if name == "gpu" or idle < 2:
        return 1
    cores_become_devices(idle)
    select_device(name)
    return min(idle, len(jax.local_devices(backend="cpu"))) if current_device().platform == "cpu" else 1


def load_average() -> float:
    """Return how many processes wanted a core in the last minute, on average; 0 if the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # on Windows
        return 0.0


def available_cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_count(count: int) -> None:
    """Raise OptionError if there are not so many devices."""
    platform = current_device().platform
    found = len(jax.local_devices(backend=platform))
    if count <= found:
        return
    if platform != "cpu":
        raise OptionError(f"devices: expected at most {found}, the number of GPUs of this machine, got {count}")
    if count > available_cores():
        cores = max(found, available_cores())
        raise OptionError(f"devices: expected at most {cores}, the number of CPU cores of this machine, got {count}")
    raise OptionError(
        f"devices: JAX has already started in this process, with {found} of the {count} devices; choose them before "
        f"anything is computed, or set the environment variable JAX_NUM_CPU_DEVICES={count} before Python starts"
    )


def current_device() -> Any:
    """Return the JAX device that functions run on; the first one of a function that is split over several."""
    return jax.config.jax_default_device or jax.local_devices()[0]


def device_name() -> str | None:
    """Return the name of the device that functions run on; None for a CPU, whose name says nothing useful."""
    device = current_device()
    return None if device.platform == "cpu" else device.device_kind


def mesh_of(count: int) -> Mesh:
    """Return so many devices of the kind that functions run on: the first ones of each process, the same number."""
    return _mesh(current_device().platform, count, process_count())


@functools.cache
def _mesh(platform: str, count: int, processes: int) -> Mesh:
    members = [jax.process_index()] if processes == 1 else range(processes)
    local = count // processes
    devices = [one for k in members for one in jax.local_devices(process_index=k, backend=platform)[:local]]
    return Mesh(np.array(devices), (DEVICE_AXIS,))


_processes_together = 1


def process_count() -> int:
    """Return the number of processes that compute together now."""
    return _processes_together


def set_process_count(count: int) -> None:
    """Choose how many processes compute together."""
    global _processes_together
    _processes_together = count


def columns_along(axis: int | None) -> PartitionSpec:
    """Return the description of an array whose columns, along this axis, are on several devices; None: on each, all."""
    return PartitionSpec() if axis is None else PartitionSpec(*[None] * axis, DEVICE_AXIS)


def copies_on(mesh: Mesh) -> NamedSharding:
    """Return the placement of an array that is on every device."""
    return NamedSharding(mesh, columns_along(None))


def exact_products() -> contextlib.AbstractContextManager[Any]:
    """Compute float32 products in full precision until the end of the block; a GPU would round factors to 10 bits."""
    if current_device().platform == "cpu":
        return contextlib.nullcontext()
    return jax.default_matmul_precision("highest")
