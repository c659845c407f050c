"""Finds the tokens that would repeat an n-gram of a text. Must not know networks."""

from collections.abc import Hashable, Iterable, Sequence


class SeenNgrams:
    """The n-grams of a growing text.

    Parameters
    ----------
    n : int
        At least 1. With 1, no token may be repeated.
    tokens : iterable of hashable
        The beginning of the text: ids, or other hashable objects for tokens that have no id of their own.

    Examples
    --------
    >>> seen = SeenNgrams(2, [5, 6, 7, 5])
    >>> seen.repeating()  # 6 would repeat the bigram (5, 6)
    [6]
    """

    def __init__(self, n: int, tokens: Iterable[Hashable] = ()) -> None:
        self._n = n
        self._followers: dict[tuple[Hashable, ...], list[Hashable]] = {}  # by the n - 1 tokens before them
        self._context: tuple[Hashable, ...] = ()
        for token in tokens:
            self.add(token)

    def add(self, token: Hashable) -> None:
        """Append a token to the text."""
        if len(self._context) == self._n - 1:
            self._followers.setdefault(self._context, []).append(token)
        self._context = (*self._context, token)[1 - self._n :] if self._n > 1 else ()

    def end_sentence(self) -> None:
        """Let no n-gram contain tokens from both before and after this place."""
        self._context = ()

    def repeating(self) -> Sequence[Hashable]:
        """Return the tokens that would complete an n-gram that already occurs in the text."""
        return self._followers.get(self._context, [])

    def copy(self) -> "SeenNgrams":
        """Return an independent copy."""
        other = SeenNgrams(self._n)
        other._followers = {context: list(tokens) for context, tokens in self._followers.items()}
        other._context = self._context
        return other
