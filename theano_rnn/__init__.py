"""Recurrent-neural-network language models as compiled Theano graphs, after the WildML RNN tutorial.

Names are loaded when they are first used: importing the package costs next to nothing.
"""

import importlib
import os
import sys
from pathlib import Path

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


# How each Theano is called, where its settings are read from: a variable, and files that another one names.
_THEANOS = {
    "pytensor": ("PYTENSOR_FLAGS", "PYTENSORRC", "~/.pytensorrc"),
    "theano": ("THEANO_FLAGS", "THEANORC", "~/.theanorc"),
}


def _default_to_single_precision(theano):
    """Let floatX be float32 unless the user says otherwise: in PYTENSOR_FLAGS, ~/.pytensorrc (or Theano's) or code.

    The default of both is float64. Where one is imported already, what it has been set to stays.
    """
    variable, files, file = _THEANOS[theano]
    flags = os.environ.get(variable, "")
    settings = Path(os.environ.get(files, file).split(os.pathsep)[0]).expanduser()
    if theano in sys.modules or "floatX" in flags:
        return
    if settings.is_file() and "floatx" in settings.read_text(errors="replace").lower():
        return
    os.environ[variable] = f"{flags},floatX=float32".lstrip(",")


for _theano in _THEANOS:
    _default_to_single_precision(_theano)
