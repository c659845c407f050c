"""Measures workloads in rounds, in each of which theano_rnn and a contender take turns."""

import contextlib
import dataclasses
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from theano_rnn.benchmarks.contenders import Contender
from theano_rnn.benchmarks.matrix_products import lower_bound_seconds
from theano_rnn.benchmarks.package_workloads import prepare
from theano_rnn.benchmarks.scaling_model import GIGABITS, LATENCY, MACHINES, efficiency, sent_bytes
from theano_rnn.benchmarks.summed_bytes import ByteCounter
from theano_rnn.benchmarks.workloads import Workload, repeats_per_round
from theano_rnn.engines.engine import select_device
from theano_rnn.engines.malloc_settings import tune_process


@dataclasses.dataclass
class Measurement:
    """Times of one workload, in seconds.

    Attributes
    ----------
    workload : Workload
    own_seconds : list of float
        theano_rnn's median time in each round.
    lower_bound : float
        Time of the bare matrix products; 0.0 if they are too small to be timed.
    contender_seconds : list of float
        The contender's median time in each round; empty without a contender.
    contender_variant : str
        The contender's fastest variant; empty without a contender.
    """

    workload: Workload
    own_seconds: list[float]
    lower_bound: float
    contender_seconds: list[float]
    contender_variant: str

    @property
    def over_products(self) -> float | None:
        """theano_rnn's time divided by that of the bare products; None if those are too small to be timed."""
        return statistics.median(self.own_seconds) / self.lower_bound if self.lower_bound else None

    @property
    def ratios(self) -> list[float]:
        """The contender's time divided by theano_rnn's, for each round. Above 1, theano_rnn is faster."""
        return [theirs / own for own, theirs in zip(self.own_seconds, self.contender_seconds, strict=False)]

    def to_json(self) -> dict[str, Any]:
        """Return the measurement as a JSON-serializable dict.

        Returns
        -------
        dict
            The attributes of the workload, medians and rounds in seconds, and ratios.

        Examples
        --------
        >>> workload = Workload("W", "step", 30, 4, steps=10, batch_size=5, description="")
        >>> record = Measurement(workload, [0.2, 0.1, 0.4], 0.1, [0.4, 0.4, 0.4], "dense").to_json()
        >>> record["tokens_per_second"], record["ours_over_products"]
        (250.0, 2.0)
        >>> record["ratio"], record["ratio_min"], record["ratio_max"]
        (2.0, 1.0, 4.0)
        """
        record = {
            **dataclasses.asdict(self.workload),
            "ours_s": statistics.median(self.own_seconds),
            "ours_rounds_s": self.own_seconds,
            "tokens_per_second": self.workload.tokens / statistics.median(self.own_seconds),
            "products_s": self.lower_bound,
            "ours_over_products": self.over_products,
        }
        if self.contender_seconds:
            record |= {
                "peer_s": statistics.median(self.contender_seconds),
                "peer_rounds_s": self.contender_seconds,
                "peer_form": self.contender_variant,
                "ratio": statistics.median(self.ratios),
                "ratio_min": min(self.ratios),
                "ratio_max": max(self.ratios),
            }
        return record


def measure(workload: Workload, rounds: int, contender: Contender | None = None) -> Measurement:
    """Time a workload in rounds, in each of which theano_rnn and the variants of a contender take turns.

    Parameters
    ----------
    workload : Workload
    rounds : int
    contender : Contender, optional

    Returns
    -------
    Measurement
        The median times of each round, for theano_rnn and for the contender's variant that is the fastest overall.
    """
    own, theirs = _measure_in_turn(workload, rounds, contender)
    lower_bound = lower_bound_seconds(workload)
    if contender is None:
        return Measurement(workload, own, lower_bound, [], "")
    best = min(theirs, key=lambda variant: statistics.median(theirs[variant]))
    return Measurement(workload, own, lower_bound, theirs[best], contender.describe(workload, best))


def measure_engines(workload: Workload, rounds: int, contender: Contender) -> dict[str, Any]:
    """Time a workload in rounds, in each of which theano_rnn on PyTensor and the variants of a contender take turns.

    Parameters
    ----------
    workload : Workload
    rounds : int
    contender : TheanoContender

    Returns
    -------
    dict
        The attributes of the workload, and medians over the rounds in seconds: ``pytensor_s``, ``theano_ours_s`` and,
        for workloads of one sentence, ``theano_tutorial_s``. The times of the rounds are in ``…_rounds_s``.
    """
    own, theirs = _measure_in_turn(workload, rounds, contender)
    record = dataclasses.asdict(workload)
    for name, seconds in {"pytensor": own, **{f"theano_{variant}": theirs[variant] for variant in theirs}}.items():
        record |= {f"{name}_s": statistics.median(seconds), f"{name}_rounds_s": seconds}
    return record


def _measure_in_turn(
    workload: Workload, rounds: int, contender: Contender | None
) -> tuple[list[float], dict[Any, list[float]]]:
    """Return the median time of each round in seconds, for theano_rnn and for each variant of the contender."""
    run_once = prepare(workload)
    run_once()
    repeats = repeats_per_round(min(run_once() for _ in range(3)))
    own: list[float] = []
    theirs: dict[Any, list[float]] = {}
    their_repeats = {}
    if contender is not None:
        for variant in contender.variants(workload):
            theirs[variant] = []
            their_repeats[variant] = repeats_per_round(min(contender.seconds(workload, variant, 3)))
    for _ in range(rounds):
        own.append(statistics.median(run_once() for _ in range(repeats)))
        for variant, medians in theirs.items():
            assert contender is not None
            medians.append(statistics.median(contender.seconds(workload, variant, their_repeats[variant])))
    return own, theirs


def measure_scaling(workload: Workload, rounds: int, counter: ByteCounter) -> dict[str, Any]:
    """Time training steps on this machine, and compute from a model how efficient several such machines would be.

    Parameters
    ----------
    workload : Workload
        Of kind "step".
    rounds : int
    counter : ByteCounter
        Counts the bytes that machines sum in each step.

    Returns
    -------
    dict
        The attributes of the workload; ``step_s``, the median of the rounds ``step_rounds_s`` in seconds;
        ``summed_bytes`` and ``parameter_bytes``; ``latency_s`` of the model; and in ``machines`` for each number of
        machines ``sent_bytes`` by each of them in a step, and the efficiencies by gigabits per second: ``each`` if each
        machine computes a minibatch of this size, and ``shared`` if all share one, in proportionally less time.
    """
    own, _ = _measure_in_turn(workload, rounds, None)
    step, counted = statistics.median(own), counter.count(workload)
    summed, machines = counted["summed_bytes"], {}
    for count in MACHINES:
        machines[count] = {
            "sent_bytes": sent_bytes(summed, count),
            "each": {gigabits: efficiency(step, summed, count, gigabits) for gigabits in GIGABITS},
            "shared": {gigabits: efficiency(step / count, summed, count, gigabits) for gigabits in GIGABITS},
        }
    times = {"step_s": step, "step_rounds_s": own, "latency_s": LATENCY}
    return {**dataclasses.asdict(workload), **times, **counted, "machines": machines}


def measure_growth(workload: Workload, device: str = "auto") -> dict[str, Any]:
    """Measure the speed and peak memory of a workload in a separate process.

    Parameters
    ----------
    workload : Workload
    device : {"auto", "cpu", "gpu"}

    Returns
    -------
    dict
        ``word_dim``, ``hidden_dim``, ``samples``, ``step_ms``, ``tokens_per_second``, ``peak_memory_mb`` (of the whole
        process) and
        ``parameters_mb`` (of U, V and W).
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure_growth_here, (workload, device))


def _measure_growth_here(workload: Workload, device: str) -> dict[str, Any]:
    tune_process()  # as the commands do
    select_device(device, workload.devices)
    run_once = prepare(workload)
    run_once()
    repeats = repeats_per_round(min(run_once() for _ in range(2)))
    seconds = statistics.median(run_once() for _ in range(repeats))
    parameters = workload.hidden_dim * (2 * workload.word_dim + workload.hidden_dim)
    return {
        "word_dim": workload.word_dim,
        "hidden_dim": workload.hidden_dim,
        "samples": workload.samples,
        "step_ms": 1000 * seconds,
        "tokens_per_second": workload.tokens / seconds,
        "peak_memory_mb": peak_memory_mb(),
        "parameters_mb": 4e-6 * parameters,
    }


def measure_startup(workload: Workload, device: str = "auto") -> dict[str, Any]:
    """Measure the time until the end of the first run of a workload, without and with a cache of compiled functions.

    Each run uses a new process. The cache is a temporary folder.

    Parameters
    ----------
    workload : Workload
    device : {"auto", "cpu", "gpu"}

    Returns
    -------
    dict
        The attributes of the workload, and times in seconds: ``cold_s`` and ``warm_s``, to build and compile the model
        and complete the first run, and ``imports_s``, to start the interpreter and import the package.
    """
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for _ in range(2):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                runs.append(pool.apply(_measure_startup_here, (workload, device, folder, time.time())))
    (_, cold), (imports, warm) = runs
    return {**dataclasses.asdict(workload), "cold_s": cold, "warm_s": warm, "imports_s": imports}


def _measure_startup_here(workload: Workload, device: str, cache_folder: str, started: float) -> tuple[float, float]:
    imports = time.time() - started
    tune_process()
    os.environ["THEANO_RNN_CACHE"] = cache_folder
    start = time.perf_counter()
    select_device(device, workload.devices)
    prepare(workload)()
    return imports, time.perf_counter() - start


def peak_memory_mb() -> float:
    """Return the peak memory of this process so far, in MB.

    Returns
    -------
    float
        The peak of the resident set size.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1e3
    import resource

    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
