"""Where a training run stands: what its files keep beside parameters, accumulators and hidden states."""

import dataclasses
import math
from dataclasses import dataclass, field

from theano_rnn.checks import check_count

LARGEST = 2**53  # to which floating-point numbers count
TIMES = ("seconds", "tokens_per_second")


@dataclass
class TrainingState:
    """Where a run stands: all that decides how it goes on, beside parameters, accumulators and hidden states."""

    epoch: int = 0  # whole epochs done
    step: int = 0  # steps done in this epoch
    step_number: int = 0  # steps since the optimizer was last reset
    examples_seen: int = 0
    learning_rate: float = 0.0  # before its decay with the epochs
    loss_sum: float = 0.0  # since the last evaluation
    loss_tokens: int = 0
    best_loss: float = math.inf
    last_loss: float = math.inf
    seconds: float = 0.0
    history: list = field(default_factory=list)

    @property
    def has_begun(self):
        """Whether anything has been learnt or measured."""
        return bool(self.epoch or self.step or self.history)

    @property
    def seconds_at_evaluation(self):
        """When the last evaluation was, in seconds of training; 0 if there was none."""
        return self.history[-1]["seconds"] if self.history else 0.0

    def to_configuration(self):
        """A plain dict that JSON can write and `from_configuration` reads."""
        return dataclasses.asdict(self)

    @classmethod
    def from_configuration(cls, configuration):
        """The state that `to_configuration` described.

        Raises
        ------
        TypeError, ValueError
            For a name that is unknown or missing, and a value that no run can have.
        """
        fields = dataclasses.fields(cls)
        if not isinstance(configuration, dict) or configuration.keys() != {field.name for field in fields}:
            raise ValueError("the training state is incomplete")
        for one in fields:
            value = configuration[one.name]
            if one.type is int:
                check_number(one.name, check_count(one.name, value, 0))
            elif one.type is float:
                check_number(one.name, value)
        history = configuration["history"]
        if not isinstance(history, list) or not all(isinstance(record, dict) for record in history):
            raise ValueError("history: expected a list of evaluations")
        for record in history:
            for name in ("epoch", "perplexity", "seconds"):
                check_number(f"history: {name}", record[name])
            for name in ("train_loss", "valid_loss"):
                if record[name] is not None:
                    check_number(f"history: {name}", record[name])
        return cls(**configuration)


def timeless(history):
    """Evaluations without what is never the same twice: with them, the same run gives the same model file."""
    return [{name: value for name, value in record.items() if name not in TIMES} for record in history]


def check_number(name, value):
    """Raise ValueError for what is no number, or beyond all; infinite is a loss before the first evaluation."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise ValueError(f"{name}: expected a number, got {value!r}")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"{name}: expected a number within ±2**53, got one beyond")
