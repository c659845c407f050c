"""Training steps split over several devices have the results of one device, for every kind of network."""

import os

import pytest
from support.devices import on_device
from support.fresh_python import ROOT, python
from support.split_steps import KINDS, difference_of_runs, steps_of

pytestmark = pytest.mark.xla
# Rounding differs: a sum over columns is one of two, or four, partial sums.
TOLERANCES = {"float32": 1e-6, "float64": 1e-10}
CODE = """
import sys
sys.path.insert(0, {tests!r})
from support.split_steps import largest_difference
for kind in {kinds}:
    print(largest_difference(kind, {dtype!r}, {devices}, 100, {device!r}))
"""


def largest_differences(kinds, dtype, devices, tmp_path, device):
    environment = {"JAX_NUM_CPU_DEVICES": str(devices), "THEANO_RNN_CACHE": os.environ["THEANO_RNN_CACHE"]}
    code = CODE.format(tests=str(ROOT / "tests"), kinds=kinds, dtype=dtype, devices=devices, device=device)
    return dict(zip(kinds, map(float, python(code, tmp_path, **environment)), strict=True))


def assert_equal_to_one_device(kinds, dtype, devices, tmp_path, device="cpu"):
    differences = largest_differences(kinds, dtype, devices, tmp_path, device)
    assert all(difference < TOLERANCES[dtype] for difference in differences.values()), differences


@pytest.mark.parametrize("kind", ["LSTM"])  # the slow test has all kinds
def test_100_steps_on_two_devices_equal_those_on_one(kind, tmp_path):
    assert_equal_to_one_device([kind], "float64", 2, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("devices", "dtype"), [(2, "float32"), (4, "float64")])
@pytest.mark.parametrize("kind", KINDS)
def test_100_steps_of_every_network_equal_those_on_one_device(kind, devices, dtype, tmp_path):
    assert_equal_to_one_device([kind], dtype, devices, tmp_path)


@pytest.mark.gpu(cards=2)
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("kind", KINDS)
def test_100_steps_of_every_network_on_two_gpus_equal_those_on_one(kind, dtype, tmp_path):
    assert_equal_to_one_device([kind], dtype, 2, tmp_path, "gpu")


@pytest.mark.gpu
@pytest.mark.parametrize("kind", KINDS)
def test_steps_of_every_network_on_a_gpu_equal_those_on_the_cpu(kind):
    runs = []
    for device in ("cpu", "gpu"):
        with on_device(device):
            runs.append(steps_of(kind, "float64", 1, 20))
    assert difference_of_runs(*runs) < TOLERANCES["float64"]
