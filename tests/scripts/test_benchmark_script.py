"""scripts/benchmark.py: a table or JSON on standard output, one line and status 2 for wrong usage."""

import contextlib
import json

import pytest
from support import script_modules

from theano_rnn.benchmarks import contenders, measurement, workloads
from theano_rnn.benchmarks.workloads import Workload
from theano_rnn.engines import engine
from theano_rnn.engines.engine import device_name, versions

script = script_modules.script("benchmark")

SMALL = (
    Workload("A", "sentence", 30, 4, 6, 1, "one"),
    Workload("B", "step", 30, 4, 6, 3, "several"),
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name in ("STANDARD", "GRID", "NETWORKS", "TASKS", "STARTUP", "GROWTH", "GPU", "SCALING"):
        monkeypatch.setattr(workloads, name, SMALL)
    monkeypatch.setattr(measurement, "repeats_per_round", lambda seconds: 2)


def test_the_table_goes_to_standard_output_and_progress_to_standard_error(capsys):
    assert script.main(["--rounds", "1"]) == 0
    out, err = capsys.readouterr()
    assert [line.split("|")[1].strip() for line in out.splitlines()[4:]] == ["A", "B"]
    assert versions() in out.splitlines()[0]
    assert err.split() == ["A", "…", "B", "…"]


def test_json_is_one_object_per_workload_and_nothing_else(capsys):
    assert script.main(["--rounds", "3", "--json", "--only", "B"]) == 0
    (record,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert record["name"] == "B" and len(record["ours_rounds_s"]) == 3
    assert record["ours_s"] > 0 and "ratio" not in record and versions() in record["machine"]


def test_growth_prints_speed_and_memory_by_size(monkeypatch, capsys):
    sizes = {"word_dim": 30, "hidden_dim": 4, "parameters_mb": 1, "samples": 0, "step_ms": 9}
    record = {**sizes, "tokens_per_second": 2000, "peak_memory_mb": 300}
    monkeypatch.setattr(measurement, "measure_growth", lambda workload, device: record)
    assert script.main(["--growth", "--only", "B"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "peak memory" in lines[2] and [cell.strip() for cell in lines[4].split("|")[1:7]] == [
        "30",
        "4",
        "all",
        "9.0",
        "2,000",
        "300",
    ]


def test_without_only_what_cannot_be_split_over_devices_is_left_out():
    arguments = script.make_parser().parse_args(["--devices", "2", "--grid"])
    assert [(workload.name, workload.devices) for workload in script.choose_workloads(arguments)] == [("B", 2)]


@pytest.mark.parametrize(
    ("arguments", "table"),
    [
        ([], "STANDARD"),
        (["--device", "cpu"], "STANDARD"),
        (["--device", "gpu"], "GPU"),
        (["--device", "cpu", "--gpu-table"], "GPU"),
        (["--device", "gpu", "--grid"], "GRID"),
        (["--device", "gpu", "--scaling"], "SCALING"),
    ],
)
def test_the_table_of_a_gpu_is_the_default_there_and_can_be_chosen_elsewhere(monkeypatch, arguments, table):
    monkeypatch.setattr(workloads, table, SMALL[1:])
    parsed = script.make_parser().parse_args([*arguments, "--only", "B"])
    assert script.workload_table(parsed) is getattr(workloads, table)
    assert script.choose_workloads(parsed) == [SMALL[1]]


@pytest.mark.xla
def test_scaling_prints_the_efficiency_of_several_machines(capsys):
    assert script.main(["--scaling", "--rounds", "1", "--only", "B"]) == 0
    out = capsys.readouterr().out
    assert "of a model, not measured" in out and "50 µs per round" in out
    assert [line.split("|")[7].strip() for line in out.splitlines()[6:]] == ["4", "16", "64"]


def test_what_cannot_be_split_over_devices_is_refused(capsys):
    for arguments, message in [
        (
            ["--devices", "2", "--only", "A"],
            "--devices: A is not a training step on a minibatch, so it cannot be split; choose others ",
        ),
        (["--devices", "0"], "--devices: expected at least 1, got 0"),
        (["--devices", "2", "--theano", "python"], "--theano: the original Theano computes on one device; leave "),
        (["--devices", "10000", "--only", "B"], "--devices: "),
    ]:
        assert script.main(arguments) == 2
        out, err = capsys.readouterr()
        assert not out and err.startswith(f"benchmark.py: {message}") and err.count("\n") == 1


@pytest.mark.parametrize("table", ["--networks", "--tasks"])
def test_networks_and_tasks_are_tables_of_their_own(monkeypatch, capsys, table):
    monkeypatch.setattr(workloads, "STANDARD", ())
    assert script.main([table, "--rounds", "1", "--only", "B"]) == 0
    assert capsys.readouterr().out.splitlines()[4].split("|")[1].strip() == "B"


def test_startup_prints_seconds_until_the_first_step(monkeypatch, capsys):
    record = {"name": "B", "cell": "simple", "layers": 1, "hidden_dim": 4, "cold_s": 3, "warm_s": 2, "imports_s": 1}
    monkeypatch.setattr(measurement, "measure_startup", lambda workload, device: record)
    assert script.main(["--startup", "--only", "B"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "first step, s" in lines[2] and [cell.strip() for cell in lines[4].split("|")[5:8]] == ["3.0", "2.0", "1.0"]


def test_the_contender_is_timed_and_closed(monkeypatch, capsys):
    closed = []

    class Contender:
        version = "9.9"

        def __init__(self, device):
            self.device = device

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            closed.append(self.device)

        def variants(self, workload):
            return [("malloc", True)]

        def seconds(self, workload, variant, repeats):
            return [10.0] * repeats

        def describe(self, workload, variant):
            return "sparse, malloc"

    monkeypatch.setattr(contenders, "TorchContender", Contender)
    assert script.main(["--peer", "torch", "--rounds", "2", "--only", "A"]) == 0
    out = capsys.readouterr().out
    device = "cpu" if device_name() is None else "gpu"
    assert "PyTorch 9.9" in out and "sparse, malloc" in out and closed == [device]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "Z"], "expected one of A, B, got 'Z'"),
        (["--rounds", "0"], "rounds: expected at least 1, got 0"),
        (["--growth", "--peer", "torch"], "leave --peer out"),
        (["--growth", "--rounds", "5"], "leave --rounds out"),
        (["--startup", "--peer", "torch"], "leave --peer out"),
        (["--scaling", "--peer", "torch"], "leave --peer out"),
        (["--scaling", "--theano", "python3.10"], "leave --scaling out"),
        (["--gpu-table", "--theano", "python3.10"], "leave --gpu-table out"),
        (["--theano", "python3.10", "--networks"], "leave --networks out"),
        (["--theano", "python3.10", "--peer", "torch"], "leave --peer out"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(capsys, arguments, message):
    assert script.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("card", "options", "expected"),
    [
        (None, "--peer torch --devices 2", ("cpu", ", PyTorch 9.9")),
        ("Graphics 9000", "--peer torch", ("gpu", ", PyTorch 9.9")),
        ("Graphics 9000", "--peer torch --devices 2", ("gpu", ", PyTorch 9.9 on one GPU")),
        ("Graphics 9000", "--devices 2", (None, "")),
    ],
)
def test_torch_computes_on_the_device_of_theano_rnn(monkeypatch, card, options, expected):
    class Contender(contextlib.nullcontext):
        version = "9.9"

        def __enter__(self):
            return self

    monkeypatch.setattr(engine, "device_name", lambda: card)
    monkeypatch.setattr(contenders, "TorchContender", Contender)
    with contextlib.ExitStack() as stack:
        torch, description = script.start_torch(script.make_parser().parse_args(options.split()), stack)
        assert (torch and torch.enter_result, description) == expected


@pytest.mark.parametrize(
    ("installed", "message"),
    [
        (False, "torch is not installed; install it (pip install torch) or leave --peer out"),
        (True, "this torch finds no GPU; install its CUDA build, or use --device cpu"),
    ],
)
def test_a_missing_torch_or_one_without_gpu_is_one_line_and_status_2_before_any_work(
    capsys, monkeypatch, installed, message
):
    class Process:
        greeting = {"torch": "9.9", "gpu": False, "libraries": ""}

        def __init__(self, *command, **variables):
            pass

        def close(self):
            pass

    monkeypatch.setattr(engine, "select_device", lambda name, count: None)
    monkeypatch.setattr(engine, "device_name", lambda: "Graphics 9000")
    monkeypatch.setattr(contenders.importlib.util, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(contenders, "ContenderProcess", Process)
    assert script.main(["--device", "gpu", "--peer", "torch"]) == 2
    out, err = capsys.readouterr()
    assert not out and err == f"benchmark.py: {message}\n"


@pytest.mark.xla
def test_a_missing_gpu_is_one_line_and_status_2(capsys, monkeypatch):
    def missing(name):
        raise RuntimeError("no such device")

    monkeypatch.setattr("jax.devices", missing)
    assert script.main(["--device", "gpu"]) == 2
    assert "JAX finds no gpu" in capsys.readouterr().err
