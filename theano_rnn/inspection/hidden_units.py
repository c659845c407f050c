"""What hidden units do while a network reads a text: their values, and statistics that tell one unit from another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_choice, check_count
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.inspection.input_sequences import InputSequence, read_input_sequences
from theano_rnn.inspection.text_properties import PROPERTIES, PropertyUnits, units_of_properties
from theano_rnn.inspection.unit_values import check_quantity, unit_values
from theano_rnn.language_models.language_model import LanguageModel

WORDS_SHOWN = 5
MAX_TOKENS = 100_000  # the states of all of them are in memory
MIN_OCCURRENCES = 3  # from which a token's mean says something


@dataclass(frozen=True)
class UnitStatistics:
    """Statistics of one hidden unit over a text.

    Attributes
    ----------
    unit : int
        From 0 to hidden_dim - 1.
    lowest, highest : float
        Range of its values.
    deviation : float
        Standard deviation of its values.
    persistence : float
        Correlation of its value with its value one token later. Near 1, the unit remembers something; near 0, it
        forgets at once.
    high_after, low_after : list of str
        Tokens after which its value is highest and lowest on average. Tokens that occur fewer than three times are left
        out if there are enough others.
    """

    unit: int
    lowest: float
    highest: float
    deviation: float
    persistence: float
    high_after: list[str]
    low_after: list[str]


@dataclass(frozen=True)
class HiddenActivity:
    """A text that a language model has read, and what the hidden units did.

    Attributes
    ----------
    lm : LanguageModel
    sequences : list of theano_rnn.inspection.input_sequences.InputSequence
    states : list of arrays of shape (number of tokens, hidden_dim)
        For each sequence, s_t after each of its tokens, or the requested quantity.
    statistics : list of UnitStatistics
        Of the requested units in their order; else of all units, the most informative first, or those that follow the
        requested property best.
    are_requested : bool
        Whether the units were requested.
    is_complete : bool
        Whether the whole text was read.
    of : str
        The quantity, a key of `theano_rnn.inspection.unit_values.QUANTITIES`.
    layer : int
        Counted from 1.
    by : str or None
        The property that decided about the order.
    properties : list of PropertyUnits
        For each property of which the text has enough examples, all units, those that follow it best first.
    """

    lm: LanguageModel
    sequences: list[InputSequence]
    states: list[np.ndarray]
    statistics: list[UnitStatistics]
    are_requested: bool
    is_complete: bool
    of: str = "state"
    layer: int = 1
    by: str | None = None
    properties: list[PropertyUnits] = field(default_factory=list)


def hidden_activity(
    lm: LanguageModel,
    lines: Iterable[str],
    unit: Sequence[int] | None = None,
    tokens: int = 5000,
    of: str = "state",
    layer: int | None = None,
    by: str | None = None,
) -> HiddenActivity:
    """Let a language model read a text, and record its hidden units.

    Parameters
    ----------
    lm : LanguageModel
    lines : iterable of str
        Only as many are consumed as needed.
    unit : sequence of int, optional
        The units of interest, by default all.
    tokens : int
        How many tokens of the text to read at most, from 1 to 100,000.
    of : str
        What to record of each unit, a key of `theano_rnn.inspection.unit_values.QUANTITIES`.
    layer : int, optional
        The layer, counted from 1; the default is the top layer.
    by : str, optional
        The property, a key of `theano_rnn.inspection.text_properties.PROPERTIES`, that the units are sorted by. By
        default the most informative ones come first.

    Returns
    -------
    HiddenActivity

    Raises
    ------
    CorpusError
        If the text has no tokens, or too few examples of the property.
    ArgumentValueError
        If the network has no such unit, quantity or layer, or `tokens` is out of range.
    """
    if check_count("tokens", tokens) > MAX_TOKENS:
        raise ArgumentValueError(f"tokens: expected at most {MAX_TOKENS}, got {tokens}")
    for one in unit or ():
        if not 0 <= one < lm.rnn.hidden_dim:
            raise ArgumentValueError(f"unit: the network has units 0 … {lm.rnn.hidden_dim - 1}, got {one}")
    layer = check_quantity(lm.rnn, of, layer)
    if by is not None:
        check_choice("by", by, PROPERTIES)
    sequences, is_complete = read_input_sequences(lm, lines, tokens)
    if not sequences:
        raise CorpusError("the text is empty; give at least one line with some words")
    states = [values[1:] for values in unit_values(lm.rnn, [one.ids for one in sequences], of, layer)]
    properties = units_of_properties([one.tokens for one in sequences], states)
    if unit:
        statistics = unit_statistics(dict.fromkeys(unit), sequences, states)
    elif by is None:
        statistics = most_informative_first(unit_statistics(range(lm.rnn.hidden_dim), sequences, states))
    else:
        order = next((one.units for one in properties if one.name == by), None)
        if order is None:
            raise CorpusError(f"the text has too few examples of {by} to sort units by it; give a longer one")
        statistics = unit_statistics([number for number, _ in order], sequences, states)
    return HiddenActivity(lm, sequences, states, statistics, bool(unit), is_complete, of, layer, by, properties)


def unit_statistics(
    units: Iterable[int], sequences: Sequence[InputSequence], states: Sequence[np.ndarray]
) -> list[UnitStatistics]:
    """Compute statistics of hidden units.

    Parameters
    ----------
    units : iterable of int
    sequences : sequence of theano_rnn.inspection.input_sequences.InputSequence
    states : sequence of arrays
        The values after the tokens of each sequence.

    Returns
    -------
    list of UnitStatistics
        In the order of `units`.
    """
    values = np.concatenate(states).astype(np.float64)
    persistence = _persistence(states)
    tokens, means = mean_states([token for sequence in sequences for token in sequence.tokens], values)
    found = []
    for unit in units:
        order = np.argsort(-means[:, unit], kind="stable")
        found.append(
            UnitStatistics(
                unit=unit,
                lowest=float(values[:, unit].min()),
                highest=float(values[:, unit].max()),
                deviation=float(values[:, unit].std()),
                persistence=float(persistence[unit]),
                high_after=[tokens[i] for i in order[:WORDS_SHOWN]],
                low_after=[tokens[i] for i in order[::-1][:WORDS_SHOWN]],
            )
        )
    return found


def _persistence(states: Sequence[np.ndarray]) -> npt.NDArray[np.float64]:
    """The correlation of s_t and s_{t+1} of each unit, within sequences; 0 for a unit that never changes."""
    before = np.concatenate([one[:-1] for one in states]).astype(np.float64)
    after = np.concatenate([one[1:] for one in states]).astype(np.float64)
    if not len(before):
        return np.zeros(states[0].shape[1])
    before, after = before - before.mean(axis=0), after - after.mean(axis=0)
    scale = np.sqrt((before**2).sum(axis=0) * (after**2).sum(axis=0))
    return np.divide((before * after).sum(axis=0), scale, out=np.zeros_like(scale), where=scale > 0)


def mean_states(tokens: Sequence[str], states: np.ndarray) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Compute the mean state after each distinct token.

    Parameters
    ----------
    tokens : sequence of str
    states : array of shape (number of tokens, hidden_dim)

    Returns
    -------
    distinct : list of str
        The distinct tokens; only those that occur at least three times if there are at least ten of them.
    means : float64 array of shape (number of distinct tokens, hidden_dim)

    Examples
    --------
    >>> mean_states(["a", "b", "a"], np.array([[1.0], [5.0], [2.0]]))
    (['a', 'b'], array([[1.5],
           [5. ]]))
    """
    distinct, places, counts = np.unique(np.array(tokens, dtype=object), return_inverse=True, return_counts=True)
    sums = np.zeros((len(distinct), states.shape[1]))
    np.add.at(sums, places, states)
    chosen = counts >= MIN_OCCURRENCES
    if chosen.sum() < 2 * WORDS_SHOWN:
        chosen[:] = True
    return distinct[chosen].tolist(), sums[chosen] / counts[chosen, None]


def most_informative_first(statistics: Iterable[UnitStatistics]) -> list[UnitStatistics]:
    """Sort units by deviation times persistence.

    A unit that varies much and yet keeps its value stands for something that extends over several tokens.

    Parameters
    ----------
    statistics : iterable of UnitStatistics

    Returns
    -------
    list of UnitStatistics
    """
    return sorted(statistics, key=lambda one: -one.deviation * max(one.persistence, 0))
