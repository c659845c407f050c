"""Checks of arguments at the public edge: each names the argument, the offending value and what was expected."""

import math
import numbers

import numpy as np

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError

MOST_TRUNCATED_STEPS = 1000


def check_count(name, value, minimum=1):
    """An int of at least `minimum`. TypeError for what is no integer (a bool included), ValueError below."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise ArgumentTypeError(f"{name}: expected an integer, got {value!r}")
    if value < minimum:
        raise ArgumentValueError(f"{name}: expected at least {minimum}, got {value}")
    return int(value)


def check_number(name, value):
    """A number, maybe infinite or none (nan). TypeError for what is no number, a bool included."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise ArgumentTypeError(f"{name}: expected a number, got {value!r}")
    return value


def check_real(name, value, above=None, minimum=-math.inf, below=math.inf):
    """A finite number within limits, as a float. TypeError for what is no number, ValueError for another one."""
    check_number(name, value)
    if not math.isfinite(value):
        raise ArgumentValueError(f"{name}: expected a {'' if math.isnan(value) else 'finite '}number, got {value!r}")
    if (above is not None and value <= above) or value < minimum or value >= below:
        limits = f"above {above}" if above is not None else f"of at least {minimum} and below {below:g}"
        raise ArgumentValueError(f"{name}: expected a number {limits}, got {value!r}")
    return float(value)


def check_base(base):
    """The natural logarithm of a logarithm's base: "e", or a number above 0 other than 1.

    Scores in nats are divided by it to be in units of that base: 2 gives bits, 10 what KenLM and SRILM print.
    """
    if isinstance(base, str) and base == "e":
        return 1.0
    base = check_real("base", base, above=0)
    if base == 1:
        raise ArgumentValueError(
            "base: there are no logarithms to the base 1; expected 'e', 2, 10 or another number above 0"
        )
    return math.log(base)


def check_choice(name, value, choices):
    if not isinstance(value, str) or value not in choices:
        raise ArgumentValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
    return value


def check_bptt_truncate(value):
    """A number of steps, or None for the whole sentence (also told by -1).

    Each step is a part of the compiled graph of its own: beyond a thousand, compiling would take minutes.
    """
    steps = -1 if value is None else check_count("bptt_truncate", value, -1)
    if steps > MOST_TRUNCATED_STEPS:
        raise ArgumentValueError(
            f"bptt_truncate: expected at most {MOST_TRUNCATED_STEPS}, or -1 for the whole sentence, got {value}"
        )
    return None if steps == -1 else steps


def check_ids(name, ids, word_dim):
    """Word ids as an int32 vector.

    Raises
    ------
    TypeError
        For ids that are no integers.
    ValueError
        For an empty or nested sequence, and an id outside 0 … word_dim-1.
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


def check_pair(x, y, word_dim, x_name="x", y_name="y"):
    """Two id sequences of the same length."""
    x, y = check_ids(x_name, x, word_dim), check_ids(y_name, y, word_dim)
    if len(x) != len(y):
        raise ArgumentValueError(f"{x_name} and {y_name}: expected the same length, got {len(x)} and {len(y)}")
    return x, y
