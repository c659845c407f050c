"""Where the value of a shared array is kept between calls. Must not know any Theano or compiler."""

import functools
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

DeviceArray: TypeAlias = Any
"""What a compiled function returns: a `jax.Array`, which may still be computing, or with Theano a `numpy.ndarray`."""


@dataclass(frozen=True)
class DeviceValue:
    """An array that a compiled function left on its device, or on each of several devices; transposed or not."""

    array: DeviceArray
    transposed: bool

    def to_numpy(self) -> npt.NDArray[Any]:
        """Return the array itself, not its transpose, as a NumPy array that belongs to the caller."""
        value = np.asarray(self.array)
        return np.array(value.T if self.transposed else value, order="C")

    @property
    def view(self) -> npt.NDArray[Any]:
        """The array itself, read-only, where possible without copying it. It is valid until the array is updated."""
        value = np.asarray(self.array)
        return value.T if self.transposed else value

    @functools.cached_property
    def on_host(self) -> npt.NDArray[Any]:
        """The array itself, copied once, with the memory layout that it has on the device. It must not be changed."""
        value = np.array(self.array, order="C")
        value.flags.writeable = False
        return value.T if self.transposed else value


class DeviceStorage(list[Any]):
    """The list of one element that all functions of a shared variable read and write.

    Compiled functions of this package use `raw` and leave a `DeviceValue` there. Any other function, such as one that a
    user compiles, reads the element and finds a NumPy array: reading moves the value off the device, and the next call
    of our own functions moves it back. The value is therefore always in one place, and no copy can become stale when an
    array is changed in place.

    Parameters
    ----------
    value : array
    transposed : bool
        Whether the array is transposed on the device. If its columns are contiguous there, gathering them and adding to
        them is up to twice as fast, as with U.
    """

    def __init__(self, value: npt.NDArray[Any], transposed: bool = False) -> None:
        super().__init__([value])
        self.transposed: bool = transposed

    def __getitem__(self, index: Any) -> Any:
        value = super().__getitem__(index)
        if isinstance(value, DeviceValue):
            value = value.to_numpy()
            self[index] = value
        return value

    @property
    def raw(self) -> Any:
        """The stored value as it is: a `DeviceValue`, or whatever another function has stored."""
        return super().__getitem__(0)

    def view(self) -> npt.NDArray[Any]:
        """Return the value as an array that must not be changed, where possible without copying it."""
        value = self.raw
        return value.view if isinstance(value, DeviceValue) else value

    def peek(self) -> Any:
        """Return the value as an array, without moving it off the device."""
        value = self.raw
        return value.to_numpy() if isinstance(value, DeviceValue) else value


class DeviceStorageView:
    """A `DeviceStorage` as our compiled functions read it: they get the storage, so that no value is moved or kept."""

    def __init__(self, storage: DeviceStorage) -> None:
        self.storage: DeviceStorage = storage

    def __getitem__(self, index: Any) -> DeviceStorage:
        return self.storage
