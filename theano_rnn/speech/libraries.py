"""The optional libraries for sounds, with one clear error for whichever is missing."""

import importlib
from typing import Any

from theano_rnn.errors import OptionError

NAMES = {"soundfile": "soundfile", "soxr": "soxr", "kaldi_native_fbank": "kaldi-native-fbank"}
"""Modules, and what pip calls them."""


def library(module: str) -> Any:
    """Import a library of the extra ``speech``.

    Parameters
    ----------
    module : str
        A key of `NAMES`.

    Raises
    ------
    OptionError
        If it is not installed, or cannot be loaded.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise OptionError(
            f'.wav files need {NAMES[module]}, which is not installed; run pip install ".[speech]"'
        ) from None
    except OSError as error:  # soundfile, if its wheel came without the C library
        reason = " ".join(str(error).split())
        raise OptionError(
            f'.wav files need {NAMES[module]}, which cannot be loaded ({reason}); run pip install ".[speech]" again, '
            "or install the missing library (Debian, Ubuntu: apt install libsndfile1)"
        ) from None
