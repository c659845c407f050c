"""Recurrent-neural-network language models as compiled Theano graphs, after the WildML RNN tutorial.

Names are loaded when they are first used: importing the package costs next to nothing and changes nothing in the
process.
"""

import importlib
import sys
import types
import warnings

TYPE_CHECKING = False  # true for type checkers, as in `typing`, whose import would double the time that this one takes
if TYPE_CHECKING:
    from typing import Any

    from theano_rnn.errors import ArgumentTypeError as ArgumentTypeError
    from theano_rnn.errors import ArgumentValueError as ArgumentValueError
    from theano_rnn.errors import ClosedPipeError as ClosedPipeError
    from theano_rnn.errors import CorpusError as CorpusError
    from theano_rnn.errors import DivergenceError as DivergenceError
    from theano_rnn.errors import EngineError as EngineError
    from theano_rnn.errors import ForkedProcessError as ForkedProcessError
    from theano_rnn.errors import GradientCheckError as GradientCheckError
    from theano_rnn.errors import ModelFileError as ModelFileError
    from theano_rnn.errors import OptionError as OptionError
    from theano_rnn.errors import OutputFileError as OutputFileError
    from theano_rnn.errors import ProcessGroupError as ProcessGroupError
    from theano_rnn.errors import ProcessLostError as ProcessLostError
    from theano_rnn.errors import StandardOutputError as StandardOutputError
    from theano_rnn.errors import TheanoRNNError as TheanoRNNError
    from theano_rnn.errors import TrainingInterrupted as TrainingInterrupted
    from theano_rnn.language_models.language_model import LanguageModel as LanguageModel
    from theano_rnn.language_models.language_model import load as load
    from theano_rnn.language_models.language_model import load_once as load_once
    from theano_rnn.language_models.language_model import score as score
    from theano_rnn.networks.rnn import RNN as RNN
    from theano_rnn.networks.rnn import RNNTheano as RNNTheano
    from theano_rnn.ngrams.text_ngrams import NGramModel as NGramModel
    from theano_rnn.sentence_classifier import SentenceClassifier as SentenceClassifier
    from theano_rnn.tasks.classifier import Classifier as Classifier
    from theano_rnn.training.train_model import train as train
    from theano_rnn.tutorial import load_model_parameters_theano as load_model_parameters_theano
    from theano_rnn.tutorial import save_model_parameters_theano as save_model_parameters_theano
    from theano_rnn.tutorial import train_with_sgd as train_with_sgd

__version__ = "0.1.0"

_HOMES = {
    "RNN": "theano_rnn.networks.rnn",
    "RNNTheano": "theano_rnn.networks.rnn",
    "LanguageModel": "theano_rnn.language_models.language_model",
    "NGramModel": "theano_rnn.ngrams.text_ngrams",
    "Classifier": "theano_rnn.tasks.classifier",
    "SentenceClassifier": "theano_rnn.sentence_classifier",
    "load": "theano_rnn.language_models.language_model",
    "load_once": "theano_rnn.language_models.language_model",
    "score": "theano_rnn.language_models.language_model",
    "train": "theano_rnn.training.train_model",
    "train_with_sgd": "theano_rnn.tutorial",
    "load_model_parameters_theano": "theano_rnn.tutorial",
    "save_model_parameters_theano": "theano_rnn.tutorial",
    "TheanoRNNError": "theano_rnn.errors",
    "ArgumentValueError": "theano_rnn.errors",
    "ArgumentTypeError": "theano_rnn.errors",
    "OptionError": "theano_rnn.errors",
    "EngineError": "theano_rnn.errors",
    "ProcessGroupError": "theano_rnn.errors",
    "ProcessLostError": "theano_rnn.errors",
    "CorpusError": "theano_rnn.errors",
    "ModelFileError": "theano_rnn.errors",
    "OutputFileError": "theano_rnn.errors",
    "StandardOutputError": "theano_rnn.errors",
    "ClosedPipeError": "theano_rnn.errors",
    "ForkedProcessError": "theano_rnn.errors",
    "DivergenceError": "theano_rnn.errors",
    "GradientCheckError": "theano_rnn.errors",
    "TrainingInterrupted": "theano_rnn.errors",
}

# Module paths of version 0.1, which documentation named and pickles hold, and where their names are now.
_MOVED = {
    "allocator": ("engines.malloc_settings",),
    "cells": ("networks.cells", "networks.simple_cell"),
    "engine": ("engines.engine",),
    "graph": ("networks.forward", "networks.bptt"),
    "language_model": (
        "language_models.language_model",
        "language_models.text_scoring",
        "language_models.incremental_scoring",
    ),
    "model": ("networks.rnn",),
    "options": ("training.options",),
    "reporter": ("training.reporter",),
    "sentence_splitter": ("text.sentence_splitter", "text.sentences"),
    "softmax": ("networks.softmax", "engines.chunked_softmax"),
    "token_places": ("text.token_spans",),
    "updates": ("networks.updates",),
    "vocabulary": ("text.vocabulary",),
}
_RENAMED = {"token_places": "token_spans"}

__all__ = [*_HOMES, "__version__"]


class _MovedModule(types.ModuleType):
    """A module path of version 0.1: gives each name from its new place, with a `DeprecationWarning`."""

    def __getattr__(self, name: str) -> "Any":
        if not name.startswith("__"):
            new_name = _RENAMED.get(name, name)
            for place in _MOVED[self.__name__.rpartition(".")[2]]:
                module = importlib.import_module(f"theano_rnn.{place}")
                if hasattr(module, new_name):
                    message = f"{self.__name__}.{name} is deprecated; use {module.__name__}.{new_name}"
                    warnings.warn(message, DeprecationWarning, stacklevel=2)
                    return getattr(module, new_name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


for _name in _MOVED:
    sys.modules[f"theano_rnn.{_name}"] = _MovedModule(f"theano_rnn.{_name}")


def __getattr__(name: str) -> "Any":
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MOVED:
        value = sys.modules[f"theano_rnn.{name}"]
    else:
        raise AttributeError(f"module 'theano_rnn' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
