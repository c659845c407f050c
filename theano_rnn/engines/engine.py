"""The engine that is in use, and everything that other modules take from it.

The engine is PyTensor through XLA (`pytensor_engine`) or the original Theano 1.0.5 (`theano_engine`). Where both are
installed, the environment variable ``THEANO_RNN_ENGINE`` chooses. No other module needs to ask which one runs.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.devices.column_split import ColumnSplit
from theano_rnn.engines.float_type import FloatXSetting
from theano_rnn.engines.tensor_types import DeviceArray, SharedVariable, TensorVariable, Updates
from theano_rnn.errors import EngineError, OptionError, TheanoRNNError

NEEDED = {"pytensor": ("pytensor", "jax"), "theano": ("theano",)}
TITLES = {"pytensor": "PyTensor with JAX", "theano": "Theano"}
LAST_PYTHON_OF_THEANO = (3, 10)
REMEDY = "`pip install -e .` installs PyTensor and JAX on Python 3.11 and later, and Theano 1.0.5 on Python 3.10"
DEVICES = ("auto", "cpu", "gpu")


def engine_name() -> str:
    """Return the name of the engine: ``THEANO_RNN_ENGINE`` if it is set, else the installed one, PyTensor first.

    Returns
    -------
    {"pytensor", "theano"}

    Raises
    ------
    OptionError
        If ``THEANO_RNN_ENGINE`` is something else.
    EngineError
        If the engine is not installed, or not for this version of Python.
    """
    installed = [name for name, modules in NEEDED.items() if all(map(importlib.util.find_spec, modules))]
    if sys.version_info[:2] > LAST_PYTHON_OF_THEANO and "theano" in installed:
        installed.remove("theano")
    chosen = os.environ.get("THEANO_RNN_ENGINE")
    if chosen and chosen not in NEEDED:
        raise OptionError(f"THEANO_RNN_ENGINE: expected pytensor or theano, got {chosen!r}")
    if chosen and chosen not in installed:
        raise EngineError(f"THEANO_RNN_ENGINE: {chosen} is not installed for this Python; {REMEDY}")
    if not installed:
        missing = [module for module in NEEDED["pytensor"] if importlib.util.find_spec(module) is None]
        which = f" ({missing[0]} is missing)" if len(missing) == 1 else ""
        raise EngineError(f"neither PyTensor with JAX{which} nor Theano is installed for this Python; {REMEDY}")
    return chosen or installed[0]


def import_engine(name: str) -> Any:
    """Import the module of an engine.

    Raises
    ------
    EngineError
        If it cannot be imported. The message names the package that does not fit and the command that fixes it.
    """
    try:
        return importlib.import_module(f"theano_rnn.engines.{name}_engine")
    except (TheanoRNNError, MemoryError):
        raise
    except Exception as error:  # a package that does not fit can fail in any way
        raise EngineError(f"{TITLES[name]} cannot be imported: {import_problem(name, error)}") from error


def import_problem(name: str, error: Exception) -> str:
    """Explain in one line why an engine cannot be imported, and name the command that fixes it."""
    # Imported here because nothing else needs it, and importing it would slow down every start.
    with contextlib.suppress(ImportError):
        from theano_rnn.engines.installed_versions import unmet_requirement

        problem = unmet_requirement(NEEDED[name], own="theano_rnn")
        if problem is not None:
            return problem
    reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
    return f"{reason}; run pip install --force-reinstall {' '.join(NEEDED[name])}"


_name = engine_name()
_imported_before = _name in sys.modules
# The engines are modules with the same names. A type checker cannot know which one it is.
chosen_engine: Any = import_engine(_name)
_floatx_setting = FloatXSetting(chosen_engine.float_parameter(), _imported_before)

theano: ModuleType = chosen_engine.theano
T: Any = chosen_engine.T
scan: Callable[..., TensorVariable] = chosen_engine.scan
require_usable_process = chosen_engine.require_usable_process
block_until_ready, wait_for = chosen_engine.block_until_ready, chosen_engine.wait_for
fused, precision = chosen_engine.fused, chosen_engine.precision
axis_length, with_last_axis_length, typed_tensor = (
    chosen_engine.axis_length,
    chosen_engine.with_last_axis_length,
    chosen_engine.typed_tensor,
)
batched_dot = chosen_engine.batched_dot  # one matrix product for each index of the first axis
# To define operations of our own, and to register their versions for XLA, which are written with jax and jnp.
Apply, Op, xla_version = chosen_engine.Apply, chosen_engine.Op, chosen_engine.xla_version
jax, jnp, DEVICE_AXIS = chosen_engine.jax, chosen_engine.jnp, chosen_engine.DEVICE_AXIS
SharedArray = chosen_engine.SharedArray
# To inspect graphs and compiled programs.
Constant, Scan, Shape, Shape_i = chosen_engine.Constant, chosen_engine.Scan, chosen_engine.Shape, chosen_engine.Shape_i
ancestors, debugprint, step_of_scan = chosen_engine.ancestors, chosen_engine.debugprint, chosen_engine.step_of_scan
compiled_shapes, xla_program = chosen_engine.compiled_shapes, chosen_engine.xla_program
summed_bytes = chosen_engine.summed_bytes
device_name, versions = chosen_engine.device_name, chosen_engine.versions
# Several processes: see `theano_rnn.devices.jax_processes`.
cluster_place, connected, first_sum = chosen_engine.cluster_place, chosen_engine.connected, chosen_engine.first_sum
check_process_count = chosen_engine.check_process_count
process_count, exchange, gathered = chosen_engine.process_count, chosen_engine.exchange, chosen_engine.gathered


def float_type() -> str:
    """Return the name of the floating-point type that new networks get.

    It is ``theano.config.floatX`` if the user has set it, in flags, in a file or in code, and float32 otherwise. The
    setting belongs to the user: building and using networks does not change it.
    """
    return _floatx_setting.float_type()


def shared_array(value: npt.ArrayLike, name: str, transposed: bool = False) -> SharedVariable:
    """Make a Theano shared variable of fixed shape that holds a copy of a NumPy array.

    Parameters
    ----------
    value : array
    name : str
    transposed : bool
        Whether compiled functions of this package keep the array transposed in memory, so that each column is
        contiguous. This makes some of them faster and changes nothing else: in formulas, and where values are read or
        set, the array has its own shape.
    """
    return chosen_engine.shared(np.array(value, order="C"), name, transposed)


def as_numpy(value: DeviceArray) -> npt.NDArray[Any]:
    """Copy the result of a compiled function, or a shared variable's value, to a NumPy array."""
    return np.array(value, order="C")


def split_along(axis: int, variable: TensorVariable) -> TensorVariable:
    """Mark an input or output of a function that has the columns of a minibatch along this axis, and return it.

    See `compile_function`. In a minibatch on one device, the mark means nothing.
    """
    variable.tag.column_axis = axis
    return variable


def column_axes(variables: Sequence[TensorVariable]) -> list[int | None]:
    """Return the axis that `split_along` has marked for each variable, or None."""
    return [getattr(variable.tag, "column_axis", None) for variable in variables]


def compile_function(
    build: Callable[[], tuple[list[TensorVariable], TensorVariable | list[TensorVariable], Updates | None]],
    dtype: str,
    devices: int = 1,
) -> "CompiledFunction":
    """Compile a graph.

    Parameters
    ----------
    build : callable
        Takes nothing, builds the graph and returns (inputs, outputs, updates): a list of symbolic variables, an
        expression or a list of them, and a list of (shared variable, new expression) to apply after each call.
    dtype : {"float32", "float64"}
        The precision in which the graph is built and run.
    devices : int
        The number of devices from `select_device`, in all processes together, that the minibatch is split over. The
        graph is what each computes of its share of the columns: of the inputs marked by `split_along`, a part; of all
        others, everything. Minibatches whose columns cannot be shared equally get columns of zeros, which must change
        no result. Outputs that are not marked, and updates, must be the same on all devices, so what depends on columns
        must be summed with `theano_rnn.engines.device_sums.sum_over_devices`.

    Returns
    -------
    CompiledFunction
        Takes NumPy arrays. XLA compiles it once per combination of input shapes, at the first call with that
        combination.

    Examples
    --------
    >>> from theano_rnn.engines.engine import T, as_numpy, compile_function
    >>> def build():
    ...     x = T.vector("x")
    ...     return [x], 2 * x, None
    >>> double = compile_function(build, "float64")
    >>> as_numpy(double(np.array([1.0, 2.0]))).tolist()
    [2.0, 4.0]
    """
    chosen_engine.prepare()
    with chosen_engine.compiling(dtype):
        inputs, outputs, updates = build()
        split = None
        if devices > 1:
            results = outputs if isinstance(outputs, list) else [outputs]
            split = ColumnSplit(devices, column_axes(inputs), column_axes(results))
        mode = chosen_engine.mode(dtype, split)
        return CompiledFunction(theano.function(inputs, outputs, updates=updates, mode=mode, on_unused_input="ignore"))


class CompiledFunction:
    """A Theano function that several threads may call. It can hold the inputs of one call only, so threads take turns.

    Attributes
    ----------
    function : theano.function
        The function itself.

    Raises
    ------
    ForkedProcessError
        When it is called in a process that was forked from one in which XLA had run.
    """

    def __init__(self, function: Any) -> None:
        self.function: Any = function
        self.lock: threading.Lock = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        chosen_engine.require_usable_process()
        with self.lock:
            return self.function(*arguments)


def in_all_processes(devices: int) -> int:
    """Return the number of devices in all processes of a run together, each of which uses so many."""
    return int(devices * process_count())


def useful_devices(name: str) -> int:
    """Return over how many devices of a kind it makes sense to split a function.

    On a CPU, these are the cores that have been idle in the last minute: each step waits for the slowest core. Several
    GPUs have not been measured, and the original Theano computes on one device.

    Parameters
    ----------
    name : {"auto", "cpu", "gpu"}
        The kind of device. If JAX has computed something in this process already, it may know fewer cores.
    """
    check_device_name(name)
    return chosen_engine.useful_devices(name)


def select_device(name: str, count: int = 1) -> None:
    """Choose the device that functions run on, and how many of its kind a function can be split over.

    Parameters
    ----------
    name : {"auto", "cpu", "gpu"}
        "auto" leaves the choice to the engine.
    count : int
        On a CPU, each device is a core. JAX must not have computed anything in this process yet with fewer devices.

    Raises
    ------
    OptionError
        If the name is another one, there is no GPU, or there are fewer devices.
    """
    check_device_name(name)
    chosen_engine.select_device(name, count)


def check_device_name(name: str) -> None:
    """Raise OptionError if this is not a name of `DEVICES`."""
    if name not in DEVICES:
        raise OptionError(f"device: expected one of {', '.join(DEVICES)}, got {name!r}")
