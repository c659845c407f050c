"""Update rules: from gradients to new parameter values. Symbolic expressions only.

A rule takes a parameter, its gradient, its accumulators, the learning rate η and the number of the step, counted from
1. It returns the new values of the parameter and the accumulators. Accumulators have the shape of the parameter and
start at zero. To add a rule, write a function and add a line to `UPDATE_RULES`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import TensorVariable

MOMENTUM = 0.9
RMSPROP_DECAY = 0.9
ADAM_BETA1, ADAM_BETA2 = 0.9, 0.999
EPSILON = 1e-8

NewValues = tuple[TensorVariable, list[TensorVariable]]


def sgd(
    parameter: TensorVariable,
    gradient: TensorVariable,
    accumulators: Sequence[TensorVariable],
    learning_rate: TensorVariable,
    step_number: TensorVariable,
) -> NewValues:
    """θ ← θ - η g (tutorial part 2)."""
    return parameter - learning_rate * gradient, []


def momentum(
    parameter: TensorVariable,
    gradient: TensorVariable,
    accumulators: Sequence[TensorVariable],
    learning_rate: TensorVariable,
    step_number: TensorVariable,
) -> NewValues:
    """v ← 0.9 v - η g, θ ← θ + v (Polyak 1964, as written by Sutskever et al. 2013)."""
    (velocity,) = accumulators
    velocity = MOMENTUM * velocity - learning_rate * gradient
    return parameter + velocity, [velocity]


def adagrad(
    parameter: TensorVariable,
    gradient: TensorVariable,
    accumulators: Sequence[TensorVariable],
    learning_rate: TensorVariable,
    step_number: TensorVariable,
) -> NewValues:
    """r ← r + g², θ ← θ - η g / (√r + ε) (Duchi et al. 2011)."""
    (squares,) = accumulators
    squares = squares + gradient**2
    return parameter - learning_rate * gradient / (T.sqrt(squares) + EPSILON), [squares]


def rmsprop(
    parameter: TensorVariable,
    gradient: TensorVariable,
    accumulators: Sequence[TensorVariable],
    learning_rate: TensorVariable,
    step_number: TensorVariable,
) -> NewValues:
    """r ← 0.9 r + 0.1 g², θ ← θ - η g / (√r + ε) (Tieleman and Hinton 2012)."""
    (squares,) = accumulators
    squares = RMSPROP_DECAY * squares + (1 - RMSPROP_DECAY) * gradient**2
    return parameter - learning_rate * gradient / (T.sqrt(squares) + EPSILON), [squares]


def adam(
    parameter: TensorVariable,
    gradient: TensorVariable,
    accumulators: Sequence[TensorVariable],
    learning_rate: TensorVariable,
    step_number: TensorVariable,
) -> NewValues:
    """m ← β₁ m + (1-β₁) g, r ← β₂ r + (1-β₂) g², θ ← θ - η m̂ / (√r̂ + ε), m̂ = m/(1-β₁ᵗ), r̂ = r/(1-β₂ᵗ)

    (Kingma and Ba 2015, algorithm 1).
    """
    mean, squares = accumulators
    mean = ADAM_BETA1 * mean + (1 - ADAM_BETA1) * gradient
    squares = ADAM_BETA2 * squares + (1 - ADAM_BETA2) * gradient**2
    mean_hat = mean / (1 - ADAM_BETA1**step_number)
    squares_hat = squares / (1 - ADAM_BETA2**step_number)
    return parameter - learning_rate * mean_hat / (T.sqrt(squares_hat) + EPSILON), [mean, squares]


class UpdateRule(NamedTuple):
    """An entry of `UPDATE_RULES`.

    Attributes
    ----------
    formula : callable
        One of the functions of this module.
    accumulators : tuple of str
        Names of the accumulators that each parameter has.
    learning_rate : float
        The default learning rate, for gradients of the mean loss per token.
    """

    formula: Callable[
        [TensorVariable, TensorVariable, Sequence[TensorVariable], TensorVariable, TensorVariable], NewValues
    ]
    accumulators: tuple[str, ...]
    learning_rate: float


UPDATE_RULES = {
    "sgd": UpdateRule(sgd, (), learning_rate=1.0),
    "momentum": UpdateRule(momentum, ("velocity",), learning_rate=0.2),
    "adagrad": UpdateRule(adagrad, ("squares",), learning_rate=0.05),
    "rmsprop": UpdateRule(rmsprop, ("squares",), learning_rate=0.001),
    "adam": UpdateRule(adam, ("mean", "squares"), learning_rate=0.004),
}


def global_norm(gradients: Sequence[TensorVariable]) -> TensorVariable:
    """The Euclidean norm of all gradients together."""
    return T.sqrt(sum(T.sum(gradient**2, acc_dtype=gradient.dtype) for gradient in gradients))


def clip_by_norm(
    gradients: Sequence[TensorVariable], threshold: TensorVariable, norm: TensorVariable | None = None
) -> list[TensorVariable]:
    """Scale all gradients by one factor so that their global norm is at most `threshold` (Pascanu et al. 2013)."""
    norm = global_norm(gradients) if norm is None else norm
    factor = T.switch(norm > threshold, threshold / norm, T.ones_like(norm))
    return [gradient * factor for gradient in gradients]
