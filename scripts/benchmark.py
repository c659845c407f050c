#!/usr/bin/env python3
"""Time theano_rnn on this machine, next to PyTorch and to the bare matrix products if asked.

A round is about a second of each; ours and PyTorch's take turns. What is printed are medians over the rounds.
"""

import contextlib
import json
import runpy
import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser
from theano_rnn.commands.run_command import run
from theano_rnn.errors import OptionError


def parse(argv):
    parser = ArgumentParser(prog="benchmark.py", description=__doc__)
    add = parser.add_argument
    add("--peer", choices=("torch",), help="time PyTorch's versions in turn with ours (pip install torch)")
    add(
        "--theano",
        metavar="PYTHON",
        help="time W1 and W2 on the original Theano too, in this Python 3.10's environment",
    )
    add("--only", metavar="NAMES", help="workloads, with commas between them (default: all)")
    add("--rounds", type=int, metavar="N", help="(default: 5)")
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="(default: %(default)s)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--grid", action="store_true", help="training steps at hidden sizes 100, 512, 1024 and 32, 256 texts"
    )
    what.add_argument("--growth", action="store_true", help="speed and peak memory of a training step as V and H grow")
    add("--json", action="store_true", help="a JSON object a workload instead of the table")
    return parser.parse_args(argv)


def work(argv):
    arguments = parse(argv)
    rounds = 5 if arguments.rounds is None else arguments.rounds
    if rounds < 1:
        raise OptionError(f"rounds: expected at least 1, got {rounds}")
    from theano_rnn.benchmarks import measurement, report, workloads
    from theano_rnn.benchmarks.contenders import TheanoContender, TorchContender
    from theano_rnn.engines.engine import select_device

    standard = workloads.GRID if arguments.grid else workloads.GROWTH if arguments.growth else workloads.STANDARD
    chosen = workloads.select_workloads(standard, arguments.only and arguments.only.split(","))
    if arguments.growth and arguments.peer:
        raise OptionError("growth: measures ours alone; leave --peer out")
    if arguments.theano and (arguments.growth or arguments.grid or arguments.peer):
        raise OptionError("theano: has a table of its own; leave --peer, --grid and --growth out")
    if arguments.theano and not arguments.only:
        chosen = workloads.select_workloads(standard, ["W1", "W2"])
    if arguments.growth and arguments.rounds is not None:
        raise OptionError("growth: has one round, in a process for each size; leave --rounds out")
    select_device(arguments.device)
    machine = report.describe_machine()
    with contextlib.ExitStack() as stack:
        contender = None
        if arguments.theano:
            contender = stack.enter_context(TheanoContender(arguments.theano))
            machine += f", {contender.version}"
        elif arguments.peer:
            contender = stack.enter_context(TorchContender(arguments.device))
            machine += f", PyTorch {contender.version}"
        results = []
        for workload in chosen:
            print(f"{workload.name} …", file=sys.stderr, flush=True)
            if arguments.growth:
                record = measurement.measure_growth(workload, arguments.device)
                results.append(record)
            elif arguments.theano:
                record = measurement.measure_engines(workload, rounds, contender)
                results.append(record)
            else:
                results.append(measurement.measure(workload, rounds, contender))
                record = results[-1].to_json()
            if arguments.json:
                print(json.dumps({**record, "machine": machine}), flush=True)
    if not arguments.json:
        as_table = report.measurement_table
        if arguments.growth or arguments.theano:
            as_table = report.growth_table if arguments.growth else report.engines_table
        print(machine + "\n\n" + as_table(results))


def main(argv=None):
    return run("benchmark.py", work, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
