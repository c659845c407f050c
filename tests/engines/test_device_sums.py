"""Sums over devices: on one device NumPy's copies, on several the sum on each of them."""

import numpy as np
import pytest
from support.fresh_python import python

from theano_rnn.engines.device_sums import SumOverDevices

CODE = """
import numpy as np
from theano_rnn.engines.device_sums import sum_over_devices
from theano_rnn.engines.engine import T, compile_function, select_device, shared_array, split_along

select_device("cpu", 2)
total = shared_array(np.zeros(2), "total")

def build():
    x = split_along(1, T.dmatrix("x"))
    (sums,) = sum_over_devices([x.sum(axis=1)])
    return [x], [sums, split_along(0, x.sum(axis=0))], [(total, total + sums)]

add = compile_function(build, "float64", devices=2)
one = compile_function(lambda: ([], total * 1, None), "float64")
for _ in range(2):
    sums, of_columns = add(np.arange(6.0).reshape(2, 3))
    print(*np.asarray(sums), *np.asarray(of_columns), *np.asarray(one()))
copies = [np.asarray(shard.data) for shard in total.container.storage.raw.array.addressable_shards]
print(len(copies), (copies[0] == copies[1]).all())
total.set_value(np.array([1.0, 2.0]))
add(np.ones((2, 2)))
print(*total.get_value())
"""


def test_numpy_computes_on_one_device():
    arrays, storage = [np.arange(3.0), np.ones((2, 2))], [[None], [None]]
    SumOverDevices().perform(None, arrays, storage)
    for array, (found,) in zip(arrays, storage, strict=True):
        np.testing.assert_array_equal(found, array)
        assert found is not array


@pytest.mark.xla
def test_sums_outputs_and_updates_of_a_split_function_are_those_of_all_columns(tmp_path):
    found = python(CODE, tmp_path, THEANO_RNN_CACHE="off", JAX_NUM_CPU_DEVICES="2")
    assert found == [
        *("3.0", "12.0", "3.0", "5.0", "7.0", "3.0", "12.0"),
        *("3.0", "12.0", "3.0", "5.0", "7.0", "6.0", "24.0"),
        *("2", "True"),
        *("3.0", "4.0"),
    ]
