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

    An object is made for one activation, the argument of the entries of `CELLS`. A state is a tuple of matrices; the
    first is s_t, which the layers above read. All matrices have one row per text, or per text and step, and
    `hidden_dim` columns, except `a` and `q`, which have a block of `hidden_dim` columns for each of `gates`.

    Attributes
    ----------
    gates : tuple of str
        Names of the blocks of rows of U and W, in the order of PyTorch.
    state_names : tuple of str
        Names of the matrices of a state; the first is "s".
    has_recurrent_bias : bool
        Whether the last block of q_t needs a bias of its own, because it does not enter only as the sum a_t + q_t.
    """

    gates: tuple[str, ...]
    state_names: tuple[str, ...]
    has_recurrent_bias: bool

    def next_state(self, a: TensorVariable, q: TensorVariable, *previous: TensorVariable) -> tuple[TensorVariable, ...]:
        """The state at t, from a_t, q_t and the state at t-1."""

    def kept(self, a: TensorVariable, q: TensorVariable) -> list[TensorVariable]:
        """What the loop of the forward pass keeps of each step for `saved`, beside the states, as for `next_state`."""

    def saved(
        self, kept: Sequence[TensorVariable], previous: Sequence[TensorVariable], state: Sequence[TensorVariable]
    ) -> list[TensorVariable]:
        """The arrays that `backward` needs, computed for all steps at once, with axes (steps, batch_size, n).

        For the tutorial's cell this is f'(a_t + q_t).
        """

    def backward(
        self, errors: Sequence[TensorVariable], saved: Sequence[TensorVariable]
    ) -> tuple[TensorVariable, TensorVariable, list[TensorVariable | None]]:
        """The chain rule for `next_state`: take errors one step back, except through W.

        Parameters
        ----------
        errors : sequence of matrices
            ∂L/∂s_t, and the errors of the other matrices of the state.
        saved : sequence of matrices
            The rows of `saved` that belong to the same texts and steps.

        Returns
        -------
        da, dq : matrices
            ∂L/∂a_t and ∂L/∂q_t.
        previous_errors : list
            The errors of the state at t-1 that do not come through q_t; None stands for zero.
        """


CELLS: dict[str, Callable[[str], Cell]] = {"simple": SimpleCell, "gru": GRUCell, "lstm": LSTMCell}
"""Cells by name; each entry takes the name of an activation."""
