"""Cells with gates: GRU and LSTM, in the variants of PyTorch and cuDNN, so that weights can be exchanged.

The forward pass keeps the values of the gates for the backward pass, in which the chain rule is written out.
"""

from collections.abc import Sequence

from theano_rnn.engines.array_functions import concatenate, repeated, tanh
from theano_rnn.engines.engine import axis_length
from theano_rnn.engines.tensor_types import TensorVariable


def sigmoid(z: TensorVariable) -> TensorVariable:
    """σ(z) = 1 / (1 + exp(-z)), written with tanh, so that nothing overflows and no division is needed."""
    return 0.5 * tanh(0.5 * z) + 0.5


def blocks(array: TensorVariable, count: int) -> list[TensorVariable]:
    """Split the last axis of an array into `count` blocks of equal width."""
    width = axis_length(array, -1) // count
    return [array[..., i * width : (i + 1) * width] for i in range(count)]


class GRUCell:
    """The gated recurrent unit (Cho et al. 2014), with the reset gate applied after the product W s_{t-1}.

    With a = U x_t + b and q = W s_{t-1}, where the recurrent bias is added to the last block q_n:

        r = σ(a_r + q_r)
        z = σ(a_z + q_z)
        n = tanh(a_n + r q_n)
        s_t = (1 - z) n + z s_{t-1}

    Parameters
    ----------
    activation : {"tanh"}
        Not used, because the formulas contain fixed functions.
    """

    gates: tuple[str, ...] = ("r", "z", "n")
    state_names: tuple[str, ...] = ("s",)
    has_recurrent_bias: bool = True

    def __init__(self, activation: str = "tanh") -> None:
        pass

    def gate_values(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """Return the reset gate r, the update gate z, the candidate n, and q_n."""
        width = 2 * axis_length(a, -1) // 3
        r, z = blocks(sigmoid(a[..., :width] + q[..., :width]), 2)
        a_n, q_n = a[..., width:], q[..., width:]
        n = tanh(a_n + r * q_n)
        return [r, z, n, q_n]

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """Return s_t, a mixture of s_{t-1} and the candidate n."""
        (s_prev,) = previous
        _, z, n, _ = self.gate_values(a, q)
        s = (1 - z) * n + z * s_prev
        return (s,)

    def kept(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """Return r, z, n and q_n."""
        return self.gate_values(a, q)

    def saved(
        self, kept: Sequence[TensorVariable], previous: Sequence[TensorVariable], state: Sequence[TensorVariable]
    ) -> list[TensorVariable]:
        """Return r, z, n, q_n and s_{t-1}."""
        return [*kept, *previous]

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """Apply the chain rule, with σ' = σ (1 - σ) and tanh' = 1 - tanh²."""
        (ds,), (r, z, n, q_n, s_prev) = errors, saved
        da_n = ds * (1 - z) * (1 - n**2)
        da_r = da_n * q_n * r * (1 - r)
        da_z = ds * (s_prev - n) * z * (1 - z)
        da, dq = [da_r, da_z, da_n], [da_r, da_z, da_n * r]
        return concatenate(da, axis=-1), concatenate(dq, axis=-1), [ds * z]


class LSTMCell:
    """Long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al. 2000).

    With a = U x_t + b and q = W s_{t-1}:

        i = σ(a_i + q_i)
        f = σ(a_f + q_f)
        o = σ(a_o + q_o)
        g = tanh(a_g + q_g)
        c_t = f c_{t-1} + i g
        s_t = o tanh(c_t)

    Parameters
    ----------
    activation : {"tanh"}
        Not used, because the formulas contain fixed functions.
    """

    gates: tuple[str, ...] = ("i", "f", "g", "o")
    state_names: tuple[str, ...] = ("s", "c")
    has_recurrent_bias: bool = False

    def __init__(self, activation: str = "tanh") -> None:
        pass

    def gate_values(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """Return the input gate i, the forget gate f, the candidate g, and the output gate o."""
        # Both functions have the form k tanh(k z) + 1 - k: k is ½ for σ and 1 for tanh. One tanh for all gates takes
        # half the time of four.
        k = repeated((0.5, 0.5, 1, 0.5), axis_length(a, -1) // 4, like=a)
        return blocks(k * tanh(k * (a + q)) + (1 - k), 4)

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """Return s_t and the cell state c_t."""
        _, c_prev = previous
        i, f, g, o = self.gate_values(a, q)
        c = f * c_prev + i * g
        s = o * tanh(c)
        return s, c

    def kept(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """Return i, f, g and o."""
        return self.gate_values(a, q)

    def saved(
        self, kept: Sequence[TensorVariable], previous: Sequence[TensorVariable], state: Sequence[TensorVariable]
    ) -> list[TensorVariable]:
        """Return i, f, g, o, c_{t-1} and c_t."""
        return [*kept, previous[1], state[1]]

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """Apply the chain rule, with σ' = σ (1 - σ) and tanh' = 1 - tanh². ∂L/∂a_t equals ∂L/∂q_t."""
        (ds, dc), (i, f, g, o, c_prev, c) = errors, saved
        tanh_c = tanh(c)
        dc = dc + ds * o * (1 - tanh_c**2)
        d_i = dc * g * i * (1 - i)
        d_f = dc * c_prev * f * (1 - f)
        d_g = dc * i * (1 - g**2)
        d_o = ds * tanh_c * o * (1 - o)
        delta = concatenate([d_i, d_f, d_g, d_o], axis=-1)
        return delta, delta, [None, dc * f]
