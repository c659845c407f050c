"""Groups of tokens: bands of frequency and of positions in a sentence. Each token is in one group of each kind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theano_rnn.text.vocabulary import SPECIAL_TOKENS, Vocabulary

# The first position, or number of occurrences, of each band.
POSITIONS = (1, 2, 3, 4, 6, 11, 21, 51, 101, 201)
OCCURRENCES = (0, 1, 2, 5, 10, 100, 1000, 10_000, 100_000, 1_000_000)
FIRST_RANK, RANK_FACTOR = 10, 10  # bands of ranks: 1-10, 11-100, 101-1000, ...

END_GROUP, UNKNOWN_GROUP = "sentence end", "unknown"
BEFORE = ("start of sentence", "known", "unknown")

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class FrequencyBands:
    """The band of each entry of a vocabulary by its frequency in the training text.

    Attributes
    ----------
    title : str
        What the names of the bands are.
    names : tuple of str
        The most frequent band first, then sentence ends and unknown words.
    of_id : int array (len(vocabulary),)
        The band of each id.
    """

    title: str
    names: tuple[str, ...]
    of_id: IntArray

    @classmethod
    def by_rank(cls, vocabulary: Vocabulary) -> "FrequencyBands":
        """Make bands by rank: a vocabulary is in the order of frequencies.

        Examples
        --------
        >>> bands = FrequencyBands.by_rank(Vocabulary([*SPECIAL_TOKENS, *map(str, range(25))]))
        >>> bands.names
        ('rank 1-10', 'rank 11-25', 'sentence end', 'unknown')
        >>> bands.of_id[[1, 2, 3, 13, 27]].tolist()
        [2, 3, 0, 1, 1]
        """
        words = len(vocabulary) - len(SPECIAL_TOKENS)
        firsts = [1]
        while firsts[-1] + FIRST_RANK - 1 < words and (last := FIRST_RANK * RANK_FACTOR ** (len(firsts) - 1)) < words:
            firsts.append(last + 1)
        names = [f"rank {name}" for name in band_names(firsts, words)]
        return cls._of_words("frequency rank", names, band_of(np.arange(1, words + 1), firsts), vocabulary)

    @classmethod
    def by_count(cls, vocabulary: Vocabulary, counts: npt.NDArray[np.integer]) -> "FrequencyBands":
        """Make bands by the number of occurrences in the training text.

        Parameters
        ----------
        vocabulary : Vocabulary
        counts : int array (len(vocabulary),)
        """
        of_words = band_of(counts[len(SPECIAL_TOKENS) :], OCCURRENCES)
        used = sorted(set(of_words.tolist()), reverse=True)
        names = [f"{name} time" if name == "1" else f"{name} times" for name in band_names(OCCURRENCES)]
        band = np.searchsorted(-np.array(used), -of_words)
        return cls._of_words("occurrences in training", [names[one] for one in used], band, vocabulary)

    @classmethod
    def _of_words(
        cls, title: str, names: Sequence[str], of_words: IntArray, vocabulary: Vocabulary
    ) -> "FrequencyBands":
        of_id = np.full(len(vocabulary), len(names) + 1)
        of_id[vocabulary.end] = len(names)
        of_id[len(SPECIAL_TOKENS) :] = of_words
        return cls(title, (*names, END_GROUP, UNKNOWN_GROUP), of_id)


def band_of(values: npt.NDArray[np.integer], firsts: Sequence[int]) -> IntArray:
    """Return the number of the band of each value, which is at least the first of all.

    Examples
    --------
    >>> band_of(np.array([1, 3, 9]), [1, 2, 5]).tolist()
    [0, 1, 2]
    """
    return np.searchsorted(np.asarray(firsts), values, side="right") - 1


def band_names(firsts: Sequence[int], last: int | None = None) -> list[str]:
    """Return the names of bands.

    Parameters
    ----------
    firsts : sequence of int
        The first value of each band.
    last : int, optional
        The last value of the last band. Default: there is none.

    Examples
    --------
    >>> band_names([1, 2, 4]), band_names([1, 11], 2000)
    (['1', '2-3', '4 or more'], ['1-10', '11-2,000'])
    """
    lasts = [first - 1 for first in firsts[1:]]
    names = [
        f"{first:,}" if first == end else f"{first:,}-{end:,}" for first, end in zip(firsts[:-1], lasts, strict=True)
    ]
    if last is None:
        return [*names, f"{firsts[-1]:,} or more"]
    return [*names, f"{firsts[-1]:,}" if firsts[-1] == last else f"{firsts[-1]:,}-{last:,}"]


def visible(token: str) -> str:
    """Return a token, or what shows it if it consists of whitespace.

    Examples
    --------
    >>> visible("the"), visible(" ")
    ('the', "' '")
    """
    return repr(token) if token.isspace() else token
