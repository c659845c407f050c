"""Where the value of a shared array is kept between calls. Knows no particular Theano and no compiler."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class OnDevice:
    """An array that a compiled function left on its device, transposed or not."""

    array: Any
    transposed: bool

    def to_numpy(self):
        """The array itself, not its transpose, as a NumPy array of the caller's own."""
        value = np.asarray(self.array)
        return np.array(value.T if self.transposed else value, order="C")


class SharedStorage(list):
    """The list of one element that all functions of a shared variable read and write.

    Our compiled functions use `raw` and leave an `OnDevice` there. Every other function, one of the user's own, reads
    the element and finds a NumPy array: reading moves the value off the device, and our next call moves it back. So the
    value is always in one place, and an array that is changed in place is never a stale copy.

    Parameters
    ----------
    value : array
    transposed : bool
        Whether the array lies transposed on the device. Gathering columns and adding to them, as with U, is up to twice
        as fast if each lies in one piece.
    """

    def __init__(self, value, transposed=False):
        super().__init__([value])
        self.transposed = transposed

    def __getitem__(self, index):
        value = super().__getitem__(index)
        if isinstance(value, OnDevice):
            value = value.to_numpy()
            self[index] = value
        return value

    @property
    def raw(self):
        """What is stored: an `OnDevice`, or what somebody else stored."""
        return super().__getitem__(0)

    def peek(self):
        """The array, left where it is."""
        value = self.raw
        return value.to_numpy() if isinstance(value, OnDevice) else value


class RawStorage:
    """A `SharedStorage` as our compiled functions read it."""

    def __init__(self, storage):
        self.storage = storage

    def __getitem__(self, index):
        return self.storage.raw
