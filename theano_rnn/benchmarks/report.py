"""Benchmark results as a person reads them: the machine in a line, tables in Markdown."""

import contextlib
import os
import platform
import statistics
from pathlib import Path

from theano_rnn.engines.engine import device_name, versions


def machine():
    """One line about the machine and the versions that a figure depends on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{device_name() or processor()}, {cores} CPU cores, Python {platform.python_version()}, {versions()}"


def processor():
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def table(results):
    """The results as a Markdown table, one row a workload."""
    with_peer = any(result.theirs for result in results)
    columns = ["work", "", "V", "H", "steps x texts", "ours, ms", "tokens/s", "bare products, ms", "ours / products"]
    if with_peer:
        columns += ["PyTorch, ms", "PyTorch / ours", "range", "PyTorch's best form"]
    rows = []
    for result in results:
        workload, record = result.workload, result.to_json()
        row = [
            workload.name,
            workload.what,
            str(workload.word_dim),
            str(workload.hidden_dim),
            f"{workload.steps} x {workload.batch_size}",
            f"{1e3 * record['ours_s']:.2f}",
            f"{record['tokens_per_second']:,.0f}",
            f"{1e3 * record['products_s']:.2f}",
            f"{result.over_products:.2f}" if result.floor else "",
        ]
        if with_peer:
            row += [
                f"{1e3 * record['peer_s']:.2f}",
                f"{record['ratio']:.2f}",
                f"{record['ratio_min']:.2f} to {record['ratio_max']:.2f}",
                record["peer_form"],
            ]
        rows.append(row)
    return markdown(columns, rows)


def markdown(columns, rows):
    """A Markdown table whose columns are also aligned on a screen."""
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [columns, *rows]]
    lines.insert(1, " | ".join("-" * max(width, 3) for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def growth_table(records):
    """Records of `benchmark.measure_growth` as a Markdown table."""
    rows = [
        [
            f"{record['word_dim']:,}",
            f"{record['hidden_dim']:,}",
            f"{record['tokens_per_second']:,.0f}",
            f"{record['peak_memory_mb']:,.0f}",
            f"{record['parameters_mb']:,.0f}",
        ]
        for record in records
    ]
    return markdown(["V", "H", "tokens/s", "peak memory, MB", "U, V and W, MB"], rows)


def engines_table(records):
    """Records of `benchmark.measure_engines` as a Markdown table; the ratios are medians of those of the rounds."""
    columns = ["work", "", "PyTensor, ms", "Theano, ms", "Theano / PyTensor", "tutorial's class, ms", "it / PyTensor"]
    rows = []
    for record in records:
        row = [record["name"], record["what"], f"{1e3 * record['pytensor_s']:.2f}"]
        for form in ("theano_ours", "theano_tutorial"):
            seconds = record.get(f"{form}_s")
            if seconds is None:
                row += ["", ""]
                continue
            rounds = zip(record[f"{form}_rounds_s"], record["pytensor_rounds_s"], strict=True)
            row += [f"{1e3 * seconds:.2f}", f"{statistics.median(theirs / ours for theirs, ours in rounds):.2f}"]
        rows.append(row)
    return markdown(columns, rows)
