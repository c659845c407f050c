"""Files that version 0.1 wrote, in `support/version_0_1`, still load and resume."""

import json
import logging
import pickle
import shutil
from pathlib import Path

import pytest

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.training.train_model import train

FILES = Path(__file__).parents[1] / "support" / "version_0_1"
EXPECTED = json.loads((FILES / "expected.json").read_text(encoding="utf-8"))
SENTENCES = ["The dog sees the cat.", "The zebra eats."]

every_run = pytest.mark.parametrize("run", EXPECTED)
needs_numpy_2 = pytest.mark.xla(reason="pickles of NumPy 2 arrays cannot be read by NumPy 1")

pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


@pytest.fixture
def folder(tmp_path):
    """A copy of the files, in which a run can continue."""
    for path in FILES.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


@every_run
def test_a_model_gives_the_scores_that_version_0_1_gave(run):
    lm = load(FILES / f"{run}.npz")
    assert lm.score(SENTENCES) == pytest.approx(EXPECTED[run]["scores"], rel=1e-5)


@every_run
def test_a_checkpoint_resumes_to_the_result_of_an_uninterrupted_run(run, folder):
    lm = train(folder / "text.txt", model=folder / f"{run}.npz", resume=True, epochs=3)
    assert lm.score(SENTENCES) == pytest.approx(EXPECTED[run]["resumed_scores"], rel=1e-3)
    for record, expected in zip(lm.training["history"], EXPECTED[run]["history"], strict=True):
        measured = {name: value for name, value in expected.items() if value is not None}
        assert {name: record[name] for name in measured} == pytest.approx(measured, rel=1e-4)


@pytest.mark.parametrize("run", ["words", "tutorial"])
def test_the_cached_corpus_is_used(run, folder, caplog):
    encoded = (folder / f"{run}.corpus.npz").stat()
    with caplog.at_level(logging.INFO, "theano_rnn.training.corpus_cache"):
        train(folder / "text.txt", model=folder / f"{run}.npz", resume=True, epochs=3)
    assert not caplog.records  # the log says why a file is not used
    after = (folder / f"{run}.corpus.npz").stat()
    assert (after.st_ino, after.st_mtime_ns) == (encoded.st_ino, encoded.st_mtime_ns)


@needs_numpy_2
def test_a_pickled_network_loads():
    with pytest.warns(
        DeprecationWarning, match=r"^theano_rnn\.model\.RNN is deprecated; use theano_rnn\.networks\.rnn"
    ):
        rnn = pickle.loads((FILES / "network.pickle").read_bytes())
    assert type(rnn) is RNN
    saved = RNN.load(FILES / "words.npz").get_values()
    assert all((value == saved[name]).all() for name, value in rnn.get_values().items())


@needs_numpy_2
def test_a_pickled_language_model_and_state_load():
    with pytest.warns(DeprecationWarning, match="^theano_rnn"):
        lm = pickle.loads((FILES / "language_model.pickle").read_bytes())
    assert type(lm) is LanguageModel
    assert lm.score(SENTENCES) == pytest.approx(EXPECTED["words"]["scores"], rel=1e-5)
    with pytest.warns(DeprecationWarning, match=r"^theano_rnn\.language_model\.State is deprecated"):
        state = pickle.loads((FILES / "state.pickle").read_bytes())
    _, expected = lm.advance(lm.advance(lm.state(), "the")[0], "dog")
    assert lm.advance(state, "dog")[1] == pytest.approx(expected, rel=1e-6)
