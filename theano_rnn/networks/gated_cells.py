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

    def formula(
        self, a: Sequence[TensorVariable], q: Sequence[TensorVariable], previous: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, ...]:
        """The state at t, from the blocks of a_t and q_t, one for each gate, and the state at t-1."""
        raise NotImplementedError

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """The state at t."""
        count = len(self.gates)
        return self.formula(blocks(a, count), blocks(q, count), previous)

    def vector_jacobian_product(
        self,
        errors: Sequence[TensorVariable],
        state: Sequence[TensorVariable],
        inputs: Sequence[TensorVariable],
    ) -> list[TensorVariable]:
        """Errors of the inputs of a formula, from those of its results. Theano derives them."""
        # The gradient of this sum is the product. (`Lop` takes s for independent of c if it is given errors of both.)
        product = sum(T.sum(error * one, acc_dtype=one.dtype) for error, one in zip(errors, state, strict=True))
        return theano.grad(product, list(inputs), consider_constant=list(errors))


class GRUCell(GatedCell):
    """The gated recurrent unit (Cho et al. 2014), with the reset gate after the product."""

    gates: tuple[str, ...] = ("r", "z", "n")
    state_names: tuple[str, ...] = ("s",)
    has_recurrent_bias: bool = True

    def formula(
        self, a: Sequence[TensorVariable], q: Sequence[TensorVariable], previous: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, ...]:
        """s_t, a mixture of s_{t-1} and the candidate n."""
        (a_r, a_z, a_n), (q_r, q_z, q_n), (s_prev,) = a, q, previous
        r = sigmoid(a_r + q_r)
        z = sigmoid(a_z + q_z)
        n = T.tanh(a_n + r * q_n)
        s = (1 - z) * n + z * s_prev
        return (s,)

    def kept(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """q_t."""
        return [q]

    def saved(
        self,
        a: TensorVariable,
        kept: Sequence[TensorVariable],
        previous: Sequence[TensorVariable],
        state: Sequence[TensorVariable],
    ) -> list[TensorVariable]:
        """a_t, q_t and s_{t-1}, from which `backward` computes the gates again."""
        return [a, *kept, *previous]

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """The vector-Jacobian product of `formula`."""
        a, q, s_prev = blocks(saved[0], 3), blocks(saved[1], 3), saved[2]
        found = self.vector_jacobian_product(errors, self.formula(a, q, [s_prev]), [*a, *q, s_prev])
        return T.concatenate(found[:3], axis=-1), T.concatenate(found[3:6], axis=-1), [found[6]]


class LSTMCell(GatedCell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al. 2000)."""

    gates: tuple[str, ...] = ("i", "f", "g", "o")
    state_names: tuple[str, ...] = ("s", "c")
    has_recurrent_bias: bool = False

    def formula(
        self, a: Sequence[TensorVariable], q: Sequence[TensorVariable], previous: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, ...]:
        """s_t and the cell state c_t."""
        (a_i, a_f, a_g, a_o), (q_i, q_f, q_g, q_o), (_, c_prev) = a, q, previous
        i = sigmoid(a_i + q_i)
        f = sigmoid(a_f + q_f)
        g = T.tanh(a_g + q_g)
        o = sigmoid(a_o + q_o)
        c = f * c_prev + i * g
        s = o * T.tanh(c)
        return s, c

    def kept(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """a_t + q_t."""
        return [a + q]

    def saved(
        self,
        a: TensorVariable,
        kept: Sequence[TensorVariable],
        previous: Sequence[TensorVariable],
        state: Sequence[TensorVariable],
    ) -> list[TensorVariable]:
        """a_t + q_t and c_{t-1}, from which `backward` computes the gates again."""
        return [*kept, previous[1]]

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """The vector-Jacobian product of `formula`, where a_t and q_t have the same error."""
        a, c_prev = blocks(saved[0], 4), saved[1]
        *da, dc = self.vector_jacobian_product(errors, self.formula(a, [0, 0, 0, 0], [None, c_prev]), [*a, c_prev])
        delta = T.concatenate(da, axis=-1)
        return delta, delta, [None, dc]
