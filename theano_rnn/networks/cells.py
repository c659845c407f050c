"""The table of cells, and the interface that a cell implements.

A cell is an elementwise formula. It computes the state from a_t = U x_t + b, q_t = W s_{t-1} and the previous state.
Everything else is written once and works with any cell: the loop over the words and the stack of layers (`forward`),
backpropagation through time (`bptt`), sampling and beam search. To add a cell, write a module like `simple_cell` and
add a line to `CELLS`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.gated_cells import GRUCell, LSTMCell
from theano_rnn.networks.simple_cell import SimpleCell


class Cell(Protocol):
    """The formulas of a cell.

    A state is a tuple of matrices. The first is s_t, which the layer above reads. All matrices have one row per text,
    or one row per step and text. They have `hidden_dim` columns, except `a` and `q`, which have `hidden_dim` columns
    for each gate.

    Attributes
    ----------
    gates : tuple of str
        Names of the blocks of rows of U and W, in PyTorch's order. The tutorial's cell has a single block.
    state_names : tuple of str
        Names of the matrices of a state. The first is "s".
    has_recurrent_bias : bool
        Whether the last block of q_t has a separate bias r. A cell needs it if its formula uses a_t and q_t other than
        as the sum a_t + q_t.
    """

    gates: tuple[str, ...]
    state_names: tuple[str, ...]
    has_recurrent_bias: bool

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """Return the state at t, given a_t, q_t and the state at t-1."""

    def kept(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """Return the matrices of a step, besides the state, that the forward loop keeps for `saved`."""

    def saved(
        self, kept: Sequence[TensorVariable], previous: Sequence[TensorVariable], state: Sequence[TensorVariable]
    ) -> list[TensorVariable]:
        """Return the arrays that `backward` needs, for all steps at once: each is (steps, batch_size, hidden_dim).

        For the tutorial's cell this is f'(U x_t + W s_{t-1}).
        """

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """Apply the chain rule to `next_state`. The caller multiplies ∂L/∂q_t by W.

        Parameters
        ----------
        errors : sequence of matrices
            The derivatives of L with respect to the matrices of the state at t; the first is ∂L/∂s_t.
        saved : sequence of matrices
            What `saved` returns, for the same steps and texts.

        Returns
        -------
        da, dq : matrices
            ∂L/∂a_t and ∂L/∂q_t.
        previous_errors : list
            The derivatives of L with respect to the matrices of the state at t-1, without the part that flows through
            q_t. None stands for zero.
        """


CELLS: dict[str, Callable[[str], Cell]] = {"simple": SimpleCell, "gru": GRUCell, "lstm": LSTMCell}
"""Cells by name. Each value takes the name of an activation and returns a `Cell`."""
