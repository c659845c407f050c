"""Properties of a text that a single unit may follow: the position in the line, quotes and brackets.

Karpathy, Johnson and Li (2016) found such units in character-level LSTMs.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

STRONGEST_SHOWN = 5
MIN_TOKENS = 10  # with and without the property, such as inside and outside of quotes, in each half of the text
QUOTES, OPENING_QUOTES, CLOSING_QUOTES = {'"'}, {"“", "„", "«", "``"}, {"”", "»", "''"}
OPENING_BRACKETS, CLOSING_BRACKETS = {"(", "[", "{"}, {")", "]", "}"}


class PropertyUnits(NamedTuple):
    """The units that follow a property best.

    Attributes
    ----------
    name : str
        A key of `PROPERTIES`.
    units : list of (int, float)
        Units and their correlations with the property, strongest first.
    """

    name: str
    units: list[tuple[int, float]]


def line_positions(tokens: Iterable[str]) -> list[int]:
    r"""Return the position of each token in its line, counted from 1; 0 at a line end.

    Examples
    --------
    >>> line_positions("ab\nc")
    [1, 2, 0, 1]
    """
    positions, position = [], 0
    for token in tokens:
        position = 0 if token == "\n" else position + 1
        positions.append(position)
    return positions


def inside_quotes(tokens: Iterable[str]) -> list[int]:
    """Return 1 for each token after which a quotation is open, else 0. An empty line ends every quotation.

    Examples
    --------
    >>> inside_quotes('a "b" c')
    [0, 0, 1, 1, 0, 0, 0]
    """
    found, is_open, before = [], 0, ""
    for token in tokens:
        if token in OPENING_QUOTES:
            is_open = 1
        elif token in CLOSING_QUOTES or token == before == "\n":
            is_open = 0
        elif token in QUOTES:
            is_open = 1 - is_open
        found.append(is_open)
        before = token
    return found


def inside_brackets(tokens: Iterable[str]) -> list[int]:
    """Return 1 for each token after which a bracket is open, else 0. An empty line closes all brackets.

    Examples
    --------
    >>> inside_brackets("(a(b))c")
    [1, 1, 1, 1, 1, 0, 0]
    """
    found, depth, before = [], 0, ""
    for token in tokens:
        if token in OPENING_BRACKETS:
            depth += 1
        elif token in CLOSING_BRACKETS:
            depth = max(depth - 1, 0)
        elif token == before == "\n":
            depth = 0
        found.append(int(depth > 0))
        before = token
    return found


PROPERTIES: dict[str, Callable[[Iterable[str]], list[int]]] = {
    "line-position": line_positions,
    "quotes": inside_quotes,
    "brackets": inside_brackets,
}


def correlations(values: npt.NDArray[np.float64], feature: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return Pearson's correlation of each column of `values` (n, units) with `feature` (n,); 0 for a constant column.

    Examples
    --------
    >>> correlations(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.array([0.0, 1.0, 2.0])).round(3)
    array([ 1., -1.])
    """
    values, feature = values - values.mean(axis=0), feature - feature.mean()
    scale = np.sqrt((values**2).sum(axis=0) * (feature**2).sum())
    return np.divide(feature @ values, scale, out=np.zeros_like(scale), where=scale > 0)


def units_of_properties(texts: Sequence[Sequence[str]], values: Sequence[np.ndarray]) -> list[PropertyUnits]:
    """Find the units that follow each property best, and their correlations with it.

    Among many units, some correlate with a property by chance. The units are therefore sorted by their correlations in
    the first half of the text, but the returned correlations are those in the second half.

    Parameters
    ----------
    texts : sequence of sequences of str
        The tokens of each sequence.
    values : sequence of arrays of shape (number of tokens, hidden_dim)
        The values of the units after each token.

    Returns
    -------
    list of PropertyUnits
        A property is left out if either half of the text has too few examples.
    """
    together = np.concatenate(values).astype(np.float64)
    half = len(together) // 2
    found = []
    for name, function in PROPERTIES.items():
        feature = np.array([value for tokens in texts for value in function(tokens)], np.float64)
        if min(_examples(feature[:half]), _examples(feature[half:])) < MIN_TOKENS:
            continue
        chosen = np.argsort(-np.abs(correlations(together[:half], feature[:half])), kind="stable")
        elsewhere = correlations(together[half:], feature[half:])
        found.append(PropertyUnits(name, [(int(unit), float(elsewhere[unit])) for unit in chosen]))
    return found


def _examples(feature: npt.NDArray[np.float64]) -> int:
    """Return the number of tokens with or without the property, whichever is smaller; for positions, late or early."""
    if not len(feature):
        return 0
    above = int((feature > (feature.min() + feature.max()) / 2).sum())
    return min(above, len(feature) - above)
