"""Why a network may be worse than a simple model, as far as the record of its training tells. Losses are in nats."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FEW_TOKENS = 20_000  # a text with fewer teaches a network little
FEW_EVALUATIONS = 5  # in the first ones, losses near that of unigrams are normal
STILL_FALLING, SLOW = 0.01, 0.05  # per epoch
RISE = 0.1  # by which a training loss that rises exceeds its minimum
GAP = 0.5  # between the training loss and the held-out loss of a network that overfits
FACTOR = 3  # by which another learning rate differs


@dataclass(frozen=True)
class Reason:
    """A likely reason, and what to do.

    Attributes
    ----------
    text : str
        The reason, with the figures that show it, and the advice.
    changes : dict of str to int or float
        The options of a better run, by name; empty if no option helps.
    """

    text: str
    changes: dict[str, int | float] = field(default_factory=dict)


def likely_reason(
    history: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    training_tokens: int,
    unigram_loss: float | None = None,
    name: Callable[[str], str] = str,
) -> Reason:
    """Find the likely reason from the losses of the evaluations.

    Parameters
    ----------
    history : sequence of dict
        The records of the evaluations: ``epoch``, ``train_loss``, ``valid_loss``, ``learning_rate``.
    options : dict
        The options of the run: ``vocabulary_size``, ``epochs``, ``hidden_dim``, ``dropout``, ``samples``, ``tutorial``.
    training_tokens : int
        The size of the training text; 0 if it does not matter.
    unigram_loss : float, optional
        Of a unigram model on the held-out text.
    name : callable
        Converts the name of an option to what the user calls it.

    Examples
    --------
    >>> record = {"epoch": 1, "train_loss": 6.0, "valid_loss": 5.9, "learning_rate": 0.004}
    >>> reason = likely_reason([record], {"epochs": 1, "tutorial": False}, 1_000_000)
    >>> reason.text, reason.changes
    ('too few epochs (1 so far); raise epochs', {'epochs': 2})
    """
    records = [record for record in history if record["train_loss"] is not None and record["valid_loss"] is not None]
    train, valid = ([record[loss] for record in records] for loss in ("train_loss", "valid_loss"))
    if not records:
        return _more_epochs("none so far", options, name)
    if train[-1] > min(min(train), _uniform_loss(options)) + RISE:
        found = f"its training loss rose to {train[-1]:.2f}"
        return _other_rate(f"too high a learning rate ({found}); lower", 1 / FACTOR, records, options, name)
    if len(records) == 1:
        return _more_epochs(f"{records[-1]['epoch']:g} so far", options, name)
    fall = _fall_in_the_last_epoch(records)
    is_above_unigram = unigram_loss is not None and min(valid) > unigram_loss
    is_early = is_above_unigram and len(records) < FEW_EVALUATIONS
    if is_above_unigram and not is_early and 0 < fall < SLOW:
        found = f"its held-out loss fell by only {fall:.1g} in the last epoch, and is above the unigram's"
        return _other_rate(f"too low a learning rate ({found}); raise", FACTOR, records, options, name)
    if fall > STILL_FALLING:
        return _more_epochs(f"its held-out loss still fell by {fall:.2f} in the last one", options, name)
    if is_early:
        return _more_epochs(f"{records[-1]['epoch']:g} so far", options, name)
    if 0 < training_tokens < FEW_TOKENS:
        return Reason(f"too small a text ({training_tokens:,} training tokens); train on more text")
    if not options.get("samples") and valid[-1] - train[-1] > GAP:
        return _overfitting(train[-1], valid[-1], options, name)
    if is_above_unigram:
        found = "its held-out loss no longer falls, and is above the unigram's"
        return _other_rate(f"too high a learning rate ({found}); lower", 1 / FACTOR, records, options, name)
    units = options["hidden_dim"]
    found = f"{units} hidden units, and its held-out loss no longer falls"
    return Reason(f"too small a network ({found}); raise {name('hidden_dim')}", {"hidden_dim": 2 * units})


def _uniform_loss(options: Mapping[str, Any]) -> float:
    """The loss of a network that knows nothing: ln of the size of the vocabulary, at most."""
    size = options.get("vocabulary_size")
    return math.log(size) if size else math.inf


def _more_epochs(found: str, options: Mapping[str, Any], name: Callable[[str], str]) -> Reason:
    return Reason(f"too few epochs ({found}); raise {name('epochs')}", {"epochs": 2 * options["epochs"]})


def _fall_in_the_last_epoch(records: Sequence[Mapping[str, Any]]) -> float:
    """How much the held-out loss has fallen per epoch since the evaluation before the last; negative if it rose."""
    before, last = records[-2:]
    return float((before["valid_loss"] - last["valid_loss"]) / max(last["epoch"] - before["epoch"], 1))


def _other_rate(
    text: str,
    factor: float,
    records: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    name: Callable[[str], str],
) -> Reason:
    if options["tutorial"]:  # which decides the learning rate
        return Reason(f"{text} it: leave out {name('tutorial')}")
    rate = float(f"{factor * records[0]['learning_rate']:.1g}")
    return Reason(f"{text} {name('learning_rate')}", {"learning_rate": rate})


def _overfitting(train: float, valid: float, options: Mapping[str, Any], name: Callable[[str], str]) -> Reason:
    text = (
        f"the network learns a text by heart that is too small for it (training loss {train:.2f}, held-out loss "
        f"{valid:.2f}); train on more text, or raise {name('dropout')}"
    )
    if options["tutorial"]:
        return Reason(text.partition(", or raise")[0])
    dropout = options["dropout"] or 0.0
    return Reason(text, {"dropout": round(dropout + (1 - dropout) * 0.3, 2)})
