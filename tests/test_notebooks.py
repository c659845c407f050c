"""A notebook that trains and scores, run by Jupyter's own client, also with the stop button."""

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from support.training_runs import SENTENCES

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A function that runs cells in a notebook and returns their outputs; `during` runs beside it, given the kernel."""
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed; only this test needs it")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed; only this test needs it")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed; only this test needs it")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "text.txt").write_text("\n\n".join(SENTENCES), encoding="utf-8")

    def run(*cells, during=None):
        document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        client = nbclient.NotebookClient(
            document, timeout=300, allow_errors=True, coalesce_streams=True, resources={"metadata": {"path": tmp_path}}
        )
        if during is None:
            client.execute()
        else:
            with client.setup_kernel():
                beside = threading.Thread(target=during, args=[client.km.provisioner.pid])
                beside.start()
                for number, cell in enumerate(document.cells):
                    client.execute_cell(cell, number)
                beside.join()
        return [cell.outputs for cell in document.cells]

    return run


def text_of(outputs):
    return "".join(output.text for output in outputs if output.output_type == "stream")


IMPORT = "import theano_rnn, warnings; warnings.simplefilter('error')"
RESUME = """
lm = theano_rnn.train(None, model='m.npz', resume=True, max_minutes=0.01)
print(len(lm.training['history']) > 1)
"""
SETTINGS = "model='m.npz', hidden_dim=6, batch_size=4, progress=True"


def test_models_and_scores_are_shown_as_html_and_progress_leaves_only_whole_lines(notebook):
    _, trained, model, scores = notebook(
        IMPORT,
        f"lm = theano_rnn.train('text.txt', epochs=2, {SETTINGS})",
        "lm",
        "lm.word_scores('The dog sees the zebra.')",
    )
    assert [output.output_type for output in trained] == ["stream"], trained
    lines = text_of(trained).splitlines()
    assert sum(re.match(r"epoch +\d  training loss .* s$", line) is not None for line in lines) == 2, lines
    assert not any("left" in line or "…" in line or "|" in line for line in lines), lines
    assert any(line.rstrip().endswith("the model is in m.npz") for line in lines), lines
    assert any(line.startswith("perplexity on the held-out text: network ") for line in lines), lines
    assert "<table>" in model[0].data["text/html"] and "LanguageModel(" in model[0].data["text/plain"]
    assert "background" in scores[0].data["text/html"] and scores[0].data["text/plain"].startswith("[('the', ")


def test_the_stop_button_ends_training_in_three_lines_and_the_model_so_far_is_saved(notebook, tmp_path):
    def stop(kernel):
        while not (tmp_path / "log.jsonl").exists():  # until the first evaluation
            time.sleep(0.05)
        os.kill(kernel, signal.SIGINT)  # as the stop button does

    _, stopped, after, resumed = notebook(
        IMPORT,
        f"lm = theano_rnn.train('text.txt', epochs=100_000, log='log.jsonl', {SETTINGS})",
        "print(theano_rnn.load('m.npz').perplexity('The dog sees the cat.') < 100)",
        RESUME,
        during=stop,
    )
    *_, error = stopped
    assert not any("left" in line or "|" in line for line in text_of(stopped).splitlines()), stopped
    assert error.output_type == "error" and error.ename == "TrainingInterrupted"
    assert error.traceback == [
        "TrainingInterrupted: training was interrupted; its state is in m.checkpoint.npz",
        "Best model so far: theano_rnn.load('m.npz')",
        "To continue: theano_rnn.train(None, model='m.npz', resume=True)",
    ]
    assert text_of(after) == "True\n" and text_of(resumed) == "True\n", (after, resumed)
