"""Which tokens would let an n-gram occur a second time in a text. Knows nothing of networks."""


class SeenNgrams:
    """The n-grams of a growing text.

    Parameters
    ----------
    n : int
        At least 1, which lets no token occur twice.
    tokens : iterable
        How the text begins: ids, or whatever stands for a token that has no id of its own.
    """

    def __init__(self, n, tokens=()):
        self._n = n
        self._followers = {}  # the n - 1 tokens of a context: what came after them
        self._context = ()
        for token in tokens:
            self.add(token)

    def add(self, token):
        """Let the text go on with a token."""
        if len(self._context) == self._n - 1:
            self._followers.setdefault(self._context, []).append(token)
        self._context = (*self._context, token)[1 - self._n :] if self._n > 1 else ()

    def repeating(self):
        """The tokens that would complete an n-gram which is in the text already."""
        return self._followers.get(self._context, [])

    def copy(self):
        """The same n-grams, to go on in another way."""
        other = SeenNgrams(self._n)
        other._followers = {context: list(tokens) for context, tokens in self._followers.items()}
        other._context = self._context
        return other
