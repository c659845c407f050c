"""Models that a process loads once and keeps."""

import os
import threading

import pytest
from support.language_models import WORDS, make

import theano_rnn
from theano_rnn.errors import ModelFileError
from theano_rnn.language_models import language_model


@pytest.fixture
def loaded(monkeypatch):
    """The paths of the files that were really loaded."""
    paths, load = [], language_model.load
    monkeypatch.setattr(language_model, "_kept", {})
    monkeypatch.setattr(language_model, "load", lambda path: (paths.append(os.fspath(path)), load(path))[1])
    return paths


@pytest.fixture
def path(tmp_path):
    make(WORDS).save(tmp_path / "m.npz")
    return tmp_path / "m.npz"


def test_the_same_model_is_returned_without_loading_it_again(loaded, path, monkeypatch):
    model = theano_rnn.load_once(path)
    monkeypatch.chdir(path.parent)
    assert theano_rnn.load_once("m.npz") is model
    assert theano_rnn.load_once(str(path)) is model
    assert loaded == [str(path)]
    assert model.score("the dog") == theano_rnn.load(path).score("the dog")


def test_each_file_has_its_own_model(loaded, path):
    make(WORDS, hidden_dim=7).save(path.with_name("other.npz"))
    sizes = [theano_rnn.load_once(path.with_name(name)).rnn.hidden_dim for name in ("m.npz", "other.npz") * 2]
    assert sizes == [5, 7, 5, 7]
    assert len(loaded) == 2


def test_a_file_that_was_replaced_is_loaded_again(loaded, path):
    theano_rnn.load_once(path)
    make(WORDS, hidden_dim=7).save(path)
    assert theano_rnn.load_once(path).rnn.hidden_dim == 7
    assert theano_rnn.load_once(path).rnn.hidden_dim == 7
    assert len(loaded) == 2


def test_threads_that_ask_at_the_same_time_get_one_model(loaded, path):
    found, start = [], threading.Barrier(4)

    def ask():
        start.wait()
        found.append(theano_rnn.load_once(path))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1
    assert len(loaded) == 1


def test_a_missing_or_damaged_file_is_an_error_each_time_and_a_good_one_is_loaded_then(loaded, path):
    content = path.read_bytes()
    path.unlink()
    for _ in range(2):
        with pytest.raises(ModelFileError, match="no such file"):
            theano_rnn.load_once(path)
    path.write_bytes(content[:-100])
    for _ in range(2):
        with pytest.raises(ModelFileError, match=r"m\.npz"):
            theano_rnn.load_once(path)
    path.write_bytes(content)
    assert theano_rnn.load_once(path).rnn.hidden_dim == 5


def test_a_deleted_file_is_an_error_even_after_it_was_loaded(loaded, path):
    theano_rnn.load_once(path)
    path.unlink()
    with pytest.raises(ModelFileError, match="no such file"):
        theano_rnn.load_once(path)
