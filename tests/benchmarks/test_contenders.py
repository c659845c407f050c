"""The contenders of the benchmark run the same model, or give a clear message if they cannot run."""

import dataclasses
import importlib.util
import io
import itertools
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from theano_rnn import RNN, OptionError
from theano_rnn.benchmarks import contender_process, contenders, torch_workloads
from theano_rnn.benchmarks.package_workloads import READING_HEADS, random_minibatches
from theano_rnn.benchmarks.workloads import LARGE, LEARNING_RATE, STANDARD, Workload
from theano_rnn.encoders.reader import Reader, ReaderOptimizer
from theano_rnn.encoders.reader_graph import ReaderInputs, ReaderSettings
from theano_rnn.networks.optimizer import Optimizer

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
GATED = Workload("gated", "step", 30, 4, 6, 3, "small", cell="gru", bias=True, optimizer="adam", one_hot=True)
STEP = Workload("step", "step", 30, 4, 6, 3, "small")


class FakeProcess:
    """Answers with times that depend only on the requested variant."""

    key = "sparse"
    finds_gpu = False

    def __init__(self, times: dict[Any, float], greeting: bool = True) -> None:
        self.times = times
        self.requests: list[dict[str, Any]] = []
        self.lines: list[str] = []
        if greeting:
            self.lines.append(json.dumps({"torch": "9.9", "gpu": self.finds_gpu, "libraries": "CUDA 13"}))
        self.stdin, self.stdout, self.waited = self, self, False

    def write(self, line: str) -> None:
        request = json.loads(line)
        self.requests.append(request)
        self.lines.append(json.dumps([self.times[request[self.key]]] * request["repeats"]))

    def flush(self) -> None:
        pass

    def readline(self) -> str:
        return self.lines.pop(0) + "\n" if self.lines else ""

    def close(self) -> None:
        pass

    def wait(self) -> None:
        self.waited = True


# PyTorch


@pytest.fixture
def torch_processes(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeProcess]:
    times = {"plain": {False: 0.4, True: 0.3}, "malloc": {False: 0.2, True: 0.5}}
    started = {}
    monkeypatch.setattr(contenders.importlib.util, "find_spec", lambda name: object())

    def start(command: list[str], **settings: Any) -> FakeProcess:
        started[command[-1]] = FakeProcess(times[command[-1]])
        return started[command[-1]]

    monkeypatch.setattr(contender_process.subprocess, "Popen", start)
    return started


def test_a_missing_torch_is_reported_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match="torch is not installed; install it"):
        contenders.TorchContender()


def test_torch_variants_are_all_that_could_be_fastest_and_run_in_two_processes(
    torch_processes: dict[str, FakeProcess],
) -> None:
    with contenders.TorchContender() as torch:
        assert torch.version == "9.9" and torch.device == "cpu"
        both = [(setting, sparse) for setting in ("plain", "malloc") for sparse in (False, True)]
        assert torch.variants(STANDARD[1]) == both
        scoring = next(work for work in STANDARD if work.name == "S1")
        assert torch.variants(scoring) == [("plain", False), ("malloc", False)]
        assert torch.describe(STEP, ("plain", True)) == "sparse"
        assert torch.describe(STEP, ("malloc", False)) == "dense, malloc"
        assert torch.describe(scoring, ("malloc", False)) == "malloc"
        exact, adaptive = LARGE[:2]
        assert torch.variants(exact) == both and torch.variants(adaptive) == [("plain", False), ("malloc", False)]
        forms = [torch.describe(exact, ("plain", samples)) for samples in (False, True)]
        assert [*forms, torch.describe(adaptive, ("plain", False))] == ["exact softmax", "sampled", "adaptive"]
        assert torch.variants(GATED) == [("plain", False), ("malloc", False)]
        assert torch.describe(GATED, ("malloc", False)) == "one-hot, malloc"
        assert torch.seconds(STEP, ("plain", True), 4) == [0.3] * 4
        assert torch.seconds(STEP, ("malloc", False), 1) == [0.2]
        request = torch_processes["plain"].requests[0]
        assert request["workload"] == STEP.__dict__ and request["sparse"] and request["device"] == "cpu"
    assert all(process.waited for process in torch_processes.values())


def test_a_gpu_that_torch_does_not_find_is_reported(torch_processes: dict[str, FakeProcess]) -> None:
    with pytest.raises(OptionError, match="this torch finds no GPU"):
        contenders.TorchContender("gpu")
    assert all(process.waited for process in torch_processes.values())


def test_on_a_gpu_torch_runs_there_in_one_process_and_names_its_libraries(
    torch_processes: dict[str, FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeProcess, "finds_gpu", True)
    with contenders.TorchContender("gpu") as torch:
        assert torch.version == "9.9 (CUDA 13)" and list(torch_processes) == ["plain"]
        assert torch.variants(STEP) == [("plain", False), ("plain", True)]
        torch.seconds(STEP, ("plain", False), 1)
        assert torch_processes["plain"].requests[0]["device"] == "cuda"
    with contenders.TorchContender("cpu") as torch:
        assert torch.version == "9.9" and torch.device == "cpu"


def test_jax_leaves_memory_on_a_gpu_unless_the_user_has_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    for before, after in ((None, "false"), ("true", "true")):
        monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)
        if before:
            monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", before)
        contenders.leave_memory_on_gpu()
        assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == after


@needs_torch
def test_torch_waits_for_a_gpu_and_does_not_round_to_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    waited: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    torch_workloads.wait_for("cpu")
    torch_workloads.wait_for("cuda")
    assert waited == ["cuda"]
    switches: list[Any] = [torch.backends.cuda.matmul, torch.backends.cudnn]
    before = [switch.allow_tf32 for switch in switches]
    try:
        for switch in switches:
            switch.allow_tf32 = True
        torch_workloads.use_full_precision()
        assert [switch.allow_tf32 for switch in switches] == [False, False]
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.allow_tf32 = value


@needs_torch
def test_torch_is_timed_until_everything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    monkeypatch.setattr(torch_workloads, "wait_for", lambda device: turns.append("wait"))
    clock = SimpleNamespace(perf_counter=lambda: turns.append("clock") or len(turns))
    monkeypatch.setattr(torch_workloads, "time", clock)
    monkeypatch.setitem(torch_workloads.RUN, "step", lambda *arguments: turns.append("step"))
    torch_workloads.seconds(STEP, False, "cpu", 2)
    assert turns == ["wait", "clock", "step", "wait", "clock"] * 2


def test_a_torch_process_that_ends_is_reported(
    torch_processes: dict[str, FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = contenders.TorchContender()
    monkeypatch.setattr(torch_processes["plain"], "write", lambda line: None)
    with pytest.raises(OptionError, match="the PyTorch process has ended"):
        torch.seconds(STEP, ("plain", False), 1)


@needs_torch
@pytest.mark.parametrize("kind", ["step", "score", "generate", "advance"])
@pytest.mark.parametrize("sparse", [False, True])
def test_torch_answers_with_as_many_times_as_repeats(kind: str, sparse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    request = {"workload": {**STEP.__dict__, "kind": kind}, "sparse": sparse, "device": "cpu", "repeats": 3}
    written = io.StringIO()
    monkeypatch.setattr(contender_process.sys, "stdin", io.StringIO(json.dumps(request) + "\n"))
    monkeypatch.setattr(contender_process.sys, "stdout", written)
    monkeypatch.setattr(torch_workloads.sys, "argv", ["torch_workloads"])
    torch_workloads.main()
    greeting, times = map(json.loads, written.getvalue().splitlines())
    assert "torch" in greeting
    assert len(times) == 3 and min(times) > 0


@needs_torch
def test_torchs_network_is_the_same_model() -> None:
    import torch

    network = torch_workloads.build_network(STEP, False, "cpu")
    rnn = RNN(STEP.word_dim, STEP.hidden_dim, seed=1)
    with torch.no_grad():
        for name, weight in (
            ("U", network.embedding.weight.T),
            ("V", network.output.weight),
            ("W", network.recurrence.weight_hh_l0),
        ):
            getattr(rnn, name).set_value(weight.numpy().copy())
        # PyTorch multiplies the embedding by one more matrix, which theano_rnn does not need.
        network.recurrence.weight_ih_l0.copy_(torch.eye(STEP.hidden_dim))
        x = np.array([3, 7, 1, 29])
        logits, _ = network(torch.tensor(x)[:, None])
        np.testing.assert_allclose(torch.softmax(logits[:, 0], dim=-1).numpy(), rnn.forward_propagation(x), rtol=1e-5)


def values_from_torch(network: Any, workload: Workload) -> dict[str, np.ndarray]:
    """theano_rnn's parameters from those of PyTorch, which has two biases per gate."""
    arrays = {name: array.detach().numpy().copy() for name, array in network.state_dict().items()}
    values = {"V": arrays["output.weight"]}
    if workload.embedding_dim:
        values["E"] = arrays["embedding.weight"]
    if workload.bias:
        values["c"] = arrays["output.bias"]
    directions = {"": "", "_back": "_reverse"} if workload.reads else {"": ""}
    for layer, (our_end, their_end) in itertools.product(range(workload.layers), directions.items()):
        suffix, end = (str(layer + 1) if layer else "") + our_end, f"l{layer}{their_end}"
        values["U" + suffix] = arrays[f"recurrence.weight_ih_{end}"]
        values["W" + suffix] = arrays[f"recurrence.weight_hh_{end}"]
        if workload.bias:
            b, r = arrays[f"recurrence.bias_ih_{end}"], arrays[f"recurrence.bias_hh_{end}"]
            if workload.cell == "gru":
                values["r" + suffix] = r[-workload.hidden_dim :].copy()
                r[-workload.hidden_dim :] = 0
            values["b" + suffix] = b + r
    return values


@needs_torch
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("embedding_dim", [None, 5])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
def test_torchs_network_has_the_same_loss_with_the_same_weights_and_takes_the_same_steps(
    cell: str, layers: int, embedding_dim: int | None, bias: bool
) -> None:
    import torch

    settings = {"cell": cell, "layers": layers, "embedding_dim": embedding_dim, "bias": bias}
    workload = dataclasses.replace(STEP, **settings, optimizer="adam", one_hot=embedding_dim is None)
    network = torch_workloads.build_network(workload, False, "cpu")
    optimizer = torch_workloads.build_optimizer(workload, False, "cpu")
    rnn = RNN.from_values(values_from_torch(network, workload), -1, **settings)
    ours, batches = Optimizer(rnn, "adam"), random_minibatches(workload)
    # With biases, PyTorch has two of each and changes their sum twice as much: only the first losses are equal.
    for _ in range(1 if bias else 3):
        batch = next(batches)
        x, y = torch.tensor(batch.x, dtype=torch.int64), torch.tensor(batch.y, dtype=torch.int64)
        theirs = torch_workloads.train_step(workload, network, optimizer, x, y)
        assert float(ours.step(batch, LEARNING_RATE)[0]) / workload.tokens == pytest.approx(theirs, rel=1e-5)


@needs_torch
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
@pytest.mark.parametrize(("kind", "frame_dim"), [("classify", 0), ("tag", 0), ("tag", 5)])
def test_torchs_reading_network_takes_the_same_steps_on_texts_of_different_lengths(
    kind: str, frame_dim: int, cell: str, layers: int
) -> None:
    import torch

    workload = Workload(
        *("reads", kind, 30, 4, 6, 4, "small"),
        cell=cell,
        layers=layers,
        embedding_dim=None if frame_dim else 5,
        optimizer="adam",
        labels=3,
        frame_dim=frame_dim,
    )
    network = torch_workloads.build_network(workload, False, "cpu")
    optimizer = torch_workloads.build_optimizer(workload, False, "cpu")
    embeddings = () if frame_dim else ((30, 5),)
    network_settings = {"hidden_dim": 4, "cell": cell, "layers": layers, "bias": False}
    settings = ReaderSettings(3, embeddings, frame_dim, READING_HEADS[kind], **network_settings)
    ours = ReaderOptimizer(Reader.from_values(settings, values_from_torch(network, workload)), "adam")
    generator, lengths = np.random.default_rng(0), np.array(workload.lengths, np.int32)
    assert lengths.tolist() == [6, 5, 4, 3]
    labels = workload.batch_size if kind == "classify" else workload.tokens
    for _ in range(3):
        x, y = (generator.integers(0, n, (6, 4)) for n in (30, 3))
        frames = generator.standard_normal((6, 4, frame_dim), np.float32) if frame_dim else None
        read = torch.tensor(x if frames is None else frames)
        theirs = torch_workloads.read_step(workload, network, optimizer, read, torch.tensor(y))
        ids = (x if frames is None else np.zeros_like(x))[None]
        inputs, y = ReaderInputs(ids.astype(np.int32), frames, lengths), y.astype(np.int32)
        loss = ours.step(inputs, y[0] if kind == "classify" else y, LEARNING_RATE, labels)
        assert float(loss) / labels == pytest.approx(theirs, rel=1e-5)


@needs_torch
def test_torch_scores_word_by_word_like_theano_rnn() -> None:
    import torch

    settings = {"cell": "lstm", "embedding_dim": 5, "bias": True}
    workload = dataclasses.replace(STEP, kind="advance", batch_size=1, **settings)
    network = torch_workloads.build_network(workload, False, "cpu")
    rnn = RNN.from_values(values_from_torch(network, workload), -1, **settings)
    batch = next(random_minibatches(workload))
    x, y = torch.tensor(batch.x, dtype=torch.int64), torch.tensor(batch.y, dtype=torch.int64)
    expected = rnn.log_probabilities(batch.x, batch.y)[0].sum()
    assert torch_workloads.advance(workload, network, None, x, y) == pytest.approx(expected, rel=1e-5)


# The original Theano


@pytest.fixture
def theano_process(monkeypatch: pytest.MonkeyPatch) -> tuple[FakeProcess, list[tuple[list[str], str]]]:
    process = FakeProcess({"ours": 0.02, "tutorial": 0.03}, greeting=False)
    process.lines.append(json.dumps({"versions": "Theano 1.0.5"}))
    process.key = "variant"
    started = []

    def start(command: list[str], env: dict[str, str], **settings: Any) -> FakeProcess:
        started.append((command, env["THEANO_RNN_ENGINE"]))
        return process

    monkeypatch.setattr(contender_process.subprocess, "Popen", start)
    return process, started


def test_theano_runs_in_the_given_interpreter_with_theano_rnns_functions_and_the_tutorials(
    theano_process: tuple[FakeProcess, list[tuple[list[str], str]]],
) -> None:
    process, started = theano_process
    with contenders.TheanoContender("python3.10") as theano:
        assert theano.version == "Theano 1.0.5"
        assert started == [(["python3.10", "-c", contenders.THEANO_PROGRAM], "theano")]
        assert theano.variants(STANDARD[0]) == ["ours", "tutorial"] and theano.variants(STANDARD[1]) == ["ours"]
        assert theano.seconds(STANDARD[0], "tutorial", 2) == [0.03] * 2
        assert process.requests == [{"workload": STANDARD[0].__dict__, "variant": "tutorial", "repeats": 2}]
    assert process.waited


def test_an_interpreter_that_cannot_be_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot run .*none: No such file or directory; name a Python interpreter"):
        contenders.TheanoContender(str(tmp_path / "none"))


def test_an_interpreter_without_theano_is_reported_in_one_line_without_a_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    if importlib.util.find_spec("theano") is not None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "theano_rnn").mkdir()
        (tmp_path / "theano_rnn" / "__init__.py").write_text("raise ImportError('not installed')")
    with pytest.raises(OptionError, match="the Theano process has ended; see its message above"):
        contenders.TheanoContender(sys.executable)
    (line,) = capfd.readouterr().err.splitlines()
    assert "theano is not installed for this Python" in line or line.endswith("; install theano_rnn for it")


def test_a_theano_process_that_ends_is_reported(
    theano_process: tuple[FakeProcess, list[tuple[list[str], str]]],
) -> None:
    theano_process[0].lines.clear()
    with pytest.raises(OptionError, match="the Theano process has ended; see its message above"):
        contenders.TheanoContender("python3.10")
    assert theano_process[0].waited
