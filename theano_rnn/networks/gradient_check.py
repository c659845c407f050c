"""Gradients of the graph held against central differences, always in float64 and through the whole sentence."""

from typing import NamedTuple

import numpy as np

from theano_rnn.engines.engine import T, as_numpy, compile_function, length, typed_tensor
from theano_rnn.errors import GradientCheckError
from theano_rnn.networks import graph

# At a kink of ReLU the difference quotient over ±h mixes two slopes; a hundredth and less of h is then tried as well.
SMALLER_STEPS = (1.0, 1e-1, 1e-2, 1e-3)


class GradientCheck(NamedTuple):
    """What `check_gradients` found: how many elements it compared, and the one with the largest relative error."""

    elements: int
    parameter: str
    index: tuple
    gradient: float
    estimate: float
    relative_error: float


def check_gradients(values, activation, x, y, h=0.001, error_threshold=0.01):
    """Compare every element of dU, dV, dW with (L(θ+h) - L(θ-h)) / 2h (tutorial part 2, gradient checking).

    The relative error is |gradient - estimate| / max(|gradient| + |estimate|, 100 h²): central differences themselves
    are off by about h², which says nothing about gradients that are nearly zero.

    Parameters
    ----------
    values : dict of arrays U, V, W
    activation : {"tanh", "relu"}
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
    values = {name: np.array(value, dtype="float64") for name, value in values.items()}
    loss_and_gradients = ExplicitFunctions(values, activation)
    x, y = (np.asarray(ids, np.int32)[:, None] for ids in (x, y))
    if len(x) == 1:  # scan's gradient wants two steps: the second is padding
        x, y = (np.concatenate([ids, np.zeros_like(ids)]) for ids in (x, y))
        mask = np.array([[1], [0]], np.int8)
    else:
        mask = np.ones(x.shape, np.int8)

    def loss():
        return float(loss_and_gradients.loss(*values.values(), x, y, mask))

    gradients = dict(zip(values, map(as_numpy, loss_and_gradients.bptt(*values.values(), x, y, mask)), strict=True))
    used_columns = set(x[:, 0].tolist())
    worst = GradientCheck(0, "", (), 0.0, 0.0, -1.0)
    for name, value in values.items():
        for index in np.ndindex(value.shape):
            gradient = float(gradients[name][index])
            # Columns of U that stand for no word of x are no part of the loss: both losses would be the same number.
            idle = name == "U" and index[1] not in used_columns
            found = compare(loss, value, index, gradient, h, error_threshold, idle)
            if found[1] > error_threshold:
                raise GradientCheckError(
                    f"gradient check failed for {name}[{', '.join(map(str, index))}]: backpropagation gives "
                    f"{gradient:.9g}, central differences {found[0]:.9g}, relative error {found[1]:.3g} > "
                    f"{error_threshold:g}"
                )
            if found[1] > worst.relative_error:
                worst = GradientCheck(0, name, index, gradient, *found)
    return worst._replace(elements=sum(value.size for value in values.values()))


def compare(loss, value, index, gradient, h, error_threshold, idle):
    """(estimate, relative error) of one element; smaller steps are tried only where h fails."""
    best = (0.0, np.inf)
    original = value[index]
    for factor in SMALLER_STEPS:
        step = h * factor
        if idle:
            estimate = 0.0
        else:
            value[index] = original + step
            loss_plus = loss()
            value[index] = original - step
            loss_minus = loss()
            value[index] = original
            estimate = (loss_plus - loss_minus) / (2 * step)
        scale = max(abs(gradient) + abs(estimate), 100 * h**2)
        best = min(best, (estimate, abs(gradient - estimate) / scale), key=lambda found: found[1])
        if best[1] <= error_threshold:
            break
    return best


class ExplicitFunctions:
    """The graph's loss and full-BPTT gradients as functions of (U, V, W, x, y, mask)."""

    def __init__(self, values, activation):
        def variables():
            parameters = [typed_tensor(name, "float64", value.shape) for name, value in values.items()]
            return parameters, T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask")

        def forward(parameters, x, y, mask):
            U, V, W = parameters
            a = graph.input_activations(x, U)
            s_init = T.zeros((x.shape[1], length(U, 0)), dtype="float64")
            s = graph.hidden_states(a, W, s_init, activation)
            return a, s_init, s, graph.cross_entropy(s, V, y, mask)

        def build_loss():
            parameters, x, y, mask = variables()
            _, _, _, (loss, _, _) = forward(parameters, x, y, mask)
            return [*parameters, x, y, mask], loss, None

        def build_gradients():
            parameters, x, y, mask = variables()
            a, s_init, s, (_, ds, dV) = forward(parameters, x, y, mask)
            delta = graph.backpropagation_through_time(ds, s, parameters[2], activation, None)
            dU, dW = graph.recurrence_gradients(delta, x, s, s_init, parameters[0])
            return [*parameters, x, y, mask], [dU, dV, dW], None

        self.loss = compile_function(build_loss, "float64")
        self.bptt = compile_function(build_gradients, "float64")
