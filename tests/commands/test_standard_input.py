"""Commands that read standard input say so at a terminal, and only there."""

import os
import subprocess
import sys

import numpy as np
import pytest
from support.script_modules import SCRIPTS

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

pty = pytest.importorskip("pty")
HINT = b"reading from standard input; Ctrl-D ends"
READING = {
    "score": (["score.py", "--model", "{model}"], b"The dog.\n"),
    "generate": (["generate.py", "--model", "{model}", "-n", "1", "--prompt-file", "-"], b"the\n"),
    "explain": (["explain.py", "units", "--model", "{model}"], b"The dog.\n"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "."])
    path = tmp_path_factory.mktemp("model") / "rnn.npz"
    LanguageModel(RNN(len(vocabulary), 4, seed=2), vocabulary, Tokenizer()).save(path)
    assert np.isfinite(LanguageModel.load(path).score("The dog."))
    return path


def command(name, model):
    script, *arguments = [argument.format(model=model) for argument in READING[name][0]]
    return [sys.executable, str(SCRIPTS / script), *arguments]


every_command = pytest.mark.parametrize(
    "name", [name if name == "score" else pytest.param(name, marks=pytest.mark.slow) for name in READING]
)


@every_command
def test_at_a_terminal_the_command_says_that_it_waits_for_input(name, model, tmp_path):
    controller, terminal = pty.openpty()
    try:
        with subprocess.Popen(
            command(name, model), stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, cwd=tmp_path
        ) as process:
            os.close(terminal)
            seen = b""
            while HINT not in seen:
                seen += os.read(controller, 1000)
            os.write(controller, READING[name][1] + b"\x04")
            out = process.stdout.read()
            assert process.wait(60) == 0
        assert out.count(b"\n") >= 1 and HINT not in out
    finally:
        os.close(controller)


@every_command
def test_nothing_is_announced_for_a_pipe(name, model, tmp_path):
    done = subprocess.run(
        command(name, model), input=READING[name][1], capture_output=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0 and HINT not in done.stderr and b"\r" not in done.stderr
