"""The table of cells, and what a cell has to offer.

A cell is an elementwise formula: it computes the state from a_t = U x_t + b, from q_t = W s_{t-1}, and from the state
before. Everything around it is written once and takes any cell: the loop over the words and the stack of layers
(`forward`), backpropagation through time (`bptt`), sampling and beam search. A new cell is one module like
`simple_cell` and one line in `CELLS`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.gated_cells import GRUCell, LSTMCell
from theano_rnn.networks.simple_cell import SimpleCell


class Cell(Protocol):
    """The formulas of a cell.

    A state is a tuple of matrices. The first is s_t, which the layer above reads. All matrices have one row per text,
    or per text and step. They have `hidden_dim` columns, except `a` and `q`, which have a block of `hidden_dim`
    columns for each gate.

    Attributes
    ----------
    gates : tuple of str
        Names of the blocks of rows of U and W, in PyTorch's order. The tutorial's cell has one block.
    state_names : tuple of str
        Names of the matrices of a state; the first is "s".
    has_recurrent_bias : bool
        Whether the last block of q_t has a bias of its own. A cell needs one if its formula does not use a_t and q_t
        only as the sum a_t + q_t.
    """

    gates: tuple[str, ...]
    state_names: tuple[str, ...]
    has_recurrent_bias: bool

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """The state at t, from a_t, q_t and the state at t-1."""

    def kept(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """The matrices that the forward loop keeps of each step for `saved`, besides the states."""

    def saved(
        self, kept: Sequence[TensorVariable], previous: Sequence[TensorVariable], state: Sequence[TensorVariable]
    ) -> list[TensorVariable]:
        """The arrays that `backward` needs, for all steps at once: (steps, batch_size, n).

        For the tutorial's cell this is f'(U x_t + W s_{t-1}).
        """

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """The chain rule for `next_state`. The caller takes ∂L/∂q_t through W.

        Parameters
        ----------
        errors : sequence of matrices
            ∂L/∂s_t, and the derivatives with respect to the other matrices of the state.
        saved : sequence of matrices
            The results of `saved` for the same texts and steps.

        Returns
        -------
        da, dq : matrices
            ∂L/∂a_t and ∂L/∂q_t.
        previous_errors : list
            The derivatives with respect to the state at t-1, without the part that goes through q_t. None is zero.
        """


CELLS: dict[str, Callable[[str], Cell]] = {"simple": SimpleCell, "gru": GRUCell, "lstm": LSTMCell}
"""Cells by name. Each entry takes the name of an activation and returns the formulas."""
