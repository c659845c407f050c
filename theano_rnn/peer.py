"""The benchmark's end of the line to PyTorch, which runs in processes of its own (`torch_peer`)."""

import dataclasses
import importlib.util
import json
import subprocess
import sys

from theano_rnn.errors import OptionError


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
        for setting in ("plain", "allocator"):
            self.processes[setting] = subprocess.Popen(
                [sys.executable, "-m", "theano_rnn.torch_peer", setting],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        try:
            greetings = [self._read(process) for process in self.processes.values()]
            if device == "gpu" and not greetings[0]["gpu"]:
                raise OptionError("peer: this torch finds no GPU; install its CUDA build, or time on the cpu")
        except BaseException:
            self.close()
            raise
        self.version = greetings[0]["torch"]
        self.device = "cuda" if device != "cpu" and greetings[0]["gpu"] else "cpu"

    def _read(self, process):
        line = process.stdout.readline()
        if not line:
            raise OptionError("peer: torch's process has ended; what it said stands above")
        return json.loads(line)

    def seconds(self, workload, form, repeats):
        """Times of a workload in one form: (allocator's setting, whether the embedding's gradient is sparse)."""
        setting, sparse = form
        request = {
            "workload": dataclasses.asdict(workload),
            "sparse": sparse,
            "device": self.device,
            "repeats": repeats,
        }
        process = self.processes[setting]
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return self._read(process)

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
            process.stdin.close()
            process.wait()
