"""Starting from another model: what a run takes over from it, which therefore cannot be chosen anew."""

import numpy as np

from theano_rnn.errors import OptionError

BLOCK_SIZE = 2**20  # ids


def settings_of(lm):
    """The settings that a run has because it starts from this model."""
    level = lm.tokenizer.level
    return {
        "level": level,
        "keep_case": level == "word" and not lm.tokenizer.lowercase,
        "tokenized": lm.tokenizer.tokenized,
        "lines": lm.tokenizer.lines,
        "vocabulary_size": len(lm.vocabulary),
        "hidden_dim": lm.rnn.hidden_dim,
        "activation": lm.rnn.activation,
    }


def with_settings_of(lm, settings):
    """Settings of a run that starts from a model, completed by what that decides.

    Parameters
    ----------
    lm : LanguageModel
    settings : dict
        ``init_from``, the model's file, is one of them.

    Raises
    ------
    OptionError
        For a setting that is given too, and is another one.
    """
    inherited = settings_of(lm)
    for name, value in inherited.items():
        if settings.get(name, value) != value:
            raise OptionError(f"{name}: the model to start from has {value!r}, got {settings[name]!r}; leave it out")
    if settings.get("min_count", 1) != 1:
        raise OptionError(f"min_count: the vocabulary is that of {settings['init_from']}; leave it out")
    return {**settings, **inherited}


def unknown_share(corpus):
    """The share of UNKNOWN_TOKEN in the tokens of the training text, from 0 to 1."""
    train = corpus.train
    ids, tokens = (train, len(train) - 1) if isinstance(train, np.ndarray) else (train.ids, train.tokens)
    starts = range(0, len(ids), BLOCK_SIZE)
    unknown = sum(np.count_nonzero(ids[start : start + BLOCK_SIZE] == corpus.vocabulary.unknown) for start in starts)
    return float(unknown / tokens)
