"""Formats the results of the benchmark: one line about the machine, and tables in Markdown."""

import contextlib
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from theano_rnn.benchmarks.measurement import Measurement
from theano_rnn.benchmarks.scaling_model import GIGABITS, LATENCY
from theano_rnn.engines.engine import device_name, versions


def describe_machine(devices: int = 1) -> str:
    """Describe the machine, the software and the precision: devices, number of cores, and versions.

    Parameters
    ----------
    devices : int
        The number of devices that minibatches are split over.

    Returns
    -------
    str
        One line.
    """
    device = device_name()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [device or _processor(), f"{cores} CPU cores", f"Python {platform.python_version()}", versions()]
    parts.append("float32 without TF32" if device else "float32")
    if devices > 1:
        parts.append(f"theano_rnn on {devices} {'GPUs' if device else 'cores'}")
    return ", ".join(parts)


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def measurement_table(measurements: Sequence[Measurement]) -> str:
    """Format measurements as a Markdown table with one row per workload.

    Parameters
    ----------
    measurements : sequence of Measurement

    Returns
    -------
    str
        There are columns about PyTorch only if it was measured, and aims only if a workload has one.
    """
    with_aims = any(measurement.workload.aim for measurement in measurements)
    with_contender = any(measurement.contender_seconds for measurement in measurements)
    columns = ["work", "", "V", "H", "steps x texts", "ours, ms", "tokens/s", "bare products, ms", "ours / products"]
    if with_contender:
        columns += ["PyTorch, ms", "PyTorch / ours", "range", "PyTorch's best form"]
        columns += ["aim on a GPU"] if with_aims else []
    rows = []
    for measurement in measurements:
        workload, record = measurement.workload, measurement.to_json()
        row = [
            workload.name,
            workload.description,
            str(workload.word_dim or ""),
            str(workload.hidden_dim),
            f"{workload.steps} x {workload.batch_size}",
            f"{1e3 * record['ours_s']:.2f}",
            f"{record['tokens_per_second']:,.0f}",
            f"{1e3 * record['products_s']:.2f}",
            f"{measurement.over_products:.2f}" if measurement.over_products is not None else "",
        ]
        if with_contender:
            row += [
                f"{1e3 * record['peer_s']:.2f}",
                f"{record['ratio']:.2f}",
                f"{record['ratio_min']:.2f} to {record['ratio_max']:.2f}",
                record["peer_form"],
            ]
            row += [f"{workload.aim:.1f}" if workload.aim else ""] if with_aims else []
        rows.append(row)
    return markdown_table(columns, rows)


def growth_table(records: Sequence[dict[str, Any]]) -> str:
    """Format results of `theano_rnn.benchmarks.measurement.measure_growth` as a Markdown table.

    Parameters
    ----------
    records : sequence of dict

    Returns
    -------
    str
    """
    rows = [
        [
            f"{record['word_dim']:,}",
            f"{record['hidden_dim']:,}",
            f"{record['samples']:,}" if record["samples"] else "all",
            f"{record['step_ms']:.1f}",
            f"{record['tokens_per_second']:,.0f}",
            f"{record['peak_memory_mb']:,.0f}",
            f"{record['parameters_mb']:,.0f}",
        ]
        for record in records
    ]
    return markdown_table(["V", "H", "samples", "step, ms", "tokens/s", "peak memory, MB", "U, V and W, MB"], rows)


def scaling_table(records: Sequence[dict[str, Any]]) -> str:
    """Format results of `theano_rnn.benchmarks.measurement.measure_scaling` as a Markdown table.

    Parameters
    ----------
    records : sequence of dict

    Returns
    -------
    str
        A sentence about the model, and one row for each workload and number of machines.
    """
    columns = ["work", "", "V", "step, ms", "parameters, MB", "summed, MB", "machines", "sent by each, MB"]
    columns += [f"{gigabits} Gbit/s" for gigabits in GIGABITS]
    columns += [f"{gigabits} Gbit/s, shared" for gigabits in GIGABITS]
    rows = []
    for record in records:
        start = [record["name"], record["description"], f"{record['word_dim']:,}", f"{1e3 * record['step_s']:.1f}"]
        start += [f"{1e-6 * record[name]:.2f}" for name in ("parameter_bytes", "summed_bytes")]
        for count, found in record["machines"].items():
            shares = [found[kind][gigabits] for kind in ("each", "shared") for gigabits in GIGABITS]
            numbers = [str(count), f"{1e-6 * found['sent_bytes']:.2f}", *(f"{share:.3f}" for share in shares)]
            rows.append([*start, *numbers])
    return (
        "Efficiency t / (t + t_comm) of a model, not measured: t is the time of a step on this machine, t_comm that of "
        f"a ring all-reduce with {1e6 * LATENCY:.0f} µs per round, and nothing overlaps. Each machine computes a "
        'minibatch of the measured size; "shared": all machines share one, in t / machines.\n\n'
    ) + markdown_table(columns, rows)


def startup_table(records: Sequence[dict[str, Any]]) -> str:
    """Format results of `theano_rnn.benchmarks.measurement.measure_startup` as a Markdown table.

    Parameters
    ----------
    records : sequence of dict

    Returns
    -------
    str
    """
    columns = ["work", "cell", "layers", "H", "first step, s", "with cache, s", "imports, s"]
    rows = [
        [record["name"], record["cell"], str(record["layers"]), str(record["hidden_dim"])]
        + [f"{record[name]:.1f}" for name in ("cold_s", "warm_s", "imports_s")]
        for record in records
    ]
    return markdown_table(columns, rows)


def engines_table(records: Sequence[dict[str, Any]]) -> str:
    """Format results of `theano_rnn.benchmarks.measurement.measure_engines` as a Markdown table.

    Parameters
    ----------
    records : sequence of dict

    Returns
    -------
    str
        Each ratio is the median of the ratios of the rounds.
    """
    columns = ["work", "", "PyTensor, ms", "Theano, ms", "Theano / PyTensor"]
    columns += ["tutorial's class, ms", "tutorial's class / PyTensor"]
    rows = []
    for record in records:
        row = [record["name"], record["description"], f"{1e3 * record['pytensor_s']:.2f}"]
        for variant in ("theano_ours", "theano_tutorial"):
            seconds = record.get(f"{variant}_s")
            if seconds is None:
                row += ["", ""]
                continue
            rounds = zip(record[f"{variant}_rounds_s"], record["pytensor_rounds_s"], strict=True)
            row += [f"{1e3 * seconds:.2f}", f"{statistics.median(theirs / own for theirs, own in rounds):.2f}"]
        rows.append(row)
    return markdown_table(columns, rows)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table with aligned columns.

    Parameters
    ----------
    columns : sequence of str
        The headings.
    rows : sequence of sequences of str

    Returns
    -------
    str

    Examples
    --------
    >>> print(markdown_table(["V", "tokens/s"], [["8,000", "25,000"]]))
    | V     | tokens/s |
    | ----- | -------- |
    | 8,000 | 25,000   |
    """
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [columns, *rows]]
    lines.insert(1, " | ".join("-" * max(width, 3) for width in widths))
    return "\n".join(f"| {line} |" for line in lines)
