"""What a training run tells while it runs. This one only logs; `theano_rnn.training.progress` shows it."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.ngrams.baselines import Baselines
from theano_rnn.training.training_state import TrainingState

logger = logging.getLogger("theano_rnn")


class Reporter:
    """Receives what happens during a training run: notes go to the log, the rest is ignored. Made to be overridden.

    If one of its methods raises BrokenPipeError during training, nobody is watching any more: the run is saved and
    ends as after a signal.

    Attributes
    ----------
    wants_baselines : bool
        Whether to measure simple models on the held-out data, too, at the end of the whole run: see `compared`.
    """

    wants_baselines: bool = False

    def note(self, text: str) -> None:
        """Receive something worth knowing, in one line."""
        logger.info("%s", text)

    def warn(self, text: str) -> None:
        """Receive something that should be changed, in one line."""
        logger.warning("%s", text)

    def option_name(self, name: str) -> str:
        """Return the name by which the user knows an option."""
        return name

    def reading(self, paths: Sequence[str]) -> None:
        """Learn that these files are about to be read."""

    def encoding(self, done: int, total: int) -> None:
        """Learn that words were found in `done` of `total` characters of the text."""

    def stage(self, name: str) -> None:
        """Learn that something begins that may take a while: ``"compiling"``, ``"evaluating"``."""

    def progress(
        self, state: TrainingState, epochs: int, done: int, total: int, loss: float, tokens_per_second: float
    ) -> None:
        """Learn how far the run has come, about once a second.

        Parameters
        ----------
        state : TrainingState
        epochs : int
            The number of epochs of the whole run.
        done, total : int
            The steps in the current epoch, which is number ``state.epoch + 1``.
        loss : float
            The mean since the last evaluation, in nats per token.
        tokens_per_second : float
            Without the time to compile functions; 0 as long as every step included some.
        """

    def evaluated(self, record: dict[str, Any], sample: str | None) -> None:
        """Learn the result of an evaluation, which also goes to the log file, and see a sampled text.

        Parameters
        ----------
        record : dict
            See `theano_rnn.training.evaluation.evaluation_record`.
        sample : str or None
        """

    def sampled(self, state: TrainingState, sample: str) -> None:
        """See a text that was sampled from the current parameters, between evaluations."""
        logger.info("after %s epochs and %s steps: %s", state.epoch, state.step, sample)

    def time_is_up(self, state: TrainingState, checkpoint: Path) -> None:
        """Learn that the time limit has ended the run, and where its state is saved."""
        logger.info("the time is up after %s epochs and %s steps: %s", state.epoch, state.step, checkpoint)

    def finished(self, lm: LanguageModel, path: Path) -> None:
        """Learn that the run, or this part of it, has ended, and which model is in the file."""

    def compared(self, lm: LanguageModel, path: Path, baselines: Baselines | None) -> None:
        """Learn that the whole run has ended, and how good simple models are on the same held-out data.

        Parameters
        ----------
        lm : LanguageModel
            The model in the file, or the model of another task.
        path : pathlib.Path
        baselines : Baselines or None
            None if nothing is held out, the task has no simple models, or they are not wanted.
        """

    def close(self) -> None:
        """End the report, however the run has ended."""
