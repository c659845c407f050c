"""One clear error for a library that is missing."""

import importlib

import pytest

from theano_rnn.errors import OptionError
from theano_rnn.speech.sound_files import NAMES, library


@pytest.mark.parametrize("module", NAMES)
def test_the_libraries_of_the_extra_are_found(module):
    assert library(module).__name__ == module


@pytest.mark.parametrize(
    "error, message",
    [
        (
            ModuleNotFoundError("no"),
            r'^\.wav files need soundfile, which is not installed; run pip install "\.\[speech\]"',
        ),
        (OSError("sndfile library\nnot found"), r"cannot be loaded \(sndfile library not found\); .*apt install"),
    ],
)
def test_the_error_about_a_missing_library_says_what_to_install(monkeypatch, error, message):
    def fail(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(OptionError, match=message):
        library("soundfile")
