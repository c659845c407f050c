"""The contenders of the benchmark, PyTorch and the original Theano, which run in separate processes.

A contender runs a workload in one or more variants, of which the fastest counts.
"""

import dataclasses
import importlib.util
import os
import sys
from types import TracebackType
from typing import Any, Protocol

from theano_rnn.benchmarks.contender_process import ContenderProcess, path_to_this_package
from theano_rnn.benchmarks.workloads import Workload
from theano_rnn.errors import OptionError

# Run by the other interpreter. If it lacks theano_rnn or Theano, it prints one line that says so.
THEANO_PROGRAM = """
import sys
try:
    from theano_rnn.errors import OptionError
    try:
        from theano_rnn.benchmarks.theano_workloads import main
    except OptionError as error:
        sys.exit(str(error))
except ImportError as error:
    sys.exit(f"{sys.executable}: {error}; install theano_rnn for it")
main()
"""


class Contender(Protocol):
    """The interface of a contender.

    Attributes
    ----------
    version : str
        The contender's version, for the line about the machine.
    """

    version: str

    def variants(self, workload: Workload) -> list[Any]:
        """Return all variants that could be the fastest for a workload."""

    def seconds(self, workload: Workload, variant: Any, repeats: int) -> list[float]:
        """Run a workload `repeats` times in one variant, and return the time of each run in seconds."""

    def describe(self, workload: Workload, variant: Any) -> str:
        """Return a few words about a variant, for the table of results."""


class TorchContender:
    """PyTorch in two processes, with and without the malloc settings that theano_rnn uses; on a GPU in one, without.

    A variant is a pair: the process (``"plain"`` or ``"malloc"``), and whether the embedding's gradient is sparse. If
    theano_rnn samples the softmax, PyTorch does in the variant with sparse gradients, too.

    Parameters
    ----------
    device : {"auto", "cpu", "gpu"}

    Attributes
    ----------
    version : str
        Version of PyTorch; on a GPU also those of CUDA and cuDNN.
    device : {"cpu", "cuda"}

    Raises
    ------
    OptionError
        If torch is not installed, or if it finds no GPU and ``device="gpu"``.
    """

    def __init__(self, device: str = "auto") -> None:
        if importlib.util.find_spec("torch") is None:
            raise OptionError("torch is not installed; install it (pip install torch) or leave `peer` out")
        self.processes: dict[str, ContenderProcess] = {}
        try:
            for setting in ("plain",) if device == "gpu" else ("plain", "malloc"):
                command = [sys.executable, "-m", "theano_rnn.benchmarks.torch_workloads", setting]
                self.processes[setting] = ContenderProcess("PyTorch", command, PYTHONPATH=path_to_this_package())
            greeting = self.processes["plain"].greeting
            if device == "gpu" and not greeting["gpu"]:
                raise OptionError("this torch finds no GPU; install its CUDA build, or use `device=cpu`")
        except BaseException:
            self.close()
            raise
        self.device = "cuda" if device != "cpu" and greeting["gpu"] else "cpu"
        libraries = f" ({greeting['libraries']})" if self.device == "cuda" else ""
        self.version: str = greeting["torch"] + libraries

    def variants(self, workload: Workload) -> list[tuple[str, bool]]:
        """Return all variants that could be the fastest for a workload."""
        # A sparse gradient needs an embedding, and suits a large vocabulary and plain SGD, or the sampled softmax.
        suits = samples_too(workload) if workload.samples else workload.optimizer == "sgd"
        sparse = (False, True) if workload.learns and suits else (False,)
        return [(setting, is_sparse) for setting in self.processes for is_sparse in sparse]

    def seconds(self, workload: Workload, variant: tuple[str, bool], repeats: int) -> list[float]:
        """Run a workload `repeats` times in one variant, and return the time of each run in seconds."""
        setting, is_sparse = variant
        return self.processes[setting].ask(
            workload=dataclasses.asdict(workload), sparse=is_sparse, device=self.device, repeats=repeats
        )

    def describe(self, workload: Workload, variant: tuple[str, bool]) -> str:
        """Return a few words about a variant, for the table of results."""
        setting, is_sparse = variant
        form = "one-hot" if workload.one_hot else "sparse" if is_sparse else "dense"
        if workload.samples:
            form = "sampled" if is_sparse else "adaptive" if workload.adaptive else "exact softmax"
        parts = [form] if workload.learns else []
        return ", ".join(parts + (["malloc"] if setting == "malloc" else []))

    def close(self) -> None:
        """End the processes."""
        for process in self.processes.values():
            process.close()

    def __enter__(self) -> "TorchContender":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def samples_too(workload: Workload) -> bool:
    """Whether PyTorch can sample the softmax of a workload as theano_rnn does, instead of using another softmax."""
    return bool(workload.samples) and workload.optimizer == "adam" and not workload.adaptive


def leave_memory_on_gpu() -> None:
    """Let JAX take the memory of a GPU as it needs it, not three quarters at its start: PyTorch needs some, too.

    This has no effect if JAX has computed something in this process, or if the user has set the variable.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


class TheanoContender:
    """The original Theano in another interpreter, which needs theano_rnn too.

    The variants are ``"ours"``, theano_rnn's functions, and ``"tutorial"``, the tutorial's own graph.

    Parameters
    ----------
    interpreter : str
        The path of a Python 3.10 interpreter.

    Attributes
    ----------
    version : str
        Version of Theano.

    Raises
    ------
    OptionError
        If the interpreter cannot be run, or lacks theano_rnn or Theano.
    """

    def __init__(self, interpreter: str) -> None:
        command = [interpreter, "-c", THEANO_PROGRAM]
        self.process = ContenderProcess("Theano", command, THEANO_RNN_ENGINE="theano")
        self.version: str = self.process.greeting["versions"]

    def variants(self, workload: Workload) -> list[str]:
        """Return ``"ours"``, and ``"tutorial"`` for workloads of kind "sentence", as in the tutorial."""
        return ["ours", "tutorial"] if workload.kind == "sentence" else ["ours"]

    def seconds(self, workload: Workload, variant: str, repeats: int) -> list[float]:
        """Run a workload `repeats` times in one variant, and return the time of each run in seconds."""
        return self.process.ask(workload=dataclasses.asdict(workload), variant=variant, repeats=repeats)

    def describe(self, workload: Workload, variant: str) -> str:
        """Return a few words about a variant, for the table of results."""
        return variant

    def close(self) -> None:
        """End the process."""
        self.process.close()

    def __enter__(self) -> "TheanoContender":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
