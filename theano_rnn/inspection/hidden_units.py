"""Records the values of hidden units while a network reads a text, and computes statistics of each unit."""

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
MAX_TOKENS = 100_000  # the states of all tokens are kept in memory
MIN_OCCURRENCES = 3  # of a token whose mean is meaningful


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
        Correlation of its value with its value one token later. A value near 1 means that the unit remembers something,
        a value near 0 that it forgets immediately.
    high_after, low_after : list of str
        The tokens after which its mean value is highest and lowest. Tokens that occur fewer than three times are left
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
    """A text that a language model has read, and the values of the hidden units.

    Attributes
    ----------
    lm : LanguageModel
    sequences : list of theano_rnn.inspection.input_sequences.InputSequence
    states : list of arrays of shape (number of tokens, hidden_dim)
        For each sequence, s_t or the requested quantity after each of its tokens.
    statistics : list of UnitStatistics
        Statistics of the requested units, in the requested order. Without a request, all units are listed: the most
        informative first, or those that follow the requested property best.
    are_requested : bool
        Whether the units were requested.
    is_complete : bool
        Whether the whole text was read.
    of : str
        The quantity, a key of `theano_rnn.inspection.unit_values.QUANTITIES`.
    layer : int
        Counted from 1.
    by : str or None
        The property by which the units are sorted.
    properties : list of PropertyUnits
        For each property with enough examples in the text, all units, sorted by how well they follow it.
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
    """Read a text with a language model, and record its hidden units.

    Parameters
    ----------
    lm : LanguageModel
    lines : iterable of str
        Only as many lines as needed are consumed.
    unit : sequence of int, optional
        The requested units. The default is all units.
    tokens : int
        Maximum number of tokens to read, from 1 to 100,000.
    of : str
        The quantity to record, a key of `theano_rnn.inspection.unit_values.QUANTITIES`.
    layer : int, optional
        The layer, counted from 1; the default is the top layer.
    by : str, optional
        The property by which to sort the units, a key of `theano_rnn.inspection.text_properties.PROPERTIES`. By
        default, the most informative units come first.

    Returns
    -------
    HiddenActivity

    Raises
    ------
    CorpusError
        If the text has no tokens, or too few examples of the property.
    ArgumentValueError
        If the network does not have the unit, quantity or layer, or `tokens` is out of range.
    """
    if check_count("tokens", tokens) > MAX_TOKENS:
        raise ArgumentValueError(f"tokens: expected at most {MAX_TOKENS}, got {tokens}")
    for number in unit or ():
        if not 0 <= number < lm.rnn.hidden_dim:
            raise ArgumentValueError(f"unit: the network has units 0 … {lm.rnn.hidden_dim - 1}, got {number}")
    layer = check_quantity(lm.rnn, of, layer)
    if by is not None:
        check_choice("by", by, PROPERTIES)
    sequences, is_complete = read_input_sequences(lm, lines, tokens)
    if not sequences:
        raise CorpusError("the text is empty; give at least one line with some words")
    states = [values[1:] for values in unit_values(lm.rnn, [sequence.ids for sequence in sequences], of, layer)]
    properties = units_of_properties([sequence.tokens for sequence in sequences], states)
    if unit:
        statistics = unit_statistics(dict.fromkeys(unit), sequences, states)
    elif by is None:
        statistics = most_informative_first(unit_statistics(range(lm.rnn.hidden_dim), sequences, states))
    else:
        order = next((found.units for found in properties if found.name == by), None)
        if order is None:
            raise CorpusError(f"the text has too few examples of {by} to sort units by it; give a longer text")
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
    statistics = []
    for unit in units:
        order = np.argsort(-means[:, unit], kind="stable")
        statistics.append(
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
    return statistics


def _persistence(states: Sequence[np.ndarray]) -> npt.NDArray[np.float64]:
    """Return the correlation of s_t and s_{t+1} of each unit, within sequences; 0 for a constant unit."""
    before = np.concatenate([values[:-1] for values in states]).astype(np.float64)
    after = np.concatenate([values[1:] for values in states]).astype(np.float64)
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
        The distinct tokens. If at least ten occur three times or more, the others are left out.
    means : float64 array of shape (number of distinct tokens, hidden_dim)

    Examples
    --------
    >>> mean_states(["a", "b", "a"], np.array([[1.0], [5.0], [2.0]]))
    (['a', 'b'], array([[1.5],
           [5. ]]))
    """
    distinct, indices, counts = np.unique(np.array(tokens, dtype=object), return_inverse=True, return_counts=True)
    sums = np.zeros((len(distinct), states.shape[1]))
    np.add.at(sums, indices, states)
    chosen = counts >= MIN_OCCURRENCES
    if chosen.sum() < 2 * WORDS_SHOWN:
        chosen[:] = True
    return distinct[chosen].tolist(), sums[chosen] / counts[chosen, None]


def most_informative_first(statistics: Iterable[UnitStatistics]) -> list[UnitStatistics]:
    """Sort units by deviation times persistence.

    A unit that varies widely but slowly represents something that extends over several tokens.

    Parameters
    ----------
    statistics : iterable of UnitStatistics

    Returns
    -------
    list of UnitStatistics
    """
    return sorted(statistics, key=lambda unit: -unit.deviation * max(unit.persistence, 0))
