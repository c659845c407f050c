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

    An object is made for one activation, the argument of the entries of `CELLS`. In all methods ``weights`` are the
    cell's parameters except U, in the order of `parameter_shapes`; the tutorial's cell has one, W. States and errors
    are symbolic matrices with one row per text and step.
    """

    def parameter_shapes(self, word_dim: int, hidden_dim: int) -> dict[str, tuple[int, int]]:
        """Shapes of U and of the weights, by name.

        The columns of U are the activations that words bring, (n, word_dim). A cell with gates has n > hidden_dim.
        """

    def state_shape(self, batch_size: TensorVariable, hidden_dim: TensorVariable) -> tuple[TensorVariable, ...]:
        """Shape of the states of a minibatch. The initial state is zero."""

    def next_state(self, a_t: TensorVariable, s_prev: TensorVariable, *weights: TensorVariable) -> TensorVariable:
        """s_t, from a_t = U x_t (batch_size, n) and s_{t-1} (batch_size, hidden_dim)."""

    def slopes(
        self, a: TensorVariable, s_prev: TensorVariable, s: TensorVariable, *weights: TensorVariable
    ) -> TensorVariable:
        """What `backward` needs to know of each step, computed for all steps at once.

        Parameters
        ----------
        a, s_prev, s : tensors (steps, batch_size, n or hidden_dim)
            a_t, s_{t-1} and s_t for all t.

        Returns
        -------
        tensor (steps, batch_size, m)
            Any number of columns. The tutorial's cell returns f'(a_t + W s_{t-1}).
        """

    def backward(
        self, error: TensorVariable, slope: TensorVariable, *weights: TensorVariable
    ) -> tuple[TensorVariable, TensorVariable]:
        """Take errors one step back.

        Parameters
        ----------
        error : matrix (rows, hidden_dim)
            ∂L/∂s_t.
        slope : matrix (rows, m)
            The rows of `slopes` that belong to the same texts and steps.

        Returns
        -------
        delta : matrix (rows, n)
            ∂L/∂a_t.
        error_to_previous : matrix (rows, hidden_dim)
            ∂L/∂s_{t-1}, as far as it comes through s_t.
        """

    def weight_gradients(
        self, delta: TensorVariable, slopes: TensorVariable, s_prev: TensorVariable
    ) -> list[TensorVariable]:
        """The gradients of the weights, summed over all texts and steps.

        Parameters
        ----------
        delta : matrix (rows, n)
            ∂L/∂a_t.
        slopes : matrix (rows, m)
        s_prev : matrix (rows, hidden_dim)
            s_{t-1}.
        """


CELLS: dict[str, Callable[[str], Cell]] = {"simple": SimpleCell}
"""Cells by name; each entry takes the name of an activation."""
