"""The tutorial's cell: s_t = f(U x_t + W s_{t-1}), with f = tanh or ReLU."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from theano_rnn.engines import array_functions
from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import TensorVariable


def tanh(z: TensorVariable) -> TensorVariable:
    """The hyperbolic tangent."""
    return array_functions.tanh(z)


def tanh_slope(s: TensorVariable) -> TensorVariable:
    """The derivative of s = tanh(z) with respect to z, as a function of s: 1 - s² (tutorial part 3)."""
    return 1 - s**2


def relu(z: TensorVariable) -> TensorVariable:
    """The rectified linear unit max(z, 0)."""
    return array_functions.positive_part(z)


def relu_slope(s: TensorVariable) -> TensorVariable:
    """The derivative of s = max(z, 0) with respect to z, as a function of s: 1 if s > 0, else 0."""
    return T.cast(s > 0, s.dtype)


class Activation(NamedTuple):
    """A nonlinearity f and its derivative f', expressed as a function of s = f(z)."""

    function: Callable[[TensorVariable], TensorVariable]
    slope: Callable[[TensorVariable], TensorVariable]


ACTIVATIONS = {"tanh": Activation(tanh, tanh_slope), "relu": Activation(relu, relu_slope)}


class SimpleCell:
    """s_t = f(U x_t + W s_{t-1}).

    Parameters
    ----------
    activation : {"tanh", "relu"}
        The function f.
    """

    gates: tuple[str, ...] = ("s",)
    state_names: tuple[str, ...] = ("s",)
    has_recurrent_bias: bool = False

    def __init__(self, activation: str = "tanh") -> None:
        self.f: Callable[[TensorVariable], TensorVariable] = ACTIVATIONS[activation].function
        self.slope: Callable[[TensorVariable], TensorVariable] = ACTIVATIONS[activation].slope

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """Return s_t = f(U x_t + W s_{t-1}) (tutorial part 1), with a_t = U x_t and q_t = W s_{t-1}."""
        return (self.f(a + q),)

    def kept(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """Return no matrices: the state is all that `saved` needs."""
        return []

    def saved(
        self, kept: Sequence[TensorVariable], previous: Sequence[TensorVariable], state: Sequence[TensorVariable]
    ) -> list[TensorVariable]:
        """Return f'(U x_t + W s_{t-1}) for all t, computed from s_t."""
        (s,) = state
        return [self.slope(s)]

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """Return δ_t = ∂L/∂s_t · f' (tutorial part 3), which is both ∂L/∂a_t and ∂L/∂q_t."""
        (error,), (slope,) = errors, saved
        delta = error * slope
        return delta, delta, [None]
