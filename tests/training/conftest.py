"""Fixtures of the tests of training runs."""

import pytest
from support.training_runs import (
    CASES,
    SENTENCES,
    share_compiled,
)

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.training import live_plot
from theano_rnn.training.train_model import train


@pytest.fixture
def quick_samples(monkeypatch):
    """Replace the sampled sentence of an evaluation, which costs a compilation; test_samples.py tests real ones."""
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)


@pytest.fixture
def compiled_once(monkeypatch):
    """Runs of the same shape share their compiled functions, which saves a second or two each."""

    share_compiled(monkeypatch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def toy(folder):
    path = folder / "toy.txt"
    path.write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def unbroken(folder, toy):
    """A function that returns the model file of a case's run of 4 epochs, which is trained on first use."""

    def find(case):
        path = folder / f"{case}.npz"
        if not path.exists():
            train(toy, model=path, epochs=4, log=folder / f"{case}.jsonl", **CASES[case])
        return path

    return find


@pytest.fixture
def finished(unbroken, tmp_path):
    """Files of a finished run for one test, and a check that they are unchanged."""
    source = unbroken("words")
    model = tmp_path / "model.npz"
    model.write_bytes(source.read_bytes())
    model.with_suffix(".checkpoint.npz").write_bytes(source.with_suffix(".checkpoint.npz").read_bytes())
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    yield model
    assert {path: path.read_bytes() for path in before} == before
    assert not model.with_suffix(".previous.npz").exists()


@pytest.fixture
def drawn(monkeypatch):
    """The arguments of the plots that would have been drawn."""
    drawn = []
    monkeypatch.setattr(
        live_plot,
        "draw_training",
        lambda path, history, steps, clip, title, by_training_text: drawn.append(
            (len(history), steps, clip, title, by_training_text)
        ),
    )
    monkeypatch.setattr(live_plot, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(live_plot, "STEPS_PER_POINT", 3)
    return drawn
