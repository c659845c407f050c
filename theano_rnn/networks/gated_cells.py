"""Cells with gates: GRU and LSTM, in the forms of PyTorch and cuDNN, so that weights can be exchanged."""

from collections.abc import Sequence

from theano_rnn.engines.engine import T, axis_length, theano
from theano_rnn.engines.tensor_types import TensorVariable


def sigmoid(z: TensorVariable) -> TensorVariable:
    """σ(z) = 1 / (1 + exp(-z)), written with tanh, which neither overflows nor needs a division."""
    return 0.5 * T.tanh(0.5 * z) + 0.5


def blocks(array: TensorVariable, count: int) -> list[TensorVariable]:
    """The last axis of an array, divided into equal blocks."""
    width = axis_length(array, -1) // count
    return [array[..., i * width : (i + 1) * width] for i in range(count)]


class GatedCell:
    """What the cells of this module have in common: their backward pass follows from their formulas.

    Parameters
    ----------
    activation : {"tanh"}
        Not used: the formulas contain their functions.
    """

    gates: tuple[str, ...]

    def __init__(self, activation: str = "tanh") -> None:
        pass

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """The state at t."""
        raise NotImplementedError

    def saved(
        self,
        a: TensorVariable,
        q: TensorVariable,
        previous: Sequence[TensorVariable],
        state: Sequence[TensorVariable],
    ) -> list[TensorVariable]:
        """a_t, q_t and the state at t-1, from which `backward` computes the gates again."""
        return [a, q, *previous]

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """The vector-Jacobian product of `next_state`, which Theano derives from the formula."""
        state = self.next_state(*saved)
        # Its gradient is the product. (`Lop` would take s for independent of c, because it is given errors of both.)
        product = sum(T.sum(error * one, acc_dtype=one.dtype) for error, one in zip(errors, state, strict=True))
        da, dq, *previous = theano.grad(product, list(saved), consider_constant=errors, disconnected_inputs="ignore")
        return da, dq, previous


class GRUCell(GatedCell):
    """The gated recurrent unit (Cho et al. 2014), with the reset gate after the product."""

    gates = ("r", "z", "n")
    state_names = ("s",)
    has_recurrent_bias = True

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """s_t, a mixture of s_{t-1} and the candidate n."""
        (s_prev,) = previous
        a_r, a_z, a_n = blocks(a, 3)
        q_r, q_z, q_n = blocks(q, 3)
        r = sigmoid(a_r + q_r)
        z = sigmoid(a_z + q_z)
        n = T.tanh(a_n + r * q_n)
        s = (1 - z) * n + z * s_prev
        return (s,)


class LSTMCell(GatedCell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al. 2000)."""

    gates = ("i", "f", "g", "o")
    state_names = ("s", "c")
    has_recurrent_bias = False

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """s_t and the cell state c_t."""
        _, c_prev = previous
        a_i, a_f, a_g, a_o = blocks(a + q, 4)
        i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)
        g = T.tanh(a_g)
        c = f * c_prev + i * g
        s = o * T.tanh(c)
        return s, c
