"""Compares the network of a training run with simple models, in words."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from theano_rnn.language_models.scoring import format_perplexity, perplexity
from theano_rnn.language_models.text_model import WHOLE_LOSS, best_evaluation
from theano_rnn.ngrams.baselines import NAMES, Baselines
from theano_rnn.ngrams.likely_reason import Reason, likely_reason

_BIGRAM, _UNIGRAM = NAMES[2], NAMES[1]


def network_figure(training: Mapping[str, Any], baselines: Baselines) -> float:
    """Return the network's figure on the same held-out data, as measured during training.

    Parameters
    ----------
    training : dict
        How the model was trained: ``options`` and ``history``.
    baselines : Baselines
    """
    best = best_evaluation(training["history"], bool(training["options"].get("tutorial")))
    assert best is not None
    figure: float = best["accuracy"] if baselines.figure == "accuracy" else best.get(WHOLE_LOSS, best["valid_loss"])
    return figure


def comparison(training: Mapping[str, Any], baselines: Baselines) -> str:
    """Return a line with the figures of the network and of the simple models."""
    values = {"network": network_figure(training, baselines), **baselines.values}
    if baselines.figure == "accuracy":
        figures = ", ".join(f"{name} {100 * value:.1f} %" for name, value in values.items())
        return f"accuracy on the held-out data: {figures}"
    if training["options"].get("level") == "char":
        unit, shown = "bits/char", [f"{loss / math.log(2):.2f}" for loss in values.values()]
    else:
        unit, shown = "perplexity", [format_perplexity(perplexity(-loss, 1)) for loss in values.values()]
    figures = ", ".join(f"{name} {value}" for name, value in zip(values, shown, strict=True))
    line = f"{unit} on the held-out text: {figures}"
    if baselines.counted_tokens < baselines.training_tokens:
        line += f" (n-grams of {baselines.counted_tokens:,} of {baselines.training_tokens:,} training tokens)"
    return line


def shortfall(training: Mapping[str, Any], baselines: Baselines, name: Callable[[str], str] = str) -> Reason | None:
    """Return the likely reason if the network is worse than a bigram model, or at labels than the best simple model.

    Parameters
    ----------
    training, baselines
        As for `comparison`.
    name : callable
        Converts the name of an option to what the user calls it.

    Returns
    -------
    Reason or None
        None if the network is better, or as good.
    """
    figure = network_figure(training, baselines)
    if baselines.figure == "accuracy":
        rival = max(baselines.values, key=lambda key: baselines.values[key])
        is_worse, unigram_loss = figure < baselines.values[rival], None
    else:
        rival = _BIGRAM
        is_worse, unigram_loss = figure > baselines.values[rival], baselines.values[_UNIGRAM]
    if not is_worse:
        return None
    tokens = baselines.training_tokens
    reason = likely_reason(training["history"], training["options"], tokens, unigram_loss, name)
    return Reason(f"the network is worse than the {rival}; likely reason: {reason.text}", reason.changes)
