"""Computes quantities of the units of a layer: the states s_t, the cell states c_t, and the gates."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count
from theano_rnn.engines.engine import as_numpy, compile_function
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.forward import by_step, rows
from theano_rnn.networks.gated_cells import blocks, sigmoid
from theano_rnn.networks.network_graphs import forward_graph
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.minibatches import column


class Quantity(NamedTuple):
    """A quantity that each unit of a layer has.

    Attributes
    ----------
    symbol : str
        Its name in the formulas, and in the cell's `state_names` or `gates`.
    title : str
        Its name in headings.
    is_gate : bool
        Whether it is a gate, with values from 0 to 1.
    """

    symbol: str
    title: str
    is_gate: bool = False


QUANTITIES = {
    "state": Quantity("s", "hidden units"),
    "cell": Quantity("c", "cell states"),
    "input-gate": Quantity("i", "input gates", is_gate=True),
    "forget-gate": Quantity("f", "forget gates", is_gate=True),
    "output-gate": Quantity("o", "output gates", is_gate=True),
    "reset-gate": Quantity("r", "reset gates", is_gate=True),
    "update-gate": Quantity("z", "update gates", is_gate=True),
}


def available_quantities(rnn: RNN) -> list[str]:
    """Return the names of the quantities that a network has.

    Examples
    --------
    >>> available_quantities(RNN(4, 3, cell="gru"))
    ['state', 'reset-gate', 'update-gate']
    """
    cell = rnn.recurrent_cell
    return [
        name
        for name, quantity in QUANTITIES.items()
        if quantity.symbol in (cell.gates if quantity.is_gate else cell.state_names)
    ]


def check_quantity(rnn: RNN, of: str, layer: int | None) -> int:
    """Check that a network has a quantity and a layer.

    Parameters
    ----------
    rnn : RNN
    of : str
        A key of `QUANTITIES`.
    layer : int or None
        Counted from 1, which is the layer that reads the words. None means the top layer.

    Returns
    -------
    int
        The number of the layer.

    Raises
    ------
    ArgumentValueError
        If the network does not have them.
    """
    available = available_quantities(rnn)
    if of not in available:
        raise ArgumentValueError(f"of: expected one of {', '.join(available)} with the cell {rnn.cell}, got {of}")
    if layer is None:
        return rnn.layers
    if check_count("layer", layer) > rnn.layers:
        raise ArgumentValueError(
            f"layer: expected at most {rnn.layers}, the number of layers of the network, got {layer}"
        )
    return layer


def unit_values(
    rnn: RNN, sequences: Sequence[npt.NDArray[np.int32]], of: str = "state", layer: int | None = None
) -> list[np.ndarray]:
    """Compute a quantity of all units of a layer after each word.

    Parameters
    ----------
    rnn : RNN
    sequences : sequence of int32 arrays
        Word ids; the network reads each sequence from s_{-1} = 0.
    of : str
        A key of `QUANTITIES`.
    layer : int, optional
        Counted from 1; the default is the top layer.

    Returns
    -------
    list of arrays of shape (length of the sequence, hidden_dim)

    Raises
    ------
    ArgumentValueError
        If the network does not have the quantity or the layer.
    """
    number = check_quantity(rnn, of, layer) - 1
    quantity, names = QUANTITIES[of], rnn.recurrent_cell.state_names
    if quantity.is_gate:
        gates = compile_function(lambda: gate_graph(rnn, quantity.symbol, number), rnn.dtype)
        return [as_numpy(gates(column(ids)))[: len(ids), 0] for ids in sequences]
    start = (number * len(names) + names.index(quantity.symbol)) * rnn.hidden_dim
    return [rnn.states(column(ids))[: len(ids), 0, start : start + rnn.hidden_dim] for ids in sequences]


def gate_graph(rnn: RNN, gate: str, layer: int) -> tuple[list[TensorVariable], TensorVariable, None]:
    """Build the graph of a gate: σ(a_t + W s_{t-1}), with the gate's blocks of a_t and W.

    Parameters
    ----------
    rnn : RNN
    gate : str
        A name in the cell's `gates`.
    layer : int
        Counted from 0.

    Returns
    -------
    inputs, output, updates
        The word ids x (steps, batch_size), the gate for all t (steps, batch_size, hidden_dim), and None.
    """
    x, forward = forward_graph(rnn)
    names = rnn.recurrent_cell.gates
    states = forward.layers[layer]
    q = by_step(rows(states.previous[0]).dot(rnn.symbolic.layers[layer].W.T), x)
    block = names.index(gate)
    return [x], sigmoid(blocks(states.a, len(names))[block] + blocks(q, len(names))[block]), None
