"""The package's errors. Each message says in one line what is wrong, where, and what to do about it.

`TheanoRNNError` is the base of all of them except `TrainingInterrupted`, which is a `KeyboardInterrupt`. Errors about
arguments are also a `ValueError` or a `TypeError`. Their messages begin with the name of the argument and a colon, and
put the names of other arguments in backquotes; the commands show flags in their place.
"""

import os
import signal
from pathlib import Path
from typing import Any


class TheanoRNNError(Exception):
    """Base of every error that a user of the package can fix."""


class ArgumentValueError(TheanoRNNError, ValueError):
    """An argument whose value is out of range, or that contradicts another argument."""


class ArgumentTypeError(TheanoRNNError, TypeError):
    """An argument of the wrong type."""


class OptionError(ArgumentValueError):
    """A setting of a training run or of a command that is out of range or contradicts another setting."""


class EngineError(OptionError, ImportError):
    """A Theano engine, or a package that it needs, that is not installed or does not fit the others."""


class ProcessGroupError(OptionError):
    """Processes that cannot train a network together: one is missing, or does something else."""


class ProcessLostError(TheanoRNNError, RuntimeError):
    """A process of the run that has ended, so that this one cannot continue either."""


class CorpusError(TheanoRNNError, ValueError):
    """A text that cannot be read or contains nothing to learn from."""


class ModelFileError(TheanoRNNError, ValueError):
    """A model or checkpoint file that is missing, damaged or made for something else."""


class OutputFileError(TheanoRNNError):
    """A picture, a page or a table that cannot be written."""


class StandardOutputError(TheanoRNNError):
    """Standard output that cannot be written, for example on a full disk."""


class ClosedPipeError(StandardOutputError, BrokenPipeError):
    """Standard output that is a pipe that nobody reads any more, as after `| head`."""


class ForkedProcessError(TheanoRNNError, RuntimeError):
    """A call of a compiled function in a process that was forked after XLA had started its threads."""


class DivergenceError(TheanoRNNError, ArithmeticError):
    """A training loss that became NaN or infinite."""


class GradientCheckError(TheanoRNNError, ArithmeticError):
    """A gradient that disagrees with its finite-difference estimate."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by a signal, and its state is saved.

    Like every `KeyboardInterrupt`, this is not an `Exception` and so not a `TheanoRNNError`: code that handles errors
    does not swallow Ctrl-C.

    Parameters
    ----------
    checkpoint : str or os.PathLike
        The file from which the run can be resumed.
    number : int
        The signal. SIGPIPE means that the run's output could not be written any more.
    model : str or os.PathLike, optional
        The file with the best model so far.
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str],
        number: int = signal.SIGINT,
        model: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(f"training was interrupted; its state is in {os.fspath(checkpoint)}")
        self.checkpoint: Path = Path(checkpoint)
        self.number: int = number
        self.model: Path | None = None if model is None else Path(model)

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython shows in place of a traceback, after the stop button of a notebook."""
        lines = [f"{type(self).__name__}: {self}"]
        if self.model is not None:
            lines.append(f"Best model so far: theano_rnn.load({str(self.model)!r})")
            lines.append(f"To continue: theano_rnn.train(None, model={str(self.model)!r}, resume=True)")
        return lines

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.checkpoint, self.number), self.__dict__
