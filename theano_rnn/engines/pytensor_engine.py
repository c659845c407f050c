"""PyTensor, compiled through XLA: its names, its functions, devices and caches. Only `engine` imports it.

What a model means is unknown here.
"""

# ruff: noqa: F401  (some names are imported for `engine` to take)

import contextlib
import functools
import os
import signal
import threading
import warnings

import jax
import jax.numpy as jnp
import numpy as np
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

from theano_rnn.engines import compilation_cache
from theano_rnn.engines.shared_storage import OnDevice, RawStorage, SharedStorage
from theano_rnn.errors import ForkedProcessError, OptionError

# Building and tracing graphs switches settings of the whole process for a while: only one thread at a time may.
BUILDING = threading.RLock()

scan = functools.partial(theano.scan, return_updates=False)
debugprint = functools.partial(theano.dprint, file="str")
xla_version = jax_funcify.register


class SharedArray(TensorSharedVariable):
    """A shared variable of fixed shape. Our compiled functions keep its value on the device and update it in place.

    In formulas, in `get_value` and in `set_value` it is the array. Only its copy on the device may lie transposed.
    """

    @property
    def matrix(self):
        """This variable, under the name that it once had in formulas."""
        return self

    def get_value(self, borrow=False, return_internal_type=False):
        """The value as a NumPy array of the caller's own."""
        return np.array(self.container.storage.peek(), order="C")

    def set_value(self, new_value, borrow=False):
        """Replace the value by a copy of a NumPy array."""
        self.container.storage[0] = self.type.filter(np.array(new_value, order="C"), strict=True)


def shared(value, name, transposed):
    variable = SharedArray(T.TensorType(value.dtype, shape=value.shape), value, strict=True, name=name)
    variable.container.storage = SharedStorage(value, transposed)
    return variable


def float_parameter():
    """What holds floatX in PyTensor's configuration."""
    return theano.config._config_var_dict["floatX"]


def step_of_scan(operation):
    """Symbolic inputs and outputs of one step of a `scan`."""
    return operation.inner_inputs, operation.inner_outputs


def axis_length(array, axis):
    """The length of a symbolic array along an axis, known before there is data: a parameter's, a state's size."""
    return array.type.shape[axis]


def with_last_axis_length(array, length):
    """The same array of three axes, with the length of its last axis known."""
    return T.specify_shape(array, (None, None, length))


def typed_tensor(name, dtype, shape):
    """A symbolic array; a length that is not known is None."""
    return T.tensor(name, dtype=dtype, shape=shape)


def finished(results):
    """A function's results, once they are there: XLA gives them before they have been computed."""
    return jax.block_until_ready(results)


def fused(operation, plain):
    """The form of one formula that is fast here: an operation of our own, which has a version for XLA."""
    return operation


class XLALinker(JAXLinker):
    """PyTensor's JAX linker for graphs whose inputs have unknown lengths, in one precision.

    `jax.jit` specialises the one function for every new shape. While it traces, all sizes are known numbers, but
    PyTensor's arithmetic on them (the length of scan's buffers, say) would be traced like data and come out abstract:
    it is computed there and then instead. JAX's 64-bit switch is a setting of the calling thread; it is set around each
    call, so that models of both precisions live in one process. (PyTensor sets it for the whole process when its JAX
    backend is imported.)

    Shared arrays are brought to the device once, not at each call, and updated in place.
    """

    def __init__(self, dtype):
        super().__init__()
        self.double = dtype == "float64"

    def fgraph_convert(self, fgraph, **settings):
        with jax.enable_x64(self.double):
            return fgraph_to_python(fgraph, convert_operation, type_conversion_fn=jax_typify, **settings)

    def create_thunk_inputs(self, storage_map):
        storages = super().create_thunk_inputs(storage_map)
        self.shared = {i: one for i, one in enumerate(storages) if isinstance(one, SharedStorage)}
        return [RawStorage(one) if isinstance(one, SharedStorage) else one for one in storages]

    def jit_compile(self, fn):
        double, shared = self.double, self.shared
        updates = {i: output for output, i in (self.fgraph.update_mapping or {}).items() if i in shared}
        turned = [i for i, storage in shared.items() if storage.transposed]
        turned_outputs = [updates[i] for i in turned if i in updates]

        def traced(*arguments):
            with BUILDING, warnings.catch_warnings():
                # PyTensor's indices are int64, and its rewrites bring in sums with a float64 accumulator. In single
                # precision JAX makes both 32 bits wide, as is wanted here, and warns of it.
                warnings.filterwarnings("ignore", message="Explicitly requested dtype (int64|float64)")
                with exact_products():
                    results = fn(*(one.T if i in turned else one for i, one in enumerate(arguments)))
                    return tuple(one.T if i in turned_outputs else one for i, one in enumerate(results))

        compiled = jax.jit(traced, donate_argnums=tuple(updates))

        def call(*arguments):
            with jax.enable_x64(double):
                arguments = list(arguments)
                for i, storage in shared.items():
                    arguments[i] = value_for_call(storage)
                if not updates:
                    return compiled(*arguments)
                # New values are written over the old ones: from here until they are stored, nothing may come between.
                with interrupts_held():
                    results = list(compiled(*arguments))
                    for i, output in updates.items():
                        shared[i][0] = results[output] = OnDevice(results[output], shared[i].transposed)
                return results

        call.compiled, call.double = compiled, double
        return call


def exact_products():
    """While active, products of float32 are traced as such; a GPU would round their factors to 10 bits by default."""
    if current_device().platform == "cpu":
        return contextlib.nullcontext()
    return jax.default_matmul_precision("highest")


@contextlib.contextmanager
def interrupts_held():
    """Let Ctrl-C take effect only at the end of the block."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    received = []
    signal.signal(signal.SIGINT, lambda *details: received.append(details))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(*received[-1])


def value_for_call(storage):
    """What a compiled function takes from a storage: of a shared array what lies on the device, brought there first."""
    if not isinstance(storage, SharedStorage):
        return storage[0]
    if not isinstance(storage.raw, OnDevice):
        bring_to_device(storage)
    return storage.raw.array


def bring_to_device(storage):
    """Keep a shared array's value on the device that functions run on."""
    value = np.asarray(storage.raw)
    array = np.array(value.T if storage.transposed else value, order="C")
    storage[0] = OnDevice(jax.device_put(array, current_device()), storage.transposed)


def convert_operation(operation, **settings):
    """The JAX function of one node; arithmetic on known single numbers is done while tracing, not traced."""
    function = jax_funcify(operation, **settings)
    if not isinstance(operation, (Elemwise, ScalarFromTensor, TensorFromScalar)):
        return function

    def computed_if_known(*arguments):
        if all(np.ndim(argument) == 0 and not isinstance(argument, jax.core.Tracer) for argument in arguments):
            with jax.ensure_compile_time_eval():
                return function(*arguments)
        return function(*arguments)

    return computed_if_known


@contextlib.contextmanager
def precision(dtype):
    """While active, graphs are built and compiled in this precision."""
    with BUILDING, theano.config.change_flags(floatX=dtype), warnings.catch_warnings():
        # PyTensor's run-time checks of shapes cannot be part of an XLA program, which has its own when it is traced.
        warnings.filterwarnings("ignore", message="Skipping .* Op .* as JAX tracing would remove it")
        yield


compiling = precision


def mode(dtype):
    # XLA rewrites as thoroughly again: PyTensor's "fast_run" makes no function faster, and compiling them takes longer.
    return Mode(XLALinker(dtype), RewriteDatabaseQuery(include=["fast_compile", "jax"]))


def require_usable_process():
    """Raise where XLA ran in the process that this one was forked from: its threads are missing, a call would hang."""
    if in_forked_process:
        raise ForkedProcessError(
            "this process was forked from one that has already used theano_rnn, which XLA does not survive; "
            'start workers with multiprocessing.get_context("spawn")'
        )


in_forked_process = False


def note_fork():
    global in_forked_process
    in_forked_process = True


def compiled_shapes(function):
    """How many combinations of input shapes XLA has compiled for a function from `compile_function`."""
    return function.function.vm.jit_fn.compiled._cache_size()


def xla_program(compiled, arguments):
    """The program that XLA makes of a compiled function for arguments of these shapes, as its text (optimised HLO).

    Parameters
    ----------
    compiled : CompiledFunction
        From `compile_function`.
    arguments : sequence of NumPy arrays

    Returns
    -------
    str
    """
    function = compiled.function
    call = function.vm.jit_fn
    shared = [value_for_call(container.storage) for container in function.input_storage[len(arguments) :]]
    with jax.enable_x64(call.double):
        return call.compiled.lower(*arguments, *shared).compile().as_text()


def select_device(name):
    if name == "auto":
        jax.config.update("jax_default_device", None)
        return
    try:
        device = jax.devices(name)[0]
    except RuntimeError as error:
        raise OptionError(
            f"device: JAX finds no {name} on this machine; install theano_rnn with the extra 'gpu' on a machine that "
            "has one, or choose cpu"
        ) from error
    jax.config.update("jax_default_device", device)


def device_name():
    """What the device that functions run on calls itself; None for a CPU, which says nothing of use."""
    device = current_device()
    return None if device.platform == "cpu" else device.device_kind


def current_device():
    return jax.config.jax_default_device or jax.devices()[0]


def versions():
    """Which Theano and which compiler, in words."""
    return f"PyTensor {theano.__version__}, JAX {jax.__version__}"


@functools.cache
def prepare():
    """Set up, once in a process, what makes functions start fast, and keeps forked processes from waiting."""
    os.register_at_fork(after_in_child=note_fork)
    if (os.environ.get("THEANO_RNN_CACHE") or "on") != "off":
        keep_machine_code()


def keep_machine_code():
    """Keep XLA's machine code on disk, so that the next process starts without compiling.

    A cache that the user has set up in JAX stays as it is.
    """
    if jax.config.jax_compilation_cache_dir:
        return
    folder = compilation_cache.folder()
    if folder is None:
        return
    compilation_cache.remove_damaged(folder)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # A full disk, say: what cannot be kept is compiled again.
    warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache entry")
