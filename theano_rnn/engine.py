"""How a symbolic graph becomes a compiled function: which Theano, which compiler, which device, which caches.

Beside it only `softmax` and `sampling`, which define operations of their own for XLA, know that "Theano" is PyTensor
and that XLA makes the machine code. What a model means is unknown here.
"""

import contextlib
import functools
import os
import signal
import threading
import warnings

import jax
import numpy as np
import pytensor as theano
import pytensor.tensor as T
from pytensor.compile.mode import Mode
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.link.jax.dispatch import jax_funcify, jax_typify
from pytensor.link.jax.linker import JAXLinker
from pytensor.link.utils import fgraph_to_python
from pytensor.tensor.basic import ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.sharedvar import TensorSharedVariable

from theano_rnn import machine_code
from theano_rnn.allocator import keep_freed_memory
from theano_rnn.errors import ForkedProcessError, OptionError

__all__ = ["DEVICES", "T", "as_numpy", "compile_function", "float_type", "select_device", "shared_array", "theano"]

DEVICES = ("auto", "cpu", "gpu")
# Building and tracing graphs switches settings of the whole process for a while: only one thread at a time may.
BUILDING = threading.RLock()


def float_type():
    """Name of the floating-point type that new models get: ``theano.config.floatX``."""
    return theano.config.floatX


class SharedArray(TensorSharedVariable):
    """A shared variable for a NumPy array, which may lie transposed in memory.

    Where columns are gathered and added to, as with U, a step is up to twice as fast if they lie in one piece.
    `get_value`, `set_value` and `matrix` speak of the array; the shared variable itself has the shape that is stored.
    `get_value` always gives an array of the caller's own: what is stored is written over by the next update.
    """

    @property
    def matrix(self):
        """The array as a symbolic expression, for formulas."""
        return self.turned(self)

    def turned(self, expression):
        """What is stored as the array, or the array as it is stored: transposed or as it is."""
        return expression.T if self.tag.transposed else expression

    def update(self, value):
        """(this shared variable, the new value as it is stored), one of the updates of `compile_function`."""
        return self, T.cast(self.turned(value), self.dtype)

    def get_value(self, borrow=False, return_internal_type=False):
        value = self.turned(super().get_value(borrow=True, return_internal_type=return_internal_type))
        return value if return_internal_type else np.array(value, order="C")

    def set_value(self, new_value, borrow=False):
        new_value = np.asarray(new_value)
        super().set_value(np.ascontiguousarray(self.turned(new_value)), borrow=borrow)


def shared_array(value, name, transposed=False):
    """A Theano shared variable of fixed shape that holds a NumPy array; see `SharedArray` for `transposed`."""
    stored = np.ascontiguousarray(value.T) if transposed else value
    variable = theano.shared(stored, name=name, shape=stored.shape)
    variable.__class__ = SharedArray
    variable.tag.transposed = transposed
    return variable


def as_numpy(value):
    """A NumPy array of its own from a compiled function's result or a shared variable's value."""
    return np.array(value, order="C")


class XLALinker(JAXLinker):
    """PyTensor's JAX linker for graphs whose inputs have unknown lengths, in one precision.

    `jax.jit` specialises the one function for every new shape. While it traces, all sizes are known numbers, but
    PyTensor's arithmetic on them (the length of scan's buffers, say) would be traced like data and come out abstract:
    it is computed there and then instead. JAX's 64-bit switch is a setting of the calling thread; it is set around each
    call, so that models of both precisions live in one process and the user's own JAX code keeps its setting.

    Shared arrays are brought to the device once, not at each call, and updated in place.
    """

    def __init__(self, dtype):
        super().__init__()
        self.double = dtype == "float64"

    def fgraph_convert(self, fgraph, **settings):
        with jax.enable_x64(self.double):
            return fgraph_to_python(fgraph, convert_operation, type_conversion_fn=jax_typify, **settings)

    def create_thunk_inputs(self, storage_map):
        self.storages = super().create_thunk_inputs(storage_map)
        return self.storages

    def jit_compile(self, fn):
        double, storages = self.double, self.storages
        shared = [i for i, variable in enumerate(self.fgraph.inputs) if isinstance(variable, SharedArray)]
        updates = {i: output for output, i in (self.fgraph.update_mapping or {}).items() if i in shared}

        def traced(*arguments):
            with BUILDING, warnings.catch_warnings():
                # PyTensor's indices are int64, and its rewrites bring in sums with a float64 accumulator. In single
                # precision JAX makes both 32 bits wide, as is wanted here, and warns of it.
                warnings.filterwarnings("ignore", message="Explicitly requested dtype (int64|float64)")
                with exact_products():
                    return fn(*arguments)

        compiled = jax.jit(traced, donate_argnums=tuple(updates))

        def call(*arguments):
            with jax.enable_x64(double):
                if any(isinstance(arguments[i], np.ndarray) for i in shared):
                    bring_to_device([storages[i] for i in shared])
                    arguments = [storage[0] for storage in storages]
                if not updates:
                    return compiled(*arguments)
                # New values are written over the old ones: from here until they are stored, nothing may come between.
                with interrupts_held():
                    results = compiled(*arguments)
                    for i, output in updates.items():
                        storages[i][0] = results[output]
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


def bring_to_device(storages):
    """Replace the values in storages, NumPy arrays or not, by arrays on the device that functions run on."""
    device = current_device()
    for storage in storages:
        storage[0] = jax.device_put(storage[0], device)


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


def compile_function(build, dtype):
    """Compile a graph through XLA.

    Parameters
    ----------
    build : callable
        Takes nothing, builds the graph and returns (inputs, outputs, updates): a list of symbolic variables, an
        expression or a list of them, and a list of (shared variable, new expression) applied after each call.
    dtype : {"float32", "float64"}
        The precision in which the graph is built and run.

    Returns
    -------
    CompiledFunction
        Takes NumPy arrays. XLA compiles it once per combination of input shapes, at the first call with it.
    """
    prepare()
    # XLA rewrites as thoroughly again: PyTensor's "fast_run" makes no function faster, and compiling them takes longer.
    mode = Mode(XLALinker(dtype), RewriteDatabaseQuery(include=["fast_compile", "jax"]))
    with BUILDING, theano.config.change_flags(floatX=dtype), warnings.catch_warnings():
        # PyTensor's run-time checks of shapes cannot be part of an XLA program, which has its own when it is traced.
        warnings.filterwarnings("ignore", message="Skipping .* Op .* as JAX tracing would remove it")
        inputs, outputs, updates = build()
        return CompiledFunction(theano.function(inputs, outputs, updates=updates, mode=mode, on_unused_input="ignore"))


class CompiledFunction:
    """A Theano function that several threads may call: it has one place for its inputs, so they take turns.

    Raises
    ------
    ForkedProcessError
        Where it is called in a process that was forked from one in which XLA ran: XLA's threads are not there, and the
        call would wait for them for ever.
    """

    def __init__(self, function):
        self.function = function
        self.turn = threading.Lock()

    def __call__(self, *arguments):
        if in_forked_process:
            raise ForkedProcessError(
                "this process was forked from one that has already used theano_rnn, which XLA does not survive; "
                'start workers with multiprocessing.get_context("spawn")'
            )
        with self.turn:
            return self.function(*arguments)


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
    shared = [container.storage[0] for container in function.input_storage[len(arguments) :]]
    with jax.enable_x64(call.double):
        return call.compiled.lower(*arguments, *shared).compile().as_text()


def select_device(name):
    """Choose where functions run: "auto" (JAX's own choice), "cpu" or "gpu".

    Raises
    ------
    OptionError
        For another name, and for "gpu" where JAX finds none.
    """
    if name not in DEVICES:
        raise OptionError(f"device: expected one of {', '.join(DEVICES)}, got {name!r}")
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
    """Set up, once in a process, what makes functions start and run fast, and keeps forked processes from waiting."""
    os.register_at_fork(after_in_child=note_fork)
    if os.environ.get("THEANO_RNN_MALLOC", "on") != "off":
        keep_freed_memory()
    if (os.environ.get("THEANO_RNN_CACHE") or "on") != "off":
        keep_machine_code()


def keep_machine_code():
    """Keep XLA's machine code on disk, so that the next process starts without compiling.

    A cache that the user has set up in JAX stays as it is.
    """
    if jax.config.jax_compilation_cache_dir:
        return
    folder = machine_code.folder()
    if folder is None:
        return
    machine_code.remove_damaged(folder)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # A full disk, say: what cannot be kept is compiled again.
    warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache entry")
