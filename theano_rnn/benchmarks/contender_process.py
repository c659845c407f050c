"""Both ends of the pipe between the benchmark and a contender that runs in a separate process.

A request is a line with a JSON object, an answer a line with a JSON value. The process first writes a greeting.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from theano_rnn.errors import OptionError


class ContenderProcess:
    """The benchmark's end of the pipe: starts a process and sends it requests.

    Parameters
    ----------
    name : str
        The name of the process in error messages.
    command : list of str
        The interpreter and its arguments.
    **variables : str
        Environment variables, in addition to those of this process.

    Attributes
    ----------
    greeting : dict
        The first line that the process writes.

    Raises
    ------
    OptionError
        If the process cannot be started, or ends without a greeting.
    """

    def __init__(self, name: str, command: list[str], **variables: str) -> None:
        self.name = name
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables}
            )
        except OSError as error:
            raise OptionError(f"cannot run {command[0]}: {error.strerror}; name a Python interpreter") from error
        assert self.process.stdin and self.process.stdout
        self._requests, self._answers = self.process.stdin, self.process.stdout
        try:
            self.greeting: dict[str, Any] = self._read()
        except BaseException:
            self.close()
            raise

    def ask(self, **request: Any) -> Any:
        """Send a request and wait for its answer.

        Parameters
        ----------
        **request
            JSON-serializable values.

        Returns
        -------
        object
            The decoded answer.

        Raises
        ------
        OptionError
            If the process has ended.
        """
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        return self._read()

    def _read(self) -> Any:
        line = self._answers.readline()
        if not line:
            raise OptionError(f"the {self.name} process has ended; see its message above")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self._requests.close()
        self.process.wait()
        self._answers.close()


def answer_requests(greeting: dict[str, Any], answer: Callable[..., Any]) -> None:
    """The contender's end of the pipe: answer requests until standard input ends.

    Parameters
    ----------
    greeting : dict
        JSON-serializable; written first.
    answer : callable
        Called with the entries of a request as keyword arguments. Its result is written as JSON.
    """
    _write(greeting)
    for line in sys.stdin:
        _write(answer(**json.loads(line)))


def _write(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def path_to_this_package() -> str:
    """Return a $PYTHONPATH with which a process imports this copy of the package, regardless of its working folder."""
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
