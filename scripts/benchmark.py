#!/usr/bin/env python3
"""Time theano_rnn on this machine, and PyTorch and the bare matrix products beside it if you ask for them.

A round runs each workload for about a second. Ours and PyTorch's take turns. The table shows medians over the rounds.
"""

import argparse
import contextlib
import functools
import json
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser, command_parser
from theano_rnn.commands.run_command import run_command
from theano_rnn.commands.status_line import status
from theano_rnn.commands.terminal import flush, say, show
from theano_rnn.errors import OptionError

if TYPE_CHECKING:
    from theano_rnn.benchmarks.contenders import TorchContender
    from theano_rnn.benchmarks.workloads import Workload

ROUNDS = 5
# The options that choose a table of `theano_rnn.benchmarks.workloads`.
TABLES = {name: name.upper() for name in ("grid", "networks", "tasks", "large", "scaling", "startup", "growth")}
TABLES["gpu_table"] = "GPU"


def make_parser() -> ArgumentParser:
    parser = command_parser("benchmark", __doc__ or "", "[options]", "--only W1,W3 --rounds 3")
    # fmt: off
    group = parser.add_argument_group("workloads")
    add = group.add_argument
    add("--only", dest="names", metavar="NAMES",
        help="names of workloads, separated by commas (default: all of the standard table, or of the one chosen here)")
    table = group.add_mutually_exclusive_group()
    table.add_argument("--grid", action="store_true",
        help="training steps at hidden sizes 100, 512 and 1024 and minibatches of 32 and 256")
    table.add_argument("--networks", action="store_true",
        help="GRU and LSTM with one and two layers and with embeddings: training steps, generating, and scoring word "
        "by word")
    table.add_argument("--tasks", action="store_true",
        help="networks that read in both directions, for a label of each text, word or frame: training steps; "
        "translation: training steps and beam search")
    table.add_argument("--large", action="store_true",
        help="large vocabularies: training steps with sampled softmax; PyTorch's with sampled or exact softmax, "
        "whichever is faster, and with an adaptive softmax")
    table.add_argument("--gpu-table", action="store_true",
        help="the standard table, LSTMs with 512 and 1024 units, and sampled softmax with 100,000 words, with the aims "
        "for a GPU; this is the default with `--device gpu`")
    table.add_argument("--scaling", action="store_true",
        help="how efficient 4, 16 and 64 machines would be, by a model: from the time of a training step on this "
        "machine and the bytes of gradients that machines sum")
    table.add_argument("--startup", action="store_true",
        help="seconds until the first training step, without and with a cache of compiled functions")
    table.add_argument("--growth", action="store_true",
        help="speed and peak memory of a training step as vocabulary and hidden size grow")

    add = parser.add_argument_group("comparison").add_argument
    add("--peer", choices=("torch",), help="time PyTorch in turn with theano_rnn (pip install torch)")
    add("--theano", metavar="PYTHON",
        help="time W1 and W2 on the original Theano too, with this Python 3.10 interpreter")

    add = parser.add_argument_group("measurement").add_argument
    add("--rounds", type=int, metavar="N", help=f"number of rounds (default: {ROUNDS})")
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where to compute (default: %(default)s)")
    add("--devices", type=int, default=1, metavar="N",
        help="split the minibatches of training steps over N cores, or N GPUs; without --only, what cannot be split is "
        "left out (default: %(default)s)")

    add = parser.add_argument_group("output").add_argument
    add("--json", action="store_true", help="print one JSON object per workload instead of the table")
    # fmt: on
    return parser


def check_together(arguments: argparse.Namespace) -> None:
    """Raise an error for options that exclude each other."""
    tables = [name for name in TABLES if getattr(arguments, name)]
    if arguments.theano and (tables or arguments.peer):
        raise OptionError(f"theano: has a table of its own; leave `{tables[0] if tables else 'peer'}` out")
    if arguments.theano and arguments.devices > 1:
        raise OptionError("theano: the original Theano computes on one device; leave `devices` out")
    for name in ("startup", "growth", "scaling"):
        if name in tables and arguments.peer:
            raise OptionError(f"{name}: measures theano_rnn alone; leave `peer` out")
        if name != "scaling" and name in tables and arguments.rounds is not None:
            raise OptionError(f"{name}: has one round, in new processes for each workload; leave `rounds` out")


def workload_table(arguments: argparse.Namespace) -> "Sequence[Workload]":
    """The workloads from which `--only` chooses."""
    from theano_rnn.benchmarks import workloads

    default = "GPU" if arguments.device == "gpu" and not arguments.theano else "STANDARD"
    chosen = next((table for option, table in TABLES.items() if getattr(arguments, option)), default)
    return getattr(workloads, chosen)


def choose_workloads(arguments: argparse.Namespace) -> "list[Workload]":
    """The workloads to time."""
    from theano_rnn.benchmarks.workloads import on_devices, select_workloads
    from theano_rnn.checks import check_count

    names = arguments.names.split(",") if arguments.names else ["W1", "W2"] if arguments.theano else None
    devices = check_count("devices", arguments.devices)
    chosen = select_workloads(workload_table(arguments), names)
    if devices > 1 and not names:
        chosen = [workload for workload in chosen if workload.splits]
    return on_devices(chosen, devices)


def start_torch(arguments: argparse.Namespace, stack: contextlib.ExitStack) -> "tuple[TorchContender | None, str]":
    """PyTorch on the device of theano_rnn, if it is wanted, and what the heading says about it."""
    from theano_rnn.benchmarks.contenders import TorchContender
    from theano_rnn.engines.engine import device_name

    if not arguments.peer:
        return None, ""
    on_gpu = device_name() is not None
    torch = stack.enter_context(TorchContender("gpu" if on_gpu else "cpu"))
    return torch, f", PyTorch {torch.version}" + (" on one GPU" if on_gpu and arguments.devices > 1 else "")


def work(arguments: argparse.Namespace) -> None:
    check_together(arguments)
    from theano_rnn.benchmarks import measurement, report
    from theano_rnn.benchmarks.contenders import TheanoContender, leave_memory_on_gpu
    from theano_rnn.benchmarks.summed_bytes import ByteCounter
    from theano_rnn.checks import check_count
    from theano_rnn.engines.engine import select_device

    rounds = check_count("rounds", ROUNDS if arguments.rounds is None else arguments.rounds)
    chosen = choose_workloads(arguments)
    if arguments.peer:
        leave_memory_on_gpu()
    select_device(arguments.device, arguments.devices)
    machine = report.describe_machine(arguments.devices)
    measure: Callable[[Workload], Any]
    as_table: Callable[[Any], str]
    with contextlib.ExitStack() as stack:
        if arguments.growth:
            measure = functools.partial(measurement.measure_growth, device=arguments.device)
            as_table = report.growth_table
        elif arguments.startup:
            measure = functools.partial(measurement.measure_startup, device=arguments.device)
            as_table = report.startup_table
        elif arguments.scaling:
            counter = stack.enter_context(ByteCounter())
            measure = functools.partial(measurement.measure_scaling, rounds=rounds, counter=counter)
            as_table = report.scaling_table
        elif arguments.theano:
            theano = stack.enter_context(TheanoContender(arguments.theano))
            machine += f", {theano.version}"
            measure = functools.partial(measurement.measure_engines, rounds=rounds, contender=theano)
            as_table = report.engines_table
        else:
            torch, description = start_torch(arguments, stack)
            machine += description
            measure = functools.partial(measurement.measure, rounds=rounds, contender=torch)
            as_table = report.measurement_table
        results: list[Any] = []
        for workload in chosen:
            say(f"{workload.name} …")
            with status(workload.name):
                results.append(measure(workload))
            if arguments.json:
                result = results[-1]
                record = result.to_json() if isinstance(result, measurement.Measurement) else result
                show(json.dumps({**record, "machine": machine}))
                flush()
    if not arguments.json:
        show(machine + "\n\n" + as_table(results))


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
