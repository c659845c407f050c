"""Gradient checking: backpropagation against central differences (tutorial part 2).

The check runs in float64 and without truncation, regardless of the network's own settings.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import CompiledFunction, T, as_numpy, compile_function, typed_tensor
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import GradientCheckError
from theano_rnn.networks.architecture import Architecture, SymbolicNetwork
from theano_rnn.networks.bptt import LossAndGradients, loss_and_gradients
from theano_rnn.networks.network_graphs import Graph

DTYPE = "float64"
# Near the kink of ReLU, the difference over ±h mixes two slopes. The check then tries smaller steps as well.
SMALLER_STEPS = (1.0, 1e-1, 1e-2, 1e-3)


class GradientCheck(NamedTuple):
    """The result of `check_gradients`: how many elements it compared, and the one with the largest relative error.

    Attributes
    ----------
    elements : int
    parameter : str
        Name of the parameter that contains the element.
    index : tuple of int
        Index of the element in the parameter.
    gradient : float
        The result of backpropagation.
    estimate : float
        The result of central differences.
    relative_error : float
    """

    elements: int
    parameter: str
    index: tuple[int, ...]  # type: ignore[assignment]  # hides tuple.index
    gradient: float
    estimate: float
    relative_error: float


def check_gradients(
    values: Mapping[str, npt.ArrayLike],
    architecture: Architecture,
    x: npt.NDArray[np.int32],
    y: npt.NDArray[np.int32],
    h: float = 0.001,
    error_threshold: float = 0.01,
) -> GradientCheck:
    """Compare every element of the gradients of all parameters with (L(θ+h) - L(θ-h)) / 2h.

    The relative error is |gradient - estimate| / max(|gradient| + |estimate|, 100 h²). The second term is needed
    because central differences have an error of about h², which matters for gradients that are nearly zero.

    Parameters
    ----------
    values : dict of str to array
        The parameters by name.
    architecture : Architecture
    x, y : arrays (n,) of word ids, already checked
    h : float
    error_threshold : float

    Returns
    -------
    GradientCheck

    Raises
    ------
    GradientCheckError
        For the first element whose relative error exceeds the threshold.
    """
    arrays = {name: np.array(value, dtype=DTYPE) for name, value in values.items()}
    functions = LossAndGradientFunctions(arrays, architecture)
    x, y, mask = as_minibatch(x, y)

    def loss() -> float:
        return float(functions.loss(*arrays.values(), x, y, mask))

    gradients = dict(zip(arrays, map(as_numpy, functions.bptt(*arrays.values(), x, y, mask)), strict=True))
    used_columns = set(x[:, 0].tolist())
    worst = GradientCheck(0, "", (), 0.0, 0.0, -1.0)
    for name, value in arrays.items():
        for index in np.ndindex(value.shape):
            gradient = float(gradients[name][index])
            # The loss does not depend on columns of U and rows of E of words that are not in x; no need to compute it.
            is_unused = (name == "U" and not architecture.has_embedding and index[1] not in used_columns) or (
                name == "E" and index[0] not in used_columns
            )
            if is_unused:
                estimate, error = 0.0, relative_error(gradient, 0.0, h)
            else:
                estimate, error = compare(loss, value, index, gradient, h, error_threshold)
            if error > error_threshold:
                raise GradientCheckError(
                    f"gradient check failed for {name}[{', '.join(map(str, index))}]: backpropagation gives "
                    f"{gradient:.9g}, central differences {estimate:.9g}, relative error {error:.3g} > "
                    f"{error_threshold:g}"
                )
            if error > worst.relative_error:
                worst = GradientCheck(0, name, index, gradient, estimate, error)
    return worst._replace(elements=sum(value.size for value in arrays.values()))


def as_minibatch(
    x: npt.NDArray[np.int32], y: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Return x, y and the mask of one sentence as a minibatch: arrays (steps, 1)."""
    x, y = (np.asarray(ids, np.int32)[:, None] for ids in (x, y))
    if len(x) > 1:
        return x, y, np.ones(x.shape, np.int8)
    # The gradient of `scan` needs two steps, so the sentence is padded.
    x, y = (np.concatenate([ids, np.zeros_like(ids)]) for ids in (x, y))
    return x, y, np.array([[1], [0]], np.int8)


def relative_error(gradient: float, estimate: float, h: float) -> float:
    """Return the relative error as defined in `check_gradients`; infinity if it is NaN."""
    error = abs(gradient - estimate) / max(abs(gradient) + abs(estimate), 100 * h**2)
    return np.inf if np.isnan(error) else error


def compare(
    loss: Callable[[], float],
    value: npt.NDArray[np.float64],
    index: tuple[int, ...],
    gradient: float,
    h: float,
    error_threshold: float,
) -> tuple[float, float]:
    """Return the estimate and the relative error of one element. Smaller steps are tried only if h fails."""
    best = (0.0, np.inf)
    original = value[index]
    for factor in SMALLER_STEPS:
        step = h * factor
        value[index] = original + step
        loss_plus = loss()
        value[index] = original - step
        loss_minus = loss()
        value[index] = original
        estimate = (loss_plus - loss_minus) / (2 * step)
        best = min(best, (estimate, relative_error(gradient, estimate, h)), key=lambda result: result[1])
        if best[1] <= error_threshold:
            break
    return best


class LossAndGradientFunctions:
    """The loss and its untruncated gradients, compiled as functions of the parameters, x, y and mask, in float64."""

    def __init__(self, values: Mapping[str, np.ndarray], architecture: Architecture) -> None:
        def graph() -> tuple[list[TensorVariable], LossAndGradients]:
            parameters = {name: typed_tensor(name, DTYPE, value.shape) for name, value in values.items()}
            x, y, mask = T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask")
            s_init = T.zeros((x.shape[1], architecture.state_dim), dtype=DTYPE)
            found = loss_and_gradients(x, y, mask, s_init, SymbolicNetwork(architecture, parameters), None)
            return [*parameters.values(), x, y, mask], found

        def loss_graph() -> Graph:
            inputs, found = graph()
            return inputs, found.loss, None

        def gradient_graph() -> Graph:
            inputs, found = graph()
            return inputs, list(found.gradients.values()), None

        self.loss: CompiledFunction = compile_function(loss_graph, DTYPE)
        self.bptt: CompiledFunction = compile_function(gradient_graph, DTYPE)
