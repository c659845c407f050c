"""What hidden units do while a network reads a text: their values, and figures that tell one from another."""

from dataclasses import dataclass

import numpy as np

from theano_rnn.checks import check_count
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.inspection.token_sequences import read_tokens

WORDS_SHOWN = 5
MOST_TOKENS = 100_000  # the states of all of them are held
FREQUENT = 3  # occurrences from which a token's mean tells something


@dataclass(frozen=True)
class UnitFigures:
    """One hidden unit over a text.

    Attributes
    ----------
    unit : int
        From 0 to hidden_dim - 1.
    lowest, highest : float
    deviation : float
        Standard deviation of its values.
    persistence : float
        Correlation of its value with that one token later; near 1: it holds on to something, 0: it forgets at once.
    high_after, low_after : list of str
        Tokens after which it is highest, and lowest, on average; of those that occur at least three times if there
        are enough of them.
    """

    unit: int
    lowest: float
    highest: float
    deviation: float
    persistence: float
    high_after: list
    low_after: list


@dataclass(frozen=True)
class Observed:
    """A text that was read, and what hidden units did.

    Attributes
    ----------
    lm : LanguageModel
    readings : list of theano_rnn.inspection.token_sequences.Reading
    values : list of arrays (number of tokens, hidden_dim)
        s_t after each token of each reading.
    figures : list of UnitFigures
        Of the units that were asked for, in their order; else of all, the most telling first.
    are_chosen : bool
        Whether they were asked for.
    is_whole : bool
        Whether nothing of the text was left out.
    """

    lm: object
    readings: list
    values: list
    figures: list
    are_chosen: bool
    is_whole: bool


def observe(lm, lines, units=None, most_tokens=5000):
    """Let a language model read a text and note its hidden states.

    Parameters
    ----------
    lm : LanguageModel
    lines : iterable of str
        No more are taken than needed.
    units : sequence of int, optional
        Default: all.
    most_tokens : int
        What is beyond is left out.

    Returns
    -------
    Observed

    Raises
    ------
    CorpusError
        If there are no tokens.
    ValueError
        For a unit that the network does not have, and a number of tokens outside 1 … 100,000.
    """
    if check_count("tokens", most_tokens) > MOST_TOKENS:
        raise ArgumentValueError(f"tokens: expected at most {MOST_TOKENS}, got {most_tokens}")
    for unit in units or ():
        if not 0 <= unit < lm.rnn.hidden_dim:
            raise ArgumentValueError(f"unit: the network has units 0 … {lm.rnn.hidden_dim - 1}, got {unit}")
    readings, is_whole = read_tokens(lm, lines, most_tokens)
    if not readings:
        raise CorpusError("the text is empty; give at least one line with some words")
    values = unit_values(lm.rnn, readings)
    if units:
        figures = unit_figures(dict.fromkeys(units), readings, values)
    else:
        figures = most_telling_first(unit_figures(range(lm.rnn.hidden_dim), readings, values))
    return Observed(lm, readings, values, figures, bool(units), is_whole)


def unit_values(rnn, readings):
    """s_t after each token: a list of arrays (number of tokens, hidden_dim), one for each reading."""
    return [rnn.hidden_states(reading.ids)[1:] for reading in readings]


def unit_figures(units, readings, values):
    """Figures of hidden units.

    Parameters
    ----------
    units : iterable of int
    readings : sequence of theano_rnn.inspection.token_sequences.Reading
    values : list of arrays
        From `unit_values`.

    Returns
    -------
    list of UnitFigures
    """
    units = list(units)
    every = np.concatenate(values).astype(np.float64)
    persistence = persistences(values)
    tokens, means = token_means([token for reading in readings for token in reading.tokens], every)
    found = []
    for unit in units:
        order = np.argsort(-means[:, unit], kind="stable")
        found.append(
            UnitFigures(
                unit=unit,
                lowest=float(every[:, unit].min()),
                highest=float(every[:, unit].max()),
                deviation=float(every[:, unit].std()),
                persistence=float(persistence[unit]),
                high_after=[tokens[i] for i in order[:WORDS_SHOWN]],
                low_after=[tokens[i] for i in order[::-1][:WORDS_SHOWN]],
            )
        )
    return found


def persistences(values):
    """The correlation of s_t and s_{t+1} of each unit, within readings; 0 where a unit never changes."""
    before = np.concatenate([one[:-1] for one in values]).astype(np.float64)
    after = np.concatenate([one[1:] for one in values]).astype(np.float64)
    if not len(before):
        return np.zeros(values[0].shape[1])
    before, after = before - before.mean(axis=0), after - after.mean(axis=0)
    scale = np.sqrt((before**2).sum(axis=0) * (after**2).sum(axis=0))
    return np.divide((before * after).sum(axis=0), scale, out=np.zeros_like(scale), where=scale > 0)


def token_means(tokens, values):
    """(tokens, array (number of them, hidden_dim)): the mean state after each distinct token that occurs often."""
    distinct, places, counts = np.unique(np.array(tokens, dtype=object), return_inverse=True, return_counts=True)
    sums = np.zeros((len(distinct), values.shape[1]))
    np.add.at(sums, places, values)
    chosen = counts >= FREQUENT
    if chosen.sum() < 2 * WORDS_SHOWN:
        chosen[:] = True
    return distinct[chosen].tolist(), sums[chosen] / counts[chosen, None]


def most_telling_first(figures):
    """Sorted: first the units that vary much and yet keep their values, for such a unit stands for something longer."""
    return sorted(figures, key=lambda one: -one.deviation * max(one.persistence, 0))
