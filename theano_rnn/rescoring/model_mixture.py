"""A mixture of several models of this package: P = Σ weight_i P_i for each token."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_real
from theano_rnn.errors import ArgumentValueError, OptionError
from theano_rnn.language_models import scoring
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.reading_scores import ReadingScorer
from theano_rnn.language_models.text_scoring import FloatArray
from theano_rnn.networks.rnn import RNN

_ROUNDING = 1e-9  # of the sum of the weights
_MOST_SHOWN = 3  # words


class ModelMixture(ReadingScorer):
    """Scores texts with the weighted mean of the probabilities that several models give to each token.

    Parameters
    ----------
    models : sequence of LanguageModel
        At least one. They must have the same vocabulary, in any order. The first one splits text into sentences and
        tokens for all of them.
    weights : sequence of float
        One for each model, from 0 to 1, with the sum 1.
    names : sequence of str, optional
        What messages call the models.

    Raises
    ------
    ValueError
        If the weights are not as described, or the vocabularies or tokenizers differ.
    """

    def __init__(
        self, models: Sequence[LanguageModel], weights: Sequence[float], names: Sequence[str] | None = None
    ) -> None:
        if not models or len(weights) != len(models):
            raise ArgumentValueError(f"weights: expected one for each of {len(models)} models, got {len(weights)}")
        self.weights = [check_real("weights", weight, minimum=0) for weight in weights]
        if abs(sum(self.weights) - 1) > _ROUNDING:
            raise ArgumentValueError(f"weights: expected numbers with the sum 1, got {sum(self.weights):g}")
        first = models[0]
        super().__init__(first.rnn, first.vocabulary, first.tokenizer, first.training)
        names = names or [f"model {number}" for number in range(1, len(models) + 1)]
        self._members: list[tuple[RNN, npt.NDArray[np.int32] | None]] = []  # and the ids of the first model's words
        for model, name in zip(models, names, strict=True):
            _check_fit(first, model, names[0], name)
            same_order = model.vocabulary.index_to_word == first.vocabulary.index_to_word
            places = model.vocabulary.word_to_index
            ids = None if same_order else np.array([places[word] for word in first.vocabulary.index_to_word], np.int32)
            self._members.append((model.rnn, ids))

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "weights": self.weights, "_members": self._members}

    def member(self, index: int) -> "ModelMixture":
        """Return the mixture in which one model has weight 1."""
        alone = object.__new__(ModelMixture)
        weights = [float(i == index) for i in range(len(self._members))]
        vars(alone).update({**self.__getstate__(), "weights": weights})
        return alone

    def token_values(self, encoded: Sequence[npt.NDArray[np.int32]]) -> list[FloatArray]:
        """Return ln of the mixed probability of each token; see `TextScorer.token_values`."""
        total: list[FloatArray] | None = None
        for (rnn, ids), weight in zip(self._members, self.weights, strict=True):
            if not weight:
                continue
            translated = encoded if ids is None else [ids[sentence] for sentence in encoded]
            values = scoring.token_log_probabilities(rnn, translated)
            if weight < 1:
                values = [value + np.log(weight) for value in values]
            total = values if total is None else [np.logaddexp(*pair) for pair in zip(total, values, strict=True)]
        assert total is not None  # the weights have the sum 1
        return total


def _check_fit(first: LanguageModel, other: LanguageModel, first_name: str, name: str) -> None:
    for setting in ("level", "lowercase", "tokenized"):
        ours, theirs = getattr(first.tokenizer, setting), getattr(other.tokenizer, setting)
        if ours != theirs:
            raise OptionError(
                f"{name}: splits text into other tokens than {first_name} ({setting} is {theirs}, not {ours}); mix "
                "models that were trained with the same options for text"
            )
    known, theirs = set(first.vocabulary.index_to_word), set(other.vocabulary.index_to_word)
    if known != theirs:
        examples = sorted(known ^ theirs, key=lambda word: (len(word), word))[:_MOST_SHOWN]
        raise OptionError(
            f"{name}: has another vocabulary than {first_name}; only one of them has "
            f"{', '.join(map(repr, examples))}; mix models that were trained on the same text with the same "
            "options, or one from the other with `init_from`"
        )
