"""The package's own errors: each message says what is wrong, where, and how to mend it, in one line."""

import signal


class TheanoRNNError(Exception):
    """Base of every error that a user of the package can mend."""


class CorpusError(TheanoRNNError, ValueError):
    """A text that cannot be read or holds nothing to learn from."""


class ModelFileError(TheanoRNNError, ValueError):
    """A model or checkpoint file that is missing, damaged or made for something else."""


class OutputFileError(TheanoRNNError):
    """A picture, a page or a table that cannot be written where it should be."""


class OptionError(TheanoRNNError, ValueError):
    """A setting outside its range, or two settings that exclude each other."""


class EngineError(OptionError, ImportError):
    """A Theano, or a package that it needs, that is not installed or does not fit the others."""


class ForkedProcessError(TheanoRNNError, RuntimeError):
    """A compiled function called in a process that was forked after XLA had started its threads."""


class DivergenceError(TheanoRNNError, ArithmeticError):
    """A training loss that became NaN or infinite."""


class GradientCheckError(TheanoRNNError, ArithmeticError):
    """A gradient that disagrees with its finite-difference estimate."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training stopped by a signal, after its state was saved.

    Attributes
    ----------
    checkpoint : pathlib.Path
        The file from which the run goes on.
    number : int
        Which signal it was; SIGPIPE where what is shown of the run could not be written any more.
    """

    def __init__(self, checkpoint, number=signal.SIGINT):
        super().__init__(f"training was interrupted; its state is in {checkpoint}")
        self.checkpoint = checkpoint
        self.number = number
