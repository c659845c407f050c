"""Module paths of version 0.1 still give their names, with a warning that names the new place."""

import importlib

import pytest

import theano_rnn

MOVED = [
    ("allocator", "keep_freed_memory", "engines.malloc_settings.keep_freed_memory"),
    ("cells", "ACTIVATIONS", "networks.simple_cell.ACTIVATIONS"),
    ("engine", "T", "engines.engine.T"),
    ("graph", "output_probabilities", "networks.forward.output_probabilities"),
    ("language_model", "load", "language_models.language_model.load"),
    ("model", "RNN", "networks.rnn.RNN"),
    ("options", "TrainingOptions", "training.options.TrainingOptions"),
    ("reporter", "Reporter", "training.reporter.Reporter"),
    ("sentence_splitter", "SentenceSplitter", "text.sentence_splitter.SentenceSplitter"),
    ("sentence_splitter", "split_sentences", "text.sentences.split_sentences"),
    ("softmax", "softmax", "networks.softmax.softmax"),
    ("token_places", "token_places", "text.token_spans.token_spans"),
    ("updates", "UPDATE_RULES", "networks.updates.UPDATE_RULES"),
    ("vocabulary", "Vocabulary", "text.vocabulary.Vocabulary"),
]


def test_every_moved_module_is_tested():
    assert {module for module, _, _ in MOVED} == set(theano_rnn._MOVED)


@pytest.mark.parametrize(("old_module", "name", "new"), MOVED)
def test_an_old_module_path_gives_the_name_and_warns(old_module, name, new):
    new_module, _, new_name = f"theano_rnn.{new}".rpartition(".")
    with pytest.warns(
        DeprecationWarning, match=f"^theano_rnn.{old_module}.{name} is deprecated; use theano_rnn.{new}$"
    ):
        value = getattr(importlib.import_module(f"theano_rnn.{old_module}"), name)
    assert value is getattr(importlib.import_module(new_module), new_name)
    assert getattr(theano_rnn, old_module) is importlib.import_module(f"theano_rnn.{old_module}")


def test_an_unknown_name_of_an_old_module_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'theano_rnn\.engine' has no attribute 'nothing'$"):
        importlib.import_module("theano_rnn.engine").nothing  # noqa: B018
