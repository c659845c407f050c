"""The storage of a shared array: our functions leave values on the device, other functions find NumPy arrays."""

import copy
import pickle

import numpy as np
import pytest

from theano_rnn.devices.device_storage import DeviceStorage, DeviceStorageView, DeviceValue

VALUE = np.arange(6.0).reshape(2, 3)


@pytest.fixture(params=[False, True])
def storage(request):
    storage = DeviceStorage(np.zeros((2, 3)), request.param)
    storage[0] = DeviceValue(VALUE.T.copy() if request.param else VALUE.copy(), request.param)
    return storage


def test_reading_moves_the_value_to_a_writable_numpy_array(storage):
    found = storage[0]
    np.testing.assert_array_equal(found, VALUE)
    assert found.flags.c_contiguous
    found += 1
    assert storage.raw is found and storage[0] is found


def test_our_functions_get_the_storage_without_moving_its_value(storage):
    assert DeviceStorageView(storage)[0] is storage
    assert isinstance(storage.raw, DeviceValue)
    assert isinstance(storage.raw, DeviceValue)


def test_peek_does_not_move_the_value(storage):
    np.testing.assert_array_equal(storage.peek(), VALUE)
    assert isinstance(storage.raw, DeviceValue)
    storage[0] = VALUE
    assert storage.peek() is VALUE


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda storage: pickle.loads(pickle.dumps(storage))])
def test_copies_keep_the_value_and_its_layout(storage, copied):
    found = copied(storage)
    assert found.transposed == storage.transposed and isinstance(found.raw, DeviceValue)
    np.testing.assert_array_equal(found[0], VALUE)
    assert isinstance(storage.raw, DeviceValue)


def test_a_view_has_the_value_and_moves_and_copies_nothing(storage):
    view = storage.view()
    np.testing.assert_array_equal(view, VALUE)
    assert isinstance(storage.raw, DeviceValue)
    assert np.shares_memory(view, storage.raw.array)


def test_a_view_of_a_numpy_array_is_that_array():
    storage = DeviceStorage(VALUE)
    assert storage.view() is VALUE
