"""Checks of arguments in public functions. Each error names the argument, what was expected, and the value."""

import math
import numbers
from collections.abc import Collection
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError

MAX_TRUNCATION: Final = 1000


def check_count(name: str, value: Any, minimum: int = 1) -> int:
    """Check a whole number.

    Parameters
    ----------
    name : str
        The name of the argument, for messages.
    value : object
    minimum : int

    Returns
    -------
    int

    Raises
    ------
    ArgumentTypeError
        If `value` is not an integer. A bool is not one.
    ArgumentValueError
        If `value` is below `minimum`.

    Examples
    --------
    >>> check_count("epochs", 3)
    3
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise ArgumentTypeError(f"{name}: expected an integer, got {value!r}")
    if value < minimum:
        raise ArgumentValueError(f"{name}: expected at least {minimum}, got {value}")
    return int(value)


def check_number(name: str, value: Any) -> float:
    """Check a real number, which may be infinite or NaN, and return it unchanged.

    Raises
    ------
    ArgumentTypeError
        If `value` is not a number. A bool is not one.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise ArgumentTypeError(f"{name}: expected a number, got {value!r}")
    return value  # type: ignore[return-value]  # any real number behaves like a float


def check_real(
    name: str, value: Any, above: float | None = None, minimum: float = -math.inf, below: float = math.inf
) -> float:
    """Check a finite number.

    Parameters
    ----------
    name : str
        The name of the argument, for messages.
    value : object
    above : float, optional
        The number must be greater than this.
    minimum : float
        The number must not be less than this.
    below : float
        The number must be less than this.

    Returns
    -------
    float

    Raises
    ------
    ArgumentTypeError
        If `value` is not a number.
    ArgumentValueError
        If `value` is infinite, NaN or out of range.
    """
    check_number(name, value)
    if not math.isfinite(value):
        raise ArgumentValueError(f"{name}: expected a {'' if math.isnan(value) else 'finite '}number, got {value!r}")
    if (above is not None and value <= above) or value < minimum or value >= below:
        limits = f"above {above}" if above is not None else f"of at least {minimum} and below {below:g}"
        raise ArgumentValueError(f"{name}: expected a number {limits}, got {value!r}")
    return float(value)


def check_flag(name: str, value: Any) -> bool:
    """Check a bool.

    Parameters
    ----------
    name : str
        The name of the argument, for messages.
    value : object

    Returns
    -------
    bool

    Raises
    ------
    ArgumentTypeError
        If `value` is neither True nor False.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentTypeError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def check_base(base: Any) -> float:
    """Check the base of a logarithm: ``"e"``, or a number above 0 other than 1.

    Returns
    -------
    float
        The natural logarithm of the base. Divide nats by it to get the logarithm to that base: bits for base 2; KenLM
        and SRILM print base 10.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        If `base` is something else.

    Examples
    --------
    >>> check_base("e")
    1.0
    """
    if isinstance(base, str) and base == "e":
        return 1.0
    base = check_real("base", base, above=0)
    if base == 1:
        raise ArgumentValueError(
            "base: logarithms to base 1 do not exist; expected 'e', 2, 10 or another number above 0"
        )
    return math.log(base)


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """Check that a value is one of the given strings, and return it.

    Raises
    ------
    ArgumentValueError
        If it is none of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise ArgumentValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
    return value


def check_bptt_truncate(value: Any) -> int | None:
    """Check the number of steps for truncated backpropagation through time.

    Parameters
    ----------
    value : int or None
        -1 and None mean the whole sentence. Each step is a part of the compiled graph, so more than a thousand steps
        would take minutes to compile.

    Returns
    -------
    int or None
        None for the whole sentence.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        If `value` is not an integer, below -1, or above 1000.
    """
    steps = -1 if value is None else check_count("bptt_truncate", value, -1)
    if steps > MAX_TRUNCATION:
        raise ArgumentValueError(
            f"bptt_truncate: expected at most {MAX_TRUNCATION}, or -1 for the whole sentence, got {value}"
        )
    return None if steps == -1 else steps


def check_ids(name: str, ids: npt.ArrayLike, word_dim: int) -> npt.NDArray[np.int32]:
    """Check a sequence of word ids.

    Parameters
    ----------
    name : str
        The name of the argument, for messages.
    ids : array_like, shape (n,)
        Integers from 0 to ``word_dim - 1``.
    word_dim : int
        The number of words in the vocabulary.

    Returns
    -------
    ndarray of int32, shape (n,)
        A copy.

    Raises
    ------
    ArgumentTypeError
        If the ids are not integers.
    ArgumentValueError
        If the sequence is empty or nested, or an id is out of range.
    """
    try:
        array = np.asarray(ids)
    except (ValueError, Warning) as error:  # NumPy before 1.24 only warns
        raise ArgumentValueError(f"{name}: expected a sequence of word ids, got a ragged one") from error
    if array.ndim != 1:
        raise ArgumentValueError(f"{name}: expected a 1-D sequence of word ids, got shape {array.shape}")
    if array.size == 0:
        raise ArgumentValueError(f"{name}: expected at least one word id, got an empty sequence")
    if array.dtype.kind not in "iu":
        raise ArgumentTypeError(f"{name}: expected integer word ids, got {array.dtype} values such as {array[0]!r}")
    if array.min() < 0 or array.max() >= word_dim:
        position = int(np.argmax((array < 0) | (array >= word_dim)))
        raise ArgumentValueError(
            f"{name}: word id {array[position]} at position {position} is outside 0 … {word_dim - 1}"
        )
    return array.astype(np.int32)


def check_pair(
    x: npt.ArrayLike, y: npt.ArrayLike, word_dim: int, x_name: str = "x", y_name: str = "y"
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Check two sequences of word ids that must have the same length.

    Parameters
    ----------
    x, y : array_like, shape (n,)
    word_dim : int
        The number of words in the vocabulary.
    x_name, y_name : str
        The names of the arguments, for messages.

    Returns
    -------
    x, y : ndarray of int32, shape (n,)

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        As `check_ids`, and if the lengths differ.
    """
    x, y = check_ids(x_name, x, word_dim), check_ids(y_name, y, word_dim)
    if len(x) != len(y):
        raise ArgumentValueError(f"{x_name} and {y_name}: expected the same length, got {len(x)} and {len(y)}")
    return x, y
