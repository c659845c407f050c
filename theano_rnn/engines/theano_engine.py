"""The original Theano 1.0.5, which compiles functions with a C++ compiler.

Only `engine` may import this module. It has the same names as `pytensor_engine`, which documents them.
"""

# ruff: noqa: F401  (some names are imported for `engine` to take)

import contextlib
import functools
import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.devices.column_split import ColumnSplit
from theano_rnn.devices.process_group import ProcessGroup
from theano_rnn.engines import theano_settings
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import OptionError, ProcessGroupError

with theano_settings.theano_configured() as problem:
    import theano
    import theano.tensor as T
    from theano.compile.ops import Shape, Shape_i
    from theano.gof import Apply, Constant, Op
    from theano.gof.graph import ancestors
    from theano.misc import windows  # starts the compiler, on every system
    from theano.scan_module.scan_op import Scan
    from theano.tensor.sharedvar import TensorSharedVariable

logger = logging.getLogger(__name__)
theano_settings.warn_once(problem, theano.config.base_compiledir)
# In a process group of its own, a compiler is not stopped by a Ctrl-C that we handle.
windows.subprocess = theano_settings.SubprocessInNewSession

# Building and compiling graphs temporarily changes settings of the whole process, so only one thread at a time may.
BUILDING = threading.RLock()
SILENT_SECONDS = 2

jax = jnp = DEVICE_AXIS = None
debugprint = functools.partial(theano.printing.debugprint, file="str")


class SharedArray(TensorSharedVariable):
    """A Theano shared variable that may be stored in Fortran order, with each column contiguous.

    This makes gathering columns and adding to them faster, as with U. Theano's functions keep the order.
    """

    @property
    def matrix(self) -> "SharedArray":
        """This variable. Formulas written for early versions use this name."""
        return self

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> npt.NDArray[Any]:
        """Return the value as a NumPy array that belongs to the caller."""
        return np.array(super().get_value(borrow=True), order="C")

    def view(self) -> npt.NDArray[Any]:
        """Return the value without copying it. It must not be changed, and is valid until an update."""
        return super().get_value(borrow=True)

    def value_on_host(self) -> npt.NDArray[Any]:
        """Return the value as the NumPy array that Theano works with, which must not be changed."""
        return super().get_value(borrow=True)

    def set_value(self, new_value: npt.ArrayLike, borrow: bool = False) -> None:
        """Replace the value by a copy of a NumPy array."""
        super().set_value(np.array(new_value, order="F" if self.tag.by_columns else "C"), borrow=True)


def shared(value: npt.NDArray[Any], name: str, transposed: bool) -> SharedArray:
    """Make a shared variable of fixed shape, perhaps in Fortran order; see `engine.shared_array`."""
    value = np.array(value, order="F" if transposed else "C")
    variable = SharedArray(name, T.TensorType(value.dtype, [False] * value.ndim), value, strict=True)
    variable.tag.by_columns = transposed
    return variable


def float_parameter() -> Any:
    """Return the object that holds floatX in Theano's configuration."""
    return vars(type(theano.config))["floatX"]


def scan(step: Callable[..., Any], **settings: Any) -> Any:
    """Call `theano.scan` and return its outputs without the updates."""
    outputs, _ = theano.scan(step, **settings)
    return outputs


def step_of_scan(operation: Any) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """Return the symbolic inputs and outputs of one step of a `scan`."""
    return operation.inputs, operation.outputs


def xla_version(operation: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator for functions that only XLA runs. Theano runs the operation's `perform`."""
    return lambda function: function


def block_until_ready(results: Any) -> Any:
    """Return the results, which are always ready."""
    return results


def wait_for(variables: Sequence[Any]) -> None:
    """Do nothing: values are ready."""


def fused(operation: Op, formula: Callable[..., Any]) -> Callable[..., Any]:
    """Return the formula: an operation of our own would run in Python, and hide it from Theano's rewrites."""
    return formula


def axis_length(array: TensorVariable, axis: int) -> TensorVariable:
    """Return the length of a symbolic array along an axis."""
    return array.shape[axis % array.ndim]


def batched_dot(a: TensorVariable, b: TensorVariable) -> TensorVariable:
    """One matrix product for each index of the first axis."""
    if theano.config.blas.ldflags:
        return T.batched_dot(a, b)
    # Without a BLAS, Theano's own operation compiles to code that cannot be loaded.
    return T.sum(a[:, :, :, None] * b[:, None, :, :], axis=2, acc_dtype=a.dtype)


def with_last_axis_length(array: TensorVariable, length: TensorVariable) -> TensorVariable:
    """Return the array as it is: Theano does not use lengths that are known without data."""
    return array


def typed_tensor(name: str, dtype: str, shape: Sequence[int | None]) -> TensorVariable:
    """Make a symbolic array with as many axes as the shape."""
    return T.TensorType(dtype, [False] * len(shape))(name)


@contextlib.contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Build and compile graphs in this precision until the end of the block."""
    with BUILDING, theano.change_flags(floatX=dtype), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy and Python deprecate what Theano used in 2020
        yield


@contextlib.contextmanager
def compiling(dtype: str) -> Iterator[None]:
    """Do what `precision` does, and log a message if compiling takes long."""
    timer = threading.Timer(SILENT_SECONDS, announce)
    timer.start()
    try:
        with precision(dtype):
            yield
    finally:
        timer.cancel()


@functools.cache
def announce() -> None:
    """Log, once per process, that compiling takes a while."""
    logger.warning("compiling with Theano: up to a minute the first time, some seconds from then on")


def mode(dtype: str, split: ColumnSplit | None = None) -> None:
    """Return None: the mode is that of Theano's own settings. There is one device."""
    return None


def prepare() -> None:
    """Do nothing: nothing needs to be prepared."""


def require_usable_process() -> None:
    """Do nothing: forked processes work."""


def select_device(name: str, count: int = 1) -> None:
    """Raise OptionError for a GPU and for several devices; see `engine.select_device`."""
    if count > 1:
        raise OptionError(
            "devices: the original Theano computes on one device; choose 1, or use PyTensor with JAX on Python 3.11"
        )
    if name == "gpu":
        raise OptionError(
            "device: the original Theano is used on CPUs only; choose cpu, or use PyTensor with JAX on Python 3.11"
        )


def useful_devices(name: str) -> int:
    """Return 1; see `engine.useful_devices`."""
    return 1


def process_count() -> int:
    """Return 1; see `engine.process_count`."""
    return 1


def cluster_place() -> None:
    """Return None: processes do not compute together."""


def gathered(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array."""
    return array


def check_process_count(count: int) -> None:
    """Raise ProcessGroupError if there are several processes."""
    if count > 1:
        raise ProcessGroupError(
            "processes: the original Theano computes in one process; leave it out, or use PyTensor with JAX on "
            "Python 3.11"
        )


def connected(group: ProcessGroup) -> contextlib.AbstractContextManager[None]:
    """Do nothing until the end of the block: there is one process."""
    return contextlib.nullcontext()


def first_sum(devices: int) -> None:
    """Do nothing: there is one device."""


def exchange(read: Callable[[int, int], bytes], sizes: Sequence[int]) -> Iterator[list[npt.NDArray[np.uint8]]]:
    """Yield nothing: there is one process."""
    return iter(())


def device_name() -> None:
    """Return None, as for every CPU."""
    return None


def versions() -> str:
    """Return the name and version of the Theano in use."""
    return f"Theano {theano.__version__}"


def compiled_shapes(function: Any) -> int:
    """Return 1: there is one program for all shapes."""
    return 1


def xla_program(compiled: Any, arguments: Sequence[npt.NDArray[Any]]) -> str:
    """Raise OptionError: there is no XLA."""
    raise OptionError("hlo: the original Theano does not use XLA; PyTensor with JAX does, on Python 3.11 or later")


def summed_bytes(compiled: Any, arguments: Sequence[npt.NDArray[Any]]) -> int:
    """Return 0: a function runs on one device."""
    return 0
