"""The processes of a run as one JAX computation: gradients are summed by XLA, over gloo on CPUs and NCCL on GPUs.

Only `theano_rnn.engines.pytensor_engine` may import this module.
"""

import atexit
import contextlib
import functools
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
from jax._src import clusters, distributed, xla_bridge
from jax._src.lib import _jax
from jax.sharding import Mesh, NamedSharding

from theano_rnn.devices.coordination_service import READY, SECONDS_OF_SILENCE
from theano_rnn.devices.jax_devices import columns_along, copies_on, mesh_of, process_count, set_process_count
from theano_rnn.devices.process_group import ProcessGroup
from theano_rnn.devices.roll_call import is_this_machine_only, parse_address
from theano_rnn.errors import ProcessGroupError

# JAX's classes of clusters, and the environment variables that show that one of them has started this process.
CLUSTERS = {
    "Slurm": ("SlurmCluster", {"SLURM_STEP_NODELIST", "SLURM_PROCID"}),
    "Open MPI": ("OmpiCluster", {"OMPI_COMM_WORLD_RANK"}),
    "Kubernetes": ("K8sCluster", {"KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"}),
}
REMEDY = "give `coordinator`, `processes` and `process`"
SECONDS_TO_CONNECT = 60
BYTES_AT_ONCE = 2**26  # of all processes together
_make_gloo_collectives = _jax.make_gloo_tcp_collectives


def cluster_place() -> tuple[str, int, int] | None:
    """Return coordinator, number of processes and number of this process, as a cluster has assigned them.

    Returns
    -------
    (str, int, int) or None
        None if neither Slurm, Open MPI nor Kubernetes has started several processes of this program.

    Raises
    ------
    ProcessGroupError
        If a cluster has started them but does not tell where process 0 runs.
    """
    for name, (class_name, variables) in CLUSTERS.items():
        if variables <= os.environ.keys():
            cluster = next(one for one in clusters.ClusterEnv._cluster_types if one.__name__ == class_name)
            try:
                place = place_by(cluster)
            except Exception as error:  # of a cluster's own library, which has errors of all classes
                raise ProcessGroupError(
                    f"coordinator: {name} does not tell where process 0 runs "
                    f"({' '.join(str(error).split()) or type(error).__name__}); {REMEDY}"
                ) from error
            if place is not None:
                return place if place[1] > 1 else None
            if name == "Open MPI" and os.environ.get("OMPI_COMM_WORLD_SIZE", "1") != "1":
                raise ProcessGroupError(
                    f"coordinator: this version of Open MPI does not tell where process 0 runs; {REMEDY}, as "
                    "scripts/cluster/openmpi.sh does"
                )
            if name == "Kubernetes":
                raise ProcessGroupError(
                    "coordinator: finding the other pods of a Kubernetes job needs the package kubernetes; run "
                    f'pip install ".[kubernetes]", or {REMEDY}; if each pod has a run of its own, give only '
                    "`processes` 1"
                )
    return None


def place_by(cluster: Any) -> tuple[str, int, int] | None:
    """Return what one of JAX's clusters says: see `cluster_place`. None if it cannot say it here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns if it lacks a package
        if not cluster.is_env_present():
            return None
    count = cluster.get_process_count()
    port = os.environ.get("JAX_COORDINATOR_PORT")
    address = cluster.get_coordinator_address(SECONDS_TO_CONNECT, port) if count > 1 else ""
    return address, count, cluster.get_process_id()


# Beginning and end


def check_process_count(count: int) -> None:
    """Raise ProcessGroupError if this process cannot be one of several, because JAX has started in it."""
    if count > 1 and (xla_bridge.backends_are_initialized() or distributed.global_state.client is not None):
        raise ProcessGroupError("processes: JAX has already started in this process; begin the run in a new one")


@contextlib.contextmanager
def connected(group: ProcessGroup) -> Iterator[None]:
    """Connect the processes of a group until the end of the block.

    Raises
    ------
    ProcessGroupError
        If the processes cannot connect.
    """
    if group.count == 1:
        yield
        return
    host, port = parse_address(group.coordinator)
    service = start_service(host, port, group.count) if group.leads else None
    group.broadcast("the service is ready")
    try:
        connect(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", group)
        set_process_count(group.count)
        yield
    except BaseException:
        forget_client()
        raise
    else:
        group.meet()
        state: Any = distributed.global_state
        state.client.shutdown()  # waits for all processes
        state.client = None
        set_process_count(1)
        group.meet()
        if service is not None:
            service.communicate("end\n")


def start_service(host: str, port: int, count: int) -> subprocess.Popen[str]:
    """Start JAX's coordination service, beside process 0."""
    if is_this_machine_only(host):
        address = f"[{host}]:{port}" if ":" in host else f"127.0.0.1:{port}"
    else:
        address = f"[::]:{port}"
    command = [sys.executable, "-m", "theano_rnn.devices.coordination_service", address, str(count)]
    # It must not keep open what the run writes to, and Ctrl-C is not for it.
    service = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert service.stdout is not None
    if service.stdout.readline().strip() != READY:
        raise ProcessGroupError(f"coordinator: JAX's coordination service cannot use port {port}; choose another port")
    return service


def connect(address: str, group: ProcessGroup) -> None:
    """Connect this process to the service, and to the other processes."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    # By default gloo listens at the address of the host name, which other machines often cannot reach.
    _jax.make_gloo_tcp_collectives = functools.partial(_make_gloo_collectives, hostname=group.address)
    state = distributed.global_state
    state.client = _jax.get_distributed_runtime_client(
        address,
        group.index,
        init_timeout=SECONDS_TO_CONNECT,
        heartbeat_timeout=SECONDS_OF_SILENCE,
        shutdown_on_destruction=False,
        use_compression=True,
    )
    state.client.connect()
    state.process_id, state.num_processes, state.coordinator_address = group.index, group.count, address
    atexit.unregister(jax._src.api.clean_up)  # it would wait for processes that may have been lost


def forget_client() -> None:
    """Drop the client of the service without shutting it down, which would wait for processes that are lost."""
    state = distributed.global_state
    _forgotten.append(state.client)
    state.client = None


_forgotten: list[Any] = []


def first_sum(devices: int) -> None:
    """Compute a sum over all devices: the connections are made now, when all processes are here at the same time."""
    if process_count() > 1:
        count = devices * process_count()
        with silent_output():
            whole(spread(mesh_of(count), 0, np.zeros(count, np.float32)))


@contextlib.contextmanager
def silent_output() -> Iterator[None]:
    """Discard what libraries print, past Python, until the end of the block: gloo greets each of its connections."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


# Arrays of several processes


class OwnColumns(np.ndarray[Any, Any]):
    """An array of the size that all processes have together, with zeros in place of the columns of the others."""


def own_columns(array: Any) -> OwnColumns:
    """Return what this process has of an array whose columns are in several processes."""
    found = np.zeros(array.shape, array.dtype)
    for part in array.addressable_shards:
        found[part.index] = part.data
    return found.view(OwnColumns)


def gathered(array: Any) -> npt.NDArray[Any]:
    """Return all columns of a result. If they are in several processes, all must call this."""
    if not isinstance(array, OwnColumns):
        return np.asarray(array)
    mesh = mesh_of(process_count())
    place = NamedSharding(mesh, columns_along(0))
    with jax.enable_x64(array.dtype == np.float64):
        parts = jax.make_array_from_process_local_data(place, np.asarray(array)[None], (mesh.size, *array.shape))
        return np.asarray(jax.jit(lambda values: values.sum(0), out_shardings=copies_on(mesh))(parts))


def spread(mesh: Mesh, axis: int | None, array: Any) -> Any:
    """Return an array of all processes whose columns are along an axis.

    Parameters
    ----------
    mesh : Mesh
    axis : int or None
        None: each device gets all of it.
    array : array
        The same in all processes; of columns, only those of this process count.
    """
    array = np.asarray(array)
    place = NamedSharding(mesh, columns_along(axis))
    return jax.make_array_from_callback(array.shape, place, lambda index: array[index])


def whole(array: Any) -> npt.NDArray[Any]:
    """Return an array whose columns are in several processes as a NumPy array. All must call this."""
    return np.asarray(jax.jit(lambda value: value, out_shardings=copies_on(array.sharding.mesh))(array))


def exchange(read: Callable[[int, int], bytes], sizes: Sequence[int]) -> Iterator[list[npt.NDArray[np.uint8]]]:
    """Give all processes the bytes of each. All must call this.

    Parameters
    ----------
    read : callable
        Takes the first place and the place after the last one, and returns these of this process's bytes.
    sizes : sequence of int
        The number of bytes in each process.

    Yields
    ------
    list of uint8 arrays
        The next bytes of each process.
    """
    own = sizes[jax.process_index()]
    mesh = mesh_of(process_count())
    place = NamedSharding(mesh, columns_along(0))
    at_once = min(BYTES_AT_ONCE // len(sizes), max(sizes))
    for begin in range(0, max(sizes), max(at_once, 1)):
        row = np.zeros((1, at_once), np.uint8)
        piece = read(begin, min(begin + at_once, own)) if begin < own else b""
        row[0, : len(piece)] = np.frombuffer(piece, np.uint8)
        rows = whole(jax.make_array_from_process_local_data(place, row, (len(sizes), at_once)))
        yield [rows[k, : max(min(size - begin, at_once), 0)] for k, size in enumerate(sizes)]
