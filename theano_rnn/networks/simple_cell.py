"""The tutorial's cell: s_t = f(U x_t + W s_{t-1}), with f = tanh or ReLU."""

from collections.abc import Callable
from typing import NamedTuple

from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import TensorVariable


def tanh(z: TensorVariable) -> TensorVariable:
    """The hyperbolic tangent."""
    return T.tanh(z)


def tanh_slope(s: TensorVariable) -> TensorVariable:
    """The derivative of s = tanh(z) with respect to z, as a function of s: 1 - s² (tutorial part 3)."""
    return 1 - s**2


def relu(z: TensorVariable) -> TensorVariable:
    """The rectified linear unit max(z, 0)."""
    return T.switch(z > 0, z, T.zeros_like(z))


def relu_slope(s: TensorVariable) -> TensorVariable:
    """The derivative of s = max(z, 0) with respect to z, as a function of s: 1 above 0, else 0."""
    return T.cast(s > 0, s.dtype)


class Activation(NamedTuple):
    """A nonlinearity f and its derivative f', which takes the value s = f(z)."""

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

    def __init__(self, activation: str = "tanh") -> None:
        self.f: Callable[[TensorVariable], TensorVariable] = ACTIVATIONS[activation].function
        self.slope: Callable[[TensorVariable], TensorVariable] = ACTIVATIONS[activation].slope

    def parameter_shapes(self, word_dim: int, hidden_dim: int) -> dict[str, tuple[int, int]]:
        """Shapes of U and W."""
        return {"U": (hidden_dim, word_dim), "W": (hidden_dim, hidden_dim)}

    def state_shape(self, batch_size: TensorVariable, hidden_dim: TensorVariable) -> tuple[TensorVariable, ...]:
        """Shape of the states of a minibatch; s_{-1} = 0."""
        return batch_size, hidden_dim

    def next_state(self, a_t: TensorVariable, s_prev: TensorVariable, W: TensorVariable) -> TensorVariable:
        """s_t = f(U x_t + W s_{t-1}) (tutorial part 1); a_t is U x_t."""
        return self.f(a_t + s_prev.dot(W.T))

    def slopes(self, a: TensorVariable, s_prev: TensorVariable, s: TensorVariable, W: TensorVariable) -> TensorVariable:
        """f'(U x_t + W s_{t-1}) for all t, which s_t alone determines."""
        return self.slope(s)

    def backward(
        self, error: TensorVariable, slope: TensorVariable, W: TensorVariable
    ) -> tuple[TensorVariable, TensorVariable]:
        """δ_t = ∂L/∂s_t · f', and Wᵀ δ_t, the error that flows back to s_{t-1} (tutorial part 3)."""
        delta = error * slope
        return delta, delta.dot(W)

    def weight_gradients(
        self, delta: TensorVariable, slopes: TensorVariable, s_prev: TensorVariable
    ) -> list[TensorVariable]:
        """dW = Σ δ_t s_{t-1}ᵀ, summed over the rows of both."""
        return [delta.T.dot(s_prev)]
