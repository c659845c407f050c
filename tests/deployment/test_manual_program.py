"""The program of the manual that scores and generates with onnxruntime alone."""

from pathlib import Path

import pytest
from support import language_models
from support.markdown import blocks

MANUAL = Path(__file__).resolve().parents[2] / "scripts" / "README.md"


@pytest.mark.parametrize("words", [["what", "a", "lovely", "!", "dog"], ["what", "puppy", "lovely", "a"]])
def test_it_prints_the_score_of_the_model_and_a_text_of_its_words(words, tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnx", reason="the package onnx is not installed; only exports need it")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed; only these tests need it")
    [program] = [block.text for block in blocks(MANUAL) if "onnxruntime" in block.text and block.language == "python"]
    lm = language_models.make(words, tokenized=True)
    lm.export_onnx(tmp_path / "models" / "rnn.onnx")
    monkeypatch.chdir(tmp_path)
    exec(compile(program, str(MANUAL), "exec"), {})
    score, text = capsys.readouterr().out.splitlines()
    assert float(score) == pytest.approx(lm.score("what a lovely puppy !"), abs=1e-4)
    assert set(text.split()) <= set(words)
