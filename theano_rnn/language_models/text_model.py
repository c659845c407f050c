"""Base class of the language models: a network with its vocabulary and tokenizer; converts text to ids."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.coverage import Coverage
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

Record = TypeVar("Record", bound=Mapping[str, Any])  # the results of an evaluation


class TextModel:
    """A network, the vocabulary that its ids belong to, and the tokenizer that splits text into tokens.

    Parameters
    ----------
    rnn : RNN
    vocabulary : Vocabulary
        Has `rnn.word_dim` entries.
    tokenizer : Tokenizer
    training : dict, optional
        How the model was trained: ``options``, ``history`` and ``coverage``. It is saved with the model.

    Raises
    ------
    ValueError
        If the vocabulary and the network have different sizes.
    """

    rnn: RNN
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    training: dict[str, Any]

    def __init__(
        self, rnn: RNN, vocabulary: Vocabulary, tokenizer: Tokenizer, training: dict[str, Any] | None = None
    ) -> None:
        if rnn.word_dim != len(vocabulary):
            raise ArgumentValueError(f"vocabulary: expected {rnn.word_dim} entries (word_dim), got {len(vocabulary)}")
        self.rnn = rnn
        self.vocabulary = vocabulary
        self.tokenizer = tokenizer
        self.training = training or {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out compiled functions and cached values, which are rebuilt on first use."""
        return {name: getattr(self, name) for name in ("rnn", "vocabulary", "tokenizer", "training")}

    @property
    def start(self) -> int:
        """The id that precedes the first token of a sentence."""
        vocabulary = self.vocabulary
        return vocabulary.end if vocabulary.newline_ends_sentence else vocabulary.start

    @property
    def continuous(self) -> bool:
        """Whether training read its text as one stream and carried the state over the ends of sentences."""
        options = self.training.get("options")
        is_recorded = isinstance(options, Mapping) and options.get("continuous") is True
        return is_recorded or self.tokenizer.level == "char"

    @property
    def unknown_in_training(self) -> float:
        """Fraction of the words of the training text that were unknown, from 0 to 1; 0 if not recorded."""
        coverage: Any = self.training.get("coverage")
        try:
            return Coverage.from_configuration(coverage).unknown_share
        except (TypeError, ValueError):
            return 0.0

    @property
    def held_out_loss(self) -> float | None:
        """Loss on held-out text in nats per token, as measured during training; None if not recorded."""
        history, options = self.training.get("history"), self.training.get("options")
        records = [record for record in history if isinstance(record, Mapping)] if isinstance(history, list) else []
        is_tutorial = isinstance(options, Mapping) and bool(options.get("tutorial"))
        best = best_evaluation((record for record in records if is_loss(record.get("valid_loss"))), is_tutorial)
        return None if best is None else best.get(WHOLE_LOSS, best["valid_loss"])

    def tokenize(self, sentence: str) -> list[str]:
        """Split one sentence into tokens by the rules that were applied to the training text.

        Raises
        ------
        TypeError
            If `sentence` is not a str.
        """
        if not isinstance(sentence, str):
            raise ArgumentTypeError(f"sentence: expected a str, got {type(sentence).__name__}")
        return self.tokenizer.tokenize(sentence)

    def encode(self, sentence: str) -> npt.NDArray[np.int32]:
        """Convert a sentence to ids.

        Parameters
        ----------
        sentence : str

        Returns
        -------
        int32 array
            The start marker, one id per token, and the end marker.
        """
        return self.frame(self.vocabulary.encode(self.tokenize(sentence)))

    def frame(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """Return the ids of a sentence between its start and end markers: int32 array (len(ids) + 2,)."""
        framed = np.empty(len(ids) + 2, np.int32)
        framed[0], framed[1:-1], framed[-1] = self.start, ids, self.vocabulary.end
        return framed


# Recorded evaluations

WHOLE_LOSS = "whole_valid_loss"
"""The loss on all held-out data, in the record of the best evaluation if evaluations measured a part of it."""


def deciding_loss(record: Mapping[str, Any], tutorial: bool) -> str:
    """Return the name of the loss that decides which parameters are the best, unless an error rate does.

    Parameters
    ----------
    record : dict
        The record of an evaluation.
    tutorial : bool
        Whether the run followed the tutorial.

    Returns
    -------
    {"train_loss", "valid_loss"}
        The loss on held-out data, if there is any. The tutorial's training always uses the training text.
    """
    return "train_loss" if tutorial or record.get("valid_loss") is None else "valid_loss"


def deciding_figure(record: Mapping[str, Any], tutorial: bool) -> str:
    """Return the name of the figure that decides which parameters are the best: the lower, the better.

    It is ``error``, the share of wrong labels, where the task records it, or else `deciding_loss`.
    """
    return "error" if record.get("error") is not None else deciding_loss(record, tutorial)


def best_evaluation(history: Iterable[Record], tutorial: bool) -> Record | None:
    """Find the evaluation whose parameters are in the file: the first with the lowest deciding figure.

    Parameters
    ----------
    history : iterable of dict
        The records of the evaluations.
    tutorial : bool
        See `deciding_figure`.

    Returns
    -------
    dict or None
        None if no evaluation recorded that figure.

    Examples
    --------
    >>> first = {"epoch": 1, "train_loss": 3.0, "valid_loss": 3.1}
    >>> second = {"epoch": 2, "train_loss": 2.0, "valid_loss": 3.2}
    >>> history = [first, second]
    >>> best_evaluation(history, tutorial=False)["epoch"], best_evaluation(history, tutorial=True)["epoch"]
    (1, 2)
    """
    measured = [record for record in history if is_loss(record.get(deciding_figure(record, tutorial)))]
    return min(measured, key=lambda record: record[deciding_figure(record, tutorial)], default=None)


def is_loss(value: object) -> bool:
    """Return whether a recorded value is a valid loss: a finite, non-negative number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= sys.float_info.max
