"""Counts the bytes that training steps sum over devices, in a separate process with two devices on any machine.

The number of devices does not change what each of them adds to the sums.
"""

import dataclasses
import math
import sys
from typing import Any

import numpy as np

from theano_rnn.benchmarks.contender_process import ContenderProcess, answer_requests, path_to_this_package
from theano_rnn.benchmarks.package_workloads import random_minibatches, step_optimizer
from theano_rnn.benchmarks.workloads import Workload
from theano_rnn.engines.engine import engine_name
from theano_rnn.errors import OptionError
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer

DEVICES = 2


class ByteCounter(ContenderProcess):
    """The process that counts.

    Raises
    ------
    OptionError
        If the engine is the original Theano, which computes on one device, or if the process cannot be started.
    """

    def __init__(self) -> None:
        if engine_name() != "pytensor":
            raise OptionError("scaling: the original Theano computes on one device; use PyTensor with JAX")
        command = [sys.executable, "-m", "theano_rnn.benchmarks.summed_bytes"]
        variables = {"JAX_NUM_CPU_DEVICES": str(DEVICES), "JAX_PLATFORMS": "cpu"}
        super().__init__("counting", command, PYTHONPATH=path_to_this_package(), **variables)

    def count(self, workload: Workload) -> dict[str, int]:
        """Count the bytes of a workload of kind "step".

        Returns
        -------
        dict
            ``summed_bytes``, the size of what a step sums over devices, and ``parameter_bytes``, that of all
            parameters.
        """
        return self.ask(workload=dataclasses.asdict(workload))

    def __enter__(self) -> "ByteCounter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def count_bytes(workload: Workload) -> dict[str, int]:
    """Count in this process, which must have two devices; see `ByteCounter.count`. No step is computed."""
    optimizer = step_optimizer(dataclasses.replace(workload, devices=DEVICES))
    batch = next(random_minibatches(workload))
    if isinstance(optimizer, SampledOptimizer):
        inputs = optimizer.inputs_on_candidates(batch, optimizer.draw(batch, np.random.default_rng(1)))
    else:
        inputs = optimizer.step_inputs(batch)
    parameters = sum(math.prod(shape) for shape in optimizer.network.parameter_shapes.values())
    itemsize = np.dtype(optimizer.network.dtype).itemsize
    return {"summed_bytes": optimizer.summed_bytes(inputs), "parameter_bytes": itemsize * parameters}


def main() -> None:
    """Answer requests until standard input ends. A request has the attributes of a `Workload`."""

    def answer(workload: dict[str, Any]) -> dict[str, int]:
        return count_bytes(Workload(**workload))

    answer_requests({"devices": DEVICES}, answer)


if __name__ == "__main__":
    main()
