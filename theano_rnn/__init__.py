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


def _default_to_single_precision():
    """Let theano.config.floatX be float32 unless the user says otherwise: in PYTENSOR_FLAGS, ~/.pytensorrc or code.

    PyTensor's own default is float64. Where PyTensor is imported already, what it has been set to stays.
    """
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    settings = Path(os.environ.get("PYTENSORRC", "~/.pytensorrc").split(os.pathsep)[0]).expanduser()
    if "pytensor" in sys.modules or "floatX" in flags:
        return
    if settings.is_file() and "floatx" in settings.read_text(errors="replace").lower():
        return
    os.environ["PYTENSOR_FLAGS"] = f"{flags},floatX=float32".lstrip(",")


_default_to_single_precision()
