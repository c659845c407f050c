"""PyTensor, compiled through XLA: its names, functions, devices and caches.

Only `engine` may import this module. Must not know what a model means.
"""

# ruff: noqa: F401  (some names are imported for `engine` to take)

import contextlib
import functools
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytensor as theano
import pytensor.tensor as T
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply, Constant
from pytensor.graph.op import Op
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.traversal import ancestors
from pytensor.link.jax.dispatch import jax_funcify, jax_typify
from pytensor.link.jax.linker import JAXLinker
from pytensor.link.utils import fgraph_to_python
from pytensor.scan.op import Scan
from pytensor.tensor.basic import ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.sharedvar import TensorSharedVariable

from theano_rnn.devices.column_split import ColumnSplit
from theano_rnn.devices.device_storage import DeviceStorage, DeviceStorageView, DeviceValue
from theano_rnn.devices.jax_devices import (
    DEVICE_AXIS,
    device_name,
    exact_products,
    process_count,
    select_device,
    useful_devices,
)
from theano_rnn.devices.jax_processes import (
    check_process_count,
    cluster_place,
    connected,
    exchange,
    first_sum,
    gathered,
)
from theano_rnn.devices.jitted_function import JittedFunction, value_for_call
from theano_rnn.engines import compilation_cache
from theano_rnn.engines.tensor_types import SharedVariable, TensorVariable
from theano_rnn.errors import ForkedProcessError

# Building and tracing graphs temporarily changes settings of the whole process, so only one thread at a time may do it.
BUILDING = threading.RLock()

scan = functools.partial(theano.scan, return_updates=False)
debugprint = functools.partial(theano.dprint, file="str")
xla_version = jax_funcify.register
batched_dot = T.matmul


class SharedArray(TensorSharedVariable):
    """A shared variable of fixed shape. Our compiled functions keep its value on the device and update it in place.

    In formulas, `get_value` and `set_value` it has its own shape. Only its copy on the device may be transposed.
    """

    @property
    def matrix(self) -> "SharedArray":
        """This variable. Formulas written for early versions use this name."""
        return self

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> npt.NDArray[Any]:
        """Return the value as a NumPy array that belongs to the caller."""
        return np.array(self.container.storage.peek(), order="C")

    def view(self) -> npt.NDArray[Any]:
        """Return the value, where possible without copying it. It must not be changed, and is valid until an update."""
        return self.container.storage.view()

    def value_on_host(self) -> npt.NDArray[Any]:
        """Return the value as a NumPy array that is copied once and must not be changed."""
        storage = self.container.storage
        value_for_call(storage)  # what a NumPy array holds could change without notice
        return storage.raw.on_host

    def set_value(self, new_value: npt.ArrayLike, borrow: bool = False) -> None:
        """Replace the value by a copy of a NumPy array."""
        self.container.storage[0] = self.type.filter(np.array(new_value, order="C"), strict=True)


def shared(value: npt.NDArray[Any], name: str, transposed: bool) -> SharedArray:
    """Make a shared variable of fixed shape, perhaps transposed in memory; see `engine.shared_array`."""
    variable = SharedArray(T.TensorType(value.dtype, shape=value.shape), value, strict=True, name=name)
    variable.container.storage = DeviceStorage(value, transposed)
    return variable


def float_parameter() -> Any:
    """Return the object that holds floatX in PyTensor's configuration."""
    return theano.config._config_var_dict["floatX"]


def step_of_scan(operation: Any) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """Return the symbolic inputs and outputs of one step of a `scan`."""
    return operation.inner_inputs, operation.inner_outputs


def axis_length(array: TensorVariable, axis: int) -> Any:
    """Return the length of an axis of a symbolic array if it is known without data, as a parameter's, else None."""
    return (array.shape if isinstance(array, np.ndarray) else array.type.shape)[axis]


def with_last_axis_length(array: TensorVariable, length: Any) -> TensorVariable:
    """Return the same array of three axes, with the length of its last axis known without data."""
    return T.specify_shape(array, (None, None, length))


def typed_tensor(name: str, dtype: str, shape: Sequence[int | None]) -> TensorVariable:
    """Make a symbolic array. A length of None is unknown."""
    return T.tensor(name, dtype=dtype, shape=shape)


def block_until_ready(results: Any) -> Any:
    """Wait for the results of a function, and return them: XLA returns results before they are computed."""
    return jax.block_until_ready(results)


def wait_for(variables: Sequence[SharedArray]) -> None:
    """Wait for the values of shared arrays: XLA returns from an update before they are computed."""
    raw = [variable.container.storage.raw for variable in variables]
    jax.block_until_ready([value.array for value in raw if isinstance(value, DeviceValue)])


def fused(operation: Op, formula: Callable[..., Any]) -> Callable[..., Any]:
    """Return the form of a formula that is fast with this engine: the operation, which has a version for XLA."""
    return operation


class XLALinker(JAXLinker):
    """PyTensor's JAX linker, for graphs in one precision whose inputs have unknown lengths.

    `jax.jit` specializes the one function for every new shape. While it traces, all sizes are known numbers. PyTensor's
    arithmetic on them, such as the length of scan's buffers, would be traced like data and become abstract; here it is
    computed at once instead.

    JAX's 64-bit switch is a setting of the calling thread. It is set around each call, so that models of both
    precisions can be used in one process. (PyTensor sets it for the whole process when its JAX backend is imported.)

    Shared arrays are transferred to the device once instead of at each call, and updated in place. With a `split`, each
    of several devices has a copy of them and computes a share of the columns of the inputs.
    """

    def __init__(self, dtype: str, split: ColumnSplit | None = None) -> None:
        super().__init__()
        self.double: bool = dtype == "float64"
        self.split: ColumnSplit | None = split

    def fgraph_convert(self, fgraph: Any, storage_map: Any, **settings: Any) -> Callable[..., Any]:
        """Return the JAX function of a graph."""
        # PyTensor would keep a copy of the present value of each shared variable with the function, as of a constant.
        storage_map = {**storage_map, **{variable: [None] for variable in fgraph.inputs}}
        with jax.enable_x64(self.double):
            function = fgraph_to_python(
                fgraph, convert_operation, type_conversion_fn=jax_typify, storage_map=storage_map, **settings
            )
        remove_source_files(function)
        return function

    def create_thunk_inputs(self, storage_map: Any) -> list[Any]:
        """Return the storages that a call reads its arguments from."""
        storages = super().create_thunk_inputs(storage_map)
        self.shared = {i: one for i, one in enumerate(storages) if isinstance(one, DeviceStorage)}
        return [DeviceStorageView(one) if isinstance(one, DeviceStorage) else one for one in storages]

    def jit_compile(self, fn: Callable[..., Any]) -> JittedFunction:
        """Compile a JAX function that overwrites the arrays that it updates."""
        shared = self.shared
        updates = {i: output for output, i in (self.fgraph.update_mapping or {}).items() if i in shared}
        transposed = [i for i, storage in shared.items() if storage.transposed]
        transposed_outputs = [updates[i] for i in transposed if i in updates]

        def traced(*arguments: Any) -> tuple[Any, ...]:
            with BUILDING, warnings.catch_warnings():
                # PyTensor's indices are int64, and its rewrites add sums with a float64 accumulator. In single
                # precision JAX makes both 32 bits wide, which is what we want, and warns about it.
                warnings.filterwarnings("ignore", message="Explicitly requested dtype (int64|float64)")
                with exact_products():
                    results = fn(*(one.T if i in transposed else one for i, one in enumerate(arguments)))
                    return tuple(one.T if i in transposed_outputs else one for i, one in enumerate(results))

        return JittedFunction(traced, self.double, shared, updates, len(self.fgraph.outputs), self.split)


def remove_source_files(function: Callable[..., Any]) -> None:
    """Remove the files with the source of a function from PyTensor, and of those that it calls, such as scan's steps.

    PyTensor writes each into the folder for temporary files and leaves it there.
    """
    waiting: list[Any] = [function]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        code = getattr(one, "__code__", None)
        if code is None or id(one) in seen:
            continue
        seen.add(id(one))
        for cell in one.__closure__ or ():
            with contextlib.suppress(ValueError):  # nothing is in it
                waiting.append(cell.cell_contents)
        if hasattr(one, "__source__"):  # only functions that PyTensor has written; their globals are what they call
            waiting += one.__globals__.values()
            with contextlib.suppress(OSError):
                os.remove(code.co_filename)


def convert_operation(operation: Op, **settings: Any) -> Callable[..., Any]:
    """Return the JAX function of one node. Arithmetic on known scalars is computed during tracing, not traced."""
    function = jax_funcify(operation, **settings)
    if not isinstance(operation, (Elemwise, ScalarFromTensor, TensorFromScalar)):
        return function

    def computed_if_known(*arguments: Any) -> Any:
        if all(np.ndim(argument) == 0 and not isinstance(argument, jax.core.Tracer) for argument in arguments):
            with jax.ensure_compile_time_eval():
                return function(*arguments)
        return function(*arguments)

    return computed_if_known


@contextlib.contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Build and compile graphs in this precision until the end of the block."""
    with BUILDING, theano.config.change_flags(floatX=dtype), warnings.catch_warnings():
        # PyTensor's run-time checks of shapes cannot be part of an XLA program, which makes its own when it is traced.
        warnings.filterwarnings("ignore", message="Skipping .* Op .* as JAX tracing would remove it")
        yield


compiling = precision


# Rewrites that never apply to our graphs. Without them, PyTensor's part of compiling takes about a tenth less time.
FRUITLESS = (
    "dot_diag_to_elemwise",
    "local_greedy_distributor",
    "orthogonal_dot_transpose_to_eye",
    "selection_dot_to_indexing",
    "useless_symmetric_transpose",
)


def mode(dtype: str, split: ColumnSplit | None = None) -> Mode:
    """Return the mode in which `theano.function` compiles, on one device or split over several."""
    # XLA optimizes as thoroughly itself: PyTensor's "fast_run" makes no function faster, and compiling takes longer.
    return Mode(XLALinker(dtype, split), RewriteDatabaseQuery(include=["fast_compile", "jax"], exclude=FRUITLESS))


def require_usable_process() -> None:
    """Raise ForkedProcessError in a process forked after XLA had run: XLA's threads are missing, a call would hang."""
    if in_forked_process:
        raise ForkedProcessError(
            "this process was forked from one that has already used theano_rnn, which XLA does not survive; "
            'start workers with multiprocessing.get_context("spawn")'
        )


in_forked_process = False


def note_fork() -> None:
    """Remember that this process was forked."""
    global in_forked_process
    in_forked_process = True


def compiled_shapes(function: Any) -> int:
    """Count the combinations of input shapes that XLA has compiled a function from `compile_function` for."""
    return function.function.vm.jit_fn.compiled._cache_size()


def xla_program(compiled: Any, arguments: Sequence[npt.NDArray[Any]]) -> str:
    """Return the program (optimized HLO) that XLA makes of a compiled function for arguments of these shapes.

    Parameters
    ----------
    compiled : CompiledFunction
        From `compile_function`.
    arguments : sequence of NumPy arrays
    """
    call, values = call_of(compiled, arguments)
    with jax.enable_x64(call.double):
        return call.compiled.lower(*values).compile().as_text()


def summed_bytes(compiled: Any, arguments: Sequence[npt.NDArray[Any]]) -> int:
    """Return the size in bytes of the arrays that a call of a function with such arguments sums over devices.

    Each device adds arrays of this size. They are those of the program that JAX gives to XLA; nothing is computed.

    Parameters
    ----------
    compiled : CompiledFunction
        From `compile_function`.
    arguments : sequence of NumPy arrays
    """
    call, values = call_of(compiled, arguments)
    return call.summed_bytes(values)


def call_of(compiled: Any, arguments: Sequence[npt.NDArray[Any]]) -> tuple[JittedFunction, list[Any]]:
    """Return the JAX function of a compiled function, and its arguments with the values of the shared arrays."""
    function = compiled.function
    call = function.vm.jit_fn
    shared = [value_for_call(container.storage, call.mesh) for container in function.input_storage[len(arguments) :]]
    return call, [*arguments, *shared]


def versions() -> str:
    """Return the names and versions of the Theano and the compiler in use."""
    return f"PyTensor {theano.__version__}, JAX {jax.__version__}"


@functools.cache
def prepare() -> None:
    """Set up, once per process, the compilation cache and the detection of forked processes."""
    os.register_at_fork(after_in_child=note_fork)
    if (os.environ.get("THEANO_RNN_CACHE") or "on") != "off":
        keep_machine_code()


def keep_machine_code() -> None:
    """Keep XLA's machine code on disk, so that the next process starts without compiling.

    If the user has set up a cache in JAX, that one is used.
    """
    if jax.config.jax_compilation_cache_dir:
        return
    folder = compilation_cache.cache_folder()
    if folder is None:
        return
    compilation_cache.remove_damaged_entries(folder)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # The disk may be full. Whatever cannot be kept is compiled again.
    warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache entry")
