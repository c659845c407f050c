"""Runs that are refused before they overwrite anything."""

import re

import pytest
from support.training_runs import CASES

from theano_rnn.errors import ArgumentTypeError, CorpusError, ModelFileError, OptionError
from theano_rnn.training import corpus_cache, run_files
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer
from theano_rnn.training.training_state import without_times

pytestmark = pytest.mark.usefixtures("quick_samples")


@pytest.mark.parametrize(
    "settings, message",
    [
        (
            {"resume": True, "hidden_dim": 7},
            "^hidden_dim: the interrupted run has 6, got 7; leave it out, or start a new",
        ),
        ({"resume": True, "hiden_dim": 7}, r"^hiden_dim: unknown option; did you mean `hidden_dim`\?$"),
        ({"hiden_dim": 7}, r"^hiden_dim: unknown option; did you mean `hidden_dim`\?$"),
        ({"epochs": 0}, "^epochs: expected at least 1"),
        ({"max_minute": 7}, r"^max_minute: unknown option; did you mean `max_minutes`\?$"),
        ({"ocelot": 7}, r"^ocelot: unknown option; see help\(theano_rnn.train\)$"),
        ({"data": None}, "^data: expected at least one text file, got none$"),
        ({"data": []}, "^data: expected at least one text file, got none$"),
        ({"device": "gpu"}, "^device: (JAX finds no gpu|the original Theano)"),
    ],
)
def test_wrong_settings_are_refused(finished, toy, settings, message):
    if settings.get("device") == "gpu":
        from theano_rnn.engines.engine import jax

        if jax and any(device.platform == "gpu" for device in jax.devices()):
            pytest.skip("this machine has a GPU")
    with pytest.raises(OptionError, match=message):
        train(**{"data": toy, "model": finished, **settings})


@pytest.mark.parametrize(
    "data, got", [(5, "int"), (b"a.txt", "bytes"), (["a.txt", 5], "int among them"), ([None], "NoneType among them")]
)
def test_data_that_is_not_a_path_is_refused(tmp_path, data, got):
    with pytest.raises(ArgumentTypeError, match=f"^data: expected a path or several paths, got {got}$"):
        train(data, model=tmp_path / "m.npz")


def test_resuming_with_another_text_is_refused(finished, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("The dog sees the cat.\n\nThe cat sees the dog.\n", encoding="utf-8")
    with pytest.raises(
        OptionError, match="^data: the text, or how .*, has changed since the interrupted run; start a "
    ):
        train(other, model=finished, resume=True)


def test_missing_and_empty_texts_are_refused(finished, tmp_path):
    with pytest.raises(CorpusError, match="absent.txt"):
        train(tmp_path / "absent.txt", model=finished)
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(CorpusError, match="empty.txt"):
        train([str(tmp_path / "empty.txt")], model=finished)


def test_the_same_text_is_encoded_once(toy, tmp_path, monkeypatch, compiled_once):
    notes, model = [], tmp_path / "m.npz"
    reporter = Reporter()
    reporter.note = notes.append
    lm = train(toy, model=model, epochs=1, **CASES["words"])

    def fail(*arguments, **settings):
        raise AssertionError("the text was encoded again")

    monkeypatch.setattr(corpus_cache, "read_corpus", fail)
    again = train(toy, model=model, epochs=1, reporter=reporter, **CASES["words"])
    assert f"text as encoded before ({tmp_path / 'm.corpus.npz'})" in notes
    assert any(note.startswith("training on ") for note in notes)
    assert without_times(again.training["history"]) == without_times(lm.training["history"])
    train(None, model=model, epochs=2, resume=True)
    with pytest.raises(AssertionError, match="encoded again"):
        train(toy, model=model, epochs=1, **{**CASES["words"], "seed": 4321})


def test_a_text_that_is_refused_does_not_replace_the_encoded_one(toy, tmp_path, compiled_once):
    model, other = tmp_path / "m.npz", tmp_path / "other.txt"
    train(toy, model=model, epochs=1, **CASES["words"])
    before = (tmp_path / "m.corpus.npz").read_bytes()
    other.write_text("The dog sees the cat.\n\nThe cat sees the dog.\n", encoding="utf-8")
    with pytest.raises(OptionError, match="the text, or how .* has changed"):
        train(other, model=model, resume=True)
    assert (tmp_path / "m.corpus.npz").read_bytes() == before


def test_a_run_continues_if_the_encoded_text_cannot_be_written(toy, tmp_path, compiled_once):
    (tmp_path / "m.corpus.npz").mkdir()
    train(toy, model=tmp_path / "m.npz", epochs=1, **CASES["words"])
    train(toy, model=tmp_path / "m.npz", epochs=2, resume=True)


def test_resuming_without_a_checkpoint_is_refused(toy, tmp_path):
    with pytest.raises(ModelFileError, match="m.checkpoint.npz: no such file; .* Leave `resume` out to start one$"):
        train(toy, model=tmp_path / "m.npz", resume=True)


def test_paths_of_texts_are_refused(toy, tmp_path):
    before = toy.read_bytes()
    with pytest.raises(OptionError, match="toy.txt: is one of the texts; choose another place"):
        train(toy, model=tmp_path / "m.npz", log=toy)
    text = tmp_path / "m.npz"
    text.write_bytes(before)
    with pytest.raises(OptionError, match="m.npz: is one of the texts"):
        train([toy, text], model=tmp_path / "m")
    with pytest.raises(OptionError, match="m.npz: is one of the texts"):
        train(toy, model=text, valid=str(text))
    encoded = tmp_path / "n.corpus.npz"
    encoded.write_bytes(before)
    with pytest.raises(OptionError, match="n.corpus.npz: is one of the texts"):
        train(encoded, model=tmp_path / "n.npz")
    assert toy.read_bytes() == text.read_bytes() == encoded.read_bytes() == before


def test_a_log_in_the_place_of_the_model_or_the_checkpoint_is_refused(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "take_step", lambda self, batch: 1.0)
    monkeypatch.setattr(Trainer, "held_out_loss", lambda self: 1.0)
    for name in ("m.npz", "m.checkpoint.npz", "m.corpus.npz"):
        with pytest.raises(OptionError, match=f"{name}: "):
            train(toy, model=tmp_path / "m.npz", log=tmp_path / name, epochs=1, **CASES["words"])
    assert list(tmp_path.iterdir()) == []


def test_output_paths_that_are_directories_are_refused(toy, tmp_path):
    (tmp_path / "m.npz").mkdir()
    with pytest.raises(ModelFileError, match="m.npz: is a directory; name a file in it"):
        train(toy, model=tmp_path / "m.npz")
    with pytest.raises(ModelFileError, match="is a directory; name a file in it"):
        train(toy, model=tmp_path / "n.npz", log=tmp_path)
    with pytest.raises(ModelFileError, match=f"^{re.escape(str(tmp_path))}: is a directory; name a file in it"):
        train(toy, model=tmp_path)


def test_folders_that_cannot_be_created_or_written_to_are_refused(toy, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFileError, match="m.npz: cannot be written: .*; choose another place"):
        train(toy, model=tmp_path / "file" / "m.npz")
    monkeypatch.setattr(run_files.os, "access", lambda path, mode: False)
    with pytest.raises(ModelFileError, match="m.npz: the folder is not writable; choose another place"):
        train(toy, model=tmp_path / "m.npz")
