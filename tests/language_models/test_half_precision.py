"""Models stored in half precision: half the size, nearly the same scores, and float32 again once they are loaded."""

import numpy as np
import pytest
from support import language_models
from support.training_runs import SENTENCES

from theano_rnn.errors import ArgumentValueError
from theano_rnn.inspection.model_summary import summarize_model, summary_lines
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.language_models.model_files import ModelFile
from theano_rnn.networks.rnn import RNN
from theano_rnn.training.train_model import train

LINES = ["The dog sees the dog.", "the zebra"]


@pytest.fixture(scope="module")
def lm():
    small = language_models.make(language_models.WORDS)
    rnn = RNN(len(small.vocabulary), 40, seed=5, cell="lstm", bias=True)
    return LanguageModel(rnn, small.vocabulary, small.tokenizer)


@pytest.fixture
def path(lm, tmp_path):
    path = tmp_path / "new" / "half.npz"
    lm.save(path, dtype="float16")
    return path


def test_the_file_holds_the_parameters_rounded_to_half_precision(lm, path):
    entries = ModelFile.read(path).parameters
    assert entries.keys() == lm.rnn.get_values().keys()
    for name, value in lm.rnn.get_values().items():
        assert entries[name].dtype == np.float16
        np.testing.assert_array_equal(entries[name], value.astype(np.float16))


def test_the_file_is_smaller_by_half_of_the_parameters(lm, path, tmp_path):
    lm.save(tmp_path / "full.npz")
    saved = (tmp_path / "full.npz").stat().st_size - path.stat().st_size
    assert saved == pytest.approx(sum(value.nbytes for value in lm.rnn.get_values().values()) / 2, abs=64 * 6)


def test_a_loaded_model_computes_in_single_precision_with_the_rounded_parameters(lm, path):
    loaded = load(path)
    assert loaded.rnn.dtype == "float32"
    rounded = {name: value.astype(np.float16).astype(np.float32) for name, value in lm.rnn.get_values().items()}
    for name, value in loaded.rnn.get_values().items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, rounded[name])
    scores, expected = loaded.score(LINES), lm.score(LINES)
    assert (scores != expected).any()
    np.testing.assert_allclose(scores, expected, rtol=2e-3)
    assert loaded.generate(2, seed=1)


def test_saving_a_loaded_model_again_uses_the_usual_type(path, tmp_path):
    load(path).save(tmp_path / "again.npz")
    assert {str(value.dtype) for value in ModelFile.read(tmp_path / "again.npz").parameters.values()} == {"float32"}


def test_the_summary_shows_the_type_in_the_file(path):
    summary = summarize_model(path)
    assert summary["parameters"]["dtype"] == "float16"
    assert any("of float16: U" in line for line in summary_lines(summary))


def test_training_starts_from_a_model_in_half_precision(path, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(" ".join(SENTENCES[:20]), encoding="utf-8")
    tuned = train(text, model=tmp_path / "tuned.npz", init_from=path, epochs=1, batch_size=8, sample_every=0)
    assert tuned.rnn.dtype == "float32"
    assert ModelFile.read(tmp_path / "tuned.npz").parameters["U"].dtype == np.float32


@pytest.mark.parametrize("value, dtype", [(70000.0, "float16"), (-1e6, "float16")])
def test_a_parameter_that_is_too_large_is_an_error_and_keeps_the_old_file(lm, path, value, dtype):
    before = path.read_bytes()
    large = LanguageModel(RNN.from_values({**lm.rnn.get_values()}, cell="lstm", bias=True), lm.vocabulary, lm.tokenizer)
    values = large.rnn.get_values()
    values["W"][0, 1] = value
    large.rnn.set_values(values)
    with pytest.raises(ArgumentValueError, match=r"W: expected numbers of at most 65504, the largest of float16, got"):
        large.save(path, dtype=dtype)
    assert path.read_bytes() == before


@pytest.mark.parametrize("dtype", ["half", "int8", np.float16, 16])
def test_another_type_is_an_error(lm, tmp_path, dtype):
    with pytest.raises(ValueError, match="dtype: expected .*float16"):
        lm.save(tmp_path / "a.npz", dtype=dtype)
    assert list(tmp_path.iterdir()) == []
