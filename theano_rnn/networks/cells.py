"""The table of cells, and what a cell has to offer.

A cell computes one state from the one before, and takes errors one step back. Everything around it is written once and
takes any cell: the loop over the words (`forward`), backpropagation through time (`bptt`), sampling and beam search. A
new cell is one module like `simple_cell` and one line in `CELLS`.
"""

from collections.abc import Callable
from typing import Protocol

from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.simple_cell import SimpleCell


class Cell(Protocol):
    """The formulas of a cell.

    ``weights`` are the cell's own parameters except U, in the order of `parameter_shapes`. Arrays are matrices with one
    row per text, or, in `slopes`, tensors (steps, batch_size, n).
    """

    def parameter_shapes(self, word_dim: int, hidden_dim: int) -> dict[str, tuple[int, int]]:
        """Shapes of U and of the weights, by name."""

    def state_shape(self, batch_size: TensorVariable, hidden_dim: TensorVariable) -> tuple[TensorVariable, ...]:
        """Shape of the states of a minibatch; the initial state is zero."""

    def next_state(self, a_t: TensorVariable, s_prev: TensorVariable, *weights: TensorVariable) -> TensorVariable:
        """s_t, from a_t = U x_t and s_{t-1}."""

    def slopes(
        self, a: TensorVariable, s_prev: TensorVariable, s: TensorVariable, *weights: TensorVariable
    ) -> TensorVariable:
        """What `backward` needs of each step, computed for all steps at once."""

    def backward(
        self, error: TensorVariable, slope: TensorVariable, *weights: TensorVariable
    ) -> tuple[TensorVariable, TensorVariable]:
        """∂L/∂a_t and ∂L/∂s_{t-1}, from the error ∂L/∂s_t."""

    def weight_gradients(
        self, delta: TensorVariable, slopes: TensorVariable, s_prev: TensorVariable
    ) -> list[TensorVariable]:
        """The gradients of the weights, from ∂L/∂a_t, the slopes and s_{t-1} of all steps, as rows of matrices."""


CELLS: dict[str, Callable[[str], Cell]] = {"simple": SimpleCell}
"""Cells by name; each entry takes the name of an activation."""
