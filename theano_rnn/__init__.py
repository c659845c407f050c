"""Recurrent-neural-network language models as compiled Theano graphs, after the WildML RNN tutorial.

Names are loaded when they are first used: importing the package costs next to nothing and changes nothing in the
process.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "RNN": "theano_rnn.model",
    "RNNTheano": "theano_rnn.model",
    "LanguageModel": "theano_rnn.language_model",
    "load": "theano_rnn.language_model",
    "score": "theano_rnn.language_model",
    "train": "theano_rnn.training",
    "TheanoRNNError": "theano_rnn.errors",
    "CorpusError": "theano_rnn.errors",
    "ModelFileError": "theano_rnn.errors",
    "OptionError": "theano_rnn.errors",
    "EngineError": "theano_rnn.errors",
    "DivergenceError": "theano_rnn.errors",
    "GradientCheckError": "theano_rnn.errors",
    "TrainingInterrupted": "theano_rnn.errors",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'theano_rnn' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
