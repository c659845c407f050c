"""Runs of an older version resume with the text as that version encoded it."""

import functools

import pytest
from support.training_runs import COMMON, SENTENCES, assert_same_arrays

from theano_rnn.errors import OptionError
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.sentence_splitter import SentenceSplitter
from theano_rnn.training import corpus_cache
from theano_rnn.training.train_model import train

pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(" ".join(SENTENCES), encoding="utf-8")  # no line end after the last line
    return path


def as_version_1_wrote_it(path):
    """Rewrite a cache as version 1 did: without the tokenizer and the counts, and with another key."""
    entries = read_archive(path)
    document = read_document(path, entries, corpus_cache.DOCUMENT)
    key = {name: document["key"][name] for name in ("texts", "valid", "options")}
    for name in ("column", "lines"):
        del key["options"][name]
    document = {"key": {**key, "version": 1}, **{name: document[name] for name in ("vocabulary", "fingerprint")}}
    arrays = {name: value for name, value in entries.items() if name != corpus_cache.DOCUMENT}
    write_archive(path, arrays, {corpus_cache.DOCUMENT: document})


def test_an_old_run_of_words_resumes_with_its_cached_corpus(text, tmp_path, monkeypatch):
    settings = {**COMMON, "valid_fraction": 0.1}
    unbroken = train(text, model=tmp_path / "a.npz", epochs=3, **settings)
    train(text, model=tmp_path / "b.npz", epochs=2, **settings)
    as_version_1_wrote_it(tmp_path / "b.corpus.npz")
    # This version finds other sentence ends.
    monkeypatch.setattr(SentenceSplitter, "spans", lambda self, text: [(0, len(text))])
    resumed = train(None, model=tmp_path / "b.npz", resume=True, epochs=3)
    assert_same_arrays(resumed.rnn.get_values(), unbroken.rnn.get_values())
    assert resumed.tokenizer.abbreviations is None
    (tmp_path / "b.corpus.npz").unlink()
    with pytest.raises(OptionError, match="^data: the text, or how this version splits it into sentences, has changed"):
        train(None, model=tmp_path / "b.npz", resume=True, epochs=4)


def test_an_old_cached_corpus_is_not_used_for_another_run(text, tmp_path):
    train(text, model=tmp_path / "b.npz", epochs=1, **COMMON)
    as_version_1_wrote_it(tmp_path / "b.corpus.npz")
    text.write_text(text.read_text(encoding="utf-8") + " The bird sees.", encoding="utf-8")
    with pytest.raises(OptionError, match="^data: the text, or how"):
        train(None, model=tmp_path / "b.npz", resume=True, epochs=2)
    assert train(text, model=tmp_path / "b.npz", epochs=1, **COMMON).tokenizer.abbreviations == ()


@pytest.mark.parametrize(
    "held_out", [pytest.param({"valid_fraction": 0.1}, marks=pytest.mark.slow), {"valid_fraction": 0.0}], ids=str
)
def test_an_old_run_of_characters_resumes_without_a_final_line_end(text, tmp_path, monkeypatch, held_out):
    settings = {**COMMON, **held_out, "level": "char", "batch_size": 4, "sequence_length": 20}
    with monkeypatch.context() as older:
        older.setattr(corpus_cache, "read_corpus", functools.partial(read_corpus, ends_last_line=False))
        unbroken = train(text, model=tmp_path / "a.npz", epochs=3, **settings)
        train(text, model=tmp_path / "b.npz", epochs=2, **settings)
    resumed = train(None, model=tmp_path / "b.npz", resume=True, epochs=3)
    assert_same_arrays(resumed.rnn.get_values(), unbroken.rnn.get_values())
