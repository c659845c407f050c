"""The original Theano 1.0.5, whose functions a C++ compiler makes: its names and its ways. Only `engine` imports it.

What each name means is told in `engine` and `pytensor_engine`.
"""

# ruff: noqa: F401  (some names are imported for `engine` to take)

import contextlib
import functools
import logging
import threading
import warnings

import numpy as np

from theano_rnn.engines import theano_settings
from theano_rnn.errors import OptionError

with theano_settings.applied() as problem:
    import theano
    import theano.tensor as T
    from theano.compile.ops import Shape, Shape_i
    from theano.gof import Apply, Constant, Op
    from theano.gof.graph import ancestors
    from theano.misc import windows  # where Theano starts its compiler, on every system
    from theano.scan_module.scan_op import Scan
    from theano.tensor.sharedvar import TensorSharedVariable

logger = logging.getLogger(__name__)
theano_settings.tell_once(problem, theano.config.base_compiledir)
# In a group of its own, a compiler is not stopped by a Ctrl-C that is meant for us, and in our hands.
windows.subprocess = theano_settings.UndisturbedProcesses

# Settings of the whole process are switched while a graph is built and compiled: only one thread at a time may.
BUILDING = threading.RLock()
SECONDS_WITHOUT_A_WORD = 2

jax = jnp = None
debugprint = functools.partial(theano.printing.debugprint, file="str")


class SharedArray(TensorSharedVariable):
    """A shared variable of Theano's own, whose columns may lie in one piece each.

    Gathering columns and adding to them, as with U, is faster so; Theano's functions keep the order in memory.
    """

    @property
    def matrix(self):
        """This variable, under the name that it once had in formulas."""
        return self

    def get_value(self, borrow=False, return_internal_type=False):
        """The value as a NumPy array of the caller's own."""
        return np.array(super().get_value(borrow=True), order="C")

    def set_value(self, new_value, borrow=False):
        """Replace the value by a copy of a NumPy array."""
        super().set_value(np.array(new_value, order="F" if self.tag.by_columns else "C"), borrow=True)


def shared(value, name, transposed):
    value = np.array(value, order="F" if transposed else "C")
    variable = SharedArray(name, T.TensorType(value.dtype, [False] * value.ndim), value, strict=True)
    variable.tag.by_columns = transposed
    return variable


def float_parameter():
    """What holds floatX in Theano's configuration."""
    return vars(type(theano.config))["floatX"]


def scan(step, **settings):
    outputs, _ = theano.scan(step, **settings)
    return outputs


def step_of_scan(operation):
    return operation.inputs, operation.outputs


def xla_version(operation):
    """A decorator for what only XLA would run: Theano runs the operation's `perform`."""
    return lambda function: function


def finished(results):
    return results


def fused(operation, plain):
    """The plain formula: an operation of our own would run in Python, and hide the formula from Theano's rewrites."""
    return plain


def axis_length(array, axis):
    return array.shape[axis % array.ndim]


def with_last_axis_length(array, length):
    return array


def typed_tensor(name, dtype, shape):
    return T.TensorType(dtype, [False] * len(shape))(name)


@contextlib.contextmanager
def precision(dtype):
    with BUILDING, theano.change_flags(floatX=dtype), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy's and Python's, about what Theano took from them in 2020
        yield


@contextlib.contextmanager
def compiling(dtype):
    timer = threading.Timer(SECONDS_WITHOUT_A_WORD, announce)
    timer.start()
    try:
        with precision(dtype):
            yield
    finally:
        timer.cancel()


@functools.cache
def announce():
    logger.warning("compiling with Theano: up to a minute the first time, some seconds from then on")


def mode(dtype):
    return None  # the user's, from Theano's own settings


def prepare():
    """Nothing needs to be prepared."""


def require_usable_process():
    """Processes may be forked."""


def select_device(name):
    if name == "gpu":
        raise OptionError(
            "device: the original Theano is used on CPUs only; choose cpu, or use PyTensor with JAX on Python 3.11"
        )


def device_name():
    return None


def versions():
    return f"Theano {theano.__version__}"


def compiled_shapes(function):
    return 1  # one program for all shapes


def xla_program(compiled, arguments):
    raise OptionError("hlo: the original Theano does not use XLA; PyTensor with JAX does, on Python 3.11 or later")
