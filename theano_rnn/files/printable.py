"""Text from anywhere made safe to show on one line of a terminal."""


def printable(text: str) -> str:
    r"""Escape control characters, which could change the state of a terminal; the result is one line.

    Examples
    --------
    >>> print(printable("a\nb\x1b[31m"))
    a\nb\x1b[31m
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
