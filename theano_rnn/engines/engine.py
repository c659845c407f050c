"""Which Theano makes functions of the graphs, and what all other modules take from it: none else asks which one runs.

PyTensor through XLA (`pytensor_engine`), or the original Theano 1.0.5 (`theano_engine`). Where both are installed,
the environment variable THEANO_RNN_ENGINE chooses. What a model means is unknown here.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
import threading

import numpy as np

from theano_rnn.engines.float_type import FloatSetting
from theano_rnn.errors import EngineError, OptionError, TheanoRNNError

NEEDED = {"pytensor": ("pytensor", "jax"), "theano": ("theano",)}
TITLES = {"pytensor": "PyTensor with JAX", "theano": "Theano"}
LAST_PYTHON_OF_THEANO = (3, 10)
REMEDY = "`pip install -e .` brings PyTensor and JAX on Python 3.11 and later, and Theano 1.0.5 on Python 3.10"
DEVICES = ("auto", "cpu", "gpu")


def engine_name():
    """Which engine runs, "pytensor" or "theano": what $THEANO_RNN_ENGINE says, else what is installed, PyTensor first.

    Raises
    ------
    OptionError
        For another name.
    EngineError
        Where it is not installed, or not for this Python.
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


def import_engine(name):
    """The module of an engine.

    Raises
    ------
    EngineError
        Where it cannot be imported; the message names the package that does not fit and what to install.
    """
    try:
        return importlib.import_module(f"theano_rnn.engines.{name}_engine")
    except (TheanoRNNError, MemoryError):
        raise
    except Exception as error:  # a package that does not fit may fail in any way
        raise EngineError(f"{TITLES[name]} cannot be imported: {import_problem(name, error)}") from error


def import_problem(name, error):
    """What keeps an engine from being imported and the command that helps, in one line."""
    # Imported here because only this needs it, and every start would have to wait for it.
    with contextlib.suppress(ImportError):
        from theano_rnn.engines.installed_versions import unmet_requirement

        problem = unmet_requirement(NEEDED[name], own="theano_rnn")
        if problem is not None:
            return problem
    reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
    return f"{reason}; run pip install --force-reinstall {' '.join(NEEDED[name])}"


_name = engine_name()
_imported_before = _name in sys.modules
chosen_engine = import_engine(_name)
_float_setting = FloatSetting(chosen_engine.float_parameter(), _imported_before)

theano, T, scan = chosen_engine.theano, chosen_engine.T, chosen_engine.scan
finished, fused, precision = chosen_engine.finished, chosen_engine.fused, chosen_engine.precision
axis_length, with_last_axis_length, typed_tensor = (
    chosen_engine.axis_length,
    chosen_engine.with_last_axis_length,
    chosen_engine.typed_tensor,
)
# For operations of our own: what defines them, and what registers their versions for XLA, written with jax and jnp.
Apply, Op, xla_version = chosen_engine.Apply, chosen_engine.Op, chosen_engine.xla_version
jax, jnp = chosen_engine.jax, chosen_engine.jnp
SharedArray = chosen_engine.SharedArray
# For looking at graphs and programs.
Constant, Scan, Shape, Shape_i = chosen_engine.Constant, chosen_engine.Scan, chosen_engine.Shape, chosen_engine.Shape_i
ancestors, debugprint, step_of_scan = chosen_engine.ancestors, chosen_engine.debugprint, chosen_engine.step_of_scan
compiled_shapes, xla_program = chosen_engine.compiled_shapes, chosen_engine.xla_program
device_name, versions = chosen_engine.device_name, chosen_engine.versions


def float_type():
    """Name of the floating-point type that new networks get.

    ``theano.config.floatX`` where the user has set it, in flags, in a file or in code; else float32. The setting itself
    is the user's: building and using networks leaves it alone.
    """
    return _float_setting.float_type()


def shared_array(value, name, transposed=False):
    """A Theano shared variable of fixed shape that holds a copy of a NumPy array.

    Parameters
    ----------
    value : array
    name : str
    transposed : bool
        Whether our functions keep the array transposed in memory, so that each column lies in one piece. This makes
        some of them faster and changes nothing else: formulas and values have the array's own shape.
    """
    return chosen_engine.shared(np.array(value, order="C"), name, transposed)


def as_numpy(value):
    """A NumPy array of its own from a compiled function's result or a shared variable's value."""
    return np.array(value, order="C")


def compile_function(build, dtype):
    """Compile a graph.

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
    chosen_engine.prepare()
    with chosen_engine.compiling(dtype):
        inputs, outputs, updates = build()
        mode = chosen_engine.mode(dtype)
        return CompiledFunction(theano.function(inputs, outputs, updates=updates, mode=mode, on_unused_input="ignore"))


class CompiledFunction:
    """A Theano function that several threads may call: it has one place for its inputs, so they take turns.

    Raises
    ------
    ForkedProcessError
        Where it is called in a process that was forked from one in which XLA ran.
    """

    def __init__(self, function):
        self.function = function
        self.turn = threading.Lock()

    def __call__(self, *arguments):
        chosen_engine.require_usable_process()
        with self.turn:
            return self.function(*arguments)


def select_device(name):
    """Choose where functions run: "auto" (the engine's own choice), "cpu" or "gpu".

    Raises
    ------
    OptionError
        For another name, and for "gpu" where there is none.
    """
    if name not in DEVICES:
        raise OptionError(f"device: expected one of {', '.join(DEVICES)}, got {name!r}")
    chosen_engine.select_device(name)
