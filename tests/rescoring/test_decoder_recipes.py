"""The recipes for other programs' decoders in the manual run as they are written."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from support.language_models import make
from support.markdown import blocks

import theano_rnn

MANUAL = Path(theano_rnn.__file__).with_name("README.md")
RECIPES = {"pyctcdecode": "pyctcdecode_model", "flashlight.lib.text": "flashlight_model"}


def recipe(module):
    [found] = [block for block in blocks(MANUAL) if f"theano_rnn.rescoring.{module}" in block.text]
    return found


@pytest.mark.parametrize("library, module", RECIPES.items())
def test_a_recipe_prints_at_most_three_hypotheses_the_best_first(library, module, tmp_path, monkeypatch):
    pytest.importorskip(library)
    make(["the", "dog", "do", "n't", "x."]).save(tmp_path / "models" / "rnn.npz")
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()) as printed:
        exec(recipe(module).text, {})
    scores = [float(line.split("\t")[0]) for line in printed.getvalue().splitlines()]
    assert 1 <= len(scores) <= 3 and scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("module", RECIPES.values())
def test_a_recipe_has_about_20_lines(module):
    assert len(recipe(module).text.splitlines()) <= 25
