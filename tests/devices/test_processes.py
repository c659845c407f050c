"""Several processes train one network together: the results are those of one process."""

import contextlib
import itertools
import json
import re
import socket

import numpy as np
import pytest
from support.fresh_python import ROOT
from support.processes import Processes, free_port, freeze, outcome, wait_until
from support.script_modules import script
from support.split_steps import KINDS

from theano_rnn.files.archive import read_archive, read_document
from theano_rnn.language_models.language_model import load
from theano_rnn.training.train_model import facts_of_run

pytestmark = pytest.mark.xla

TOLERANCES = {"float32": 1e-6, "float64": 1e-10}
CODE = """
import sys
sys.path.insert(0, {tests!r})
from support.split_steps import steps_of_processes
from theano_rnn.devices.process_group import Place
place = Place("127.0.0.1:{port}", {count}, {index})
differences, digest = steps_of_processes({kinds}, {dtype!r}, 100, place)
print(digest, *differences)
"""
TEXT = "\n\n".join(
    f"The {a} {b} the {c}."
    for a, b, c in itertools.product(["dog", "cat", "bird"], ["sees", "likes", "eats"], ["dog", "cat", "bird"])
)
SMALL = ["--hidden-dim", "8", "--batch-size", "5", "--no-baselines"]
# What the stream states, the dropout masks and the candidates of a step are must not depend on the process.
STREAM = "--continuous --cell lstm --dropout 0.3 --samples 3 --sequence-length 6 --epochs 4"
RUNS = {
    "words": "--data text.txt --epochs 4",
    "characters": "--data text.txt --level char --sequence-length 10 --epochs 2 --cell gru --layers 2",
    "stream of words": f"--data text.txt {STREAM}",
    "labels": "--task classify --data labels.tsv --epochs 4",
    "tags": "--task tag --data tags.tsv --epochs 4",
    "missing words": "--task fill --data text.txt --epochs 4",
    "translations": "--task translate --data pairs.tsv --epochs 3",
    "descriptions": "--task describe --data captions.tsv features.npz --epochs 3",
    "recordings": "--task tag --data speech --epochs 2",
}


@pytest.fixture
def processes(tmp_path):
    lines = TEXT.split("\n\n")
    write = {
        "text.txt": TEXT,
        "labels.tsv": "".join(f"{len(line) % 2}\t{line}\n" for line in lines),
        "tags.tsv": "".join(f"{word}\t{word[-1]}\n" if word else "\n" for word in TEXT.replace("\n", " ").split(" ")),
        "pairs.tsv": "".join(f"{line}\t{line[::-1]}\n" for line in lines),
        "captions.tsv": "".join(f"image{i}\t{line}\n" for i, line in enumerate(lines)),
    }
    for name, content in write.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    np.savez(tmp_path / "features.npz", names=[f"image{i}" for i in range(27)], features=np.eye(27, 5))
    (tmp_path / "speech").symlink_to(ROOT / "data" / "speech")
    found = Processes(tmp_path)
    yield found
    found.close()


def train(processes, count, *options):
    """Train in several processes, or in one, and return what process 0 printed."""
    if count == 1:
        running = [processes.start([ROOT / "scripts" / "train.py", *options])]
    else:
        running = processes.train(options, range(count), count)
    outcomes = [outcome(process) for process in running]
    assert all(status == 0 for status, _ in outcomes), outcomes
    assert all(text == "" for _, text in outcomes[1:]), "only process 0 shows the progress"
    return outcomes[0][1]


def arrays(path):
    return {name: array for name, array in read_archive(path).items() if array.dtype.kind == "f"}


def largest_difference(path, other):
    expected, found = arrays(path), arrays(other)
    assert expected.keys() == found.keys()
    return max(
        np.linalg.norm(found[name] - array) / max(np.linalg.norm(array), 1e-9) for name, array in expected.items()
    )


def assert_equal_steps(processes, kinds, dtype, count):
    port = free_port()
    settings = {"tests": str(ROOT / "tests"), "port": port, "count": count, "kinds": kinds, "dtype": dtype}
    running = [processes.start(["-c", CODE.format(index=index, **settings)]) for index in range(count)]
    outputs = [process.communicate(timeout=900) for process in running]
    assert all(process.returncode == 0 for process in running), outputs
    (digest, *differences), *others = [output.split() for output, _ in outputs]
    assert others == [[digest]] * (count - 1), "all processes have the same parameters, to the bit"
    found = dict(zip(kinds, map(float, differences), strict=True))
    assert all(difference < TOLERANCES[dtype] for difference in found.values()), found


@pytest.mark.slow
@pytest.mark.parametrize(("count", "dtype", "kinds"), [(2, "float32", KINDS), (4, "float64", KINDS[1::5])])
def test_100_steps_of_every_network_in_several_processes_equal_those_in_one(count, dtype, kinds, processes):
    assert_equal_steps(processes, kinds, dtype, count)


def assert_equal_models(processes, run, count):
    options = [*RUNS[run].split(), *SMALL]
    train(processes, 1, *options, "--model", "one.npz")
    train(processes, count, *options, "--model", "several.npz", "--log", "several.jsonl", "--plot", "several.png")
    folder = processes.folder
    assert largest_difference(folder / "one.npz", folder / "several.npz") < 1e-5
    assert len((folder / "several.jsonl").read_text().splitlines()) == int(options[options.index("--epochs") + 1])
    assert (folder / "several.png").exists()
    assert not [path.name for path in folder.iterdir() if "lock" in path.name or "partial" in path.name]


@pytest.mark.slow
@pytest.mark.parametrize(("run", "count"), [*((run, 2) for run in RUNS), ("stream of words", 4), ("tags", 4)])
def test_several_processes_train_the_model_of_one_for_every_task(run, count, processes):
    assert_equal_models(processes, run, count)


def other_addresses():
    """The addresses of this machine, beside 127.0.0.1, that a process can listen at."""
    for family, target in ((socket.AF_INET6, "::1"), (socket.AF_INET, "10.255.255.255"), (socket.AF_INET6, "fd00::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))  # sends nothing
            yield probe.getsockname()[0]


@pytest.mark.slow
def test_processes_meet_at_every_address_of_this_machine(processes):
    addresses = sorted(set(other_addresses()))
    if not addresses:
        pytest.skip("this machine has no other address than 127.0.0.1")
    for address in addresses:
        place = f"[{address}]" if ":" in address else address
        options = [*RUNS["words"].split(), *SMALL, "--model", "m.npz", "--overwrite", "--processes", "2"]
        command = [ROOT / "scripts" / "train.py", *options, "--coordinator", f"{place}:{free_port()}"]
        running = [processes.start([*command, "--process", index]) for index in range(2)]
        assert [outcome(process)[0] for process in running] == [0, 0], address


@pytest.mark.slow
def test_two_processes_with_two_devices_each_train_the_model_of_one(processes):
    options = [*RUNS["words"].split(), *SMALL]
    train(processes, 1, *options, "--model", "one.npz")
    train(processes, 2, *options, "--model", "several.npz", "--devices", "2")
    assert largest_difference(processes.folder / "one.npz", processes.folder / "several.npz") < 1e-5


# Clusters

SLURM = {"SLURM_JOB_ID": "{job}", "SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": "2"}
OPEN_MPI = {"OMPI_MCA_orte_hnp_uri": "{uri}.0;tcp://127.0.0.1:34911", "OMPI_COMM_WORLD_SIZE": "2"}
CLUSTERS = {
    "Slurm": (SLURM, ("SLURM_PROCID", "SLURM_LOCALID")),
    "Open MPI 4": (OPEN_MPI, ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK")),
}


@pytest.mark.slow
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_under_a_cluster_the_processes_find_each_other(cluster, processes):
    variables, numbers = CLUSTERS[cluster]
    job = free_port() % 2**12  # JAX computes the port from the number of the job
    common = {name: value.format(job=job, uri=job * 2**12) for name, value in variables.items()}
    command = [ROOT / "scripts" / "train.py", *RUNS["words"].split(), *SMALL, "--model", "m.npz"]
    running = [processes.start(command, **common, **dict.fromkeys(numbers, str(k))) for k in range(2)]
    (status, text), (other_status, nothing) = map(outcome, running)
    assert (status, other_status, nothing) == (0, 0, ""), text
    train(processes, 1, *RUNS["words"].split(), *SMALL, "--model", "one.npz")
    assert largest_difference(processes.folder / "one.npz", processes.folder / "m.npz") < 1e-5


def test_open_mpi_that_does_not_tell_where_process_0_runs_is_refused(processes, capsys, monkeypatch):
    monkeypatch.chdir(processes.folder)
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    assert script("train").main(["--data", "text.txt"]) == 2
    assert "--coordinator: this version of Open MPI does not tell where process 0 runs" in capsys.readouterr().err


# Wrong use


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "--processes 2 --process 0",
            "--coordinator: missing; --processes needs --coordinator, --processes and --process",
        ),
        ("--coordinator 127.0.0.1:7000 --processes 2 --process 2", "--process: expected a number from 0 to 1, got 2;"),
        ("--coordinator 127.0.0.1 --processes 2 --process 1", "--coordinator: expected HOST:PORT, such as"),
    ],
)
def test_a_wrong_place_is_refused_with_one_line(options, message, processes, capsys, monkeypatch):
    monkeypatch.chdir(processes.folder)
    assert script("train").main(["--data", "text.txt", "--model", "m.npz", *options.split()]) == 2
    text = capsys.readouterr().err
    assert message in text and text.count("\n") == 1
    assert not (processes.folder / "m.npz").exists()


MEETINGS = {
    "--coordinator 127.0.0.1:9 --processes 2 --process 1 --join-timeout 0.3": "127.0.0.1:9 cannot be reached",
    "--coordinator 127.0.0.1:{port} --processes 3 --process 0 --join-timeout 0.3": "processes 1, 2 have not joined",
    "--coordinator 127.0.0.1:{port} --processes 2 --process 0 --join-timeout 0": "--join-timeout: expected",
}


def test_processes_that_do_not_meet_end_with_one_line(processes):
    command = [ROOT / "scripts" / "train.py", "--data", "text.txt", "--model", "m.npz"]
    running = [processes.start([*command, *options.format(port=free_port()).split()]) for options in MEETINGS]
    for process, message in zip(running, MEETINGS.values(), strict=True):
        status, text = outcome(process)
        assert status == 2
        assert message in text and text.count("\n") == 1
    assert not (processes.folder / "m.npz").exists()


STARTED = """
import theano_rnn
theano_rnn.RNN(5, 3).predict([1, 2])
theano_rnn.train("text.txt", model="m.npz", coordinator="127.0.0.1:7000", processes=2, process=0)
"""


def test_a_process_in_which_jax_has_started_is_refused(processes):
    status, text = outcome(processes.start(["-c", STARTED]))
    assert status == 1
    assert text.splitlines()[-1].endswith(
        "ProcessGroupError: processes: JAX has already started in this process; begin the run in a new one"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            "--data text.txt --hidden-dim 9",
            "--hidden-dim: must be the same in all processes; it is 9 here and 8 in",
        ),
        ("--data other.txt", "--data: must be the same in all processes; it is 1 file of"),
        ("--data missing.txt", "missing.txt: no such file on the machine of this process"),
    ],
)
def test_a_process_that_does_something_else_is_refused_with_one_line(other, message, processes):
    (processes.folder / "other.txt").write_text(TEXT.replace("bird", "fish"), encoding="utf-8")
    port = free_port()
    first = ["--data", "text.txt", *SMALL, "--model", "m.npz", "--join-timeout", "15"]
    running = processes.train(first, [0], 2, port) + processes.train([*SMALL, *first, *other.split()], [1], 2, port)
    (status, text), (other_status, refusal) = map(outcome, running)
    assert (status, other_status) == (2, 2)
    assert message in refusal and refusal.count("\n") == 1
    assert "Traceback" not in text
    assert not (processes.folder / "m.npz").exists()


# Interruptions

LONG = [*"--data text.txt --epochs 40 --save-every 1e-9 --dropout 0.2 --continuous --sequence-length 4".split(), *SMALL]


def has_begun(processes, name):
    """Whether a run has saved some steps."""
    path = processes.folder / f"{name}.checkpoint.npz"
    return path.exists() and read_document(path, read_archive(path), "run")["state"]["step_number"] > 20


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1, 2])
def test_the_others_end_with_one_line_if_a_process_is_killed_and_the_run_continues_bit_for_bit(victim, processes):
    train(processes, 3, *LONG, "--model", "whole.npz")
    running = processes.train([*LONG, "--model", "cut.npz"], range(3), 3)
    wait_until(lambda: has_begun(processes, "cut"))
    running[victim].kill()
    for index, process in enumerate(running):
        if index != victim:
            status, text = outcome(process, 30)
            assert status == 2
            last = text.splitlines()[-1]
            assert re.fullmatch(rf"train.py: process {victim} of 3 has ended: .*; continue with --resume .*", last), (
                text
            )
            assert "Traceback" not in text
    train(processes, 3, "--resume", "--model", "cut.npz", "--no-baselines")
    whole, cut = (load(processes.folder / f"{name}.npz") for name in ("whole", "cut"))
    for name, array in whole.rnn.get_values().items():
        np.testing.assert_array_equal(cut.rnn.get_values()[name], array)
    train(processes, 1, *LONG, "--model", "one.npz")
    assert largest_difference(processes.folder / "one.npz", processes.folder / "cut.npz") < 1e-5


@pytest.mark.slow
def test_the_others_end_with_one_line_if_a_process_is_frozen(processes):
    running = processes.train([*LONG, "--epochs", "100000", "--model", "cut.npz"], range(2), 2)
    wait_until(lambda: has_begun(processes, "cut"))
    freeze(running[1])
    status, text = outcome(running[0], 30)
    assert status == 2
    assert "process 1 of 2 has ended: no sign of life for 18 seconds" in text.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 3)])
def test_a_run_continues_with_another_number_of_processes(before, after, processes):
    train(processes, 1, *LONG, "--model", "whole.npz")
    running = (
        processes.train([*LONG, "--model", "cut.npz"], range(before), before)
        if before > 1
        else [processes.start([ROOT / "scripts" / "train.py", *LONG, "--model", "cut.npz"])]
    )
    wait_until(lambda: has_begun(processes, "cut"))
    for process in running:
        process.terminate()
    assert [outcome(process)[0] for process in running] == [143] * before
    train(processes, after, "--resume", "--model", "cut.npz", "--no-baselines")
    assert largest_difference(processes.folder / "whole.npz", processes.folder / "cut.npz") < 1e-5


@pytest.mark.slow
def test_a_signal_to_one_process_ends_all_after_the_same_step_with_their_state_saved(processes):
    running = processes.train([*LONG, "--epochs", "100000", "--model", "cut.npz"], range(2), 2)
    wait_until(lambda: has_begun(processes, "cut"))
    running[1].terminate()
    outcomes = [outcome(process) for process in running]
    assert [status for status, _ in outcomes] == [143, 143]
    assert "progress is saved" in outcomes[0][1]


@pytest.mark.slow
def test_a_time_limit_ends_all_processes(processes):
    text = train(processes, 2, *LONG, "--epochs", "100000", "--model", "cut.npz", "--max-minutes", "0.5")
    assert "--resume" in text


def test_settings_of_any_type_can_be_compared_between_processes():
    settings = {"hidden_dim": np.int64(8), "tied": np.True_, "clip": None, "dropout": 0.1, "seed": {1}}
    facts = facts_of_run({**settings, "target": "a.txt"}, False, ["a.txt", "b.txt"])
    assert json.loads(json.dumps(facts)) == facts
    assert {**facts, "hidden_dim": 8, "tied": True, "clip": None, "dropout": 0.1, "seed": "{1}"} == facts
    assert facts["data"] == "2 files" and "target" not in facts
