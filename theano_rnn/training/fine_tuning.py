"""Starting from another model: what a run inherits from it and therefore cannot choose."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from theano_rnn.errors import OptionError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.text.corpus import Corpus
from theano_rnn.training.training_data import count_predictions

BLOCK_SIZE = 2**20  # ids
# Settings of a network that are not inherited: the vocabulary decides the first, and a run may choose the second.
OWN_SETTINGS = ("word_dim", "dropout")


def inherited_settings(lm: LanguageModel) -> dict[str, Any]:
    """Return the options that a run inherits from the model that it starts from."""
    level = lm.tokenizer.level
    return {
        "level": level,
        "keep_case": level == "word" and not lm.tokenizer.lowercase,
        "tokenized": lm.tokenizer.tokenized,
        "lines": lm.tokenizer.lines,
        "vocabulary_size": len(lm.vocabulary),
        **{name: value for name, value in lm.rnn.architecture.settings().items() if name not in OWN_SETTINGS},
    }


def with_inherited_settings(lm: LanguageModel, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run together with those that it inherits.

    Parameters
    ----------
    lm : LanguageModel
        The model that the run starts from.
    settings : dict
        The options that were given, ``init_from`` among them.

    Raises
    ------
    OptionError
        If an inherited option was given another value.
    """
    inherited = inherited_settings(lm)
    for name, value in inherited.items():
        if settings.get(name, value) != value:
            raise OptionError(f"{name}: the model to start from has {value!r}, got {settings[name]!r}; leave it out")
    if settings.get("min_count", 1) != 1:
        raise OptionError(f"min_count: the vocabulary is that of {settings['init_from']}; leave it out")
    return {"dropout": lm.rnn.dropout, "continuous": lm.continuous, **settings, **inherited}


def unknown_share(corpus: Corpus) -> float:
    """Return the share of UNKNOWN_TOKEN among the tokens of the training text, from 0 to 1."""
    train = corpus.train
    ids = train if isinstance(train, np.ndarray) else train.ids
    starts = range(0, len(ids), BLOCK_SIZE)
    unknown = sum(np.count_nonzero(ids[start : start + BLOCK_SIZE] == corpus.vocabulary.unknown) for start in starts)
    return float(unknown / count_predictions(train))
