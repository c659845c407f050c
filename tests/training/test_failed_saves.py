"""Runs that cannot write their files try again later, and at the end save elsewhere."""

import shutil
from pathlib import Path

import pytest
from support.training_runs import (
    CASES,
    assert_same_arrays,
    assert_same_run,
)

from theano_rnn.errors import CorpusError, ModelFileError
from theano_rnn.language_models.language_model import load
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("quick_samples")


def failing(monkeypatch, while_true):
    """Make saving fail while `while_true(state)` holds."""
    write = RunFiles.write

    def maybe(files, arrays, configuration, best=None):
        if while_true(configuration["state"]):
            raise ModelFileError(
                f"{files.checkpoint}: cannot be written: No space left on device; choose another place"
            )
        write(files, arrays, configuration, best)

    monkeypatch.setattr(RunFiles, "write", maybe)


@pytest.mark.usefixtures("compiled_once")
def test_a_run_that_cannot_be_saved_ends_before_it_begins(finished, toy, monkeypatch):
    failing(monkeypatch, lambda state: True)
    monkeypatch.setattr(Trainer, "take_step", None)
    with pytest.raises(ModelFileError, match="checkpoint.npz: cannot be written: No space left on device; choose"):
        train(toy, model=finished, **CASES["words"])


@pytest.mark.usefixtures("compiled_once")
def test_a_disk_that_is_full_for_a_while_loses_nothing(unbroken, toy, tmp_path, monkeypatch):
    notes, model = [], tmp_path / "model.npz"
    reporter = Reporter()
    reporter.note = notes.append
    failing(monkeypatch, lambda state: state["epoch"] in (1, 2))
    train(toy, model=model, log=tmp_path / "log.jsonl", epochs=4, reporter=reporter, **CASES["words"])
    told = [note for note in notes if "No space left on device" in note]
    assert len(told) == 2 and all(note.endswith("; training continues and tries again later") for note in told)
    assert_same_run(model, unbroken("words"))
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 4


@pytest.mark.usefixtures("compiled_once")
def test_a_disk_that_is_full_at_the_end_moves_the_checkpoint(unbroken, toy, tmp_path, monkeypatch):
    model = tmp_path / "model.npz"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(monkeypatch, lambda state: state["epoch"] > 1)
    with pytest.raises(
        ModelFileError, match=r"No space left on device; .*; the state of the run is in .*checkpoint\.npz$"
    ) as error:
        train(toy, model=model, epochs=4, **CASES["words"])
    assert len(load(model).training["history"]) == 1
    place = Path(str(error.value).split("the state of the run is in ")[1])
    monkeypatch.undo()
    place.replace(tmp_path / "model.checkpoint.npz")
    train(None, model=model, resume=True)
    assert_same_arrays(load(model).rnn.get_values(), load(unbroken("words")).rnn.get_values())


@pytest.mark.usefixtures("compiled_once")
def test_a_folder_that_is_deleted_is_created_again(unbroken, toy, tmp_path):
    model = tmp_path / "folder" / "model.npz"

    class Remover(Reporter):
        def evaluated(self, record, sample):
            if record["epoch"] == 2:
                shutil.rmtree(model.parent)

    train(toy, model=model, epochs=4, reporter=Remover(), **CASES["words"])
    assert_same_run(model, unbroken("words"))


def test_a_run_whose_text_was_deleted_is_refused_and_kept(finished, toy, monkeypatch):
    text, hidden = toy, toy.with_name("hidden.txt")
    text.rename(hidden)
    try:
        with pytest.raises(CorpusError, match="toy.txt: no such file; check the path"):
            train(None, model=finished, resume=True)
    finally:
        hidden.rename(text)


def test_a_model_that_another_run_is_training_is_refused(finished, toy):
    with RunFiles(finished, None).locked():
        for resume in (True, False):
            with pytest.raises(ModelFileError, match="another run is training this model"):
                train(toy, model=finished, resume=resume)
