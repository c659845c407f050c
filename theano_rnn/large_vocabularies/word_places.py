"""Word ids as places among few distinct words. NumPy only."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.integer]
Masked = tuple[Ids, npt.NDArray[np.bool_]]
"""Ids, and a mask of the same shape that is False for padding, whose ids mean nothing."""


def words_in(texts: Sequence[Masked]) -> Ids:
    """Return all words of some texts, one after the other, without padding: (n,) of int.

    Examples
    --------
    >>> words_in([(np.array([[5, 2], [5, 0]]), np.array([[True, True], [True, False]]))]).tolist()
    [5, 2, 5]
    """
    return np.concatenate([ids[mask] for ids, mask in texts])


def places_of(text: Masked, words: Ids) -> npt.NDArray[np.int32]:
    """Return the places of a text's words among distinct, ascending words; the place of padding is 0.

    Examples
    --------
    >>> places_of((np.array([7, 3, 9, 0]), np.array([True, True, True, False])), np.array([3, 5, 7, 9])).tolist()
    [2, 0, 3, 0]
    """
    ids, mask = text
    return np.where(mask, np.searchsorted(words, ids), 0).astype(np.int32)
