"""Compiled JAX functions whose shared arrays stay on the devices.

Only `theano_rnn.engines.pytensor_engine` may import this module.
"""

import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding

from theano_rnn.devices.column_split import ColumnSplit
from theano_rnn.devices.device_storage import DeviceArray, DeviceStorage, DeviceValue
from theano_rnn.devices.jax_devices import columns_along, copies_on, current_device, mesh_of, process_count
from theano_rnn.devices.jax_processes import own_columns, spread

MOST_CALLS_IN_PROGRESS = 8
"""How many calls of a split function may be in progress at once: XLA waits forever at 32 on a CPU."""


class SplitCalls:
    """Lets programs that are split over devices run one after the other, whichever threads call them.

    The devices of a program wait for each other. If they ran two programs at once, each program could wait for a device
    that waits for the other program, and XLA would end the process.
    """

    def __init__(self) -> None:
        self._lock: threading.Lock = threading.Lock()
        self._latest: Any = None
        self._outputs: deque[Any] = deque(maxlen=MOST_CALLS_IN_PROGRESS)

    def call(self, function: "JittedFunction", inputs: Sequence[Any]) -> list[Any]:
        """Call a function whose first result is an output."""
        with self._lock:
            # A step after a step of the same training run waits by itself, for the arrays that both update.
            if self._latest is not function or not function.updates:
                jax.block_until_ready(list(self._outputs))
                self._outputs.clear()
            elif len(self._outputs) == MOST_CALLS_IN_PROGRESS:
                jax.block_until_ready(self._outputs[0])
            results = function.call_on_devices(inputs)
            self._latest = function
            self._outputs.append(results[0])
            return results


split_calls = SplitCalls()


class JittedFunction:
    """A compiled JAX function whose shared arrays stay on the device, or on all devices that it is split over.

    Parameters
    ----------
    function : callable
        Takes the inputs and the shared arrays, and returns the outputs and new values of shared arrays.
    double : bool
        Whether it computes in float64.
    shared : dict of int to DeviceStorage
        The storage of each argument that is a shared array, by the argument's position. They are the last arguments.
    updates : dict of int to int
        The position of each updated shared array's new value among the results. New values overwrite the old ones.
    results : int
        The number of results.
    split : ColumnSplit, optional
        How inputs and outputs are split over devices. Default: everything is computed on one.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        double: bool,
        shared: dict[int, DeviceStorage],
        updates: dict[int, int],
        results: int,
        split: ColumnSplit | None = None,
    ) -> None:
        self.double: bool = double
        self.shared: dict[int, DeviceStorage] = shared
        self.updates: dict[int, int] = updates
        self.split: ColumnSplit | None = split
        self.mesh: Mesh | None = None if split is None else mesh_of(split.devices)
        settings: dict[str, Any] = {"donate_argnums": tuple(updates)}
        if split is not None and self.mesh is not None:
            arguments = [*split.inputs, *[None] * len(shared)]
            values = [*split.outputs, *[None] * (results - len(split.outputs))]
            function = split_over(self.mesh, function, arguments, values)
            settings["in_shardings"] = [NamedSharding(self.mesh, columns_along(axis)) for axis in arguments]
        self.compiled: Any = jax.jit(function, **settings)

    def __call__(self, *inputs: Any) -> Any:
        if self.split is None:
            return self.call_on_devices(inputs)
        count = len(self.split.inputs)
        padded, added = self.split.padded(inputs[:count])
        if process_count() == 1:
            results = split_calls.call(self, (*padded, *inputs[count:]))
            return self.split.without_added(results, added)
        assert self.mesh is not None
        with jax.enable_x64(self.double):
            parts = [spread(self.mesh, axis, array) for axis, array in zip(self.split.inputs, padded, strict=True)]
        results = split_calls.call(self, (*parts, *inputs[count:]))
        for i, axis in enumerate(self.split.outputs):
            if axis is not None:
                results[i] = own_columns(results[i])
        return self.split.without_added(results, added)

    def call_on_devices(self, inputs: Sequence[Any]) -> Any:
        """Call the function with inputs that all devices can share equally, and store the new values of its updates."""
        shared, updates = self.shared, self.updates
        with jax.enable_x64(self.double):
            arguments = list(inputs)
            for i, storage in shared.items():
                arguments[i] = value_for_call(storage, self.mesh)
            if not updates:
                return self.compiled(*arguments)
            # New values overwrite the old ones, so nothing may interrupt until they are stored.
            with interrupts_held():
                results = list(self.compiled(*arguments))
                for i, output in updates.items():
                    shared[i][0] = results[output] = DeviceValue(results[output], shared[i].transposed)
            return results

    def summed_bytes(self, arguments: Sequence[Any]) -> int:
        """Return the size in bytes of the arrays that a call sums over devices, on each of them."""
        if self.split is None:
            return 0
        count = len(self.split.inputs)
        padded, _ = self.split.padded(arguments[:count])
        with jax.enable_x64(self.double):
            return bytes_of_sums(self.compiled.trace(*padded, *arguments[count:]).jaxpr.jaxpr)


def bytes_of_sums(program: Any) -> int:
    """Return the size in bytes of all arrays that a JAX program (jaxpr) sums over devices, once for each sum."""
    total = 0
    for equation in program.eqns:
        if equation.primitive.name.startswith("psum"):
            total += sum(one.aval.size * one.aval.dtype.itemsize for one in equation.invars)
        times = equation.params["length"] if equation.primitive.name == "scan" else 1
        total += times * sum(map(bytes_of_sums, inner_programs(equation)))
    return total


def inner_programs(equation: Any) -> Iterator[Any]:
    """Yield the programs in an equation of a JAX program, such as the steps of a loop."""
    for value in equation.params.values():
        for one in value if isinstance(value, (tuple, list)) else [value]:
            program = getattr(one, "jaxpr", one)
            if hasattr(program, "eqns"):
                yield program


def split_over(
    mesh: Mesh, function: Callable[..., Any], arguments: Sequence[int | None], results: Sequence[int | None]
) -> Callable[..., Any]:
    """Return a function each of whose columns is computed on one device.

    Parameters
    ----------
    mesh : Mesh
    function : callable
        What each device computes of its columns. It sums over devices what must be the same on all of them.
    arguments, results : sequences of int or None
        The axis of the columns for each argument and result; None if it has none.
    """
    specs = [tuple(columns_along(axis) for axis in axes) for axes in (arguments, results)]
    # That the results without columns are the same on all devices is not checked: JAX would reject scans whose state
    # begins with a constant.
    return jax.shard_map(function, mesh=mesh, in_specs=specs[0], out_specs=specs[1], check_vma=False)


def value_for_call(storage: DeviceStorage, mesh: Mesh | None = None) -> DeviceArray:
    """Return the array that a compiled function takes; it is transferred first if necessary.

    Parameters
    ----------
    storage : DeviceStorage
    mesh : Mesh, optional
        The devices that each need a copy. By default, the device that functions run on needs it.
    """
    value = storage.raw
    if not isinstance(value, DeviceValue):
        value = move_to_device(storage, mesh)
    elif mesh is None and value.array.sharding.num_devices > 1:
        return value.array.addressable_shards[0].data
    elif mesh is not None and value.array.sharding.num_devices != mesh.size:
        value = move_to_device(storage, mesh)
    return value.array


def move_to_device(storage: DeviceStorage, mesh: Mesh | None = None) -> DeviceValue:
    """Move the value of a shared array to the device that functions run on, or to all devices of a mesh."""
    value = storage.view()
    array = np.ascontiguousarray(value.T if storage.transposed else value)
    # A copy, because XLA cannot overwrite the memory of a NumPy array: an update would need twice the memory. The NumPy
    # array is free once the copy is complete, so that there are never two of all parameters.
    if mesh is None:
        copies = jax.device_put(array, current_device(), may_alias=False)
    elif process_count() == 1:
        copies = jax.device_put(array, copies_on(mesh), may_alias=False)
    else:
        copies = spread(mesh, None, array)
    moved = DeviceValue(copies.block_until_ready(), storage.transposed)
    storage[0] = moved
    return moved


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Delay Ctrl-C until the end of the block."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    received: list[Any] = []
    signal.signal(signal.SIGINT, lambda *details: received.append(details))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(*received[-1])
