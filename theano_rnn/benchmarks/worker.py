"""The benchmark's end of the line to peers that run in processes of their own (`torch_peer`, `theano_peer`)."""

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from theano_rnn.errors import OptionError

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


class Peer:
    """A process that answers requests: a JSON object a line in, a JSON value a line out, a greeting first.

    Parameters
    ----------
    name : str
        For messages.
    command : list of str
    **variables
        Of its environment, beside ours.

    Raises
    ------
    OptionError
        If it ends before it has answered; from `ask` too.
    """

    def __init__(self, name, command, **variables):
        self.name = name
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables}
            )
        except OSError as error:
            raise OptionError(f"peer: {command[0]} cannot be run: {error.strerror}; name an interpreter") from error
        try:
            self.greeting = self._read()
        except BaseException:
            self.close()
            raise

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise OptionError(f"peer: {self.name}'s process has ended; what it said stands above")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def path_to_this_package():
    """$PYTHONPATH for processes of this interpreter: they import this very package, wherever they start."""
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])


class TorchPeer:
    """PyTorch in processes of its own, with and without the allocator's setting; answers with times.

    Raises
    ------
    OptionError
        If torch is not installed, or finds no GPU where one is asked for.
    """

    def __init__(self, device="auto"):
        if importlib.util.find_spec("torch") is None:
            raise OptionError("peer: torch is not installed here; install it (pip install torch) or leave --peer out")
        self.processes = {}
        try:
            for setting in ("plain", "allocator"):
                command = [sys.executable, "-m", "theano_rnn.benchmarks.torch_workloads", setting]
                self.processes[setting] = Peer("torch", command, PYTHONPATH=path_to_this_package())
            greeting = self.processes["plain"].greeting
            if device == "gpu" and not greeting["gpu"]:
                raise OptionError("peer: this torch finds no GPU; install its CUDA build, or time on the cpu")
        except BaseException:
            self.close()
            raise
        self.version = greeting["torch"]
        self.device = "cuda" if device != "cpu" and greeting["gpu"] else "cpu"

    def seconds(self, workload, form, repeats):
        """Times of a workload in one form: (allocator's setting, whether the embedding's gradient is sparse)."""
        setting, sparse = form
        return self.processes[setting].ask(
            workload=dataclasses.asdict(workload), sparse=sparse, device=self.device, repeats=repeats
        )

    def forms(self, workload):
        """All forms that could be the fastest for a workload."""
        gradients = (False, True) if workload.learns else (False,)
        return [(setting, sparse) for setting in self.processes for sparse in gradients]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        for process in self.processes.values():
            process.close()


class TheanoPeer:
    """The original Theano in another interpreter, which has theano_rnn too: ours, and the tutorial's own formulation.

    Parameters
    ----------
    interpreter : str
        A Python 3.10.

    Raises
    ------
    OptionError
        If it cannot be run, or lacks theano_rnn or Theano.
    """

    def __init__(self, interpreter):
        self.process = Peer("Theano", [interpreter, "-c", THEANO_PROGRAM], THEANO_RNN_ENGINE="theano")
        self.version = self.process.greeting["versions"]

    def seconds(self, workload, form, repeats):
        """Times of a workload in one form."""
        return self.process.ask(workload=dataclasses.asdict(workload), form=form, repeats=repeats)

    def forms(self, workload):
        """Ours; and, where it learns one sentence a step, as the tutorial's class does, that class."""
        return ["ours", *["tutorial"] * (workload.kind == "sentence")]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.close()
