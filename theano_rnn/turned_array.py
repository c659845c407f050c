"""Matrices that may lie transposed in memory. Knows no particular Theano."""

import numpy as np


class TurnedArray:
    """What a shared variable for a NumPy array, which may lie transposed in memory, has beside a plain one.

    Where columns are gathered and added to, as with U, a step is up to twice as fast if they lie in one piece.
    `get_value`, `set_value` and `matrix` speak of the array; the shared variable itself has the shape that is stored.
    `get_value` always gives an array of the caller's own: what is stored is written over by the next update.
    """

    @property
    def matrix(self):
        """The array as a symbolic expression, for formulas."""
        return self.turned(self)

    def turned(self, expression):
        """What is stored as the array, or the array as it is stored: transposed or as it is."""
        return expression.T if self.tag.transposed else expression

    def update(self, value):
        """(this shared variable, the new value as it is stored), one of the updates of `compile_function`."""
        return self, self.turned(value).astype(self.dtype)

    def get_value(self, borrow=False, return_internal_type=False):
        value = self.turned(super().get_value(borrow=True, return_internal_type=return_internal_type))
        return value if return_internal_type else np.array(value, order="C")

    def set_value(self, new_value, borrow=False):
        new_value = np.asarray(new_value)
        super().set_value(np.ascontiguousarray(self.turned(new_value)), borrow=borrow)
