"""What is predicted from the states of an encoder, by a softmax: one label per step or per text, or the word in a gap.

Symbolic expressions only. Each head turns the outputs of an encoder into the rows that the softmax reads, and the
errors of these rows into the error of the outputs. The softmax itself, the loss and the gradients of V and c are those
of `networks.softmax`. A new head is one class like `Steps` and one line in `HEADS`.

    steps   a label for each step            o_t = softmax(V s_t + c)
    gap     the word itself at each step     o_t = softmax(V [s_(t-1); s_(t+1)] + c), s: forward; backward
    text    a label for the whole text       o = softmax(V p + c), p: the last states, or their mean or maximum over t
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from theano_rnn.encoders.encoder import Encoding, is_word, numbers
from theano_rnn.engines.engine import T, axis_length
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.forward import by_step, rows

POOLINGS = ("max", "mean", "last")
# Of padding, where the maximum is read: below every state, and finite, so that an empty column does not become NaN.
LOWEST = -1e6


class Head(Protocol):
    """What a head has to offer.

    Attributes
    ----------
    per_step : bool
        Whether there is a label for each step (y is a matrix) and not for each text (y is a vector).
    """

    per_step: bool

    def read(self, encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
        """The rows that the softmax reads: (number of labels, n)."""

    def weights(self, encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
        """1 for each row that counts, 0 for padding: (number of labels,) of bool."""

    def error(self, encoding: Encoding, lengths: TensorVariable, errors: TensorVariable) -> TensorVariable:
        """The chain rule for `read`: from the errors of the rows to the error of the outputs."""


class Steps:
    """A label for each step: the softmax reads the output at each t."""

    per_step: bool = True

    def read(self, encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
        """The outputs at all steps."""
        return rows(encoding.output)

    def weights(self, encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
        """1 within the length of the text."""
        return is_word(encoding.x, lengths).reshape((-1,))

    def error(self, encoding: Encoding, lengths: TensorVariable, errors: TensorVariable) -> TensorVariable:
        """The errors, by step."""
        return by_step(errors, encoding.x)


class Gap:
    """The word at each step but the first and the last, which are markers, from what stands before and after it.

    The softmax reads the forward state after t - 1 words and the backward state at t + 1, so that no word is read where
    it is predicted. This needs a stack for each direction: in a mixed one, s_(t-1) has read the whole text.

        t              0      1      2      3                x_0 and x_3 are the markers of this text
        forward        -     s_0    s_1    (s_2)
        backward     (s_1)   s_2    s_3     -
    """

    per_step: bool = True

    def read(self, encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
        """The forward states one step later, and the backward states one step earlier."""
        return rows(shifted(encoding, encoding.output, later=True))

    def weights(self, encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
        """1 for the words between the markers."""
        t = numbers(encoding.x.shape[0])[:, None]
        return T.and_(T.gt(t, 0), T.lt(t, (lengths - 1)[None, :])).reshape((-1,))

    def error(self, encoding: Encoding, lengths: TensorVariable, errors: TensorVariable) -> TensorVariable:
        """The errors, back at the steps whose states were read."""
        return shifted(encoding, by_step(errors, encoding.x), later=False)


def shifted(encoding: Encoding, values: TensorVariable, later: bool) -> TensorVariable:
    """Move the forward part one step later and the backward part one step earlier, or the reverse; zeros come in."""
    nothing = T.zeros_like(values)
    down = T.set_subtensor(nothing[1:], values[:-1])
    up = T.set_subtensor(nothing[:-1], values[1:])
    if not later:
        down, up = up, down
    if encoding.order is None:
        return down
    width = axis_length(encoding.output, -1)
    return T.switch((numbers(width) < width // 2)[None, None, :], down, up)


class Text:
    """A label for each text: the softmax reads the last states, or the mean or the maximum of the outputs over t.

    Parameters
    ----------
    pooling : {"max", "mean", "last"}
        "last": the state of the forward direction after the last word, and that of the backward direction after the
        first word.
    """

    per_step: bool = False

    def __init__(self, pooling: str = "max") -> None:
        self.pooling: str = pooling

    def read(self, encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
        """One row per text."""
        outputs = encoding.output
        if self.pooling == "last":
            return T.switch(last_places(encoding, lengths), outputs, T.zeros_like(outputs)).sum(
                axis=0, acc_dtype=outputs.dtype
            )
        counts = is_word(encoding.x, lengths)[:, :, None]
        if self.pooling == "mean":
            total = T.switch(counts, outputs, T.zeros_like(outputs)).sum(axis=0, acc_dtype=outputs.dtype)
            return total / divisors(lengths, outputs)
        return T.switch(counts, outputs, lowest(outputs.dtype)).max(axis=0)

    def weights(self, encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
        """0 for empty columns."""
        return T.gt(lengths, 0)

    def error(self, encoding: Encoding, lengths: TensorVariable, errors: TensorVariable) -> TensorVariable:
        """To the step or the steps whose states were read; each maximum comes from one step."""
        outputs = encoding.output
        errors = errors[None, :, :]
        if self.pooling == "last":
            return T.switch(last_places(encoding, lengths), errors, T.zeros_like(outputs))
        counts = is_word(encoding.x, lengths)[:, :, None]
        if self.pooling == "mean":
            return T.switch(counts, errors / divisors(lengths, outputs)[None, :, :], T.zeros_like(outputs))
        largest = T.argmax(T.switch(counts, outputs, lowest(outputs.dtype)), axis=0)
        is_largest = T.eq(numbers(encoding.x.shape[0])[:, None, None], largest[None, :, :])
        return T.switch(is_largest, errors, T.zeros_like(outputs))


def last_places(encoding: Encoding, lengths: TensorVariable) -> TensorVariable:
    """Where the outputs hold the states after the whole text: (steps, batch_size, output_dim) of bool.

    They are at step length - 1 of the forward direction, and at step 0 of the backward direction.
    """
    t = numbers(encoding.x.shape[0])[:, None, None]
    width = axis_length(encoding.output, -1)
    if encoding.order is None:
        return T.eq(t, (lengths - 1)[None, :, None])
    is_forward = numbers(width)[None, None, :] < width // 2
    return T.eq(t, T.switch(is_forward, (lengths - 1)[None, :, None], 0))


def lowest(dtype: str) -> np.ndarray:
    """`LOWEST` in a type."""
    return np.asarray(LOWEST, dtype)


def divisors(lengths: TensorVariable, outputs: TensorVariable) -> TensorVariable:
    """Lengths as a column of the type of the outputs; 1 for empty columns."""
    return T.cast(T.maximum(lengths, 1), outputs.dtype)[:, None]


HEADS: dict[str, Callable[[str], Head]] = {"steps": lambda pooling: Steps(), "gap": lambda pooling: Gap(), "text": Text}
"""Heads by name. Each entry takes the name of a pooling."""
