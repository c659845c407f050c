"""Where a training run stands. With the parameters, accumulators and hidden states, this decides how it continues."""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from theano_rnn.checks import check_count

LARGEST = 2**53  # floating-point numbers represent all integers up to this one
TIMES = ("seconds", "tokens_per_second")
FIGURES = ("perplexity", "accuracy", "error")  # what tasks say of an evaluation beside its losses


@dataclass
class TrainingState:
    """Where a training run stands.

    Parameters
    ----------
    epoch : int
        Whole epochs done.
    step : int
        Steps done in the current epoch.
    step_number : int
        Steps since the optimizer was last reset.
    examples_seen : int
        Sentences, or at character level streams, in all steps so far.
    learning_rate : float
        Before its decay with the epochs.
    loss_sum : float
        In nats, summed over the steps since the last evaluation.
    loss_tokens : int
        The number of tokens in these steps.
    best_loss, last_loss : float
        The lowest and the latest decisive loss of an evaluation, in nats per token; infinite before the first one.
    seconds : float
        The time since the run began.
    history : list of dict
        The records of the evaluations: see `theano_rnn.training.evaluation.evaluation_record`.
    """

    epoch: int = 0
    step: int = 0
    step_number: int = 0
    examples_seen: int = 0
    learning_rate: float = 0.0
    loss_sum: float = 0.0
    loss_tokens: int = 0
    best_loss: float = math.inf
    last_loss: float = math.inf
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def has_begun(self) -> bool:
        """Whether anything has been learned or measured."""
        return bool(self.epoch or self.step or self.history)

    def to_configuration(self) -> dict[str, Any]:
        """Return a plain dict that JSON can write and `from_configuration` reads."""
        return dataclasses.asdict(self)

    @classmethod
    def from_configuration(cls, configuration: Any) -> "TrainingState":
        """Return the state that `to_configuration` described.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a name is unknown or missing, or a value is impossible.
        """
        fields = dataclasses.fields(cls)
        if not isinstance(configuration, dict) or configuration.keys() != {field.name for field in fields}:
            raise ValueError("the training state is incomplete")
        for one in fields:
            value = configuration[one.name]
            if one.type is int:
                _check_number(one.name, check_count(one.name, value, 0))
            elif one.type is float:
                _check_number(one.name, value)
        history = configuration["history"]
        if not isinstance(history, list) or not all(isinstance(record, dict) for record in history):
            raise ValueError("history: expected a list of evaluations")
        for record in history:
            for name in ("epoch", "seconds"):
                _check_number(f"history: {name}", record[name])
            for name in ("train_loss", "valid_loss"):
                if record[name] is not None:
                    _check_number(f"history: {name}", record[name])
            if not any(name in record for name in FIGURES):
                raise ValueError(f"history: expected one of {', '.join(FIGURES)}")
            for name in FIGURES:
                _check_number(f"history: {name}", record.get(name, 0))
        return cls(**configuration)


def without_times(history: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records of evaluations without times, which differ each time that the same run is done."""
    return [{name: value for name, value in record.items() if name not in TIMES} for record in history]


def _check_number(name: str, value: object) -> None:
    """Raise ValueError unless it is a number; a loss is infinite before the first evaluation."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise ValueError(f"{name}: expected a number, got {value!r}")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"{name}: expected a number within ±2**53, got one beyond")
