"""PyTorch's side of the benchmark: refused in a line where it is not; where it is, the same model doing the same."""

import importlib.util
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from theano_rnn import RNN, OptionError
from theano_rnn.benchmarks import torch_workloads, worker
from theano_rnn.benchmarks.workloads import STANDARD, Workload

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
STEP = Workload("step", "step", 30, 4, 6, 3, "small")


def test_without_torch_the_peer_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(worker.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match="torch is not installed here; install it"):
        worker.TorchPeer()


class FakeProcess:
    """Answers with times that depend on a part of the request, the form that is asked for."""

    key = "sparse"

    def __init__(self, times, greeting=True):
        self.times, self.requests, self.lines = times, [], []
        if greeting:
            self.lines.append(json.dumps({"torch": "9.9", "gpu": False}))
        self.stdin, self.stdout, self.waited = self, self, False

    def write(self, line):
        request = json.loads(line)
        self.requests.append(request)
        self.lines.append(json.dumps([self.times[request[self.key]]] * request["repeats"]))

    def flush(self):
        pass

    def readline(self):
        return self.lines.pop(0) + "\n" if self.lines else ""

    def close(self):
        pass

    def wait(self):
        self.waited = True


@pytest.fixture
def processes(monkeypatch):
    times = {"plain": {False: 0.4, True: 0.3}, "allocator": {False: 0.2, True: 0.5}}
    made = {}
    monkeypatch.setattr(worker.importlib.util, "find_spec", lambda name: object())

    def start(command, **settings):
        made[command[-1]] = FakeProcess(times[command[-1]])
        return made[command[-1]]

    monkeypatch.setattr(worker.subprocess, "Popen", start)
    return made


def test_forms_are_all_that_could_be_fastest_and_each_has_its_process(processes):
    with worker.TorchPeer() as torch:
        assert torch.version == "9.9" and torch.device == "cpu"
        both = [(setting, sparse) for setting in ("plain", "allocator") for sparse in (False, True)]
        assert torch.forms(STANDARD[1]) == both
        scoring = next(work for work in STANDARD if work.name == "S1")
        assert torch.forms(scoring) == [("plain", False), ("allocator", False)]
        assert torch.seconds(STEP, ("plain", True), 4) == [0.3] * 4
        assert torch.seconds(STEP, ("allocator", False), 1) == [0.2]
        request = processes["plain"].requests[0]
        assert request["workload"] == STEP.__dict__ and request["sparse"] and request["device"] == "cpu"
    assert all(process.waited for process in processes.values())


def test_a_gpu_that_torch_does_not_find_is_refused(processes):
    with pytest.raises(OptionError, match="this torch finds no GPU"):
        worker.TorchPeer("gpu")
    assert all(process.waited for process in processes.values())


def test_a_process_that_ends_is_told(processes):
    torch = worker.TorchPeer()
    processes["plain"].write = lambda line: None
    with pytest.raises(OptionError, match="torch's process has ended"):
        torch.seconds(STEP, ("plain", False), 1)


@needs_torch
@pytest.mark.parametrize("kind", ["step", "score", "generate"])
@pytest.mark.parametrize("sparse", [False, True])
def test_torch_answers_with_as_many_times_as_asked_for(kind, sparse, monkeypatch):
    request = {
        "workload": {**STEP.__dict__, "kind": kind},
        "sparse": sparse,
        "device": "cpu",
        "repeats": 3,
    }
    written = io.StringIO()
    monkeypatch.setattr(torch_workloads.sys, "stdin", io.StringIO(json.dumps(request) + "\n"))
    monkeypatch.setattr(torch_workloads.sys, "stdout", written)
    monkeypatch.setattr(torch_workloads.sys, "argv", ["torch_peer"])
    torch_workloads.main()
    greeting, times = map(json.loads, written.getvalue().splitlines())
    assert "torch" in greeting
    assert len(times) == 3 and min(times) > 0


@needs_torch
def test_torchs_network_is_the_same_model():
    import torch

    theirs = torch_workloads.network(STEP.word_dim, STEP.hidden_dim, False, "cpu")
    rnn = RNN(STEP.word_dim, STEP.hidden_dim, seed=1)
    with torch.no_grad():
        for name, weight in (
            ("U", theirs.embedding.weight.T),
            ("V", theirs.output.weight),
            ("W", theirs.recurrence.weight_hh_l0),
        ):
            getattr(rnn, name).set_value(weight.numpy().copy())
        # Theirs multiplies the embedding by one more matrix, which ours has no need of.
        theirs.recurrence.weight_ih_l0.copy_(torch.eye(STEP.hidden_dim))
        x = np.array([3, 7, 1, 29])
        z, _ = theirs(torch.tensor(x)[:, None])
        np.testing.assert_allclose(torch.softmax(z[:, 0], dim=-1).numpy(), rnn.forward_propagation(x), rtol=1e-5)


# The original Theano


@pytest.fixture
def theano_process(monkeypatch):
    process = FakeProcess({"ours": 0.02, "tutorial": 0.03}, greeting=False)
    process.lines.append(json.dumps({"versions": "Theano 1.0.5"}))
    process.key = "form"
    started = []

    def start(command, env, **settings):
        started.append((command, env["THEANO_RNN_ENGINE"]))
        return process

    monkeypatch.setattr(worker.subprocess, "Popen", start)
    return process, started


def test_theano_runs_in_the_interpreter_that_is_named_ours_and_the_tutorials_class(theano_process):
    process, started = theano_process
    with worker.TheanoPeer("python3.10") as theano:
        assert theano.version == "Theano 1.0.5"
        assert started == [(["python3.10", "-c", worker.THEANO_PROGRAM], "theano")]
        assert theano.forms(STANDARD[0]) == ["ours", "tutorial"] and theano.forms(STANDARD[1]) == ["ours"]
        assert theano.seconds(STANDARD[0], "tutorial", 2) == [0.03] * 2
        assert process.requests == [{"workload": STANDARD[0].__dict__, "form": "tutorial", "repeats": 2}]
    assert process.waited


def test_an_interpreter_that_cannot_be_run_is_one_line(tmp_path):
    with pytest.raises(OptionError, match="none cannot be run: No such file or directory; name an interpreter"):
        worker.TheanoPeer(str(tmp_path / "none"))


def test_an_interpreter_without_theano_is_told_in_a_line_and_no_traceback(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    if importlib.util.find_spec("theano") is not None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "theano_rnn").mkdir()
        (tmp_path / "theano_rnn" / "__init__.py").write_text("raise ImportError('not installed')")
    with pytest.raises(OptionError, match="Theano's process has ended; what it said stands above"):
        worker.TheanoPeer(sys.executable)
    (line,) = capfd.readouterr().err.splitlines()
    assert "theano is not installed for this Python" in line or line.endswith("; install theano_rnn for it")


def test_a_theano_process_that_ends_is_told(theano_process):
    theano_process[0].lines.clear()
    with pytest.raises(OptionError, match="Theano's process has ended; what it said stands above"):
        worker.TheanoPeer("python3.10")
    assert theano_process[0].waited
